package postgres

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/jackc/pgx/v5"
)

// pollEvery is how often a node looks for what others have written when no
// notification comes: that is only a hint.
const pollEvery = 200 * time.Millisecond

// seen is the head as far as a node knows.
type seen struct {
	mu   sync.Mutex
	head eventstore.Position
	next chan struct{} // closed when the head moves
}

func (s *seen) reset() { s.next = make(chan struct{}) }

func (s *seen) position() eventstore.Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head
}

// grown is closed when the head moves on from here.
func (s *seen) grown() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next
}

// reached says that the log goes up to a position, of which everything before
// it is committed.
func (s *seen) reached(p eventstore.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p > s.head {
		s.head = p
		close(s.next)
		s.reset()
	}
}

// listen follows the head until the log is closed.
func (l *Log) listen() {
	for wait := firstWait; l.isOpen() == nil; wait = min(2*wait, longestWait) {
		start := time.Now()
		err := l.follow()
		if l.isOpen() == nil {
			l.health.note(err)
		}
		if time.Since(start) > longestWait {
			wait = firstWait
		}
		pause(l.ended, wait)
	}
}

// follow hears of commits on a connection of its own until that breaks.
func (l *Log) follow() error {
	c, err := pgx.ConnectConfig(l.ended, l.config)
	if err != nil {
		return err
	}
	defer func() {
		ctx, done := context.WithTimeout(context.Background(), time.Second)
		defer done()
		_ = c.Close(ctx)
	}()
	if _, err := c.Exec(l.ended, "LISTEN "+pgx.Identifier{l.channel}.Sanitize()); err != nil {
		return err
	}
	for {
		began := time.Now()
		if err := l.poll(c); err != nil {
			return err
		}
		if err := l.hear(c); err != nil {
			return err
		}
		pause(l.ended, company-time.Since(began))
	}
}

func (l *Log) poll(c *pgx.Conn) error {
	ctx, done := context.WithTimeout(l.ended, connectTimeout)
	defer done()
	var head eventstore.Position
	if err := c.QueryRow(ctx, "SELECT size FROM head").Scan(&head); err != nil {
		return err
	}
	l.seen.reached(head)
	l.health.note(nil)
	return nil
}

// hear waits for a notification of something new, but not longer than until
// the next poll. What it says is not believed: anybody may notify.
func (l *Log) hear(c *pgx.Conn) error {
	ctx, done := context.WithTimeout(l.ended, pollEvery)
	defer done()
	for {
		n, err := c.WaitForNotification(ctx)
		if err != nil {
			if ctx.Err() != nil && !c.IsClosed() {
				err = l.ended.Err()
			}
			return err
		}
		head, err := strconv.ParseUint(n.Payload, 10, 62)
		if err == nil && eventstore.Position(head) > l.seen.position() {
			return nil
		}
	}
}
