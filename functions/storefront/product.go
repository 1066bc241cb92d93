package main

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/orderform"
	"yundian/shared/web"
)

// errNoProduct answers for a product that shoppers cannot see.
var errNoProduct = fail.New(fail.NotFound, "product_away", "There is no such product here.", nil)

// product answers GET /k/{handle}/p/{product} with a product in the KOC's words, and GET /p/{product} with the brand's own
// page of it.
func (s *storefront) product(w http.ResponseWriter, r *http.Request) {
	handle, ok := "", true
	if text := r.PathValue("handle"); text != "" {
		handle, ok = koc.ReadHandle(text)
	}
	ids := productIDs(r.PathValue("product"))
	if !ok || len(ids) == 0 {
		s.refuse(w, r, errNoProduct)
		return
	}
	landing, err := s.store.Land(r.Context(), handle, ids[0])
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.showProduct(w, r, visit{landing: landing, path: productPath(handle, ids[0])}, ids...)
}

// productIDs are the products that a place in an address may mean, the likeliest first: as it stands, then without what a
// chat has written behind it. Ids may have letters of any script, so words behind one are known by trying.
func productIDs(text string) []string {
	text, _, _ = strings.Cut(text, "/")
	var ids []string
	add := func(id string) {
		if id = strings.ToLower(strings.TrimRight(id, "-_")); catalogue.ValidID(id) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	add(text)
	foreign := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsNumber(r) && r != '-' && r != '_'
	}
	if i := strings.IndexFunc(text, foreign); i >= 0 {
		add(text[:i])
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return r > unicode.MaxASCII || foreign(r) }); i >= 0 {
		add(text[:i])
	}
	return ids
}

// showProduct answers with a product's page: the first of these that is sold. Where nobody shares now it is the brand's own.
func (s *storefront) showProduct(w http.ResponseWriter, r *http.Request, asked visit, ids ...string) {
	p, err := s.firstSold(r.Context(), asked.landing.Products, ids)
	switch {
	case err != nil:
		web.WriteProblem(w, r, err)
		return
	case !sold(p):
		s.lost(w, r, asked.landing.Settings, errNoProduct)
		return
	}
	if asked.away() {
		asked.path = productPath("", p.ID)
	} else if !asked.shared {
		asked.path = productPath(asked.landing.KOC.Handle, p.ID)
	}
	v := s.begin(r, asked)
	skus := make([]string, len(p.Variants))
	for i, variant := range p.Variants {
		skus[i] = variant.SKU
	}
	stock, err := s.store.Sellables(r.Context(), skus)
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	cacheable(w)
	if web.WantsJSON(r) {
		web.WriteJSON(w, r, http.StatusOK, v.productDocument(p, stock))
		return
	}
	query := r.URL.Query()
	show(w, r, http.StatusOK, v.l.Language(), productPage(v.productView(p, stock, query.Get("variant"), query.Get("added") != "")))
}

// firstSold is the first of these products that shoppers can see; zero when there is none.
func (s *storefront) firstSold(ctx context.Context, known map[string]catalogue.Product, ids []string) (catalogue.Product, error) {
	unread := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { _, ok := known[id]; return ok })
	if p, ok := known[ids[0]]; ok && sold(p) || len(unread) == 0 {
		return p, nil
	}
	found, err := s.store.Products(ctx, unread)
	if err != nil {
		return catalogue.Product{}, err
	}
	for _, id := range ids {
		if p, ok := found[id]; ok && sold(p) {
			return p, nil
		}
	}
	return catalogue.Product{}, nil
}

