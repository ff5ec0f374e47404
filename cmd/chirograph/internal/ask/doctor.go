package ask

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/chirograph/chirograph/adapters/mtls"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/eventstore/ledger"
	"github.com/chirograph/chirograph/projections"
)

// Results of a [Finding].
const (
	Good  = "ok"
	Mind  = "mind" // nothing is wrong yet
	Bad   = "bad"
	soon  = 14 * 24 * time.Hour
	group = 0o077 // permissions of anybody but the owner
)

// A Finding is what one check of a doctor found.
type Finding struct {
	Check  string `json:"check"`
	Result string `json:"result"`
	Detail string `json:"detail"`
}

// Examine looks at everything that can be looked at without changing it.
func Examine(ctx context.Context, o Options) []Finding {
	checks := []struct {
		name string
		run  func(context.Context, Options) (result, detail string)
	}{
		{"data folder", folderPrivate}, {"log", logOpens}, {"purpose", forCustomers}, {"checkpoints", checkpointsAgree}, {"second checkpoint folder", secondFolder},
		{"master key", masterKeyApart}, {"disk", roomLeft}, {"clock", clockRight},
		{"certificate", certificateLasts}, {"server", serverAnswers}, {"projections", projectionsKeepUp}, {"deliveries", deliveriesArrive},
		{"exports", brokersAnswer},
	}
	var all []Finding
	for _, c := range checks {
		result, detail := c.run(ctx, o)
		all = append(all, Finding{c.name, result, plain(detail)})
	}
	return all
}

// plain leaves line ends out: a finding is one line.
func plain(detail string) string { return strings.Join(strings.Fields(detail), " ") }

func folderPrivate(_ context.Context, o Options) (string, string) {
	about, err := os.Stat(o.Config.DataDir)
	switch {
	case err != nil:
		return Bad, o.Config.DataDir + " is not there: is it the folder? --config or --data says which"
	case about.Mode().Perm()&group != 0:
		return Bad, fmt.Sprintf("%s can be read by others: chmod 700", o.Config.DataDir)
	}
	return Good, o.Config.DataDir
}

func examined(ctx context.Context, o Options, look func(*platform.Platform) (string, string)) (string, string) {
	p, err := platform.Examine(ctx, platform.Options{Config: o.Config, Version: o.Version, Log: o.Log}, true)
	if err != nil {
		return Bad, err.Error()
	}
	defer p.Close()
	return look(p)
}

func logOpens(ctx context.Context, o Options) (string, string) {
	return examined(ctx, o, func(p *platform.Platform) (string, string) {
		size, err := p.Log.Size(ctx)
		if tail, ok := p.Log.(interface{ CheckTail(context.Context) error }); ok && err == nil {
			err = tail.CheckTail(ctx)
		}
		if err != nil {
			return Bad, err.Error()
		}
		return Good, fmt.Sprintf("%d events, the last ones unaltered, log %s", size, p.Log.ID())
	})
}

// clockError is how far clocks may differ before codes of a node that is behind
// are too old for the others.
const clockError = 5 * time.Second

func clockRight(ctx context.Context, o Options) (string, string) {
	if !o.Config.Store.Shared() {
		return Good, "one node has one clock"
	}
	return examined(ctx, o, func(p *platform.Platform) (string, string) {
		off, err := p.ClockDifference(ctx)
		switch {
		case err != nil:
			return Bad, err.Error()
		case off.Abs() > clockError:
			return Bad, fmt.Sprintf("%s ahead of the database's: codes of a node that is behind are too old for the others", off.Round(time.Millisecond))
		}
		return Good, fmt.Sprintf("%s ahead of the database's", off.Round(time.Millisecond))
	})
}

func checkpointsAgree(ctx context.Context, o Options) (string, string) {
	return examined(ctx, o, func(p *platform.Platform) (string, string) {
		s, err := ledger.Stand(ctx, p.Log, p.CheckpointKey(), p.Folder.Checkpoints)
		switch {
		case err != nil:
			return Bad, err.Error()
		case s.Newest.Size == 0:
			return Mind, "none was signed yet"
		}
		return Good, fmt.Sprintf("the newest covers %d events, epoch %d", s.Newest.Size, s.Epoch)
	})
}

