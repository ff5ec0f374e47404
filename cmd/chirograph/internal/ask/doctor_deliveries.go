package ask

import (
	"context"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/projections"
)

// unheard is how long a receiver that does not answer is nothing unusual.
const unheard = time.Hour

// deliveriesArrive says whether others learn what they are owed.
func deliveriesArrive(ctx context.Context, o Options) (string, string) {
	var b projections.Backlog
	if err := asked(ctx, o, "/admin/deliveries/backlog", &b); err != nil {
		return Bad, err.Error()
	}
	return judgeBacklog(b, time.Now())
}

func judgeBacklog(b projections.Backlog, now time.Time) (string, string) {
	parked, waiting := b.Count["parked"], b.Count["scheduled"]
	detail := fmt.Sprintf("%d arrived, %d parked, %d waiting", b.Count["delivered"], parked, waiting)
	late := false
	if waiting > 0 {
		age := now.Sub(b.Oldest)
		late = age > unheard
		detail += fmt.Sprintf(", the oldest for %s", age.Round(time.Second))
	}
	switch {
	case parked > 0:
		return Mind, detail + ": delivery list --status parked says which, delivery redeliver repeats one"
	case late:
		return Mind, detail + ": delivery list --status scheduled says to whom"
	}
	return Good, detail
}
