package serve

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/chirograph/chirograph/domain/signingkey"
)

// health says whether the process lives and whether it should be sent
// requests.
type health struct {
	server  *Server
	serving atomic.Bool // false before the start and while draining
}

// A check is one condition of readiness.
type check struct {
	name string
	run  func(context.Context) error
}

const checkTimeout = 2 * time.Second

func (h *health) mount(mux *http.ServeMux) {
	alive := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") } // never touches the store
	for _, path := range []string{"/livez", "/healthz", "/health/alive"} {
		mux.HandleFunc("GET "+path, alive)
	}
	for _, path := range []string{"/readyz", "/health/ready"} {
		mux.HandleFunc("GET "+path, h.ready)
	}
}

func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	status, lines := http.StatusOK, ""
	for _, c := range h.checks() {
		err := c.run(ctx)
		if err != nil {
			status = http.StatusServiceUnavailable
			lines += fmt.Sprintf("[-] %s: %v\n", c.name, err)
			continue
		}
		lines += fmt.Sprintf("[+] %s\n", c.name)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	switch {
	case r.URL.Query().Has("verbose"):
		fmt.Fprint(w, lines)
	case status == http.StatusOK:
		fmt.Fprintln(w, "ready")
	default:
		fmt.Fprintln(w, "not ready, see ?verbose")
	}
}

func (h *health) checks() []check {
	return []check{
		{"serving", func(context.Context) error {
			if !h.serving.Load() {
				return errors.New("starting or draining")
			}
			return nil
		}},
		{"store", func(context.Context) error { return h.server.Log.Halted() }},
		{"projections", h.server.projectionsReady},
		{"keys", h.server.keysReady},
	}
}

// projectionsReady fails while a projection is further behind than the budget.
func (s *Server) projectionsReady(ctx context.Context) error {
	all, err := s.Projections.Health(ctx)
	if err != nil {
		return err
	}
	for _, p := range all {
		if lag := p.Lag(); lag > uint64(s.Config.Projections.LagBudget) {
			return fmt.Errorf("%s is %d events behind", p.Name, lag)
		}
	}
	return nil
}

// keysReady fails while an issuer that is not suspended lacks an active key of
// an algorithm that its policy names.
func (s *Server) keysReady(ctx context.Context) error {
	issuers, err := s.API.Issuers.All(ctx)
	if err != nil {
		return err
	}
	keys, err := s.API.SigningKeys.All(ctx)
	if err != nil {
		return err
	}
	type key struct{ issuer, algorithm string }
	signs := map[key]bool{}
	for _, k := range keys {
		of := key{k.Announced().Issuer, k.Announced().Algorithm}
		signs[of] = signs[of] || k.Status() == signingkey.Active
	}
	for id, i := range issuers {
		for _, algorithm := range i.KeyPolicy().Algorithms {
			if i.Active() && !signs[key{id, algorithm}] {
				return fmt.Errorf("issuer %s has no active signing key for %s: keys rotate %s --now makes one", id, algorithm, id)
			}
		}
	}
	return nil
}

// gauges are asked for when metrics are read.
func (s *Server) gauges() {
	ctx := context.Background()
	s.Metrics.Gauge("log_events", "Events in the log.", func() float64 {
		n, err := s.Log.Size(ctx)
		if err != nil {
			return -1
		}
		return float64(n)
	})
	s.Metrics.Gauge("log_halted", "1 if nothing can be written until the program is started anew.", func() float64 {
		if s.Log.Halted() != nil {
			return 1
		}
		return 0
	})
	s.Metrics.Gauge("log_uncovered_events", "Events that no checkpoint covers yet.", func() float64 {
		n, err := s.Log.Size(ctx)
		if err != nil {
			return -1
		}
		return float64(n - s.Keeper.Newest().Size)
	})
	s.Metrics.Gauge("feed_age_seconds", "How old what this node knows of clients, issuers and keys may be, where several nodes write.", s.FeedAge)
	s.Metrics.Gauge("clock_difference_seconds", "How far this node's clock is ahead of the shared database's.", func() float64 {
		ctx, cancel := context.WithTimeout(ctx, checkTimeout)
		defer cancel()
		off, err := s.ClockDifference(ctx)
		if err != nil {
			return math.NaN()
		}
		return off.Seconds()
	})
	s.Metrics.Gauge("governing", "1 if this node does what one node does for all.", func() float64 {
		if s.Governing() {
			return 1
		}
		return 0
	})
	s.Metrics.Gauge("deliveries_due", "Deliveries that this node knows to be due or is attempting.", func() float64 { return float64(s.Deliveries.Backlog()) })
	s.Metrics.Gauge("deliveries_parked", "Deliveries of which nothing more is tried, because their receiver refused or did not answer.", func() float64 {
		b, err := s.Projections.Deliveries.Backlog(ctx)
		if err != nil {
			return -1
		}
		return float64(b.Count["parked"])
	})
	s.Metrics.Gauge("delivery_breakers_open", "Receivers that are not sent to for a while, because they did not answer.", func() float64 {
		return float64(s.Deliveries.BreakersOpen())
	})
	s.Metrics.Gauge("export_lag_events", "Events that the broker that is furthest behind has not got yet, on the node that governs.", func() float64 {
		var most uint64
		for _, e := range s.Exports {
			behind, err := e.Behind(ctx)
			if err != nil {
				return -1
			}
			most = max(most, behind)
		}
		return float64(most)
	})
	s.Metrics.Gauge("projection_lag_events", "How far the projection that is furthest behind is behind.", func() float64 {
		all, err := s.Projections.Health(ctx)
		if err != nil {
			return -1
		}
		var worst uint64
		for _, p := range all {
			worst = max(worst, p.Lag())
		}
		return float64(worst)
	})
}
