package platform

import (
	"errors"
	"os"
	"testing"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/domain/installation"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// in returns options for a folder.
func in(dir string) Options {
	c := config.Default()
	c.DataDir = dir
	return Options{Config: c, Version: "test"}
}

func made(t *testing.T, purpose string) string {
	t.Helper()
	o := in(t.TempDir())
	o.Create, o.Purpose = true, purpose
	p, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Keeper.Sign(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	return o.Config.DataDir
}

func TestALogKeepsItsPurpose(t *testing.T) {
	tests := []struct {
		have, want string
		good       bool
	}{
		{installation.Development, installation.Development, true},
		{installation.Development, installation.Production, false},
		{installation.Production, installation.Development, false},
		{installation.Production, installation.Production, true},
		{installation.Production, "", true},
	}
	for _, tt := range tests {
		o := in(made(t, tt.have))
		o.Purpose, o.Create = tt.want, true
		p, err := Open(t.Context(), o)
		wrong, refused := errors.AsType[*PurposeError](err)
		if refused == tt.good || refused && (wrong.Have != tt.have || wrong.Want != tt.want) {
			t.Errorf("%s as %q: %v", tt.have, tt.want, err)
		}
		if err == nil {
			p.Close()
		}
	}
}

func TestOpenMakesNothingInPlaceOfWhatIsMissing(t *testing.T) {
	if _, err := Open(t.Context(), in(t.TempDir())); !errors.Is(err, ErrNoData) {
		t.Errorf("an empty folder: %v", err)
	}
	for _, name := range []string{"master.key", "keyring.db", "log.db"} {
		t.Run(name, func(t *testing.T) {
			dir := made(t, installation.Production)
			o := in(dir)
			o.Create = true
			if err := os.Remove(folderOf(o.Config).file(name)); err != nil {
				t.Fatal(err)
			}
			_, err := Open(t.Context(), o)
			if _, missing := errors.AsType[*ledger.UnverifiableError](err); !missing {
				t.Errorf("got %v", err)
			}
			if _, err := os.Stat(folderOf(o.Config).file(name)); err == nil {
				t.Error("it was made anew")
			}
		})
	}
}

func TestReadingBesideAWriter(t *testing.T) {
	p, _ := opened(t)
	o := in(p.Config.DataDir)
	o.ReadOnly = true
	beside, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	if err := beside.Current(t.Context()); err != nil {
		t.Error(err)
	}
	_, err = beside.API.Subjects.Execute(t.Context(), beside.Meta("test"), "alice", subject.Enroll{})
	if err == nil {
		t.Error("a reader has written")
	}
}

func TestAnErasureThatACrashCutOffIsCompleted(t *testing.T) {
	tests := []struct {
		name  string
		crash func(t *testing.T, p *Platform)
	}{
		{"after the event", func(*testing.T, *Platform) {}},
		{"after the list", func(t *testing.T, p *Platform) {
			if err := ledger.RecordErasure(p.Folder.Checkpoints, ledger.Erasure{Subject: "alice", Position: 3}); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, _ := opened(t)
			m := p.Meta("test")
			m.Subject = "alice"
			for _, cmd := range []subject.Command{subject.Enroll{Enrolled: subject.Enrolled{Issuer: "bank", Name: "Alice"}}, subject.Erase{}} {
				if _, err := p.API.Subjects.Execute(t.Context(), m, "alice", cmd); err != nil {
					t.Fatal(err)
				}
			}
			tt.crash(t, p)
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			again, err := Open(t.Context(), in(p.Config.DataDir))
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			if _, err := again.Ring.Opener(t.Context(), "subject:alice"); !errors.Is(err, eventstore.ErrErased) {
				t.Errorf("the key is still there: %v", err)
			}
			listed, err := ledger.Erasures(again.Folder.Checkpoints)
			if err != nil || len(listed) == 0 || listed[0].Subject != "alice" {
				t.Errorf("the list is %v, %v", listed, err)
			}
		})
	}
}
