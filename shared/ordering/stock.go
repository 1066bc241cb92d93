package ordering

import (
	"cmp"
	"slices"

	"yundian/shared/catalogue"
)

// Stock moves follow from an order's facts, so that no path can forget them: what an order holds is a function
// of its status, and a write moves the difference between what it held before and what it holds after.

// holding says whether an order keeps the pieces of its lines reserved, or has sold them, or neither.
func holding(o Order) (reserved, sold bool) {
	if o.Withdrawn != nil {
		return false, false
	}
	switch o.Status() {
	case Held, Confirmed:
		return true, false
	case Paid, Shipped, Delivered:
		return false, true
	default: // cancelled, expired: everything went back on the shelf
		return false, false
	}
}

// piecesOf says how many pieces of a line an order keeps reserved, has sold, and has brought back only to be written off.
// What came back and is on sale again is not sold any more.
func piecesOf(o Order, line int) (reserved, sold, writtenOff int64) {
	isReserved, isSold := holding(o)
	quantity := o.Lines[line].Quantity
	restocked, writtenOff := o.GoodsOf(line)
	if isReserved {
		reserved = quantity
	}
	if isSold {
		sold = quantity - restocked - writtenOff
	}
	return reserved, sold, writtenOff
}

// StockMoves are the changes to stock that turning before into after makes, one for each variant, by SKU in order. An empty
// before (its ID is empty) is an order that is being placed.
func StockMoves(before, after Order) []catalogue.StockMove {
	var moves []catalogue.StockMove
	for i, l := range after.Lines {
		reserved, sold, writtenOff := piecesOf(after, i)
		if before.ID != "" {
			r, s, w := piecesOf(before, i)
			reserved, sold, writtenOff = reserved-r, sold-s, writtenOff-w
		}
		if reserved == 0 && sold == 0 && writtenOff == 0 {
			continue
		}
		m := l.move(reserved, sold, writtenOff)
		// Two lines are one variant if it was renamed while the basket was read.
		if i := slices.IndexFunc(moves, func(x catalogue.StockMove) bool { return x.VariantID == l.VariantID }); i >= 0 {
			moves[i] = together(moves[i], m)
			continue
		}
		moves = append(moves, m)
	}
	slices.SortFunc(moves, func(a, b catalogue.StockMove) int { return cmp.Compare(a.SKU, b.SKU) })
	return moves
}

// move takes a line's pieces from the shelf, and back to it. Those of an untracked variant come from nowhere and go back
// there: they were received when they were ordered.
func (l Line) move(reserved, sold, writtenOff int64) catalogue.StockMove {
	m := catalogue.StockMove{SKU: l.SKU, VariantID: l.VariantID, Reserved: reserved, Sold: sold, WrittenOff: writtenOff,
		Owing: l.StockPolicy == catalogue.Continue}
	if taken := reserved + sold + writtenOff; l.StockPolicy == catalogue.Untracked {
		m.Received = taken
	} else {
		m.Available = -taken
	}
	return m
}

func together(a, b catalogue.StockMove) catalogue.StockMove {
	a.Available, a.Reserved, a.Sold = a.Available+b.Available, a.Reserved+b.Reserved, a.Sold+b.Sold
	a.Received, a.WrittenOff, a.Owing = a.Received+b.Received, a.WrittenOff+b.WrittenOff, a.Owing && b.Owing
	return a
}
