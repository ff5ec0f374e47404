package api

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/catalogue"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"
)

// waitingRoom is a server of which only the waiting matters.
func waitingRoom(log eventstore.Log, feed *eventstore.Feed) *Server {
	return New(&eventstore.Journal{Log: log, Feed: feed, Codec: &eventstore.Codec{Registry: catalogue.Events, Keys: &memory.Keys{}, Log: log.ID()}}, Outside{})
}

func ask(t *testing.T, s *Server, id, subject string) {
	t.Helper()
	asked := backchannel.Request{Requested: backchannel.Requested{Client: "budgetly", Subject: subject, Mode: oauth.Poll, Hint: "login_hint", Scope: "openid",
		Expires: time.Now().Add(time.Hour)}}
	if _, err := s.Backchannels.Execute(t.Context(), event.Meta{Subject: subject}, id, asked); err != nil {
		t.Fatal(err)
	}
}

func was(woken <-chan struct{}) bool {
	select {
	case <-woken:
		return true
	default:
		return false
	}
}

// Where the log tells of each commit, who waits is woken by it and by no other.
func TestWhoWaitsIsWokenByWhatConcernsHim(t *testing.T) {
	s := waitingRoom(memory.New(time.Now), nil)
	mine, leaveMine, _ := s.changes.watch(ofRequest("r1"))
	others, leaveOthers, _ := s.changes.watch(ofRequest("r2"))
	alices, leaveAlices, _ := s.changes.watch(ofCustomer("alice"))
	bens, leaveBens, _ := s.changes.watch(ofCustomer("ben"))
	defer leaveOthers()
	defer leaveBens()
	ask(t, s, "r1", "alice")
	if !was(mine) || !was(alices) {
		t.Error("who waited for the request or its customer was not woken")
	}
	if was(others) || was(bens) {
		t.Error("others were woken")
	}
	leaveMine()
	leaveMine()
	leaveAlices()
	ask(t, s, "r3", "alice")
	if was(mine) || was(alices) || s.changes.count != 2 || len(s.changes.waiting) != 2 {
		t.Error("who left is still there")
	}
}

// shared hides that a log tells of its commits.
type shared struct{ eventstore.Log }

// Where nothing tells what other nodes write, who waits looks each second.
func TestWithoutNewsWhoWaitsLooksEachSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := waitingRoom(shared{memory.New(time.Now)}, nil)
		woken, leave, _ := s.changes.watch(ofRequest("r1"))
		for range 3 {
			began := time.Now()
			<-woken
			if waited := time.Since(began); waited != time.Second {
				t.Fatalf("woken after %s", waited)
			}
		}
		leave()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if s.changes.ticking {
			t.Error("the clock goes on for nobody")
		}
	})
}

// A feed wakes who waits, also of what this node writes itself.
func TestAFeedWakesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := shared{memory.New(time.Now)}
		feed := eventstore.NewFeed(log, nil)
		s := waitingRoom(log, feed)
		elsewhere := waitingRoom(log, nil)
		go feed.Run(t.Context())
		synctest.Wait()
		woken, leave, _ := s.changes.watch(ofRequest("r1"))
		alices, leaveAlices, _ := s.changes.watch(ofCustomer("alice"))
		ask(t, elsewhere, "r1", "alice")
		synctest.Wait()
		if !was(woken) || !was(alices) {
			t.Error("what another node wrote woke nobody")
		}
		no := backchannel.Deny{Denied: backchannel.Denied{By: backchannel.System, Reason: "no"}, At: time.Now()}
		if _, err := s.Backchannels.Execute(t.Context(), event.Meta{Subject: "alice"}, "r1", no); err != nil {
			t.Fatal(err)
		}
		if !was(woken) {
			t.Error("what this node wrote itself woke nobody")
		}
		leave()
		leaveAlices()
		time.Sleep(2 * time.Second) // until nobody looks each second any more
	})
}

// When the server ends nobody waits any more.
func TestNobodyWaitsForAServerThatEnds(t *testing.T) {
	s := waitingRoom(memory.New(time.Now), nil)
	_, leave, ok := s.changes.watch(ofRequest("r1"))
	defer leave()
	s.EndWaits()
	s.EndWaits()
	_, _, again := s.changes.watch(ofRequest("r1"))
	select {
	case <-s.changes.ended:
	default:
		t.Error("who waits was not told")
	}
	if !ok || again {
		t.Errorf("may wait before %v, after %v", ok, again)
	}
}

// Too many cannot wait: they are answered at once.
func TestThereIsRoomForSoMany(t *testing.T) {
	s := waitingRoom(memory.New(time.Now), nil)
	for range maxWaiters {
		if _, _, ok := s.changes.watch(ofRequest("r1")); !ok {
			t.Fatal("refused too early")
		}
	}
	if _, _, ok := s.changes.watch(ofRequest("r1")); ok {
		t.Error("one more than there is room for")
	}
}
