package admin

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/chirograph/chirograph/projections"
)

// What is declared and what is shown has the members that are described: those
// of a declaration admit no others.
func TestDescriptionHasEveryMember(t *testing.T) {
	var document struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any `yaml:"properties"`
			} `yaml:"schemas"`
		} `yaml:"components"`
	}
	if err := yaml.Unmarshal(description, &document); err != nil {
		t.Fatal(err)
	}
	for name, kind := range map[string]any{
		"Document": Document{}, "Issuer": Issuer{}, "Settings": Settings{}, "KeyPolicy": KeyPolicy{}, "Client": Client{}, "Customer": Customer{},
		"Consent": projections.Consent{}, "Backchannel": projections.Backchannel{}, "Delivery": projections.Delivery{}, "Backlog": projections.Backlog{},
	} {
		described := slices.Sorted(maps.Keys(document.Components.Schemas[name].Properties))
		if want := members(reflect.TypeOf(kind)); !slices.Equal(described, want) {
			t.Errorf("%s is described with\n%v, it has\n%v", name, described, want)
		}
	}
}

// members are the names of what a value is written with. Files are read by
// commands and never sent.
func members(kind reflect.Type) (names []string) {
	for i := range kind.NumField() {
		name, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
		if name != "" && name != "-" && !strings.HasSuffix(name, "_file") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
