// Package ledger makes an event log tamper-evident. Every event is a leaf of a
// Merkle tree (RFC 6962, Section 2.1), and the root of that tree is signed
// again and again as a checkpoint, a C2SP signed note. A [Keeper] signs; with
// the public key alone anybody can [Verify] a whole log or [CheckProof] one
// event.
//
// # The rollback rule
//
// A checkpoint is signed for an epoch of a log, which its origin line names:
// "chirograph/<log id>/<epoch>". Epochs count from 1. Each checkpoint is on
// disk outside the database, in a file "checkpoint-<epoch>" of every
// checkpoint folder, before it is kept in the database and before it is
// served. Nothing but a signed checkpoint says which epoch is current: in the
// database it is that of the newest checkpoint kept there (1 if there is
// none), in the folders that of the highest file.
//
// At start every newest checkpoint is sought, in the database and in all
// folders, and its signature is checked. Then
//
//   - if a folder knows a higher epoch than the database, the database is a
//     copy from before the loss that began that epoch: it is refused;
//   - if a checkpoint of the current epoch, from anywhere, is larger than the
//     log, or has another root than the log has at its size, the log is older
//     or another history: it is refused;
//   - checkpoints of earlier epochs no longer count.
//
// Refused means [RollbackError]: nothing may be served or signed, reading is
// possible. The one way on is [AcceptLoss]: an event that names the newest
// checkpoint and the size that is left is appended, and the first checkpoint
// of the next epoch is signed over the tree that contains it and written to
// the folders, then to the database. From then on the old epoch has ended:
// nothing is signed under it again, and any other copy that knows only the old
// epoch is refused beside the new file. If the machine stops in between, the
// log is still refused and AcceptLoss starts afresh.
//
// Whoever puts back the database and all folders together, to the same earlier
// moment, is not detected here, nor is a change to events that no checkpoint
// covers yet.
package ledger
