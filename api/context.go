package api

import (
	"context"
	"net/url"

	"github.com/chirograph/chirograph/domain/event"
)

type tenantKey struct{}

func withTenant(ctx context.Context, t Tenant) context.Context {
	return context.WithValue(ctx, tenantKey{}, t)
}

func tenantOf(ctx context.Context) Tenant {
	t, _ := ctx.Value(tenantKey{}).(Tenant)
	return t
}

func cloneURL(u *url.URL, path string) *url.URL {
	inner := *u
	inner.Path, inner.RawPath = path, ""
	return &inner
}

type connectionKey struct{}

// connection is the context of a request's connection, which lasts as long as
// the other side wants and not only as long as an answer may take.
func connection(ctx context.Context) context.Context {
	if c, ok := ctx.Value(connectionKey{}).(context.Context); ok {
		return c
	}
	return ctx
}

type traceKey struct{}

// WithTrace notes the id of the trace that a request belongs to, for the
// metadata of the events it causes.
func WithTrace(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, traceKey{}, id)
}

// meta begins the metadata of the events that a request causes.
func (s *Server) meta(v *visit, actor string) event.Meta {
	r := v.Request()
	trace, _ := r.Context().Value(traceKey{}).(string)
	return event.Meta{
		Issuer: v.Tenant.ID, Actor: actor, Client: v.caller, Trace: trace, Software: s.Software,
		Interaction: interactionID(r.Header.Get("x-fapi-interaction-id")),
		Address:     v.RealIP(), UserAgent: printableASCII(r.UserAgent(), 256),
	}
}

// interactionID accepts at most 64 printable characters; anything else is no id.
func interactionID(s string) string {
	if len(s) > 64 || s != printableASCII(s, 64) {
		return ""
	}
	return s
}

func printableASCII(s string, limit int) string {
	clean := make([]byte, 0, min(len(s), limit))
	for i := 0; i < len(s) && len(clean) < limit; i++ {
		if s[i] >= 0x20 && s[i] < 0x7f {
			clean = append(clean, s[i])
		}
	}
	return string(clean)
}
