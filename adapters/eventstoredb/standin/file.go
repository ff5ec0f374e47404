package standin

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"

	"google.golang.org/protobuf/encoding/protowire"
)

// A file keeps a store across processes. Each commit is a frame: length and
// checksum, four bytes each, and the records in the form in which they are
// sent, each with its length before it.
type file struct {
	*os.File
	size int64 // of whole frames
}

func (f *file) write(records []*record) error {
	frame := make([]byte, 8)
	for _, r := range records {
		frame = protowire.AppendBytes(frame, r.wire)
	}
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-8))
	binary.BigEndian.PutUint32(frame[4:], crc32.ChecksumIEEE(frame[8:]))
	if _, err := f.WriteAt(frame, f.size); err != nil {
		return errors.Join(err, f.Truncate(f.size))
	}
	f.size += int64(len(frame))
	return nil
}

// open reads a store back. The rest of a frame that the process before could
// not finish was not acknowledged, and is cut off.
func (s *store) open(path string) error {
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	whole := 0
	for {
		frame := nextFrame(content[whole:])
		if frame == nil {
			break
		}
		if err := s.load(frame); err != nil {
			return fmt.Errorf("%s at %d: %w", path, whole, err)
		}
		whole += 8 + len(frame)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Truncate(int64(whole)); err != nil {
		return errors.Join(err, f.Close())
	}
	s.file = &file{f, int64(whole)}
	return nil
}

// nextFrame returns the first frame without its head, nil if it is not whole.
func nextFrame(b []byte) []byte {
	if len(b) < 8 {
		return nil
	}
	n := int(binary.BigEndian.Uint32(b))
	if n == 0 || n > len(b)-8 || crc32.ChecksumIEEE(b[8:8+n]) != binary.BigEndian.Uint32(b[4:]) {
		return nil
	}
	return b[8 : 8+n]
}

func (s *store) load(frame []byte) error {
	for len(frame) > 0 {
		wire, n := protowire.ConsumeBytes(frame)
		if n < 0 {
			return protowire.ParseError(n)
		}
		r, data, err := parseRecord(wire)
		if err != nil {
			return err
		}
		s.take(r, bytes.Clone(data))
		frame = frame[n:]
	}
	return nil
}
