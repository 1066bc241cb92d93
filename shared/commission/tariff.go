package commission

import (
	"slices"
	"strings"
	"time"

	"yundian/shared/money"
	"yundian/shared/ordering"
)

// Tariff is what a plan says of sales from a moment on, ready to be asked for many of them.
type Tariff struct{ steps []step }

type step struct {
	from  time.Time
	table table
}

// Tariff is the plan as it counts now and will, with the beginnings and ends of its campaigns.
func (p Plan) Tariff(now time.Time) Tariff {
	var t Tariff
	last := ""
	for _, at := range moments(p, p, now, now.AddDate(0, 0, maxAhead)) {
		b := p.At(at)
		state := strings.Join(b.state(at), " ")
		if state != last {
			t.steps = append(t.steps, step{at, b.at(at)})
		}
		last = state
	}
	return t
}

// Currency is that of the amounts in a plan, which are all in the shop's; empty when it has none.
func (p Plan) Currency() money.Currency {
	for _, b := range p.Books {
		for _, r := range b.Rules {
			for _, a := range []money.Amount{r.PerUnit, r.LineCap, r.OrderCap} {
				if a.Currency != "" {
					return a.Currency
				}
			}
		}
		for _, r := range b.MonthRules {
			if r.Cap.Currency != "" {
				return r.Cap.Currency
			}
			for _, m := range r.Milestones {
				return m.Sales.Currency
			}
		}
	}
	return ""
}

// NamesTags reports whether what a product earns can depend on its tags.
func (t Tariff) NamesTags() bool {
	return slices.ContainsFunc(t.steps, func(s step) bool {
		return slices.ContainsFunc(s.table.rows, func(r row) bool { return r.match.Tag != "" })
	})
}

// Now is what a sale earns now.
func (t Tariff) Now(s Sale) ordering.LineRate { return t.steps[0].table.find(s) }

// Next is when a sale will earn something else, and what; false when nothing else was announced.
func (t Tariff) Next(s Sale) (time.Time, ordering.LineRate, bool) {
	now := earns(t.Now(s))
	i := slices.IndexFunc(t.steps, func(x step) bool { return earns(x.table.find(s)) != now })
	if i < 0 {
		return time.Time{}, ordering.LineRate{}, false
	}
	return t.steps[i].from, t.steps[i].table.find(s), true
}

// earns are terms without the rule that gives them.
func earns(r ordering.LineRate) ordering.LineRate {
	r.Rule, r.RuleVersion = "", 0
	return r
}

// OfLine is what so many pieces earn that were sold for a net amount together, cap of the order apart. It is rounded once
// and never more than what they were sold for.
func OfLine(net money.Amount, quantity int64, r ordering.LineRate) (money.Amount, error) {
	earned, err := uncapped(net, quantity, r)
	if err != nil {
		return money.Amount{}, err
	}
	most := net.Minor
	if r.LineCap > 0 {
		most = min(most, r.LineCap)
	}
	earned.Minor = min(earned.Minor, most)
	return earned, nil
}

// uncapped is what a rate or an amount per piece says.
func uncapped(net money.Amount, quantity int64, r ordering.LineRate) (money.Amount, error) {
	if r.PerUnit > 0 {
		return money.Of(r.PerUnit, net.Currency).Multiply(quantity)
	}
	return net.Times(r.Rate.Ratio())
}
