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
// log is still refused and AcceptLoss starts afresh. It is run while no node
// serves: one that does finds the new epoch and stops with RollbackError.
//
// # Many nodes
//
// If the log is a [Claimer], each node has a Keeper with its own folders, and
// one of them, elected, signs. Election is not what keeps the history single. A
// node signs a root only after it has shown that the log at this size begins
// with the last checkpoint it knows, with the newest in the database and with
// the last claim, and has replaced that claim by this epoch, size and root, by
// compare-and-set. So whatever is signed begins with all that was claimed
// before: a node that was deposed while it slept can sign what it had claimed,
// or the same root again, but never a fork. A claim without a note, which a
// crash left, is signed by the next node, or overtaken by what begins with it.
// The other nodes put the newest checkpoint of the database into their own
// folders ([Keeper.Adopt]) after they have checked that it follows the last one
// they had: whoever controls the database alone cannot take back what any node
// holds.
//
// At start the last claim counts like a checkpoint that was found, except that
// it makes no epoch current: a log that is shorter than the claim, or has
// another root there, is refused, and so is one whose claim is of a later epoch,
// because an [AcceptLoss] has not come to its end; the next one skips that
// epoch. A claim lives where the
// numbers of the leaves live. On PostgreSQL that is the database of the events,
// so a copy that was put back has the claim of its own time, and only the
// folders tell of it. Where the events live elsewhere the claim and the
// numbers outlast a loss of the events: an older copy of the engine is found
// out by the adapter, which misses events that have numbers, and the claim shows
// that the numbers themselves are whole.
//
// # What is not detected
//
// Whoever puts back the database and all folders together, to the same earlier
// moment, is not detected here, nor is a change to events that no checkpoint
// covers yet.
package ledger
