// Package orderform is the form on which a shopper orders: the storefront shows it below the basket, and checkout shows
// it again, filled in, with what has to be corrected.
package orderform

import (
	"yundian/shared/catalogue"
	"yundian/shared/ordering"
	"yundian/shared/shop"
)

// Fitted is a basket brought to what can be sold right now, so that a shopper sees a total that can be ordered.
type Fitted struct {
	Lines []Line // every line that was asked for and is known, in order
	Gone  int    // how many lines name something that is not sold any more
	Quote ordering.Quote
	Err   error // why the lines cannot be priced together, such as a total too large to take
}

// Line is one line of a basket as asked for and as it can be had.
type Line struct {
	Item     catalogue.Sellable
	Asked    int64
	Quantity int64 // 0 when sold out
}

// Short reports whether there are fewer pieces than were asked for.
func (l Line) Short() bool { return l.Quantity < l.Asked }

// Basket is what can be ordered: the lines that are not sold out.
func (f Fitted) Basket() []ordering.BasketLine {
	var out []ordering.BasketLine
	for _, l := range f.Lines {
		if l.Quantity > 0 {
			out = append(out, ordering.BasketLine{SKU: l.Item.SKU, Quantity: l.Quantity})
		}
	}
	return out
}

// Orderable reports whether there is anything to order, at a known total.
func (f Fitted) Orderable() bool { return f.Err == nil && len(f.Quote.Lines) > 0 }

// fitting is how many of the pieces that were asked for are put into a basket. Where there are fewer, but many, it is as many
// as the shop tells, so that asking for too many does not tell how many there are.
func fitting(asked, there int64) int64 {
	switch {
	case asked <= there:
		return asked
	case there > ordering.TellLeft:
		return ordering.TellLeft
	default:
		return max(0, there)
	}
}

// Fit takes as much of a merged basket as there is, and prices that.
func Fit(basket []ordering.BasketLine, sold map[string]catalogue.Sellable, s shop.Settings) Fitted {
	var f Fitted
	items := map[string]catalogue.Sellable{} // by the shop's own spelling
	for _, b := range basket {
		item, known := sold[b.SKU]
		if !known || item.Status != catalogue.Active || item.Price.Currency != s.Currency {
			f.Gone++
			continue
		}
		items[item.SKU] = item
		f.Lines = append(f.Lines, Line{Item: item, Asked: b.Quantity, Quantity: fitting(b.Quantity, item.Orderable())})
	}
	if can := f.Basket(); len(can) > 0 {
		f.Quote, f.Err = ordering.Price(can, items, s)
	}
	return f
}
