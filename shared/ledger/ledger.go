// Package ledger is the book in which every commission is written twice: once for the KOC, once for the brand.
//
// A posting is one order version's change for one KOC. Its legs sum to zero, it is never edited, and what happens
// later is a new posting. Amounts are minor units; for a KOC's accounts a positive leg is money the brand owes.
package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"yundian/shared/commission"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

// Account is one of a KOC's or the brand's accounts.
type Account string

// A KOC's accounts. Their balances are stored beside the postings and always equal their fold.
const (
	Pending     Account = "pending"      // earned, not yet released
	Available   Account = "available"    // released, can be withdrawn; never below zero
	Debt        Account = "debt"         // owed by the KOC; its balance is zero or negative
	InPayout    Account = "in_payout"    // reserved for a transfer under way
	Paid        Account = "paid"         // transferred
	TaxWithheld Account = "tax_withheld" // kept back from transfers for the tax office
	Fees        Account = "fees"         // kept back from transfers for what they cost
)

// The brand's accounts are folded from legs and never stored: a stored one would be in every transaction and heat one item.
const (
	Expense     Account = "commission_expense" // the other side of commission
	Adjustments Account = "adjustments"        // the other side of manual adjustments
)

// OfKOC reports whether the account is a KOC's, so that its balance is stored.
func (a Account) OfKOC() bool { return a != Expense && a != Adjustments }

// Kind is what an entry tells the KOC.
type Kind string

// The kinds of entries.
const (
	Accrual    Kind = "accrual"    // a paid order earned commission
	Refunded   Kind = "refund"     // a refund before the release took some back
	Release    Kind = "release"    // pending became available
	Clawback   Kind = "clawback"   // taken back after the release: owed as debt
	Bonus      Kind = "bonus"      // sales of a month reached a milestone
	Adjusted   Kind = "adjustment" // a month's cap, or a correction that two people made
	PayoutKind Kind = "payout"     // money reserved, transferred, or given back to available
	Tax        Kind = "tax"        // withheld from a transfer
	Fee        Kind = "fee"        // kept back from a transfer
)

// Kinds are all kinds of entries, in the order in which a statement totals them.
var Kinds = []Kind{Accrual, Refunded, Release, Clawback, Bonus, Adjusted, PayoutKind, Tax, Fee}

// Leg is one side of an entry.
type Leg struct {
	Account Account `json:"account"`
	Minor   int64   `json:"amount"`
}

// Entry is one change with its reason. For commission that is base × rate under a rule, for one line of an order.
type Entry struct {
	Line        int // of an order; 0 with an empty SKU for everything that is not about a line
	SKU         string
	Product     string
	Kind        Kind
	Minor       int64 // as the KOC reads it: plus earns, minus takes back, a release moves
	Base        int64
	Rate        money.BasisPoints
	PerUnit     int64 `json:",omitzero"` // minor units for each piece, instead of the rate
	Rule        string
	RuleVersion int64
	Order       string `json:",omitzero"` // that an adjustment is about; elsewhere it is the posting's
	Reason      string `json:",omitzero"` // a code or an operator's words, where the rule does not say it
	Legs        []Leg
}

// Posting is everything that one cause changed for one KOC, in one currency. The cause is a version of an order, of a
// payout or of a manual adjustment: exactly one of the three is named.
type Posting struct {
	ID         string // derived from its cause: settle:<order>:<version>:<koc>
	KOC        string
	Order      string
	Payout     string
	Adjustment string
	V          int64     // of the cause
	At         time.Time // when it was posted
	PlacedAt   time.Time // of the order
	Currency   money.Currency
	Entries    []Entry
}

// Source is the id of the order, payout or adjustment that the posting follows from.
func (p Posting) Source() string { return cmp.Or(p.Order, p.Payout, p.Adjustment) }

// EntryID names the n-th entry, counted from 0, to the KOC and to other systems.
func (p Posting) EntryID(n int) string { return fmt.Sprintf("%s:%d", p.ID, n) }

