package main

import (
	"context"
	"net/http"

	"yundian/shared/catalogue"
	"yundian/shared/koc"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/web"
)

// Limits of the brand's page.
const (
	homeKOCs   = 12 // storefronts introduced
	homeLooked = 48 // KOCs looked at to find them, in one page of the list
	homeGoods  = 12 // products shown
)

// home answers GET / with the brand, what it sells and the people who share it, and stands where nobody shares now. It is
// nobody's page, so it makes no token; those that a shopper brings along are carried on.
func (s *storefront) home(w http.ResponseWriter, r *http.Request) {
	front, err := s.front(r.Context())
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	v := s.begin(r, visit{landing: store.Landing{Settings: front.settings}, path: "/"})
	cacheable(w)
	if web.WantsJSON(r) {
		var products []shelfProduct
		for _, p := range front.goods {
			products = append(products, shelfProduct{Product: p})
		}
		web.WriteJSON(w, r, http.StatusOK, v.shelfDocument(products, shelfAt{}))
		return
	}
	show(w, r, http.StatusOK, v.l.Language(), homePage(front.view(v)))
}

// front is what the brand's page is made from.
type front struct {
	settings shop.Settings
	goods    []catalogue.Product
	kocs     []koc.Profile
}

// front reads the list of KOCs, and settings with products, side by side: two rounds each.
func (s *storefront) front(ctx context.Context) (front, error) {
	type listing struct {
		kocs []koc.Profile
		err  error
	}
	listed := make(chan listing, 1)
	go func() {
		kocs, _, err := s.store.ListKOCs(ctx, "", homeLooked)
		listed <- listing{kocs, err}
	}()
	var f front
	var err error
	if f.settings, err = s.store.Settings(ctx); err != nil {
		return f, err
	}
	if f.goods, err = s.goods(ctx, f.settings.DefaultShelf); err != nil {
		return f, err
	}
	l := <-listed
	for _, p := range l.kocs {
		if p.Status() == koc.Approved && len(f.kocs) < homeKOCs {
			f.kocs = append(f.kocs, p)
		}
	}
	return f, l.err
}

// goods are the products of the brand's shelf; while it has none, the first ones of the catalogue.
func (s *storefront) goods(ctx context.Context, shelf []string) (goods []catalogue.Product, err error) {
	if len(shelf) == 0 {
		listed, _, err := s.store.ListProducts(ctx, "", 2*homeGoods)
		if err != nil {
			return nil, err
		}
		for _, p := range listed {
			if sold(p) && len(goods) < homeGoods {
				goods = append(goods, p)
			}
		}
		return goods, nil
	}
	shelf = shelf[:min(len(shelf), 2*homeGoods)]
	found, err := s.store.Products(ctx, shelf)
	if err != nil {
		return nil, err
	}
	for _, id := range shelf {
		if p, ok := found[id]; ok && sold(p) && len(goods) < homeGoods {
			goods = append(goods, p)
		}
	}
	return goods, nil
}

// homeView is what the brand's page is rendered from.
type homeView struct {
	Layout  web.LayoutData
	Brand   string
	Tagline string
	Hero    string
	People  []person
	Goods   []card
}

// person is a KOC as the brand introduces them.
type person struct {
	URL, Name, Initial, Portrait, Words string
}

func (f front) view(p visited) homeView {
	v := homeView{Layout: p.layout(""), Brand: p.name(), Tagline: line(f.settings.Tagline, 200)}
	if catalogue.ValidImage(f.settings.Hero) {
		v.Hero = f.settings.Hero
	}
	for _, k := range f.kocs {
		x := person{URL: p.trail.to(shelfPath(k.Handle)), Name: line(k.Name, 60), Initial: initial(k.Name), Words: line(k.Story, 60)}
		if catalogue.ValidImage(k.Portrait) {
			x.Portrait = k.Portrait
		}
		v.People = append(v.People, x)
	}
	for _, product := range f.goods {
		v.Goods = append(v.Goods, p.card(shelfProduct{Product: product}))
	}
	d := &v.Layout
	d.Class = "home"
	d.Description = v.Tagline
	d.Here = p.trail.to("/")
	d.Canonical = p.base + "/"
	d.OG = web.OpenGraph{Title: v.Brand, Description: v.Tagline, Image: p.absolute(v.Hero), URL: d.Canonical}
	return v
}
