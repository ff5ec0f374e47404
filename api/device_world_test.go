package api

import (
	"strings"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"
)

// till is where Budgetly asks Alice for something; it can be answered for two
// minutes.
func (b *bank) till(changes ...func(*backchannel.Requested)) (id string) {
	b.t.Helper()
	at := newArtefact()
	asked := backchannel.Requested{
		Client: "budgetly", Subject: "alice", Digest: at.Digest(), Expires: b.clock.Now().Add(2 * time.Minute), Mode: oauth.Poll, Hint: "login_hint",
		Scope: "openid accounts", BindingMessage: "W4SCT",
	}
	for _, c := range changes {
		c(&asked)
	}
	m := event.Meta{Issuer: "north", Client: asked.Client, Subject: asked.Subject, Correlation: string(b.Backchannels.Stream(at.ID))}
	_, err := b.Backchannels.Execute(b.t.Context(), m, at.ID, backchannel.Request{Requested: asked})
	b.must(err)
	return at.ID
}

// told returns what is in the log of a request.
func (b *bank) told(id string) (state backchannel.State, types []string) {
	b.t.Helper()
	state, _, err := b.Backchannels.Load(b.t.Context(), id)
	b.must(err)
	for e, err := range b.log.ReadStream(b.t.Context(), b.Backchannels.Stream(id), 0) {
		b.must(err)
		types = append(types, strings.TrimPrefix(e.Type, "backchannel."))
	}
	return state, types
}

// flags returns the requests for which a client was flagged.
func (b *bank) flags(id string) (all []string) {
	b.t.Helper()
	for e, err := range b.Journal.Read(b.t.Context(), eventstore.Stream("client-"+id)) {
		b.must(err)
		if f, ok := e.Body.(client.Flagged); ok {
			all = append(all, f.Backchannel)
		}
	}
	return all
}

// phone is Alice's, who is signed in and looks at a request.
func (b *bank) phone(id string) (*person, screen) {
	p := b.person()
	return p, p.signIn(p.get(b.url+"/device/"+id), "alice")
}

func (b *bank) suspend(id string) {
	b.t.Helper()
	_, err := b.Clients.Execute(b.t.Context(), event.Meta{}, id, client.Suspend{Suspended: client.Suspended{Reason: "complaints"}})
	b.must(err)
}
