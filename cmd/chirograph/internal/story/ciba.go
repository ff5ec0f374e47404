package story

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// A BackchannelCast is who plays an authentication that a client starts while
// the customer is somewhere else (CIBA).
type BackchannelCast struct {
	Client   *Client
	Mode     string // in which the client learns of the answer
	Ask      Ask
	Customer Customer
	Decision string            // "approve" or "deny" by the customer of the cast; "" if somebody else has the phone
	Phone    http.RoundTripper // of the customer
	Receiver *Receiver         // of a client that is called
	Bank     string            // base URL of the accounts API
}

// A BackchannelOutcome is what remains of it.
type BackchannelOutcome struct {
	Request  string // id, which is no secret
	Approved bool
	Late     bool // nobody answered in time
}

// PlayBackchannel asks, waits for the customer's answer as the client's mode
// has it, and uses what was approved. A no is an outcome and no error, and so is
// silence.
func PlayBackchannel(ctx context.Context, cast BackchannelCast, tell Tell) (out BackchannelOutcome, err error) {
	phone, err := cast.phone(ctx)
	if err != nil {
		return out, fmt.Errorf("the phone page: %w", err)
	}
	if phone != nil {
		defer phone.Close()
	}
	asked, err := cast.Client.Authenticate(ctx, cast.Ask)
	if err != nil {
		return out, fmt.Errorf("ask: %w", err)
	}
	if named, ok := oauth.ParseArtefact(asked.ID); ok {
		out.Request = named.ID
	}
	tell(cast.Client.Name, "asks for "+cast.Ask.LoginHint+", who is somewhere else", fmt.Sprintf("accepted for %d s", asked.Expires))
	tell("", "both screens show", "“"+cast.Ask.Message+"”")
	tell("", "the phone is at", cast.Client.Issuer+"/device")
	if phone != nil {
		if err := cast.answer(ctx, phone, out.Request, tell); err != nil {
			return out, fmt.Errorf("%s on the phone page: %w", cast.Decision, err)
		}
	}
	tokens, err := cast.Learn(ctx, asked, tell)
	switch {
	case errors.Is(err, ErrNotApproved):
		tell(cast.Client.Name, "learns the answer", string(oauth.AccessDenied))
		return out, nil
	case errors.Is(err, ErrTooLate):
		tell(cast.Client.Name, "learns that there is no answer", string(oauth.ExpiredToken))
		out.Late = true
		return out, nil
	case err != nil:
		return out, err
	}
	out.Approved = true
	return out, Cast{Client: cast.Client, Bank: cast.Bank}.read(ctx, tokens, tell)
}

// phone returns the phone of a customer who answers, with the page open before
// anybody asks.
func (c BackchannelCast) phone(ctx context.Context) (*Phone, error) {
	if c.Decision == "" {
		return nil, nil
	}
	return OpenPhone(ctx, c.Phone, c.Client.Issuer, c.Customer)
}

func (c BackchannelCast) answer(ctx context.Context, phone *Phone, request string, tell Tell) error {
	if err := phone.Await(ctx, request); err != nil {
		return err
	}
	tell(c.Customer.Name, "has the phone page open", "is told of the request")
	err := phone.Answer(ctx, request, c.Customer, c.Decision)
	if err == nil {
		tell(c.Customer.Name, "reads on the phone what is asked", map[string]string{"approve": "approved", "deny": "denied"}[c.Decision])
	}
	return err
}

// Learn waits for the answer and returns the tokens. It fails with
// [ErrNotApproved] if that is a no, and with [ErrTooLate] if there is none.
func (c BackchannelCast) Learn(ctx context.Context, asked Asked, tell Tell) (Tokens, error) {
	switch c.Mode {
	case oauth.Ping:
		switch _, err := c.Receiver.Wait(ctx, asked, 0); {
		case errors.Is(err, ErrNotCalled): // nobody is pinged because of an expiry (CIBA §10.2)
			tell(c.Client.Name, "is not pinged in time", "polls")
		case err != nil:
			return Tokens{}, err
		default:
			tell(c.Client.Name, "is pinged at "+c.Receiver.Path, "answered 204")
		}
	case oauth.Push:
		return c.pushed(ctx, asked, tell)
	}
	tokens, err := c.Client.Poll(ctx, asked)
	if err != nil {
		return tokens, err
	}
	if _, err := c.Client.Verify(ctx, tokens.ID); err != nil {
		return tokens, err
	}
	tell(c.Client.Name, "redeems the auth_req_id", "issued")
	return tokens, nil
}

// afterwards is how long after its expiry a client is told that a request ran
// out (CIBA, Section 12).
const afterwards = 10 * time.Second

// pushed takes tokens that came by themselves, if they are what they say (CIBA,
// Section 10.3.1).
func (c BackchannelCast) pushed(ctx context.Context, asked Asked, tell Tell) (Tokens, error) {
	push, err := c.Receiver.Wait(ctx, asked, afterwards)
	switch {
	case err != nil:
		return Tokens{}, err
	case push.Code == string(oauth.AccessDenied):
		return Tokens{}, ErrNotApproved
	case push.Code == string(oauth.ExpiredToken):
		return Tokens{}, ErrTooLate
	case push.Code != "":
		return Tokens{}, fmt.Errorf("an error was pushed: %s: %s", push.Code, push.Description)
	}
	id, err := c.Client.Verify(ctx, push.ID)
	if err == nil {
		err = id.CheckPush(push)
	}
	if err != nil {
		return Tokens{}, err
	}
	tell(c.Client.Name, "is sent tokens, which the ID token vouches for", "answered 204")
	return push.Tokens, nil
}

// Decide signs a customer in on the phone page and answers a request there.
func (b *Browser) Decide(ctx context.Context, issuer, request string, who Customer, decision string) error {
	page, err := b.Open(ctx, issuer+"/device/"+request)
	if err == nil {
		page, err = b.signInOn(ctx, page, who)
	}
	if err != nil {
		return err
	}
	return b.answer(ctx, page, who, decision)
}

// answer answers the request that a page shows.
func (b *Browser) answer(ctx context.Context, page Page, who Customer, decision string) (err error) {
	request := page.URL.Path
	form, found := page.FormWith(decision)
	if !found {
		return page.unexpected("the request")
	}
	form.Fields.Set("password", who.Password)
	for name, values := range form.Choices {
		form.Fields[name] = values
	}
	if page, err = b.Submit(ctx, page, form, decision); err != nil {
		return err
	}
	if _, asksStill := page.FormWith(decision); asksStill || page.Status != http.StatusOK || page.URL.Path != request {
		return page.unexpected("that the request was answered")
	}
	return nil
}
