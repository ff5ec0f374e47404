package fetch

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// dialer connects only to public addresses, unless the origin is excepted. The
// check is made on the address that is being connected to, after resolution,
// so a name that resolves differently a moment later gains nothing.
func dialer(resolver *net.Resolver, excepted map[string]bool) func(ctx context.Context, network, address string) (net.Conn, error) {
	free := &net.Dialer{Resolver: resolver, KeepAlive: 15 * time.Second}
	guarded := *free
	guarded.Control = func(_, address string, _ syscall.RawConn) error {
		peer, err := netip.ParseAddrPort(address)
		if err != nil || !public(peer.Addr()) {
			return fmt.Errorf("%w: %s", ErrAddress, address)
		}
		return nil
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if excepted[strings.ToLower(address)] {
			return free.DialContext(ctx, network, address)
		}
		return guarded.DialContext(ctx, network, address)
	}
}

// special are the blocks that are not the public internet: IANA's registries
// of special-purpose addresses (RFC 6890), and multicast.
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

var (
	globalUnicast = netip.MustParsePrefix("2000::/3")     // all that IANA has given out of IPv6
	nat64         = netip.MustParsePrefix("64:ff9b::/96") // an IPv4 address in its last bytes: RFC 6052 §2.1
)

func public(a netip.Addr) bool {
	a = a.Unmap()
	if nat64.Contains(a) {
		b := a.As16()
		return public(netip.AddrFrom4([4]byte(b[12:])))
	}
	if a.Is6() && !globalUnicast.Contains(a) { // nor does it contain an address with a zone
		return false
	}
	for _, block := range special {
		if block.Contains(a) {
			return false
		}
	}
	return a.IsValid()
}

func prefixes(list ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(list))
	for i, s := range list {
		all[i] = netip.MustParsePrefix(s)
	}
	return all
}
