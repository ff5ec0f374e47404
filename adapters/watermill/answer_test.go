package watermill

import (
	"strings"
	"testing"

	"github.com/chirograph/chirograph/api"
)

func TestWhatIsWithheld(t *testing.T) {
	const bearer, pushed = "8d67dc78/7faa+4d41~aba9.1f0b==", "G5kXH2wHvUra0sHlDy1iTkDJgsgUO1bN"
	push := api.Message{Bearer: bearer, Body: []byte(`{"auth_req_id":"1c266114-a1be-4252-8ad1","access_token":"` + pushed + `","expires_in":300}`)}
	token := api.Message{Body: []byte("eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2JhbmsuZXhhbXBsZSJ9.c2lnbmF0dXJl")}
	tests := []struct {
		name string
		sent api.Message
		said string
		want string
	}{
		{"nothing of an answer that echoes nothing", push, `{"error":"invalid_token"}`, `{"error":"invalid_token"}`},
		{"the token that authenticated us", push, "what is " + bearer + "?", "what is [withheld]?"},
		{"each of the tokens that were pushed", push, pushed + "," + pushed, "[withheld],[withheld]"},
		{"the beginning of a token", push, "invalid token: " + pushed[:20] + "...", "invalid token: [withheld]..."},
		{"a token that the end of what is read cuts off", push, strings.Repeat(pushed, 3) + pushed[:20], strings.Repeat(redacted, 4)},
		{"a token as PHP writes it into JSON", push, `{"got":"` + strings.ReplaceAll(bearer, "/", `\/`) + `"}`, `{"got":"[withheld]"}`},
		{"a body that is a token", token, "no: " + string(token.Body), "no: [withheld]"},
		{"nothing of a message without a secret", api.Message{}, "a long enough answer", "a long enough answer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := withheld([]byte(tt.said), tt.sent)
			if got != tt.want {
				t.Errorf("of %q %q is recorded, want %q", tt.said, got, tt.want)
			}
		})
	}
}

func FuzzWithheld(f *testing.F) {
	f.Add("8d67dc78-7faa-4d41-aba9", "what is 8d67dc78-7faa-4d41-aba9?")
	f.Add("aaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	f.Fuzz(func(t *testing.T, secret, said string) {
		got := withheld([]byte(said), api.Message{Bearer: secret})
		for rest := strings.ReplaceAll(got, redacted, "\x00"); len(rest) >= minSecret; rest = rest[1:] {
			part := rest[:minSecret]
			if strings.Contains(secret, part) && !strings.Contains(part, "\x00") {
				t.Fatalf("%q of %q is recorded", part, secret)
			}
		}
	})
}
