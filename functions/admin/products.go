package main

import (
	"cmp"
	"context"
	"slices"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/commission"
	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/once"
	"yundian/shared/seal"
	"yundian/shared/web/api"
)

// Product is a product as operators see one.
type Product struct {
	ID        string            `json:"id"`
	Title     string            `json:"title"`
	Status    string            `json:"status" enum:"active,draft,archived" doc:"Shoppers see active products"`
	Variants  []Variant         `json:"variants"`
	Images    []catalogue.Image `json:"images"`
	Tags      []string          `json:"tags"`
	Options   []string          `json:"options" doc:"What variants differ in"`
	Vendor    string            `json:"vendor,omitempty"`
	Type      string            `json:"type,omitempty"`
	Body      string            `json:"body,omitempty" doc:"Cleaned HTML; not in lists"`
	Scene     string            `json:"scene,omitempty" doc:"How it is used in life, plain text; not in lists"`
	Rate      *int64            `json:"rate,omitempty" doc:"Its own commission in hundredths of a percent; absent when it has none"`
	NextRate  *int64            `json:"nextRate,omitempty" doc:"The one that was announced; absent when it will have none"`
	NextFrom  *time.Time        `json:"nextRateFrom,omitempty" doc:"From when that counts: a lower rate has to be announced as long before as a shared link is worth something"`
	UpdatedAt time.Time         `json:"updatedAt"`
}

// Variant is one SKU of a product.
type Variant struct {
	ID        string        `json:"id" doc:"Stays when SKU, title or options change"`
	SKU       string        `json:"sku"`
	Title     string        `json:"title"`
	Options   []string      `json:"options"`
	Price     money.Amount  `json:"price"`
	CompareAt *money.Amount `json:"compareAt,omitempty" doc:"The earlier, higher price"`
	Image     string        `json:"image,omitempty"`
	Grams     int64         `json:"grams"`
	Stock     int64         `json:"stock" doc:"Pieces that are there and can be ordered"`
	Policy    string        `json:"stockPolicy" enum:"tracked,continue,untracked" doc:"tracked: sold while pieces are there; continue: also before, which the page says; untracked: always for sale"`
	Counts    StockCounts   `json:"counts"`
}

// ProductPage is a page of products by id.
type ProductPage struct {
	Items []Product `json:"items"`
	Next  string    `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one"`
}

// viewProducts reads the stock of products, and which of them have a rate of their own.
func (a *admin) viewProducts(ctx context.Context, products []catalogue.Product) ([]Product, error) {
	var skus []string
	for _, p := range products {
		for _, v := range p.Variants {
			skus = append(skus, v.SKU)
		}
	}
	sellables, err := a.store.Sellables(ctx, skus)
	if err != nil {
		return nil, err
	}
	plan, err := a.store.Plan(ctx, a.now())
	if err != nil {
		return nil, err
	}
	out := make([]Product, len(products))
	for i, p := range products {
		out[i] = viewProduct(p, sellables, plan)
	}
	return out, nil
}

func viewProduct(p catalogue.Product, sellables map[string]catalogue.Sellable, plan commission.Plan) Product {
	v := Product{ID: p.ID, Title: p.Title, Status: string(p.Status), Images: p.Images, Tags: p.Tags, Options: p.Options, Vendor: p.Vendor,
		Type: p.Type, Body: p.Body, Scene: p.Scene, UpdatedAt: p.UpdatedAt.UTC()}
	v.Rate = ownRate(plan.InForce(), p.ID)
	for _, b := range plan.Coming() {
		if next := ownRate(b, p.ID); !sameRate(next, v.Rate) {
			from := b.From.UTC()
			v.NextRate, v.NextFrom = next, &from
			break
		}
	}
	for _, x := range p.Variants {
		stock := sellables[x.SKU].Stock
		variant := Variant{ID: x.ID, SKU: x.SKU, Title: x.Title, Options: x.Options, Price: x.Price, Image: x.Image, Grams: x.Grams,
			Stock: stock.Available, Policy: policyName(x.StockPolicy), Counts: countsOf(stock)}
		if !x.CompareAt.IsZero() {
			variant.CompareAt = &x.CompareAt
		}
		v.Variants = append(v.Variants, variant)
	}
	return v
}

// policyName is what the API calls a stock policy.
func policyName(p catalogue.StockPolicy) string { return cmp.Or(string(p), "tracked") }

// policyNamed is the stock policy that the API calls so; none is tracked.
func policyNamed(name string) catalogue.StockPolicy {
	if name == "tracked" {
		return catalogue.Tracked
	}
	return catalogue.StockPolicy(name)
}

// ownRate is a product's own rate in a book; nil when it has none.
func ownRate(b commission.Book, product string) *int64 {
	rate, own := b.Products[product]
	if !own {
		return nil
	}
	n := int64(rate)
	return &n
}

func sameRate(a, b *int64) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

type productsInput struct {
	api.Paging
	Status string `query:"status" enum:"active,draft,archived" doc:"Only products with this status"`
}

