package admin

import "testing"

func TestDurationReadsWhatItWrites(t *testing.T) {
	for _, text := range []string{"90s", "5m", "1m30s", "24h", "180d", "250ms", "0s", "1h30m"} {
		d, err := ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseDuration(Duration(d).String())
		if err != nil || again != d {
			t.Errorf("%s is written as %s", text, Duration(d))
		}
	}
	for _, text := range []string{"", "5", "-5s", "d", "-1d", "1.5d", "99999d"} {
		if d, err := ParseDuration(text); err == nil {
			t.Errorf("%q is %v", text, d)
		}
	}
}
