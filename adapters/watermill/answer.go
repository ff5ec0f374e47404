package watermill

import (
	"encoding/json"
	"strings"

	"github.com/chirograph/chirograph/api"
)

const (
	maxSaid   = 256 // characters of an answer that are recorded
	minSecret = 16  // of a text that could be one, or enough of one to matter
	redacted  = "[withheld]"
)

// withheld is an answer without what was sent: a receiver that echoes a token,
// or the beginning of one, does not bring it into the log.
func withheld(said []byte, sent api.Message) string {
	if len(said) < minSecret {
		return string(said)
	}
	parts := map[string]bool{}
	for _, secret := range secrets(sent) {
		for i := range len(secret) - minSecret + 1 {
			parts[secret[i:i+minSecret]] = true
		}
	}
	text := strings.ReplaceAll(string(said), `\/`, "/") // as JSON may have it
	isPart := func(i int) bool { return i+minSecret <= len(text) && parts[text[i:i+minSecret]] }
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if !isPart(i) {
			b.WriteByte(text[i])
			continue
		}
		for isPart(i + 1) {
			i++
		}
		i += minSecret - 1
		b.WriteString(redacted)
	}
	return b.String()
}

// secrets are what of a message could be secret. A body that is no object is a
// token itself.
func secrets(sent api.Message) []string {
	all := []string{sent.Bearer}
	var body map[string]any
	if json.Unmarshal(sent.Body, &body) != nil {
		return append(all, string(sent.Body))
	}
	for _, member := range body {
		if text, ok := member.(string); ok {
			all = append(all, text)
		}
	}
	return all
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
