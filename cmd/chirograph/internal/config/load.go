package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/strict"
)

// Sources are where settings come from, the weakest first.
type Sources struct {
	File  string            // "" for none
	Env   []string          // as [os.Environ] returns it
	Flags map[string]string // by path
}

// An Origin says which source decided a setting.
type Origin string

const (
	FromDefault Origin = "default"
	FromFile    Origin = "file"
	FromEnv     Origin = "environment"
	FromFlag    Origin = "flag"
)

// Load puts the sources together and checks the result. The origins are by
// path.
func Load(s Sources) (Config, map[string]Origin, error) {
	c, origins, err := Read(s)
	if err == nil {
		err = c.Check()
	}
	return c, origins, err
}

// Read is Load for who wants to find the log but not to serve it: that a
// listener could not be opened is no reason not to look.
func Read(s Sources) (Config, map[string]Origin, error) {
	c := Default()
	origins := map[string]Origin{}
	for _, l := range c.Leaves() {
		origins[l.Path] = FromDefault
	}
	if s.File != "" {
		if err := c.loadFile(s.File, origins); err != nil {
			return c, origins, fmt.Errorf("%s: %w", s.File, err)
		}
	}
	if err := c.loadEnvironment(s.Env, origins); err != nil {
		return c, origins, err
	}
	for path, text := range s.Flags {
		if err := c.set(path, text); err != nil {
			return c, origins, fmt.Errorf("flag --%s: %w", path, err)
		}
		origins[path] = FromFlag
	}
	return c, origins, c.checkStore()
}

func (c *Config) loadFile(file string, origins map[string]Origin) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := strict.Decode(text, c); err != nil {
		return err
	}
	given, err := strict.Paths(text)
	if err != nil {
		return err
	}
	for _, path := range given {
		if _, known := origins[path]; known {
			origins[path] = FromFile
		}
	}
	c.relative(filepath.Dir(file), origins)
	return nil
}

// relative makes paths that the file gives relative to the file.
func (c *Config) relative(folder string, origins map[string]Origin) {
	for path, value := range c.files() {
		if origins[path] == FromFile && *value != "" && !filepath.IsAbs(*value) {
			*value = filepath.Join(folder, *value)
		}
	}
}

// files are the settings that name files or folders.
func (c *Config) files() map[string]*string {
	return map[string]*string{
		"data_dir": &c.DataDir, "public.tls.cert": &c.Public.TLS.Cert, "public.tls.key": &c.Public.TLS.Key,
		"admin.tls.cert": &c.Admin.TLS.Cert, "admin.tls.key": &c.Admin.TLS.Key, "mtls.client_ca": &c.MTLS.ClientCA,
		"store.postgres_file": &c.Store.PostgresFile, "store.eventstoredb_file": &c.Store.EventStoreDBFile,
		"checkpoints.folder": &c.Checkpoints.Folder, "keys.master_key_file": &c.Keys.MasterKeyFile, "fetch.ca": &c.Fetch.CA,
		"export.nats.credentials_file": &c.Export.NATS.Credentials, "export.nats.tls.ca": &c.Export.NATS.TLS.CA,
		"export.nats.tls.cert": &c.Export.NATS.TLS.Cert, "export.nats.tls.key": &c.Export.NATS.TLS.Key,
		"export.kafka.tls.ca": &c.Export.Kafka.TLS.CA, "export.kafka.tls.cert": &c.Export.Kafka.TLS.Cert, "export.kafka.tls.key": &c.Export.Kafka.TLS.Key,
	}
}

func (c *Config) loadEnvironment(env []string, origins map[string]Origin) error {
	known := map[string]string{}
	var names []string
	for _, l := range c.Leaves() {
		known[l.Environment()] = l.Path
		names = append(names, l.Environment())
	}
	for _, pair := range env {
		name, text, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, Prefix) || name == FileVariable || slices.Contains(forTests, name) {
			continue
		}
		path, found := known[name]
		if !found {
			return unknownVariable(name, names)
		}
		if err := c.set(path, text); err != nil {
			return fmt.Errorf("environment variable %s: %w", name, err)
		}
		origins[path] = FromEnv
	}
	return nil
}

// forTests are variables that the project's tests read, and no setting.
var forTests = []string{Prefix + "POSTGRES", Prefix + "ESDB", Prefix + "CI"}

func unknownVariable(name string, names []string) error {
	if near := strict.Nearest(name, names); near != "" {
		return fmt.Errorf("environment variable %s is no setting, did you mean %s?", name, near)
	}
	return fmt.Errorf("environment variable %s is no setting", name)
}
