package main

import (
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/locale"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/web"
)

// visit is one page being asked for: of a KOC, through a share link or by the storefront's own address, or of the brand.
type visit struct {
	landing store.Landing // without a KOC for the brand's own pages
	shared  bool          // through a share link
	path    string        // of the page as it should be asked for, without query
}

// away reports whether nobody shares here now: the KOC is unknown, not approved yet or suspended, or the page is the brand's
// own. All of them get the same page, so that nobody can tell them apart, and a suspension works at once.
func (v visit) away() bool { return v.landing.KOC.Status() != koc.Approved }

// visited is a page on its way: what was asked for, what is known, and what the page will carry on.
type visited struct {
	store.Landing
	trail trail
	token string // of this page; "" on the brand's own
	path  string // of this page, without query
	base  string // of the store
	l     *locale.Locale
}

// begin begins a page. Where nobody shares it is the brand's own, which makes no token; the tokens that a shopper brings
// along are carried on.
func (s *storefront) begin(r *http.Request, asked visit) visited {
	v := visited{Landing: asked.landing, path: asked.path, base: web.BaseURL(r, s.publicURL)}
	now := s.now()
	v.l = locale.For(web.ShopLanguage(r, asked.landing.Settings))
	v.trail = readTrail(r.URL.Query(), s.keys, now)
	if asked.away() {
		v.KOC, v.Link = koc.Profile{}, koc.Link{}
		return v
	}
	v.token = v.trail.enter(s.keys, asked, now)
	return v
}

// own reports whether the page is the brand's own.
func (v visited) own() bool { return v.KOC.Handle == "" }

// What is answered where there is no page.
var (
	errNothing = fail.New(fail.NotFound, "page_unknown", "There is nothing at this address.", nil)
	errAway    = fail.New(fail.NotFound, "koc_away", "Nobody shares at this address now.", nil) // unknown, or not sharing now
)

// layout is the frame of a page.
func (v visited) layout(title string) web.LayoutData {
	d := web.ShopLayout(v.Settings, v.l.Language())
	d.Title = title
	d.Home = v.trail.to("/")
	d.Corner = basketCorner(v.l, v.trail.toBasket(v.KOC.Handle, v.trail.basket), v.trail.pieces())
	if v.Settings.AdvertisingLabel && !v.own() {
		d.Notice = v.l.T("storefront.advertising")
		d.NoticeText = v.l.T("storefront.advertising_text", "name", v.name())
	}
	return d
}

// name is whose page it is: the KOC's, or the brand's.
func (v visited) name() string {
	if v.own() {
		return line(v.Settings.Brand, 60)
	}
	return line(v.KOC.Name, 60)
}

// absolute is a picture's address for link previews.
func (v visited) absolute(src string) string {
	if strings.HasPrefix(src, "/") {
		return v.base + src
	}
	return src
}

// note is what the KOC says about a product, "" without a word.
func (v visited) note(product string) string {
	for _, item := range v.KOC.Shelf {
		if item.Product == product {
			return strings.TrimSpace(plain(item.Note))
		}
	}
	return ""
}

// cacheable marks a page or document without a form: anybody may keep it for a minute, by language and format.
func cacheable(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "public, max-age=60")
	w.Header().Set("Vary", "Accept-Language, Accept")
}

// show answers with a page of the shop.
func show(w http.ResponseWriter, r *http.Request, status int, language locale.Language, page templ.Component) {
	w.Header().Set("Content-Language", string(language))
	web.Page(w, r, status, page)
}

// refuse answers a request that has no page, before the settings are known.
func (s *storefront) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if fail.KindOf(err) != fail.NotFound {
		web.WriteProblem(w, r, err)
		return
	}
	settings, failed := s.store.Settings(r.Context())
	if failed != nil {
		web.WriteProblem(w, r, failed)
		return
	}
	s.lost(w, r, settings, err)
}

// lost shows that there is nothing here, and where there is something; a JSON client gets a problem. It never makes a
// token.
func (s *storefront) lost(w http.ResponseWriter, r *http.Request, settings shop.Settings, err error) {
	language := web.ShopLanguage(r, settings)
	if web.WantsJSON(r) {
		web.WriteProblem(w, web.WithLanguage(r, language), err)
		return
	}
	t := readTrail(r.URL.Query(), s.keys, s.now())
	d := web.ShopLayout(settings, language)
	d.Title = d.L().T("storefront.lost")
	d.NoIndex = true
	d.Home = t.to("/")
	d.Here = web.Here(r)
	text := d.L().T("storefront.lost_text")
	if fail.Is(err, "koc_away") {
		text = d.L().T("storefront.away_text")
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Vary", "Accept-Language, Accept")
	show(w, r, http.StatusNotFound, language, lostPage(d, text))
}

// windowOf is for how long a seen link counts in this shop.
func windowOf(s shop.Settings) time.Duration {
	return time.Duration(s.Windows.AttributionDays) * 24 * time.Hour
}
