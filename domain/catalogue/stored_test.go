package catalogue_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/chirograph/chirograph/domain/catalogue"
	"github.com/chirograph/chirograph/domain/event"
)

var update = flag.Bool("update", false, "write the stored forms that are missing; those that exist are never changed")

// A form is an event as it is stored, before sealing.
type form struct {
	Data   json.RawMessage            `json:"data"`
	Sealed map[string]json.RawMessage `json:"sealed,omitempty"`
}

func path(name string, version int) string {
	return filepath.Join("testdata", "stored", name, fmt.Sprintf("v%d.json", version))
}

// Today's form of every event is the one on file: who changes it declares a
// new version, with an upcaster from this one.
func TestStoredFormsAreKept(t *testing.T) {
	for _, row := range catalogue.Events.Rows() {
		t.Run(row.Name, func(t *testing.T) {
			want, err := encode(catalogue.Events, sample(row.Type))
			if err != nil {
				t.Fatal(err)
			}
			file := path(row.Name, row.Version)
			got, err := os.ReadFile(file)
			if os.IsNotExist(err) && *update {
				write(t, file, want)
				return
			}
			if err != nil {
				t.Fatalf("version %d has no stored form: run this test with -update and commit it: %v", row.Version, err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("the stored form changed without a new version\n got %s\nwant %s", want, got)
			}
		})
	}
}

// Every form that was ever stored is read and can be stored again; today's
// comes out as it went in.
func TestEveryStoredFormIsRead(t *testing.T) {
	for _, row := range catalogue.Events.Rows() {
		for version := 1; version <= row.Version; version++ {
			raw, err := os.ReadFile(path(row.Name, version))
			if err != nil {
				t.Errorf("%s v%d: %v", row.Name, version, err)
				continue
			}
			e, err := catalogue.Events.Decode(row.Name, version, unseal(t, raw))
			if err != nil {
				t.Errorf("%s v%d: %v", row.Name, version, err)
				continue
			}
			again, err := encode(catalogue.Events, e)
			if err != nil || version == row.Version && !bytes.Equal(again, raw) {
				t.Errorf("%s v%d is stored again as %s, %v", row.Name, version, again, err)
			}
			if version == row.Version && !reflect.DeepEqual(e, sample(row.Type)) {
				t.Errorf("%s v%d is read as %+v", row.Name, version, e)
			}
		}
	}
}

// Nothing on file may have lost its declaration.
func TestNoStoredFormIsForgotten(t *testing.T) {
	expected := map[string]bool{path("meta", 1): true}
	for _, row := range catalogue.Events.Rows() {
		for version := 1; version <= row.Version; version++ {
			expected[path(row.Name, version)] = true
		}
	}
	files, err := filepath.Glob(filepath.Join("testdata", "stored", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !expected[file] {
			t.Errorf("%s belongs to no declared version", file)
		}
	}
}

// Metadata has no version: members may be added, what was stored reads and
// is stored the same.
func TestStoredMeta(t *testing.T) {
	types := event.NewRegistry([]event.Declaration{event.MetaType})
	raw, err := os.ReadFile(path("meta", 1))
	if os.IsNotExist(err) && *update {
		first, err := encode(types, sample(reflect.TypeFor[event.Meta]()))
		if err != nil {
			t.Fatal(err)
		}
		write(t, path("meta", 1), first)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	m, err := types.Decode("meta", 1, unseal(t, raw))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := encode(types, m); err != nil || !bytes.Equal(again, raw) {
		t.Errorf("got %s, %v; want %s", again, err, raw)
	}
}

func encode(r *event.Registry, e any) ([]byte, error) {
	stored, err := r.Encode(e)
	if err != nil {
		return nil, err
	}
	f := form{Data: stored.Data, Sealed: map[string]json.RawMessage{}}
	for _, field := range stored.Sealed {
		f.Sealed[field.Name] = field.Value
	}
	text, err := json.MarshalIndent(f, "", "  ")
	return append(text, '\n'), err
}

// unseal puts the sealed fields of a form back into its data.
func unseal(t *testing.T, raw []byte) json.RawMessage {
	t.Helper()
	var f form
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(f.Data, &members); err != nil {
		t.Fatal(err)
	}
	maps.Copy(members, f.Sealed)
	whole, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return whole
}

func write(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
}
