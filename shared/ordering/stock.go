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
		m := catalogue.StockMove{SKU: l.SKU, VariantID: l.VariantID}
		m.Reserved, m.Sold, m.WrittenOff = piecesOf(after, i)
		if before.ID != "" {
			reserved, sold, writtenOff := piecesOf(before, i)
			m.Reserved, m.Sold, m.WrittenOff = m.Reserved-reserved, m.Sold-sold, m.WrittenOff-writtenOff
		}
		if m.Reserved == 0 && m.Sold == 0 && m.WrittenOff == 0 {
			continue
		}
		m.Available = -m.Reserved - m.Sold - m.WrittenOff
		// Two lines are one variant if it was renamed while the basket was read.
		if i := slices.IndexFunc(moves, func(x catalogue.StockMove) bool { return x.VariantID == l.VariantID }); i >= 0 {
			x := &moves[i]
			x.Available, x.Reserved, x.Sold, x.WrittenOff = x.Available+m.Available, x.Reserved+m.Reserved, x.Sold+m.Sold, x.WrittenOff+m.WrittenOff
			continue
		}
		moves = append(moves, m)
	}
	slices.SortFunc(moves, func(a, b catalogue.StockMove) int { return cmp.Compare(a.SKU, b.SKU) })
	return moves
}
