package api

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
)

// pageRoutes are the paths for people's browsers below an issuer.
var pageRoutes = []route{
	{"GET", "/authorize", (*Server).authorize, true},  // RFC 6749 §3.1
	{"POST", "/authorize", (*Server).authorize, true}, // OIDC-Core §3.1.2.1
	{"GET", "/interaction", (*Server).interact, true},
	{"POST", "/interaction/login", ours((*Server).signInForRequest), true},
	{"POST", "/interaction/cancel", ours((*Server).cancelSignIn), true},
	{"POST", "/interaction/decision", ours((*Server).decide), true},
	{"POST", "/interaction/continue", ours((*Server).complete), true},
	{"GET", "/login", (*Server).askSignIn, true},
	{"POST", "/login", ours((*Server).signInForSelf), true},
	{"GET", "/logout", (*Server).askSignOut, true}, // OIDC RP-Initiated Logout §2
	{"POST", "/logout", (*Server).signOut, true},   // OIDC RP-Initiated Logout §2
	{"GET", "/my/consents", signedIn((*Server).listConsents), true},
	{"GET", "/my/consents/:consent", signedIn((*Server).showOwnConsent), true},
	{"GET", "/my/consents/:consent/revoke", signedIn((*Server).askRevoke), true},
	{"POST", "/my/consents/:consent/revoke", ours(signedIn((*Server).revokeOwnConsent)), true},
	{"GET", "/device", signedIn((*Server).listRequests), true},
	{"GET", "/device/events", (*Server).streamRequests, true},
	{"GET", "/device/:request", signedIn((*Server).showRequest), true},
	{"POST", "/device/:request/decision", ours(signedIn((*Server).decideRequest)), true},
	{"GET", "/my/devices", signedIn((*Server).listDevices), true},
	{"POST", "/my/devices/passkeys", ours(signedIn((*Server).addPasskey)), true}, // Web Authentication, Level 3, §7.1
	{"POST", "/my/devices/passkeys/:passkey/remove", ours(signedIn((*Server).removePasskey)), true},
	{"POST", "/my/devices/:device/remove", ours(signedIn((*Server).removeDevice)), true},
	{"GET", "/assets/:file", (*Server).asset, true},
}

//go:embed pages
var pageFiles embed.FS

var (
	pageTemplates = parsePages("login", "consent", "noaccounts", "decided", "handover", "error",
		"signout", "signedout", "myconsents", "myconsent", "revoke", "requests", "request-device", "outcome", "mydevices")
	style  = hashed("style", "css", "text/css; charset=utf-8")
	script = hashed("device", "js", "text/javascript; charset=utf-8")

	passkeyScript = hashed("passkey", "js", "text/javascript; charset=utf-8")

	// scripted are the pages that may run our script, and work without it.
	scripted = map[string]bool{"requests": true, "request-device": true, "mydevices": true}
)

// A file is one that pages refer to.
type file struct {
	name, media string
	content     []byte
}

// hashed returns an embedded file under a name that changes with it.
func hashed(name, extension, media string) file {
	content := mustRead("pages/" + name + "." + extension)
	return file{name + "-" + hex.EncodeToString(sumOf(content))[:16] + "." + extension, media, content}
}

func parsePages(names ...string) map[string]*template.Template {
	all := map[string]*template.Template{}
	for _, n := range names {
		all[n] = template.Must(template.ParseFS(pageFiles, "pages/layout.html", "pages/"+n+".html"))
	}
	return all
}

// Stylesheet is what pages look like, for others who show some beside them.
func Stylesheet() []byte { return style.content }

func mustRead(name string) []byte {
	raw, err := pageFiles.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	return raw
}

func sumOf(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}

// A frame is what every page has around its own view.
type frame struct {
	Title   string
	Bank    string
	Home    string // path of the issuer
	Style   string
	Script  string
	Dev     bool
	Test    bool // nobody real uses the issuer
	Devices bool // it asks on other screens than the client's
	View    any
}

// show answers with a page. If a form on it can lead to a client, goesTo is
// the client's redirect URI.
func (s *Server) show(v *visit, status int, page, title string, view any, goesTo string) error {
	var b bytes.Buffer
	t := v.Tenant
	f := frame{title, t.Settings.DisplayName, t.path, style.name, script.name, s.Dev, t.Settings.Purpose == issuer.Conformance, t.backchannel(), view}
	if err := pageTemplates[page].ExecuteTemplate(&b, "layout", f); err != nil {
		return err
	}
	setPageHeaders(v, goesTo, scripted[page], s.Dev)
	return v.HTMLBlob(status, b.Bytes())
}

// setPageHeaders keeps pages out of frames, referrers and caches, and free of
// scripts but ours where a page has one. Browsers hold the redirect after a form to form-action too, so a
// page whose form can end at a client names the origin of its redirect URI.
func setPageHeaders(v *visit, goesTo string, scripted, dev bool) {
	formAction := "'self'"
	if origin, web := originOf(goesTo); web {
		formAction += " " + origin
	}
	scripts := ""
	if scripted {
		scripts = "script-src 'self'; connect-src 'self'; "
	}
	h := v.Response().Header()
	h.Set("Content-Security-Policy", "default-src 'none'; "+scripts+"style-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action "+formAction)
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if !dev {
		h.Set("Strict-Transport-Security", "max-age=63072000") // FAPI2-SP §5.2.3-1
	}
}

// originOf returns the origin of a URI of the web as a content security policy
// writes it. The policy cannot name an IPv6 address, so for a loopback one it
// names the port only.
func originOf(uri string) (origin string, web bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", false
	}
	if address := "[" + u.Hostname() + "]"; strings.HasPrefix(u.Host, address) {
		return u.Scheme + "://*" + strings.TrimPrefix(u.Host, address), true
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), true
}

// asset serves what pages refer to.
func (s *Server) asset(v *visit) error {
	for _, f := range []file{style, script, passkeyScript} {
		if v.Param("file") == f.name {
			v.Response().Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			return v.Blob(http.StatusOK, f.media, f.content)
		}
	}
	return nothingThere("there is no such file")
}

func nothingThere(description string) error {
	return &httpError{oauth.Refuse(oauth.InvalidRequest, "RFC 9110 §15.5.5", description), http.StatusNotFound, 0}
}
