package world

import (
	"math/big"
	"slices"

	"yundian/shared/ordering"
)

// What an order earns, worked out from its facts with arithmetic of our own: nothing here calls the packages that decide it.

// share is a × num ÷ den, rounded half away from zero; none of them is negative.
func share(a, num, den int64) int64 {
	if a < 1<<31 && num < 1<<31 {
		return (2*a*num + den) / (2 * den)
	}
	x := new(big.Int).Mul(big.NewInt(2*a), big.NewInt(num))
	return x.Add(x, big.NewInt(den)).Quo(x, big.NewInt(2*den)).Int64()
}

// allot divides an amount by weights: everybody gets the whole part, and what is left goes one by one to the largest
// remainders, the first among equals.
func allot(a int64, weights []int64) []int64 {
	total := new(big.Int)
	for _, w := range weights {
		total.Add(total, big.NewInt(w))
	}
	parts, rest := make([]int64, len(weights)), make([]*big.Int, len(weights))
	left := a
	if total.Sign() == 0 {
		return parts
	}
	order := make([]int, len(weights))
	for i, w := range weights {
		q, r := new(big.Int).QuoRem(new(big.Int).Mul(big.NewInt(a), big.NewInt(w)), total, new(big.Int))
		parts[i], rest[i], order[i] = q.Int64(), r, i
		left -= parts[i]
	}
	slices.SortStableFunc(order, func(i, j int) int { return rest[j].Cmp(rest[i]) })
	for _, i := range order[:left] {
		parts[i]++
	}
	return parts
}

func captured(o ordering.Order) (sum int64) {
	for _, c := range o.Captures {
		sum += c.Amount.Minor
	}
	return sum
}

// ended says that nothing is sold, whatever becomes of the money.
func ended(o ordering.Order) bool { return o.Cancelled != nil || o.Expired != nil && o.Revived == nil }

// statusOf is where an order is, by its facts.
func statusOf(o ordering.Order) ordering.Status {
	switch paid := captured(o) >= o.Total.Minor; {
	case o.Cancelled != nil:
		return ordering.Cancelled
	case ended(o):
		return ordering.Expired
	case o.Delivered != nil:
		return ordering.Delivered
	case len(o.Shipments) > 0:
		return ordering.Shipped
	case paid:
		return ordering.Paid
	case o.Payment == "on_delivery":
		return ordering.Confirmed
	}
	return ordering.Held
}

// shelf says what an order keeps of the stock: reserved while it waits, sold once it is paid or under way.
func shelf(o ordering.Order) (reserved, sold bool) {
	if o.ID == "" || o.Withdrawn != nil {
		return false, false
	}
	switch statusOf(o) {
	case ordering.Held, ordering.Confirmed:
		return true, false
	case ordering.Paid, ordering.Shipped, ordering.Delivered:
		return false, true
	}
	return false, false
}

// lineHolds is how many pieces of a line an order keeps reserved, has sold, and has brought back to be written off.
func lineHolds(o ordering.Order, line int) (reserved, sold, off int64) {
	isReserved, isSold := shelf(o)
	back := int64(0)
	for _, g := range o.Goods {
		if g.Line == line {
			back += g.Quantity
			off += g.Quantity * one(g.To == ordering.WriteOff)
		}
	}
	return o.Lines[line].Quantity * one(isReserved), (o.Lines[line].Quantity - back) * one(isSold), off
}

// refundedNet is what has gone back of a line by refunds that have not failed and by lost disputes, before a version; 0 is
// for ever.
func refundedNet(o ordering.Order, line int, before int64) (sum int64) {
	add := func(v int64, parts []ordering.LineRefund) {
		for _, l := range parts {
			if l.Line == line && (before == 0 || v < before) {
				sum += l.Net.Minor
			}
		}
	}
	for _, r := range o.Refunds {
		if r.Failed == nil && !r.Surplus {
			add(r.V, r.Lines)
		}
	}
	for _, d := range o.Disputes {
		if d.Lost != nil {
			add(d.Lost.V, d.Lines)
		}
	}
	return sum
}

// standing awards are those that an order pays: the latest, and those that were in force at the release or after it, which
// are taken back.
func standingAwards(o ordering.Order, each func(a ordering.Award, takenBack bool)) {
	if o.Total.Minor == 0 || captured(o) < o.Total.Minor {
		return
	}
	for i, a := range o.Awards {
		last := i == len(o.Awards)-1
		if last || o.Released != nil && o.Awards[i+1].V > o.Released.V {
			each(a, !last)
		}
	}
}

// earned is what everybody's positions should be.
func earned(o ordering.Order) map[position]amounts {
	out := map[position]amounts{}
	standingAwards(o, func(a ordering.Award, takenBack bool) {
		for _, p := range positionsOf(o, a, takenBack) {
			sum := out[p.position]
			sum.accrued += p.accrued
			sum.reversed += p.reversed
			sum.released += p.released
			sum.clawed += p.clawed
			out[p.position] = sum
		}
	})
	return out
}

type earning struct {
	position
	amounts
}

// positionsOf are what one award's winners and their inviters earn by each line.
func positionsOf(o ordering.Order, a ordering.Award, takenBack bool) []earning {
	if len(a.Winners) == 0 {
		return nil
	}
	var out []earning
	accrued := lineCommissions(o, a)
	weights := make([]int64, len(a.Winners))
	for i, w := range a.Winners {
		weights[i] = int64(w.Share)
	}
	for line, l := range o.Lines {
		left := l.Net.Minor - accrued[line]
		for i, part := range allot(accrued[line], weights) {
			out = append(out, earning{position{line: line, koc: a.Winners[i].KOC}, taken(o, a, line, part, takenBack)})
			if a.Winners[i].Inviter != "" {
				bonus := min(share(part, int64(a.InviterRate), 10_000), left)
				left -= bonus
				out = append(out, earning{position{line, a.Winners[i].Inviter, true}, taken(o, a, line, bonus, takenBack)})
			}
		}
	}
	return slices.DeleteFunc(out, func(e earning) bool { return e.accrued == 0 })
}

