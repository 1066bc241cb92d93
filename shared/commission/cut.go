package commission

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"yundian/shared/money"
	"yundian/shared/ordering"
)

// Cut is something that would earn less than was announced.
type Cut struct {
	From   time.Time // the first moment that was looked at and at which it would
	Sale   Sale      // the sales it is about; what is empty stands for everything that no rule names
	Before Promise
	After  Promise
}

// Promise is what a book says of a sale: a rate with its caps; or a cap or bonuses of a month; or what inviters get.
type Promise struct {
	ordering.LineRate
	MonthCap   int64
	Milestones []ordering.Milestone
}

// Less reports whether terms can earn less than others, for some sale and whatever its price. A rate and a fixed amount
// cannot be compared without a price, so changing one into the other can. A cap of the order is shared by the lines under
// its rule: under another rule it would be shared with others.
func Less(than, terms ordering.LineRate) bool {
	if than.Rate == 0 && than.PerUnit == 0 {
		return false
	}
	switch {
	case terms.PerUnit == 0 && terms.Rate == money.Whole: // nothing earns more than what it was sold for
	case than.PerUnit > 0 && terms.PerUnit < than.PerUnit, than.PerUnit == 0 && (terms.PerUnit > 0 || terms.Rate < than.Rate):
		return true
	}
	if terms.LineCap > 0 && (than.LineCap == 0 || terms.LineCap < than.LineCap) {
		return true
	}
	return terms.OrderCap > 0 && (than.OrderCap == 0 || terms.OrderCap < than.OrderCap || terms.Rule != than.Rule)
}

// maxCuts bounds how many cuts are named; nobody mends more at a time.
const maxCuts = 20

// cutsAt are the cuts that putting one book in the place of another would be, at one moment, at most maxCuts.
//
// Books look at finitely many things: the KOCs, products, tags, tiers and customers that either of them names, and
// everything else, which is all alike to them. So the sales fall into finitely many classes. If a rule of the one book and
// a rule of the other count for some sale, they also count for the one that has what the two rules name and nothing
// else, because whichever rule is about that one is about all of them. So it is enough to look at these.
func cutsAt(before, after Book, at time.Time) []Cut {
	cuts := rateCuts(before.at(at), after.at(at), at)
	for _, c := range rateCuts(before.capsAt(at), after.capsAt(at), at) {
		c.Before, c.After = monthly(c.Before), monthly(c.After)
		cuts = append(cuts, c)
	}
	cuts = append(cuts, bonusCuts(before, after, at)...)
	if after.InviterRate < before.InviterRate {
		cuts = append(cuts, Cut{From: at, Before: before.inviting(), After: after.inviting()})
	}
	return cuts[:min(len(cuts), maxCuts)]
}

// monthly turns what capsAt says of a month into a promise about months.
func monthly(p Promise) Promise {
	return Promise{LineRate: ordering.LineRate{Rule: p.Rule, RuleVersion: p.RuleVersion}, MonthCap: p.OrderCap}
}

func (b Book) inviting() Promise {
	return Promise{LineRate: ordering.LineRate{Rule: RuleInviter, RuleVersion: b.Version, Rate: b.InviterRate}}
}

// rateCuts looks at every pair of rules that can count for one sale.
func rateCuts(before, after table, at time.Time) []Cut {
	var cuts []Cut
	products := worthLooking(before, after)
	rows := after.with(products)
	for _, b := range before.with(products) {
		for _, a := range rows {
			if !Less(b.terms, a.terms) {
				continue
			}
			sale, ok := meet(b.match, a.match)
			if !ok {
				continue
			}
			if sale, ok = counted(before, after, b, a, sale); ok {
				cuts = append(cuts, Cut{From: at, Sale: sale, Before: Promise{LineRate: b.terms}, After: Promise{LineRate: a.terms}})
			}
			if len(cuts) == maxCuts {
				return cuts
			}
		}
	}
	return cuts
}

// counted reports whether two rows count for a sale. There are no other customers than new and returning ones, so a sale
// that names neither is looked at as both; it names the one for which they count if that is only one.
func counted(before, after table, b, a row, sale Sale) (Sale, bool) {
	customers := []ordering.Customer{sale.Customer}
	if sale.Customer == "" {
		customers = []ordering.Customer{ordering.NewCustomer, ordering.Returning}
	}
	var found []ordering.Customer
	for _, c := range customers {
		of := sale
		of.Customer = c
		if before.find(of).Rule == b.terms.Rule && after.find(of).Rule == a.terms.Rule {
			found = append(found, c)
		}
	}
	if len(found) == 1 {
		sale.Customer = found[0]
	}
	return sale, len(found) > 0
}

// with are a table's rows and the own rates of some products.
func (t table) with(products []string) []row {
	rows := slices.Clone(t.rows)
	for _, id := range products {
		if r, ok := t.product(id); ok {
			rows = append(rows, r)
		}
	}
	return rows
}

