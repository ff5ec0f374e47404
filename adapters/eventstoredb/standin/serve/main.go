// Command serve runs a stand-in for EventStoreDB as a process of its own. Its
// first line is the connection string, its second one where commands go by
// HTTP; they may come by standard input as well, one a line:
//
//	go run ./adapters/eventstoredb/standin/serve -nodes 3 -file /tmp/log
//	esdb://127.0.0.1:40001,127.0.0.1:40002,127.0.0.1:40003?tls=false
//	http://127.0.0.1:40004
//	$ curl -d 'kill 0' http://127.0.0.1:40004
//
// What it is, and what it is not, is said in the package standin.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

// run serves until the context ends or somebody says quit.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	o, control, err := parse(args)
	if err != nil {
		return err
	}
	cluster, err := standin.Start(o)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(control)))
	if err != nil {
		return errors.Join(err, cluster.Close())
	}
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	c := &console{cluster: cluster, quit: quit}
	server := &http.Server{Handler: c, ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(l)
	fmt.Fprintf(out, "%s\nhttp://%s\n", cluster.URL(), l.Addr())
	go c.listen(in, out)
	<-ctx.Done()
	answering, done := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second) // whoever said quit
	defer done()
	return errors.Join(server.Shutdown(answering), cluster.Close())
}

func parse(args []string) (o standin.Options, control int, err error) {
	f := flag.NewFlagSet("serve", flag.ContinueOnError)
	f.IntVar(&o.Nodes, "nodes", 1, "1 or 3")
	f.IntVar(&o.Port, "port", 0, "of the first node, the others follow; 0 takes free ones")
	f.IntVar(&control, "control", 0, "port for commands; 0 takes a free one")
	f.StringVar(&o.File, "file", "", "keeps what was acknowledged; without it memory does")
	f.BoolVar(&o.TLS, "tls", false, "with an authority of its own")
	f.StringVar(&o.User, "user", "", "that callers must know")
	f.StringVar(&o.Password, "password", "", "of the user")
	f.BoolVar(&o.CaughtUp, "caught-up", true, "whether subscribers are told, as from 23.10 on")
	f.IntVar(&o.MaxAppendBytes, "max-append", 1<<20, "bytes of one append")
	f.IntVar(&o.StatsEvery, "stats", 1000, "a system event follows every so many; 0 is never")
	f.DurationVar(&o.ElectionDelay, "election", time.Second, "between the loss of a leader and the next one")
	f.StringVar(&o.Version, "version", "", "that the nodes report")
	err = f.Parse(args)
	return o, control, err
}
