package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A status is what /proc says of a process. Times are in ticks of 10 ms there.
type status struct {
	parent int
	own    time.Duration // processor time, user and system
	ended  time.Duration // that of its children that have ended
}

func statusOf(pid int) (s status, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return s, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	number := func(i int) int {
		n, wrong := strconv.Atoi(fields[i])
		if wrong != nil {
			err = wrong
		}
		return n
	}
	const tick = 10 * time.Millisecond
	s = status{number(1), time.Duration(number(11)+number(12)) * tick, time.Duration(number(13)+number(14)) * tick}
	return s, err
}

// A database is a PostgreSQL server under measurement, by the id of its first
// process.
type database int

// databaseAt asks the server of a URL which processes it is.
func databaseAt(b *testing.B, url string) (first database) {
	b.Helper()
	c, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(context.Background())
	const ask = `SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)::integer`
	if err := c.QueryRow(b.Context(), ask).Scan(&first); err != nil {
		b.Fatal(err)
	}
	return first
}

// cpu is the processor time of the server: of its first process, of all that
// this has started, and of those that have ended.
func (d database) cpu(b *testing.B) time.Duration {
	b.Helper()
	first, err := statusOf(int(d))
	if err != nil {
		b.Fatal(err)
	}
	total := first.own + first.ended
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		b.Fatal(err)
	}
	for _, folder := range folders {
		pid, _ := strconv.Atoi(filepath.Base(folder))
		if child, err := statusOf(pid); err == nil && child.parent == int(d) { // others may end meanwhile
			total += child.own
		}
	}
	return total
}
