// Package ledger makes an event log tamper-evident.
package ledger
