package samplebank

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"
)

// A transaction is one booked line of an account.
type transaction struct {
	ID       string `json:"transaction_id"`
	Booked   string `json:"booked_on"` // YYYY-MM-DD
	Amount   cents  `json:"amount"`    // negative if money left
	Currency string `json:"currency"`
	Party    string `json:"counterparty"`
	Text     string `json:"description"`
}

// MarshalText writes the amount as a decimal number.
func (c cents) MarshalText() ([]byte, error) {
	sign, abs := "", uint64(c)
	if c < 0 {
		sign, abs = "-", -uint64(c)
	}
	return fmt.Appendf(nil, "%s%d.%02d", sign, abs/100, abs%100), nil
}

// oldest is the first day of which the bank tells anything: 13 months ago.
func oldest(now time.Time) time.Time { return day(now).AddDate(0, -13, 0) }

func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// booked returns the transactions of the days from one to another, both
// included, the oldest first. A day's transactions are the same whenever one
// asks.
func (a Account) booked(from, to time.Time) []transaction {
	all := []transaction{}
	for d := from; !d.After(to); d = d.AddDate(0, 0, 1) {
		all = append(all, a.on(d)...)
	}
	return all
}

// balance is what the account holds at the end of the day.
func (a Account) balance(now time.Time) cents {
	sum := a.habits.opening
	for _, t := range a.booked(oldest(now), day(now)) {
		sum += t.Amount
	}
	return sum
}

// on returns the transactions of one day: its standing payments, and, on about
// two days of five, a purchase.
func (a Account) on(d time.Time) []transaction {
	var all []transaction
	date := d.Format(time.DateOnly)
	add := func(amount cents, party, text string) {
		id := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", a.ID, date, len(all)))
		all = append(all, transaction{hex.EncodeToString(id[:8]), date, amount, a.Currency, party, text})
	}
	for _, s := range a.habits.monthly {
		if s.day == d.Day() {
			add(s.amount, s.party, s.text)
		}
	}
	dice := sha256.Sum256([]byte(a.ID + " " + date))
	if dice[0] < 102 && len(a.habits.shops) > 0 {
		s := a.habits.shops[int(dice[1])%len(a.habits.shops)]
		spent := s.least + cents(binary.BigEndian.Uint32(dice[2:]))%(s.most-s.least+1)
		add(-spent, s.party, s.text)
	}
	return all
}
