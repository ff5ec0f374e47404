// Package bench measures the server against a floor: a bare handler that
// parses, verifies with the same library, appends one event of the same length
// to the same store and signs, but knows no client, policy or state.
//
// Server and floor run as processes of their own, so that only their CPU
// counts; requests are signed before the clock starts. Several nodes are
// measured against one in the same way, their database counted. docs/performance.md
// says how to repeat it and what was seen.
//
// Its tests kill the server, let redeemers race, count what a redemption waits
// for and copy a large log from engine to engine.
package bench