// Legs are the legs of all entries.
func (p Posting) Legs() []Leg {
	var legs []Leg
	for _, e := range p.Entries {
		legs = append(legs, e.Legs...)
	}
	return legs
}

// Applied is what has been posted for an order so far: the state after version V. Due is the day on which its
// pending commission will become available, empty while nobody can know.
type Applied struct {
	V         int64
	Due       string
	Positions []commission.Position
	Months    []commission.MonthPart
}

// Month is what the orders of a KOC's month add up to under one rule, and what is posted for it, as of version V.
type Month struct {
	V      int64
	Terms  commission.MonthTerms
	Sums   commission.MonthSums
	Posted commission.Adjustment
}

// Months are the months that settlements move, by key; one that is missing is empty.
type Months map[commission.MonthKey]Month

// MonthChange is a month after a settlement; Seen is the version it replaces, 0 when there was none.
type MonthChange struct {
	Key   commission.MonthKey
	Seen  int64
	After Month
}

// Expected is pending commission that becomes available on a day; as part of a settlement it is a change of that.
type Expected struct {
	KOC      string
	Day      string
	Currency money.Currency
	Minor    int64
}

// Fact tells statistics and notices where an order stands after a version; it is written for every version, also
// when nothing was earned.
type Fact struct {
	Order    string
	V        int64
	At       time.Time
	Day      string
	Currency money.Currency
	KOC      string // the winner, or empty
	Code     string // the link or code that won
	Counted  bool   // paid, so an order in the statistics
	// Unconfirmed tells that the order waits for its shopper to confirm it.
	Unconfirmed bool
	Lines       []FactLine
}

// FactLine is one product of a fact.
type FactLine struct {
	Product    string
	Sales      int64 // net of refunds
	Commission int64 // net of refunds
}

// Settlement is everything one version of an order adds to the ledger.
type Settlement struct {
	Order    string
	Seen     int64 // the version applied before; 0 when none was
	Applied  Applied
	Postings []Posting
	Months   []MonthChange
	Expected []Expected
	Fact     Fact
}

// Settle works out the difference between what is posted and where the order stands, and moves months on to where they
// are after it, so that several orders of one month can be settled one after the other and written together. It returns
// false when this version or a later one has already been applied.
func Settle(o ordering.Order, applied Applied, months Months, now time.Time) (Settlement, bool, error) {
	if applied.V >= o.Version {
		return Settlement{}, false, nil
	}
	target, err := commission.Target(o)
	if err != nil {
		return Settlement{}, false, err
	}
	due, err := o.AvailableDay()
	if err != nil {
		return Settlement{}, false, err
	}
	after := Applied{V: o.Version, Due: due, Positions: target.Positions, Months: target.Months}
	s := Settlement{Order: o.ID, Seen: applied.V, Applied: after, Fact: factOf(o, target.Positions, now), Expected: expected(applied, after, o.Total.Currency)}
	for _, change := range changes(applied.Positions, target.Positions) {
		s.post(o, change, now)
	}
	s.moveMonths(o, applied.Months, months, now)
	for _, p := range s.Postings {
		if err := p.Check(); err != nil {
			return Settlement{}, false, err
		}
	}
	return s, true, nil
}

// expected is how the forecast moves: what was pending on its day before goes, what is pending now comes.
func expected(before, after Applied, c money.Currency) []Expected {
	sum := map[Expected]int64{}
	add := func(a Applied, sign int64) {
		for _, p := range a.Positions {
			if a.Due != "" && p.Pending() != 0 {
				sum[Expected{KOC: p.KOC, Day: a.Due, Currency: c}] += sign * p.Pending()
			}
		}
	}
	add(before, -1)
	add(after, 1)
	out := make([]Expected, 0, len(sum))
	for e, minor := range sum {
		if e.Minor = minor; minor != 0 {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b Expected) int { return cmp.Or(cmp.Compare(a.KOC, b.KOC), cmp.Compare(a.Day, b.Day)) })
	return out
}

