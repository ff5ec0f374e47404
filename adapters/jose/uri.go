package jose

import (
	"net/url"
	"strings"
)

// SameURI reports whether two https or http URIs are the same after
// syntax-based and scheme-based normalization, query and fragment ignored:
// point 9 of RFC 9449, Section 4.3, by RFC 3986, Sections 6.2.2 and 6.2.3. What is
// no such URI is the same as nothing.
func SameURI(a, b string) bool {
	x, ok := normalURI(a)
	if !ok {
		return false
	}
	y, ok := normalURI(b)
	return ok && x == y
}

const maxURI = 2048

func normalURI(s string) (string, bool) {
	if len(s) > maxURI {
		return "", false
	}
	u, err := url.Parse(s)
	if err != nil || u.Opaque != "" || u.User != nil || u.Hostname() == "" {
		return "", false
	}
	scheme := strings.ToLower(u.Scheme)
	host := strings.ToLower(u.Hostname())
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	switch port := u.Port(); {
	case scheme != "https" && scheme != "http":
		return "", false
	case port == "", scheme == "https" && port == "443", scheme == "http" && port == "80":
	default:
		host += ":" + port
	}
	return scheme + "://" + host + withoutDots(normalEscapes(u.EscapedPath())), true
}

const upperHex = "0123456789ABCDEF"

// normalEscapes writes each percent-encoded unreserved character plainly and
// all others in upper case: RFC 3986 §6.2.2.1, §6.2.2.2. url.Parse has seen to
// it that each % is followed by two digits.
func normalEscapes(path string) string {
	if !strings.Contains(path, "%") {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] != '%' || i+2 >= len(path) {
			b.WriteByte(path[i])
			continue
		}
		c := nibble(path[i+1])<<4 | nibble(path[i+2])
		i += 2
		if unreserved(c) {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', upperHex[c>>4], upperHex[c&15]})
	}
	return b.String()
}

func nibble(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

func unreserved(c byte) bool { // RFC 3986 §2.3
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// withoutDots removes dot segments as RFC 3986, Section 5.2.4 does. An empty
// path is "/".
func withoutDots(path string) string {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	kept := make([]string, 0, len(segments))
	for i, segment := range segments {
		last := i == len(segments)-1
		switch segment {
		case ".", "..":
			if segment == ".." && len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
			if last {
				kept = append(kept, "")
			}
		default:
			kept = append(kept, segment)
		}
	}
	return "/" + strings.Join(kept, "/")
}
