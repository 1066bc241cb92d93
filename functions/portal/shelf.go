package main

import (
	"context"
	"fmt"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/once"
	"yundian/shared/store"
	"yundian/shared/web/api"
)

// Shelf is a storefront's products in order.
type Shelf struct {
	Items []ShelfItem `json:"items" maxItems:"200"`
}

// ShelfItem is a product on a storefront, with the KOC's own words about it.
type ShelfItem struct {
	Product string `json:"product" maxLength:"200" doc:"Product id"`
	Note    string `json:"note,omitempty" maxLength:"300" doc:"Why the KOC recommends it, plain text"`
}

func viewShelf(items []koc.ShelfItem) Shelf {
	shelf := Shelf{Items: make([]ShelfItem, len(items))}
	for i, it := range items {
		shelf.Items[i] = ShelfItem(it)
	}
	return shelf
}

func (p *portal) shelf(ctx context.Context, _ *struct{}) (*api.Reply[Shelf], error) {
	settings, err := p.store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	return &api.Reply[Shelf]{Body: viewShelf(visitOf(ctx).koc.Display(settings.DefaultShelf))}, nil
}

type setShelfInput struct {
	api.Keyed
	Body Shelf
}

func (p *portal) setShelf(ctx context.Context, in *setShelfInput) (*api.Reply[Shelf], error) {
	items := make([]koc.ShelfItem, len(in.Body.Items))
	for i, it := range in.Body.Items {
		items[i] = koc.ShelfItem(it)
	}
	shelf, err := once.Do(ctx, p.store, wish(ctx, "PUT /v1/shelf", in.Key, in.Body), p.now(), func(record once.Record[Shelf]) (Shelf, error) {
		if err := p.mayShow(ctx, items); err != nil {
			return Shelf{}, err
		}
		var reply []store.Write
		after, err := p.store.UpdateKOC(ctx, visitOf(ctx).koc.Handle,
			func(k *koc.Profile) error {
				err := approved(*k) // suspended since the guard looked
				if err == nil {
					err = k.SetShelf(items)
				}
				if err != nil {
					return err
				}
				reply, err = record(viewShelf(k.Shelf))
				return err
			},
			func(koc.Profile) []store.Write { return reply })
		return viewShelf(after.Shelf), err
	})
	return &api.Reply[Shelf]{Body: shelf}, err
}

// mayShow refuses products that shoppers cannot see, apart from those that stand on the shelf already: the brand may
// have taken one off sale meanwhile, and that must not keep a KOC from moving the others.
func (p *portal) mayShow(ctx context.Context, items []koc.ShelfItem) error {
	settings, err := p.store.Settings(ctx)
	if err != nil {
		return err
	}
	before := map[string]bool{}
	for _, it := range visitOf(ctx).koc.Display(settings.DefaultShelf) {
		before[it.Product] = true
	}
	var ids []string
	for _, it := range items {
		if catalogue.ValidID(it.Product) {
			ids = append(ids, it.Product)
		}
	}
	found, err := p.store.Products(ctx, ids)
	if err != nil {
		return err
	}
	var f []fail.Field
	for i, it := range items {
		if product, ok := found[it.Product]; !ok || product.Status != catalogue.Active && !before[it.Product] {
			f = append(f, fail.At(fmt.Sprintf("body.items[%d].product", i), "product_not_shared", "There is no product {product} to share.", fail.Args{"product": it.Product}))
		}
	}
	return fail.NewFields(f)
}
