package main

import (
	"yundian/shared/catalogue"
	"yundian/shared/money"
)

// landingDocument is a page as JSON. The brand's own pages, which also stand where nobody shares now, have no KOC, link and
// token.
type landingDocument struct {
	Brand       string            `json:"brand"`
	Advertising bool              `json:"advertising"`
	KOC         *kocDocument      `json:"koc,omitempty" doc:"Absent on the brand's own pages, which also stand where nobody shares now"`
	Link        *linkDocument     `json:"link,omitempty" doc:"Absent with koc"`
	Token       string            `json:"token,omitempty" doc:"Absent with koc"`
	Products    []productDocument `json:"products"`
	Page        int               `json:"page,omitempty" doc:"Of a storefront, counted from 1"`
	Pages       int               `json:"pages,omitempty" doc:"How many pages the storefront has"`
	Next        string            `json:"next,omitempty" doc:"Address of the next page; absent on the last one"`
}

type kocDocument struct {
	Handle   string `json:"handle"`
	Name     string `json:"name"`
	Story    string `json:"story"`
	Portrait string `json:"portrait,omitempty"`
}

type linkDocument struct {
	Code    string `json:"code"`
	URL     string `json:"url"`
	Target  string `json:"target"`
	Channel string `json:"channel"`
}

type productDocument struct {
	ID       string            `json:"id"`
	Title    string            `json:"title"`
	URL      string            `json:"url"`
	Note     string            `json:"note,omitempty"`
	Scene    string            `json:"scene,omitempty"`
	Body     string            `json:"body,omitempty"`
	Price    money.Amount      `json:"price"`
	From     bool              `json:"from"`
	Images   []catalogue.Image `json:"images"`
	Variants []variantDocument `json:"variants"`
}

type variantDocument struct {
	SKU       string        `json:"sku"`
	Title     string        `json:"title"`
	Price     money.Amount  `json:"price"`
	CompareAt *money.Amount `json:"compareAt,omitempty"`
	Available *bool         `json:"available,omitempty"` // on a product's own page
	Owed      bool          `json:"owed,omitempty"`      // ordered now, it ships when it is here
}

func (v visited) document() landingDocument {
	d := landingDocument{Brand: v.Settings.Brand, Products: []productDocument{}}
	if !v.own() {
		d.Advertising, d.Token = v.Settings.AdvertisingLabel, v.token
		d.KOC = &kocDocument{Handle: v.KOC.Handle, Name: v.KOC.Name, Story: v.KOC.Story, Portrait: v.portrait()}
		d.Link = &linkDocument{Code: v.Link.Code, URL: v.base + "/s/" + v.Link.Code, Target: v.Link.Target(), Channel: v.Link.Channel}
	}
	return d
}

func (v visited) shelfDocument(products []shelfProduct, at shelfAt) landingDocument {
	d := v.document()
	d.Page, d.Pages, d.Next = at.page, at.pages, v.canonical(at, at.page+1)
	for _, p := range products {
		item := v.productPart(p.Product)
		item.Note, item.Scene, item.Body = p.note, "", ""
		d.Products = append(d.Products, item)
	}
	return d
}

func (v visited) productDocument(p catalogue.Product, stock map[string]catalogue.Sellable) landingDocument {
	d := v.document()
	item := v.productPart(p)
	for i, variant := range p.Variants {
		can := available(stock, variant) > 0
		item.Variants[i].Available, item.Variants[i].Owed = &can, owed(stock, variant)
	}
	d.Products = append(d.Products, item)
	return d
}

func (v visited) productPart(p catalogue.Product) productDocument {
	lowest, differ := p.From()
	d := productDocument{ID: p.ID, Title: p.Title, URL: v.base + productPath(v.KOC.Handle, p.ID), Note: v.note(p.ID), Scene: p.Scene, Body: p.Body,
		Price: lowest, From: differ, Images: p.Images, Variants: make([]variantDocument, len(p.Variants))}
	if d.Images == nil {
		d.Images = []catalogue.Image{}
	}
	for i, x := range p.Variants {
		d.Variants[i] = variantDocument{SKU: x.SKU, Title: x.Title, Price: x.Price}
		if x.CompareAt.Minor > x.Price.Minor {
			d.Variants[i].CompareAt = &x.CompareAt
		}
	}
	return d
}

// structured is a product as search engines read it (schema.org).
type structured struct {
	Context     string   `json:"@context"`
	Type        string   `json:"@type"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Image       []string `json:"image,omitempty"`
	URL         string   `json:"url"`
	Brand       brand    `json:"brand"`
	Offers      offers   `json:"offers"`
}

type brand struct {
	Type string `json:"@type"`
	Name string `json:"name"`
}

type offers struct {
	Type         string `json:"@type"`
	Currency     string `json:"priceCurrency"`
	Low          string `json:"lowPrice"`
	High         string `json:"highPrice"`
	Count        int    `json:"offerCount"`
	Availability string `json:"availability"`
}

func (v visited) structured(p catalogue.Product, stock map[string]catalogue.Sellable, address string) structured {
	low := p.Variants[0].Price
	high, availability := low, "https://schema.org/OutOfStock"
	const here = "https://schema.org/InStock"
	for _, x := range p.Variants {
		if x.Price.Minor < low.Minor {
			low = x.Price
		}
		if x.Price.Minor > high.Minor {
			high = x.Price
		}
		switch {
		case availability == here || available(stock, x) < 1:
		case owed(stock, x):
			availability = "https://schema.org/BackOrder"
		default:
			availability = here
		}
	}
	s := structured{Context: "https://schema.org", Type: "Product", Name: line(p.Title, 255), Description: line(firstOf(p.Scene, words(p.Body)), 500), URL: address,
		Brand: brand{Type: "Brand", Name: firstOf(line(p.Vendor, 100), v.Settings.Brand)},
		Offers: offers{Type: "AggregateOffer", Currency: string(low.Currency), Low: low.Decimal(), High: high.Decimal(), Count: len(p.Variants),
			Availability: availability}}
	for _, image := range p.Images[:min(len(p.Images), 3)] {
		s.Image = append(s.Image, v.absolute(image.Src))
	}
	return s
}
