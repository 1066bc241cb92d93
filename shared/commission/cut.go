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

// Less reports whether terms can earn less than others, for some sale of goods with some prices. A rate and a fixed
// amount are compared at the lowest and at the highest price and at the one that the amount takes up, because between
// these the difference is a straight line. Without a price they cannot be compared, so changing one into the other can
// earn less. A cap of the order is shared by the lines under its rule: under another rule it would be shared with
// others.
func Less(than, terms ordering.LineRate, at Prices) bool {
	if than.Rate == 0 && than.PerUnit == 0 {
		return false
	}
	if lessEach(than, terms, at) {
		return true
	}
	if terms.LineCap > 0 && (than.LineCap == 0 || terms.LineCap < than.LineCap) {
		return true
	}
	return terms.OrderCap > 0 && (than.OrderCap == 0 || terms.OrderCap < than.OrderCap || terms.Rule != than.Rule)
}

// lessEach reports whether one piece can earn less, caps apart.
func lessEach(than, terms ordering.LineRate, at Prices) bool {
	switch {
	case than.PerUnit == 0 && terms.PerUnit == 0:
		return terms.Rate < than.Rate
	case than.PerUnit > 0 && terms.PerUnit > 0:
		return terms.PerUnit < than.PerUnit
	case terms.PerUnit == 0 && terms.Rate == money.Whole: // nothing earns more than what it was sold for
		return false
	case !at.Known:
		return true
	}
	whole := min(max(than.PerUnit, terms.PerUnit, at.Low), at.High) // one of the two is a rate
	return slices.ContainsFunc([]int64{at.Low, whole, at.High}, func(price int64) bool { return each(terms, price) < each(than, price) })
}

// each is what one piece earns at a price, in minor units times money.Whole, so that nothing has to be rounded.
func each(r ordering.LineRate, price int64) int64 {
	if r.PerUnit > 0 {
		return min(r.PerUnit, price) * int64(money.Whole)
	}
	return price * int64(r.Rate)
}

// maxCuts bounds how many cuts are named; nobody mends more at a time.
const maxCuts = 20

// cutsAt are the cuts that putting one book in the place of another would be, at one moment, at most maxCuts.
func (c *classes) cutsAt(before, after Book, at time.Time) []Cut {
	cuts := c.rateCuts(before.at(at), after.at(at), at)
	for _, x := range c.rateCuts(before.capsAt(at), after.capsAt(at), at) {
		x.Before, x.After = monthly(x.Before), monthly(x.After)
		cuts = append(cuts, x)
	}
	cuts = append(cuts, c.bonusCuts(before, after, at)...)
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

// rateCuts asks both tables about every class of sales that can exist and of which they may say something else. Most
// publications change little, and that is what keeps the cost down with ten thousand products.
func (c *classes) rateCuts(before, after table, at time.Time) []Cut {
	found := cutList{at: at, places: map[[2]string]int{}}
	was, is := before.sheet(), after.sheet()
	named, changed, open := was.kocs(is)
	tiers := c.tiers(named)
	for _, g := range c.goods {
		if len(found.list) >= maxCuts {
			return found.list
		}
		b, a := was.about("", g), is.about("", g)
		same := alike(b, a)
		for _, handle := range changed {
			found.compareAll(terms{was.about(handle, g), b}, terms{is.about(handle, g), a}, g, c.market.Tiers[handle])
		}
		if same {
			continue
		}
		for _, handle := range open {
			found.compareAll(terms{was.about(handle, g), b}, terms{is.about(handle, g), a}, g, c.market.Tiers[handle])
		}
		for _, tier := range tiers {
			found.compareAll(terms{common: b}, terms{common: a}, g, tier)
		}
	}
	for _, r := range slices.Concat(before.rows, after.rows) {
		g, s, exists := c.named(r.match)
		if !exists {
			continue
		}
		b, a := terms{was.about(s.koc, g), was.about("", g)}, terms{is.about(s.koc, g), is.about("", g)}
		if r.match.Customer == "" {
			found.compareAll(b, a, g, s.tier)
		} else {
			found.compare(b, a, g, s.tier, r.match.Customer)
		}
	}
	return found.list
}

// cutList are the cuts of one moment, each pair of rules once: what the two name says what it is about.
type cutList struct {
	at     time.Time
	list   []Cut
	places map[[2]string]int
}

func (l *cutList) compareAll(before, after terms, g goods, tier string) {
	l.compare(before, after, g, tier, ordering.NewCustomer)
	l.compare(before, after, g, tier, ordering.Returning)
}

func (l *cutList) compare(before, after terms, g goods, tier string, customer ordering.Customer) {
	was, is := before.of(tier, customer), after.of(tier, customer)
	if !Less(was.terms, is.terms, g.prices) {
		return
	}
	pair := [2]string{was.terms.Rule, is.terms.Rule}
	i, known := l.places[pair]
	if !known {
		sale := meet(was.match, is.match)
		sale.Customer = customer
		l.places[pair] = len(l.list)
		l.list = append(l.list, Cut{From: l.at, Sale: sale, Before: Promise{LineRate: was.terms}, After: Promise{LineRate: is.terms}})
		return
	}
	if l.list[i].Sale.Customer != customer {
		l.list[i].Sale.Customer = "" // there are no other customers than new and returning ones
	}
}

// bonusCuts are the bonuses of months that go, become smaller or are about fewer sales.
func (c *classes) bonusCuts(before, after Book, at time.Time) []Cut {
	var cuts []Cut
	for _, b := range before.MonthRules {
		g, s, exists := c.named(b.Match)
		if !exists || len(b.Milestones) == 0 || b.Match.Campaign != "" && !before.running(b.Match.Campaign, at) {
			continue
		}
		i := slices.IndexFunc(after.MonthRules, func(r MonthRule) bool { return r.ID == b.ID })
		p := Promise{LineRate: ordering.LineRate{Rule: b.ID, RuleVersion: before.Version}, Milestones: b.milestones()}
		x := Cut{From: at, Sale: meet(b.Match, b.Match), Before: p, After: Promise{LineRate: ordering.LineRate{RuleVersion: after.Version}}}
		if i >= 0 {
			a := after.MonthRules[i]
			x.After.Rule, x.After.Milestones = a.ID, a.milestones()
			runs := a.Match.Campaign == "" || after.running(a.Match.Campaign, at)
			all := a.Match.covers(Sale{KOC: s.koc, Tier: s.tier, Product: g.product, Tags: g.tags})
			if runs && all && !lessBonus(p.Milestones, x.After.Milestones) {
				continue
			}
		}
		cuts = append(cuts, x)
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

// Cuts are what a plan would take from what another one has announced, from one moment until another, each pair of
// rules once.
func (p Plan) Cuts(next Plan, m Market, from, until time.Time) []Cut {
	classes := classesOf(p, next, m)
	var cuts []Cut
	seen := map[string]bool{}
	for _, at := range moments(p, next, from, until) {
		before, after := p.At(at), next.At(at)
		state := strings.Join(slices.Concat(before.state(at), []string{"|"}, after.state(at)), " ")
		if seen[state] {
			continue
		}
		seen[state] = true
		for _, c := range classes.cutsAt(before, after, at) {
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
