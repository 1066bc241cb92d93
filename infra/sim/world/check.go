package world

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"yundian/shared/koc"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/store"
)

// checkNew looks at an order as it was placed.
func (x *watch) checkNew(o ordering.Order) {
	if o.Version != 1 {
		x.w.violate(14, "order %s begins with version %d", o.ID, o.Version)
	}
	key, ok := "", false
	for k, p := range x.placed {
		if p.order == o.ID {
			key, ok = k, true
		}
	}
	asked := slices.IndexFunc(x.w.wanted, func(q want) bool { return q.key == key && q.person == o.Person })
	if !ok || asked < 0 {
		x.w.violate(11, "order %s was placed without its key", o.ID)
	}
	q := x.w.wanted[asked]
	x.orders[o.ID].contacts = q.contacts()
	x.checkCustomer(o, q)
	x.checkOpen(o, q)
	x.checkAsked(o)
}

// checkMoney holds an order's amounts together.
func (x *watch) checkMoney(o ordering.Order) {
	sum := x.amountOf(o.Shipping, "shipping", o.ID) + x.amountOf(o.Tax, "tax", o.ID)
	var discount, tax int64
	for _, l := range o.Lines {
		sum += x.amountOf(l.Net, "a line", o.ID)
		discount += x.amountOf(l.Discount, "a discount", o.ID)
		tax += x.amountOf(l.Tax, "a line's tax", o.ID)
		if l.Net.Minor != l.Unit.Minor*l.Quantity-l.Discount.Minor {
			x.w.violate(7, "order %s sells %d of %s at %d for %d", o.ID, l.Quantity, l.SKU, l.Unit.Minor, l.Net.Minor)
		}
	}
	switch {
	case sum != x.amountOf(o.Total, "total", o.ID):
		x.w.violate(7, "order %s has a total of %d, its parts have %d", o.ID, o.Total.Minor, sum)
	case discount != o.Discount.Minor, tax != o.Tax.Minor:
		x.w.violate(7, "order %s allocates a discount of %d and tax of %d, and has %d and %d", o.ID, discount, tax, o.Discount.Minor, o.Tax.Minor)
	}
	x.checkRefunds(o)
}

// checkRefunds gives back no more than was paid: of the order, of each line, of each payment.
func (x *watch) checkRefunds(o ordering.Order) {
	var all int64
	byPayment := map[string]int64{}
	lines, pieces := make([]int64, len(o.Lines)), make([]int64, len(o.Lines))
	take := func(what string, parts []ordering.LineRefund, shipping, beyond, amount int64) {
		sum := shipping + beyond
		for _, l := range parts {
			sum += l.Net.Minor + l.Tax.Minor
			lines[l.Line] += l.Net.Minor + l.Tax.Minor
			pieces[l.Line] += l.Quantity
			if l.Net.Minor < 0 || l.Tax.Minor < 0 {
				x.w.violate(7, "%s of order %s takes %d and %d tax of a line", what, o.ID, l.Net.Minor, l.Tax.Minor)
			}
		}
		if sum != amount || amount <= 0 || min(shipping, beyond) < 0 {
			x.w.violate(7, "%s of order %s gives back %d, its parts have %d", what, o.ID, amount, sum)
		}
		all += amount - beyond
	}
	for _, r := range o.Refunds {
		if r.Failed != nil {
			continue
		}
		byPayment[r.PaymentID] += x.amountOf(r.Amount, "refund", o.ID)
		if !r.Surplus {
			take("refund "+r.ID, r.Lines, r.Shipping.Minor, r.Beyond.Minor, r.Amount.Minor)
		}
	}
	for _, d := range o.Disputes {
		if x.amountOf(d.Amount, "dispute", o.ID); d.Lost != nil {
			take("dispute "+d.ID, d.Lines, d.Shipping.Minor, d.Beyond.Minor, d.Amount.Minor)
		}
	}
	if all > o.Total.Minor || len(o.Captures) > 0 && all > captured(o) {
		x.w.violate(7, "order %s gives back %d of %d, captured %d", o.ID, all, o.Total.Minor, captured(o))
	}
	for _, c := range o.Captures {
		if byPayment[c.PaymentID] > c.Amount.Minor {
			x.w.violate(7, "order %s gives back %d of payment %s of %d", o.ID, byPayment[c.PaymentID], c.PaymentID, c.Amount.Minor)
		}
	}
	x.checkGiven(o)
	for i, l := range o.Lines {
		if lines[i] > l.Net.Minor+l.Tax.Minor || pieces[i] > l.Quantity {
			x.w.violate(7, "order %s gives back %d and %d pieces of %s, sold %d for %d", o.ID, lines[i], pieces[i], l.SKU, l.Quantity, l.Net.Minor+l.Tax.Minor)
		}
	}
}