func (a *admin) listProducts(ctx context.Context, in *productsInput) (*api.Reply[ProductPage], error) {
	bound := seal.Binding{Owner: visitOf(ctx).subject, Query: "products?status=" + in.Status}
	after, err := a.keys.OpenCursor(bound, in.Cursor)
	if err != nil {
		return nil, err
	}
	var found []catalogue.Product
	for range filterPages {
		products, next, err := a.store.ListProducts(ctx, after, in.Limit.Size()-len(found))
		if err != nil {
			return nil, err
		}
		for _, p := range products {
			if in.Status == "" || in.Status == string(p.Status) {
				p.Body, p.Scene = "", "" // a hundred of them do not fit one answer
				found = append(found, p)
			}
		}
		if after = next; next == "" || len(found) == in.Limit.Size() {
			break
		}
	}
	if n := fitting(found); n < len(found) {
		found, after = found[:n], found[n-1].ID
	}
	items, err := a.viewProducts(ctx, found)
	if err != nil {
		return nil, err
	}
	return &api.Reply[ProductPage]{Body: ProductPage{Items: items, Next: a.keys.Cursor(bound, after)}}, nil
}

// maxListed bounds the variants on one page of products: some 400 bytes each, of the 6 MB that an answer can have, and each is
// read.
const maxListed = 5000

// fitting is how many of the products fit one page, at least one.
func fitting(products []catalogue.Product) int {
	variants := 0
	for i, p := range products {
		if variants += len(p.Variants); variants > maxListed && i > 0 {
			return i
		}
	}
	return len(products)
}

type productInput struct {
	ID string `path:"id"`
}

func (a *admin) getProduct(ctx context.Context, in *productInput) (*api.Reply[Product], error) {
	return a.answerProduct(ctx, in.ID)
}

func (a *admin) answerProduct(ctx context.Context, id string) (*api.Reply[Product], error) {
	p, err := a.product(ctx, id)
	if err != nil {
		return nil, err
	}
	views, err := a.viewProducts(ctx, []catalogue.Product{p})
	if err != nil {
		return nil, err
	}
	return &api.Reply[Product]{Body: views[0]}, nil
}

// product answers an id that cannot be one like an id that nothing has.
func (a *admin) product(ctx context.Context, id string) (catalogue.Product, error) {
	if !catalogue.ValidID(id) {
		return catalogue.Product{}, fail.New(fail.NotFound, "product_unknown", "There is no product {product} here.", fail.Args{"product": clip(id)})
	}
	return a.store.Product(ctx, id)
}

type createInput struct {
	api.Keyed
	Body ProductDraft
}

func (a *admin) createProduct(ctx context.Context, in *createInput) (*api.Reply[Product], error) {
	p, received := in.Body.product(a.now())
	settings, err := a.store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.Validate(settings.Currency); err != nil {
		return nil, err
	}
	_, err = once.Do(ctx, a.store, wish(ctx, in.Key, in.Body), a.now(), func(record once.Record[done]) (done, error) {
		reply, err := record(done{})
		if err != nil {
			return done{}, err
		}
		err = a.save(ctx, edit{after: p, received: received, rate: RateChange{Set: in.Body.Rate != nil, Rate: in.Body.Rate}}, reply)
		if fail.Is(err, "changed_meanwhile") {
			err = fail.New(fail.Conflict, "product_exists", "There is a product {product} already. Change it, or choose another id.", fail.Args{"product": p.ID})
		}
		if err != nil || p.Status != catalogue.Active {
			return done{}, err
		}
		return done{}, a.fillShelf(ctx, []string{p.ID})
	})
	if err != nil {
		return nil, err
	}
	return a.answerProduct(ctx, p.ID)
}

type changeInput struct {
	api.Keyed
	ID   string `path:"id"`
	Body ProductChange
}

// editTries bounds how often an edit is done again because somebody else was faster.
const editTries = 5

func (a *admin) changeProduct(ctx context.Context, in *changeInput) (*api.Reply[Product], error) {
	_, err := once.Do(ctx, a.store, wish(ctx, in.Key, in.Body), a.now(), func(record once.Record[done]) (done, error) {
		reply, err := record(done{})
		if err != nil {
			return done{}, err
		}
		for try := 1; ; try++ {
			e, err := a.edited(ctx, in)
			if err != nil {
				return done{}, err
			}
			if err = a.save(ctx, e, reply); !fail.Is(err, "changed_meanwhile") || try == editTries {
				return done{}, err
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return a.answerProduct(ctx, in.ID)
}

// edited is the product as it is and as it will be.
func (a *admin) edited(ctx context.Context, in *changeInput) (edit, error) {
	before, err := a.product(ctx, in.ID)
	if err != nil {
		return edit{}, err
	}
	settings, err := a.store.Settings(ctx)
	if err != nil {
		return edit{}, err
	}
	change, err := a.withoutSameStock(ctx, in.Body, before)
	if err != nil {
		return edit{}, err
	}
	e, err := change.apply(before, a.now())
	if err != nil {
		return edit{}, err
	}
	return e, e.after.Validate(settings.Currency)
}

// withoutSameStock leaves out stock that is said as it is, so that a product can be sent back as it was read.
func (a *admin) withoutSameStock(ctx context.Context, c ProductChange, before catalogue.Product) (ProductChange, error) {
	var skus []string
	for _, v := range c.Variants {
		if old, existed := v.names(before); existed && v.Stock != nil {
			skus = append(skus, old.SKU)
		}
	}
	found, err := a.store.Sellables(ctx, skus)
	if err != nil || len(skus) == 0 {
		return c, err
	}
	c.Variants = slices.Clone(c.Variants)
	for i, v := range c.Variants {
		old, _ := v.names(before)
		if s, existed := found[old.SKU]; existed && v.Stock != nil && *v.Stock == s.Stock.Available {
			c.Variants[i].Stock = nil
		}
	}
	return c, nil
}
