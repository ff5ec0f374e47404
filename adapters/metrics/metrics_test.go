package metrics

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestMetrics(t *testing.T) {
	m := New("1.2.3")
	m.Served("token", 200, 3*time.Millisecond)
	m.Refused("token", "invalid_client")
	m.Failed("checkpoint")
	m.Gauge("log_events", "Events in the log.", func() float64 { return 42 })
	m.Verified(time.Unix(1000, 0), false)
	m.Verified(time.Unix(2000, 0), true)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`chirograph_request_duration_seconds_count{endpoint="token",status="200"} 1`,
		`chirograph_refusals_total{code="invalid_client",endpoint="token"} 1`,
		`chirograph_background_failures_total{task="checkpoint"} 1`,
		`chirograph_log_events 42`,
		`chirograph_log_verified_timestamp_seconds 1000`, // a failed one does not count
		`chirograph_log_altered 1`,
		`chirograph_build_info{version="1.2.3"} 1`,
		`process_resident_memory_bytes`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s is missing", want)
		}
	}
}
