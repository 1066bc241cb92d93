package main

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"yundian/shared/catalogue"
	"yundian/shared/koc"
	"yundian/shared/web"
)

// shareLink answers GET /s/{code} with the page that the link leads to, in place: a redirect would lose parameters in
// in-app browsers.
func (s *storefront) shareLink(w http.ResponseWriter, r *http.Request) {
	code, ok := koc.ReadCode(r.PathValue("code"))
	if !ok {
		s.refuse(w, r, errNothing)
		return
	}
	landing, err := s.store.Land(r.Context(), code, s.links.of(code))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	product := landing.Link.Product
	if landing.Link.Code == code && product != "" {
		s.links.remember(code, product)
	}
	path := "/s/" + landing.Link.Code
	if product == "" {
		s.showShelf(w, r, visit{landing: landing, shared: true, path: path})
		return
	}
	s.showProduct(w, r, visit{landing: landing, shared: true, path: path}, product)
}

// shelf answers GET /k/{handle} with the KOC's storefront.
func (s *storefront) shelf(w http.ResponseWriter, r *http.Request) {
	handle, ok := koc.ReadHandle(r.PathValue("handle"))
	if !ok {
		s.refuse(w, r, errNothing)
		return
	}
	landing, err := s.store.Land(r.Context(), handle, "")
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.showShelf(w, r, visit{landing: landing, path: shelfPath(handle)})
}

// showShelf answers with a storefront: who shares, why, and what. Where nobody shares now, the brand's page stands in its
// place.
func (s *storefront) showShelf(w http.ResponseWriter, r *http.Request, asked visit) {
	if asked.away() {
		s.home(w, r)
		return
	}
	v := s.begin(r, asked)
	at := v.pageAsked(r.URL.Query().Get("page"))
	items := at.of(v.shelf())
	ids := make([]string, 0, len(items))
	for _, item := range items {
		if catalogue.ValidID(item.Product) {
			ids = append(ids, item.Product)
		}
	}
	products, err := s.store.Products(r.Context(), ids)
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	var onShelf []shelfProduct
	for _, item := range items {
		if p, ok := products[item.Product]; ok && sold(p) {
			onShelf = append(onShelf, shelfProduct{Product: p, note: strings.TrimSpace(plain(item.Note))})
		}
	}
	cacheable(w)
	if web.WantsJSON(r) {
		web.WriteJSON(w, r, http.StatusOK, v.shelfDocument(onShelf, at))
		return
	}
	show(w, r, http.StatusOK, v.l.Language(), shelfPage(v.shelfView(onShelf, at)))
}

// pageSize is how many products of a shelf one page shows: as many as a phone scrolls through, and the store reads at once.
const pageSize = 48

// shelfAt is one page of a shelf, counted from 1.
type shelfAt struct{ page, pages int }

// shelf is what stands on the storefront, in order.
func (v visited) shelf() []koc.ShelfItem { return v.KOC.Display(v.Settings.DefaultShelf) }

// pageAsked is the page that an address names. What is no number is the first one; after the last one comes nothing, so it is
// shown again.
func (v visited) pageAsked(text string) shelfAt {
	at := shelfAt{page: 1, pages: max(1, (len(v.shelf())+pageSize-1)/pageSize)}
	if n, err := strconv.Atoi(text); err == nil {
		at.page = min(max(1, n), at.pages)
	}
	return at
}

// pageWith is the page of the storefront on which a product stands; the first when it is on none. The brand's page has one.
func (v visited) pageWith(product string) int {
	if v.own() {
		return 1
	}
	return max(0, slices.IndexFunc(v.shelf(), func(it koc.ShelfItem) bool { return it.Product == product }))/pageSize + 1
}

func (at shelfAt) of(shelf []koc.ShelfItem) []koc.ShelfItem {
	return shelf[min(len(shelf), (at.page-1)*pageSize):min(len(shelf), at.page*pageSize)]
}

// query names a page in an address; the first one needs no name.
func (at shelfAt) query(page int) []string {
	if page < 2 {
		return nil
	}
	return []string{"page", strconv.Itoa(page)}
}

