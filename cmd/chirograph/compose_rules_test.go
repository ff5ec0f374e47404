package main

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
)

// services of each profile; "" is what starts where none is named.
var profiles = map[string][]string{
	"":         {"chirograph"},
	"postgres": {"chirograph-1", "chirograph-2", "nginx", "postgres", "setup"},
	"eventstoredb": {
		"esdb-1", "esdb-2", "esdb-3", "esdb-certificates", "esdb-chirograph-1", "esdb-chirograph-2", "esdb-nginx", "esdb-postgres", "esdb-setup",
	},
}

// complaints are what is wrong with a composition.
func complaints(t *testing.T, c *composition) (all []string) {
	t.Helper()
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		s := c.Services[name]
		confined(name, s, say)
		referring(c, name, s, say)
	}
	declared(c, say)
	published(c, say)
	inProfiles(c, say)
	clustered(c, say)
	balanced(t, c, "nginx", []string{"chirograph-1", "chirograph-2"}, say)
	balanced(t, c, "esdb-nginx", []string{"esdb-chirograph-1", "esdb-chirograph-2"}, say)
	return all
}

type sayer = func(format string, args ...any)

var pinned = regexp.MustCompile(`^[a-z/-]+:\d+\.\d+(\.\d+)*(-[a-z-]+)?(@sha256:[0-9a-f]{64})?$`)

func confined(name string, s *container, say sayer) {
	ours := s.Build.Context == "." && strings.HasSuffix(s.Image, ":local")
	if !ours && (!pinned.MatchString(s.Image) || strings.Count(s.Image, ".") < 2 && !strings.Contains(s.Image, "@")) {
		say("%s: image %s is not pinned", name, s.Image)
	}
	once := s.Restart == "no"
	if !s.ReadOnly || !slices.Contains(s.CapDrop, "ALL") || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") ||
		!slices.Contains(s.Tmpfs, "/tmp") || s.CapAdd != nil && (!once || s.NetworkMode != "none") {
		say("%s: may do more than it needs", name)
	}
	for variable := range s.Environment {
		if strings.Contains(variable, "PASSWORD") && !strings.HasSuffix(variable, "_FILE") {
			say("%s: %s stands in the file", name, variable)
		}
	}
	if len(s.Profiles) > 0 && !once && s.Restart != "unless-stopped" {
		say("%s: does not come back", name)
	}
}

// referring checks what a container says of others.
func referring(c *composition, name string, s *container, say sayer) {
	for _, v := range s.Volumes {
		source, _, _ := strings.Cut(v, ":")
		_, named := c.Volumes[source]
		switch {
		case !strings.HasPrefix(source, "./"):
			if !named {
				say("%s: volume %s is not declared", name, source)
			}
		case !strings.HasSuffix(v, ":ro"):
			say("%s: %s could be written", name, source)
		default:
			if _, err := os.Stat(filepath.Join("../..", source)); err != nil {
				say("%s: %s: %v", name, source, err)
			}
		}
	}
	for n := range s.Networks {
		if _, found := c.Networks[n]; !found {
			say("%s: network %s is not declared", name, n)
		}
	}
	for on, d := range s.DependsOn {
		other, found := c.Services[on]
		switch {
		case !found:
			say("%s: depends on %s, which is not there", name, on)
		case !slices.Equal(other.Profiles, s.Profiles):
			say("%s: depends on %s of another profile", name, on)
		case d.Condition == "service_completed_successfully":
			if other.Restart != "no" {
				say("%s: waits for the end of %s", name, on)
			}
		case d.Condition != "service_healthy":
			say("%s: waits for %q", name, d.Condition)
		case other.Healthcheck == nil:
			say("%s: waits for the health of %s", name, on)
		}
	}
}

// declared finds what is declared in vain.
func declared(c *composition, say sayer) {
	volumes, nets := map[string]bool{}, map[string]bool{}
	for _, s := range c.Services {
		for _, v := range s.Volumes {
			volumes[strings.Split(v, ":")[0]] = true
		}
		for n := range s.Networks {
			nets[n] = true
		}
	}
	for v := range c.Volumes {
		if !volumes[v] {
			say("volume %s is used by nobody", v)
		}
	}
	for n := range c.Networks {
		if !nets[n] {
			say("network %s is used by nobody", n)
		}
	}
}

// published checks ports: each once, and only those that clients come to.
func published(c *composition, say sayer) {
	taken := map[string]bool{}
	for name, s := range c.Services {
		for _, p := range s.Ports {
			outside, inside, _ := strings.Cut(p, ":")
			if taken[outside] {
				say("port %s is published twice", outside)
			}
			taken[outside] = true
			if inside != "8443" && inside != "8444" {
				say("%s: publishes %s", name, inside)
			}
		}
	}
}

func inProfiles(c *composition, say sayer) {
	got := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		profile := strings.Join(c.Services[name].Profiles, ",")
		got[profile] = append(got[profile], name)
	}
	for profile, want := range profiles {
		if !slices.Equal(got[profile], want) {
			say("profile %q has %v, not %v", profile, got[profile], want)
		}
	}
}

// settings are those that a node is served with.
func (s *container) settings(t *testing.T) (config.Config, error) {
	t.Helper()
	if err := understood(s.Command); err != nil {
		return config.Config{}, err
	}
	sources := config.Sources{Env: strings.Fields(instruction(t, "ENV"))}
	for name, value := range s.Environment {
		sources.Env = append(sources.Env, name+"="+value)
	}
	file, _ := strings.CutPrefix(sources.Env[0], config.FileVariable+"=")
	for _, v := range s.Volumes {
		if at := strings.Split(v, ":"); at[1] == file {
			sources.File = filepath.Join("../..", at[0])
		}
	}
	c, _, err := config.Load(sources)
	return c, err
}

