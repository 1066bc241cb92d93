package web

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"yundian/shared/locale"
	"yundian/shared/shop"
)

type (
	languageKey struct{}
	shopKey     struct{}
)

// withShop lets a page of a refusal stand under the shop's name and speak the shop's languages, if the settings can be read.
func withShop(r *http.Request) *http.Request {
	read := requestOf(r.Context()).settings
	if read == nil {
		return r
	}
	settings, err := read(r.Context())
	if err != nil {
		slog.WarnContext(r.Context(), "page of a refusal without the shop's settings", "error", err)
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), shopKey{}, settings))
}

// WithLanguage sets the language for callers that express none that Yundian speaks: the shop's own, once its settings
// are read. Without it that is English.
func WithLanguage(r *http.Request, fallback locale.Language) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), languageKey{}, fallback))
}

// Language is the language to answer a request in: ?lang=, else Accept-Language, else what WithLanguage set.
func Language(r *http.Request) locale.Language {
	if settings, ok := r.Context().Value(shopKey{}).(shop.Settings); ok {
		return ShopLanguage(r, settings)
	}
	fallback, ok := r.Context().Value(languageKey{}).(locale.Language)
	if !ok {
		fallback = locale.English
	}
	return locale.Negotiate(wishOf(r), fallback)
}

func wishOf(r *http.Request) locale.Wish {
	w := locale.Wish{Accept: r.Header.Get("Accept-Language")}
	if strings.Contains(r.URL.RawQuery, "lang=") {
		w.Asked = r.URL.Query().Get("lang")
	}
	return w
}

// Ahead reports whether a browser or app fetches a page before anybody asked for it, to have it at hand or to show a preview.
func Ahead(r *http.Request) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		if value := strings.ToLower(r.Header.Get(name)); strings.Contains(value, "prefetch") || strings.Contains(value, "prerender") || strings.Contains(value, "preview") {
			return true
		}
	}
	return false
}

// WantsHTML reports whether the client asks for a page: it names text/html, and not JSON with the same or more weight.
// Refusals are pages for such clients and problem documents for all others.
func WantsHTML(r *http.Request) bool {
	html, json, _ := weights(r)
	return html > 0 && html > json
}

// WantsCSV reports whether the client names text/csv, and not JSON with the same or more weight.
func WantsCSV(r *http.Request) bool {
	_, json, csv := weights(r)
	return csv > 0 && csv > json
}

// WantsJSON reports whether the client names JSON with at least the weight of text/html. Routes that have a page give
// it to everyone else, */* included.
func WantsJSON(r *http.Request) bool {
	html, json, _ := weights(r)
	return json > 0 && json >= html
}

// maxAccept bounds how many media ranges of an Accept header are read; browsers send about ten.
const maxAccept = 32

// weights are the q values that Accept gives to text/html, JSON and text/csv by name; wildcards name none.
func weights(r *http.Request) (html, json, csv float64) {
	for i, part := range strings.Split(strings.Join(r.Header.Values("Accept"), ","), ",") {
		if i == maxAccept {
			break
		}
		media, parameters, _ := strings.Cut(part, ";")
		media = strings.ToLower(strings.TrimSpace(media))
		switch {
		case media == "text/html" || media == "application/xhtml+xml":
			html = max(html, weight(parameters))
		case media == "application/json" || strings.HasSuffix(media, "+json"):
			json = max(json, weight(parameters))
		case media == "text/csv":
			csv = max(csv, weight(parameters))
		}
	}
	return html, json, csv
}

func weight(parameters string) float64 {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		if q, err := strconv.ParseFloat(value, 64); err == nil && q >= 0 && q <= 1 {
			return q
		}
		return 0
	}
	return 1
}
