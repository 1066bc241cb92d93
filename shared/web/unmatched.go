package web

import (
	"net/http"
	"path"
	"strings"

	"yundian/shared/fail"
)

// Only answers a request by another method than those allowed, which the mux cannot tell where a route with a name in its
// place would take the request for its own.
func Only(allowed string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allowed)
		WriteProblem(w, r, fail.New(fail.Invalid, CodeMethod, "{method} is not possible here.", fail.Args{"method": r.Method}))
	}
}

// unmatched serves a mux, but answers what no route matches with a problem: 404, or 405 with Allow.
func unmatched(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Chats write slashes behind an address; one says the same as several.
		if clean := path.Clean(r.URL.Path); clean != "/" && strings.TrimRight(r.URL.Path, "/") == clean && strings.HasSuffix(r.URL.Path, "//") {
			r.URL.Path = clean + "/"
		}
		own, pattern := mux.Handler(r)
		// The mux would lead a path with ".." or "//" on to another one; nobody comes here by such a path but to try what happens.
		if pattern != "" && strings.TrimSuffix(r.URL.Path, "/") == strings.TrimSuffix(path.Clean(r.URL.Path), "/") {
			mux.ServeHTTP(w, r)
			return
		}
		// The mux's own answer tells which of the two it is.
		rec := newRecorder(r)
		own.ServeHTTP(rec, r)
		if rec.status == http.StatusMethodNotAllowed {
			Only(rec.header.Get("Allow"))(w, r)
			return
		}
		WriteProblem(w, r, fail.New(fail.NotFound, "page_unknown", "There is nothing at this address.", nil))
	})
}
