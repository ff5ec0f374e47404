package serve

import (
	"cmp"
	"context"
	"net/http"
	"os"

	"github.com/chirograph/chirograph/api"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// startTracing sends spans to the endpoint that is configured, here or in the
// standard environment variable. Without one there is no tracing and no cost.
// Only a trusted proxy may say which trace a request belongs to; anybody else's
// becomes a link.
func (s *Server) startTracing(ctx context.Context) error {
	endpoint := cmp.Or(s.Config.Tracing.Endpoint, os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"))
	if endpoint == "" {
		return nil
	}
	var options []otlptracehttp.Option // the exporter reads the environment by itself
	if s.Config.Tracing.Endpoint != "" {
		options = append(options, otlptracehttp.WithEndpointURL(endpoint))
	}
	exporter, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return err
	}
	who := resource.NewSchemaless(attribute.String("service.name", "chirograph"), attribute.String("service.version", s.Version))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(who))
	s.stop = append(s.stop, provider.Shutdown)
	s.trace = func(next http.Handler) http.Handler {
		return otelhttp.NewHandler(withTrace(next), "chirograph", otelhttp.WithTracerProvider(provider),
			otelhttp.WithPropagators(propagation.TraceContext{}),
			otelhttp.WithPublicEndpointFn(func(r *http.Request) bool { return !s.trusted(r.RemoteAddr) }))
	}
	return nil
}

// withTrace notes the trace in the events that a request causes, so that an
// investigation can go from an event to its trace.
func withTrace(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if span := trace.SpanContextFromContext(r.Context()); span.IsValid() {
			r = r.WithContext(api.WithTrace(r.Context(), span.TraceID().String()))
		}
		next.ServeHTTP(w, r)
	})
}