// checkReturned holds what came back against the refunds and returns that say so: an accepted return has its refund in the
// same write, unless nothing was left to give back or nobody wanted any, and goods go where their refund says.
func (x *watch) checkReturned(a, b ordering.Order) {
	for i, r := range a.Returns {
		c := b.Returns[i].Closed
		if r.Closed != nil || c == nil {
			continue
		}
		refund, made := b.Refund(c.Refund)
		if c.Outcome == ordering.Accepted && c.Refund != "" && (!made || refund.V != c.V) || c.Outcome == ordering.Declined && len(b.Refunds) > len(a.Refunds) {
			x.w.violate(2, "return %s of order %s is %s without its refund %q", r.ID, b.ID, c.Outcome, c.Refund)
		}
	}
	for _, r := range b.Refunds[len(a.Refunds):] {
		for _, l := range r.Lines {
			var back int64
			for _, g := range b.Goods[len(a.Goods):] {
				if g.Line == l.Line && g.To == l.Goods {
					back += g.Quantity
				}
			}
			again := slices.ContainsFunc(a.Goods, func(g ordering.GoodsBack) bool { return g.Line == l.Line }) // perhaps of a refund that failed
			if all := l.Goods == ordering.Restock || l.Goods == ordering.WriteOff; back > l.Quantity || all && !again && back != l.Quantity {
				x.w.violate(6, "refund %s of order %s brings %d of %d pieces of line %d back (%s)", r.ID, b.ID, back, l.Quantity, l.Line, l.Goods)
			}
		}
	}
}

// checkGiven holds refunds against the bank's: no more is on record as given back than it has given back, because what it does
// is true before it is told, and what it was asked for is never on record as something that it did by itself.
func (x *watch) checkGiven(o ordering.Order) {
	given := map[string]int64{}
	for _, r := range o.Refunds {
		if r.Succeeded != nil && r.Failed == nil {
			given[r.PaymentID] += r.Amount.Minor
		}
		asked := func(y *refund) bool { return y.id == r.ProviderID && y.intent != "" }
		if r.By == "provider" && slices.ContainsFunc(x.w.bank.refunds, asked) {
			x.w.violate(7, "order %s takes refund %s, which it asked for, for one that the bank made by itself", o.ID, r.ProviderID)
		}
	}
	for _, p := range x.w.bank.payments {
		if p.order == o.ID && given[p.id] > p.back {
			x.w.violate(7, "order %s has %d of payment %s given back, the bank has given back %d", o.ID, given[p.id], p.id, p.back)
		}
	}
}

// transitions are how a status can change in one write. Whatever is missing is a step back or a jump.
var transitions = map[ordering.Status][]ordering.Status{
	ordering.Held:      {ordering.Paid, ordering.Cancelled, ordering.Expired},
	ordering.Confirmed: {ordering.Shipped, ordering.Cancelled, ordering.Expired},
	ordering.Paid:      {ordering.Shipped, ordering.Cancelled},
	ordering.Shipped:   {ordering.Delivered, ordering.Cancelled},
	ordering.Delivered: {ordering.Cancelled},
	ordering.Expired:   {ordering.Paid},
}

