package docs_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	declaredMetric = regexp.MustCompile(`Name: "(chirograph_[a-z_]+)"`)
	declaredGauge  = regexp.MustCompile(`Metrics\.Gauge\("([a-z_]+)"`)
	toldMetric     = regexp.MustCompile("`(chirograph_[a-z_]+)`")
)

func source(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every metric has a line that says when it is an alarm, and every line a
// metric.
func TestMetricsInOperations(t *testing.T) {
	declared := map[string]bool{}
	for _, m := range declaredMetric.FindAllStringSubmatch(source(t, "../adapters/metrics/metrics.go"), -1) {
		declared[m[1]] = true
	}
	for _, m := range declaredGauge.FindAllStringSubmatch(source(t, "../cmd/chirograph/internal/serve/health.go"), -1) {
		declared["chirograph_"+m[1]] = true
	}
	told := map[string]bool{}
	for _, m := range toldMetric.FindAllStringSubmatch(source(t, "operations.md"), -1) {
		told[m[1]] = true
	}
	if len(declared) < 5 || !maps.Equal(declared, told) {
		t.Errorf("declared are %v, operations.md tells of %v", slices.Sorted(maps.Keys(declared)), slices.Sorted(maps.Keys(told)))
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	unsaid  = regexp.MustCompile(`[^a-z0-9 _-]`)
)

// anchors are what the headings of a page can be linked by.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(text, -1) {
		all[strings.ReplaceAll(unsaid.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")] = true
	}
	return all
}

func TestLinksLeadSomewhere(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	decisions, err := filepath.Glob("decisions/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range slices.Concat(pages, decisions, []string{"../README.md", "../CHANGELOG.md"}) {
		for _, m := range link.FindAllStringSubmatch(source(t, page), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := page
			if file != "" {
				target = filepath.Join(filepath.Dir(page), file)
			}
			about, err := os.Stat(target)
			if err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
				continue
			}
			if anchor != "" && !about.IsDir() && !anchors(source(t, target))[anchor] {
				t.Errorf("%s links to %s, which has no such heading", page, m[1])
			}
		}
	}
}
