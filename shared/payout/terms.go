// Package payout is how earned commission reaches a KOC's hands: reserved, approved by a second person, sent once, and
// recorded as paid or given back.
//
// A payout is a set of facts that only grow; where it stands follows from them, and so does what it posts. Amounts are
// minor units of its currency. What is withdrawn repays debt first; the rest is the gross amount, of which tax and a fee
// are kept back:
//
//	withdrawn = netted + gross,  gross = tax + fee + net
package payout

import (
	"fmt"
	"slices"
	"time"

	"yundian/shared/fail"
	"yundian/shared/money"
)

// Terms are one version of the brand's conditions of payout. Versions are never edited: a change is a new version that is
// in force from a moment on, and a payout keeps what followed from the version of its reservation.
type Terms struct {
	Version   int64
	From      time.Time
	HoldHours int // how long payouts wait after a change of where they go
	// Currencies have terms of their own, at most MaxCurrencies and each once; others have DefaultTerms.
	Currencies []CurrencyTerms
}

// CurrencyTerms are the conditions for payouts of one currency.
type CurrencyTerms struct {
	Currency money.Currency
	Minimum  int64             // least amount to be withdrawn, in minor units, at least 1
	Fee      Fee               // kept back for what a transfer costs
	DebtCap  money.BasisPoints // most of a withdrawal that repays debt
	Schedule Schedule
	Tax      []TaxTable // by the day from which each applies, earliest first; none withholds nothing
}

// Fee is kept back from a payout: a fixed amount and a share of the gross amount, at most all of it.
type Fee struct {
	Fixed int64 // minor units
	Rate  money.BasisPoints
}

// Of is the fee on a gross amount, rounded once.
func (f Fee) Of(gross money.Amount) (int64, error) {
	share, err := gross.Times(f.Rate.Ratio())
	if err != nil {
		return 0, err
	}
	sum, err := share.Add(money.Of(f.Fixed, gross.Currency))
	return min(sum.Minor, gross.Minor), err
}

// Limits of terms, so that they stay one item of the store.
const (
	MaxCurrencies = 20
	MaxTables     = 20  // of a currency: a new one a year lasts longer than the shop's software
	MaxBrackets   = 20  // of a table
	MaxHoldHours  = 720 // 30 days; longer is a suspension
	MaxAhead      = 732 // days from publishing to the beginning, as for rule books: later is a slip of the hand
)

// HoldHours is how long payouts wait after a change of method in a shop that has not chosen.
const HoldHours = 72

// FirstTerms are those of a new shop, in force since ever.
func FirstTerms() Terms { return Terms{Version: 1, HoldHours: HoldHours} }

// DefaultTerms are the terms of a currency that the shop has not chosen any for: ten major units at least, no fee, no
// schedule, no tax, and up to half of a withdrawal repays debt.
func DefaultTerms(c money.Currency) CurrencyTerms {
	minimum := int64(10)
	for range c.Digits() {
		minimum *= 10
	}
	return CurrencyTerms{Currency: c, Minimum: minimum, DebtCap: money.Whole / 2}
}

// Of are the terms of a currency.
func (t Terms) Of(c money.Currency) CurrencyTerms {
	if i := slices.IndexFunc(t.Currencies, func(x CurrencyTerms) bool { return x.Currency == c }); i >= 0 {
		return t.Currencies[i]
	}
	return DefaultTerms(c)
}

// Next is the version after t with what an editor wants. From is the moment of publishing when it is zero, and may not lie
// before it nor more than MaxAhead days after; today is the shop's local day then. Tax tables that apply already stay as they are, because money was
// withheld by them: a correction is another table from a later day.
func (t Terms) Next(wanted Terms, now time.Time, today string) (Terms, error) {
	wanted.Version = t.Version + 1
	if wanted.From.IsZero() {
		wanted.From = now
	}
	var f []fail.Field
	if wanted.From.Before(now) {
		f = append(f, fail.At("body.from", "terms_past", "Terms cannot apply to the past.", nil))
	}
	if wanted.From.After(now.AddDate(0, 0, MaxAhead)) {
		f = append(f, fail.At("body.from", "from_far", "At most {days} days from now.", fail.Args{"days": MaxAhead}))
	}
	f = append(f, between("body.holdHours", int64(wanted.HoldHours), 0, MaxHoldHours)...)
	if len(wanted.Currencies) > MaxCurrencies {
		f = append(f, fail.At("body.currencies", "too_many", "At most {limit} entries.", fail.Args{"limit": MaxCurrencies}))
	}
	for i, c := range wanted.Currencies {
		where := fmt.Sprintf("body.currencies[%d]", i)
		if slices.ContainsFunc(wanted.Currencies[:i], func(x CurrencyTerms) bool { return x.Currency == c.Currency }) {
			f = append(f, fail.At(where+".currency", "field_unique", "The entries must differ.", nil))
		}
		f = append(f, c.check(where)...)
		f = append(f, tablesKept(where+".tax", t.Of(c.Currency).Tax, c.Tax, today)...)
	}
	for _, c := range t.Currencies {
		if !slices.ContainsFunc(wanted.Currencies, func(x CurrencyTerms) bool { return x.Currency == c.Currency }) {
			f = append(f, tablesKept("body.currencies", c.Tax, nil, today)...)
		}
	}
	return wanted, fail.NewFields(f)
}

func (c CurrencyTerms) check(where string) []fail.Field {
	var f []fail.Field
	if _, err := money.ParseCurrency(string(c.Currency)); err != nil {
		f = append(f, fail.At(where+".currency", "currency_unknown", "{currency} is not an ISO 4217 currency code.", fail.Args{"currency": c.Currency}))
	}
	f = append(f, between(where+".minimum", c.Minimum, 1, money.MaxMinor)...)
	f = append(f, between(where+".fee.fixed", c.Fee.Fixed, 0, money.MaxMinor)...)
	f = append(f, between(where+".fee.rate", int64(c.Fee.Rate), 0, int64(money.Whole))...)
	f = append(f, between(where+".debtCap", int64(c.DebtCap), 0, int64(money.Whole))...)
	f = append(f, c.Schedule.check(where+".schedule")...)
	return append(f, checkTables(where+".tax", c.Currency, c.Tax)...)
}

func between(where string, value, low, high int64) []fail.Field {
	if value >= low && value <= high {
		return nil
	}
	return []fail.Field{fail.At(where, "out_of_range", "Between {low} and {high}.", fail.Args{"low": low, "high": high})}
}
