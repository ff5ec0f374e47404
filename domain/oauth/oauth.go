// Package oauth is the authorization server's protocol as values and pure
// functions: requests, profiles, client rules, error codes and clauses. It
// does no I/O; HTTP is in package api, signatures and certificates are in
// adapters, which hand over facts such as [Assertion] and [Proof].
package oauth

// A Clause names a paragraph of a specification in a fixed edition, such as
// "RFC 7636 §4.3" or "FAPI2-SP §5.3.2.2-5".
type Clause string
