package standin_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
)

func TestFaultsAreCountedAndTakenAway(t *testing.T) {
	cluster, c := start(t, standin.Options{Nodes: 3})
	asked := 0
	heal := cluster.Inject(standin.Next(3, func(at standin.Point, stream string, n int) error {
		asked++
		return standin.On("s", standin.At(standin.BeforeCommit, standin.TimedOut))(at, stream, n)
	}))
	c.must("other", esdb.NoStream{}, event("0"))
	for range 3 {
		_, err := c.append("s", esdb.NoStream{}, event("0"))
		refused(t, err, esdb.ErrorAborted)
	}
	asked = 0
	c.must("s", esdb.NoStream{}, event("0"))
	if asked > 0 {
		t.Error("a fault that is used up is asked")
	}

	again := cluster.Inject(standin.At(standin.BeforeCommit, standin.TimedOut))
	heal()
	_, err := c.append("s", esdb.Any{}, event("1"))
	refused(t, err, esdb.ErrorAborted)
	again()
	c.must("s", esdb.Any{}, event("1"))

	cluster.Inject(standin.At(standin.BeforeCommit, standin.TimedOut))
	cluster.Heal()
	c.must("s", esdb.Any{}, event("2"))
}

func TestStatusesBecomeTheClientsCodes(t *testing.T) {
	tests := []struct {
		status codes.Code
		want   esdb.ErrorCode
	}{
		{codes.Unavailable, esdb.ErrorUnavailable},
		{codes.DeadlineExceeded, esdb.ErrorCodeDeadlineExceeded},
		{codes.Aborted, esdb.ErrorAborted},
		{codes.PermissionDenied, esdb.ErrorCodeAccessDenied},
		{codes.Unauthenticated, esdb.ErrorCodeUnauthenticated},
		{codes.NotFound, esdb.ErrorCodeResourceNotFound},
		{codes.AlreadyExists, esdb.ErrorCodeResourceAlreadyExists},
		{codes.Unimplemented, esdb.ErrorCodeUnsupportedFeature},
		{codes.InvalidArgument, esdb.ErrorCodeUnknown},
		{codes.FailedPrecondition, esdb.ErrorCodeUnknown},
		{codes.ResourceExhausted, esdb.ErrorCodeUnknown},
		{codes.Internal, esdb.ErrorCodeUnknown},
		{codes.Canceled, esdb.ErrorCodeUnknown},
		{codes.Unknown, esdb.ErrorCodeUnknown},
	}
	cluster, c := start(t, standin.Options{})
	for _, tt := range tests {
		t.Run(tt.status.String(), func(t *testing.T) {
			heal := cluster.Inject(standin.At(standin.BeforeCommit, standin.Refuse(tt.status, "injected")))
			defer heal()
			_, err := c.append("s", esdb.Any{}, event("0"))
			refused(t, err, tt.want)
		})
	}
}

func TestSlowIsLate(t *testing.T) {
	cluster, c := start(t, standin.Options{})
	cluster.Inject(standin.At(standin.AfterCommit, standin.Slow(60*time.Millisecond)))
	began := time.Now()
	c.must("s", esdb.NoStream{}, event("0"))
	if d := time.Since(began); d < 60*time.Millisecond {
		t.Errorf("answered after %v", d)
	}
}

func TestSilenceLastsUntilTheCallerGoes(t *testing.T) {
	cluster, c := start(t, standin.Options{})
	cluster.Inject(standin.At(standin.AfterCommit, standin.Silent))
	short := 60 * time.Millisecond
	_, err := c.AppendToStream(context.Background(), "s", esdb.AppendToStreamOptions{Deadline: &short}, event("0"))
	refused(t, err, esdb.ErrorCodeDeadlineExceeded)
	cluster.Heal()
	if got, err := c.read("s", esdb.ReadStreamOptions{}, 9); err != nil || len(got) != 1 {
		t.Errorf("%d events, %v", len(got), err)
	}
}

func TestADroppedConnection(t *testing.T) {
	cluster, c := start(t, standin.Options{})
	cluster.Inject(standin.Next(1, standin.At(standin.BeforeCommit, standin.Drop)))
	_, err := c.append("s", esdb.NoStream{}, event("0"))
	refused(t, err, esdb.ErrorUnavailable)
	c.must("s", esdb.NoStream{}, event("0"))
}

func TestACrash(t *testing.T) {
	cluster, _ := start(t, standin.Options{})
	c := connect(t, cluster.URL()+patient)
	cluster.Inject(standin.Next(1, standin.At(standin.AfterCommit, standin.Crash)))
	e := event("0")
	_, err := c.append("s", esdb.NoStream{}, e)
	refused(t, err, esdb.ErrorUnavailable)
	soon(t, "the node is down", func() bool { return cluster.Leader() < 0 })
	if err := cluster.Node(0).Start(); err != nil {
		t.Fatal(err)
	}
	c.must("s", esdb.NoStream{}, e)
}

func TestDiscoveryFails(t *testing.T) {
	cluster, _ := start(t, standin.Options{Nodes: 3})
	cluster.Inject(standin.Next(2, standin.At(standin.Discovery, standin.NotReady)))
	c := connect(t, cluster.URL()+patient)
	c.must("s", esdb.NoStream{}, event("0"))

	cluster.Inject(standin.At(standin.Discovery, standin.NotReady))
	_, err := connect(t, cluster.URL()+"&maxDiscoverAttempts=2&discoveryInterval=1").append("s", esdb.Any{}, event("1"))
	if err == nil || !strings.Contains(err.Error(), "maximum discovery attempt count reached") {
		t.Error(err)
	}
}

func TestConnectionsAreCounted(t *testing.T) {
	cluster, c := start(t, standin.Options{})
	c.must("s", esdb.NoStream{}, event("0"))
	if n := cluster.Connections(); n != 1 {
		t.Errorf("%d are open", n)
	}
	c.Close()
	soon(t, "the connection is closed", func() bool { return cluster.Connections() == 0 })
}
