package ordering

import (
	"fmt"
	"slices"
	"time"

	"yundian/shared/fail"
	"yundian/shared/shop"
)

// Placing is what placing an order has to know of everything that one contact, a phone or an e-mail, ordered before: whether
// somebody who orders there is a returning customer, and how much of the stock waits for them. It is written only when an
// order is placed, so its entries are what was true then: an open order lapses by itself at its due time, and what became
// of an order is read from the order where that matters.
type Placing struct {
	// Returning says that an order of this contact is known to have been paid. That is for ever, so no order is read any more
	// to find it out.
	Returning bool    `json:",omitzero"`
	Orders    []Entry `json:",omitzero"` // oldest first, at most MaxEntries
}

// Entry is one earlier order of a contact.
type Entry struct {
	ID     string
	Pieces int64
	Due    time.Time // until when it can hold stock without being paid at most; zero for an order that was paid at once
}

// MaxEntries bounds the earlier orders of one contact: ten that are open, which is the most that a shop can allow, and as
// many that expired and could still be paid late. It keeps the item in two write units.
const MaxEntries = 20

// Pieces are how many pieces an order holds.
func (o Order) Pieces() (n int64) {
	for _, l := range o.Lines {
		n += l.Quantity
	}
	return n
}

// OpenUntil is until when an order holds stock although nobody has paid it; zero when it does not. An order to be paid on
// delivery is open until it is shipped, confirmed or not: a confirmation shows that somebody reads their letters, and no more.
func (o Order) OpenUntil() time.Time {
	switch {
	case o.Status() == Held:
		return o.Terms.HoldUntil
	case o.Unconfirmed():
		return o.Terms.ConfirmUntil
	case o.Status() == Confirmed:
		return o.unshippedUntil()
	default:
		return time.Time{}
	}
}

// longestOpen is until when an order can be open at most, whatever is confirmed.
func (o Order) longestOpen() time.Time {
	if o.Status() == Confirmed {
		return o.unshippedUntil()
	}
	return o.OpenUntil()
}

// WasPaid reports whether an order was paid before it ended, if it has ended. An order of which that is true stays so.
func (o Order) WasPaid() bool { return o.IsPaid() && !o.CameToNothing() }

