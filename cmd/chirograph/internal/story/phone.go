package story

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Phone has the bank's page of requests open, on which a customer is signed
// in.
type Phone struct {
	browser *Browser
	page    string
	told    *bufio.Scanner
	stream  io.Closer
}

// OpenPhone signs a customer in on the phone page, which then stays open: the
// bank tells it of requests as they come. Close it after use.
func OpenPhone(ctx context.Context, over http.RoundTripper, issuer string, who Customer) (*Phone, error) {
	p := &Phone{browser: NewBrowser(over), page: issuer + "/device"}
	page, err := p.browser.Open(ctx, p.page)
	if err == nil {
		page, err = p.browser.signInOn(ctx, page, who)
	}
	if err != nil {
		return nil, err
	}
	if _, refused := page.FormWith("login"); refused || page.Status != http.StatusOK {
		return nil, page.unexpected("the requests of " + who.Login)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.page+"/events", nil)
	if err != nil {
		return nil, err
	}
	events, err := p.browser.http.Do(r)
	if err != nil {
		return nil, err
	}
	p.told, p.stream = bufio.NewScanner(events.Body), events.Body
	if events.StatusCode != http.StatusOK {
		p.Close()
		return nil, fmt.Errorf("%s: status %d", r.URL, events.StatusCode)
	}
	if err := p.news(); err != nil { // of the list as it was
		p.Close()
		return nil, err
	}
	return p, nil
}

// Close leaves the page.
func (p *Phone) Close() error { return p.stream.Close() }

// Await returns when the page was told that its list is old, and lists a
// request.
func (p *Phone) Await(ctx context.Context, request string) error {
	for {
		if err := p.news(); err != nil {
			return err
		}
		for range looks {
			if listed, err := p.lists(ctx, request); err != nil || listed {
				return err
			}
			if err := wait(ctx, lookEvery); err != nil {
				return err
			}
		}
	}
}

// The node that serves the page may learn of a request after the one that told
// of it.
const (
	looks     = 20
	lookEvery = 50 * time.Millisecond
)

// news returns when the page is told that its list is old.
func (p *Phone) news() error {
	for p.told.Scan() {
		if p.told.Text() == "event: requests" {
			return nil
		}
	}
	if err := p.told.Err(); err != nil {
		return err
	}
	return fmt.Errorf("the phone page was told no more: %w", io.ErrUnexpectedEOF)
}

func (p *Phone) lists(ctx context.Context, request string) (bool, error) {
	list, err := p.browser.Open(ctx, p.page)
	return slices.ContainsFunc(list.Links, func(to string) bool { return strings.HasSuffix(to, "/device/"+request) }), err
}

// Answer opens a request and answers it, "approve" with every account or
// "deny".
func (p *Phone) Answer(ctx context.Context, request string, who Customer, decision string) error {
	page, err := p.browser.Open(ctx, p.page+"/"+request)
	if err != nil {
		return err
	}
	return p.browser.answer(ctx, page, who, decision)
}
