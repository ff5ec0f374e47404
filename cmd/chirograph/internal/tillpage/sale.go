package tillpage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/story"
)

// What a sale can be.
const (
	waiting  = "waiting"
	approved = "approved"
	denied   = "denied"
	expired  = "expired"
	failed   = "failed"
)

// A sale is one request and what became of it.
type sale struct {
	ID       string
	Client   *story.Client
	Mode     string
	Ask      story.Ask
	Until    time.Time
	asked    story.Asked
	receiver *story.Receiver // of a client that is pinged
	leave    context.CancelFunc

	mu       sync.Mutex
	state    string
	accounts []account
	problem  string // why it failed
}

// An account is what the till may read of one.
type account struct {
	ID      string `json:"account_id"`
	Name    string `json:"name"`
	Number  string `json:"masked_number"`
	Balance string `json:"-"`
}

// now returns what has become of the sale.
func (s *sale) now() (state string, accounts []account, problem string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state, s.accounts, s.problem
}

// follow waits for the customer and then reads what was approved.
func (s *sale) follow(ctx context.Context, bank string) {
	cast := story.BackchannelCast{Client: s.Client, Mode: s.Mode, Receiver: s.receiver}
	tokens, err := cast.Learn(ctx, s.asked, func(string, string, string) {})
	var accounts []account
	if err == nil {
		accounts, err = read(ctx, s.Client, bank, tokens)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts = accounts
	switch {
	case err == nil:
		s.state = approved
	case errors.Is(err, story.ErrNotApproved):
		s.state = denied
	case errors.Is(err, story.ErrTooLate):
		s.state = expired
	default:
		s.state, s.problem = failed, err.Error()
	}
}

// read returns the accounts that the tokens open, with their balances.
func read(ctx context.Context, c *story.Client, bank string, tokens story.Tokens) ([]account, error) {
	var list struct {
		Accounts []account `json:"accounts"`
	}
	if err := get(ctx, c, bank+"/accounts", tokens, &list); err != nil {
		return nil, err
	}
	for i, a := range list.Accounts {
		var told struct {
			Balances []struct {
				Amount   string `json:"amount"`
				Currency string `json:"currency"`
			} `json:"balances"`
		}
		if err := get(ctx, c, bank+"/accounts/"+a.ID+"/balances", tokens, &told); err != nil {
			return nil, err
		}
		for _, b := range told.Balances {
			list.Accounts[i].Balance = b.Amount + " " + b.Currency
		}
	}
	return list.Accounts, nil
}

func get(ctx context.Context, c *story.Client, from string, tokens story.Tokens, into any) error {
	status, body, err := c.Get(ctx, from, tokens)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s: status %d", from, status)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}
