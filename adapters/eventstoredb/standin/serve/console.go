package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
)

// A console obeys commands.
type console struct {
	cluster *standin.Cluster
	quit    context.CancelFunc
}

// A command is a word and what it takes: nothing, a number, or a duration.
type command struct {
	usage string
	run   func(c *console, argument string) error
}

var commands = map[string]command{
	"kill":      {"kill NODE: as a crash does", onNode((*standin.Node).Kill)},
	"shutdown":  {"shutdown NODE: as an operator does; its subscriptions fall silent", onNode((*standin.Node).Shutdown)},
	"start":     {"start NODE: after either", start},
	"elect":     {"elect NODE: to lead", elect},
	"mute":      {"mute NODE: its open subscriptions fall silent", onNode((*standin.Node).Mute)},
	"lag":       {"lag NODE: it shows the log as it is now", onNode((*standin.Node).Lag)},
	"catch-up":  {"catch-up NODE: ends lag", onNode((*standin.Node).CatchUp)},
	"lose-acks": {"lose-acks N: the next N appends are written and not acknowledged", times(standin.AfterCommit, standin.Drop)},
	"refuse":    {"refuse N: the next N calls find the server too busy", times(standin.AnyCall, standin.Busy)},
	"drop":      {"drop N: the next N messages of subscriptions drop the connection", times(standin.SubscriptionMessage, standin.Drop)},
	"full":      {"full: the disk; a leader that writes dies of it", always(standin.BeforeCommit, standin.DiskFull)},
	"silence":   {"silence: subscriptions say nothing, new ones neither", always(standin.SubscriptionMessage, standin.Silent)},
	"slow":      {"slow DURATION: every call takes longer", slow},
	"heal":      {"heal: ends all but kill, shutdown and mute", heal},
	"quit":      {"quit", quit},
}

// obey runs one line.
func (c *console) obey(line string) error {
	word, argument, _ := strings.Cut(strings.TrimSpace(line), " ")
	if cmd, ok := commands[word]; ok {
		return cmd.run(c, strings.TrimSpace(argument))
	}
	var known []string
	for _, cmd := range commands {
		known = append(known, cmd.usage)
	}
	slices.Sort(known)
	return fmt.Errorf("no such command; there are\n%s", strings.Join(known, "\n"))
}

// listen obeys lines until they end.
func (c *console) listen(in io.Reader, out io.Writer) {
	for s := bufio.NewScanner(in); s.Scan(); {
		if err := c.obey(s.Text()); err != nil {
			fmt.Fprintln(out, err)
			continue
		}
		fmt.Fprintln(out, "done")
	}
}

// ServeHTTP obeys the line in the body of a POST, and answers anything else
// with how the cluster is.
func (c *console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		fmt.Fprintf(w, "leader %d\nconnections %d\n", c.cluster.Leader(), c.cluster.Connections())
		return
	}
	line, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1024))
	if err == nil {
		err = c.obey(string(line))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintln(w, "done")
}

func (c *console) node(argument string) (i int, n *standin.Node, err error) {
	i, err = strconv.Atoi(argument)
	if err != nil || i < 0 || i >= c.cluster.Nodes() {
		return 0, nil, fmt.Errorf("there is no node %q", argument)
	}
	return i, c.cluster.Node(i), nil
}

func onNode(do func(*standin.Node)) func(*console, string) error {
	return func(c *console, argument string) error {
		_, n, err := c.node(argument)
		if err == nil {
			do(n)
		}
		return err
	}
}

func start(c *console, argument string) error {
	_, n, err := c.node(argument)
	if err != nil {
		return err
	}
	return n.Start()
}

func elect(c *console, argument string) error {
	i, _, err := c.node(argument)
	if err != nil {
		return err
	}
	if c.cluster.Elect(i); c.cluster.Leader() != i {
		return errors.New("a node that is down cannot lead")
	}
	return nil
}

func times(at standin.Point, result error) func(*console, string) error {
	return func(c *console, argument string) error {
		n, err := strconv.Atoi(argument)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no number of times", argument)
		}
		c.cluster.Inject(standin.Next(n, standin.At(at, result)))
		return nil
	}
}

func always(at standin.Point, result error) func(*console, string) error {
	return func(c *console, _ string) error {
		c.cluster.Inject(standin.At(at, result))
		return nil
	}
}

func slow(c *console, argument string) error {
	d, err := time.ParseDuration(argument)
	if err == nil {
		c.cluster.Inject(standin.At(standin.AnyCall, standin.Slow(d)))
	}
	return err
}

func heal(c *console, _ string) error {
	c.cluster.Heal()
	return nil
}

func quit(c *console, _ string) error {
	c.quit()
	return nil
}
