package store

import (
	"context"
	"slices"

	"yundian/shared/catalogue"
	"yundian/shared/commission"
	"yundian/shared/fail"
	"yundian/shared/money"
)

type productItem struct {
	V       int64                       `dynamodbav:"v"`
	ListPk  string                      `dynamodbav:"listPk"`
	ListSk  string                      `dynamodbav:"listSk"`
	Offer   document[commission.Offer]  `dynamodbav:"offer"` // for Market
	Product document[catalogue.Product] `dynamodbav:"product"`
}

// skuItem is one variant under its SKU: what checkout needs to know of its product, and its stock. It moves with the SKU.
type skuItem struct {
	SKU        string             `dynamodbav:"sku"`
	Variant    string             `dynamodbav:"variant"` // its id
	Product    string             `dynamodbav:"product"`
	About      document[skuAbout] `dynamodbav:"about"`
	Available  int64              `dynamodbav:"available"` // below zero: so many are owed
	Reserved   int64              `dynamodbav:"reserved"`
	Sold       int64              `dynamodbav:"sold"`
	Received   int64              `dynamodbav:"received"`
	WrittenOff int64              `dynamodbav:"writtenOff"`
}

// skuAbout is what an edit of the product replaces.
type skuAbout struct {
	Title   string
	Variant string
	Price   money.Amount
	Image   string
	Tags    []string
	Status  catalogue.Status

	StockPolicy catalogue.StockPolicy `json:",omitzero"`
}

const productList = "PRODUCT"

// Product is a product by id, or NotFound.
func (s *Store) Product(ctx context.Context, id string) (catalogue.Product, error) {
	found, err := s.Products(ctx, []string{id})
	if err != nil {
		return catalogue.Product{}, err
	}
	p, ok := found[id]
	if !ok {
		return catalogue.Product{}, productUnknown(id)
	}
	return p, nil
}

func productUnknown(id string) error {
	return fail.New(fail.NotFound, "product_unknown", "There is no product {product} here.", fail.Args{"product": id})
}

