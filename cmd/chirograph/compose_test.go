package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// A composition is a compose file. It has the keys that ours uses and no
// other, so that a misspelt one is refused.
type composition struct {
	Services map[string]*container
	Networks map[string]*struct{ Internal bool }
	Volumes  map[string]*struct{}
	Parts    map[string]yaml.Node `yaml:",inline"` // for use within the file
}

type container struct {
	Profiles        []string
	Build           build
	Image           string
	User            string
	Entrypoint      []string
	Command         []string
	Environment     map[string]string
	ReadOnly        bool     `yaml:"read_only"`
	CapDrop         []string `yaml:"cap_drop"`
	CapAdd          []string `yaml:"cap_add"`
	SecurityOpt     []string `yaml:"security_opt"`
	Tmpfs           []string
	ShmSize         string `yaml:"shm_size"`
	Ports           []string
	Networks        networks
	NetworkMode     string `yaml:"network_mode"`
	Volumes         []string
	DependsOn       map[string]dependency `yaml:"depends_on"`
	Restart         string
	Healthcheck     *healthcheck
	StopGracePeriod string `yaml:"stop_grace_period"`
}

type dependency struct{ Condition string }

type healthcheck struct {
	Test              []string
	Interval, Timeout string
	StartPeriod       string `yaml:"start_period"`
	Retries           int
}

// build is a folder, or a folder and a stage of its Dockerfile.
type build struct{ Context, Target string }

func (b *build) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		b.Context = n.Value
		return nil
	}
	for i := 0; i < len(n.Content); i += 2 {
		switch value := n.Content[i+1].Value; n.Content[i].Value {
		case "context":
			b.Context = value
		case "target":
			b.Target = value
		default:
			return fmt.Errorf("line %d: unknown key %s", n.Line, n.Content[i].Value)
		}
	}
	return nil
}

// networks are names, with the other names that a container has there.
type networks map[string][]string

func (ns *networks) UnmarshalYAML(n *yaml.Node) error {
	*ns = networks{}
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			(*ns)[item.Value] = nil
		}
		return nil
	}
	var all map[string]map[string][]string
	err := n.Decode(&all)
	for name, options := range all {
		(*ns)[name] = options["aliases"]
		if delete(options, "aliases"); len(options) > 0 {
			return fmt.Errorf("line %d: unknown key in network %s: %v", n.Line, name, options)
		}
	}
	return err
}

func parseComposition(text string) (*composition, error) {
	var c composition
	d := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		return nil, err
	}
	for name := range c.Parts {
		if !strings.HasPrefix(name, "x-") {
			return nil, errors.New("unknown key " + name)
		}
	}
	return &c, nil
}

