package fetch

import (
	"net/netip"
	"testing"
)

func TestPublic(t *testing.T) {
	tests := []struct {
		name    string
		address string
		want    bool
	}{
		{"IPv4", "8.8.8.8", true},
		{"IPv6", "2606:4700:4700::1111", true},
		{"IPv4 in IPv6", "::ffff:8.8.8.8", true},
		{"IPv4 behind NAT64", "64:ff9b::8.8.8.8", true},
		{"just after a private block", "172.32.0.1", true},
		{"just before the shared block", "100.63.255.255", true},

		{"unspecified", "0.0.0.0", false},
		{"this network", "0.1.2.3", false},
		{"private, ten", "10.0.0.1", false},
		{"private, 172", "172.31.255.255", false},
		{"private, 192", "192.168.1.1", false},
		{"shared with a carrier", "100.64.0.1", false},
		{"loopback", "127.0.0.1", false},
		{"all of loopback", "127.255.255.254", false},
		{"link-local", "169.254.169.254", false},
		{"protocol assignments", "192.0.0.1", false},
		{"documentation", "203.0.113.1", false},
		{"benchmarking", "198.19.0.1", false},
		{"multicast", "224.0.0.1", false},
		{"reserved", "240.0.0.1", false},
		{"broadcast", "255.255.255.255", false},
		{"unspecified in IPv6", "::", false},
		{"loopback in IPv6", "::1", false},
		{"link-local in IPv6", "fe80::1", false},
		{"with a zone", "2606:4700::1%eth0", false},
		{"unique local", "fd00::1", false},
		{"multicast in IPv6", "ff02::1", false},
		{"documentation in IPv6", "2001:db8::1", false},
		{"Teredo", "2001::1", false},
		{"6to4", "2002:7f00:1::", false},
		{"loopback in IPv6's clothes", "::ffff:127.0.0.1", false},
		{"IPv4-compatible", "::127.0.0.1", false},
		{"private behind NAT64", "64:ff9b::10.0.0.1", false},
		{"NAT64 of a local prefix", "64:ff9b:1::8.8.8.8", false},
	}
	for _, tt := range tests {
		if got := public(netip.MustParseAddr(tt.address)); got != tt.want {
			t.Errorf("%s, %s: got %v", tt.name, tt.address, got)
		}
	}
	if public(netip.Addr{}) {
		t.Error("no address at all: got true")
	}
}
