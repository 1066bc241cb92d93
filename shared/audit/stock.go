package audit

import (
	"context"
	"fmt"

	"yundian/shared/catalogue"
	"yundian/shared/store"
)

// stock holds the counts of every SKU against each other, and what checkout reads of a SKU against its product. An item is
// read whole, so its counts belong together.
func (a *Auditor) stock(ctx context.Context, at Place, r *Report) (Place, error) {
	products, next, err := a.Store.ListProducts(ctx, at.After, sliceProducts)
	if err != nil {
		return at, err
	}
	ids := make([]string, len(products))
	for i, p := range products {
		ids[i] = p.ID
		r.Checked += len(p.Variants)
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
		want := products[id].Sellables()
		skus := make([]string, len(want))
		for i, s := range want {
			skus[i] = s.SKU
		}
		have, err := a.Store.Sellables(ctx, skus)
		if err != nil {
			return nil, nil, err
		}
		before := len(found)
		for _, s := range want {
			found = append(found, skuDiffers(s, have)...)
		}
		if len(found) > before {
			differ = append(differ, id)
		}
	}
	return found, differ, nil
}

func skuDiffers(want catalogue.Sellable, found map[string]catalogue.Sellable) []Difference {
	have, ok := found[want.SKU]
	if !ok {
		return []Difference{{Stock, want.SKU, "a stock record", "none"}}
	}
	var out []Difference
	if c := have.Stock; !c.Balanced() {
		out = append(out, Difference{Stock, want.SKU, "available + reserved + sold = received − written off",
			fmt.Sprintf("%d + %d + %d, %d − %d", c.Available, c.Reserved, c.Sold, c.Received, c.WrittenOff)})
	}
	if x, y := skuText(want), skuText(have); x != y {
		out = append(out, Difference{Stock, want.SKU, x, y})
	}
	return out
}

// skuText is what a SKU says of its product.
func skuText(s catalogue.Sellable) string {
	return fmt.Sprintf("variant %s of %s: %s, %s, %s, %s, tags %q, picture %q", s.VariantID, s.Product, s.Title, s.Variant, s.Price, s.Status, s.Tags, s.Image)
}
