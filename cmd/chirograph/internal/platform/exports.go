package platform

import (
	"context"

	"github.com/chirograph/chirograph/adapters/watermill/export"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
)

// Brokers are where a configuration has events published, by the name of the
// export.
func Brokers(c config.Export) map[string]export.Target {
	all := map[string]export.Target{}
	secured := func(t config.BrokerTLS) export.TLS { return export.TLS{On: t.On, CA: t.CA, Cert: t.Cert, Key: t.Key} }
	if n := c.NATS; n.URL != "" {
		all["nats"] = export.NATS{URL: n.URL, Stream: n.Stream, Subject: n.Subject, Credentials: n.Credentials, TLS: secured(n.TLS)}
	}
	if k := c.Kafka; len(k.Brokers) > 0 {
		all["kafka"] = export.Kafka{Brokers: k.Brokers, Name: k.Topic, TLS: secured(k.TLS)}
	}
	return all
}

// openExports makes ready what publishes the log. Only the node that governs
// runs it.
func (p *Platform) openExports(context.Context) error {
	if p.ReadOnly {
		return nil
	}
	for name, target := range Brokers(p.Config.Export) {
		p.Exports = append(p.Exports, &export.Export{
			Name: name, Target: target, Log: p.Log, Checkpoints: p.Outbox,
			Failed: func(err error) { p.failed(context.Background(), "export "+name, err) },
		})
	}
	return nil
}
