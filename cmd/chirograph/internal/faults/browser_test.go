package faults

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/story"
)

// A person decides in a browser of their own, and stays signed in.
type person struct {
	story.Customer
	browser *story.Browser
}

func (p *players) person(i int) *person {
	return &person{customer(i), story.NewBrowser(p.over)}
}

var errNoCode = errors.New("no code")

// approve opens a request and says yes, signing in if that is asked. Where a
// yes was recorded before and its answer lost, opening the request again
// completes it.
func (p *players) approve(ctx context.Context, who *person, o operation, r story.Request) (operation, url.Values) {
	var answer url.Values
	o.Kind, o.Journey = approving, journeyOf(r.URL)
	return p.do(ctx, everywhere, o, func(ctx context.Context, o *operation) error {
		page, err := who.browser.Open(ctx, r.URL)
		for err == nil && page.Status < 400 && !page.URL.Query().Has("code") {
			if page, err = who.step(ctx, page); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
		if answer = page.URL.Query(); !answer.Has("code") {
			return fmt.Errorf("%w: status %d at %s", errNoCode, page.Status, page.URL.Path)
		}
		o.Code = digest(answer.Get("code"))
		return nil
	}), answer
}

// step fills in the form that a page shows.
func (w *person) step(ctx context.Context, page story.Page) (story.Page, error) {
	if form, found := page.FormWith("login"); found {
		form.Fields.Set("user", w.Login)
		form.Fields.Set("password", w.Password)
		return w.browser.Submit(ctx, page, form, "login")
	}
	form, found := page.FormWith("approve")
	if !found {
		return page, fmt.Errorf("%w: %s with status %d asks nothing", errNoCode, page.URL, http.StatusOK)
	}
	for name, values := range form.Choices {
		form.Fields[name] = values
	}
	return w.browser.Submit(ctx, page, form, "approve")
}
