package export_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/watermill"
	"github.com/chirograph/chirograph/adapters/watermill/export"

	"github.com/nats-io/nats.go"
)

func to(s *server) export.NATS {
	return export.NATS{URL: s.url(), Stream: "LOG", Subject: "bank.events"}
}

// received are the messages of the stream, in its order.
func (s *server) received() (all []*nats.Msg) {
	s.t.Helper()
	c, err := nats.Connect(s.url())
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	js, err := c.JetStream()
	if err != nil {
		s.t.Fatal(err)
	}
	about, err := js.StreamInfo("LOG")
	if err != nil {
		s.t.Fatal(err)
	}
	sub, err := js.SubscribeSync("bank.events.>", nats.OrderedConsumer())
	if err != nil {
		s.t.Fatal(err)
	}
	for range about.State.Msgs {
		m, err := sub.NextMsg(patience)
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// whole checks that the stream holds the log: each event once, in order, as it
// is stored.
func (d *desk) whole(s *server) {
	d.Helper()
	want, got := d.written(), s.received()
	if len(got) != len(want) {
		d.Fatalf("%d messages of %d events", len(got), len(want))
	}
	for i, m := range got {
		e, err := watermill.Event(m.Data)
		if err != nil {
			d.Fatal(err)
		}
		w := want[i]
		if e.ID != w.ID || e.Position != w.Position || e.Stream != w.Stream || e.Revision != w.Revision || !e.Recorded.Equal(w.Recorded) || !bytes.Equal(e.Data, w.Data) || !bytes.Equal(e.Meta, w.Meta) {
			d.Errorf("message %d is %s at %d, want %s at %d", i, e.ID, e.Position, w.ID, w.Position)
		}
		if m.Header.Get(nats.MsgIdHdr) != w.ID.String() || m.Subject != "bank.events."+w.Stream.Category() {
			d.Errorf("message %d is %s on %s", i, m.Header.Get(nats.MsgIdHdr), m.Subject)
		}
	}
}

func TestNATSGetsTheWholeLog(t *testing.T) {
	s := newServer(t)
	d := newDesk(t, to(s))
	d.write(50) // before anybody exported
	d.running()
	d.caughtUp()
	d.write(50)
	d.caughtUp()
	d.whole(s)
	if n := d.failures(); n > 0 {
		t.Errorf("%d failures", n)
	}
}

// A broker that is killed while it is written to, and started again, has missed
// nothing, and nothing is in it twice.
func TestNATSIsKilled(t *testing.T) {
	s := newServer(t)
	d := newDesk(t, to(s))
	d.running()
	d.write(200)
	d.until("some are there", func() bool { behind, _ := d.export.Behind(t.Context()); return behind < 150 })
	s.kill()
	d.write(100)
	d.until("it is told that nothing can be exported", func() bool { return d.failures() > 0 })
	if behind, err := d.export.Behind(t.Context()); err != nil || behind < 100 {
		t.Errorf("%d events behind, %v", behind, err)
	}
	s.start()
	d.caughtUp()
	d.whole(s)
}

// So it is with one that is not there at the start.
func TestNATSComesLater(t *testing.T) {
	s := newServer(t)
	s.kill()
	d := newDesk(t, to(s))
	d.running()
	d.write(10)
	d.until("it is told that nothing can be exported", func() bool { return d.failures() > 0 })
	s.start()
	d.caughtUp()
	d.whole(s)
}

// What was published and not noted is published again, and dropped by its
// Nats-Msg-Id.
func TestNATSDropsDuplicates(t *testing.T) {
	s := newServer(t)
	d := newDesk(t, to(s))
	d.write(30)
	end := d.running()
	d.caughtUp()
	end()
	d.kept.back(10)
	d.write(5)
	d.running()
	d.caughtUp()
	d.whole(s)
}

// After an orderly end nothing at all is published again.
func TestTheCheckpointIsKept(t *testing.T) {
	s := newServer(t)
	d := newDesk(t, to(s))
	d.write(20)
	end := d.running()
	d.caughtUp()
	end()
	if at := d.kept.at[watermill.Checkpoint("e", "everything")]; at != 20 {
		t.Errorf("the checkpoint is at %d of 20", at)
	}
	d.write(1)
	if behind, err := d.export.Behind(t.Context()); behind != 0 || err != nil {
		t.Errorf("who exports nothing is %d behind, %v", behind, err)
	}
}

// A stream that the bank has made is left as it is.
func TestNATSStreamOfTheBank(t *testing.T) {
	s := newServer(t)
	c, err := nats.Connect(s.url())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	js, err := c.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.AddStream(&nats.StreamConfig{Name: "LOG", Description: "ours", Subjects: []string{"bank.events.>"}, MaxAge: time.Hour}); err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, to(s))
	d.write(3)
	d.running()
	d.caughtUp()
	about, err := js.StreamInfo("LOG")
	if err != nil || about.Config.Description != "ours" || about.Config.MaxAge != time.Hour || about.State.Msgs != 3 {
		t.Errorf("got %+v, %v", about, err)
	}
}

func TestCheckOfNATS(t *testing.T) {
	s := newServer(t)
	ctx, done := context.WithTimeout(t.Context(), patience)
	defer done()
	if err := to(s).Check(ctx); err != nil {
		t.Errorf("there is a server: %v", err)
	}
	refusing := newServer(t, "--user", "u", "--pass", "p")
	if err := to(refusing).Check(ctx); err == nil || !strings.Contains(err.Error(), "Authorization") {
		t.Errorf("the server knows nobody: %v", err)
	}
	s.kill()
	if err := to(s).Check(ctx); err == nil {
		t.Error("there is no server")
	}
	bad := to(s)
	bad.TLS = export.TLS{On: true, CA: filepath.Join(t.TempDir(), "ca.pem")}
	if err := bad.Check(ctx); err == nil {
		t.Error("there is no such authority")
	}
	if err := os.WriteFile(bad.TLS.CA, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := bad.Check(ctx); err == nil || !strings.Contains(err.Error(), "holds no certificate") {
		t.Errorf("the authority is none: %v", err)
	}
}
