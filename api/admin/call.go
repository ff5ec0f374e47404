package admin

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/projections"
)

// A call is one admitted request.
type call struct {
	*http.Request
	caller Caller
	server *Server
}

// meta begins the metadata of the events that the call causes.
func (c *call) meta() event.Meta {
	address, _, err := net.SplitHostPort(c.RemoteAddr)
	if err != nil {
		address = c.RemoteAddr
	}
	return event.Meta{Actor: event.ActorOperator + ":" + c.caller.Name, Address: address, Software: c.server.API.Software}
}

// maxBody bounds a request. A whole configuration fits.
const maxBody = 4 << 20

// read reads the body into v. Members that nobody knows are refused, so that a
// misspelt one is not taken for a wish that was granted.
func (c *call) read(v any) error {
	media, _, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return &problem{Status: http.StatusUnsupportedMediaType, Title: "Unsupported media type", Detail: "the body must be application/json"}
	}
	decoder := json.NewDecoder(http.MaxBytesReader(nil, c.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		if _, long := errors.AsType[*http.MaxBytesError](err); long {
			return &problem{Status: http.StatusRequestEntityTooLarge, Title: "Too large", Detail: "the body is longer than 4 MiB"}
		}
		return invalid("the body cannot be read: " + err.Error())
	}
	if _, err := decoder.Token(); err != io.EOF {
		return invalid("the body has more than one value")
	}
	return nil
}

// only refuses parameters of the query that the route does not know.
func (c *call) only(known ...string) error {
	for name := range c.URL.Query() {
		if !slices.Contains(known, name) {
			return invalid("unknown parameter " + strconv.Quote(name))
		}
	}
	return nil
}

func (c *call) param(name string) string { return c.URL.Query().Get(name) }

// page reads limit and cursor.
func (c *call) page() (projections.Page, error) {
	p := projections.Page{Cursor: c.param("cursor")}
	if text := c.param("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > projections.MaxLimit {
			return p, invalid("limit must be 1 to " + strconv.Itoa(projections.MaxLimit))
		}
		p.Limit = n
	}
	return p, nil
}

// moment reads an instant of the query; zero if it is absent.
func (c *call) instant(name string) (time.Time, error) {
	text := c.param(name)
	if text == "" {
		return time.Time{}, nil
	}
	m, err := projections.ParseMoment(text)
	if err != nil || m.Position != 0 {
		return time.Time{}, invalid(name + " must be a time such as 2026-03-04T10:00Z")
	}
	return m.Time, nil
}

// A reason says why something is done. It is kept in the log.
type reason struct {
	Reason string `json:"reason"`
}

func (r reason) check() error {
	if r.Reason == "" || len(r.Reason) > 500 {
		return invalid("reason is required, at most 500 bytes")
	}
	return nil
}

// paged reads which page of a listing is wanted, and waits until the
// projections have seen all that was acknowledged before.
func (s *Server) paged(c *call, known ...string) (projections.Page, error) {
	if err := c.only(append(known, "limit", "cursor")...); err != nil {
		return projections.Page{}, err
	}
	page, err := c.page()
	if err != nil {
		return page, err
	}
	return page, s.Current(c.Context())
}