// change is how far one position moved.
type change struct {
	line                                  int
	koc                                   string
	inviter                               bool
	accrued, reversed, released, clawback int64
}

// changes pairs positions before and after by line and KOC, in a fixed order.
func changes(before, after []commission.Position) []change {
	type key struct {
		koc     string
		line    int
		inviter bool
	}
	sum := map[key]change{}
	add := func(p commission.Position, sign int64) {
		k := key{p.KOC, p.Line, p.Inviter}
		c := sum[k]
		c.line, c.koc, c.inviter = p.Line, p.KOC, p.Inviter
		c.accrued += sign * p.Accrued
		c.reversed += sign * p.Reversed
		c.released += sign * p.Released
		c.clawback += sign * p.Clawed
		sum[k] = c
	}
	for _, p := range before {
		add(p, -1)
	}
	for _, p := range after {
		add(p, 1)
	}
	out := make([]change, 0, len(sum))
	for _, c := range sum {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.koc, b.koc), cmp.Compare(a.line, b.line), cmp.Compare(level(a), level(b)))
	})
	return out
}

// level is 1 for who won an order and 2 for who had invited the winner.
func level(c change) int {
	if c.inviter {
		return 2
	}
	return 1
}

// awardOf is the latest award under which a KOC earns: a later one may have gone to somebody else.
func awardOf(o ordering.Order, c change) (ordering.Award, bool) {
	for _, a := range slices.Backward(o.Awards) {
		earns := func(w ordering.Winner) bool { return w.KOC == c.koc && !c.inviter || w.Inviter == c.koc && c.inviter }
		if slices.ContainsFunc(a.Winners, earns) {
			return a, true
		}
	}
	return ordering.Award{}, false
}

// RuleInviter is the rule of entries that somebody earns for having invited the winner.
const RuleInviter = commission.RuleInviter

// post appends the entries of one change to the KOC's posting.
func (s *Settlement) post(o ordering.Order, c change, now time.Time) {
	e := Entry{Line: c.line, SKU: o.Lines[c.line].SKU, Product: o.Lines[c.line].Product, Base: o.Lines[c.line].Net.Minor}
	if award, ok := awardOf(o, c); ok {
		r := award.Rates[c.line]
		e.Rate, e.PerUnit, e.Rule, e.RuleVersion = r.Rate, r.PerUnit, r.Rule, r.RuleVersion
		if c.inviter {
			e.Rate, e.PerUnit, e.Rule, e.RuleVersion = award.InviterRate, 0, RuleInviter, award.BookVersion
		}
	}
	var entries []Entry
	add := func(kind Kind, minor, shown int64, from, to Account) {
		if minor == 0 {
			return
		}
		e := e
		e.Kind, e.Minor, e.Legs = kind, shown, []Leg{{Account: to, Minor: minor}, {Account: from, Minor: -minor}}
		entries = append(entries, e)
	}
	add(Accrual, c.accrued, c.accrued, Expense, Pending)
	add(Refunded, c.reversed, -c.reversed, Pending, Expense)
	add(Release, c.released, c.released, Pending, Available)
	add(Clawback, c.clawback, -c.clawback, Debt, Expense)
	s.enter(o, c.koc, entries, now)
}

// enter adds entries to the posting of one KOC.
func (s *Settlement) enter(o ordering.Order, koc string, entries []Entry, now time.Time) {
	if len(entries) == 0 {
		return
	}
	if i := slices.IndexFunc(s.Postings, func(p Posting) bool { return p.KOC == koc }); i >= 0 {
		s.Postings[i].Entries = append(s.Postings[i].Entries, entries...)
		return
	}
	s.Postings = append(s.Postings, Posting{ID: fmt.Sprintf("settle:%s:%d:%s", o.ID, o.Version, koc), KOC: koc, Order: o.ID,
		V: o.Version, At: now, PlacedAt: o.PlacedAt, Currency: o.Total.Currency, Entries: entries})
}

