package ordering

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
)

// Return is a shopper's wish to give goods back; the shopper's reason is with the contact. While one is open, no
// commission of the order is released.
type Return struct {
	ID     string
	V      int64
	At     time.Time
	Lines  []BasketLine // the pieces, by SKU
	Closed *ReturnAnswer
}

// ReturnAnswer is how the shop ended a return. What it gives back is recorded in the same write, so that nothing can be
// released in between.
type ReturnAnswer struct {
	V       int64
	At      time.Time
	By      string
	Outcome ReturnOutcome
	Note    string // the operator's words to the shopper
	Address string // where the goods are to go, when it is not the shop's usual address
	Refund  string // the id of the refund; empty when nothing was left to give back, and when it was declined
}

// ReturnOutcome is what the shop decides about a return.
type ReturnOutcome string

const (
	Accepted ReturnOutcome = "accepted"
	Declined ReturnOutcome = "declined"
)

// MaxReturnText bounds what an operator writes about a return, and the address for it, in characters.
const MaxReturnText = 500

// RequestReturn records a return within the return window of a delivered order: of the pieces that are named, or of all
// that can still come back. While one is open, asking again returns the open one.
func (o *Order) RequestReturn(lines []BasketLine, now time.Time) (Return, error) {
	if open := o.OpenReturn(); open != nil {
		return *open, nil
	}
	switch {
	case o.Status() != Delivered:
		return Return{}, o.refuse("return")
	case o.Released != nil || now.After(o.releaseAt()):
		return Return{}, fail.New(fail.Conflict, "return_too_late", "The time to return this order ended on {date}.", fail.Args{"date": o.releaseAt().Format(time.DateOnly)})
	case o.nothingLeft() || len(o.CanReturn()) == 0:
		return Return{}, fail.New(fail.Conflict, "order_refunded", "Everything on this order has been refunded.", nil)
	case len(o.Returns) >= MaxReturns:
		return Return{}, fail.New(fail.TooMany, "returns_too_many", "This order has been returned too often.", nil)
	}
	if err := o.checkReturn(lines); err != nil {
		return Return{}, err
	}
	lines = slices.Clone(lines)
	for i, l := range lines {
		at, _ := o.line(l.SKU)
		lines[i].SKU = o.Lines[at].SKU // as the order spells it
	}
	if len(lines) == 0 {
		lines = o.CanReturn()
	}
	r := Return{ID: fmt.Sprintf("r%d", len(o.Returns)+1), V: o.next(), At: now, Lines: lines}
	o.Returns = append(o.Returns, r)
	return r, nil
}

// CanReturn is what can still come back of the order.
func (o Order) CanReturn() []BasketLine {
	var lines []BasketLine
	for i, l := range o.Lines {
		if n := o.Returnable(i); n > 0 {
			lines = append(lines, BasketLine{SKU: l.SKU, Quantity: n})
		}
	}
	return lines
}

func (o Order) checkReturn(lines []BasketLine) error {
	var f []fail.Field
	for i, l := range lines {
		j, ok := o.line(l.SKU)
		if !ok || slices.ContainsFunc(lines[:i], func(x BasketLine) bool { return catalogue.SameSKU(x.SKU, l.SKU) }) {
			f = append(f, fail.At(fmt.Sprintf("body.lines[%d].sku", i), "sku_not_ordered", "{sku} is not on this order.", fail.Args{"sku": clip(l.SKU)}))
			continue
		}
		where := fmt.Sprintf("body.lines[%d].quantity", i)
		switch most := o.Returnable(j); {
		case l.Quantity < 1 || l.Quantity > o.Lines[j].Quantity:
			f = append(f, fail.At(where, "out_of_range", "Between {low} and {high}.", fail.Args{"low": 1, "high": o.Lines[j].Quantity}))
		case l.Quantity > most:
			f = append(f, fail.At(where, "return_quantity", "Only {left} of {sku} can still be returned.", fail.Args{"left": max(0, most), "sku": l.SKU}))
		}
	}
	return fail.NewFields(f)
}

// ReturnDecision is how an operator ends a return. Refund says what goes back: of an accepted one everything that was asked
// for and has not been refunded since, unless it names lines, shipping or an amount; an amount of 0 gives nothing back.
// Goods come back on sale unless it says otherwise.
type ReturnDecision struct {
	Outcome ReturnOutcome
	By      string
	Note    string
	Address string
	Refund  RefundRequest
}

