package payout

import (
	"fmt"
	"slices"
	"time"

	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/shop"
)

// Period is what cumulative tax is worked out over.
type Period string

// The periods.
const (
	Month Period = "month"
	Year  Period = "year"
)

// TaxTable says what is withheld from the gross amounts of one period together: cumulative brackets, as tax offices
// publish them with quick deductions. It counts what is paid from its day on, so that a table which begins within a
// period never taxes again what was paid before it. The shop enters the tables that bind it; there is none by default.
type TaxTable struct {
	From     string // local day from which it applies
	Period   Period
	Brackets []Bracket
	Source   string // where the brackets are published, for whoever checks them
}

// Bracket is the tax on a cumulative amount above Over: rate × amount − deduction.
type Bracket struct {
	Over      int64 // minor units
	Rate      money.BasisPoints
	Deduction int64 // minor units
}

// On is the tax on everything paid in a period, rounded once; never negative.
func (t TaxTable) On(gross money.Amount) (int64, error) {
	b := t.Brackets[0]
	for _, next := range t.Brackets[1:] {
		if gross.Minor > next.Over {
			b = next
		}
	}
	return b.on(gross)
}

func (b Bracket) on(gross money.Amount) (int64, error) {
	tax, err := gross.Times(b.Rate.Ratio())
	return max(0, tax.Minor-b.Deduction), err
}

// period names the period that a local day belongs to.
func (t TaxTable) period(day string) string {
	length := len("2006")
	if t.Period == Month {
		length = len("2006-01")
	}
	if name := day[:length]; name != t.From[:length] {
		return name
	}
	return t.From // what was paid before its first day belongs to another table, or to none
}

// TableOn is the table that applies on a local day; false when nothing is withheld then.
func (c CurrencyTerms) TableOn(day string) (TaxTable, bool) { return tableOn(c.Tax, day) }

// tableOn is the table that applies on a local day; false when there is none.
func tableOn(tables []TaxTable, day string) (TaxTable, bool) {
	for _, t := range slices.Backward(tables) {
		if t.From <= day {
			return t, true
		}
	}
	return TaxTable{}, false
}

// TaxSum is what was paid to a KOC in one period and what was withheld of it, less what came back. V counts its changes.
type TaxSum struct {
	V     int64
	Gross int64
	Tax   int64
}

// TaxPeriod is the period in whose sum a payout of a local day belongs; "" when nothing is withheld then.
func (c CurrencyTerms) TaxPeriod(day string) string {
	t, ok := tableOn(c.Tax, day)
	if !ok {
		return ""
	}
	return t.period(day)
}

// withheld is the tax on one payout more: that on everything in the period less what is withheld already. It is nothing
// when more is withheld already than is due, which can be after a transfer that failed.
func (c CurrencyTerms) withheld(gross money.Amount, sum TaxSum, day string) (int64, error) {
	t, ok := tableOn(c.Tax, day)
	if !ok {
		return 0, nil
	}
	all, err := gross.Add(money.Of(sum.Gross, gross.Currency))
	if err != nil {
		return 0, err
	}
	due, err := t.On(all)
	return min(max(0, due-sum.Tax), gross.Minor), err
}

// maxSource bounds the source of a tax table, in bytes.
const maxSource = 500

// checkTables lists what is wrong with tables. Brackets meet where one ends and the next begins, so that nobody has less
// for having earned more, and tax on a sum never falls when the sum grows.
func checkTables(where string, c money.Currency, tables []TaxTable) []fail.Field {
	var f []fail.Field
	if len(tables) > MaxTables {
		f = append(f, fail.At(where, "too_many", "At most {limit} entries.", fail.Args{"limit": MaxTables}))
	}
	for i, t := range tables {
		at := fmt.Sprintf("%s[%d]", where, i)
		if day, err := time.Parse(time.DateOnly, t.From); err != nil || !shop.Time(day) {
			f = append(f, fail.At(at+".from", "field_date", "This must be a date such as 2026-03-01.", nil))
			continue
		}
		if i > 0 && t.From <= tables[i-1].From {
			f = append(f, fail.At(at+".from", "not_ascending", "This must come after the one before.", nil))
		}
		if t.Period != Month && t.Period != Year {
			f = append(f, fail.At(at+".period", "field_one_of", "This must be one of: {value}.", fail.Args{"value": "month, year"}))
		}
		if len(t.Source) > maxSource {
			f = append(f, fail.At(at+".source", "too_long", "At most {limit} characters.", fail.Args{"limit": maxSource}))
		}
		f = append(f, checkBrackets(at+".brackets", c, t.Brackets)...)
	}
	return f
}

func checkBrackets(where string, c money.Currency, brackets []Bracket) []fail.Field {
	if len(brackets) == 0 || len(brackets) > MaxBrackets {
		return between(where, int64(len(brackets)), 1, MaxBrackets)
	}
	var f []fail.Field
	for i, b := range brackets {
		at := fmt.Sprintf("%s[%d]", where, i)
		f = append(f, between(at+".rate", int64(b.Rate), 0, int64(money.Whole))...)
		f = append(f, between(at+".deduction", b.Deduction, 0, money.MaxMinor)...)
		if i == 0 {
			f = append(f, between(at+".over", b.Over, 0, 0)...)
			continue
		}
		if b.Over <= brackets[i-1].Over || b.Over > money.MaxMinor {
			f = append(f, fail.At(at+".over", "not_ascending", "This must come after the one before.", nil))
			continue
		}
		below, _ := brackets[i-1].on(money.Of(b.Over, c)) // it overflows at a rate that is refused anyway
		above, _ := b.on(money.Of(b.Over, c))
		if gap := above - below; gap < -1 || gap > 1 { // one minor unit of rounding
			f = append(f, fail.At(at+".deduction", "tax_gap", "The brackets do not meet: at {over} one says {below} and the next {above}.",
				fail.Args{"over": money.Of(b.Over, c).Decimal(), "below": money.Of(below, c).Decimal(), "above": money.Of(above, c).Decimal()}))
		}
	}
	return f
}

// tablesKept holds new tables against those that apply already.
func tablesKept(where string, before, after []TaxTable, today string) []fail.Field {
	var f []fail.Field
	applied := slices.DeleteFunc(slices.Clone(before), func(t TaxTable) bool { return t.From > today })
	for i, t := range applied {
		if i >= len(after) || !t.equal(after[i]) {
			f = append(f, fail.At(fmt.Sprintf("%s[%d]", where, i), "tax_table_kept",
				"The tax table from {day} applies already and must stay as it is. Add one from a later day.", fail.Args{"day": t.From}))
		}
	}
	for i := len(applied); i < len(after); i++ {
		if after[i].From < today {
			f = append(f, fail.At(fmt.Sprintf("%s[%d].from", where, i), "terms_past", "Terms cannot apply to the past.", nil))
		}
	}
	return f
}

func (t TaxTable) equal(o TaxTable) bool {
	return t.From == o.From && t.Period == o.Period && t.Source == o.Source && slices.Equal(t.Brackets, o.Brackets)
}
