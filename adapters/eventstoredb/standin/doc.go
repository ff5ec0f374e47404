// Package standin is a server that speaks enough of EventStoreDB's protocol to
// run programs against it: the Streams, Gossip and ServerFeatures services of
// gRPC on loopback sockets, one or three nodes over one log, and faults.
//
// It proves the adapter against our reading of the server, and nothing more.
// The reading is of the public source of versions 23.10 and 24.10 and of the
// client EventStore-Client-Go v4.2.0. No real server was run. What passes here
// is unverified against one.
//
// What a real server has and this one has not:
//   - persistent subscriptions, projections, BatchAppend, the HTTP API
//   - access control lists: a caller with the password may do everything, a
//     caller without may do nothing
//   - resolution of links
//   - replication: the nodes share one log, so that a deposed leader never has
//     writes to lose; a lagging node serves a prefix
//   - chunks, and what they mean for positions and for the time of a scavenge
//   - regular expressions of .NET: filters are RE2
//   - the limits of live buffers: a slow subscriber is never sent back to
//     catch up
//   - its performance, better or worse
package standin
