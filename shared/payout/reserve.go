package payout

import (
	"time"

	"yundian/shared/fail"
	"yundian/shared/ledger"
	"yundian/shared/money"
)

// Ask is a wish for a payout.
type Ask struct {
	ID       string
	KOC      string
	Currency money.Currency
	Minor    int64 // to be withdrawn; 0 takes all there is
	Cause    Cause
	By       string
	Day      string // local, of now

	// Suspended is the beginning of a suspension of the KOC in spite of which an operator makes the payout; zero for none.
	Suspended time.Time
}

// Standing is what decides about a wish, as it is at the moment.
type Standing struct {
	Terms    Terms
	Balances ledger.Balances // of the currency
	Tax      TaxSum          // of the currency's TaxPeriod on the day
	Method   Method
}

// Reserve makes a payout of a wish and says what the tax sum of its period becomes, or refuses: without a verified
// method, during a hold, below the minimum, above what is available, or when nothing would be left to transfer.
func Reserve(a Ask, s Standing, now time.Time) (Payout, TaxSum, error) {
	if err := s.Method.Ready(); err != nil {
		return Payout{}, s.Tax, err
	}
	if err := s.Method.Held(now); err != nil {
		return Payout{}, s.Tax, err
	}
	terms := s.Terms.Of(a.Currency)
	available := s.Balances.Withdrawable()
	wanted := a.Minor
	if wanted == 0 {
		wanted = available
	}
	switch {
	case wanted < terms.Minimum:
		return Payout{}, s.Tax, fail.New(fail.Conflict, "payout_below_minimum", "At least {minimum} can be withdrawn.",
			fail.Args{"minimum": money.Of(terms.Minimum, a.Currency)})
	case wanted > available:
		return Payout{}, s.Tax, fail.New(fail.Conflict, "payout_above_available", "Only {available} can be withdrawn.",
			fail.Args{"available": money.Of(available, a.Currency)})
	}
	p := Payout{ID: a.ID, KOC: a.KOC, Currency: a.Currency, Cause: a.Cause, By: a.By, At: now, Day: a.Day, Terms: s.Terms.Version,
		TaxPeriod: terms.TaxPeriod(a.Day), To: Target{s.Method.Version, s.Method.Rail}}
	if !a.Suspended.IsZero() {
		p.Waits = []Wait{{Since: a.Suspended, At: now, Released: &Release{By: a.By, At: now}}}
	}
	if err := p.divide(wanted, terms, s); err != nil {
		return Payout{}, s.Tax, err
	}
	sum := s.Tax
	if p.TaxPeriod != "" {
		sum = TaxSum{V: sum.V + 1, Gross: sum.Gross + p.Gross, Tax: sum.Tax + p.Tax}
	}
	return p, sum, nil
}

// divide splits what is wanted: credit is used first, then debt is repaid, tax and fee are kept back, the rest is sent.
func (p *Payout) divide(wanted int64, terms CurrencyTerms, s Standing) error {
	p.Credit = min(wanted, max(0, s.Balances.Debt))
	p.Withdrawn = wanted
	most, err := money.Of(wanted, p.Currency).Times(terms.DebtCap.Ratio())
	if err != nil {
		return err
	}
	p.Netted = min(max(0, -s.Balances.Debt), most.Minor)
	p.Gross = wanted - p.Netted
	gross := money.Of(p.Gross, p.Currency)
	if p.Tax, err = terms.withheld(gross, s.Tax, p.Day); err != nil {
		return err
	}
	if p.Fee, err = terms.Fee.Of(gross); err != nil {
		return err
	}
	if p.Net = p.Gross - p.Tax - p.Fee; p.Net <= 0 {
		return fail.New(fail.Conflict, "payout_nothing_left", "After debt, tax and fee nothing of this would be left to transfer.", nil)
	}
	return nil
}
