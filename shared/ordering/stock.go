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

// StockMoves are the changes to stock that turning before into after makes, one for each variant, by SKU in order. An empty
// before (its ID is empty) is an order that is being placed.
func StockMoves(before, after Order) []catalogue.StockMove {
	var wasReserved, wasSold bool
	if before.ID != "" {
		wasReserved, wasSold = holding(before)
	}
	isReserved, isSold := holding(after)
	if wasReserved == isReserved && wasSold == isSold {
		return nil
	}
	moves := make([]catalogue.StockMove, 0, len(after.Lines))
	for _, l := range after.Lines {
		m := catalogue.StockMove{SKU: l.SKU, VariantID: l.VariantID,
			Reserved: l.Quantity * (count(isReserved) - count(wasReserved)),
			Sold:     l.Quantity * (count(isSold) - count(wasSold))}
		m.Available = -m.Reserved - m.Sold
		// Two lines are one variant if it was renamed while the basket was read.
		if i := slices.IndexFunc(moves, func(x catalogue.StockMove) bool { return x.VariantID == l.VariantID }); i >= 0 {
			moves[i].Available, moves[i].Reserved, moves[i].Sold = moves[i].Available+m.Available, moves[i].Reserved+m.Reserved, moves[i].Sold+m.Sold
			continue
		}
		moves = append(moves, m)
	}
	slices.SortFunc(moves, func(a, b catalogue.StockMove) int { return cmp.Compare(a.SKU, b.SKU) })
	return moves
}

func count(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
