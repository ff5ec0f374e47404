package admin

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

type operation struct {
	ID     string   `yaml:"operationId"`
	Scopes []string `yaml:"x-scopes"`
	Body   any      `yaml:"requestBody"`
}

func TestDescriptionHasExactlyTheRoutes(t *testing.T) {
	var document struct {
		OpenAPI string                          `yaml:"openapi"`
		Paths   map[string]map[string]yaml.Node `yaml:"paths"`
	}
	if err := yaml.Unmarshal(description, &document); err != nil {
		t.Fatal(err)
	}
	if document.OpenAPI != "3.1.0" {
		t.Errorf("it is OpenAPI %s", document.OpenAPI)
	}
	described, ids := map[string]operation{}, map[string]bool{}
	for path, methods := range document.Paths {
		for method, node := range methods {
			if method == "parameters" {
				continue
			}
			var o operation
			if err := node.Decode(&o); err != nil {
				t.Fatal(err)
			}
			if ids[o.ID] {
				t.Errorf("operationId %s occurs twice", o.ID)
			}
			ids[o.ID] = true
			described[strings.ToUpper(method)+" "+path] = o
		}
	}
	for _, r := range routes {
		name := r.method + " " + r.path
		o, found := described[name]
		if !found {
			t.Errorf("%s is not described", name)
		}
		if !slices.Equal(slices.Sorted(slices.Values(o.Scopes)), slices.Sorted(slices.Values(r.scopes))) {
			t.Errorf("%s is described with scopes %v, it demands %v", name, o.Scopes, r.scopes)
		}
		delete(described, name)
	}
	for name := range maps.Keys(described) {
		t.Errorf("%s is described and does not exist", name)
	}
}

func TestDescriptionRefersToWhatIsThere(t *testing.T) {
	var document struct {
		Components struct {
			Schemas map[string]any `yaml:"schemas"`
		} `yaml:"components"`
	}
	if err := yaml.Unmarshal(description, &document); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, ref := range regexp.MustCompile(`#/components/schemas/(\w+)`).FindAllStringSubmatch(string(description), -1) {
		used[ref[1]] = true
		if _, found := document.Components.Schemas[ref[1]]; !found {
			t.Errorf("there is no schema %s", ref[1])
		}
	}
	for name := range document.Components.Schemas {
		if !used[name] {
			t.Errorf("schema %s is not used", name)
		}
	}
}

func TestDescriptionIsServed(t *testing.T) {
	w := httptest.NewRecorder()
	(&Server{}).Handler(Trusted{}).ServeHTTP(w, httptest.NewRequest("GET", "/openapi.yaml", nil))
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/yaml") || w.Body.Len() != len(description) {
		t.Errorf("%d %s", w.Code, w.Header())
	}
}