func composed(t *testing.T) *composition {
	t.Helper()
	c, err := parseComposition(read(t, "../../docker-compose.yml"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestComposition(t *testing.T) {
	for _, complaint := range complaints(t, composed(t)) {
		t.Error(complaint)
	}
}

func TestMisspeltCompositions(t *testing.T) {
	text := read(t, "../../docker-compose.yml")
	for _, pair := range [][2]string{
		{"read_only: true", "readonly: true"}, {"\nvolumes:\n", "\nvolume:\n"}, {"target: build", "targets: build"},
		{"aliases: [node-1]", "alias: [node-1]"}, {"retries: 3", "retry: 3"}, {"condition: service_healthy", "conditions: service_healthy"},
	} {
		wrong := strings.Replace(text, pair[0], pair[1], 1)
		if _, err := parseComposition(wrong); wrong == text || err == nil {
			t.Errorf("%s passes for %s", pair[1], pair[0])
		}
	}
}

// Each rule is seen to fail.
func TestWrongCompositions(t *testing.T) {
	for _, tt := range []struct {
		name string
		harm func(*composition)
		want string // part of a complaint
	}{
		{"an image floats", func(c *composition) { c.Services["nginx"].Image = "nginx:latest" }, "nginx: image nginx:latest is not pinned"},
		{"an image has half a version", func(c *composition) { c.Services["postgres"].Image = "postgres:15" }, "postgres: image postgres:15 is not pinned"},
		{"an image has no version", func(c *composition) { c.Services["esdb-1"].Image = "eventstore/eventstore" }, "is not pinned"},
		{"ours is pulled", func(c *composition) { c.Services["chirograph-1"].Build = build{} }, "chirograph-1: image chirograph:local is not pinned"},
		{"a container may write its image", func(c *composition) { c.Services["nginx"].ReadOnly = false }, "nginx: may do more than it needs"},
		{"a container gains rights", func(c *composition) { c.Services["esdb-2"].SecurityOpt = nil }, "esdb-2: may do more"},
		{"a node keeps rights", func(c *composition) { c.Services["chirograph-2"].CapDrop = nil }, "chirograph-2: may do more"},
		{"a node gets rights", func(c *composition) { c.Services["chirograph-2"].CapAdd = []string{"CHOWN"} }, "chirograph-2: may do more"},
		{"a password stands in the file", func(c *composition) {
			c.Services["postgres"].Environment["POSTGRES_PASSWORD"] = "x"
		}, "postgres: POSTGRES_PASSWORD stands in the file"},
		{"a node is left behind", func(c *composition) { c.Services["chirograph-2"].Restart = "" }, "chirograph-2: does not come back"},
		{"setup repeats", func(c *composition) { c.Services["setup"].Restart = "always" }, "postgres: waits for the end of setup"},
		{"nobody looks after a node", func(c *composition) { c.Services["chirograph-1"].Healthcheck = nil }, "nginx: waits for the health of chirograph-1"},

		{"a volume is misspelt", func(c *composition) { c.Services["postgres"].Volumes[0] = "pgdata:/data" }, "postgres: volume pgdata is not declared"},
		{"a volume is unused", func(c *composition) { c.Volumes["old"] = nil }, "volume old is used by nobody"},
		{"a file is missing", func(c *composition) { c.Services["nginx"].Volumes[0] = "./docs/compose/ngin.conf:/x:ro" }, "nginx: ./docs/compose/ngin.conf"},
		{"a file could be written", func(c *composition) {
			c.Services["nginx"].Volumes[0] = "./docs/compose/nginx.conf:/etc/nginx/nginx.conf"
		}, "nginx: ./docs/compose/nginx.conf could be written"},
		{"a network is misspelt", func(c *composition) { c.Services["postgres"].Networks["pgstore"] = nil }, "postgres: network pgstore is not declared"},
		{"a network is unused", func(c *composition) { c.Networks["old"] = nil }, "network old is used by nobody"},
		{"a dependency is misspelt", func(c *composition) {
			c.Services["nginx"].DependsOn["chirograf"] = dependency{"service_healthy"}
		}, "nginx: depends on chirograf, which is not there"},
		{"a dependency is of another profile", func(c *composition) {
			c.Services["nginx"].DependsOn["esdb-1"] = dependency{"service_healthy"}
		}, "nginx: depends on esdb-1 of another profile"},
		{"a condition is misspelt", func(c *composition) {
			c.Services["nginx"].DependsOn["chirograph-1"] = dependency{"service_health"}
		}, `nginx: waits for "service_health"`},
		{"two want one port", func(c *composition) { c.Services["nginx"].Ports[0] = "8443:8443" }, "port 8443 is published twice"},
		{"the admin port is published", func(c *composition) {
			c.Services["nginx"].Ports = append(c.Services["nginx"].Ports, "19443:9443")
		}, "nginx: publishes 9443"},
		{"a database is published", func(c *composition) { c.Services["postgres"].Ports = []string{"5432:5432"} }, "postgres: publishes 5432"},

		{"a profile grows", func(c *composition) { c.Services["postgres"].Profiles = nil }, `profile "" has`},
		{"a profile shrinks", func(c *composition) { delete(c.Services, "chirograph-2") }, `profile "postgres" has`},
		{"a setting is misspelt", func(c *composition) {
			c.Services["chirograph-1"].Environment["CHIROGRAPH_STORE__NOD"] = "x"
		}, "chirograph-1: environment variable CHIROGRAPH_STORE__NOD is no setting"},
		{"settings contradict each other", func(c *composition) {
			c.Services["esdb-chirograph-2"].Environment["CHIROGRAPH_STORE__ENGINE"] = "sqlite"
		}, "esdb-chirograph-2: store.engine is sqlite"},
		{"a command is misspelt", func(c *composition) { c.Services["chirograph-2"].Command = []string{"server"} }, "chirograph-2: "},
		{"a node has another admin.origin", func(c *composition) {
			c.Services["chirograph-2"].Environment["CHIROGRAPH_ADMIN__ORIGIN"] = "https://localhost:9444"
		}, "chirograph-1 and chirograph-2 differ in admin.origin"},
		{"a node has another database", func(c *composition) {
			c.Services["chirograph-2"].Environment["CHIROGRAPH_STORE__POSTGRES_FILE"] = "/run/chirograph/other.url"
		}, "chirograph-1 and chirograph-2 differ in store.postgres_file"},
		{"a node has another master key", func(c *composition) {
			c.Services["chirograph-2"].Volumes[1] = "esdb-for-nodes:/run/chirograph:ro"
		}, "chirograph-1 and chirograph-2 are given different volumes"},
		{"two nodes have one folder", func(c *composition) {
			c.Services["chirograph-2"].Volumes[0] = "pg-node-1:/var/lib/chirograph"
		}, "chirograph-1 and chirograph-2 have one data folder"},
		{"two nodes have one name", func(c *composition) {
			c.Services["chirograph-2"].Environment["CHIROGRAPH_STORE__NODE"] = "chirograph-1"
		}, "chirograph-1 and chirograph-2 have one name"},
		{"nobody makes a file", func(c *composition) {
			c.Services["chirograph-1"].Environment["CHIROGRAPH_KEYS__MASTER_KEY_FILE"] = "/run/chirograph/mater.key"
		}, "chirograph-1: nobody makes /run/chirograph/mater.key"},
		{"nginx finds no node", func(c *composition) { c.Services["chirograph-2"].Networks["pg"] = nil }, "nginx: finds no node-2"},
		{"nginx is elsewhere", func(c *composition) { c.Services["nginx"].Networks = networks{"esdb": nil} }, "nginx: finds no node-1"},
		{"nginx has no settings", func(c *composition) {
			c.Services["nginx"].Volumes[0] = "./docs/compose/setup.sh:/setup.sh:ro"
		}, "nginx: has no configuration"},
		{"a member of the cluster is forgotten", func(c *composition) {
			c.Services["esdb-2"].Environment["EVENTSTORE_GOSSIP_SEED"] = "esdb-1:2113"
		}, "esdb-2: is no member"},
		{"a member has another's certificate", func(c *composition) {
			c.Services["esdb-3"].Environment["EVENTSTORE_CERTIFICATE_FILE"] = "/certificates/esdb-1/node.crt"
		}, "esdb-3: is no member"},
		{"nodes are told of two members", func(c *composition) {
			c.Services["esdb-setup"].Environment["EVENTSTOREDB"] = "esdb-1:2113,esdb-2:2113"
		}, "esdb-setup: tells of"},
		{"nodes are told of another's database", func(c *composition) {
			c.Services["setup"].Environment["POSTGRES"] = "esdb-postgres"
		}, "setup: tells of PostgreSQL at esdb-postgres"},
		{"clients with certificates come in elsewhere", func(c *composition) {
			c.Services["nginx"].Ports[1] = "18445:8444"
		}, "nginx: mtls.origin is https://localhost:18444"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := composed(t)
			tt.harm(c)
			if all := strings.Join(complaints(t, c), "\n"); !strings.Contains(all, tt.want) {
				t.Errorf("got %q, want %q", all, tt.want)
			}
		})
	}
}
