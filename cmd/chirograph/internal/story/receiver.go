package story

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"
)

// A Receiver is a client's notification endpoint (CIBA, Section 9) for one
// request. Calls without the client_notification_token of that request are
// refused.
type Receiver struct {
	Path  string
	Token string
	calls chan []byte
}

// NewReceiver returns a receiver that nobody has called.
func NewReceiver(path, token string) *Receiver {
	return &Receiver{Path: path, Token: token, calls: make(chan []byte, 1)}
}

// ServeHTTP takes a ping or a push and answers 204 (CIBA, Section 10.2). The
// same may be sent twice: whoever waits hears of it once.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, in *http.Request) {
	media, _, _ := mime.ParseMediaType(in.Header.Get("Content-Type"))
	body, err := io.ReadAll(http.MaxBytesReader(w, in.Body, maxAnswer))
	switch {
	case in.URL.Path != r.Path:
		w.WriteHeader(http.StatusNotFound)
	case in.Method != http.MethodPost:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case subtle.ConstantTimeCompare([]byte(in.Header.Get("Authorization")), []byte("Bearer "+r.Token)) == 0:
		w.WriteHeader(http.StatusUnauthorized)
	case media != "application/json" || err != nil:
		w.WriteHeader(http.StatusBadRequest)
	default:
		select {
		case r.calls <- body:
		default:
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// ErrNotCalled means that the request ran out before anybody called.
var ErrNotCalled = errors.New("nobody called the notification endpoint before the request ran out")

// A Push is what is pushed: tokens, or why there are none (CIBA, Sections
// 10.3.1 and 12). A ping has AuthReqID alone.
type Push struct {
	Tokens
	AuthReqID   string `json:"auth_req_id"`
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

// Wait returns the call about a request, for as long as it lives and some time
// longer.
func (r *Receiver) Wait(ctx context.Context, asked Asked, longer time.Duration) (Push, error) {
	ctx, done := context.WithTimeout(ctx, time.Duration(asked.Expires)*time.Second+longer)
	defer done()
	select {
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return Push{}, ErrNotCalled
		}
		return Push{}, ctx.Err()
	case body := <-r.calls:
		var p Push
		if err := json.Unmarshal(body, &p); err != nil {
			return p, err
		}
		if p.AuthReqID != asked.ID { // CIBA §10.3.1
			return p, errors.New("the call is about another auth_req_id")
		}
		return p, nil
	}
}
