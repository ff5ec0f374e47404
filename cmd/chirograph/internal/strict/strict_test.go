package strict

import (
	"errors"
	"reflect"
	"testing"
	"time"
)

type document struct {
	Name   string            `json:"name"`
	Listen listen            `json:"listen"`
	Tags   []string          `json:"tags"`
	Rates  map[string]listen `json:"rates"`
	Any    any               `json:"any"`
	On     *bool             `json:"on"`
	embedded
}

type embedded struct {
	Size int `json:"size"`
}

type listen struct {
	Address string   `json:"address"`
	Timeout duration `json:"timeout"`
}

type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = duration(v)
	if err != nil {
		return errors.New("must be a duration such as 90s")
	}
	return nil
}

func TestDecode(t *testing.T) {
	yes := true
	tests := []struct {
		name, text string
		want       document
		err        string
	}{
		{"values are read by their JSON names", "name: a\nlisten: {address: \":1\", timeout: 90s}\nsize: 3\ntags: [x, y]\n",
			document{Name: "a", Listen: listen{":1", duration(90 * time.Second)}, embedded: embedded{3}, Tags: []string{"x", "y"}}, ""},
		{"a number may be a name", "name: 0123\n", document{Name: "0123"}, ""},
		{"nothing is fine", "# only a comment\n", document{}, ""},
		{"absent is null", "on:\n", document{}, ""},
		{"present is not", "on: true\n", document{On: &yes}, ""},
		{"free values stay as they are", "any: {b: [1]}\n", document{Any: map[string]any{"b": []any{1.0}}}, ""},
		{"an unknown key has its line and its neighbour", "name: a\nlisten:\n  adress: x\n", document{},
			`line 3: unknown key "listen.adress", did you mean "listen.address"?`},
		{"or no neighbour if none is near", "zebra: a\n", document{}, `line 1: unknown key "zebra"`},
		{"in maps too", "rates:\n  fast: {tmeout: 1s}\n", document{}, `line 2: unknown key "rates.fast.tmeout", did you mean "rates.fast.timeout"?`},
		{"a key may not come twice", "name: a\nname: b\n", document{}, "line 2: name: is given twice"},
		{"a list is no name", "name: [a]\n", document{}, "line 1: name: must be a single value"},
		{"a name is no list", "tags: a\n", document{}, "line 1: tags: must be a list"},
		{"a name is no section", "listen: a\n", document{}, "line 1: listen: must have members"},
		{"a duration has a unit", "listen: {timeout: 90}\n", document{}, `line 1: listen.timeout: must be a duration such as 90s`},
		{"a number is a number", "size: many\n", document{}, "line 1: size: must be a whole number"},
		{"a switch is a switch", "on: maybe\n", document{}, "line 1: on: must be true or false"},
		{"aliases could hide what is said", "name: &x a\nany: *x\n", document{}, "line 2: any: aliases are not supported"},
		{"YAML must be YAML", "a: [\n", document{}, "line 1: did not find expected node content"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got document
			err := Decode([]byte(tt.text), &got)
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("got %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	known := []string{"public", "admin", "trusted_proxies"}
	for name, want := range map[string]string{"pubilc": "public", "trustedproxies": "trusted_proxies", "Admin": "admin", "x": "", "zebra": ""} {
		if got := Nearest(name, known); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("name: a\nlisten: {address: b}\n"))
	f.Add([]byte("a: &b [*b]\n"))
	f.Add([]byte("? [a]\n: b\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var d document
		Decode(text, &d)
		Paths(text)
	})
}
