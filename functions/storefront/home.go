package main

import (
	"context"
	"net/http"

	"yundian/shared/catalogue"
	"yundian/shared/koc"
	"yundian/shared/locale"
	"yundian/shared/shop"
	"yundian/shared/web"
)

// Limits of the brand's page.
const (
	homeKOCs   = 12 // storefronts introduced
	homeLooked = 48 // KOCs looked at to find them, in one page of the list
	homeGoods  = 6  // products shown
)

// home answers GET / with the brand and the people who share it. It is nobody's page, so it makes no token; those that a
// shopper brings along are carried on.
func (s *storefront) home(w http.ResponseWriter, r *http.Request) {
	front, err := s.front(r.Context())
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	language := web.ShopLanguage(r, front.settings)
	v := front.view(locale.For(language), readTrail(r.URL.Query(), s.keys, s.now()), web.BaseURL(r, s.publicURL))
	cacheable(w)
	show(w, r, http.StatusOK, language, homePage(v))
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
	shelf := f.settings.DefaultShelf
	if len(shelf) > 0 {
		found, err := s.store.Products(ctx, shelf[:min(len(shelf), 2*homeGoods)])
		if err != nil {
			return f, err
		}
		for _, id := range shelf {
			if p, ok := found[id]; ok && sold(p) && len(f.goods) < homeGoods {
				f.goods = append(f.goods, p)
			}
		}
	}
	l := <-listed
	for _, p := range l.kocs {
		if p.Status() == koc.Approved && len(f.kocs) < homeKOCs {
			f.kocs = append(f.kocs, p)
		}
	}
	return f, l.err
}

// homeView is what the brand's page is rendered from.
type homeView struct {
	Layout  web.LayoutData
	Brand   string
	Tagline string
	Hero    string
	People  []person
	Goods   []catalogue.Image
}

// person is a KOC as the brand introduces them.
type person struct {
	URL, Name, Initial, Portrait, Words string
}

func (f front) view(l *locale.Locale, t trail, base string) homeView {
	v := homeView{Layout: web.ShopLayout(f.settings, l.Language()), Brand: line(f.settings.Brand, 60), Tagline: line(f.settings.Tagline, 200)}
	if catalogue.ValidImage(f.settings.Hero) {
		v.Hero = f.settings.Hero
	}
	for _, p := range f.kocs {
		x := person{URL: t.to(shelfPath(p.Handle)), Name: line(p.Name, 60), Initial: initial(p.Name), Words: line(p.Story, 60)}
		if catalogue.ValidImage(p.Portrait) {
			x.Portrait = p.Portrait
		}
		v.People = append(v.People, x)
	}
	for _, p := range f.goods {
		if cover := p.Cover(); cover.Src != "" {
			v.Goods = append(v.Goods, catalogue.Image{Src: cover.Src, Alt: plain(p.Title)})
		}
	}
	d := &v.Layout
	d.Class = "home"
	d.Description = v.Tagline
	d.Here = t.to("/")
	d.Home = d.Here
	d.Canonical = base + "/"
	image := v.Hero
	if image != "" && image[0] == '/' {
		image = base + image
	}
	d.OG = web.OpenGraph{Title: v.Brand, Description: v.Tagline, Image: image, URL: d.Canonical}
	return v
}
