package postgres_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
)

func openedNodes(t testing.TB, url string) *postgres.Nodes {
	t.Helper()
	n, err := postgres.OpenNodes(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

const ttl = 600 * time.Millisecond

// stand runs for the lead in the background and returns a channel of the
// contexts with which it leads, and how to end it.
func stand(t *testing.T, n *postgres.Nodes, holder string) (terms <-chan context.Context, end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	led, ended := make(chan context.Context), make(chan struct{})
	go func() {
		defer close(ended)
		n.Lead(ctx, "keeper", holder, ttl, func(term context.Context) {
			select {
			case led <- term:
			case <-term.Done():
			}
			<-term.Done()
		})
	}()
	end = func() { cancel(); <-ended }
	t.Cleanup(end)
	return led, end
}

func TestOneOfManyLeads(t *testing.T) {
	url := pgtest.New(t)
	var leading, most atomic.Int64
	var led sync.Map
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wg sync.WaitGroup
	for i := range 4 {
		n := openedNodes(t, url)
		wg.Go(func() {
			n.Lead(ctx, "keeper", "the same name", ttl, func(term context.Context) {
				led.Store(i, true)
				most.Store(max(most.Load(), leading.Add(1)))
				defer leading.Add(-1)
				select { // some give up, some are ended
				case <-term.Done():
				case <-time.After(ttl / 10):
				}
			})
		})
	}
	all := func() (n int) { led.Range(func(any, any) bool { n++; return true }); return n }
	eventually(t, "every node has led", func() bool { return all() == 4 })
	cancel()
	wg.Wait()
	if most.Load() != 1 {
		t.Errorf("%d led at once", most.Load())
	}
}

func TestALeaderStaysWhileItAnswers(t *testing.T) {
	url := pgtest.New(t)
	first, end := stand(t, openedNodes(t, url), "a")
	term := <-first
	second, _ := stand(t, openedNodes(t, url), "b")
	select {
	case <-second:
		t.Fatal("another leads beside it")
	case <-term.Done():
		t.Fatal("it lost the lead")
	case <-time.After(3 * ttl):
	}
	start := time.Now()
	end()
	select {
	case <-second:
	case <-time.After(10 * ttl):
		t.Fatal("nobody followed")
	}
	if took := time.Since(start); took > ttl {
		t.Errorf("the next followed after %v, though the lead was given back", took)
	}
}

// A process that is stopped keeps its memory and its connections, and wakes up
// later believing that it leads.
func TestAPausedLeaderIsDeposed(t *testing.T) {
	url := pgtest.New(t)
	holder, said := process(t, "lead", url)
	if line := said(); line != "leads" {
		t.Fatalf("said %q", line)
	}
	if err := holder.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	terms, _ := stand(t, openedNodes(t, url), "b")
	select {
	case <-terms:
	case <-time.After(10 * ttl):
		t.Fatal("nobody took over")
	}
	if err := holder.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if line := said(); line != "deposed" {
		t.Errorf("the paused leader says %q", line)
	}
}

// leadForever looks all the time whether it still leads.
func leadForever(url string) error {
	n, err := postgres.OpenNodes(context.Background(), url)
	if err != nil {
		return err
	}
	n.Lead(context.Background(), "keeper", "a", ttl, func(term context.Context) {
		fmt.Println("leads")
		for last := time.Now(); ; {
			now := time.Now()
			paused := now.Sub(last) > ttl
			switch {
			case term.Err() != nil:
				fmt.Println("deposed")
				return
			case paused:
				fmt.Println("still leads")
				return
			}
			last = now
		}
	})
	return nil
}

func TestALeaderThatIsCutOffEnds(t *testing.T) {
	s := pgtest.Start(t, pgtest.Settings{})
	terms, _ := stand(t, openedNodes(t, s.New(t)), "a")
	term := <-terms
	start := time.Now()
	s.Kill(t)
	<-term.Done()
	if took := time.Since(start); took > 2*ttl {
		t.Errorf("led for %v without the database", took)
	}
	s.Run(t)
	select {
	case <-terms:
	case <-time.After(30 * time.Second):
		t.Error("it does not lead again")
	}
}

func TestExchange(t *testing.T) {
	url := pgtest.New(t)
	nodes := map[string]*postgres.Nodes{"a": openedNodes(t, url), "b": openedNodes(t, url), "c": openedNodes(t, url)}
	for i, step := range []struct {
		node string
		mine map[string]int
		want string
	}{
		{"a", map[string]int{"x": 3}, "map[]"},
		{"b", map[string]int{"x": 1, "y": 2}, "map[]"}, // what was before it is not its
		{"a", nil, "map[x:1 y:2]"},
		{"a", nil, "map[]"},
		{"b", map[string]int{"x": 5}, "map[]"},
		{"c", map[string]int{"x": 7}, "map[]"},
		{"a", map[string]int{"x": 1, "z": 0}, "map[x:12]"},
		{"b", nil, "map[x:8]"},
		{"c", nil, "map[x:1]"},
	} {
		others, err := nodes[step.node].Exchange(t.Context(), step.node, step.mine)
		if got := fmt.Sprint(others); err != nil || got != step.want {
			t.Errorf("step %d: %s hears %s, %v; want %s", i, step.node, got, err, step.want)
		}
	}
}

func TestWhatIsOldIsForgotten(t *testing.T) {
	url := pgtest.New(t)
	a, b := openedNodes(t, url), openedNodes(t, url)
	exchange := func(n *postgres.Nodes, node string, mine map[string]int) string {
		others, err := n.Exchange(t.Context(), node, mine)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(others)
	}
	exchange(b, "b", nil)
	exchange(a, "a", map[string]int{"x": 5})
	exchange(b, "b", nil)
	execute(t, url, "UPDATE chirograph_nodes.spent SET at = at - interval '1 hour'")
	exchange(b, "b", nil)
	var left int
	if query(t, url, "SELECT count(*) FROM chirograph_nodes.spent", &left); left != 0 {
		t.Errorf("%d rows are left", left)
	}
	exchange(a, "a", map[string]int{"x": 6})
	if got := exchange(b, "b", nil); got != "map[x:6]" {
		t.Errorf("hears %s of a node that begins anew", got)
	}
}
