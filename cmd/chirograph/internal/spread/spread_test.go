package spread

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

func start(t *testing.T, targets ...string) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- New(l, targets...).Run(ctx) }()
	t.Cleanup(func() {
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

func node(t *testing.T, name string) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) }))
	t.Cleanup(s.Close)
	return s
}

func ask(t *testing.T, url string, times int) (answers []string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for range times {
		response, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, string(text))
	}
	return answers
}

func TestConnectionsGoRoundInTurn(t *testing.T) {
	a, b, c := node(t, "a"), node(t, "b"), node(t, "c")
	url := start(t, a.Listener.Addr().String(), b.Listener.Addr().String(), c.Listener.Addr().String())
	if got, want := ask(t, url, 6), []string{"a", "b", "c", "a", "b", "c"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestANodeThatIsDownIsPassedOver(t *testing.T) {
	a, b := node(t, "a"), node(t, "b")
	url := start(t, a.Listener.Addr().String(), b.Listener.Addr().String())
	a.Close()
	if got, want := ask(t, url, 3), []string{"b", "b", "b"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
