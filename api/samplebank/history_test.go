package samplebank

import (
	"encoding/json"
	"math/big"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestAmounts(t *testing.T) {
	for in, want := range map[cents]string{0: "0.00", 5: "0.05", -5: "-0.05", 123_45: "123.45", -100: "-1.00", -1 << 63: "-92233720368547758.08"} {
		got, err := json.Marshal(in)
		if err != nil || string(got) != `"`+want+`"` {
			t.Errorf("%d is written as %s, %v, want %q", in, got, err, want)
		}
	}
}

func TestHistory(t *testing.T) {
	for later := range 40 {
		then := now.AddDate(0, 0, 31*later)
		for _, c := range Customers() {
			for _, a := range c.Accounts {
				checkHistory(t, a, then)
			}
		}
	}
}

func checkHistory(t *testing.T, a Account, now time.Time) {
	lines := a.booked(oldest(now), day(now))
	if n := len(lines); a.Kind == "CurrentAccount" && (n < 150 || n > 260) || n == 0 {
		t.Errorf("%s has %d transactions", a.ID, n)
	}
	ids, sum := map[string]bool{}, a.habits.opening
	for _, l := range lines {
		ids[l.ID] = true
		if sum += l.Amount; sum < 0 {
			t.Errorf("%s is overdrawn on %s", a.ID, l.Booked)
		}
	}
	if len(ids) != len(lines) {
		t.Errorf("%s has transactions with one id", a.ID)
	}
	if a.balance(now) != sum {
		t.Errorf("%s: the balance is %d, its transactions make %d", a.ID, a.balance(now), sum)
	}
}

func TestADayStaysAsItWas(t *testing.T) {
	a := Customers()[0].Accounts[0]
	later := now.AddDate(0, 0, 40)
	before := a.booked(oldest(later), day(now))
	after := a.booked(oldest(later), day(later))[:len(before)]
	if len(before) == 0 || !reflect.DeepEqual(before, after) {
		t.Error("40 days later the same days have other transactions")
	}
	if reflect.DeepEqual(a.booked(oldest(now), day(now)), Customers()[1].Accounts[0].booked(oldest(now), day(now))) {
		t.Error("two accounts have the same transactions")
	}
}

func TestSeed(t *testing.T) {
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$`)
	for _, c := range Customers() {
		if !uuid.MatchString(c.Subject) || utf8.RuneCountInString(c.Password) < 8 || c.Login == "" || c.Name == "" {
			t.Errorf("%s cannot sign in: %+v", c.Name, c)
		}
		if !strings.HasSuffix(c.Claims["email"].(string), ".example") {
			t.Errorf("%s has an address that may exist", c.Name)
		}
		if born, err := time.Parse(time.DateOnly, c.Claims["birthdate"].(string)); err != nil || born.After(now) {
			t.Errorf("%s was born on %v", c.Name, born)
		}
		for _, a := range c.Accounts {
			if !validIBAN(a.Number) || !strings.HasPrefix(a.Number, "XX") {
				t.Errorf("%s: number %s", a.ID, a.Number)
			}
			if strings.Contains(a.Masked(), a.Number[:len(a.Number)-4]) {
				t.Errorf("%s is not masked: %s", a.ID, a.Masked())
			}
		}
	}
	joint := Customers()[0].Accounts[2]
	if got := joint.holders(); !reflect.DeepEqual(got, []string{"Alice Marsh", "Ben Marsh"}) {
		t.Errorf("the joint account belongs to %v", got)
	}
}

// validIBAN checks the digits by ISO 7064, MOD 97-10.
func validIBAN(s string) bool {
	var digits strings.Builder
	for _, c := range s[4:] + s[:4] {
		digits.WriteString(new(big.Int).SetInt64(int64(strings.IndexRune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", c))).String())
	}
	n, ok := new(big.Int).SetString(digits.String(), 10)
	return ok && n.Mod(n, big.NewInt(97)).Int64() == 1
}

func FuzzPeriod(f *testing.F) {
	f.Add("from=2026-01-01&to=2026-02-01", "2026-01-15")
	f.Add("from=0000-01-01&to=9999-12-31", "")
	f.Add("to=%zz;from", "x")
	f.Fuzz(func(t *testing.T, query, first string) {
		from, to, err := period(query, now, first)
		if err != nil {
			return
		}
		if from.Before(oldest(now)) || to.After(day(now)) || first != "" && from.Format(time.DateOnly) < first {
			t.Errorf("%q with the consent from %q got %s to %s", query, first, from, to)
		}
	})
}
