package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/api/resource"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/signingkey"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
	"github.com/chirograph/chirograph/projections"
)

// A problem is an error as RFC 9457 writes it.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Clause string `json:"clause,omitempty"`
}

func (p *problem) Error() string { return p.Detail }

// ErrNotFound says that there is no such thing.
var ErrNotFound = errors.New("there is no such thing")

func notFound(detail string) error {
	return &problem{Status: http.StatusNotFound, Title: "Not found", Detail: detail}
}

func invalid(detail string) error {
	return &problem{Status: http.StatusBadRequest, Title: "Not a valid request", Detail: detail}
}

func conflict(detail string) error {
	return &problem{Status: http.StatusConflict, Title: "Not possible now", Detail: detail}
}

// refusals are the errors that people may hear, by status.
var refusals = map[int][]error{
	http.StatusNotFound: {
		ErrNotFound, client.ErrUnknown, issuer.ErrUnknown, signingkey.ErrUnknown, subject.ErrUnknown, subject.ErrUnknownHold,
		token.ErrUnknown, delivery.ErrUnknown, projections.ErrUnknown, api.ErrWrongPassword,
	},
	http.StatusBadRequest: {issuer.ErrURL, subject.ErrUnknownRole, projections.ErrCursor},
	http.StatusConflict: {
		client.ErrExists, client.ErrDeleted, client.ErrNotSuspended, consent.ErrNotActive, consent.ErrEnded, issuer.ErrExists,
		issuer.ErrNotSuspended, issuer.ErrPurpose, signingkey.ErrExists, signingkey.ErrNotAnnounced, signingkey.ErrNotActive, signingkey.ErrInUse,
		subject.ErrExists, subject.ErrErased, subject.ErrHeld, subject.ErrActiveConsent, delivery.ErrEnded, eventstore.ErrConflict,
	},
	http.StatusServiceUnavailable: {
		projections.ErrBehind, eventstore.ErrUnknownOutcome, eventstore.ErrHalted, eventstore.ErrClosed, context.DeadlineExceeded,
	},
}

// A response is what leaves.
type response struct {
	status int
	body   any
}

// problemOf turns an error into what may be told. What nobody expected is the
// server's own fault, and its cause is not told.
func problemOf(err error) response {
	if err == nil {
		return response{}
	}
	p := &problem{Status: http.StatusInternalServerError, Title: "Server error", Detail: "the cause is in the server's log"}
	for status, known := range refusals {
		for _, k := range known {
			if errors.Is(err, k) {
				p = &problem{Status: status, Title: http.StatusText(status), Detail: err.Error()}
			}
		}
	}
	if own, ok := errors.AsType[*problem](err); ok {
		p = own
	}
	if refusal, ok := errors.AsType[*oauth.Error](err); ok {
		p = &problem{Status: resource.Status(refusal.Code), Title: string(refusal.Code), Detail: refusal.Description, Clause: string(refusal.By)}
		if refusal.Code == oauth.InvalidClientMetadata && refusal.Cause != nil {
			p.Detail += ": " + refusal.Cause.Error()
		}
	}
	if altered, ok := errors.AsType[*ledger.AlteredError](err); ok {
		p = &problem{Type: "urn:chirograph:problem:altered", Status: http.StatusInternalServerError, Title: "The log was altered", Detail: altered.Error()}
	}
	if p.Type == "" {
		p.Type = "about:blank"
	}
	return response{p.Status, p}
}

// write sends a response. A problem has its own media type.
func write(w http.ResponseWriter, out response) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if _, is := out.body.(*problem); is {
		h.Set("Content-Type", "application/problem+json")
	}
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(out.status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.Encode(out.body) // who went away is not told
}
