package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// good is the least that a server needs.
const good = "public:\n  tls: {cert: c.pem, key: k.pem}\n"

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "chirograph.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPrecedence(t *testing.T) {
	path := file(t, good+"log: {level: warn}\ndrain: {delay: 9s}\nlimits: {client: {burst: 7}}\n")
	c, origins, err := Load(Sources{
		File:  path,
		Env:   []string{"CHIROGRAPH_LOG__LEVEL=error", "CHIROGRAPH_DRAIN__DELAY=8s", "CHIROGRAPH_TRUSTED_PROXIES=10.0.0.0/8,::1/128", "HOME=/root"},
		Flags: map[string]string{"drain.delay": "7s"},
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		good bool
		path string
		from Origin
	}{
		{"a flag goes before all", time.Duration(c.Drain.Delay) == 7*time.Second, "drain.delay", FromFlag},
		{"the environment before the file", c.Log.Level == "error", "log.level", FromEnv},
		{"the file before the default", c.Limits.Client.Burst == 7, "limits.client.burst", FromFile},
		{"what is not set keeps its default", c.Limits.Client.PerSecond == 500, "limits.client.per_second", FromDefault},
		{"lists may be separated by commas", slices.Equal(c.TrustedProxies, []string{"10.0.0.0/8", "::1/128"}), "trusted_proxies", FromEnv},
		{"files are relative to the file that names them", c.Public.TLS.Cert == filepath.Join(filepath.Dir(path), "c.pem"), "public.tls.cert", FromFile},
		{"a default folder is relative to where the server runs", c.DataDir == "chirograph-data", "data_dir", FromDefault},
	}
	for _, tt := range tests {
		if !tt.good || origins[tt.path] != tt.from {
			t.Errorf("%s: from %s", tt.name, origins[tt.path])
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	tests := []struct {
		name, text string
		env        string
		flags      map[string]string
		want       string
	}{
		{"an unknown key", good + "lgo: {level: info}\n", "", nil, `line 3: unknown key "lgo", did you mean "log"?`},
		{"an unknown key in a section", good + "log: {levle: info}\n", "", nil, `line 3: unknown key "log.levle", did you mean "log.level"?`},
		{"an unknown variable", good, "CHIROGRAPH_LOG__LEVLE=info", nil,
			"environment variable CHIROGRAPH_LOG__LEVLE is no setting, did you mean CHIROGRAPH_LOG__LEVEL?"},
		{"a variable of the wrong kind", good, "CHIROGRAPH_LIMITS__BUCKETS=many", nil, "environment variable CHIROGRAPH_LIMITS__BUCKETS: must be a whole number"},
		{"a flag of the wrong kind", good, "", map[string]string{"drain.delay": "9"}, `flag --drain.delay: must be a duration such as "90s", "5m", "24h" or "180d"`},
		{"no certificate", "", "", nil, "public.tls needs cert and key, or trusted_proxies must name who speaks TLS instead"},
		{"half a certificate", "public: {tls: {cert: a}}\n", "", nil, "public.tls needs both cert and key"},
		{"mTLS without an origin", good + "mtls: {listen: \":8444\"}\n", "", nil, "mtls.listen needs mtls.origin"},
		{"an origin with a path", good + "mtls: {origin: \"https://a/b\"}\n", "", nil, "mtls.origin must be https, host and port and nothing else"},
		{"an open admin port", good + "admin: {listen: \":9443\"}\n", "", nil, "admin.listen beyond loopback needs admin.origin and admin.tls"},
		{"a proxy that is no network", good + "trusted_proxies: [10.0.0.1]\n", "", nil, `trusted_proxies: "10.0.0.1" is no network such as 10.0.0.0/8`},
		{"checkpoints too far apart", good + "checkpoints: {interval: 1m}\n", "", nil, "checkpoints.interval must be more than 0s and at most 10s"},
		{"a burst of nothing", good + "limits: {client: {burst: 0}}\n", "", nil, "limits need a burst of at least 1; per_second: 0 turns one off"},
		{"a level that is none", good + "log: {level: loud}\n", "", nil, "log.level must be debug, info, warn or error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := file(t, tt.text)
			_, _, err := Load(Sources{File: path, Env: []string{tt.env}, Flags: tt.flags})
			if err == nil || strings.TrimPrefix(err.Error(), path+": ") != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestWhoDoesNotServeNeedsNoListener(t *testing.T) {
	path := file(t, "data_dir: there\npublic: {tls: {cert: a}}\n")
	c, _, err := Read(Sources{File: path, Env: []string{"CHIROGRAPH_CHECKPOINTS__FOLDER=/second"}})
	if err != nil || c.DataDir != filepath.Join(filepath.Dir(path), "there") || c.Checkpoints.Folder != "/second" {
		t.Errorf("got %s and %s, %v", c.DataDir, c.Checkpoints.Folder, err)
	}
	if _, _, err := Read(Sources{File: file(t, "data_dri: there\n")}); err == nil {
		t.Error("a misspelt setting is passed over")
	}
}

func TestWhatIsWrittenCanBeRead(t *testing.T) {
	c := Default()
	c.Public.TLS = TLS{Cert: "/a", Key: "/b"}
	c.TrustedProxies = []string{"10.0.0.0/8"}
	text := c.YAML(func(string) bool { return true })
	got, _, err := Load(Sources{File: file(t, string(text))})
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	for i, l := range got.Leaves() {
		if want := c.Leaves()[i]; l.Text() != want.Text() && !strings.HasSuffix(l.Text(), "/"+want.Text()) {
			t.Errorf("%s: wrote %s, read %s", l.Path, want.Text(), l.Text())
		}
	}
}

func TestEverySettingIsDescribed(t *testing.T) {
	c := Default()
	for _, l := range c.Leaves() {
		if l.Doc == "" {
			t.Errorf("%s has no description", l.Path)
		}
	}
}

func TestSchemaNamesEverySetting(t *testing.T) {
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var s map[string]any
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	c := Default()
	for _, l := range c.Leaves() {
		at := s
		for name := range strings.SplitSeq(l.Path, ".") {
			properties, _ := at["properties"].(map[string]any)
			at, _ = properties[name].(map[string]any)
		}
		if at["description"] != l.Doc {
			t.Errorf("%s is described as %v", l.Path, at["description"])
		}
	}
	if s["additionalProperties"] != false {
		t.Error("the schema permits unknown keys")
	}
}
