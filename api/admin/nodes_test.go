package admin

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"testing"

	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/signingkey"
	"github.com/chirograph/chirograph/eventstore/storetest"
)

// installation is a document with one of everything.
func installation(t *testing.T) Document {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	staff := []string{"auditor"}
	return Document{
		Issuers: []Issuer{{
			ID: "north", URL: "https://bank.example/north", Profile: fapi.SecurityProfile.Name,
			Keys:        &KeyPolicy{Algorithms: []string{"ES256"}},
			SigningKeys: []SigningKey{{ID: "brought", Private: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))}},
		}},
		Clients: []Client{{ID: "budgetly", Issuer: "north", Metadata: oauth.ClientMetadata{
			ClientName: "Budgetly", TokenEndpointAuthMethod: "private_key_jwt", GrantTypes: []string{"client_credentials"}, DPoPBoundTokens: true,
			JWKS: []byte(`{"keys":[]}`),
		}}},
		Customers: []Customer{{ID: "alice", Issuer: "north", Name: "Alice", Login: &Login{Name: "alice", Password: "secret"}, Roles: &staff}},
	}
}

// applied is what the log holds of the document, however often and by whomever
// it was applied.
var applied = map[string]int{
	"issuer.created": 1, "client.registered": 1, "subject.enrolled": 1, "subject.role_granted": 1,
	"issuer.profile_changed": 0, "issuer.settings_changed": 0, "issuer.key_policy_changed": 1, "client.updated": 0,
	"signingkey.activated": 2,
}

func (c *cluster) isInstalled() {
	c.Helper()
	for typ, want := range applied {
		if got := c.count(typ); got != want {
			c.Errorf("%d %s, want %d", got, typ, want)
		}
	}
	if n := c.count("subject.credential_bound"); n != 1 && n != 2 { // by who set it, and by who found it set
		c.Errorf("the password was set %d times", n)
	}
	if es, ed := c.signing("north", "ES256"), c.signing("north", "EdDSA"); len(es) != 1 || len(ed) != 1 || ed[0] != "brought" {
		c.Errorf("%v sign with ES256, %v with EdDSA", es, ed)
	}
	before := c.head()
	if changes, err := c.nodes[2].Apply(c.Context(), operatorMeta, installation(c.T)); err != nil || c.head() != before {
		c.Errorf("applied again: %v, %v", changes, err)
	}
}

// Nodes that start at once on an empty log end in one installation.
func TestNodesApplyTogether(t *testing.T) {
	for range 8 {
		c, d := newCluster(t), installation(t)
		c.together(func(node int) error {
			_, err := c.nodes[node].Apply(t.Context(), operatorMeta, d)
			return err
		})
		c.isInstalled()
	}
}

// Wherever a node is overtaken by another that does the same.
func TestApplyIsOvertaken(t *testing.T) {
	d := installation(t)
	for at := 1; ; at++ {
		c, overtaken := newCluster(t), false
		c.log.Before(at, func() {
			overtaken = true
			if _, err := c.nodes[1].Apply(t.Context(), operatorMeta, d); err != nil {
				t.Errorf("before append %d the other: %v", at, err)
			}
		})
		if _, err := c.nodes[0].Apply(t.Context(), operatorMeta, d); err != nil {
			t.Errorf("overtaken before append %d: %v", at, err)
		}
		if !overtaken {
			break
		}
		c.isInstalled()
	}
}

var errPower = errors.New("the power failed")

// Wherever a node dies, applying the document again completes it.
func TestApplyStops(t *testing.T) {
	d := installation(t)
	undisturbed := newCluster(t)
	_, err := undisturbed.nodes[0].Apply(t.Context(), operatorMeta, d)
	undisturbed.must(err)
	for n := range undisturbed.steps.Sizes() {
		for _, written := range []bool{false, true} {
			t.Run(fmt.Sprintf("at append %d, written %v", n+1, written), func(t *testing.T) {
				c := newCluster(t)
				c.steps.Plan(append(make([]storetest.Cut, n), storetest.Cut{At: 1, Written: written, Err: errPower})...)
				if _, err := c.nodes[0].Apply(t.Context(), operatorMeta, d); err == nil {
					t.Fatal("it did not stop")
				}
				if _, err := c.nodes[1].Apply(t.Context(), operatorMeta, d); err != nil {
					t.Fatal(err)
				}
				c.isInstalled()
				if made := c.count("signingkey.announced"); made != 2 {
					t.Errorf("%d keys were announced", made)
				}
			})
		}
	}
}

