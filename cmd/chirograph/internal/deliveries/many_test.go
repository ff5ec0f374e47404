package deliveries

import (
	"flag"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

var (
	many = flag.Int("deliveries", 300, "how many TestMany makes")
	life = flag.Duration("life", 12*time.Second, "of each of its requests")
)

// TestMany has a receiver fail half of the time and kills the server three
// times meanwhile: every delivery ends delivered or parked, and none is lost.
func TestMany(t *testing.T) {
	t.Parallel()
	var accepted sync.Map // what the receiver said yes to, by body
	var calls atomic.Int64
	r := newReceiver(t, nil)
	r.plays = map[string]func(http.ResponseWriter, int){}
	r.Config.Handler = half(&calls, &accepted)
	b := newBank(t, r, map[string]string{"client": oauth.Ping})
	b.start(t)
	began := time.Now()

	var next, decided atomic.Int64
	var up sync.RWMutex // held while the server is killed and comes back
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for i := next.Add(1); i <= int64(*many); i = next.Add(1) {
				for ask(b, &up, int(i)) != nil { // the server was killed meanwhile
				}
				decided.Add(1)
			}
		})
	}
	for n := range int64(3) {
		eventually(t, "enough is under way", func() bool { return decided.Load() >= (n+1)*int64(*many)/4 })
		b.kill()
		up.Lock()
		b.start(t)
		up.Unlock()
	}
	clients.Wait()
	asked := time.Since(began)

	var delivered, parked, attempts int
	eventually(t, "every delivery has ended", func() bool {
		var pending int
		pending, delivered, parked, attempts = count(t, b, &accepted)
		return pending == 0
	})
	b.stop(t)
	if delivered+parked < *many {
		t.Errorf("%d are delivered and %d parked, of at least %d", delivered, parked, *many)
	}
	t.Logf("%d delivered, %d parked, %d attempts recorded, %d received; asked in %s, ended after %s",
		delivered, parked, attempts, calls.Load(), asked.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
}

// half fails half of the time.
func half(calls *atomic.Int64, accepted *sync.Map) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		calls.Add(1)
		body := make([]byte, 200)
		n, _ := q.Body.Read(body)
		if rand.IntN(2) == 0 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		accepted.Store(string(body[:n]), true)
		w.WriteHeader(http.StatusNoContent)
	})
}

// ask makes a request and decides it. After an error it may be decided.
func ask(b *bank, up *sync.RWMutex, i int) error {
	up.RLock()
	defer up.RUnlock()
	asked, err := b.ask("client", i, *life)
	if err == nil {
		err = b.decide(asked, map[bool]string{true: "allow", false: "deny"}[i%2 == 0])
	}
	return err
}

// count tells what became of every request that was decided, whoever was told.
func count(t *testing.T, b *bank, accepted *sync.Map) (pending, delivered, parked, attempts int) {
	t.Helper()
	for id, s := range b.stories(t) {
		if s.types["backchannel.approved"]+s.types["backchannel.denied"] == 0 {
			continue
		}
		attempts += len(s.attempts)
		switch {
		case s.delivery.Delivered():
			delivered++
		case s.delivery.Parked():
			parked++
		default:
			pending++
			continue
		}
		if len(s.attempts) == 0 || s.types["delivery.scheduled"] != 1 || s.types["delivery.delivered"]+s.types["delivery.parked"] != 1 {
			t.Errorf("request %s has %d attempts and the events %v", id, len(s.attempts), s.types)
		}
	}
	received := 0
	accepted.Range(func(any, any) bool { received++; return true })
	if delivered > received {
		t.Errorf("%d are recorded as delivered, and %d were accepted", delivered, received)
	}
	return pending, delivered, parked, attempts
}
