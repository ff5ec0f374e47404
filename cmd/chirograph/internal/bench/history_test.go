package bench

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

// checkpointEvery is after how many events a history is signed.
const checkpointEvery = 10_000

// grow writes events as requests do, until the log has so many: whole journeys
// of customers, and tokens with the evidence they were asked for with. It is
// signed now and then, and at the end.
func grow(t *testing.T, p *platform.Platform, events int64) {
	t.Helper()
	for size := int64(0); size < events; {
		growOnce(t, p, min(events-size, checkpointEvery))
		c, err := p.Keeper.Sign(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		size = c.Size
	}
}

func growOnce(t *testing.T, p *platform.Platform, events int64) {
	const writers = 64
	var left atomic.Int64
	left.Store(events)
	var group sync.WaitGroup
	for writer := range writers {
		group.Go(func() {
			for left.Load() > 0 {
				meta, drafts := journeyOf(fmt.Sprintf("customer-%d", writer))
				if _, err := p.Journal.Commit(context.Background(), meta, drafts...); err != nil {
					t.Error(err)
					return
				}
				for _, d := range drafts {
					left.Add(-int64(len(d.Events)))
				}
			}
		})
	}
	group.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// journeyOf is a customer's way to a token, and the token of a client alone.
func journeyOf(customer string) (event.Meta, []eventstore.Draft) {
	id, given, access, refresh := newID(), newID(), newID(), newID()
	now := time.Now().Truncate(time.Second)
	meta := event.Meta{
		Issuer: "fapi2", Actor: event.ActorClient, Client: "bench", Subject: customer, Correlation: "authorization-" + id,
		Software: "bench", Address: "192.0.2.1", UserAgent: "Go-http-client/1.1",
	}
	absent := func(stream string, events ...any) eventstore.Draft {
		return eventstore.Draft{Stream: eventstore.Stream(stream), Expect: eventstore.Absent(), Events: events}
	}
	return meta, []eventstore.Draft{
		absent("authorization-"+id,
			authorization.Pushed{Client: "bench", Digest: strings.Repeat("d", 43), Expires: now.Add(time.Minute), Body: url.Values{"scope": {"openid accounts"}}.Encode()},
			authorization.SubjectAuthenticated{Subject: customer, ACR: "urn:example:loa3", AuthTime: now, Browser: strings.Repeat("b", 43)},
			authorization.Granted{Consent: given, Subject: customer, Scope: "openid accounts", Expires: now.Add(time.Hour)},
			authorization.CodeIssued{Digest: strings.Repeat("c", 43), Expires: now.Add(time.Minute)},
			authorization.CodeRedeemed{Token: access, Refresh: refresh, Consent: given}),
		absent("consent-"+given, consent.Authorized{Client: "bench", Subject: customer, Scope: "openid accounts", Expires: now.Add(time.Hour), Authorization: id}),
		absent("token-"+access, tokenOf(now, customer, given)),
		absent("refresh-"+refresh, token.RefreshIssued{Client: "bench", Subject: customer, Consent: given, Scope: "openid accounts", Digest: strings.Repeat("r", 43), Expires: now.Add(time.Hour)}),
		absent("token-"+newID(), tokenOf(now, "", "")),
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// tokenOf is a token with evidence of the usual length.
func tokenOf(now time.Time, customer, given string) token.Issued {
	return token.Issued{
		Client: "bench", Subject: customer, Consent: given, Scope: "accounts", Audience: []string{bank}, Expires: now.Add(5 * time.Minute),
		Confirmation: token.Confirmation{JKT: strings.Repeat("j", 43)}, Key: strings.Repeat("s", 43),
		Evidence: oauth.Evidence{
			ClientAuth: "private_key_jwt", Key: strings.Repeat("k", 43),
			ClientAssertion: strings.Repeat("a", 400), DPoP: strings.Repeat("p", 500),
		},
	}
}
