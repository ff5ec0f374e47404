package eventstore

// A watched log tells of what is written to it: exactly, if it is
// [Observable]; at most [Staleness] late, if the journal has a [Feed]; or not
// at all.
type watched struct {
	exact bool
	feed  *Feed
}

// watch has o told of what is written to the log, by the best means there is.
func (j *Journal) watch(o Observer, exactly bool) watched {
	if log, ok := j.Log.(Observable); ok {
		log.Observe(o.See)
		return watched{exact: true}
	}
	if j.Feed == nil || exactly {
		return watched{}
	}
	j.Feed.Observe(o)
	return watched{feed: j.Feed}
}

// knows reports whether o may trust what it holds. It must be asked before
// that is looked up, so that what is found was true after it was asked.
func (w watched) knows() bool { return w.exact || w.feed != nil && w.feed.Fresh() }

// ever reports whether there is any use in holding anything.
func (w watched) ever() bool { return w.exact || w.feed != nil }
