package world

import (
	"slices"
	"time"

	"yundian/shared/fail"
	"yundian/shared/ordering"
)

// request is an order that is being placed: what it is decided by is read at some moment between its beginning and its end.
type request struct {
	want
	began int       // the moment
	at    time.Time // by the clock of whoever places it
}

// moment is what an order is from a change on: whether it has come to nothing, and until when it holds stock that nobody has
// paid; zero when it holds none.
type moment struct {
	at      int
	nothing bool
	until   time.Time
}

func (x *watch) begin(q want) *request {
	r := &request{want: q, began: x.moment}
	x.placing = append(x.placing, r)
	return r
}

func (x *watch) end(r *request) {
	x.placing = slices.DeleteFunc(x.placing, func(other *request) bool { return other == r })
}

// remember notes what an order is now.
func (x *watch) remember(o *watched) {
	x.moment++
	paid := slices.ContainsFunc(o.now.Captures, func(c ordering.Capture) bool { return o.now.Cancelled == nil || c.V < o.now.Cancelled.V })
	free := o.now.Total.Minor == 0
	status := statusOf(o.now)
	o.moments = append(o.moments, moment{x.moment, status == ordering.Expired || status == ordering.Cancelled && !paid && !free, heldUntil(o.now)})
}

// heldUntil is until when an order holds stock although nobody has paid it; zero when it holds none.
func heldUntil(o ordering.Order) time.Time {
	switch status := statusOf(o); {
	case status == ordering.Held:
		return o.Terms.HoldUntil
	case waits(o):
		return o.Terms.ConfirmUntil
	case status == ordering.Confirmed:
		return o.PlacedAt.AddDate(0, 0, 30)
	default:
		return time.Time{}
	}
}

// since are the moments of an order that whoever began at a moment can have seen.
func (o *watched) since(began int) []moment {
	for i := len(o.moments) - 1; i > 0; i-- {
		if o.moments[i].at <= began {
			return o.moments[i:]
		}
	}
	return o.moments
}

// before are the orders of a request's contacts, other than the one that it placed, in their order.
func (x *watch) before(q want, placed string) (out []*watched) {
	for _, id := range x.ids {
		if o := x.orders[id]; id != placed && slices.ContainsFunc(o.contacts, func(c string) bool { return slices.Contains(q.contacts(), c) }) {
			out = append(out, o)
		}
	}
	return out
}

// begun is when the first of the requests for an order began that are under way.
func (x *watch) begun(q want) int {
	began := x.moment
	for _, r := range x.placing {
		if r.key == q.key {
			began = min(began, r.began)
		}
	}
	return began
}

// checkCustomer asks about all orders of a person: an order is a new customer's if and only if every one before it has come to
// nothing by the time of placing, whenever it was placed and whatever it was then.
func (x *watch) checkCustomer(o ordering.Order, q want) {
	began := x.begun(q)
	nothing := func(m moment) bool { return m.nothing }
	something := func(m moment) bool { return !m.nothing }
	possible := false // that it is a returning customer's
	for _, before := range x.before(q, o.ID) {
		seen := before.since(began)
		if o.Customer == ordering.NewCustomer && !slices.ContainsFunc(seen, nothing) {
			x.w.violate(13, "order %s is a new customer's, after order %s of %v", o.ID, before.now.ID, q.contacts())
		}
		possible = possible || slices.ContainsFunc(seen, something)
	}
	if o.Customer != ordering.NewCustomer && !possible {
		x.w.violate(13, "order %s is of a customer %q, but all orders of %v have come to nothing", o.ID, o.Customer, q.contacts())
	}
}

// heldBy is how much a contact's orders hold at a time without being paid: of the moments at which each of them can have been
// seen since a request began, all have to say so, or one of them.
func (x *watch) heldBy(contact string, at time.Time, began int, all bool) (orders, pieces int64) {
	for _, id := range x.ids {
		o := x.orders[id]
		holds := func(m moment) bool { return m.until.After(at) }
		lacks := func(m moment) bool { return !holds(m) }
		seen := o.since(began)
		if slices.Contains(o.contacts, contact) && slices.ContainsFunc(seen, holds) && !(all && slices.ContainsFunc(seen, lacks)) {
			orders++
			pieces += piecesOf(o.now)
		}
	}
	return orders, pieces
}

