package login

import "github.com/chirograph/chirograph/adapters/internal/tables"

// Why a store is not opened, or an erasure not finished.
var (
	// ErrNewer means that a later version of the platform wrote the store in a
	// format that this version does not know. It is not touched.
	ErrNewer = tables.ErrNewer

	// ErrOlder means that a store to be read must first be opened by a server.
	ErrOlder = tables.ErrOlder

	// ErrNone means that there is no shared store to be read.
	ErrNone = tables.ErrNone

	// ErrReadOnly means that a store was opened for reading only.
	ErrReadOnly = tables.ErrReadOnly

	// ErrTraces means that rows are deleted, but that bytes of them may remain
	// where they need not. Repeat the call.
	ErrTraces = tables.ErrTraces
)

var schema = tables.Schema{
	Part:   "login",
	Since:  1,
	Tables: []string{"credentials", "failures", "sessions", "customers", "passkeys", "user_codes"},
	Formats: []string{`
	CREATE TABLE credentials (
		realm   TEXT NOT NULL,
		subject TEXT NOT NULL,
		name    BLOB NOT NULL, -- keyed hash of the login name
		hash    BLOB NOT NULL, -- argon2id, sealed under the subject's key
		PRIMARY KEY (realm, subject),
		UNIQUE (realm, name)
	) WITHOUT ROWID;
	CREATE INDEX credentials_of_subject ON credentials (subject);
	CREATE TABLE failures (
		id    INTEGER PRIMARY KEY,
		key   BLOB NOT NULL UNIQUE, -- keyed hash of a login name or an address
		count INTEGER NOT NULL,
		last  INTEGER NOT NULL,
		until INTEGER NOT NULL
	);
	CREATE TABLE sessions (
		id        BLOB PRIMARY KEY, -- SHA-256 of the cookie
		realm     TEXT NOT NULL,
		subject   TEXT NOT NULL,
		auth_time INTEGER NOT NULL,
		acr       TEXT NOT NULL,
		amr       TEXT NOT NULL, -- JSON
		csrf      TEXT NOT NULL,
		created   INTEGER NOT NULL,
		last_seen INTEGER NOT NULL,
		expires   INTEGER NOT NULL
	) WITHOUT ROWID;
	CREATE INDEX sessions_of_subject ON sessions (subject);
	CREATE INDEX sessions_that_expire ON sessions (expires);
	CREATE TABLE customers (
		subject TEXT PRIMARY KEY,
		record  BLOB NOT NULL -- JSON, sealed under the subject's key
	) WITHOUT ROWID;
`, `
	CREATE TABLE passkeys (
		id      TEXT PRIMARY KEY, -- hash of the credential's id
		subject TEXT NOT NULL,
		record  BLOB NOT NULL, -- sealed under the subject's key
		count   INTEGER NOT NULL, -- the authenticator's
		created INTEGER NOT NULL,
		used    INTEGER NOT NULL -- 0: never
	) WITHOUT ROWID;
	CREATE INDEX passkeys_of_subject ON passkeys (subject);
`, `
	CREATE TABLE user_codes (
		subject TEXT PRIMARY KEY,
		hash    BLOB NOT NULL -- argon2id, sealed under the subject's key
	) WITHOUT ROWID;
`}}
