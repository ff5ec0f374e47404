package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"time"
)

// Check returns the first setting that cannot be, or nil. It looks at no file.
func (c Config) Check() error {
	for _, check := range []func() error{c.checkStore, c.checkListeners, c.checkAdmin, c.checkProxies, c.checkNumbers, c.checkExport} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c Config) checkListeners() error {
	switch {
	case c.DataDir == "":
		return fmt.Errorf("data_dir must name a folder")
	case !address(c.Public.Listen):
		return fmt.Errorf("public.listen must be an address and a port, such as :8443")
	case (c.Public.TLS.Cert == "") != (c.Public.TLS.Key == ""):
		return fmt.Errorf("public.tls needs both cert and key")
	case c.Public.TLS.Cert == "" && len(c.TrustedProxies) == 0:
		return fmt.Errorf("public.tls needs cert and key, or trusted_proxies must name who speaks TLS instead")
	case c.MTLS.Listen != "" && !address(c.MTLS.Listen):
		return fmt.Errorf("mtls.listen must be an address and a port, such as :8444")
	case c.MTLS.Listen != "" && c.Public.TLS.Cert == "":
		return fmt.Errorf("mtls.listen needs public.tls")
	case c.MTLS.Listen != "" && c.MTLS.Origin == "":
		return fmt.Errorf("mtls.listen needs mtls.origin")
	case c.MTLS.Origin != "" && !origin(c.MTLS.Origin):
		return fmt.Errorf("mtls.origin must be https, host and port and nothing else")
	}
	return nil
}

func (c Config) checkAdmin() error {
	switch {
	case !address(c.Admin.Listen):
		return fmt.Errorf("admin.listen must be an address and a port, such as 127.0.0.1:9443")
	case (c.Admin.TLS.Cert == "") != (c.Admin.TLS.Key == ""):
		return fmt.Errorf("admin.tls needs both cert and key")
	case !Loopback(c.Admin.Listen) && (c.Admin.Origin == "" || c.Admin.TLS.Cert == ""):
		return fmt.Errorf("admin.listen beyond loopback needs admin.origin and admin.tls")
	case c.Admin.Origin != "" && !origin(c.Admin.Origin):
		return fmt.Errorf("admin.origin must be https, host and port and nothing else")
	}
	return nil
}

func (c Config) checkProxies() error {
	for _, p := range c.TrustedProxies {
		if _, err := netip.ParsePrefix(p); err != nil {
			return fmt.Errorf("trusted_proxies: %q is no network such as 10.0.0.0/8", p)
		}
	}
	return nil
}

func (c Config) checkNumbers() error {
	const longest = 10 * time.Second
	switch interval := time.Duration(c.Checkpoints.Interval); {
	case interval <= 0 || interval > longest:
		return fmt.Errorf("checkpoints.interval must be more than 0s and at most 10s")
	case c.Limits.Buckets < 1:
		return fmt.Errorf("limits.buckets must be at least 1")
	case slices.ContainsFunc(c.Limits.rates(), func(r Rate) bool { return r.PerSecond < 0 }):
		return fmt.Errorf("limits must not be negative")
	case slices.ContainsFunc(c.Limits.rates(), Rate.bad):
		return fmt.Errorf("limits need a burst of at least 1; per_second: 0 turns one off")
	case c.Projections.LagBudget < 1:
		return fmt.Errorf("projections.lag_budget must be at least 1")
	case c.Sessions.Idle <= 0 || c.Sessions.Absolute <= 0:
		return fmt.Errorf("sessions.idle and sessions.absolute must be longer than 0s")
	case !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level):
		return fmt.Errorf("log.level must be debug, info, warn or error")
	case c.Log.Format != "json" && c.Log.Format != "text":
		return fmt.Errorf("log.format must be json or text")
	}
	return nil
}

func address(s string) bool {
	_, port, err := net.SplitHostPort(s)
	return err == nil && port != ""
}

func origin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.Path == "" && u.RawQuery == "" && u.Fragment == "" && u.User == nil
}

// Loopback reports whether an address and port can be reached from this
// machine only.
func Loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// AdminOrigin returns the origin of the admin listener.
func (c Config) AdminOrigin() string {
	if c.Admin.Origin != "" {
		return c.Admin.Origin
	}
	_, port, _ := net.SplitHostPort(c.Admin.Listen)
	return "https://localhost:" + port
}

// bad reports whether a rate would let nothing through.
func (r Rate) bad() bool { return r.PerSecond > 0 && r.Burst < 1 }

func (l Limits) rates() []Rate { return []Rate{l.Client, l.Address, l.Subject, l.Unknown} }
