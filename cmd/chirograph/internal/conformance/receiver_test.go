package conformance

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/oauth"
)

// A receiver is where clients are pinged and get pushed tokens (CIBA, Section
// 9). It answers as a script says and remembers who called.
type receiver struct {
	server  *httptest.Server
	mu      sync.Mutex
	answers map[string]reply     // by client; 204 unless a script says otherwise
	calls   map[string]chan call // by auth_req_id
	strayed int                  // calls to where a redirect led
}

type reply struct {
	status int
	body   string
}

// A call is what the receiver was sent.
type call struct {
	header http.Header
	body   []byte
}

// patience is how long somebody is waited for who acts by himself.
const patience = 10 * time.Second

const strayPath = "/elsewhere"

func newReceiver(certificate tls.Certificate) *receiver {
	r := &receiver{answers: map[string]reply{}, calls: map[string]chan call{}}
	r.server = httptest.NewUnstartedServer(r)
	r.server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	r.server.StartTLS()
	return r
}

func (r *receiver) origin() string {
	_, port, _ := strings.Cut(r.server.Listener.Addr().String(), ":")
	return "https://localhost:" + port
}

// endpoint is where a client is called.
func (r *receiver) endpoint(client string) string { return r.origin() + "/" + client }

func (r *receiver) ServeHTTP(w http.ResponseWriter, in *http.Request) {
	body, err := io.ReadAll(in.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	answer, named := r.answers[strings.TrimPrefix(in.URL.Path, "/")]
	if in.URL.Path == strayPath {
		r.strayed++
	}
	r.mu.Unlock()
	if in.Method == http.MethodPost {
		r.about(subject(body)) <- call{in.Header, body}
	}
	if !named {
		answer = reply{status: http.StatusNoContent}
	}
	if answer.status/100 == 3 {
		w.Header().Set("Location", strayPath)
	}
	w.WriteHeader(answer.status)
	io.WriteString(w, answer.body)
}

// subject is the auth_req_id that a call is about.
func subject(body []byte) string {
	var about struct {
		ID string `json:"auth_req_id"`
	}
	_ = json.Unmarshal(body, &about) // what is no JSON is about nothing
	return about.ID
}

// about returns the calls about an auth_req_id.
func (r *receiver) about(id string) chan call {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.calls[id] == nil {
		r.calls[id] = make(chan call, 100)
	}
	return r.calls[id]
}

// answerWith says how a client's endpoint answers from now on.
func answerWith(s *session, args []word) error {
	if len(args) == 0 || len(args) > 2 {
		return errUsage
	}
	status, err := strconv.Atoi(args[0].text)
	if err != nil {
		return errUsage
	}
	r := reply{status: status}
	if len(args) == 2 {
		r.body = args[1].text
	}
	s.house.receiver.mu.Lock()
	defer s.house.receiver.mu.Unlock()
	s.house.receiver.answers[s.client.id] = r
	return nil
}

// called waits until the client's endpoint is called about the request. What
// was sent is then judged like an answer.
func called(s *session, args []word) error {
	if len(args) != 0 {
		return errUsage
	}
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	select {
	case c := <-s.house.receiver.about(s.saved["auth_req_id"]):
		s.take(answer{http.StatusOK, c.header, c.body})
		return nil
	case <-deadline.C:
		return mismatch("nobody called about %s", s.saved["auth_req_id"])
	}
}

// uncalled demands that there was no call, or no further one, about the request
// and that nobody followed a redirect. Whoever says so has waited for what
// comes after a call.
func uncalled(s *session, args []word) error {
	if len(args) != 0 {
		return errUsage
	}
	select {
	case c := <-s.house.receiver.about(s.saved["auth_req_id"]):
		return mismatch("somebody called: %.300s", c.body)
	default:
	}
	s.house.receiver.mu.Lock()
	defer s.house.receiver.mu.Unlock()
	if s.house.receiver.strayed > 0 {
		return mismatch("%d calls went where a redirect led", s.house.receiver.strayed)
	}
	return nil
}

// checkDelivery waits until the log says what became of the call about the
// request: "attempted", which goes on, "delivered" or "parked".
func checkDelivery(s *session, args []word) error {
	named, ok := oauth.ParseArtefact(s.saved["auth_req_id"])
	if len(args) != 1 || !ok {
		return errUsage
	}
	deadline, look := time.NewTimer(patience), time.NewTicker(10*time.Millisecond)
	defer deadline.Stop()
	defer look.Stop()
	for last := ""; ; {
		all, err := s.house.deliveries(named.ID)
		if err != nil {
			return err
		}
		for _, d := range all {
			if last = d.Status; d.Status == "scheduled" && d.Attempts > 0 {
				last = "attempted"
			}
			if last == args[0].text && d.Kind != delivery.Device {
				return nil
			}
		}
		select {
		case <-look.C:
		case <-deadline.C:
			return mismatch("the delivery is %q, want it %s", last, args[0].text)
		}
	}
}

// forget lets the endpoints answer as they should again.
func (r *receiver) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.answers)
	r.strayed = 0
}
