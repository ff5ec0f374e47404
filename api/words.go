package api

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// How pages put things to people. There is one language so far.
const locale = "en"

// inWords writes a duration to wait, never shorter than it is.
func inWords(d time.Duration) string {
	if d <= 90*time.Second {
		return amount(int(wholeSeconds(d)), "second")
	}
	return amount(int(math.Ceil(d.Minutes())), "minute")
}

func wholeSeconds(d time.Duration) int64 { return max(1, int64(math.Ceil(d.Seconds()))) }

func amount(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// dayOf and momentOf write times so that nobody has to guess the zone.
func dayOf(t time.Time) string    { return t.UTC().Format("2 January 2006") }
func momentOf(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// clockOf writes a time of today.
func clockOf(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }

// dateOf writes a date that came as YYYY-MM-DD.
func dateOf(iso string) string {
	t, err := time.Parse(time.DateOnly, iso)
	if err != nil {
		return iso
	}
	return dayOf(t)
}

// enumerate joins with commas and an "and".
func enumerate(items []string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	return strings.Join(items[:len(items)-1], ", ") + " and " + items[len(items)-1]
}

// printableText reports whether text has no control characters and no marks
// that would turn the direction of what is around it.
func printableText(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(c rune) bool {
		return !unicode.IsPrint(c) || unicode.Is(unicode.Bidi_Control, c)
	})
}
