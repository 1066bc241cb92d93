package audit

import (
	"context"
	"fmt"
)

// stock holds the counts of every SKU against each other. An item is read whole, so its counts belong together.
func (a *Auditor) stock(ctx context.Context, at Place, r *Report) (Place, error) {
	products, next, err := a.Store.ListProducts(ctx, at.After, sliceProducts)
	if err != nil {
		return at, err
	}
	var skus []string
	ids := map[string]string{}
	for _, p := range products {
		for _, x := range p.Variants {
			skus = append(skus, x.SKU)
			ids[x.SKU] = x.ID
		}
	}
	found, err := a.Store.Sellables(ctx, skus)
	if err != nil {
		return at, err
	}
	for _, sku := range skus {
		r.Checked++
		s, ok := found[sku]
		switch {
		case !ok:
			r.differ(Difference{Stock, sku, "a stock record", "none"})
		case s.VariantID != ids[sku]:
			r.differ(Difference{Stock, sku, "variant " + ids[sku], "variant " + s.VariantID})
		case !s.Stock.Balanced():
			c := s.Stock
			r.differ(Difference{Stock, sku, "available + reserved + sold = received − written off",
				fmt.Sprintf("%d + %d + %d, %d − %d", c.Available, c.Reserved, c.Sold, c.Received, c.WrittenOff)})
		}
	}
	return at.then(next), nil
}
