package faults

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
)

// A loss lets the answers to commits be lost: the one that is counted down to.
type loss struct{ left, lost atomic.Int64 }

// arm loses the nth answer from now on.
func (x *loss) arm(n int64) { x.lost.Store(0); x.left.Store(n) }

func (x *loss) disarm() (happened bool) { x.left.Store(0); return x.lost.Load() > 0 }

func (x *loss) strikes() bool {
	if x.left.Load() <= 0 || x.left.Add(-1) != 0 {
		return false
	}
	x.lost.Add(1)
	return true
}

// postgresAnswers passes the messages of a PostgreSQL server on. Where the
// acknowledgement of a commit is to be lost, the connection breaks before it.
func postgresAnswers(x *loss) func(*link, net.Conn, net.Conn) {
	return func(l *link, client, server net.Conn) {
		for {
			message := make([]byte, 5)
			if _, err := io.ReadFull(server, message); err != nil {
				return
			}
			body := make([]byte, binary.BigEndian.Uint32(message[1:])-4)
			if _, err := io.ReadFull(server, body); err != nil {
				return
			}
			if message[0] == 'C' && string(body) == "COMMIT\x00" && x.strikes() {
				return
			}
			if l.send(client, append(message, body...)) != nil {
				return
			}
		}
	}
}

// eventstoreAnswers passes the bytes of an EventStoreDB node on. Where it says
// by gossip at which ports the nodes are, it says instead where the links to
// them are, so that a client stays on its links. Ports of five digits have the
// same length on the wire.
func eventstoreAnswers(ports *sync.Map) func(*link, net.Conn, net.Conn) {
	return func(l *link, client, server net.Conn) {
		l.pass(client, server, func(b []byte) { redirect(b, ports) })
	}
}

// endpoint is how protobuf begins an EndPoint of gossip: an address in field 1,
// then the tag of the port.
var endpoint = []byte("\x0a\x09127.0.0.1\x10")

func redirect(b []byte, ports *sync.Map) {
	for {
		i := bytes.Index(b, endpoint)
		if i < 0 {
			return
		}
		b = b[i+len(endpoint):]
		port, n := binary.Uvarint(b)
		to, known := ports.Load(port)
		if n == 3 && known && to.(uint64) >= 1<<14 {
			binary.PutUvarint(b, to.(uint64))
		}
	}
}

func portOf(address string) uint64 {
	_, text, _ := net.SplitHostPort(address)
	n, _ := strconv.ParseUint(text, 10, 16)
	return n
}
