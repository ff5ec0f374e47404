package eventstoredb

import (
	"bytes"
	"regexp"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

func TestFrame(t *testing.T) {
	noon := time.Date(2026, 3, 20, 12, 0, 0, 123456789, time.UTC)
	for _, meta := range []string{"", "{}", `{"actor":"test"}`, "}", `},"meta":`, "no JSON\x00"} {
		version, recorded, got, err := parseFrame(frame(7, noon, []byte(meta)))
		if version != 7 || !recorded.Equal(noon) || recorded.Location() != time.UTC || string(got) != meta || err != nil {
			t.Errorf("%q: got %d, %v, %q, %v", meta, version, recorded, got, err)
		}
	}
}

func TestFramesThatNobodyWroteAreRefused(t *testing.T) {
	tests := []struct{ name, text string }{
		{"nothing", ``},
		{"other metadata", `{"$correlationId":"1"}`},
		{"a frame with a space", `{"chirograph":{"version": 1,"recorded":1},"meta":{}}`},
		{"a number with a zero before it", `{"chirograph":{"version":01,"recorded":1},"meta":{}}`},
		{"a version of none", `{"chirograph":{"version":0,"recorded":1},"meta":{}}`},
		{"a version beyond the record's field", `{"chirograph":{"version":2147483648,"recorded":1},"meta":{}}`},
		{"no time", `{"chirograph":{"version":1},"meta":{}}`},
		{"a time beyond all", `{"chirograph":{"version":1,"recorded":9223372036854775808},"meta":{}}`},
		{"no end", `{"chirograph":{"version":1,"recorded":1},"meta":{`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, _, _, err := parseFrame([]byte(tt.text)); err == nil {
				t.Error("it was read")
			}
		})
	}
}

func FuzzParseFrame(f *testing.F) {
	f.Add(frame(1, time.Unix(0, 1), []byte(`{"actor":"test"}`)))
	f.Add([]byte(`{"chirograph":{"version":1,"recorded":-1},"meta":}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		version, recorded, meta, err := parseFrame(text)
		if err == nil && !bytes.Equal(frame(version, recorded, meta), text) {
			t.Errorf("%q is written in another way", text)
		}
	})
}

func TestNames(t *testing.T) {
	tests := []struct {
		name, prefix, stored string
		want                 bool
	}{
		{"a stream of the log", "", "consent-1", true},
		{"one with several dashes", "", "access-1-2026-03-20", true},
		{"the server's own", "", "$ce-consent", false},
		{"their metadata", "", "$$consent-1", false},
		{"the adapter's own", "", names{}.identity(), false},
		{"its buckets", "", names{}.bucket(17), false},
		{"a stream of this log among others", "a-b.", "a-b.consent-1", true},
		{"one of another log", "a-b.", "c-d.consent-1", false},
		{"the adapter's own behind a prefix with a dash", "a-b.", names{"a-b."}.bucket(1), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := names{tt.prefix}
			if got := n.ours(&esdb.RecordedEvent{StreamID: tt.stored}); got != tt.want {
				t.Errorf("got %v", got)
			}
			if got := matches(n.filter().Regex, tt.stored); got != tt.want {
				t.Errorf("the filter says %v", got)
			}
			if tt.want && n.of(n.stream(tt.stored)) != tt.stored {
				t.Errorf("%s becomes %s", tt.stored, n.of(n.stream(tt.stored)))
			}
		})
	}
}

func matches(pattern, name string) bool { return regexp.MustCompile(pattern).MatchString(name) }
