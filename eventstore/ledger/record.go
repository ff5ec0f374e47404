package ledger

import (
	"encoding/binary"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
)

// recordFormat is the first field of every record.
const recordFormat = 1

// Record returns the canonical bytes of an event, the input of its leaf hash.
// Each field is preceded by its length, 4 bytes big-endian: format version
// (1 byte), log id (16), leaf index (8), stream, revision (8), event id (16),
// type, schema version (4), recorded time in UTC nanoseconds (8), metadata and
// data as stored. Integers are big-endian, revision and time signed.
func Record(log uuid.UUID, e eventstore.Event) []byte {
	size := 11*4 + 1 + 16 + 8 + len(e.Stream) + 8 + 16 + len(e.Type) + 4 + 8 + len(e.Meta) + len(e.Data)
	return AppendRecord(make([]byte, 0, size), log, e)
}

// AppendRecord is [Record] into a buffer that is used again.
func AppendRecord(b []byte, log uuid.UUID, e eventstore.Event) []byte {
	b = append(b, 0, 0, 0, 1, recordFormat)
	b = field(b, log[:])
	b = number(b, e.Leaf)
	b = text(b, string(e.Stream))
	b = number(b, int64(e.Revision))
	b = field(b, e.ID[:])
	b = text(b, e.Type)
	b = binary.BigEndian.AppendUint32(append(b, 0, 0, 0, 4), uint32(e.Version))
	b = number(b, e.Recorded.UnixNano())
	b = field(b, e.Meta)
	return field(b, e.Data)
}

func field(b, value []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(value))), value...)
}

func text(b []byte, value string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(value))), value...)
}

func number(b []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(append(b, 0, 0, 0, 8), uint64(n))
}

// LeafHash is the hash of a leaf, SHA-256(0x00 || record), as of RFC 6962,
// Section 2.1.
func LeafHash(record []byte) tlog.Hash { return tlog.RecordHash(record) }
