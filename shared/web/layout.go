package web

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"yundian/shared/locale"
	"yundian/shared/shop"
)

// LayoutData is what the frame of every page shows. Only Title and Language are required.
type LayoutData struct {
	Title       string
	Language    locale.Language
	Brand       string // the shop's name, "" before its settings are known
	Licence     string // business licence for the footer
	ICP         string // registration of the site for the footer
	Notice      string // advertising label, shown above the content
	NoticeText  string // what the label means here
	Description string
	OG          OpenGraph
	Here        string // path and query of this page, for the language switch; "" shows no switch
	Home        string // where the brand leads to; "/" if empty
	NoIndex     bool   // keeps search engines away: order pages, problems
	Class       string // of <body>, for the stylesheet
	Head        templ.Component
	Stylesheet  string // the store's own if empty

	Canonical string            // absolute URL of this page without what a visit adds to it; "" names none
	Languages []locale.Language // offered by the switch; all that Yundian speaks if empty
	Corner    templ.Component   // beside the language switch, such as the basket
}

// OpenGraph is what link previews show.
type OpenGraph struct {
	Title       string
	Description string
	Image       string // absolute URL
	URL         string // absolute URL
	Type        string // "website" if empty
}

// ShopLayout is a page's frame with everything that the shop's settings say about it.
func ShopLayout(s shop.Settings, language locale.Language) LayoutData {
	d := LayoutData{Language: language, Brand: s.Brand, ICP: s.Licence.ICP, Languages: Spoken(s)}
	d.Licence = s.Licence.Company
	if s.Licence.Number != "" {
		d.Licence = strings.TrimSpace(d.Licence + " " + s.Licence.Number)
	}
	return d
}

// Spoken are the languages that a shop offers, its default first.
func Spoken(s shop.Settings) []locale.Language {
	var spoken []locale.Language
	for _, tag := range s.Languages {
		if l, ok := locale.Parse(tag); ok && !slices.Contains(spoken, l) {
			spoken = append(spoken, l)
		}
	}
	if len(spoken) == 0 {
		return locale.Languages
	}
	return spoken
}

// ShopLanguage is the language to answer a request in, of those that the shop offers: the first that the caller wants, or
// Chinese in the other characters, which is better than a language that nobody asked for.
func ShopLanguage(r *http.Request, s shop.Settings) locale.Language {
	spoken := Spoken(s)
	wanted := wishOf(r).Languages()
	for _, l := range wanted {
		if slices.Contains(spoken, l) {
			return l
		}
	}
	for _, l := range wanted {
		if other := map[locale.Language]locale.Language{locale.Hans: locale.Hant, locale.Hant: locale.Hans}[l]; slices.Contains(spoken, other) {
			return other
		}
	}
	return spoken[0]
}

// L speaks the page's language.
func (d LayoutData) L() *locale.Locale { return locale.For(d.Language) }

func (d LayoutData) brand() string {
	if d.Brand != "" {
		return d.Brand
	}
	return d.L().T("web.store")
}

func (d LayoutData) title() string {
	if d.Title == "" || d.Title == d.brand() {
		return d.brand()
	}
	return d.Title + " · " + d.brand()
}

func (d LayoutData) home() string { return or(d.Home, "/") }

func (d LayoutData) stylesheet() string { return or(d.Stylesheet, AssetPath("store.css")) }

func (d LayoutData) languages() []locale.Language {
	if len(d.Languages) > 0 {
		return d.Languages
	}
	return locale.Languages
}

func (g OpenGraph) kind() string { return or(g.Type, "website") }

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// in is this page's address in another language.
func (d LayoutData) in(l locale.Language) templ.SafeURL {
	path, query, _ := strings.Cut(d.Here, "?")
	values, _ := url.ParseQuery(query) // what cannot be read is left out
	values.Set("lang", string(l))
	// EscapedPath keeps a path of two slashes or with a colon from leading to another site.
	return templ.SafeURL((&url.URL{Path: "/" + strings.TrimLeft(path, "/"), RawQuery: values.Encode()}).String())
}

// Here is LayoutData.Here for a request.
func Here(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return r.URL.Path
	}
	return r.URL.Path + "?" + r.URL.RawQuery
}

// Page answers with a rendered page. It renders before it answers, so that a failing template becomes a problem.
func Page(w http.ResponseWriter, r *http.Request, status int, page templ.Component) {
	var b bytes.Buffer
	if err := page.Render(r.Context(), &b); err != nil {
		WriteProblem(w, r, err)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	if header.Get("Content-Security-Policy") == "" {
		Secure(w, Policy{})
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client may be gone
}

func writeProblemPage(w http.ResponseWriter, r *http.Request, p *Problem) {
	data := LayoutData{Language: Language(r)}
	if settings, ok := r.Context().Value(shopKey{}).(shop.Settings); ok {
		data = ShopLayout(settings, data.Language)
	}
	data.Title, data.NoIndex, data.Class = p.Title, true, "problem"
	if r.Method == http.MethodGet {
		data.Here = Here(r)
	}
	w.Header().Set("Content-Language", string(data.Language))
	Secure(w, Policy{})
	var b bytes.Buffer
	if err := problemPage(data, p).Render(r.Context(), &b); err != nil {
		// The page is made of strings; if even that fails, plain words do.
		http.Error(w, p.Title, p.Status)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(p.Status)
	_, _ = w.Write(b.Bytes()) // the client may be gone
}

// short is a language's name where there is little room, as every reader of it knows it.
func short(l locale.Language) string {
	switch l {
	case locale.Hans:
		return "简"
	case locale.Hant:
		return "繁"
	default:
		return "EN"
	}
}

// openGraphLocale is a language with the territory that Open Graph asks for.
func openGraphLocale(l locale.Language) string {
	switch l {
	case locale.Hans:
		return "zh_CN"
	case locale.Hant:
		return "zh_TW"
	default:
		return "en_US"
	}
}
