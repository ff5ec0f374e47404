package limits

import "time"

// longest is how long a request waits at most because of what other nodes let
// through.
const longest = time.Minute

// Spent returns how many requests of each key were let through since the call
// before, for other nodes to [Limits.Spend]. It begins to count at the first
// call: a node that is alone counts nothing. Keys without a limit are not
// counted, and not more keys than there are buckets; the others are limited on
// each node.
func (l *Limits) Spent() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	spent := l.spent
	l.spent = map[string]int{}
	return spent
}

func (l *Limits) count(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.spent == nil {
		return
	}
	if _, found := l.spent[key]; found || len(l.spent) < l.most {
		l.spent[key]++
	}
}

// uncount takes back what other nodes have not been told yet.
func (l *Limits) uncount(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch n := l.spent[key]; {
	case n > 1:
		l.spent[key]--
	case n == 1:
		delete(l.spent, key)
	}
}

// Spend takes from the buckets of this node what other nodes have let through
// meanwhile. Nodes that do so again and again keep each rate together in the
// long run: when they have let through too much, all of them wait until the
// rate has made up for it, but no longer than a minute.
func (l *Limits) Spend(others map[string]int, now time.Time) {
	for key, n := range others {
		if r := l.rate(key); r.limits() {
			l.bucket(key, r, now).owe(r, n, now, longest)
		}
	}
}
