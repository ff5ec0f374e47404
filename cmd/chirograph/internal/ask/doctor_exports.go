package ask

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
)

// brokerTime is how long a broker may take to answer.
const brokerTime = 10 * time.Second

// brokersAnswer minds a broker that does not: its export waits, and nothing
// else does.
func brokersAnswer(ctx context.Context, o Options) (string, string) {
	brokers := platform.Brokers(o.Config.Export)
	names := slices.Sorted(maps.Keys(brokers))
	if len(names) == 0 {
		return Good, "nothing is exported"
	}
	ctx, done := context.WithTimeout(ctx, brokerTime)
	defer done()
	for _, name := range names {
		if err := brokers[name].Check(ctx); err != nil {
			return Mind, name + " gets nothing until this is mended: " + err.Error()
		}
	}
	return Good, strings.Join(names, " and ") + " can be reached"
}
