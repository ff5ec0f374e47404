package platform

import (
	"slices"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/access"
	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/projections"
)

func TestHistoryIsInTheCustomersWords(t *testing.T) {
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	balances := access.Recorded{Permission: "ReadBalances", Result: 200}
	tests := []struct {
		name   string
		bodies []any
		want   []string
	}{
		{"what is shared and stopped", []any{authorization.Pushed{}, consent.Authorized{}, consent.Revoked{By: consent.Customer}},
			[]string{"Budgetly asked for access", "You agreed to share", "You stopped sharing"}},
		{"machines among themselves say nothing", []any{authorization.CodeIssued{}, token.Issued{}, authorization.CodeRedeemed{}}, nil},
		{"the same again on one day is counted", []any{balances, balances, balances}, []string{"Budgetly read your balances, 3 times"}},
		{"but not across something else", []any{balances, consent.Suspended{}, balances},
			[]string{"Budgetly read your balances", "Sharing was paused", "Budgetly read your balances"}},
		{"a refusal is told", []any{access.Recorded{Permission: "ReadTransactions", Result: 401}},
			[]string{"Budgetly tried to read your transactions and was refused"}},
		{"the bank ends it", []any{consent.Revoked{By: consent.Bank}}, []string{"We ended the sharing"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var entries []projections.Entry
			for _, b := range tt.bodies {
				entries = append(entries, projections.Entry{Time: noon, Body: b, Client: &projections.Named{ID: "budgetly", Name: "Budgetly"}})
			}
			var got []string
			for _, line := range history(entries) {
				got = append(got, line.Sentence)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestHistoryCountsByDay(t *testing.T) {
	read := func(at time.Time) projections.Entry {
		return projections.Entry{Time: at, Body: access.Recorded{Permission: "ReadBalances", Result: 200}}
	}
	night := time.Date(2026, 5, 1, 23, 59, 0, 0, time.UTC)
	if lines := history([]projections.Entry{read(night.Add(2 * time.Minute)), read(night)}); len(lines) != 2 {
		t.Errorf("got %v, want a line a day", lines)
	}
}
