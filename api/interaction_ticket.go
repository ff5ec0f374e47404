package api

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// A ticket is what pages carry from step to step: which request, and since
// when it is open.
type ticket struct {
	id     string // of the authorization
	opened time.Time
}

const ticketSize = 16 + 8 + sha256.Size

var pageText = base64.RawURLEncoding.Strict()

// sealTicket writes the ticket so that it opens at this issuer and in this
// browser only.
func (s *Server) sealTicket(v *visit, i interaction) string {
	id := uuid.MustParse(i.ticket.id)
	raw := binary.BigEndian.AppendUint64(id[:], uint64(i.ticket.opened.UnixNano()))
	return pageText.EncodeToString(append(raw, s.ticketMAC(v, raw, i.browser)...))
}

func (s *Server) ticketMAC(v *visit, raw []byte, browser string) []byte {
	return s.pageMAC("ticket", v.Tenant.ID, browser, string(raw))
}

// openTicket reads what sealTicket wrote.
func (s *Server) openTicket(v *visit, sealed, browser string) (ticket, bool) {
	if browser == "" || len(sealed) != pageText.EncodedLen(ticketSize) {
		return ticket{}, false
	}
	raw, err := pageText.DecodeString(sealed)
	if err != nil || len(raw) != ticketSize || !hmac.Equal(raw[24:], s.ticketMAC(v, raw[:24], browser)) {
		return ticket{}, false
	}
	opened := time.Unix(0, int64(binary.BigEndian.Uint64(raw[16:24]))).UTC()
	return ticket{uuid.UUID(raw[:16]).String(), opened}, true
}

// pageMAC authenticates parts for one purpose. No two lists of parts give the
// same bytes.
func (s *Server) pageMAC(purpose string, parts ...string) []byte {
	mac := hmac.New(sha256.New, s.PageKey[:])
	for _, part := range append([]string{"chirograph page v1", purpose}, parts...) {
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		mac.Write([]byte(part))
	}
	return mac.Sum(nil)
}

// browserCookie tells browsers apart, signed in or not. Its hash is what a
// journey is bound to.
const browserCookie = "__Host-browser"

// browser returns the hash of the browser's cookie, which it sets in a browser
// that has none.
func (s *Server) browser(v *visit) string {
	if hash, known := browserOf(v.Request()); known {
		return hash
	}
	var secret [32]byte
	rand.Read(secret[:])
	value := pageText.EncodeToString(secret[:])
	setCookie(v, browserCookie, value)
	return hashOf(value)
}

func browserOf(r *http.Request) (hash string, known bool) {
	c, err := r.Cookie(browserCookie)
	if err != nil || len(c.Value) != pageText.EncodedLen(32) {
		return "", false
	}
	return hashOf(c.Value), true
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return pageText.EncodeToString(sum[:])
}

// setCookie sets a cookie that lasts as long as the browser runs and that no
// script, other site or subdomain gets at. An empty value removes it.
func setCookie(v *visit, name, value string) {
	c := &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(v.Response(), c)
}
