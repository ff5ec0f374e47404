package projections

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
)

// stage is how far a journey of a random history has come.
type stage int

const (
	asked stage = iota
	identified
	approved
	redeemed
	ended
)

// A history makes random events that could have happened: each step is taken
// only from where the aggregates permit it.
type history struct {
	*house
	r         *rand.Rand
	clients   []string
	customers []string
	suspended map[string]bool
	erased    map[string]bool
	journeys  []*journey
	stages    map[*journey]stage
	tokens    int
	calls     []*call
	said      map[*call]int // steps of a request that were taken
}

func randomHistory(h *house, seed uint64, steps int) *history {
	s := &history{
		house: h, r: rand.New(rand.NewPCG(seed, 1)),
		suspended: map[string]bool{}, erased: map[string]bool{}, stages: map[*journey]stage{}, said: map[*call]int{},
	}
	h.begin()
	for range 3 {
		s.newcomer()
	}
	for range steps {
		s.step()
	}
	return s
}

func (s *history) newcomer() {
	n := len(s.clients) + 1
	c, p := fmt.Sprintf("client%d", n), fmt.Sprintf("person%d", n)
	s.register(c, fmt.Sprintf("Client %d", n))
	s.enroll(p, fmt.Sprintf("Person %d", n))
	s.clients, s.customers = append(s.clients, c), append(s.customers, p)
}

func (s *history) step() {
	switch n := s.r.IntN(40); {
	case n == 0:
		s.newcomer()
	case n == 1:
		s.staff(s.clients[s.r.IntN(len(s.clients))])
	case n == 2:
		s.forget(s.customers[s.r.IntN(len(s.customers))])
	case n < 8 || len(s.journeys) == 0:
		s.open()
	case n < 10:
		s.refusal(s.any())
	case n < 12:
		s.itself(s.clients[s.r.IntN(len(s.clients))])
	case n < 18:
		s.calling()
	default:
		s.advance(s.any())
	}
}

func (s *history) any() *journey { return s.journeys[s.r.IntN(len(s.journeys))] }

// staff suspends, reinstates or renames a client.
func (s *history) staff(id string) {
	m := event.Meta{Actor: event.ActorOperator}
	switch {
	case s.suspended[id]:
		s.record("client-"+id, m, client.Reinstated{Reason: "cleared"})
		s.suspended[id] = false
	case s.r.IntN(2) == 0:
		s.record("client-"+id, m, client.Suspended{Reason: "suspicious"})
		s.suspended[id] = true
	default:
		s.record("client-"+id, m, client.Updated{Via: "operator", Metadata: oauth.ClientMetadata{ClientName: "New " + id}})
	}
}

func (s *history) open() {
	c, p := s.clients[s.r.IntN(len(s.clients))], s.customers[s.r.IntN(len(s.customers))]
	if s.erased[p] {
		return
	}
	j := newJourney(len(s.journeys)+1, c, p)
	if s.r.IntN(4) == 0 {
		s.record("consent-"+j.consent, event.Meta{Client: c}, consent.Lodged{Client: c, Expires: j.expires})
	}
	s.push(j)
	s.journeys = append(s.journeys, j)
	s.stages[j] = asked
}

// itself issues a token of client_credentials.
func (s *history) itself(id string) {
	s.tokens++
	s.record(fmt.Sprintf("token-own%d", s.tokens), event.Meta{Client: id}, token.Issued{
		Client: id, Audience: []string{"https://api.bank.example"}, Expires: s.now.Add(5 * time.Minute),
	})
}

func (s *history) advance(j *journey) {
	if s.erased[j.customer] {
		return
	}
	switch s.stages[j] {
	case asked:
		s.signIn(j)
		s.stages[j] = identified
	case identified:
		if s.r.IntN(5) == 0 {
			s.deny(j)
			s.stages[j] = ended
			return
		}
		s.approve(j)
		s.stages[j] = approved
	case approved:
		s.redeem(j)
		s.stages[j] = redeemed
	case redeemed:
		s.use(j)
	case ended:
		if s.r.IntN(3) == 0 {
			s.access(j, j.token, 403)
		}
	}
}

func (s *history) use(j *journey) {
	m := event.Meta{Actor: event.ActorSystem}
	switch s.r.IntN(8) {
	case 0:
		s.revoke(j)
		s.stages[j] = ended
	case 1:
		s.tokens++
		s.issue(j, fmt.Sprintf("more%d", s.tokens), "")
	case 2:
		s.record("consent-"+j.consent, m, consent.Suspended{By: consent.Bank, Reason: pii})
		s.record("consent-"+j.consent, j.person(), consent.Reauthenticated{ACR: "urn:pwd", AuthTime: s.now})
	case 3:
		s.record("consent-"+j.consent, m, consent.Superseded{By: "c1"})
		s.stages[j] = ended
	default:
		s.access(j, j.token, 200)
	}
}

// forget ends a customer's consents and erases her.
func (s *history) forget(customer string) {
	if s.erased[customer] {
		return
	}
	for _, j := range s.journeys {
		if j.customer == customer && (s.stages[j] == approved || s.stages[j] == redeemed) {
			s.record("consent-"+j.consent, event.Meta{Actor: event.ActorOperator, Subject: customer}, consent.Revoked{By: consent.Bank, Reason: pii})
		}
	}
	s.erase(customer)
	s.erased[customer] = true
}
