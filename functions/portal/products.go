package main

import (
	"context"
	"slices"
	"strings"

	"yundian/shared/catalogue"
	"yundian/shared/commission"
	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/seal"
	"yundian/shared/web"
	"yundian/shared/web/api"
)

// Offer is a product as a KOC chooses it: what it costs and what sharing it earns.
type Offer struct {
	ID         string       `json:"id"`
	Title      string       `json:"title"`
	Image      string       `json:"image" doc:"Address of its first picture, or empty"`
	Status     string       `json:"status" enum:"active,draft,archived" doc:"Only active products can be shared"`
	Price      money.Amount `json:"price" doc:"Of the cheapest variant"`
	From       bool         `json:"from" doc:"Whether other variants cost more"`
	Commission money.Amount `json:"commission" doc:"For one piece at that price"`
	Earning
}

// OfferPage is a page of products by id.
type OfferPage struct {
	Items []Offer `json:"items"`
	Next  string  `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one"`
}

// searchPages bounds how many hundreds of products one request looks through; the cursor goes on from there.
const searchPages = 5

// maxNamed bounds the products that one address names: 48 ids of 120 bytes are a good half of what the gateway takes of
// request line and headers.
const maxNamed = 48

type productsInput struct {
	api.Paging
	Words string `query:"q" maxLength:"100" doc:"Only products whose title or id contains this"`
	IDs   string `query:"ids" maxLength:"6000" doc:"These products, separated by commas, whatever their status; at most 48"`
}

func (p *portal) listProducts(ctx context.Context, in *productsInput) (*api.Reply[OfferPage], error) {
	earns, err := p.tariff(ctx)
	if err != nil {
		return nil, err
	}
	if in.IDs != "" {
		return p.namedProducts(ctx, in.IDs, earns)
	}
	words := strings.ToLower(strings.TrimSpace(in.Words))
	bound := seal.Binding{Owner: visitOf(ctx).koc.Handle, Query: "products?q=" + words}
	after, err := p.keys.OpenCursor(bound, in.Cursor)
	if err != nil {
		return nil, err
	}
	page := OfferPage{Items: []Offer{}}
	for range searchPages {
		products, next, err := p.store.ListProducts(ctx, after, web.MaxLimit)
		if err != nil {
			return nil, err
		}
		for i, product := range products {
			after = product.ID
			if !matches(product, words) {
				continue
			}
			offer, err := offerOf(product, earns)
			if err != nil {
				return nil, err
			}
			page.Items = append(page.Items, offer)
			if len(page.Items) == in.Limit.Size() {
				if i < len(products)-1 || next != "" {
					page.Next = p.keys.Cursor(bound, after)
				}
				return &api.Reply[OfferPage]{Body: page}, nil
			}
		}
		if next == "" {
			return &api.Reply[OfferPage]{Body: page}, nil
		}
		after = next
	}
	page.Next = p.keys.Cursor(bound, after)
	return &api.Reply[OfferPage]{Body: page}, nil
}

func matches(p catalogue.Product, words string) bool {
	return p.Status == catalogue.Active && (words == "" || strings.Contains(strings.ToLower(p.Title), words) || strings.Contains(p.ID, words))
}

// namedProducts are the products of a shelf, in the order asked for; those that do not exist are left out.
func (p *portal) namedProducts(ctx context.Context, list string, earns tariff) (*api.Reply[OfferPage], error) {
	ids := strings.Split(list, ",")
	if len(ids) > maxNamed {
		return nil, fail.NewFields([]fail.Field{fail.At("query.ids", "too_many", "At most {limit} entries.", fail.Args{"limit": maxNamed})})
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return !catalogue.ValidID(id) })
	found, err := p.store.Products(ctx, ids)
	if err != nil {
		return nil, err
	}
	page := OfferPage{Items: []Offer{}}
	for _, id := range ids {
		product, ok := found[id]
		if !ok {
			continue
		}
		offer, err := offerOf(product, earns)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, offer)
	}
	return &api.Reply[OfferPage]{Body: page}, nil
}

func offerOf(p catalogue.Product, earns tariff) (Offer, error) {
	price, differ := p.From()
	one, err := commission.OfLine(price, 1, earns.Now(earns.sale(p.ID, p.Tags)))
	if err != nil {
		return Offer{}, err
	}
	return Offer{ID: p.ID, Title: p.Title, Image: p.Cover().Src, Status: string(p.Status), Price: price, From: differ,
		Commission: one, Earning: earns.earning(p.ID, p.Tags)}, nil
}
