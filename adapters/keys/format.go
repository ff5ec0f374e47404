package keys

import "github.com/chirograph/chirograph/adapters/internal/tables"

// Why a keyring is not opened or filled, or an erasure not finished.
var (
	// ErrNewer means that a later version of the platform wrote the keyring in
	// a format that this version does not know. It is not touched.
	ErrNewer = tables.ErrNewer

	// ErrNotEmpty means that a keyring to be filled from a backup has keys.
	ErrNotEmpty = tables.ErrNotEmpty

	// ErrOlder means that a keyring to be read must first be opened by a server.
	ErrOlder = tables.ErrOlder

	// ErrNone means that there is no shared keyring to be read.
	ErrNone = tables.ErrNone

	// ErrReadOnly means that a keyring was opened for reading only.
	ErrReadOnly = tables.ErrReadOnly

	// ErrTraces means that keys are destroyed for every use, but that bytes of
	// them may remain where they need not. Repeat the call.
	ErrTraces = tables.ErrTraces
)

// Wrapped keys lie apart, in slots that are only ever appended and then
// overwritten at equal length. So SQLite never moves one, and overwriting it
// leaves no second copy in the slack of another page, which secure_delete
// alone does not promise.
var schema = tables.Schema{
	Part:   "keys",
	Since:  1,
	Tables: []string{"slots", "keys", "signing", "secrets", "installation"},
	Formats: []string{`
	CREATE TABLE slots (
		id      INTEGER PRIMARY KEY,
		wrapped BLOB NOT NULL
	);
	CREATE TABLE keys (
		holder    TEXT PRIMARY KEY,
		subject   TEXT,    -- dies with this subject
		slot      INTEGER, -- absent before the first use and after destruction
		created   INTEGER NOT NULL,
		expires   INTEGER, -- of a journey
		destroyed INTEGER
	) WITHOUT ROWID;
	CREATE INDEX keys_of_subject ON keys (subject) WHERE subject IS NOT NULL;
	CREATE INDEX keys_that_expire ON keys (expires) WHERE subject IS NULL AND destroyed IS NULL AND expires IS NOT NULL;
	CREATE INDEX keys_destroyed ON keys (holder) WHERE destroyed IS NOT NULL;
	CREATE TABLE signing (
		kid       TEXT PRIMARY KEY,
		issuer    TEXT NOT NULL,
		alg       TEXT NOT NULL,
		use       TEXT NOT NULL,
		slot      INTEGER,
		created   INTEGER NOT NULL,
		destroyed INTEGER
	) WITHOUT ROWID;
	CREATE TABLE secrets (
		name TEXT PRIMARY KEY,
		slot INTEGER NOT NULL
	) WITHOUT ROWID;
	CREATE TABLE installation (
		id    INTEGER PRIMARY KEY CHECK (id = 1),
		value BLOB NOT NULL
	);
`}}
