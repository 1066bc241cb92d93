package ordering

import (
	"slices"
	"time"

	"yundian/shared/fail"
)

// Disposition says where refunded pieces go.
type Disposition string

const (
	Restock  Disposition = "restock"  // back on sale
	WriteOff Disposition = "writeOff" // back, and not to be sold again
	Keep     Disposition = "keep"     // the shopper keeps them
)

// GoodsBack are pieces of a line that came back, or that never left. It is a fact of its own: goods are where they are,
// whatever becomes of the refund that they came back with.
type GoodsBack struct {
	V        int64
	At       time.Time
	Cause    string // the id of the refund or of the return
	Line     int
	Quantity int64
	To       Disposition // Restock or WriteOff
}

// GoodsOf is how many pieces of a line came back and are on sale again, and how many were written off.
func (o Order) GoodsOf(line int) (restocked, writtenOff int64) {
	for _, g := range o.Goods {
		switch {
		case g.Line != line:
		case g.To == WriteOff:
			writtenOff += g.Quantity
		default:
			restocked += g.Quantity
		}
	}
	return restocked, writtenOff
}

func (o Order) back(line int) int64 { return o.backSince(line, 0) }

// backSince is how many pieces of a line came back after a version of the order.
func (o Order) backSince(line int, v int64) (sum int64) {
	for _, g := range o.Goods {
		if g.Line == line && g.V > v {
			sum += g.Quantity
		}
	}
	return sum
}

// kept is how many refunded pieces of a line the shopper keeps, at most those that did not come back.
func (o Order) kept(line int) int64 { return o.keptSince(line, 0) }

func (o Order) keptSince(line int, v int64) int64 {
	var sum int64
	for _, r := range o.Refunds {
		for _, l := range r.Lines {
			if r.Counts() && r.V > v && l.Line == line && l.Goods == Keep {
				sum += l.Quantity
			}
		}
	}
	return min(sum, o.Lines[line].Quantity-o.back(line))
}

// refundedSince is how many pieces of a line were refunded after a version of the order.
func (o Order) refundedSince(line int, v int64) int64 {
	return o.RefundedLine(line, 0).Quantity - o.RefundedLine(line, v+1).Quantity
}

// unpaidBack is how many pieces of a line came back after a version of the order and are not refunded as pieces, because
// their refund failed or was an amount alone: the next refund is about them first, and moves no goods for them. A return is
// about what came back since it was asked for, and never about the pieces of an earlier one.
func (o Order) unpaidBack(line int, since int64) int64 {
	return max(0, o.backSince(line, since)+o.keptSince(line, since)-o.refundedSince(line, since))
}

// Returnable is how many pieces of a line can still come back for money: those that were bought, without those that were
// refunded or came back. When all the money of a line has gone back by amounts, none can.
func (o Order) Returnable(line int) int64 {
	l, done := o.Lines[line], o.RefundedLine(line, 0)
	if gross := l.Gross().Minor; gross > 0 && done.Gross() >= gross {
		return 0
	}
	return l.Quantity - max(done.Quantity, o.back(line)+o.kept(line))
}

// holdsGoods reports whether an order has goods of its own: one that ended, or was refunded in full before anything was
// shipped, has put all of them back on sale.
func (o Order) holdsGoods() bool {
	_, sold := holding(o)
	return sold
}

// inParcel reports whether a line has been shipped.
func (o Order) inParcel(line int) bool {
	return slices.ContainsFunc(o.Shipments, func(s Shipment) bool {
		return len(s.SKUs) == 0 || slices.Contains(s.SKUs, o.Lines[line].SKU)
	})
}

// disposition is where pieces of a line go when a refund does not say: what has not been shipped goes back on sale, and so
// does what an open return is about, or what came back with a refund that failed; everything else is with the shopper and
// stays there.
func (o Order) disposition(line int, pieces int64, asked Disposition) Disposition {
	switch {
	case asked != "":
		return asked
	case !o.inParcel(line), o.unpaidBack(line, 0) >= pieces:
		return Restock
	}
	if r := o.OpenReturn(); r != nil && slices.ContainsFunc(r.Lines, func(l BasketLine) bool { return l.SKU == o.Lines[line].SKU }) {
		return Restock
	}
	return Keep
}

// checkGoods refuses a disposition that cannot be: an unknown one, goods that have gone back already, and a shopper who
// keeps what was never shipped.
func (o Order) checkGoods(to Disposition, lines []RefundLine) error {
	switch to {
	case "":
		return nil
	case Restock, WriteOff, Keep:
	default:
		return fail.NewFields([]fail.Field{fail.At("body.goods", "goods_unknown", "restock, writeOff or keep.", nil)})
	}
	if !o.holdsGoods() {
		return fail.New(fail.Conflict, "goods_settled", "The goods of this order are back on sale already.", nil)
	}
	unshipped := slices.ContainsFunc(lines, func(l RefundLine) bool {
		i, ok := o.line(l.SKU)
		return ok && l.Quantity > 0 && !o.inParcel(i)
	})
	if to == Keep && (unshipped || len(o.Shipments) == 0) {
		return fail.NewFields([]fail.Field{fail.At("body.goods", "goods_not_shipped", "These goods have not been shipped, so the shopper cannot keep them.", nil)})
	}
	return nil
}

// takeBack records that pieces of a line came back, if they do, and never more than the shopper still has.
func (o *Order) takeBack(cause string, line int, pieces int64, to Disposition, now time.Time) {
	pieces = min(pieces, o.Lines[line].Quantity-o.back(line)-o.kept(line))
	if pieces > 0 && to != Keep && o.holdsGoods() {
		o.Goods = append(o.Goods, GoodsBack{V: o.next(), At: now, Cause: cause, Line: line, Quantity: pieces, To: to})
	}
}

// moveGoods records where the pieces of a refund go that is about to be recorded. A refund of an amount alone is about no
// pieces, unless it says where they go: then it has to give back everything that is left, and is about all of them.
func (o *Order) moveGoods(r Refund, q RefundRequest, now time.Time) error {
	if q.Amount == nil {
		for _, l := range r.Lines {
			o.takeBack(r.ID, l.Line, l.Quantity-o.unpaidBack(l.Line, q.asked), l.Goods, now)
		}
		return nil
	}
	if q.Goods == "" {
		return nil
	}
	if o.RefundedTotal().Minor+r.Amount.Minor < o.Total.Minor {
		return fail.NewFields([]fail.Field{fail.At("body.goods", "goods_without_lines", "Name the lines and how many pieces, or refund everything that is left.", nil)})
	}
	for i := range o.Lines {
		o.takeBack(r.ID, i, o.Returnable(i), q.Goods, now)
	}
	return nil
}
