package api

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"yundian/shared/web"
)

// Operations are an API whose operations are examined when they are first called: finding out what the types of twenty
// operations look like takes as long as the rest of a function's start-up, and the first event needs one of them.
type Operations struct {
	mux        *http.ServeMux
	middleware []func(huma.Context, func(huma.Context))
	all        []func(huma.API)
}

// Later makes an API that registers its operations on a mux.
func Later(mux *http.ServeMux) *Operations { return &Operations{mux: mux} }

// UseMiddleware puts something before every operation. Call it before the first request.
func (o *Operations) UseMiddleware(m ...func(huma.Context, func(huma.Context))) {
	o.middleware = append(o.middleware, m...)
}

// Register adds an operation to an API. What is wrong with its types panics at its first call, and in API.
func Register[I, O any](o *Operations, operation huma.Operation, handler func(context.Context, *I) (*O, error)) {
	register := func(a huma.API) {
		described := operation
		// After the middleware of the API, which finds out who asks, and before what an operation does by itself.
		described.Middlewares = append(huma.Middlewares{knownQuery}, operation.Middlewares...)
		huma.Register(a, described, handler)
	}
	o.all = append(o.all, register)
	ready := sync.OnceValue(func() http.Handler {
		mux := http.NewServeMux()
		register(o.on(mux))
		return mux
	})
	o.mux.HandleFunc(operation.Method+" "+operation.Path, func(w http.ResponseWriter, r *http.Request) { ready().ServeHTTP(w, r) })
}

// knownQuery refuses query parameters that the operation does not have, and those that come twice: whoever asks for
// ?phone= and gets everybody's orders believes that they are one person's.
func knownQuery(c huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(c)
	known := []string{"lang", "koc"} // lang chooses the language of every answer; koc is checked by the KOCs' own guard
	if len(c.Operation().Security) > 0 && slices.ContainsFunc(c.Operation().Security, func(s map[string][]string) bool { return !slices.Equal(s["bearer"], KOC[0]["bearer"]) }) {
		known = known[:1]
	}
	for _, p := range c.Operation().Parameters {
		if p.In == "query" {
			known = append(known, p.Name)
		}
	}
	if err := web.KnownQuery(r, known...); err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	next(c)
}

// API is the same API with every operation examined, for its description. It serves nothing.
func (o *Operations) API() huma.API {
	a := o.on(http.NewServeMux())
	for _, register := range o.all {
		register(a)
	}
	return a
}

func (o *Operations) on(mux *http.ServeMux) huma.API {
	a := New(mux)
	a.UseMiddleware(o.middleware...)
	return a
}
