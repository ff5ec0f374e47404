// Package config holds the settings of a server: what may be set, what holds
// when nothing is set, and how YAML, environment and flags are put together.
//
// A flag goes before the environment, that before the file, that before the
// default. Every setting is said once, here: the file that "config init"
// writes, the schema, the flags and the names in the environment are derived.
package config

import (
	"github.com/chirograph/chirograph/api/admin"
)

// Config is every setting of a server.
type Config struct {
	DataDir        string       `json:"data_dir" jsonschema_description:"Folder of the log, the keys and everything else that must survive. Only one server may use it. With a shared store it holds the master key, the newest checkpoint and what can be made again."`
	Store          Store        `json:"store" jsonschema_description:"Where the event log is, and what nodes share. Nodes of one installation have the same settings here, the same master key and the same admin.origin."`
	Public         Public       `json:"public" jsonschema_description:"Where clients and customers come in."`
	MTLS           MTLS         `json:"mtls" jsonschema_description:"Where clients come in that present certificates (RFC 8705)."`
	Admin          Admin        `json:"admin" jsonschema_description:"Where operators come in: administration, audit, replay, health and metrics."`
	TrustedProxies []string     `json:"trusted_proxies" jsonschema_description:"Networks (CIDR) whose X-Forwarded-For, Client-Cert and Client-Cert-Chain are believed. Nobody else's are."`
	Limits         Limits       `json:"limits" jsonschema_description:"Requests a second in the long run and at once; beyond it the answer is 429."`
	Log            Log          `json:"log" jsonschema_description:"What the server writes to standard error."`
	Drain          Drain        `json:"drain" jsonschema_description:"How the server ends."`
	Checkpoints    Checkpoints  `json:"checkpoints" jsonschema_description:"Signed statements of what the log holds."`
	Verification   Verification `json:"verification" jsonschema_description:"The slow check of the whole log in the background."`
	Projections    Projections  `json:"projections" jsonschema_description:"Tables that answer questions; they can be built again from the log."`
	Keys           Keys         `json:"keys" jsonschema_description:"What the keyring is sealed with."`
	Sessions       Sessions     `json:"sessions" jsonschema_description:"How long customers stay signed in."`
	Fetch          Fetch        `json:"fetch" jsonschema_description:"Requests that the server sends to clients."`
	Export         Export       `json:"export" jsonschema_description:"Where every event of the log is published, for the bank's other systems; personal fields stay sealed."`
	Tracing        Tracing      `json:"tracing" jsonschema_description:"OpenTelemetry; off without an endpoint."`
}

// Store says where the event log and what goes with it are kept.
type Store struct {
	Engine           string `json:"engine" jsonschema:"enum=sqlite,enum=postgres,enum=eventstoredb" jsonschema_description:"sqlite: in data_dir, for one node. postgres: the log, keys and sessions in PostgreSQL, for any number of nodes. eventstoredb: the log in EventStoreDB; keys, sessions and the ledger in PostgreSQL."`
	Postgres         string `json:"postgres" jsonschema_description:"URL of the PostgreSQL database, as in postgres://user:password@host/chirograph?sslmode=verify-full."`
	PostgresFile     string `json:"postgres_file" jsonschema_description:"File that holds this URL, mode 0600, so that it stands in no setting."`
	EventStoreDB     string `json:"eventstoredb" jsonschema_description:"Connection string of EventStoreDB, as in esdb://user:password@n1:2113,n2:2113,n3:2113?tlsCAFile=/etc/ca.pem."`
	EventStoreDBFile string `json:"eventstoredb_file" jsonschema_description:"File that holds this connection string, mode 0600."`
	Node             string `json:"node" jsonschema_description:"Name of this node in leases and logs; the name of the host and a random part if empty."`
}

// Public is the listener of clients and customers.
type Public struct {
	Listen string `json:"listen" jsonschema_description:"Address and port."`
	TLS    TLS    `json:"tls" jsonschema_description:"The server's certificate. Without one the listener speaks plain HTTP, which is accepted only with trusted_proxies."`
	HSTS   bool   `json:"hsts" jsonschema_description:"Send Strict-Transport-Security."`
}

// TLS names two PEM files. They are read again when they change.
type TLS struct {
	Cert string `json:"cert" jsonschema_description:"PEM file with the certificate and its chain. The key must be RSA."`
	Key  string `json:"key" jsonschema_description:"PEM file with the private key."`
}