// CloseReturn ends a return together with its refund. Closing a closed one changes nothing.
func (o *Order) CloseReturn(id string, d ReturnDecision, now time.Time) error {
	i := slices.IndexFunc(o.Returns, func(r Return) bool { return r.ID == id })
	if i < 0 {
		return fail.New(fail.NotFound, "return_unknown", "This order has no such return.", nil)
	}
	if o.Returns[i].Closed != nil {
		return nil
	}
	if err := d.check(); err != nil {
		return err
	}
	closed := &ReturnAnswer{V: o.next(), At: now, By: d.By, Outcome: d.Outcome, Note: d.Note, Address: d.Address}
	if d.Outcome == Accepted {
		var err error
		if closed.Refund, err = o.giveBack(o.Returns[i], d.Refund, now); err != nil {
			return err
		}
	}
	o.Returns[i].Closed = closed
	return nil
}

func (d ReturnDecision) check() error {
	var f []fail.Field
	if d.Outcome != Accepted && d.Outcome != Declined {
		f = append(f, fail.At("body.outcome", "return_outcome", "accepted or declined.", nil))
	}
	for where, text := range map[string]string{"body.note": d.Note, "body.address": d.Address} {
		if utf8.RuneCountInString(text) > MaxReturnText {
			f = append(f, fail.At(where, "too_long", "At most {limit} characters.", fail.Args{"limit": MaxReturnText}))
		}
	}
	if q := d.Refund; d.Outcome == Declined && (len(q.Lines) > 0 || q.Shipping != nil || q.Amount != nil || q.Goods != "") {
		f = append(f, fail.At("body.outcome", "return_declined_refund", "Only an accepted return gives money and goods back.", nil))
	}
	return fail.NewFields(f)
}

// giveBack records the refund of an accepted return and where its goods go, and gives the refund's id; empty when nothing is
// left to give back.
func (o *Order) giveBack(r Return, q RefundRequest, now time.Time) (string, error) {
	pieces := o.outstanding(r)
	if q.Reason == "" {
		q.Reason = "return " + r.ID
	}
	goods := q.Goods
	if goods == "" {
		goods = Restock
	}
	named := len(q.Lines) > 0
	switch {
	case q.Amount != nil: // the goods are those that were asked for
		if err := o.checkGoods(q.Goods, nil); err != nil {
			return "", err
		}
		q.Goods = ""
	case named:
		pieces = piecesNamed(q.Lines)
	default:
		for _, p := range pieces {
			q.Lines = append(q.Lines, RefundLine{SKU: p.SKU, Quantity: p.Quantity})
		}
	}
	if q.Amount == nil {
		q.Goods = goods
	}
	q.asked = r.V
	refund := ""
	if !o.givesNothing(q) {
		x, err := o.RequestRefund(q, now)
		switch {
		case err == nil && q.Amount == nil:
			return x.ID, nil // its goods are recorded with it
		case err == nil:
			refund = x.ID
		case named || !fail.Is(err, "refund_empty"): // else what comes back had cost nothing
			return "", err
		}
	} else if err := o.checkReturn(pieces); named && err != nil {
		return "", err
	}
	for _, p := range pieces {
		i, _ := o.line(p.SKU)
		o.takeBack(r.ID, i, p.Quantity-o.unpaidBack(i, r.V), goods, now)
	}
	return refund, nil
}

func piecesNamed(lines []RefundLine) []BasketLine {
	out := make([]BasketLine, len(lines))
	for i, l := range lines {
		out[i] = BasketLine{SKU: l.SKU, Quantity: l.Quantity}
	}
	return out
}

// givesNothing reports whether a return's refund is none: it says so, or nothing was paid and no money is asked for.
func (o Order) givesNothing(q RefundRequest) bool {
	if q.Amount != nil {
		return q.Amount.Minor == 0 && q.Shipping == nil && len(q.Lines) == 0
	}
	priced := slices.ContainsFunc(q.Lines, func(l RefundLine) bool { return l.Amount != nil })
	return len(o.Captures) == 0 && q.Shipping == nil && !priced
}

// outstanding are the pieces of a return that have not been refunded since it was asked for, and can be.
func (o Order) outstanding(r Return) []BasketLine {
	var lines []BasketLine
	for _, l := range r.Lines {
		i, _ := o.line(l.SKU)
		left := o.Lines[i].Quantity - o.RefundedLine(i, 0).Quantity
		if n := min(l.Quantity-o.refundedSince(i, r.V), left); n > 0 {
			lines = append(lines, BasketLine{SKU: l.SKU, Quantity: n})
		}
	}
	return lines
}
