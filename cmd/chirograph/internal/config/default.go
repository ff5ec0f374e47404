package config

import (
	"github.com/chirograph/chirograph/api/admin"
	"time"
)

// Default returns the settings that hold when nothing is set.
func Default() Config {
	seconds := func(n int) admin.Duration { return admin.Duration(time.Duration(n) * time.Second) }
	return Config{
		DataDir:        "chirograph-data",
		Store:          Store{Engine: SQLite},
		Public:         Public{Listen: ":8443", HSTS: true},
		Admin:          Admin{Listen: "127.0.0.1:9443"},
		TrustedProxies: []string{},
		Limits: Limits{
			Client: Rate{PerSecond: 500, Burst: 1000}, Address: Rate{PerSecond: 1000, Burst: 2000},
			Subject: Rate{PerSecond: 0.1, Burst: 20}, Unknown: Rate{PerSecond: 0.05, Burst: 100}, Buckets: 50_000,
		},
		Log:          Log{Level: "info", Format: "json"},
		Drain:        Drain{Delay: seconds(5), Timeout: seconds(20)},
		Checkpoints:  Checkpoints{Interval: seconds(10)},
		Verification: Verification{Interval: admin.Duration(24 * time.Hour)},
		Projections:  Projections{Where: PerNode, LagBudget: 10_000},
		Export: Export{
			NATS:  NATS{Stream: "CHIROGRAPH", Subject: "chirograph.events"},
			Kafka: Kafka{Brokers: []string{}, Topic: "chirograph.events"},
		},
		Sessions: Sessions{Idle: seconds(30 * 60), Absolute: seconds(12 * 3600)},
	}
}