// AsksEarlier are the ids of the earlier orders that have to be read before Admit can decide about an order: those that may
// have made their contact a returning customer, and those of a contact whose limits look used up, because an order that
// was paid meanwhile does not count. For a returning customer with few open orders there are none.
func AsksEarlier(o Order, seen []Placing, limits shop.Limits) (ids []string) {
	for _, p := range seen {
		if !p.Returning || p.open(o.PlacedAt, nil).admits(o, limits) != nil {
			for _, e := range p.Orders {
				ids = append(ids, e.ID)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Admit decides whether an order can be placed beside those that its contacts have open, and whether it is a new
// customer's. It returns what placing has to know of each contact afterwards. earlier holds at least the orders that
// AsksEarlier named.
func Admit(o *Order, seen []Placing, earlier map[string]Order, limits shop.Limits) ([]Placing, error) {
	o.Customer = NewCustomer
	for _, p := range seen {
		if err := p.open(o.PlacedAt, earlier).admits(*o, limits); err != nil {
			return nil, err
		}
		if p.Returning || slices.ContainsFunc(p.Orders, func(e Entry) bool { return !cameToNothing(earlier, e.ID) }) {
			o.Customer = Returning
		}
	}
	after := make([]Placing, len(seen))
	for i, p := range seen {
		after[i] = p.with(*o, earlier)
	}
	return after, nil
}

// cameToNothing reports whether an order was read and ended unpaid.
func cameToNothing(earlier map[string]Order, id string) bool {
	o, read := earlier[id]
	return read && o.CameToNothing()
}

// with is what is known of a contact once an order is placed. What can no longer matter is left out: what has been
// cancelled unpaid, and of a returning customer everything that holds no stock.
func (p Placing) with(o Order, earlier map[string]Order) Placing {
	returning := p.Returning || slices.ContainsFunc(p.Orders, func(e Entry) bool {
		x, read := earlier[e.ID]
		return read && x.WasPaid()
	})
	after := Placing{Returning: returning}
	for _, e := range p.Orders {
		x, read := earlier[e.ID]
		if returning && e.holds(o.PlacedAt, earlier) || !returning && !(read && x.Cancelled != nil && x.CameToNothing()) {
			after.Orders = append(after.Orders, e)
		}
	}
	after.Orders = append(after.Orders, Entry{ID: o.ID, Pieces: o.Pieces(), Due: o.longestOpen()})
	if len(after.Orders) <= MaxEntries {
		return after
	}
	// The order that expired longest ago is the least likely to be paid still.
	if i := slices.IndexFunc(after.Orders, func(e Entry) bool { return cameToNothing(earlier, e.ID) }); i >= 0 {
		after.Orders = slices.Delete(after.Orders, i, i+1)
		return after
	}
	after.Orders = slices.DeleteFunc(after.Orders, func(e Entry) bool { return e.ID != o.ID && !e.holds(o.PlacedAt, earlier) })
	after.Returning = true // somebody with so many orders under way has ordered before
	return after
}

// holds reports whether an entry's order holds stock without being paid, as far as is known.
func (e Entry) holds(now time.Time, earlier map[string]Order) bool {
	o, read := earlier[e.ID]
	return e.Due.After(now) && (!read || o.OpenUntil().After(now))
}

// openOrders is what a contact has open.
type openOrders struct {
	orders, pieces int64
	lapses         time.Time // when the first of them does
}

func (p Placing) open(now time.Time, earlier map[string]Order) (x openOrders) {
	for _, e := range p.Orders {
		if !e.holds(now, earlier) {
			continue
		}
		due := e.Due
		if o, read := earlier[e.ID]; read {
			due = o.OpenUntil()
		}
		if x.orders == 0 || due.Before(x.lapses) {
			x.lapses = due
		}
		x.orders++
		x.pieces += e.Pieces
	}
	return x
}

// admits refuses an order that would hold more of the stock than one contact may. An order of nothing is paid at once and
// holds none.
func (x openOrders) admits(o Order, limits shop.Limits) error {
	if o.OpenUntil().IsZero() {
		return nil
	}
	zone, err := shop.Zone(o.Terms.Zone)
	if err != nil {
		return fmt.Errorf("limits of order %s: %w", o.ID, err)
	}
	lapses := x.lapses.In(zone)
	switch pieces := o.Pieces(); {
	case pieces > int64(limits.OpenPieces):
		return fail.New(fail.Conflict, "order_pieces_many", "At most {limit} pieces can wait for payment at once. Please order fewer, and order the others when these are paid.",
			fail.Args{"limit": limits.OpenPieces})
	case x.orders+1 > int64(limits.OpenOrders):
		return fail.New(fail.Conflict, "open_orders_many", "This phone or e-mail address has {open} open orders already, and more cannot wait at once. Please pay or cancel one of them, or order again after {time}, when the first one lapses.",
			fail.Args{"open": x.orders, "time": lapses})
	case x.pieces+pieces > int64(limits.OpenPieces):
		return fail.New(fail.Conflict, "open_pieces_many", "Open orders of this phone or e-mail address hold {open} pieces already, and at most {limit} can wait at once. Please pay or cancel one of them, or order again after {time}, when the first one lapses.",
			fail.Args{"open": x.pieces, "limit": limits.OpenPieces, "time": lapses})
	}
	return nil
}

// checkOnDelivery refuses more pieces than can be sent to somebody who has not paid.
func checkOnDelivery(payment string, lines []Line, limits shop.Limits) error {
	if payment == OnDelivery && (Order{Lines: lines}).Pieces() > int64(limits.OnDeliveryPieces) {
		return fail.New(fail.Conflict, "on_delivery_pieces_many", "At most {limit} pieces can be paid on delivery. Please choose another payment, or order fewer.",
			fail.Args{"limit": limits.OnDeliveryPieces})
	}
	return nil
}
