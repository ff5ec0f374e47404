package eventstoredb

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// minDiscoverAttempts keeps a client alive through an election: one whose
// discovery has failed is dead for good.
const minDiscoverAttempts = 100

// configuration reads a connection string. The client would ignore settings
// that it does not know, drop credentials without TLS and forget a deadline
// that it cannot read; here all of that is an error, and none repeats what may
// be a password.
func configuration(text string) (*esdb.Configuration, error) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found || scheme != "esdb" && scheme != "esdb+discover" {
		return nil, errors.New("connection string: must begin with esdb:// or esdb+discover://")
	}
	hosts, query, _ := strings.Cut(rest, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("connection string: settings are not URL-encoded")
	}
	given, err := settings(values)
	if err != nil {
		return nil, err
	}
	if strings.Contains(hosts, "@") && (given["tls"] == "false" || given["tlsverifycert"] == "false") {
		return nil, errors.New("connection string: credentials are sent over verified TLS only")
	}
	c, err := esdb.ParseConnectionString(text)
	if err != nil {
		return nil, fmt.Errorf("connection string: %w", concealed(err))
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("connection string: %w", err)
	}
	c.NodePreference = esdb.NodePreferenceLeader
	c.MaxDiscoverAttempts = max(c.MaxDiscoverAttempts, minDiscoverAttempts)
	c.Logger = esdb.NoopLogging() // it would print whole requests that failed
	return c, nil
}

// concealed is an error without the text that could not be parsed.
func concealed(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return errors.New("not a URL")
	}
	return err
}

// allowed are the settings that the client reads, and what each may be.
var allowed = map[string]func(string) error{
	"tls":                 truth,
	"tlsverifycert":       truth,
	"tlscafile":           present,
	"usercertfile":        present,
	"userkeyfile":         present,
	"nodepreference":      leader,
	"maxdiscoverattempts": positive,
	"discoveryinterval":   positive,
	"gossiptimeout":       positive,
	"keepaliveinterval":   positive,
	"keepalivetimeout":    positive,
	"defaultdeadline":     positive,
}

// settings returns the settings by their names in lower case.
func settings(values url.Values) (map[string]string, error) {
	given := map[string]string{}
	for name, all := range values {
		lower := strings.ToLower(name)
		check, there := allowed[lower]
		if !there {
			if strings.ContainsAny(name, "@:/") { // of a password, where a ? is in it
				return nil, errors.New("connection string: a setting that there is not")
			}
			return nil, fmt.Errorf("connection string: no setting %.40q", name)
		}
		if _, twice := given[lower]; twice || len(all) != 1 {
			return nil, fmt.Errorf("connection string: %s is set twice", name)
		}
		given[lower] = strings.ToLower(all[0])
		if err := check(all[0]); err != nil {
			return nil, fmt.Errorf("connection string: %s %w", name, err)
		}
	}
	return given, nil
}

func truth(v string) error {
	if !slices.Contains([]string{"true", "false"}, strings.ToLower(v)) {
		return errors.New("is neither true nor false")
	}
	return nil
}

func present(v string) error {
	if v == "" {
		return errors.New("is empty")
	}
	return nil
}

func leader(v string) error {
	if !strings.EqualFold(v, "leader") {
		return errors.New("must be leader: every other node may be behind")
	}
	return nil
}

func positive(v string) error {
	if n, err := strconv.Atoi(v); err != nil || n < 1 || n > 1<<30 {
		return errors.New("is not a positive number")
	}
	return nil
}
