// Package web is the store's door: it turns gateway events into HTTP requests for an ordinary handler, answers
// every refusal with one problem document or page, decodes what clients send without trusting it, and lays out pages.
//
//	func main() {
//		mux := http.NewServeMux()
//		mux.HandleFunc("POST /orders", h.place)
//		web.Serve(mux)
//	}
//
//	func (h *handler) place(w http.ResponseWriter, r *http.Request) {
//		var body placement
//		if err := web.Decode(r, &body, web.MaxJSON); err != nil {
//			web.WriteProblem(w, r, err)
//			return
//		}
//		…
//		web.WriteJSON(w, r, http.StatusCreated, placed)
//	}
//
// JSON APIs with a described contract register their operations on package api instead. Tests call handlers through
// package webtest, which sends real gateway events.
package web

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"yundian/shared/shop"
)

// Margin is how long before the invocation's deadline a request's context ends, so that there is time to answer 503
// rather than be killed without an answer.
const Margin = 500 * time.Millisecond

// Adapter answers gateway events (payload version 2) with a handler. Make one with New.
type Adapter struct {
	handler     http.Handler
	groupsClaim string
	margin      time.Duration
	settings    func(context.Context) (shop.Settings, error) // nil: pages of refusals know no shop
}

// Option changes an Adapter.
type Option func(*Adapter)

// GroupsClaim names the claim that lists a caller's groups; "cognito:groups" without this option, and when name is "".
func GroupsClaim(name string) Option {
	return func(a *Adapter) {
		if name != "" {
			a.groupsClaim = name
		}
	}
}

// ShopPages lets refusals that people read stand under the shop's name, in the reader's language. They ask for the settings
// only then; when those cannot be read, a plain page does.
func ShopPages(settings func(context.Context) (shop.Settings, error)) Option {
	return func(a *Adapter) { a.settings = settings }
}

// New wraps a handler. A *http.ServeMux answers unmatched paths and methods with problem documents.
func New(h http.Handler, options ...Option) *Adapter {
	if mux, ok := h.(*http.ServeMux); ok {
		h = unmatched(mux)
	}
	a := &Adapter{handler: h, groupsClaim: "cognito:groups", margin: Margin}
	for _, option := range options {
		option(a)
	}
	return a
}

// Serve answers events for ever: the last line of a function's main. It does not return.
func Serve(h http.Handler, options ...Option) {
	lambda.Start(New(h, options...))
}
