package api

import (
	"strings"
	"testing"
	"time"
)

func TestTicket(t *testing.T) {
	s := &Server{}
	s.PageKey[0] = 1
	north, south := &visit{Tenant: Tenant{ID: "north"}}, &visit{Tenant: Tenant{ID: "south"}}
	i := interaction{ticket: ticket{newID(), time.Unix(5, 7).UTC()}, browser: "laptop"}
	sealed := s.sealTicket(north, i)
	if got, ok := s.openTicket(north, sealed, "laptop"); !ok || got != i.ticket {
		t.Errorf("got %+v %v", got, ok)
	}
	other := &Server{}
	tests := []struct {
		name    string
		server  *Server
		visit   *visit
		sealed  string
		browser string
	}{
		{"in another browser", s, north, sealed, "phone"},
		{"in none", s, north, sealed, ""},
		{"at another issuer", s, south, sealed, "laptop"},
		{"of another installation", other, north, sealed, "laptop"},
		{"altered", s, north, "B" + strings.TrimPrefix(sealed, sealed[:1]), "laptop"},
		{"cut short", s, north, sealed[:len(sealed)-1], "laptop"},
		{"empty", s, north, "", "laptop"},
	}
	for _, tt := range tests {
		if _, ok := tt.server.openTicket(tt.visit, tt.sealed, tt.browser); ok {
			t.Errorf("a ticket opened: %s", tt.name)
		}
	}
}

func FuzzTicket(f *testing.F) {
	s, v := &Server{}, &visit{Tenant: Tenant{ID: "north"}}
	f.Add(s.sealTicket(v, interaction{ticket: ticket{newID(), time.Unix(5, 7)}, browser: "laptop"}), "laptop")
	f.Fuzz(func(t *testing.T, sealed, browser string) {
		opened, ok := s.openTicket(v, sealed, browser)
		if ok && s.sealTicket(v, interaction{ticket: opened, browser: browser}) != sealed {
			t.Error("a ticket must be written in one way only")
		}
	})
}