// canonical is the address of a page of this shelf without what a visit adds to it; "" where there is no such page.
func (v visited) canonical(at shelfAt, page int) string {
	switch {
	case page < 1 || page > at.pages:
		return ""
	case page == 1:
		return v.base + v.path
	default:
		return v.base + v.path + "?page=" + strconv.Itoa(page)
	}
}

// shelfProduct is a product on a storefront, with the KOC's words.
type shelfProduct struct {
	catalogue.Product
	note string
}

// sold reports whether shoppers can see a product.
func sold(p catalogue.Product) bool { return p.Status == catalogue.Active && len(p.Variants) > 0 }

// shelfView is what a storefront is rendered from.
type shelfView struct {
	Layout   web.LayoutData
	Token    string
	Name     string
	Initial  string
	Portrait string
	Lead     []string // the story's beginning, in paragraphs
	Rest     []string // what a long story goes on with
	Cards    []card

	Page          string // which one of how many; "" when there is only one
	Before, After string // addresses of the pages around it; "" where there is none
}

// card is one product on a shelf.
type card struct {
	URL, Title, Image, Alt, Price, Note string
}

func (v visited) shelfView(products []shelfProduct, at shelfAt) shelfView {
	out := shelfView{Layout: v.layout(v.l.T("storefront.title", "name", v.name())), Token: v.token, Name: v.name(), Initial: initial(v.KOC.Name),
		Portrait: v.portrait()}
	out.Lead, out.Rest = opening(paragraphs(v.KOC.Story))
	for _, p := range products {
		out.Cards = append(out.Cards, v.card(p))
	}
	image := v.portrait()
	if image == "" && len(products) > 0 {
		image = products[0].Cover().Src
	}
	d := &out.Layout
	d.Class = "storefront"
	d.Description = line(firstOf(v.KOC.Story, v.Settings.Tagline), 150)
	d.Here = v.trail.to(v.path, at.query(at.page)...)
	d.Canonical = v.canonical(at, at.page)
	if at.pages > 1 {
		out.Page = v.l.T("storefront.shelf_page", "page", at.page, "pages", at.pages)
		d.Title += " · " + out.Page
	}
	if at.page > 1 {
		out.Before = v.trail.to(v.path, at.query(at.page-1)...)
	}
	if at.page < at.pages {
		out.After = v.trail.to(v.path, at.query(at.page+1)...)
	}
	d.OG = web.OpenGraph{Title: d.Title, Description: d.Description, Image: v.absolute(image), URL: d.Canonical, Type: "website"}
	d.Head = shelfHead(v.token, v.canonical(at, at.page-1), v.canonical(at, at.page+1))
	return out
}

func (v visited) portrait() string {
	if catalogue.ValidImage(v.KOC.Portrait) {
		return v.KOC.Portrait
	}
	return ""
}

func (v visited) card(p shelfProduct) card {
	cover := p.Cover()
	return card{URL: v.trail.to(productPath(v.KOC.Handle, p.ID)), Title: plain(p.Title), Image: cover.Src, Alt: plain(firstOf(cover.Alt, p.Title)),
		Price: v.priceFrom(p.Product), Note: p.note}
}

// priceFrom is a product's price, or its lowest one.
func (v visited) priceFrom(p catalogue.Product) string {
	lowest, differ := p.From()
	if differ {
		return v.l.T("storefront.from", "price", lowest)
	}
	return v.l.Money(lowest)
}

// How much of a story is shown whole, and how much of a longer one before the reader goes on; one Chinese character
// counts as two, because it says about as much.
const (
	shortStory = 280
	firstWords = 120
)

// opening divides a long story after its first paragraphs, so that the shelf is not far away.
func opening(story []string) (lead, rest []string) {
	if length(story) <= shortStory {
		return story, nil
	}
	n := 1
	for n < len(story) && length(story[:n]) < firstWords {
		n++
	}
	return story[:n], story[n:]
}

func length(paragraphs []string) int {
	n := 0
	for _, p := range paragraphs {
		for _, r := range p {
			n++
			if r >= 0x2e80 {
				n++
			}
		}
	}
	return n
}
