package eventstoredb

// Metrics count how often the adapter had to work around its client.
type Metrics interface {
	ClientReplaced()        // a client was spent
	CallAbandoned()         // a call outlived its context, with its client
	AmbiguousRepeated()     // an append was repeated because nobody knew its outcome
	SubscriptionRestarted() // the subscription to all events broke, or fell silent
	RefusalMasked()         // a refusal came without its reason
}

type uncounted struct{}

func (uncounted) ClientReplaced()        {}
func (uncounted) CallAbandoned()         {}
func (uncounted) AmbiguousRepeated()     {}
func (uncounted) SubscriptionRestarted() {}
func (uncounted) RefusalMasked()         {}