func secondFolder(_ context.Context, o Options) (string, string) {
	if o.Config.Checkpoints.Folder == "" {
		return Mind, "checkpoints.folder is not set: who puts back the whole data folder is not noticed"
	}
	if _, err := os.Stat(o.Config.Checkpoints.Folder); err != nil {
		return Bad, err.Error() + ": is it mounted?"
	}
	return Good, o.Config.Checkpoints.Folder
}

// masterKeyApart says that who copies the folder copies the key as well.
func masterKeyApart(_ context.Context, o Options) (string, string) {
	if o.Config.Keys.MasterKeyFile == "" {
		return Mind, "it lies in the data folder: keys.master_key_file can name a place that no backup has"
	}
	return Good, o.Config.Keys.MasterKeyFile
}

// roomLeft warns before the disk is full, because then nothing is served.
func roomLeft(_ context.Context, o Options) (string, string) {
	free, of, err := space(o.Config.DataDir)
	if err != nil {
		return Mind, err.Error()
	}
	detail := fmt.Sprintf("%d MiB of %d MiB free", free>>20, of>>20)
	if free < of/10 || free < leastRoom {
		return Mind, detail
	}
	return Good, detail
}

// leastRoom is enough for some hundred thousand tokens.
const leastRoom = 1 << 30

func certificateLasts(_ context.Context, o Options) (string, string) {
	c := o.Config.Public.TLS
	if c == (config.TLS{}) {
		return Mind, "none is known here: use --config"
	}
	r, err := mtls.NewReloader(c.Cert, c.Key, o.Log)
	if err != nil {
		return Bad, err.Error()
	}
	shown, err := r.Certificate(nil)
	if err != nil || shown.Leaf == nil {
		return Bad, "the certificate cannot be read"
	}
	left := time.Until(shown.Leaf.NotAfter)
	detail := "valid until " + shown.Leaf.NotAfter.UTC().Format(time.DateOnly)
	switch {
	case left <= 0:
		return Bad, detail
	case left < soon:
		return Mind, detail
	case strings.HasPrefix(shown.Leaf.Issuer.CommonName, mtls.DevelopmentAuthority):
		return Mind, detail + ", but from an authority that config init made for localhost"
	}
	return Good, detail
}

func serverAnswers(ctx context.Context, o Options) (string, string) {
	r, running, err := find(ctx, o.Config)
	switch {
	case err != nil:
		return Bad, err.Error()
	case !running:
		return Mind, "none is running on this folder"
	}
	status, body, err := r.client.Do(ctx, http.MethodGet, r.origin+"/readyz?verbose", r.tokens, nil)
	if err != nil {
		return Bad, err.Error()
	}
	if status != http.StatusOK {
		return Bad, "not ready: " + strings.Join(unready(string(body)), "; ")
	}
	return Good, "ready, at " + r.origin
}

// unready are the conditions of readiness that do not hold.
func unready(verbose string) (all []string) {
	for line := range strings.Lines(verbose) {
		if why, bad := strings.CutPrefix(strings.TrimSpace(line), "[-] "); bad {
			all = append(all, why)
		}
	}
	return all
}

// asked reads one answer of the installation.
func asked(ctx context.Context, o Options, path string, into any) error {
	a, err := Open(ctx, o)
	if err != nil {
		return err
	}
	raw, err := a.Do(ctx, http.MethodGet, path, nil)
	if err = errors.Join(err, a.Close()); err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

func projectionsKeepUp(ctx context.Context, o Options) (string, string) {
	var all struct {
		Items []projections.Health `json:"items"`
	}
	if err := asked(ctx, o, "/admin/projections", &all); err != nil {
		return Bad, err.Error()
	}
	for _, p := range all.Items {
		if p.Failing != "" {
			return Bad, p.Name + ": " + p.Failing
		}
		if p.Lag() > uint64(o.Config.Projections.LagBudget) {
			return Mind, fmt.Sprintf("%s is %d events behind", p.Name, p.Lag())
		}
	}
	return Good, fmt.Sprintf("%d in step", len(all.Items))
}
