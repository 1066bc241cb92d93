package commission

import (
	"cmp"
	"slices"
	"time"

	"yundian/shared/money"
	"yundian/shared/ordering"
)

// Ranks of what a rule can name. A rule that names a KOC goes before every rule that names none, whatever else they name,
// and so on down: ranks add up to a number, and the higher one is more specific.
const (
	rankCustomer = 1 << iota
	rankCampaign
	rankTier
	rankTag
	rankProduct
	rankKOC
)

// rank says how specific a match is. No two sets of named things have the same.
func (m Match) rank() int {
	rank := 0
	for _, x := range []struct {
		named bool
		rank  int
	}{{m.KOC != "", rankKOC}, {m.Product != "", rankProduct}, {m.Tag != "", rankTag}, {m.Tier != "", rankTier},
		{m.Campaign != "", rankCampaign}, {m.Customer != "", rankCustomer}} {
		if x.named {
			rank += x.rank
		}
	}
	return rank
}

// covers reports whether a match is about a sale, its campaign apart.
func (m Match) covers(s Sale) bool {
	return (m.KOC == "" || m.KOC == s.KOC) && (m.Product == "" || m.Product == s.Product) && (m.Tier == "" || m.Tier == s.Tier) &&
		(m.Customer == "" || m.Customer == s.Customer) && (m.Tag == "" || slices.Contains(s.Tags, m.Tag))
}

// wider reports whether a match is about every sale that another one is about, their campaigns apart.
func (m Match) wider(than Match) bool {
	in := func(mine, other string) bool { return mine == "" || mine == other }
	return in(m.KOC, than.KOC) && in(m.Product, than.Product) && in(m.Tag, than.Tag) && in(m.Tier, than.Tier) &&
		in(string(m.Customer), string(than.Customer))
}

// meet is what two matches name together of the sales that both are about.
func meet(a, b Match) Sale {
	s := Sale{KOC: cmp.Or(a.KOC, b.KOC), Product: cmp.Or(a.Product, b.Product), Tier: cmp.Or(a.Tier, b.Tier), Customer: cmp.Or(a.Customer, b.Customer)}
	for _, tag := range []string{a.Tag, b.Tag} {
		if tag != "" && !slices.Contains(s.Tags, tag) {
			s.Tags = append(s.Tags, tag)
		}
	}
	return s
}

// table is a book at one moment: the rules that count then, the most specific first.
type table struct {
	rows     []row // ends with one that is about every sale
	products map[string]money.BasisPoints
	version  int64
}

type row struct {
	match Match
	rank  int
	terms ordering.LineRate
}

// at is the book as it counts at a moment. Rules of the same rank that are about one sale differ in their tag: they keep
// their place in the book.
func (b Book) at(at time.Time) table {
	t := table{products: b.Products, version: b.Version, rows: make([]row, 0, len(b.Rules)+1)}
	for _, r := range b.Rules {
		if r.Match.Campaign == "" || b.running(r.Match.Campaign, at) {
			t.rows = append(t.rows, row{r.Match, r.Match.rank(), b.terms(r)})
		}
	}
	slices.SortStableFunc(t.rows, func(a, b row) int { return cmp.Compare(b.rank, a.rank) })
	t.rows = append(t.rows, row{terms: ordering.LineRate{Rule: RuleDefault, RuleVersion: b.Version, Rate: b.Default}})
	return t
}

func (b Book) terms(r Rule) ordering.LineRate {
	return ordering.LineRate{Rule: r.ID, RuleVersion: b.Version, Rate: r.Rate, PerUnit: r.PerUnit.Minor, LineCap: r.LineCap.Minor, OrderCap: r.OrderCap.Minor}
}

// find is the first row about a sale. A product's own rate stands among the rows that name a product and nothing else.
func (t table) find(s Sale) ordering.LineRate {
	own, known := t.product(s.Product)
	for _, r := range t.rows {
		if known && r.rank <= rankProduct {
			return own.terms
		}
		if r.match.covers(s) {
			return r.terms
		}
	}
	return ordering.LineRate{}
}

// product is a product's own rate as a row.
func (t table) product(id string) (row, bool) {
	rate, ok := t.products[id]
	return row{Match{Product: id}, rankProduct, ordering.LineRate{Rule: ruleProduct + id, RuleVersion: t.version, Rate: rate}}, ok
}

// capsAt are a book's caps on months as a table: a cap of an order and one of a month are alike in what they share.
func (b Book) capsAt(at time.Time) table {
	t := table{version: b.Version}
	for _, r := range b.MonthRules {
		if r.Cap.Minor > 0 && (r.Match.Campaign == "" || b.running(r.Match.Campaign, at)) {
			t.rows = append(t.rows, row{r.Match, r.Match.rank(), ordering.LineRate{Rule: r.ID, RuleVersion: b.Version, Rate: money.Whole, OrderCap: r.Cap.Minor}})
		}
	}
	slices.SortStableFunc(t.rows, func(a, b row) int { return cmp.Compare(b.rank, a.rank) })
	t.rows = append(t.rows, row{terms: ordering.LineRate{Rate: money.Whole}})
	return t
}