// checkGrowth lets facts only grow.
func (x *watch) checkGrowth(a, b ordering.Order) {
	if b.Version != a.Version+1 {
		x.w.violate(14, "order %s went from version %d to %d", b.ID, a.Version, b.Version)
	}
	if from, to := statusOf(a), statusOf(b); from != to && !slices.Contains(transitions[from], to) {
		x.w.violate(14, "order %s went from %s to %s", b.ID, from, to)
	}
	if !a.AsPlaced().Equal(b.AsPlaced()) {
		x.w.violate(14, "order %s is no longer what was placed", b.ID)
	}
	grows := func(what string, ok bool) {
		if !ok {
			x.w.violate(14, "order %s has lost or altered %s", b.ID, what)
		}
	}
	grows("a payment", prefix(a.Captures, b.Captures, same))
	grows("a parcel", prefix(a.Shipments, b.Shipments, same))
	grows("a decision", prefix(a.Awards, b.Awards, same))
	grows("a redrive", prefix(a.Redriven, b.Redriven, same))
	grows("a return", prefix(a.Returns, b.Returns, func(a, b ordering.Return) bool {
		return kept(a.Closed, b.Closed) && same(with(a, func(r *ordering.Return) { r.Closed = b.Closed }), b)
	}))
	grows("goods that came back", prefix(a.Goods, b.Goods, same))
	x.checkReturned(a, b)
	grows("a hold", prefix(a.Holds, b.Holds, func(a, b ordering.Hold) bool {
		return kept(a.Lifted, b.Lifted) && same(with(a, func(h *ordering.Hold) { h.Lifted = b.Lifted }), b)
	}))
	grows("a refund", prefix(a.Refunds, b.Refunds, func(r, s ordering.Refund) bool { return sameRefund(a, r, s) }))
	grows("a dispute", prefix(a.Disputes, b.Disputes, func(d, e ordering.Dispute) bool { return sameDispute(a, d, e) }))
	grows("the confirmation", kept(a.Confirmation, b.Confirmation))
	grows("the delivery", kept(a.Delivered, b.Delivered))
	x.checkConfirmed(a, b)
	for what, marks := range map[string][2]*ordering.Mark{"the release": {a.Released, b.Released}, "the cancellation": {a.Cancelled, b.Cancelled},
		"the expiry": {a.Expired, b.Expired}, "the revival": {a.Revived, b.Revived}, "the withdrawal": {a.Withdrawn, b.Withdrawn}} {
		grows(what, kept(marks[0], marks[1]))
	}
}

func prefix[T any](a, b []T, same func(a, b T) bool) bool {
	return len(a) <= len(b) && slices.EqualFunc(a, b[:len(a)], same)
}

func same[T any](a, b T) bool { return reflect.DeepEqual(a, b) }

// kept reports whether a fact that was there is there as it was.
func kept[T any](a, b *T) bool { return a == nil || b != nil && reflect.DeepEqual(*a, *b) }

func with[T any](v T, change func(*T)) T {
	change(&v)
	return v
}

// sameRefund lets a refund be sent again and end, take from the order what has become free, and be recognised as one of
// another payment when the first one comes.
func sameRefund(before ordering.Order, a, b ordering.Refund) bool {
	if !kept(a.Succeeded, b.Succeeded) || !kept(a.Failed, b.Failed) || b.Succeeded != nil && b.Failed != nil || b.Tries < a.Tries {
		return false
	}
	a.Succeeded, a.Failed, a.LastTry, a.Tries = b.Succeeded, b.Failed, b.LastTry, b.Tries
	if a.ProviderID == "" {
		a.ProviderID = b.ProviderID
	}
	if b.Surplus && len(before.Captures) == 0 || takesMore(a.Lines, b.Lines, a.Shipping, b.Shipping, a.Beyond, b.Beyond) {
		a.Surplus, a.Lines, a.Shipping, a.Beyond = b.Surplus, b.Lines, b.Shipping, b.Beyond
	}
	return same(a, b)
}