// lineCommissions are what lines earn under an award, before anything is taken back.
func lineCommissions(o ordering.Order, a ordering.Award) []int64 {
	out := make([]int64, len(o.Lines))
	caps := map[string]int64{}
	under := map[string][]int{}
	var rules []string
	for i, l := range o.Lines {
		r := a.Rates[i]
		out[i] = share(l.Net.Minor, int64(r.Rate), 10_000)
		if r.PerUnit > 0 {
			out[i] = r.PerUnit * l.Quantity
		}
		out[i] = min(out[i], l.Net.Minor)
		if r.LineCap > 0 {
			out[i] = min(out[i], r.LineCap)
		}
		if r.OrderCap > 0 {
			if under[r.Rule] == nil {
				rules = append(rules, r.Rule)
				caps[r.Rule] = r.OrderCap
			}
			under[r.Rule] = append(under[r.Rule], i)
		}
	}
	for _, rule := range rules {
		var sum int64
		weights := make([]int64, len(under[rule]))
		for i, line := range under[rule] {
			weights[i] = out[line]
			sum += out[line]
		}
		if sum > caps[rule] {
			for i, part := range allot(caps[rule], weights) {
				out[under[rule][i]] = part
			}
		}
	}
	return out
}

// boundary is the version from which refunds come after the release; 0 while nothing is released.
func boundary(o ordering.Order, a ordering.Award) int64 {
	if o.Released == nil {
		return 0
	}
	return max(o.Released.V, a.V)
}

// taken divides what somebody earns by what was taken back, and when.
func taken(o ordering.Order, a ordering.Award, line int, accrued int64, takenBack bool) amounts {
	early, all := takenNet(o, a, line)
	net := o.Lines[line].Net.Minor
	s := amounts{accrued: accrued}
	if net == 0 {
		return s
	}
	s.reversed = share(accrued, early, net)
	s.clawed = share(accrued, all, net) - s.reversed
	if o.Released != nil {
		s.released = accrued - s.reversed
	}
	if takenBack {
		s.clawed = s.released
	}
	return s
}

// takenNet is what was taken back of a line's net, before the release and altogether.
func takenNet(o ordering.Order, a ordering.Award, line int) (early, all int64) {
	if ended(o) {
		return o.Lines[line].Net.Minor, o.Lines[line].Net.Minor
	}
	if o.Released == nil {
		all = refundedNet(o, line, 0)
		return all, all
	}
	return refundedNet(o, line, boundary(o, a)), refundedNet(o, line, 0)
}

// monthOf names a month under a rule.
type monthOf struct{ month, rule string }

// adjusted is what a month adds to a KOC's accounts.
type adjusted struct{ pending, available, debt int64 }

// monthSum is what the orders of a month add up to.
type monthSum struct {
	term                                ordering.MonthTerm
	pending, released, clawed           int64
	sales, salesReleased, salesReturned int64
}

// addMonths adds what an order earned and sold to its months, by KOC.
func addMonths(o ordering.Order, add func(koc string, m monthOf, s monthSum)) {
	standingAwards(o, func(a ordering.Award, takenBack bool) {
		positions := positionsOf(o, a, takenBack)
		for _, t := range a.Months {
			s := monthSum{term: t}
			for _, p := range positions {
				if p.koc == t.KOC && !p.inviter && slices.Contains(t.Lines, p.line) {
					s.pending += p.accrued - p.reversed - p.released
					s.released += p.released
					s.clawed += p.clawed
				}
			}
			for _, line := range t.Lines {
				s.addSales(o, a, line, takenBack)
			}
			add(t.KOC, monthOf{month: o.Day[:7], rule: t.Rule}, s)
		}
	})
}

// addSales adds a winner's part of what a line was sold for.
func (s *monthSum) addSales(o ordering.Order, a ordering.Award, line int, takenBack bool) {
	weights := make([]int64, len(a.Winners))
	winner := 0
	for i, w := range a.Winners {
		weights[i] = int64(w.Share)
		if w.KOC == s.term.KOC {
			winner = i
		}
	}
	early, all := takenNet(o, a, line)
	sold, back := allot(o.Lines[line].Net.Minor-early, weights)[winner], allot(all-early, weights)[winner]
	switch {
	case o.Released == nil:
		s.sales += sold
	case takenBack:
		s.salesReleased += sold
		s.salesReturned += sold
	default:
		s.salesReleased += sold
		s.salesReturned += back
	}
}

// adjustment is what caps and bonuses make of a month. With a cap, the KOC keeps the smaller of what was earned and the
// cap: of what was released as available, of what is left of it after debt, and of that with what is pending.
func (s monthSum) adjustment() adjusted {
	var a adjusted
	if most := s.term.Cap; most > 0 {
		kept := s.released - s.clawed
		available := min(s.released, most)
		debt := min(kept, most) - available
		a.available = available - s.released
		a.debt = debt + s.clawed
		a.pending = min(s.pending+kept, most) - min(kept, most) - s.pending
	}
	kept := s.salesReleased - s.salesReturned
	a.available += s.bonus(s.salesReleased)
	a.debt += s.bonus(kept) - s.bonus(s.salesReleased)
	a.pending += s.bonus(s.sales+kept) - s.bonus(kept)
	return a
}

func (s monthSum) bonus(sales int64) (most int64) {
	for _, m := range s.term.Milestones {
		if m.Sales <= sales {
			most = max(most, m.Bonus)
		}
	}
	return most
}