// MTLS is the listener of clients with certificates.
type MTLS struct {
	Listen   string `json:"listen" jsonschema_description:"Address and port; empty turns the listener off. It uses the certificate of public.tls."`
	Origin   string `json:"origin" jsonschema_description:"Its origin as clients know it, such as https://mtls.bank.example. Required with mtls.listen, or when a trusted proxy serves it."`
	ClientCA string `json:"client_ca" jsonschema_description:"PEM file with the authorities whose client certificates count for tls_client_auth. Self-signed ones need none."`
}

// Admin is the listener of operators.
type Admin struct {
	Listen string `json:"listen" jsonschema_description:"Address and port. Anything but loopback also needs admin.origin and admin.tls."`
	Origin string `json:"origin" jsonschema_description:"Its origin; https://localhost:PORT if empty. It names the platform's own issuer, so it cannot change later."`
	TLS    TLS    `json:"tls" jsonschema_description:"The certificate of the admin listener. Without one a certificate for localhost is made at each start and vouched for in admin.json."`
}

// Limits are rates by kind of caller.
type Limits struct {
	Client  Rate `json:"client" jsonschema_description:"For each authenticated client."`
	Address Rate `json:"address" jsonschema_description:"For each address."`
	Subject Rate `json:"subject" jsonschema_description:"Backchannel requests for each customer, of all clients together; beyond it the answer is 403 (CIBA)."`
	Unknown Rate `json:"unknown" jsonschema_description:"Backchannel requests of each client that name nobody; beyond it all of them are answered by 429, so that it cannot find out who is a customer."`
	Buckets int  `json:"buckets" jsonschema_description:"How many callers and customers are remembered at once."`
}

// Rate is a token bucket.
type Rate struct {
	PerSecond float64 `json:"per_second" jsonschema_description:"Requests a second in the long run; 0 for no limit."`
	Burst     int     `json:"burst" jsonschema_description:"Requests at once."`
}

// Log is the server's own log, which is not the event log.
type Log struct {
	Level  string `json:"level" jsonschema:"enum=debug,enum=info,enum=warn,enum=error" jsonschema_description:"The least level that is written."`
	Format string `json:"format" jsonschema:"enum=json,enum=text" jsonschema_description:"json or text."`
}

// Drain is how the server ends.
type Drain struct {
	Delay   admin.Duration `json:"delay" jsonschema_description:"How long the server goes on after it has become unready, so that load balancers notice."`
	Timeout admin.Duration `json:"timeout" jsonschema_description:"How long requests under way may take after that."`
}

// Checkpoints are where and how often the log is signed for.
type Checkpoints struct {
	Interval admin.Duration `json:"interval" jsonschema_description:"How often a checkpoint is signed while the log grows; at most 10s."`
	Folder   string         `json:"folder" jsonschema_description:"A second folder for the newest checkpoint and the list of erasures, best on another disk. The first is checkpoints in data_dir."`
}

// Verification is the background check.
type Verification struct {
	Interval admin.Duration `json:"interval" jsonschema_description:"How often the whole log is verified; 0s turns it off."`
}

// Projections are the tables.
type Projections struct {
	Where     string `json:"where" jsonschema:"enum=node,enum=shared" jsonschema_description:"node: each node has its own tables in its data_dir. shared: one set of tables in PostgreSQL, which one node at a time keeps in step."`
	LagBudget int    `json:"lag_budget" jsonschema_description:"How many events projections may be behind before the server says it is not ready."`
}

// Keys are where secrets come from.
type Keys struct {
	MasterKeyFile string `json:"master_key_file" jsonschema_description:"File of the master key, mode 0600. If empty, master.key in data_dir, made at the first start."`
}

// Sessions of customers.
type Sessions struct {
	Idle     admin.Duration `json:"idle" jsonschema_description:"A session ends when it was not used for so long."`
	Absolute admin.Duration `json:"absolute" jsonschema_description:"And in any case so long after it began."`
}

// Fetch is how others are asked.
type Fetch struct {
	CA string `json:"ca" jsonschema_description:"PEM file with further authorities that clients' servers may use; the system's always count."`
}

// Tracing is OpenTelemetry.
type Tracing struct {
	Endpoint string `json:"endpoint" jsonschema_description:"OTLP/HTTP endpoint. OTEL_EXPORTER_OTLP_ENDPOINT is honoured too."`
}
