package projections

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"
)

func tables(t *testing.T, db *sql.DB) string {
	t.Helper()
	query := "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
	if dialect() == PostgreSQL {
		query = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
	}
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func TestRebuildWhileEventsArriveMissesNone(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	h.set = h.open(inFile(t))
	h.running()
	done := make(chan error, 1)
	go func() {
		for range 5 {
			if err := h.set.Rebuild(ctx, "audit"); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	randomHistory(h, 21, 300)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := h.set.WaitFor(ctx, h.head()); err != nil {
		t.Fatal(err)
	}
	if found, err := h.set.Verify(ctx); err != nil || len(found) > 0 {
		t.Errorf("verify: %v, %v", found, err)
	}
}

func TestRebuildThatFailsLeavesTheOldTables(t *testing.T) {
	h := newHouse(t)
	db := inMemory(t)
	h.set = h.open(db)
	h.tell()
	h.catchUp()
	before, names := dump(t, h.set.followers), tables(t, db)
	f, _ := h.set.follower("clients")
	f.Fold = func(context.Context, *Tx, []eventstore.Decoded) error { return errors.New("a fault") }
	if err := h.set.Rebuild(context.Background(), "clients"); err == nil {
		t.Fatal("the rebuild did not fail")
	}
	same(t, dump(t, h.set.followers), before)
	same(t, tables(t, db), names)
	if err := h.set.Rebuild(context.Background(), "nothing"); !errors.Is(err, ErrUnknown) {
		t.Errorf("a projection that is none: %v", err)
	}
}

func TestReopeningGoesOnFromTheCheckpoint(t *testing.T) {
	h := newHouse(t)
	db := inMemory(t)
	h.set = h.open(db)
	h.tell()
	h.catchUp()
	if err := h.set.Rebuild(context.Background(), "consents"); err != nil {
		t.Fatal(err)
	}
	before := dump(t, h.set.followers)
	h.set = h.open(db)
	for _, f := range h.set.followers {
		if f.waits.at() != h.head() {
			t.Errorf("%s begins at %d", f.Name, f.waits.at())
		}
	}
	same(t, dump(t, h.set.followers), before)
}

func TestOpenDropsWhatARebuildLeftUnfinished(t *testing.T) {
	h := newHouse(t)
	db := inMemory(t)
	h.set = h.open(db)
	names := tables(t, db)
	f, _ := h.set.follower("audit")
	if _, err := h.set.db.create(context.Background(), f.Projection, false); err != nil {
		t.Fatal(err)
	}
	h.open(db)
	same(t, tables(t, db), names)
}

// A new version is folded beside the one before, which stays for a step back;
// older ones go.
func TestANewVersionIsBuiltBesideTheOld(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	db := inMemory(t)
	h.tell()
	for version := 1; version <= 3; version++ {
		p := clientsProjection
		p.Version = version
		set, err := open(ctx, Config{DB: db, Dialect: dialect(), Journal: h.journal}, []Projection{p})
		if err != nil {
			t.Fatal(err)
		}
		if err := set.CatchUp(ctx); err != nil {
			t.Fatal(err)
		}
		if _, found, err := set.Clients.Get(ctx, "budgetly"); !found || err != nil {
			t.Errorf("version %d: %v, %v", version, found, err)
		}
	}
	same(t, tables(t, db), "clients_v2_g1 clients_v3_g1 projection_builds")
}

func TestTablesOfAnotherHistoryAreDropped(t *testing.T) {
	tests := []struct {
		name   string
		change func(h *house)
	}{
		{"another log", func(h *house) { h.replaceLog(); h.tell() }},
		{"a log that is shorter", func(h *house) { h.replaceLog(); h.begin() }},
		{"an empty log", func(h *house) { h.replaceLog() }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t)
			db := inMemory(t)
			h.set = h.open(db)
			h.tell()
			h.catchUp()
			test.change(h)
			h.set = h.open(db)
			h.catchUp()
			fresh := h.open(inMemory(t))
			if err := fresh.CatchUp(context.Background()); err != nil {
				t.Fatal(err)
			}
			same(t, dump(t, h.set.followers), dump(t, fresh.followers))
		})
	}
}

func (h *house) replaceLog() {
	h.now = begin.Add(time.Hour)
	h.log = memory.New(func() time.Time { return h.now })
	h.journal.Log, h.journal.Codec.Log = h.log, h.log.ID()
}

func TestTwoProcessesCannotMoveOneCheckpoint(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	h.tell()
	err := h.set.db.update(ctx, h.set.followers[0].active(), func(tx *Tx) error {
		from, err := tx.locate(ctx)
		if err != nil {
			return err
		}
		if err := tx.move(ctx, from, checkpoint{position: 5}); err != nil {
			return err
		}
		return tx.move(ctx, from, checkpoint{position: 6})
	})
	if err == nil {
		t.Error("a checkpoint moved from where it was not")
	}
}

func TestReadOnlyAsksTheTablesThatSomebodyElseKeeps(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	db := inMemory(t)
	config := Config{DB: db, Dialect: dialect(), Journal: h.journal, Scratch: scratchIn(t), ReadOnly: true}
	if _, err := Open(ctx, config); err == nil {
		t.Error("opened a database without tables")
	}
	h.set = h.open(db)
	h.tell()
	h.catchUp()
	writeProtect := "PRAGMA query_only = 1"
	if dialect() == PostgreSQL {
		writeProtect = "SET default_transaction_read_only = on"
	}
	if _, err := db.Exec(writeProtect); err != nil {
		t.Fatal(err)
	}
	reading, err := Open(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	same(t, dump(t, reading.followers), dump(t, h.set.followers))
	if found, err := reading.Verify(ctx); err != nil || len(found) > 0 {
		t.Errorf("verify: %v, %v", found, err)
	}
	h.replaceLog()
	if _, err := Open(ctx, config); !errors.Is(err, ErrBehind) {
		t.Errorf("tables of another log: %v", err)
	}
}
