package dev

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/api/samplebank"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/story"
)

func TestEraseFollowsItsRules(t *testing.T) {
	h := newHouse(t)
	chidi := samplebank.Customers()[2]
	tokens, consent := h.consented("chidi", h.transport)
	subject := "/admin/subjects/" + chidi.Subject
	tests := []struct {
		name, path string
		body       any
		status     int
		want       string
	}{
		{"not without a reason", subject + "/erase", map[string]any{}, 400, "reason is required"},
		{"not somebody unknown", "/admin/subjects/nobody/erase", map[string]any{"reason": "asked"}, 404, "no such subject"},
		{"not with an active consent", subject + "/erase", map[string]any{"reason": "asked"}, 409, "active consents"},
		{"a hold can be placed", subject + "/hold", map[string]any{"hold": "case-7", "reason": "a court"}, 200, `"legal_hold":true`},
		{"not under a hold, consents or not", subject + "/erase", map[string]any{"reason": "asked", "revoke": true}, 409, "legal hold"},
		{"the hold is lifted", subject + "/lift", map[string]any{"hold": "case-7"}, 200, `"legal_hold":false`},
		{"then it ends the consents first", subject + "/erase", map[string]any{"reason": "asked", "revoke": true}, 200, `"erased":true`},
		{"again changes nothing", subject + "/erase", map[string]any{"reason": "asked", "revoke": true}, 200, `"erased":true`},
	}
	for _, tt := range tests {
		if status, body := h.operate("POST", tt.path, tt.body); status != tt.status || !strings.Contains(body, tt.want) {
			t.Fatalf("%s: %d %s", tt.name, status, body)
		}
	}
	h.isErased(chidi, consent)
	if status, _, err := h.budgetly(h.transport).Get(t.Context(), h.origin()+bankPath+"/accounts", tokens); err != nil || status != http.StatusUnauthorized {
		t.Errorf("the token reads on: %d %v", status, err)
	}
	page, err := story.NewBrowser(h.transport).Open(t.Context(), h.issuer()+"/login")
	if err != nil {
		t.Fatal(err)
	}
	form, _ := page.FormWith("login")
	form.Fields = url.Values{"user": {chidi.Login}, "password": {chidi.Password}}
	if page, err = story.NewBrowser(h.transport).Submit(t.Context(), page, form, "login"); err != nil || page.Status != http.StatusBadRequest {
		t.Errorf("the login still works: %d %v", page.Status, err)
	}
	v := verification{}
	if status, body := h.operate("POST", "/admin/audit/verify", nil); status != http.StatusOK || json.Unmarshal([]byte(body), &v) != nil || v.Outcome != "verified" {
		t.Errorf("the log does not verify: %d %s", status, body)
	}
}

type verification struct{ Outcome string }

// isErased demands that nothing read from the log names somebody any more.
func (h *house) isErased(who samplebank.Customer, consent string) {
	h.t.Helper()
	for _, path := range []string{
		"/admin/subjects/" + who.Subject, "/admin/consents/" + consent, "/admin/audit/timeline/consent/" + consent,
		"/admin/audit/timeline/customer/" + who.Subject, "/admin/replay/state?at=now&stream=consent-" + consent,
		"/admin/replay/state?at=now&stream=subject-" + who.Subject,
	} {
		status, body := h.operate("GET", path, nil)
		if status != http.StatusOK || strings.Contains(body, who.Name) || strings.Contains(body, who.Accounts[0].ID) {
			h.t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if _, body := h.operate("GET", "/admin/audit/timeline/consent/"+consent, nil); !strings.Contains(body, "an erased customer") {
		h.t.Errorf("the timeline does not say erased: %s", body)
	}
}

func TestRestoreRepeatsErasures(t *testing.T) {
	h := newHouse(t)
	ben := samplebank.Customers()[1]
	_, consent := h.consented("ben", h.transport)
	backup := filepath.Join(t.TempDir(), "backup")
	if status, body := h.operate("POST", "/admin/backup", map[string]string{"folder": backup}); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if status, body := h.operate("POST", "/admin/backup", map[string]string{"folder": backup}); status == http.StatusOK {
		t.Errorf("a backup was overwritten: %s", body)
	}
	if status, body := h.operate("POST", "/admin/subjects/"+ben.Subject+"/erase", map[string]any{"reason": "asked", "revoke": true}); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if _, err := h.platform.Keeper.Sign(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := h.config
	c.DataDir, c.Keys.MasterKeyFile = filepath.Join(t.TempDir(), "restored"), h.path("master.key")
	c.Checkpoints.Folder = h.path("checkpoints") // as a second folder that survived
	o := platform.Options{Config: c, Version: "test"}
	if _, err := platform.Restored(t.Context(), o, platform.Restore{From: backup}); err == nil {
		t.Fatal("events are lost, and nobody accepted it")
	}
	if _, err := platform.Restored(t.Context(), o, platform.Restore{AcceptLoss: true, Reason: "test"}); err != nil {
		t.Fatal(err)
	}
	p, err := platform.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	restored := &house{t: t, stage: &stage{node: node{platform: p}}}
	if status, body := restored.operate("GET", "/admin/subjects/"+ben.Subject, nil); status != http.StatusOK || strings.Contains(body, ben.Name) {
		t.Errorf("somebody who was erased is back: %d %s", status, body)
	}
	if _, err := p.Ring.Opener(t.Context(), "subject:"+ben.Subject); err == nil {
		t.Error("the key is back")
	}
	if _, body := restored.operate("GET", "/admin/replay/state?at=now&stream=consent-"+consent, nil); strings.Contains(body, ben.Accounts[0].ID) {
		t.Errorf("accounts are back: %s", body)
	}
}
