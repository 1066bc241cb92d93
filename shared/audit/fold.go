package audit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"yundian/shared/commission"
	"yundian/shared/ledger"
	"yundian/shared/money"
)

// fold is what postings of one KOC add up to.
type fold struct {
	sums    map[money.Currency]ledger.Balances
	orders  map[string]orderFold
	months  map[commission.MonthKey]commission.Adjustment
	causes  map[string]string // ids of postings by source and version
	sources map[string]source // of payouts and adjustments
	off     []Difference      // postings that are wrong in themselves
	twice   []Difference      // postings of a cause that has one already
}

// orderFold is what the postings of one order add up to, without caps and bonuses of a month.
type orderFold struct {
	currency money.Currency
	lines    ledger.Balances
}

// source is what the postings of a payout or an adjustment say.
type source struct {
	payout   bool
	postings int
	entries  []string
}

func newFold() fold {
	return fold{sums: map[money.Currency]ledger.Balances{}, orders: map[string]orderFold{}, months: map[commission.MonthKey]commission.Adjustment{},
		causes: map[string]string{}, sources: map[string]source{}}
}

// add adds a posting up; whole also by order, month and cause, which takes room for each of them.
func (f *fold) add(p ledger.Posting, whole bool) {
	if err := p.Check(); err != nil {
		f.off = append(f.off, Difference{Posting, p.ID, "legs that sum to 0", err.Error()})
	}
	b := f.sums[p.Currency]
	b.Currency = p.Currency
	for _, l := range p.Legs() {
		b.Add(l)
	}
	f.sums[p.Currency] = b
	if !whole {
		return
	}
	cause := fmt.Sprintf("%s version %d", p.Source(), p.V)
	if _, again := f.causes[cause]; again {
		f.twice = append(f.twice, twice(p.ID, cause))
	}
	f.causes[cause] = p.ID
	if p.Order == "" {
		s := f.sources[p.Source()]
		f.sources[p.Source()] = source{payout: p.Payout != "", postings: s.postings + 1, entries: append(s.entries, entryTexts(p)...)}
		return
	}
	o := f.orders[p.Order]
	o.currency = p.Currency
	for _, e := range p.Entries {
		if e.SKU != "" {
			for _, l := range e.Legs {
				o.lines.Add(l)
			}
			continue
		}
		if month, ok := strings.CutPrefix(e.Reason, "month:"); ok {
			k := commission.MonthKey{KOC: p.KOC, Month: month, Currency: p.Currency, Rule: e.Rule}
			f.months[k] = f.months[k].Plus(adjustmentOf(e))
		}
	}
	f.orders[p.Order] = o
}

func adjustmentOf(e ledger.Entry) commission.Adjustment {
	var b ledger.Balances
	for _, l := range e.Legs {
		b.Add(l)
	}
	return commission.Adjustment{Pending: b.Pending, Available: b.Available, Debt: b.Debt}
}

// with is both folds together.
func (f fold) with(o fold) fold {
	sum := fold{sums: maps.Clone(f.sums), orders: maps.Clone(f.orders), months: maps.Clone(f.months), sources: maps.Clone(f.sources), twice: slices.Concat(f.twice, o.twice)}
	for c, b := range o.sums {
		both := sum.sums[c].Plus(b)
		both.Currency = c
		sum.sums[c] = both
	}
	for id, x := range o.orders {
		both := orderFold{currency: x.currency, lines: sum.orders[id].lines.Plus(x.lines)}
		sum.orders[id] = both
	}
	for id, x := range o.sources {
		s := sum.sources[id]
		sum.sources[id] = source{payout: x.payout, postings: s.postings + x.postings, entries: slices.Concat(s.entries, x.entries)}
	}
	for k, m := range o.months {
		sum.months[k] = sum.months[k].Plus(m)
	}
	for cause, id := range o.causes {
		if _, again := f.causes[cause]; again {
			sum.twice = append(sum.twice, twice(id, cause))
		}
	}
	return sum
}

func twice(id, cause string) Difference {
	return Difference{Posting, id, "one posting for " + cause, "another one"}
}

// sum is what postings add up to in one currency, as short as a cursor needs it: the accounts in the order of their names
// in package ledger.
type sum struct {
	Currency money.Currency `json:"c"`
	Accounts [7]int64       `json:"m"`
}

func (f fold) keep() []sum {
	var out []sum
	for _, c := range slices.Sorted(maps.Keys(f.sums)) {
		b := f.sums[c]
		out = append(out, sum{c, [7]int64{b.Pending, b.Available, b.Debt, b.InPayout, b.Paid, b.TaxWithheld, b.Fees}})
	}
	return out
}

func (s sum) balances() ledger.Balances {
	m := s.Accounts
	return ledger.Balances{Currency: s.Currency, Pending: m[0], Available: m[1], Debt: m[2], InPayout: m[3], Paid: m[4], TaxWithheld: m[5], Fees: m[6]}
}
