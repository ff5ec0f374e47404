package standin

import "time"

// Options say what is started. The zero Options are one node in memory
// without TLS or a password.
type Options struct {
	Nodes int // 1 or 3; 0 is 1
	Port  int // of the first node, the others follow; 0 takes free ones

	Now func() time.Time // when events are created; nil is time.Now

	Version  string // that the nodes report; "" is 24.10.9
	CaughtUp bool   // whether subscribers are told that they caught up, as from 23.10 on

	MaxAppendBytes int           // of one call; 0 is 1 MiB
	RecentIDs      int           // that repeats with Any and StreamExists are recognised by; 0 is 100,000
	StatsEvery     int           // a system event follows every so many appended ones; 0 is never
	ElectionDelay  time.Duration // between the loss of a leader and the next one; negative waits for Elect

	TLS      bool   // with a certificate authority of its own
	User     string // that callers must know, with Password; "" admits everybody
	Password string

	File string // that keeps what was acknowledged across processes; "" is memory
}

func (o *Options) setDefaults() {
	o.Nodes = max(o.Nodes, 1)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Version == "" {
		o.Version = "24.10.9"
	}
	if o.MaxAppendBytes == 0 {
		o.MaxAppendBytes = 1 << 20
	}
	if o.RecentIDs == 0 {
		o.RecentIDs = 100_000
	}
}
