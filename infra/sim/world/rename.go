package world

import (
	"fmt"
	"slices"
	"strings"

	"yundian/shared/catalogue"
	"yundian/shared/money"
	"yundian/shared/store"
)

// name is one of the SKUs that one product's variants pass on to each other, and now and then one of another product.
func (w *World) name(product string) string {
	if w.pick(12) == 11 {
		product = w.shop.products[w.pick(len(w.shop.products))]
	}
	sku := fmt.Sprintf("%s-%d", product, 1+w.pick(4))
	if w.pick(4) == 3 {
		sku = strings.ToUpper(sku)
	}
	return sku
}

var policies = [...]catalogue.StockPolicy{catalogue.Tracked, catalogue.Tracked, catalogue.Continue, catalogue.Untracked}

// maxVariants bounds the variants of one product, so that they meet each other's SKUs often.
const maxVariants = 4

// renames saves a product whose variants have other SKUs: new ones, ones of before, each other's, or the same in another
// letter case; or it takes a variant off, puts one on, or changes when it can be ordered.
func (w *World) renames() {
	id := w.shop.products[w.pick(len(w.shop.products))]
	name := "admin: rename in " + id
	err, wrote := w.runBeside(name, func() error {
		before, err := w.db().Product(w.ctx, id)
		if err != nil {
			return err
		}
		after := before
		after.Variants = slices.Clone(before.Variants)
		at := w.pick(len(after.Variants))
		other := w.pick(len(after.Variants))
		received := map[string]int64{}
		switch w.pick(7) {
		case 0, 1:
			after.Variants[at].SKU = w.name(id)
		case 2:
			after.Variants[at].SKU = strings.ToLower(after.Variants[at].SKU)
		case 3:
			after.Variants[at].SKU, after.Variants[other].SKU = after.Variants[other].SKU, after.Variants[at].SKU
		case 4:
			after.Variants = slices.Delete(after.Variants, at, at+1)
		case 5:
			after.Variants[at].StockPolicy = policies[w.pick(len(policies))]
		case 6:
			v := catalogue.Variant{SKU: w.name(id), Price: money.Of(prices[w.pick(len(prices))], w.shop.currency)}
			if n := len(before.Removed); n > 0 && w.pick(2) == 1 {
				v.ID = before.Removed[w.pick(n)].ID
			}
			received[v.SKU] = int64(w.between(0, 5))
			after.Variants = append(after.Variants, v)
		}
		if after.Validate(w.shop.currency) != nil || len(after.Variants) > maxVariants {
			return nil
		}
		return w.db().SaveProduct(w.ctx, before, after, received)
	}, w.placeNew) // what is sold meanwhile
	if refused(err) && wrote > 0 {
		w.violate(12, "%s was refused (%v), but %d writes of it stay", name, err, wrote)
	}
	w.readSKUs()
}

// readSKUs finds out what there is to order, sold or not.
func (w *World) readSKUs() {
	w.shop.skus = w.shop.skus[:0]
	for k, it := range w.maps.Items(store.Shop) {
		if strings.HasPrefix(k.PK, "SKU#") {
			w.shop.skus = append(w.shop.skus, text(it["sku"]))
		}
	}
	slices.Sort(w.shop.skus)
}
