package watermill

import (
	"encoding/json"
	"strings"

	"github.com/chirograph/chirograph/api"
)

const (
	maxSaid   = 256 // characters of an answer that are recorded
	minSecret = 16  // of a text that could be one
	redacted  = "[withheld]"
)

// withheld is an answer without what was sent: a receiver that echoes a token
// does not bring it into the log.
func withheld(said []byte, sent api.Message) string {
	text := string(said)
	if sent.Bearer != "" {
		text = strings.ReplaceAll(text, sent.Bearer, redacted)
	}
	var body map[string]any
	if json.Unmarshal(sent.Body, &body) != nil {
		if len(sent.Body) >= minSecret { // not an object: a token itself
			text = strings.ReplaceAll(text, string(sent.Body), redacted)
		}
		return text
	}
	for _, member := range body {
		if secret, ok := member.(string); ok && len(secret) >= minSecret {
			text = strings.ReplaceAll(text, secret, redacted)
		}
	}
	return text
}

// printable is the beginning of a text, without what a log or a terminal could
// take for something else.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if b.Len() == maxSaid {
			break
		}
		if r < ' ' || r > '~' {
			r = '.'
		}
		b.WriteRune(r)
	}
	return b.String()
}