// sameDispute lets a dispute end, take from the order what has become free, and be recognised as one of another payment.
func sameDispute(before ordering.Order, a, b ordering.Dispute) bool {
	if !kept(a.Won, b.Won) || !kept(a.Lost, b.Lost) || b.Won != nil && b.Lost != nil {
		return false
	}
	fresh := a.Lost == nil && b.Lost != nil
	a.Won, a.Lost = b.Won, b.Lost
	if fresh || len(before.Captures) == 0 || takesMore(a.Lines, b.Lines, a.Shipping, b.Shipping, a.Beyond, b.Beyond) {
		a.Lines, a.Shipping, a.Beyond = b.Lines, b.Shipping, b.Beyond
	}
	return same(a, b)
}

// takesMore reports whether money that has gone back beyond what was left of an order takes more of it than before.
func takesMore(a, b []ordering.LineRefund, shippingA, shippingB, beyondA, beyondB money.Amount) bool {
	return prefix(a, b, same) && shippingA.Minor <= shippingB.Minor && beyondA.Minor >= beyondB.Minor
}

// checkAward looks at the decisions.
func (x *watch) checkAward(o ordering.Order) {
	for i, a := range o.Awards {
		var shares money.BasisPoints
		for _, w := range a.Winners {
			shares += w.Share
		}
		switch {
		case len(a.Winners) == 0:
		case shares != 10_000:
			x.w.violate(13, "the shares of award %d of order %s sum to %d", i, o.ID, shares)
		case len(a.Rates) != len(o.Lines):
			x.w.violate(13, "award %d of order %s has %d rates for %d lines", i, o.ID, len(a.Rates), len(o.Lines))
		}
		if i > 0 && a.V <= o.Awards[i-1].V {
			x.w.violate(13, "award %d of order %s is not later than the one before", i, o.ID)
		}
	}
	if len(o.Awards) > 0 && o.Awards[0].Cause == "placement" && x.orders[o.ID] != nil && len(x.orders[o.ID].now.Awards) == 0 {
		x.checkDecision(o, o.Awards[0])
		x.checkInviters(o, o.Awards[0])
		x.checkRates(o, o.Awards[0])
	}
}

// checkDecision holds the first decision against the evidence: a code that was typed goes before links, the last link
// goes before the others, and whoever was not approved or seen too long ago, or has ordered, gets nothing.
func (x *watch) checkDecision(o ordering.Order, a ordering.Award) {
	best, bestKOC, bestCode, self := -1, "", "", false
	for i, e := range o.Evidence {
		handle, ok := koc.HandleOf(e.Code)
		if x.unclear(handle, o) {
			return
		}
		if !ok || e.Problem != "" || !slices.Contains(x.w.shop.kocs, handle) || !x.approved(handle, o.PlacedAt) {
			continue
		}
		if e.Kind == ordering.ByLink && (e.At.After(o.PlacedAt.Add(2*time.Minute)) || e.At.Before(o.PlacedAt.AddDate(0, 0, -o.Terms.AttributionDays))) {
			x.w.violate(13, "order %s counts a link that was seen at %s", o.ID, e.At)
		}
		if x.ordered(handle, o) {
			self = true
			continue
		}
		if best >= 0 {
			b := o.Evidence[best]
			if b.Kind == ordering.ByCode && e.Kind != ordering.ByCode || b.Kind == e.Kind && e.At.Before(b.At) {
				continue
			}
		}
		best, bestKOC, bestCode = i, handle, e.Code
	}
	switch {
	case bestKOC == "" && len(a.Winners) > 0:
		x.w.violate(13, "order %s is %s's, for which there is no evidence", o.ID, a.Winners[0].KOC)
	case (bestKOC == "" && self) != (a.Reason == "self_purchase"):
		x.w.violate(13, "order %s of %v is decided by %q", o.ID, x.orders[o.ID].contacts, a.Reason)
	case bestKOC != "" && (len(a.Winners) != 1 || a.Winners[0].KOC != bestKOC || a.Winners[0].Code != bestCode):
		x.w.violate(13, "order %s should be %s's through %s, and is %+v", o.ID, bestKOC, bestCode, a.Winners)
	}
}

// ordered reports whether an order is a KOC's own, by who placed it.
func (x *watch) ordered(handle string, o ordering.Order) bool {
	return slices.Contains(x.orders[o.ID].contacts, x.w.shop.own[handle])
}

