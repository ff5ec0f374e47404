// Package deliveries holds the tests of what becomes of notifications when
// receivers fail and the server is killed: processes of the binary, and a
// receiver that hangs, redirects, refuses, closes, floods, dawdles, or is
// where it must not be, and that kills the server at the moment it is told
// something.
//
// What the log says afterwards is held against what the receiver saw: one token
// set, at least one attempt recorded, nothing sent again that was refused, and
// nothing lost.
//
// The numbers are small, so that it is part of the ordinary tests. All ten
// thousand deliveries:
//
//	go test -timeout 10m -v -run Many ./cmd/chirograph/internal/deliveries -args -deliveries 10000
package deliveries
