// Package metrics counts what the platform does, for Prometheus. Labels have
// few values: no client, customer or token is one.
package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the numbers of one process.
type Metrics struct {
	registry *prometheus.Registry
	served   *prometheus.HistogramVec
	refused  *prometheus.CounterVec
	failures *prometheus.CounterVec
	worked   *prometheus.CounterVec
	told     *prometheus.CounterVec
	verified prometheus.Gauge
	altered  prometheus.Gauge
}

// New returns Metrics that start at zero.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		served: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "chirograph_request_duration_seconds", Help: "How long requests took, by endpoint and status.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}, []string{"endpoint", "status"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chirograph_refusals_total", Help: "Refused requests, by endpoint and registered error code.",
		}, []string{"endpoint", "code"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chirograph_background_failures_total", Help: "Background work that failed and will be tried again, by task.",
		}, []string{"task"}),
		worked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chirograph_eventstoredb_workarounds_total", Help: "What the client of EventStoreDB could not do alone, by what was done about it.",
		}, []string{"what"}),
		told: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "chirograph_deliveries_total", Help: "Attempts to tell others, by kind of delivery and outcome.",
		}, []string{"kind", "outcome"}),
		verified: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "chirograph_log_verified_timestamp_seconds", Help: "When the whole log was last verified and nothing was altered.",
		}),
		altered: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "chirograph_log_altered", Help: "1 if the last verification found the log altered.",
		}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "chirograph_build_info", Help: "1, with the version of the program.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.registry.MustRegister(m.served, m.refused, m.failures, m.worked, m.told, m.verified, m.altered, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Served counts a request that was answered.
func (m *Metrics) Served(endpoint string, status int, took time.Duration) {
	m.served.WithLabelValues(endpoint, strconv.Itoa(status)).Observe(took.Seconds())
}

// Refused counts a request that was refused with an error code.
func (m *Metrics) Refused(endpoint, code string) {
	m.refused.WithLabelValues(endpoint, code).Inc()
}

// Failed counts background work that failed.
func (m *Metrics) Failed(task string) { m.failures.WithLabelValues(task).Inc() }

// Delivery counts an attempt to tell somebody, or the end of attempts.
func (m *Metrics) Delivery(kind, outcome string) { m.told.WithLabelValues(kind, outcome).Inc() }

// Verified records the outcome of a full verification of the log.
func (m *Metrics) Verified(at time.Time, altered bool) {
	if altered {
		m.altered.Set(1)
		return
	}
	m.altered.Set(0)
	m.verified.Set(float64(at.Unix()))
}

// What the adapter of EventStoreDB had to work around in its client.

// ClientReplaced counts a client that was spent.
func (m *Metrics) ClientReplaced() { m.worked.WithLabelValues("client_replaced").Inc() }

// CallAbandoned counts a call that outlived its context.
func (m *Metrics) CallAbandoned() { m.worked.WithLabelValues("call_abandoned").Inc() }

// AmbiguousRepeated counts an append that was repeated because nobody knew
// its outcome.
func (m *Metrics) AmbiguousRepeated() { m.worked.WithLabelValues("ambiguous_repeated").Inc() }

// SubscriptionRestarted counts a subscription that broke or fell silent.
func (m *Metrics) SubscriptionRestarted() { m.worked.WithLabelValues("subscription_restarted").Inc() }

// RefusalMasked counts a refusal that came without its reason.
func (m *Metrics) RefusalMasked() { m.worked.WithLabelValues("refusal_masked").Inc() }

// Gauge registers a number that is asked for when metrics are read.
func (m *Metrics) Gauge(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "chirograph_" + name, Help: help}, value))
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
