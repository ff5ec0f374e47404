// Package faults holds the tests of what several nodes survive: three processes
// of the binary over one log, on PostgreSQL and on the EventStoreDB stand-in,
// under a load of clients, while processes are killed and paused, connections
// cut, acknowledgements lost, disks filled and clocks wrong.
//
// What every client did and was told is a history. When the nodes have ended,
// a checker holds it against the log: single use, no token without its event,
// every acknowledged event there once, streams without gaps, projections equal,
// checkpoints consistent. The checker is itself seen to fail, on forged
// histories and on servers whose single use is decided by a projection or whose
// event ids change on retry.
//
// The short set is part of the ordinary tests:
//
//	go test ./cmd/chirograph/internal/faults
//
// The long set has longer faults and more of them:
//
//	go test -timeout 30m -v ./cmd/chirograph/internal/faults -args -long
//
// -seed repeats the choices of a run that failed; -engine and -fault choose what
// happens. With -v each fault tells for how long requests failed.
package faults