// productView is what a product's page is rendered from.
type productView struct {
	Layout    web.LayoutData
	Token     string
	KOC       shelfView // whose words these are; no cards, and on the brand's own page nothing but the brand's name
	Own       bool      // whether the page is the brand's own
	Back      string    // to the storefront
	Kind      string
	Title     string
	Gallery   []catalogue.Image
	Price     string
	CompareAt string // "" when there is no higher earlier price
	Choices   []choice
	Variant   string // of the chosen variant, "" when there is only one
	SoldOut   bool
	Left      int64 // pieces left when there are few, else 0
	Owed      bool  // ordered now, it ships when it is here
	Note      string
	Scene     []string
	Body      string // cleaned HTML
	Buy, Add  string
	Full      bool // whether the basket has no room for this
	Added     bool
	Basket    string
}

// choice is what variants differ in, with a chip for each value.
type choice struct {
	Name  string
	Chips []chip
}

type chip struct {
	Label, URL      string
	Chosen, SoldOut bool
}

// few is from how many pieces on a page says how many are left.
const few = 5

// maxGallery bounds the pictures of one page.
const maxGallery = 12

func (v visited) productView(p catalogue.Product, stock map[string]catalogue.Sellable, asked string, added bool) productView {
	chosen := choose(p, stock, asked)
	handle := v.KOC.Handle
	out := productView{
		Layout: v.layout(line(p.Title, 120)), Token: v.token, Back: v.trail.to(shelfPath(handle), shelfAt{}.query(v.pageWith(p.ID))...),
		KOC: shelfView{Name: v.name(), Initial: initial(v.name()), Portrait: v.portrait()}, Own: v.own(),
		Kind: plain(p.Type), Title: plain(p.Title), Price: v.l.Money(chosen.Price), Gallery: gallery(p, chosen),
		Choices: v.choices(p, stock, chosen), Note: v.note(p.ID), Scene: paragraphs(p.Scene), Body: p.Body, Added: added && len(v.trail.basket) > 0,
		SoldOut: available(stock, chosen) < 1, Full: !orderform.HasRoom(v.trail.basket, chosen.SKU),
		Buy:    v.trail.toBasket(handle, v.trail.plus(chosen.SKU, 1)),
		Basket: v.trail.toBasket(handle, v.trail.basket),
	}
	if len(p.Variants) > 1 {
		out.Variant = plain(chosen.Title)
	}
	if chosen.CompareAt.Minor > chosen.Price.Minor {
		out.CompareAt = v.l.Money(chosen.CompareAt)
	}
	if n := stock[chosen.SKU].Stock.Available; n > 0 && n <= few && chosen.StockPolicy != catalogue.Untracked && !out.SoldOut {
		out.Left = n
	}
	out.Owed = owed(stock, chosen)
	more := []string{"added", "1"}
	if len(p.Variants) > 1 {
		more = append(more, "variant", chosen.SKU)
	}
	after := v.trail
	after.basket = v.trail.plus(chosen.SKU, 1)
	out.Add = after.to(productPath(handle, p.ID), more...)
	v.describe(&out, p, chosen, stock)
	return out
}

// describe fills in what link previews and search engines read.
func (v visited) describe(out *productView, p catalogue.Product, chosen catalogue.Variant, stock map[string]catalogue.Sellable) {
	d := &out.Layout
	d.Class = "product"
	d.Description = line(firstOf(out.Note, p.Scene, words(p.Body), v.Settings.Tagline), 150)
	d.Here = v.trail.to(v.path)
	if out.Variant != "" {
		d.Here = v.trail.to(v.path, "variant", chosen.SKU)
	}
	d.Canonical = v.base + v.path
	image := ""
	if len(out.Gallery) > 0 {
		image = v.absolute(out.Gallery[0].Src)
	}
	d.OG = web.OpenGraph{Title: line(p.Title, 120), Description: d.Description, Image: image, URL: d.Canonical, Type: "product"}
	d.Head = productHead(v.token, chosen.Price, v.structured(p, stock, d.Canonical))
}

