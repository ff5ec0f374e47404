package fetch

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Document is a JSON document as its owner published it.
type Document struct {
	Body      []byte
	FetchedAt time.Time
	ETag      string
	MaxAge    time.Duration // what the owner allows; negative if unsaid
}

// Document fetches a JSON document, such as a key set. Anything but 200 and a
// JSON media type is [ErrAnswer].
func (c *Client) Document(ctx context.Context, url string) (Document, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return Document{}, ErrURL
	}
	r.Header.Set("Accept", "application/jwk-set+json, application/json")
	answer, err := c.Do(r)
	if err != nil {
		return Document{}, err
	}
	if answer.Status != http.StatusOK {
		return Document{}, fmt.Errorf("fetch from %s: %w: status %d", r.URL.Host, ErrAnswer, answer.Status)
	}
	if !jsonType(answer.Header.Get("Content-Type")) {
		return Document{}, fmt.Errorf("fetch from %s: %w: not a JSON media type", r.URL.Host, ErrAnswer)
	}
	return Document{
		Body:      answer.Body,
		FetchedAt: c.now(),
		ETag:      answer.Header.Get("ETag"),
		MaxAge:    maxAge(answer.Header.Values("Cache-Control")),
	}, nil
}

func jsonType(header string) bool {
	media, _, err := mime.ParseMediaType(header)
	return err == nil && (media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json"))
}

// maxAge reads Cache-Control (RFC 9111, Section 5.2.2). An unreadable age is
// stale, as Section 4.2.1 advises.
func maxAge(headers []string) time.Duration {
	age := time.Duration(-1)
	for directive := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(name) {
		case "no-store", "no-cache":
			return 0
		case "max-age":
			seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
			if err != nil && !errors.Is(err, strconv.ErrRange) { // what is out of range is as long as can be
				return 0
			}
			age = time.Duration(seconds) * time.Second
		}
	}
	return age
}
