package login

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

var alice = Authentication{Realm: "fapi2", Subject: "c-1", Time: noon, ACR: "urn:example:pwd", AMR: []string{"pwd"}}

func testSessions(t *testing.T, e engine) {
	s, _ := newStore(t, e)
	cookie, started, err := s.Start(ctx, alice, noon)
	must(t, err)

	t.Run("a cookie finds its session", func(t *testing.T) {
		got, err := s.Find(ctx, "fapi2", cookie, noon.Add(time.Minute))
		if err != nil || !reflect.DeepEqual(got, started) {
			t.Errorf("got %+v, %v; want %+v", got, err, started)
		}
	})
	t.Run("the tables do not hold the cookie", func(t *testing.T) {
		secret, err := text.DecodeString(cookie)
		must(t, err)
		if raw := rows(t, s); bytes.Contains(raw, secret) || bytes.Contains(raw, []byte(cookie)) {
			t.Error("it does")
		}
	})
	alphabet := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	respelt := cookie[:42] + alphabet[strings.IndexByte(alphabet, cookie[42])+1:][:1]
	tests := []struct {
		name, realm, cookie string
	}{
		{"not in another realm", "other", cookie},
		{"not without a cookie", "fapi2", ""},
		{"not with a cookie cut short", "fapi2", cookie[:42]},
		{"not with a longer one", "fapi2", cookie + "A"},
		{"not with one that was made up", "fapi2", strings.Repeat("A", 43)},
		{"not with its id", "fapi2", started.ID},
		{"not with another spelling of the same bytes", "fapi2", respelt},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := s.Find(ctx, tt.realm, tt.cookie, noon); !errors.Is(err, ErrNoSession) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("not for nobody", func(t *testing.T) {
		if _, _, err := s.Start(ctx, Authentication{Realm: "fapi2"}, noon); err == nil {
			t.Error("it started")
		}
	})
}

// Who knows the old password may be signed in with it.
func testANewPasswordEndsSessions(t *testing.T, e engine) {
	s, _ := newStore(t, e)
	must(t, s.SetPassword(ctx, "fapi2", "c-1", "alice", "the old password"))
	cookie, _, err := s.Start(ctx, alice, noon)
	must(t, err)
	ben := alice
	ben.Subject = "c-2"
	others, _, err := s.Start(ctx, ben, noon)
	must(t, err)
	must(t, s.SetPassword(ctx, "fapi2", "c-1", "alice", "the new password"))
	if _, err := s.Find(ctx, "fapi2", cookie, noon); !errors.Is(err, ErrNoSession) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Find(ctx, "fapi2", others, noon); err != nil {
		t.Errorf("somebody else's session: %v", err)
	}
}

func testSessionsEnd(t *testing.T, e engine) {
	const m = time.Minute
	tests := []struct {
		name  string
		after func(t *testing.T, s *Store, cookie string, found Session)
		at    time.Duration
		lives bool
	}{
		{"not before the idle limit", nil, 30*m - 1, true},
		{"at the idle limit", nil, 30 * m, false},
		{"not when it was seen in between", func(t *testing.T, s *Store, _ string, found Session) {
			must(t, s.Touch(ctx, found, noon.Add(20*m)))
		}, 49 * m, true},
		{"which counts by the minute", func(t *testing.T, s *Store, _ string, found Session) {
			must(t, s.Touch(ctx, found, noon.Add(m-1)))
		}, 30 * m, false},
		{"at the absolute limit, however often it was seen", func(t *testing.T, s *Store, _ string, found Session) {
			must(t, s.Touch(ctx, found, noon.Add(719*m)))
		}, 720 * m, false},
		{"not just before it", func(t *testing.T, s *Store, _ string, found Session) {
			must(t, s.Touch(ctx, found, noon.Add(719*m)))
		}, 720*m - 1, true},
		{"at sign-out", func(t *testing.T, s *Store, cookie string, _ Session) {
			must(t, s.End(ctx, "fapi2", cookie))
		}, m, false},
		{"not at another realm's sign-out", func(t *testing.T, s *Store, cookie string, _ Session) {
			must(t, s.End(ctx, "other", cookie))
		}, m, true},
		{"when all of a subject's end", func(t *testing.T, s *Store, _ string, _ Session) {
			must(t, s.EndAll(ctx, "c-1"))
		}, m, false},
		{"not when another subject's end", func(t *testing.T, s *Store, _ string, _ Session) {
			must(t, s.EndAll(ctx, "c-2"))
		}, m, true},
		{"at the next login", func(t *testing.T, s *Store, cookie string, _ Session) {
			fresh, _, err := s.Renew(ctx, cookie, alice, noon)
			must(t, err)
			if _, err := s.Find(ctx, "fapi2", fresh, noon); err != nil || fresh == cookie {
				t.Errorf("no new session: %v", err)
			}
		}, m, false},
		{"not at a sweep while it lives", func(t *testing.T, s *Store, _ string, _ Session) {
			must(t, s.Sweep(ctx, noon.Add(30*m-1)))
		}, m, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := newStore(t, e)
			cookie, started, err := s.Start(ctx, alice, noon)
			must(t, err)
			if tt.after != nil {
				tt.after(t, s, cookie, started)
			}
			_, err = s.Find(ctx, "fapi2", cookie, noon.Add(tt.at))
			if tt.lives != (err == nil) || err != nil && !errors.Is(err, ErrNoSession) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func testSweep(t *testing.T, e engine) {
	number := func(s *Store, table string) (n int) {
		must(t, s.db.QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&n))
		return n
	}
	s, _ := newStore(t, e)
	_, _, err := s.Start(ctx, alice, noon)
	must(t, err)
	s.Check(ctx, "fapi2", "alice", "guess", home, noon)
	must(t, s.Sweep(ctx, noon.Add(time.Minute)))
	if number(s, "sessions") != 1 || number(s, "failures") != 2 {
		t.Error("what lives was swept")
	}
	must(t, s.Sweep(ctx, noon.Add(30*time.Minute)))
	if number(s, "sessions") != 0 || number(s, "failures") != 2 {
		t.Error("the session stays, or the failures go too early")
	}
	_, old, err := s.Start(ctx, alice, noon)
	must(t, err)
	must(t, s.Touch(ctx, old, noon.Add(12*time.Hour-1)))
	must(t, s.Sweep(ctx, noon.Add(12*time.Hour)))
	if number(s, "sessions") != 0 {
		t.Error("a session stays beyond its absolute limit")
	}
	must(t, s.Sweep(ctx, noon.Add(48*time.Hour)))
	if number(s, "failures") != 0 {
		t.Error("the failures stay")
	}
}

func FuzzCookieID(f *testing.F) {
	f.Add("")
	f.Add(strings.Repeat("A", 43))
	f.Fuzz(func(t *testing.T, cookie string) {
		id, ok := cookieID(cookie)
		if ok != (len(id) == 32) {
			t.Fatal("an id that is none")
		}
		if secret, err := text.DecodeString(cookie); ok && (err != nil || text.EncodeToString(secret) != cookie) {
			t.Fatal("two cookies for one session")
		}
	})
}