// choose is the variant that was asked for, else the first one that can be had, else the first.
func choose(p catalogue.Product, stock map[string]catalogue.Sellable, asked string) catalogue.Variant {
	if v, ok := p.Variant(asked); ok {
		return v
	}
	if i := slices.IndexFunc(p.Variants, func(v catalogue.Variant) bool { return available(stock, v) > 0 }); i >= 0 {
		return p.Variants[i]
	}
	return p.Variants[0]
}

// available is how many pieces of a variant can be ordered now.
func available(stock map[string]catalogue.Sellable, v catalogue.Variant) int64 {
	if it := stock[v.SKU]; it.Status == catalogue.Active {
		return it.Orderable()
	}
	return 0
}

// owed reports whether a piece that is ordered now is shipped only when it is here.
func owed(stock map[string]catalogue.Sellable, v catalogue.Variant) bool {
	it := stock[v.SKU]
	return it.Status == catalogue.Active && it.Owing(1) > 0
}

// gallery is the chosen variant's own picture, then the product's.
func gallery(p catalogue.Product, chosen catalogue.Variant) []catalogue.Image {
	var out []catalogue.Image
	if chosen.Image != "" {
		out = append(out, catalogue.Image{Src: chosen.Image})
	}
	for _, image := range p.Images {
		if image.Src == chosen.Image {
			out[0].Alt = image.Alt
			continue
		}
		out = append(out, image)
	}
	out = slices.DeleteFunc(out, func(i catalogue.Image) bool { return !catalogue.ValidImage(i.Src) })
	out = out[:min(len(out), maxGallery)]
	for i := range out {
		out[i].Alt = firstOf(plain(out[i].Alt), plain(p.Title))
	}
	return out
}

// choices are chips for what the variants differ in: one row per option, or one for all where options are not named.
func (v visited) choices(p catalogue.Product, stock map[string]catalogue.Sellable, chosen catalogue.Variant) []choice {
	if len(p.Variants) < 2 {
		return nil
	}
	regular := len(p.Options) > 0 && !slices.ContainsFunc(p.Variants, func(x catalogue.Variant) bool { return len(x.Options) != len(p.Options) })
	if !regular {
		row := choice{Name: v.l.T("storefront.variant")}
		for _, x := range p.Variants {
			row.Chips = append(row.Chips, v.chip(p, stock, x, firstOf(x.Title, x.SKU), x.SKU == chosen.SKU))
		}
		return []choice{row}
	}
	var rows []choice
	for i, name := range p.Options {
		row := choice{Name: plain(name)}
		var seen []string
		for _, x := range p.Variants {
			value := x.Options[i]
			if slices.Contains(seen, value) {
				continue
			}
			seen = append(seen, value)
			row.Chips = append(row.Chips, v.chip(p, stock, nearest(p, stock, chosen, i, value), value, value == chosen.Options[i]))
		}
		if len(row.Chips) > 1 {
			rows = append(rows, row)
		}
	}
	return rows
}

// nearest is the variant that a chip leads to: the chosen one with another value for one option; where there is none,
// the first with that value that can be had, else the first.
func nearest(p catalogue.Product, stock map[string]catalogue.Sellable, chosen catalogue.Variant, option int, value string) catalogue.Variant {
	wanted := slices.Clone(chosen.Options)
	wanted[option] = value
	var first, had *catalogue.Variant
	for i := range p.Variants {
		x := &p.Variants[i]
		switch {
		case slices.Equal(x.Options, wanted):
			return *x
		case x.Options[option] != value:
		case had == nil && available(stock, *x) > 0:
			had = x
		case first == nil:
			first = x
		}
	}
	if had != nil {
		return *had
	}
	return *first // the value comes from a variant, so one has it
}

func (v visited) chip(p catalogue.Product, stock map[string]catalogue.Sellable, x catalogue.Variant, label string, chosen bool) chip {
	return chip{Label: strings.TrimSpace(plain(label)), URL: v.trail.to(v.path, "variant", x.SKU), Chosen: chosen, SoldOut: available(stock, x) < 1}
}