// Products are the products with these ids that exist, in one round per hundred.
func (s *Store) Products(ctx context.Context, ids []string) (map[string]catalogue.Product, error) {
	reads := make([]read, len(ids))
	for i, id := range ids {
		reads[i] = read{Shop, productKey(id)}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	out := make(map[string]catalogue.Product, len(found))
	for _, it := range found {
		p, err := productFrom(it)
		if err != nil {
			return nil, err
		}
		out[p.ID] = p
	}
	return out, nil
}

func productFrom(it Item) (catalogue.Product, error) {
	var x productItem
	if err := decode(it, &x); err != nil {
		return catalogue.Product{}, err
	}
	p := x.Product.Value
	p.Version = x.V
	return p, nil
}

// ListProducts is a page of products by id; after is the last id of the page before, empty for the first. next is
// empty at the end.
func (s *Store) ListProducts(ctx context.Context, after string, limit int) (products []catalogue.Product, next string, err error) {
	ids, next, err := s.listIDs(ctx, listing{table: Shop, partition: productList, key: productKey}, after, limit)
	if err != nil {
		return nil, "", err
	}
	found, err := s.Products(ctx, ids)
	if err != nil {
		return nil, "", err
	}
	for _, id := range ids {
		if p, ok := found[id]; ok {
			products = append(products, p)
		}
	}
	return products, next, nil
}

// listing is one list of an index "list". Its sort keys name items: key says which.
type listing struct {
	table      Table
	partition  string
	key        func(sk string) Key
	descending bool
}

// list reads a page of a listing; after is the last sort key of the page before, and next is empty at the end. Items
// have only keys and what the index keeps of them.
func (s *Store) list(ctx context.Context, l listing, after string, limit int) (items []Item, next string, err error) {
	q := query{table: l.table, index: "list", pk: l.partition, limit: limit, descending: l.descending}
	if after != "" {
		k := l.key(after).item()
		k["listPk"], k["listSk"] = text(l.partition), text(after)
		q.after = k
	}
	items, last, err := s.page(ctx, q)
	if err != nil {
		return nil, "", err
	}
	if last != nil && len(items) > 0 {
		next = str(items[len(items)-1]["listSk"])
	}
	return items, next, nil
}

// listIDs is list for a listing whose sort keys are ids.
func (s *Store) listIDs(ctx context.Context, l listing, after string, limit int) (ids []string, next string, err error) {
	items, next, err := s.list(ctx, l, after, limit)
	if err != nil {
		return nil, "", err
	}
	for _, it := range items {
		ids = append(ids, str(it["listSk"]))
	}
	return ids, next, nil
}

// Sellables are the SKUs that exist, with their stock as of now, by the spelling that was asked for.
func (s *Store) Sellables(ctx context.Context, skus []string) (map[string]catalogue.Sellable, error) {
	reads := make([]read, len(skus))
	for i, sku := range skus {
		reads[i] = read{Shop, skuKey(sku)}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	out := make(map[string]catalogue.Sellable, len(found))
	for i, sku := range skus {
		it, ok := found[reads[i]]
		if !ok {
			continue
		}
		if out[sku], err = sellableFrom(it); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Kept are a product's variants by id, with their stock as of now, also those that were taken off and are remembered,
// wherever they are kept. What is not where the product says is missing.
func (s *Store) Kept(ctx context.Context, p catalogue.Product) (map[string]catalogue.Sellable, error) {
	at := map[string]read{}
	var reads []read
	for _, v := range slices.Concat(p.Variants, p.Removed) {
		at[v.ID] = read{Shop, placeOf(v)}
		reads = append(reads, at[v.ID])
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	out := make(map[string]catalogue.Sellable, len(found))
	for id, r := range at {
		it, ok := found[r]
		if !ok || str(it["variant"]) != id {
			continue
		}
		if out[id], err = sellableFrom(it); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func sellableFrom(it Item) (catalogue.Sellable, error) {
	var x skuItem
	if err := decode(it, &x); err != nil {
		return catalogue.Sellable{}, err
	}
	a := x.About.Value
	return catalogue.Sellable{SKU: x.SKU, VariantID: x.Variant, Product: x.Product, Title: a.Title, Variant: a.Variant, Price: a.Price, Image: a.Image,
		Tags: a.Tags, Status: a.Status, StockPolicy: a.StockPolicy,
		Stock: catalogue.Stock{Reserved: x.Reserved, Sold: x.Sold, Received: x.Received, WrittenOff: x.WrittenOff}.WithBalance(x.Available)}, nil
}

func newSKUItem(it catalogue.Sellable, received int64) skuItem {
	return skuItem{SKU: it.SKU, Variant: it.VariantID, Product: it.Product, Available: received, Received: received, About: aboutOf(it)}
}

func aboutOf(it catalogue.Sellable) document[skuAbout] {
	return doc(skuAbout{Title: it.Title, Variant: it.Variant, Price: it.Price, Image: it.Image, Tags: it.Tags, Status: it.Status, StockPolicy: it.StockPolicy})
}

// skuWrite brings a variant that keeps its SKU up to date and leaves its stock alone.
func skuWrite(it catalogue.Sellable) Write {
	all, err := encode(newSKUItem(it, 0))
	for _, count := range stockCounts {
		delete(all, count)
	}
	return Write{Table: Shop, Key: skuKey(it.SKU), Guards: []Guard{isVariant(it.VariantID)}, Set: all, err: err}
}

// isVariant guards what is about one variant: its SKU may have become another one's.
func isVariant(id string) Guard { return Guard{Attr: "variant", Is: Equals, Value: text(id)} }

func productWrite(p catalogue.Product) Write {
	seen := p.Version
	p.Version++
	return Write{Table: Shop, Key: productKey(p.ID), Guards: replaces(seen)}.
		put(productItem{V: p.Version, ListPk: productList, ListSk: p.ID, Offer: doc(commission.OfferOf(p)), Product: doc(p)})
}
