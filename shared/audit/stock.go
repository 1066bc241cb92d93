package audit

import (
	"cmp"
	"context"
	"fmt"

	"yundian/shared/catalogue"
	"yundian/shared/store"
)

// stock holds the counts of every variant against each other, also of those that were taken off, and what checkout reads of a
// SKU against its product. An item is read whole, so its counts belong together.
func (a *Auditor) stock(ctx context.Context, at Place, r *Report) (Place, error) {
	products, next, err := a.Store.ListProducts(ctx, at.After, sliceProducts)
	if err != nil {
		return at, err
	}
	ids := make([]string, len(products))
	for i, p := range products {
		ids[i] = p.ID
		r.Checked += len(p.Variants) + len(p.Removed)
	}
	if err := a.filed(ctx, store.FiledProduct, ids, r); err != nil {
		return at, err
	}
	for look := 1; len(ids) > 0; look++ {
		var found []Difference
		if found, ids, err = a.shelved(ctx, ids); err != nil {
			return at, err
		}
		if look == looks {
			r.differ(found...)
			break
		}
		if len(ids) > 0 { // the SKUs of a product with many are written ahead of it
			if err := a.Wait(ctx, look); err != nil {
				return at, err
			}
		}
	}
	return at.then(next), nil
}

// shelved compares the SKUs of products, and names the products that differ.
func (a *Auditor) shelved(ctx context.Context, ids []string) (found []Difference, differ []string, err error) {
	products, err := a.Store.Products(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range ids {
		p := products[id]
		have, err := a.Store.Kept(ctx, p)
		if err != nil {
			return nil, nil, err
		}
		before := len(found)
		for _, s := range p.Sellables() {
			found = append(found, skuDiffers(s, have)...)
			if x, y := skuText(s), skuText(have[s.VariantID]); x != y && have[s.VariantID].SKU != "" {
				found = append(found, Difference{Stock, s.SKU, x, y})
			}
		}
		for _, v := range p.Removed { // orders may still hold pieces of it
			found = append(found, skuDiffers(catalogue.Sellable{SKU: cmp.Or(v.SKU, v.ID), VariantID: v.ID}, have)...)
		}
		if len(found) > before {
			differ = append(differ, id)
		}
	}
	return found, differ, nil
}

// skuDiffers looks at the stock of a variant.
func skuDiffers(want catalogue.Sellable, found map[string]catalogue.Sellable) []Difference {
	have, ok := found[want.VariantID]
	if !ok {
		return []Difference{{Stock, want.SKU, "a stock record of variant " + want.VariantID, "none"}}
	}
	if c := have.Stock; !c.Balanced() {
		return []Difference{{Stock, want.SKU, "available + reserved + sold = received − written off + owed",
			fmt.Sprintf("%d + %d + %d, %d − %d + %d", c.Available, c.Reserved, c.Sold, c.Received, c.WrittenOff, c.Owed)}}
	}
	return nil
}

// skuText is what a SKU says of its product.
func skuText(s catalogue.Sellable) string {
	return fmt.Sprintf("variant %s of %s: %s, %s, %s, %s, tags %q, picture %q, SKU %s, stock policy %q", s.VariantID, s.Product, s.Title, s.Variant, s.Price,
		s.Status, s.Tags, s.Image, s.SKU, s.StockPolicy)
}
