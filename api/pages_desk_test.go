package api

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/eventstore"
)

// breakable is a log that can die in the middle of an append.
type breakable struct {
	eventstore.Log
	mu   sync.Mutex
	keep int    // so many appends of the next call are written; -1: all
	then func() // happens before the next call, if it is set
}

// meanwhile lets something happen between the next decision and its append.
func (l *breakable) meanwhile(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.then = f
}

var errDied = errors.New("power failed")

func (l *breakable) dieAfter(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep = n
}

func (l *breakable) Append(ctx context.Context, appends ...eventstore.Append) ([]eventstore.Receipt, error) {
	l.mu.Lock()
	keep, then := l.keep, l.then
	l.keep, l.then = -1, nil
	l.mu.Unlock()
	if then != nil {
		then()
	}
	if keep < 0 {
		return l.Log.Append(ctx, appends...)
	}
	if keep > 0 {
		if _, err := l.Log.Append(ctx, appends[:keep]...); err != nil {
			return nil, err
		}
	}
	return nil, errDied
}

type stoppedClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *stoppedClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *stoppedClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// deskStaff stands in for everything outside the server.
type deskStaff struct {
	bank     *bank
	mu       sync.Mutex
	sessions map[string]Session
	accounts map[string][]Account
	claims   map[string]map[string]any
	adopted  map[string]string
	wait     time.Duration
	noPast   error
}

func newDesk(b *bank) *deskStaff {
	return &deskStaff{
		bank: b, sessions: map[string]Session{}, adopted: map[string]string{},
		accounts: map[string][]Account{"alice": twoAccounts, "ben": {{"acc-9", "Joint", "•••• 9999", "EUR"}}},
		claims: map[string]map[string]any{
			"alice": {"name": "Alice Example", "email": "alice@example.com", "email_verified": true, "phone_number": "+49 30 1"},
			"ben":   {"name": "Ben Example"},
		},
	}
}

func (d *deskStaff) Subject(_ context.Context, _, name string) (string, error) {
	if name == "alice" || name == "ben" {
		return name, nil
	}
	return "", ErrNobody
}

func (d *deskStaff) Check(_ context.Context, _, name, password, _ string, _ time.Time) (string, error) {
	switch {
	case d.wait > 0:
		return "", &TryLater{After: d.wait}
	case name == password:
		return name, nil
	case name == "alice":
		return "", &WrongPassword{"alice"}
	}
	return "", ErrWrongPassword
}

func (d *deskStaff) CheckSubject(ctx context.Context, realm, subject, password, address string, now time.Time) error {
	_, err := d.Check(ctx, realm, subject, password, address, now)
	return err
}

func (d *deskStaff) Start(_ context.Context, s Session, _ time.Time) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	cookie := fmt.Sprintf("session-%d", len(d.sessions)+1)
	s.ID = "id of " + cookie
	d.sessions[cookie] = s
	return cookie, nil
}

func (d *deskStaff) Find(_ context.Context, realm, cookie string, _ time.Time) (Session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, found := d.sessions[cookie]
	if !found || s.Realm != realm {
		return Session{}, ErrNoSession
	}
	return s, nil
}

func (d *deskStaff) Peek(ctx context.Context, realm, cookie string, now time.Time) (Session, error) {
	return d.Find(ctx, realm, cookie, now)
}

func (d *deskStaff) End(_ context.Context, _, cookie string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sessions[cookie] = Session{}
	return nil
}

func (d *deskStaff) Accounts(_ context.Context, subject string) ([]Account, error) {
	return d.accounts[subject], nil
}

func (d *deskStaff) Claims(_ context.Context, subject string) (map[string]any, error) {
	return maps.Clone(d.claims[subject]), nil
}

func (d *deskStaff) Adopt(_ context.Context, journey, subject string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.adopted[journey] = subject
	return nil
}

func (d *deskStaff) Consents(ctx context.Context, who string) (rows []ConsentRow, err error) {
	for e, err := range d.bank.Journal.ReadAll(ctx, 0, eventstore.Filter{Types: []string{"consent.authorized"}}) {
		if err != nil {
			return nil, err
		}
		if a := e.Body.(consent.Authorized); a.Subject == who {
			state, _, err := d.bank.Server.Consents.Load(ctx, e.Stream.ID())
			if err != nil {
				return nil, err
			}
			rows = append(rows, ConsentRow{ID: e.Stream.ID(), Client: a.Client, Status: state.Status(), Since: e.Recorded, Expires: a.Expires})
		}
	}
	slices.Reverse(rows)
	return rows, nil
}

func (d *deskStaff) History(context.Context, string) ([]HistoryLine, error) {
	return []HistoryLine{{d.bank.clock.Now(), "Alice gave Budgetly access"}}, d.noPast
}

func (d *deskStaff) Pending(ctx context.Context, who string, now time.Time) (waiting []PendingRequest, err error) {
	for e, err := range d.bank.Journal.ReadAll(ctx, 0, eventstore.Filter{Types: []string{"backchannel.requested"}}) {
		if err != nil {
			return nil, err
		}
		state, _, err := d.bank.Backchannels.Load(ctx, e.Stream.ID())
		if err != nil {
			return nil, err
		}
		if asked := state.Requested(); asked.Subject == who && state.Pending(now) {
			waiting = append(waiting, PendingRequest{e.Stream.ID(), asked.Client, e.Recorded, asked.Expires})
		}
	}
	return waiting, nil
}

// Sign and Verify are of a signer whose tokens anybody can read and write.
func (d *deskStaff) Sign(context.Context, string, string, []byte) (string, error) {
	return "", errors.New("nothing is signed here")
}

func (d *deskStaff) Verify(_ context.Context, compact string, _ func(string) ([]byte, bool)) (Signed, error) {
	if !strings.HasPrefix(compact, "{") {
		return Signed{}, errors.New("not a token")
	}
	return Signed{Type: "JWT", Claims: []byte(compact)}, nil
}

func (d *deskStaff) Wait(string, time.Time) time.Duration { return 0 }
func (d *deskStaff) Return(string)                        {}
func (d *deskStaff) Served(string, int, time.Duration)    {}
func (d *deskStaff) Refused(string, string)               {}
