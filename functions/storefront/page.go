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

// visited is a page of a KOC on its way: what was asked for, what is known, and what the page will carry on.
type visited struct {
	store.Landing
	trail trail
	token string // of this page
	path  string // of this page, without query
	base  string // of the store
	l     *locale.Locale
}

// visit begins a page of a KOC. A KOC who may not share now is NotFound like one who does not exist, so that a suspension
// works at once.
func (s *storefront) visit(r *http.Request, landing store.Landing, shared bool) (visited, error) {
	v := visited{Landing: landing, path: r.URL.EscapedPath(), base: web.BaseURL(r, s.publicURL)}
	if landing.KOC.Status() != koc.Approved {
		return v, errAway
	}
	now := s.now()
	v.l = locale.For(web.ShopLanguage(r, landing.Settings))
	v.trail = readTrail(r.URL.Query(), s.keys, now)
	v.token = v.trail.enter(s.keys, visit{link: landing.Link, shared: shared, window: windowOf(landing.Settings)}, now)
	return v, nil
}

// errAway answers for a KOC who is not there to shoppers: unknown, not approved yet, or suspended.
var errAway = fail.New(fail.NotFound, "koc_away", "There is no storefront at this address.", nil)

// layout is the frame of a KOC's page.
func (v visited) layout(title string) web.LayoutData {
	d := web.ShopLayout(v.Settings, v.l.Language())
	d.Title = title
	d.Home = v.trail.to("/")
	d.Corner = basketCorner(v.l, v.trail.toBasket(v.KOC.Handle, v.trail.basket), v.trail.pieces())
	if v.Settings.AdvertisingLabel {
		d.Notice = v.l.T("storefront.advertising")
		d.NoticeText = v.l.T("storefront.advertising_text", "name", v.name())
	}
	return d
}

func (v visited) name() string { return line(v.KOC.Name, 60) }

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
	if fail.Is(err, "koc_away") || fail.Is(err, "koc_unknown") {
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