// at is the volume that a container has at a folder.
func (s *container) at(folder string) string {
	for _, v := range s.Volumes {
		if at := strings.Split(v, ":"); at[1] == folder {
			return at[0]
		}
	}
	return ""
}

var (
	given    = regexp.MustCompile(`(?m)^give 65532 /nodes (.+)$`)
	upstream = regexp.MustCompile(`server ([a-z0-9-]+):(\d+) `)
)

// balanced checks two nodes and the nginx before them.
func balanced(t *testing.T, c *composition, front string, names []string, say sayer) {
	t.Helper()
	one, two, nginx := c.Services[names[0]], c.Services[names[1]], c.Services[front]
	if one == nil || two == nil || nginx == nil {
		return // told by its profile
	}
	settings := map[string]config.Config{}
	for _, name := range names {
		s, err := c.Services[name].settings(t)
		if err != nil {
			say("%s: %v", name, err)
			return
		}
		settings[name] = s
		made(t, name, s, say)
	}
	first, second := settings[names[0]], settings[names[1]]
	alike(names, first, second, say)
	folder := first.DataDir
	if one.at(folder) == two.at(folder) {
		say("%s and %s have one data folder", names[0], names[1])
	}
	if shared := path.Dir(first.Keys.MasterKeyFile); one.at(shared) != two.at(shared) {
		say("%s and %s are given different volumes", names[0], names[1])
	}
	fronted(t, front, nginx, []*container{one, two}, first, say)
}

// fronted checks that nginx finds the nodes where they listen, and is found
// where they say.
func fronted(t *testing.T, name string, nginx *container, nodes []*container, c config.Config, say sayer) {
	t.Helper()
	public, mutual := portOf(t, c.Public.Listen), portOf(t, c.MTLS.Listen)
	text, err := os.ReadFile(filepath.Join("../..", nginx.at("/etc/nginx/nginx.conf")))
	if err != nil {
		say("%s: has no configuration: %v", name, err)
	}
	for _, server := range upstream.FindAllStringSubmatch(string(text), -1) {
		reached := slices.ContainsFunc(nodes, func(node *container) bool {
			for n := range nginx.Networks {
				if slices.Contains(node.Networks[n], server[1]) {
					return true
				}
			}
			return false
		})
		if !reached || server[2] != public && server[2] != mutual {
			say("%s: finds no %s:%s", name, server[1], server[2])
		}
	}
	if origin, err := url.Parse(c.MTLS.Origin); err != nil || !slices.Contains(nginx.Ports, origin.Port()+":"+mutual) {
		say("%s: mtls.origin is %s, published are %v", name, c.MTLS.Origin, nginx.Ports)
	}
}

// alike demands that two nodes differ in their names only.
func alike(names []string, one, two config.Config, say sayer) {
	if one.Store.Node == two.Store.Node || !one.Store.Shared() {
		say("%s and %s have one name", names[0], names[1])
	}
	two.Store.Node = one.Store.Node
	others := two.Leaves()
	for i, l := range one.Leaves() {
		if !reflect.DeepEqual(l.Value.Interface(), others[i].Value.Interface()) {
			say("%s and %s differ in %s", names[0], names[1], l.Path)
		}
	}
}

// made demands that setup makes every file that the settings name.
func made(t *testing.T, name string, c config.Config, say sayer) {
	t.Helper()
	var files []string
	for _, line := range given.FindAllStringSubmatch(read(t, "../../docs/compose/setup.sh"), -1) {
		for _, file := range strings.Fields(line[1]) {
			files = append(files, path.Join("/run/chirograph", path.Base(file)))
		}
	}
	for _, l := range c.Leaves() {
		if file, is := l.Value.Interface().(string); is && strings.HasPrefix(file, "/run/") && !slices.Contains(files, file) {
			say("%s: nobody makes %s", name, file)
		}
	}
}

// clustered demands that the nodes of EventStoreDB know each other, and that
// setup tells ours of all databases.
func clustered(c *composition, say sayer) {
	var members []string
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		if c.Services[name].Environment["EVENTSTORE_CLUSTER_SIZE"] != "" {
			members = append(members, name)
		}
	}
	var all []string
	for _, name := range members {
		all = append(all, name+":2113")
		env, others := c.Services[name].Environment, []string{}
		for _, other := range members {
			if other != name {
				others = append(others, other+":2113")
			}
		}
		if env["EVENTSTORE_CLUSTER_SIZE"] != fmt.Sprint(len(members)) || env["EVENTSTORE_GOSSIP_SEED"] != strings.Join(others, ",") ||
			env["EVENTSTORE_NODE_HOST_ADVERTISE_AS"] != name || env["EVENTSTORE_REPLICATION_HOST_ADVERTISE_AS"] != name ||
			path.Base(path.Dir(env["EVENTSTORE_CERTIFICATE_FILE"])) != name || path.Base(path.Dir(env["EVENTSTORE_CERTIFICATE_PRIVATE_KEY_FILE"])) != name {
			say("%s: is no member of %v", name, members)
		}
	}
	if told := c.Services["esdb-setup"].Environment["EVENTSTOREDB"]; told != strings.Join(all, ",") {
		say("esdb-setup: tells of %s, there are %v", told, all)
	}
	for _, name := range []string{"setup", "esdb-setup"} {
		on := c.Services[name].Environment["POSTGRES"]
		if other := c.Services[on]; other == nil || !slices.Equal(other.Profiles, c.Services[name].Profiles) {
			say("%s: tells of PostgreSQL at %s", name, on)
		}
	}
}