// checkInviters lets no inviter earn by an order of their own.
func (x *watch) checkInviters(o ordering.Order, a ordering.Award) {
	for _, w := range a.Winners {
		if w.Inviter != "" && x.ordered(w.Inviter, o) {
			x.w.violate(13, "order %s pays %s for what they ordered", o.ID, w.Inviter)
		}
	}
}

// approved reports whether a KOC could earn at a moment, by the profile as it is.
func (x *watch) approved(handle string, at time.Time) bool {
	status := koc.Applied
	for _, s := range x.standings[handle] {
		if !s.From.After(at) {
			status = s.Status
		}
	}
	return status == koc.Approved
}

// unclear reports whether a KOC's standing at an order's placement was written after it, by a clock that is behind: whoever
// decided may not have seen it.
func (x *watch) unclear(handle string, o ordering.Order) bool {
	return slices.ContainsFunc(x.standings[handle], func(s standing) bool {
		return !s.From.After(o.PlacedAt) && s.written.After(o.PlacedAt.Add(-10*time.Second))
	})
}

// checkPosted holds what is posted for an order against what follows from the version up to which it is posted.
func (x *watch) checkPosted(id string) {
	seen := x.orders[id]
	o, ok := seen.image(seen.applied)
	if !ok {
		x.w.violate(2, "order %s is posted up to version %d, which never was", id, seen.applied)
	}
	expected := earned(o)
	for at, posted := range seen.posted {
		if posted.reversed < 0 || posted.reversed > posted.accrued || posted.clawed < 0 || posted.released < 0 || posted.clawed > posted.released {
			x.w.violate(3, "order %s line %d for %s: %+v", id, at.line, at.koc, posted)
		}
		if posted != expected[at] {
			x.w.violate(2, "order %s version %d line %d for %s is posted as %+v, and should be %+v", id, seen.applied, at.line, at.koc, posted, expected[at])
		}
	}
	for at, want := range expected {
		if want != seen.posted[at] {
			x.w.violate(2, "order %s version %d line %d for %s is posted as %+v, and should be %+v", id, seen.applied, at.line, at.koc, seen.posted[at], want)
		}
	}
}

// checkBalances compares what is stored of a KOC's accounts with their fold.
func (x *watch) checkBalances(handle string) {
	b := x.purse(handle)
	for _, a := range accounts {
		if b.stored[a] != b.folded[a] {
			x.w.violate(4, "%s of %s is stored as %d, its postings fold to %d", a, handle, b.stored[a], b.folded[a])
		}
	}
	if b.stored[ledger.Available] < 0 || b.stored[ledger.InPayout] < 0 || b.stored[ledger.Paid] < 0 {
		x.w.violate(4, "%s has %s", handle, b.describe())
	}
}

func (b *purse) describe() string {
	text := ""
	for _, a := range accounts {
		text += fmt.Sprintf("%s %d  ", a, b.stored[a])
	}
	return text
}

// checkStock compares the counts of a variant with each other and with what orders hold.
func (x *watch) checkStock(id string) {
	h := x.variant(id)
	s := h.stored
	switch {
	case h.at == store.Key{}:
		x.w.violate(6, "variant %s is nowhere, it had %+v", id, s)
	case min(s.reserved, s.sold, s.received, s.writtenOff) < 0, s.available < 0 && !h.owing:
		x.w.violate(6, "stock of variant %s is below zero: %+v", id, s)
	case s.available+s.reserved+s.sold != s.received-s.writtenOff:
		x.w.violate(6, "stock of variant %s is off balance: %+v", id, s)
	case s.received < h.untracked: // what nobody counts was received when it was ordered
		x.w.violate(6, "stock of variant %s is %+v, and orders took %d of it untracked", id, s, h.untracked)
	case s.reserved != h.reserved, s.sold != h.sold, s.writtenOff != h.off:
		x.w.violate(6, "stock of variant %s is %+v, orders hold %d reserved and %d sold, and %d were written off", id, s, h.reserved, h.sold, h.off)
	}
}