// Check refuses a posting whose legs do not sum to zero.
func (p Posting) Check() error {
	for _, e := range p.Entries {
		var sum int64
		for _, l := range e.Legs {
			sum += l.Minor
		}
		if sum != 0 {
			return fmt.Errorf("ledger: entry %s of posting %s is off balance by %d", e.Kind, p.ID, sum)
		}
	}
	return nil
}

// Balances are a KOC's stored accounts in one currency, in minor units. Debt is zero or negative here, and
// shown positive.
type Balances struct {
	Currency                                                    money.Currency
	Pending, Available, Debt, InPayout, Paid, TaxWithheld, Fees int64
}

// Book is what is stored of a KOC's accounts in one currency.
type Book struct {
	Balances
	Changes int64     // how often anything of the KOC in this currency has changed: equal counts, equal ledgers
	Closed  time.Time // the end of the last closed statement, before which nothing is posted any more; zero when there is none
}

// account is where the balance of a KOC's account stands; nil for the brand's.
func (b *Balances) account(a Account) *int64 {
	switch a {
	case Pending:
		return &b.Pending
	case Available:
		return &b.Available
	case Debt:
		return &b.Debt
	case InPayout:
		return &b.InPayout
	case Paid:
		return &b.Paid
	case TaxWithheld:
		return &b.TaxWithheld
	case Fees:
		return &b.Fees
	default:
		return nil
	}
}

// Add adds a leg to the account it names; the brand's accounts are not a KOC's.
func (b *Balances) Add(l Leg) {
	if at := b.account(l.Account); at != nil {
		*at += l.Minor
	}
}

// Withdrawable is what can be paid out: what is available, and what the brand owes on the debt account after a taking back
// that had already been repaid was itself taken back.
func (b Balances) Withdrawable() int64 { return b.Available + max(0, b.Debt) }

// Plus adds the balances of the same currency.
func (b Balances) Plus(o Balances) Balances {
	b.Pending, b.Available, b.Debt, b.InPayout = b.Pending+o.Pending, b.Available+o.Available, b.Debt+o.Debt, b.InPayout+o.InPayout
	b.Paid, b.TaxWithheld, b.Fees = b.Paid+o.Paid, b.TaxWithheld+o.TaxWithheld, b.Fees+o.Fees
	return b
}

// Fold adds postings up per currency, sorted by currency. The brand's own accounts are left out.
func Fold(postings []Posting) []Balances {
	sum := map[money.Currency]*Balances{}
	for _, p := range postings {
		b := sum[p.Currency]
		if b == nil {
			b = &Balances{Currency: p.Currency}
			sum[p.Currency] = b
		}
		for _, l := range p.Legs() {
			b.Add(l)
		}
	}
	out := make([]Balances, 0, len(sum))
	for _, b := range sum {
		out = append(out, *b)
	}
	slices.SortFunc(out, func(a, b Balances) int { return cmp.Compare(a.Currency, b.Currency) })
	return out
}

// factOf tells where the order stands, for statistics.
func factOf(o ordering.Order, target []commission.Position, now time.Time) Fact {
	f := Fact{Order: o.ID, V: o.Version, At: now, Day: o.Day, Currency: o.Total.Currency, Counted: o.IsPaid(), Unconfirmed: o.Unconfirmed()}
	if award, ok := o.Award(); ok && len(award.Winners) > 0 {
		f.KOC, f.Code = award.Winners[0].KOC, award.Winners[0].Code
	}
	if !f.Counted {
		return f
	}
	earned := map[int]int64{}
	for _, p := range target {
		if p.KOC == f.KOC {
			earned[p.Line] += p.Net()
		}
	}
	for i, l := range o.Lines {
		sales := l.Net.Minor - o.RefundedLine(i, 0).Net.Minor
		if s := o.Status(); s == ordering.Cancelled || s == ordering.Expired {
			sales = 0
		}
		f.Lines = append(f.Lines, FactLine{Product: l.Product, Sales: sales, Commission: earned[i]})
	}
	return f
}
