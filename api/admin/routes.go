package admin

import "net/http"

// Scopes of the platform's own issuer.
const (
	ScopeAdmin  = "chirograph:admin"  // change the installation
	ScopeAudit  = "chirograph:audit"  // read the audit trail and what is registered
	ScopeReplay = "chirograph:replay" // see past states
)

// Scopes lists them all.
var Scopes = []string{ScopeAdmin, ScopeAudit, ScopeReplay}

type route struct {
	method, path string
	scopes       []string // of which the caller needs one
	serve        func(*Server, *call) (any, error)
}

var (
	adminOnly = []string{ScopeAdmin}
	reading   = []string{ScopeAdmin, ScopeAudit}
	auditing  = []string{ScopeAudit}
	replaying = []string{ScopeReplay}
)

// routes are all there is. Reading never changes anything; what changes
// something is POST, PUT or DELETE.
var routes = []route{
	{"POST", "/admin/apply", adminOnly, (*Server).apply},

	{"GET", "/admin/issuers", reading, (*Server).listIssuers},
	{"POST", "/admin/issuers/{issuer}/registration-tokens", adminOnly, (*Server).newRegistrationToken},

	{"GET", "/admin/clients", reading, (*Server).listClients},
	{"POST", "/admin/clients", adminOnly, (*Server).createClient},
	{"GET", "/admin/clients/{client}", reading, (*Server).getClient},
	{"PUT", "/admin/clients/{client}", adminOnly, (*Server).updateClient},
	{"DELETE", "/admin/clients/{client}", adminOnly, (*Server).deleteClient},
	{"POST", "/admin/clients/{client}/suspend", adminOnly, (*Server).suspendClient},
	{"POST", "/admin/clients/{client}/reinstate", adminOnly, (*Server).reinstateClient},

	{"GET", "/admin/keys", reading, (*Server).listKeys},
	{"POST", "/admin/keys", adminOnly, (*Server).announceKey},
	{"POST", "/admin/keys/{kid}/activate", adminOnly, (*Server).activateKey},
	{"POST", "/admin/keys/{kid}/retire", adminOnly, (*Server).retireKey},
	{"POST", "/admin/keys/{kid}/compromise", adminOnly, (*Server).compromiseKey},
	{"POST", "/admin/keys/{kid}/destroy", adminOnly, (*Server).destroyKey},
	{"POST", "/admin/issuers/{issuer}/rotate", adminOnly, (*Server).rotateKeys},

	{"GET", "/admin/subjects", reading, (*Server).listSubjects},
	{"GET", "/admin/subjects/{subject}", reading, (*Server).getSubject},
	{"POST", "/admin/subjects/{subject}/hold", adminOnly, (*Server).placeHold},
	{"POST", "/admin/subjects/{subject}/lift", adminOnly, (*Server).liftHold},
	{"POST", "/admin/subjects/{subject}/erase", adminOnly, (*Server).eraseSubject},
	{"POST", "/admin/subjects/{subject}/grant", adminOnly, (*Server).grantRole},
	{"POST", "/admin/subjects/{subject}/withdraw", adminOnly, (*Server).withdrawRole},

	{"GET", "/admin/consents", reading, (*Server).listConsents},
	{"GET", "/admin/consents/{consent}", reading, (*Server).getConsent},
	{"POST", "/admin/consents/{consent}/revoke", adminOnly, (*Server).revokeConsent},

	{"GET", "/admin/backchannels", reading, (*Server).listBackchannels},
	{"GET", "/admin/backchannels/{backchannel}", reading, (*Server).getBackchannel},

	{"GET", "/admin/deliveries", reading, (*Server).listDeliveries},
	{"GET", "/admin/deliveries/backlog", reading, (*Server).deliveryBacklog},
	{"GET", "/admin/deliveries/{delivery}", reading, (*Server).showDelivery},
	{"POST", "/admin/deliveries/{delivery}/redeliver", adminOnly, (*Server).redeliver},
	{"POST", "/admin/deliveries/{delivery}/park", adminOnly, (*Server).park},

	{"GET", "/admin/audit/timeline/{kind}/{id}", auditing, (*Server).timeline},
	{"GET", "/admin/audit/events", auditing, (*Server).search},
	{"GET", "/admin/audit/events/{position}/proof", auditing, (*Server).prove},
	{"POST", "/admin/audit/verify", auditing, (*Server).verify},

	{"GET", "/admin/replay/state", replaying, (*Server).stateAt},
	{"GET", "/admin/replay/diff", replaying, (*Server).diff},

	{"GET", "/admin/projections", reading, (*Server).listProjections},
	{"POST", "/admin/projections/{projection}/rebuild", adminOnly, (*Server).rebuildProjection},

	{"POST", "/admin/backup", adminOnly, (*Server).backup},
}

// serve answers one route: who calls, what is asked, the answer, its record in
// the log, and only then the first byte of it. What changes something is
// recorded before it is done, so that a request that was copied from the wire
// changes nothing.
func (s *Server) serve(r route, guard Guard) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		out, err := s.answer(w, req, r, guard)
		if out.status >= http.StatusInternalServerError {
			s.API.Log.ErrorContext(req.Context(), "operator's request failed", "route", r.method+" "+r.path, "err", err)
		}
		write(w, out)
	})
}

func (s *Server) answer(w http.ResponseWriter, req *http.Request, r route, guard Guard) (response, error) {
	caller, err := guard.Admit(w, req, r.scopes)
	if err != nil {
		return problemOf(err), err
	}
	record := func(status int) error { return guard.Record(req, caller, r.method+" "+r.path, status) }
	changes := r.method != http.MethodGet
	if changes {
		if err := record(http.StatusAccepted); err != nil {
			return problemOf(err), err
		}
	}
	body, err := r.serve(s, &call{Request: req, caller: caller, server: s})
	out := response{http.StatusOK, body}
	if err != nil {
		out = problemOf(err)
	}
	if !changes {
		if failed := record(out.status); failed != nil {
			return problemOf(failed), failed
		}
	}
	return out, err
}