// Nodes that rotate at the same time, however they get into each other's way,
// leave one key that signs, and never none.
func TestRotationIsOvertaken(t *testing.T) {
	for name, when := range map[string]func(*storetest.Interrupted, int, func()){
		"before": (*storetest.Interrupted).Before, "after": (*storetest.Interrupted).After,
	} {
		for at, overtaken := 1, true; overtaken; at++ {
			c := newCluster(t)
			_, err := c.nodes[0].Apply(t.Context(), operatorMeta, installation(t))
			c.must(err)
			old := c.signing("north", "ES256")[0]
			overtaken = false
			when(c.log, at, func() {
				overtaken = true
				c.rotates(1)
			})
			c.rotates(0)
			if now := c.signing("north", "ES256"); len(now) != 1 || now[0] == old {
				t.Errorf("overtaken %s append %d, %v sign", name, at, now)
			}
		}
	}
}

func (c *cluster) rotates(node int) {
	c.Helper()
	if _, err := c.nodes[node].Rotate(c.Context(), operatorMeta, "north", true); err != nil {
		c.Errorf("node %d: %v", node, err)
	}
}

func TestNodesRotateTogether(t *testing.T) {
	c := newCluster(t)
	_, err := c.nodes[0].Apply(t.Context(), operatorMeta, installation(t))
	c.must(err)
	for range 8 {
		c.together(func(node int) error {
			_, err := c.nodes[node].Rotate(t.Context(), operatorMeta, "north", true)
			return err
		})
		if now := c.signing("north", "ES256"); len(now) != 1 {
			t.Errorf("%d keys sign", len(now))
		}
	}
}

// A key that others had sign, and succeeded by the next, did not wait for this
// node.
func TestAKeyIsSucceededMeanwhile(t *testing.T) {
	c := newCluster(t)
	_, err := c.nodes[0].Apply(t.Context(), operatorMeta, installation(t))
	c.must(err)
	_, err = c.nodes[0].announce(t.Context(), operatorMeta, "north", "ES256")
	c.must(err)
	c.log.Before(1, func() { c.rotates(1); c.rotates(2) })
	c.rotates(0)
	if now := c.signing("north", "ES256"); len(now) != 1 {
		t.Errorf("%v sign", now)
	}
}

// Two operators, each of whom sees another key that signs, leave one.
func TestOneKeySignsOn(t *testing.T) {
	c := newCluster(t)
	_, err := c.nodes[0].Apply(t.Context(), operatorMeta, installation(t))
	c.must(err)
	second, err := c.nodes[0].announce(t.Context(), operatorMeta, "north", "ES256")
	c.must(err)
	first := c.signing("north", "ES256")[0]
	_, err = c.nodes[0].decideKey(t.Context(), operatorMeta, second.ID, signingkey.Activate{})
	c.must(err)
	c.log.Before(1, func() { c.post(1, "/admin/keys/"+second.ID+"/retire", "{}") })
	if w := c.post(0, "/admin/keys/"+first+"/retire", "{}"); w.Code != 200 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	if now := c.signing("north", "ES256"); len(now) != 1 || now[0] == first || now[0] == second.ID {
		t.Errorf("%v sign", now)
	}
}

// A compromised key is followed at once by the one that was announced, if one
// was, on whichever node.
func TestAnAnnouncedKeyTakesOver(t *testing.T) {
	c := newCluster(t)
	_, err := c.nodes[0].Apply(t.Context(), operatorMeta, installation(t))
	c.must(err)
	next, err := c.nodes[1].announce(t.Context(), operatorMeta, "north", "ES256")
	c.must(err)
	lost := c.signing("north", "ES256")[0]
	if w := c.post(2, "/admin/keys/"+lost+"/compromise", `{"reason":"stolen"}`); w.Code != 200 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	if now := c.signing("north", "ES256"); len(now) != 1 || now[0] != next.ID {
		t.Errorf("%v sign, want %s", now, next.ID)
	}
}
