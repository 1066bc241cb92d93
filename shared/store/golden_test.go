package store

import (
	"context"
	"reflect"
	"testing"
	"time"

	"yundian/events"
	"yundian/shared/commission"
	"yundian/shared/ledger"
	"yundian/shared/ordering"
	"yundian/shared/stream"
)

// TestTodaysLedgerRecordsStayReadable reads one record of every kind that the ledger's stream carries to a function or to
// whoever replays it, in the form of the day it was kept. A later form is added beside these; these stay.
func TestTodaysLedgerRecordsStayReadable(t *testing.T) {
	at, placed := time.Date(2026, 3, 1, 8, 31, 2, 0, time.UTC), time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC)
	const order, payoutID = "01JNQ5T8R0C3A9Z7X5V3T1R8P6", "prdfce3sizt27gak2b4smnhc3"
	posting := func(it Item) (any, error) { return PostingFrom(it) }
	for name, tt := range map[string]struct {
		read func(Item) (any, error)
		want any
	}{
		"stream-ledger-insert": {func(it Item) (any, error) { return FactFrom(it) }, ledger.Fact{Order: order, V: 3, At: at, Day: "2026-03-01", Currency: "CNY", KOC: "lin", Code: "Qm7kX2", Counted: true,
			Lines: []ledger.FactLine{{Product: "classic-varsity-top", Sales: 12000, Commission: 1200}}}},
		"stream-ledger-posting-order": {posting, ledger.Posting{ID: "settle:" + order + ":3:lin", KOC: "lin", Order: order, V: 3, At: at, PlacedAt: placed, Currency: "CNY", Entries: []ledger.Entry{
			{SKU: "classic-varsity-top-small", Product: "classic-varsity-top", Kind: ledger.Accrual, Minor: 1200, Base: 12000, Rate: 1000, Rule: "default", RuleVersion: 1,
				Legs: []ledger.Leg{{Account: ledger.Pending, Minor: 1200}, {Account: ledger.Expense, Minor: -1200}}},
			{Kind: ledger.Bonus, Minor: 5000, Rule: "spring", RuleVersion: 2, Legs: []ledger.Leg{{Account: ledger.Pending, Minor: 5000}, {Account: ledger.Expense, Minor: -5000}}}}}},
		"stream-ledger-posting-payout": {posting, ledger.Posting{ID: "payout:" + payoutID + ":3", KOC: "lin", Payout: payoutID, V: 3, At: at, Currency: "CNY", Entries: []ledger.Entry{
			{Kind: ledger.PayoutKind, Minor: 4600, Reason: "paid", Legs: []ledger.Leg{{Account: ledger.Paid, Minor: 4600}, {Account: ledger.InPayout, Minor: -4600}}},
			{Kind: ledger.Tax, Minor: -520, Legs: []ledger.Leg{{Account: ledger.TaxWithheld, Minor: 520}, {Account: ledger.InPayout, Minor: -520}}},
			{Kind: ledger.Fee, Minor: -80, Legs: []ledger.Leg{{Account: ledger.Fees, Minor: 80}, {Account: ledger.InPayout, Minor: -80}}}}}},
		"stream-ledger-posting-adjustment": {posting, ledger.Posting{ID: "adjust:a1b2c3:lin", KOC: "lin", Adjustment: "a1b2c3", V: 2, At: at, Currency: "CNY", Entries: []ledger.Entry{
			{Kind: ledger.Adjusted, Minor: -300, Reason: "counted twice", Legs: []ledger.Leg{{Account: ledger.Available, Minor: -200}, {Account: ledger.Debt, Minor: -100}, {Account: ledger.Adjustments, Minor: 300}}}}}},
		"stream-ledger-month": {func(it Item) (any, error) { return monthFrom(it) }, ledger.Month{V: 1, Terms: commission.MonthTerms{RuleVersion: 2, Cap: 90000, Milestones: []ordering.Milestone{{Sales: 10000, Bonus: 5000}}},
			Sums: commission.MonthSums{Pending: 1200, Sales: 12000}, Posted: commission.Adjustment{Pending: 5000}}},
		"stream-ledger-notice": {func(it Item) (any, error) { return NoticeFrom(it) }, Notice{KOC: "lin", At: at, Kind: NoticePayee, N: 2, Until: at.Add(72 * time.Hour)}},
	} {
		text, err := events.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		process := func(_ context.Context, records []stream.Record) (int, error) {
			for _, r := range records {
				seen++
				if got, err := tt.read(r.New); err != nil || !reflect.DeepEqual(got, tt.want) {
					t.Errorf("%s reads as %+v, %v\nwant %+v", name, got, err, tt.want)
				}
			}
			return len(records), nil
		}
		if _, err := stream.New(process).Invoke(t.Context(), text); err != nil || seen != 1 {
			t.Errorf("%s: %d records, %v", name, seen, err)
		}
	}
}