func piecesOf(o ordering.Order) (n int64) {
	for _, l := range o.Lines {
		n += l.Quantity
	}
	return n
}

// waits reports whether an order has to be confirmed still.
func waits(o ordering.Order) bool {
	return statusOf(o) == ordering.Confirmed && !o.Terms.ConfirmUntil.IsZero() && o.Confirmation == nil
}

// checkAsked has every order confirmed that is paid on delivery and costs more than the shop sends without asking, and no other.
func (x *watch) checkAsked(o ordering.Order) {
	limits := x.w.shop.limits
	asked := o.Payment == ordering.OnDelivery && limits.ConfirmAbove > 0 && o.Total.Minor > limits.ConfirmAbove
	if until := o.Terms.ConfirmUntil; asked && !until.Equal(o.PlacedAt.Add(time.Duration(limits.ConfirmHours)*time.Hour)) || !asked && !until.IsZero() {
		x.w.violate(6, "order %s of %d by %s waits for a confirmation until %s", o.ID, o.Total.Minor, o.Payment, until)
	}
}

// checkConfirmed lets an order that has to be confirmed neither leave before that, nor end by itself before its time or for
// another reason.
func (x *watch) checkConfirmed(a, b ordering.Order) {
	if waits(a) && len(b.Shipments) > 0 {
		x.w.violate(6, "order %s is shipped although nobody has confirmed it", b.ID)
	}
	if statusOf(a) != ordering.Confirmed || a.Expired != nil || b.Expired == nil {
		return
	}
	due := a.PlacedAt.AddDate(0, 0, 30)
	if waits(a) {
		due = a.Terms.ConfirmUntil
	}
	if b.Expired.At.Before(due) {
		x.w.violate(6, "order %s to be paid on delivery expires at %s, before %s", b.ID, b.Expired.At, due)
	}
}

// checkOpen lets no contact hold more of the stock than the shop allows, whatever is placed at the same time.
func (x *watch) checkOpen(o ordering.Order, q want) {
	limits := x.w.shop.limits
	if o.Payment == ordering.OnDelivery && piecesOf(o) > int64(limits.OnDeliveryPieces) {
		x.w.violate(6, "order %s has %d pieces to be paid on delivery", o.ID, piecesOf(o))
	}
	if status := statusOf(o); status != ordering.Held && status != ordering.Confirmed {
		return
	}
	for _, contact := range q.contacts() {
		orders, pieces := x.heldBy(contact, o.PlacedAt, x.begun(q), true)
		orders, pieces = orders+1, pieces+piecesOf(o)
		if orders > int64(limits.OpenOrders) || pieces > int64(limits.OpenPieces) {
			x.w.violate(6, "with order %s, %s has %d open orders of %d pieces", o.ID, contact, orders, pieces)
		}
	}
}

// checkRefusal lets nobody be refused for open orders that were all paid or over when they asked.
func (x *watch) checkRefusal(r *request, err error) {
	orders, pieces := fail.Is(err, "open_orders_many"), fail.Is(err, "open_pieces_many")
	if !orders && !pieces {
		return
	}
	if orders {
		x.w.Counts.Reached["refused for open orders"]++
	} else {
		x.w.Counts.Reached["refused for open pieces"]++
	}
	var asked int64
	for _, b := range r.basket {
		asked += b.Quantity
	}
	limits := x.w.shop.limits
	for _, contact := range r.contacts() {
		n, sum := x.heldBy(contact, r.at, r.began, false)
		if orders && n+1 > int64(limits.OpenOrders) || pieces && sum+asked > int64(limits.OpenPieces) {
			return
		}
	}
	x.w.violate(6, "%v were refused: %v", r.contacts(), err)
}
