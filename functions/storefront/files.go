package main

import (
	"net/http"
	"regexp"
	"sync"

	"yundian/shared/openapi"
	"yundian/shared/web"
)

// asset answers GET /assets/{file} with a file that pages share.
func asset(w http.ResponseWriter, r *http.Request) {
	if !web.ServeAsset(w, r, r.PathValue("file")) {
		web.WriteProblem(w, r, errNothing)
	}
}

// openAPI answers GET /openapi.json with the description of every JSON API of the store.
func openAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(openapi.Document) // the client may be gone
}

// healthz answers that the function runs. It asks nobody else, so that a check costs nothing.
func healthz(w http.ResponseWriter, r *http.Request) {
	web.WriteJSON(w, r, http.StatusOK, map[string]string{"status": "ok"})
}

// robots keeps search engines away from what is one shopper's own.
func robots(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write([]byte("User-agent: *\nDisallow: /orders/\nDisallow: /k/*/basket\nDisallow: /basket\nDisallow: /portal\nDisallow: /v1/\n")) // the client may be gone
}

// orderForm is what an order's id looks like.
var orderForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9A-Z]{26}$`) })

// order leads the address of an order, behind which a chat has written on after a slash, to the order itself, which is not
// this function's. What comes with it opens the order or not; the path is ours.
func order(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !orderForm().MatchString(id) {
		web.WriteProblem(w, r, errNothing)
		return
	}
	address := "/orders/" + id
	if r.URL.RawQuery != "" {
		address += "?" + r.URL.RawQuery
	}
	w.Header().Set("Location", address)
	w.WriteHeader(http.StatusPermanentRedirect)
}