// worthLooking are the products with own rates that have to be looked at: those that a rule names, and of the thousands
// that none does, those with the most to lose. Nothing but their rates tells these apart, so if any of them loses, one of
// these does: against rules in both directions, and against their own rate of before.
func worthLooking(before, after table) []string {
	named := map[string]bool{}
	for _, r := range slices.Concat(before.rows, after.rows) {
		named[r.match.Product] = true
	}
	worst := map[string]string{}
	keep := func(why, id string, better bool) {
		if old, ok := worst[why]; !ok || better && old != id {
			worst[why] = id
		}
	}
	lowered := 0
	for _, id := range sortedKeys(before.products, after.products) {
		was, had := before.products[id]
		is, has := after.products[id]
		if named[id] {
			continue
		}
		if had && has && is < was && lowered < maxCuts {
			lowered++
			named[id] = true // each of these is a cut of its own, worth its name
		}
		if had {
			keep("most before", id, was > before.products[worst["most before"]])
		}
		if has {
			keep("least after", id, is < after.products[worst["least after"]])
		}
		if had && !has {
			keep("most lost", id, was > before.products[worst["most lost"]])
		}
		if has && !had {
			keep("least won", id, is < after.products[worst["least won"]])
		}
	}
	for _, id := range worst {
		named[id] = true
	}
	delete(named, "")
	return slices.Sorted(maps.Keys(named))
}

// bonusCuts are the bonuses of months that go, become smaller or are about fewer sales.
func bonusCuts(before, after Book, at time.Time) []Cut {
	var cuts []Cut
	for _, b := range before.MonthRules {
		if len(b.Milestones) == 0 || b.Match.Campaign != "" && !before.running(b.Match.Campaign, at) {
			continue
		}
		i := slices.IndexFunc(after.MonthRules, func(r MonthRule) bool { return r.ID == b.ID })
		p := Promise{LineRate: ordering.LineRate{Rule: b.ID, RuleVersion: before.Version}, Milestones: b.milestones()}
		c := Cut{From: at, Sale: b.Match.sale(), Before: p, After: Promise{LineRate: ordering.LineRate{RuleVersion: after.Version}}}
		if i >= 0 {
			a := after.MonthRules[i]
			c.After.Rule, c.After.Milestones = a.ID, a.milestones()
			runs := a.Match.Campaign == "" || after.running(a.Match.Campaign, at)
			if runs && a.Match.wider(b.Match) && !lessBonus(p.Milestones, c.After.Milestones) {
				continue
			}
		}
		cuts = append(cuts, c)
	}
	return cuts
}

// lessBonus reports whether some sales earn less. Bonuses rise with sales, so it shows where the old ones step up.
func lessBonus(than, milestones []ordering.Milestone) bool {
	return slices.ContainsFunc(than, func(m ordering.Milestone) bool { return bonus(milestones, m.Sales) < m.Bonus })
}

func (r MonthRule) milestones() []ordering.Milestone {
	var out []ordering.Milestone
	for _, m := range r.Milestones {
		out = append(out, ordering.Milestone{Sales: m.Sales.Minor, Bonus: m.Bonus.Minor})
	}
	return out
}

func (m Match) sale() Sale {
	s, _ := meet(m, m)
	return s
}

// Cuts are what a plan would take from what another one has announced, from one moment until another, each pair of rules
// once.
func (p Plan) Cuts(next Plan, from, until time.Time) []Cut {
	var cuts []Cut
	seen := map[string]bool{}
	for _, at := range moments(p, next, from, until) {
		before, after := p.At(at), next.At(at)
		state := strings.Join(slices.Concat(before.state(at), []string{"|"}, after.state(at)), " ")
		if seen[state] {
			continue
		}
		seen[state] = true
		for _, c := range cutsAt(before, after, at) {
			pair := c.Before.Rule + "|" + c.After.Rule
			if !seen[pair] {
				seen[pair] = true
				cuts = append(cuts, c)
			}
		}
	}
	return cuts[:min(len(cuts), maxCuts)]
}

// moments are when something begins to count or stops, within a time: between two of them nothing changes.
func moments(p, next Plan, from, until time.Time) []time.Time {
	all := []time.Time{from}
	add := func(at time.Time) {
		if at.After(from) && at.Before(until) {
			all = append(all, at)
		}
	}
	for _, b := range slices.Concat(p.Books, next.Books) {
		add(b.From)
		for _, c := range b.Campaigns {
			add(c.From)
			add(c.To)
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// state names what of a book counts at a moment.
func (b Book) state(at time.Time) []string {
	out := []string{strconv.FormatInt(b.Version, 10)}
	for _, c := range b.Campaigns {
		if b.running(c.ID, at) {
			out = append(out, c.ID)
		}
	}
	return out
}

// sortedKeys are the keys of maps, each once.
func sortedKeys[V any](ms ...map[string]V) []string {
	all := map[string]bool{}
	for _, m := range ms {
		for k := range m {
			all[k] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}
