package standin_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// What was acknowledged is there for the next process; what it was in the
// middle of writing is not.
func TestAFileKeepsTheLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	open := func() (*standin.Cluster, client) {
		cluster, err := standin.Start(standin.Options{File: path})
		if err != nil {
			t.Fatal(err)
		}
		return cluster, connect(t, cluster.URL())
	}
	cluster, c := open()
	a, b := event("0"), event("1")
	written := c.must("s", esdb.NoStream{}, a, b)
	c.describe("s", func(m *esdb.StreamMetadata) { m.SetTruncateBefore(1) })
	c.must("gone", esdb.NoStream{}, event("x"))
	if err := c.tombstone("gone", esdb.Any{}); err != nil {
		t.Fatal(err)
	}
	before, err := c.readAll(esdb.ReadAllOptions{From: esdb.Start{}}, 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	unfinished := [][]byte{content[:50], append([]byte{0, 0, 0, 9, 1, 2, 3, 4}, make([]byte, 10_000)...)}
	for _, torn := range unfinished {
		if content, err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(content, torn...), 0o600); err != nil {
			t.Fatal(err)
		}
		cluster, c = open()
		if f, err := os.Stat(path); err != nil || f.Size() > int64(len(content))+500 {
			t.Errorf("the file holds %d bytes, %v", f.Size(), err)
		}
		after, err := c.readAll(esdb.ReadAllOptions{From: esdb.Start{}}, uint64(len(before)))
		if err != nil || len(after) != len(before) {
			t.Fatal(len(after), err)
		}
		for i, e := range after {
			was := before[i]
			if e.EventID != was.EventID || e.Position != was.Position || e.EventNumber != was.EventNumber || !e.CreatedDate.Equal(was.CreatedDate) ||
				string(e.Data) != string(was.Data) || string(e.UserMetadata) != string(was.UserMetadata) || e.ContentType != was.ContentType {
				t.Errorf("%+v became %+v", was, e)
			}
		}
		if got, err := c.read("s", esdb.ReadStreamOptions{}, 9); err != nil || strings.Join(kinds(got), "") != "1" {
			t.Errorf("the stream: %v, %v", kinds(got), err)
		}
		if w := c.must("s", esdb.NoStream{}, a, b); *w != *written {
			t.Errorf("the repeat is answered with %v", w)
		}
		_, err = c.append("gone", esdb.Any{}, event("x"))
		refused(t, err, esdb.ErrorCodeStreamDeleted)
		c.must("more", esdb.Any{}, event("y"))
		if err := cluster.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
