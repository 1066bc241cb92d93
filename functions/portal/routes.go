package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yundian/shared/hooks"
	"yundian/shared/identity"
	"yundian/shared/provider"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/web/api"
	"yundian/shared/webhook"
)

// portal answers the routes below.
type portal struct {
	store     *store.Store
	keys      seal.Ring
	identity  identity.Key
	box       seal.Box // payout methods
	rails     *provider.Rails
	publicURL string
	login     login
	hooks     hooks.Desk
	now       func() time.Time
	random    func() string // fresh random text of at least 20 characters
}

func routes(p *portal) *http.ServeMux {
	mux, _ := register(p)
	return mux
}

// register makes every route, and the API that describes those under /v1.
func register(p *portal) (*http.ServeMux, *api.Operations) {
	mux := http.NewServeMux()

	// Everybody.
	mux.HandleFunc("GET /portal", p.showPage)
	mux.HandleFunc("GET /portal/{file}", p.showFile)
	mux.HandleFunc("GET /apply", p.showApply)
	mux.HandleFunc("POST /apply", p.apply)
	mux.HandleFunc("GET /confirm-email/{handle}", p.askEmail)
	mux.HandleFunc("POST /confirm-email/{handle}", p.confirmEmail)

	// KOCs who are logged in. The guard finds out who it is, on every request, before anything else happens.
	a := api.Later(mux)
	a.UseMiddleware(p.guard)
	api.Register(a, operation(bindLogin, "POST", "/v1/me", "Bind this login to the KOC who was invited"), p.bind)
	api.Register(a, operation("getMe", "GET", "/v1/me", "Profile, own link and shop"), p.me)
	api.Register(a, operation("editMe", "PATCH", "/v1/me", "Change name, e-mail, story, portrait or payout method"), p.editMe)
	api.Register(a, operation("listLinks", "GET", "/v1/links", "Share links with what they brought in 90 days"), p.listLinks)
	api.Register(a, created(operation("makeLink", "POST", "/v1/links", "Make a share link")), p.makeLink)
	api.Register(a, operation("getShelf", "GET", "/v1/shelf", "The storefront's products and notes, in order"), p.shelf)
	api.Register(a, large(operation("setShelf", "PUT", "/v1/shelf", "Replace the storefront's products and notes")), p.setShelf)
	api.Register(a, operation("listProducts", "GET", "/v1/products", "Products to share, with what they earn"), p.listProducts)
	api.Register(a, operation("getEarnings", "GET", "/v1/earnings", "Balances, and when pending ones become available"), p.earnings)
	api.Register(a, operation("listEntries", "GET", "/v1/earnings/entries", "Every change of the balances with its reason, newest first"), p.listEntries)
	api.Register(a, created(operation("withdraw", "POST", "/v1/withdrawals", "Ask for a payout of what is available")), p.withdraw)
	api.Register(a, operation("listWithdrawals", "GET", "/v1/withdrawals", "Payouts to this KOC, newest first"), p.listWithdrawals)
	api.Register(a, operation("listOrders", "GET", "/v1/orders", "Orders attributed to this KOC, newest first"), p.listOrders)
	api.Register(a, operation("getAttribution", "GET", "/v1/orders/{id}/attribution", "Who earned an order, and why"), p.attribution)
	api.Register(a, operation("getStats", "GET", "/v1/stats", "Touches, orders, sales and commission by day, link or product"), p.stats)
	p.hooks.Register(a, hooks.API{Prefix: "/v1/webhooks", Name: "Webhook", Describe: operation, Who: visitor})
	api.Register(a, operation("listStatements", "GET", "/v1/statements", "Months with what they opened and closed with, newest first"), p.listStatements)
	api.Register(a, filed(operation("getStatement", "GET", "/v1/statements/{period}", "One month with every entry"), p.statementFile), p.statement)
	return mux, a
}

// visitor is the KOC whom the guard let in, whose webhooks are their own alone.
func visitor(ctx context.Context) hooks.Visitor {
	v := visitOf(ctx)
	return hooks.Visitor{Subject: v.subject, Owner: webhook.OwnerOf(v.koc.Handle)}
}

func operation(id, method, path, summary string) huma.Operation {
	o := huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Security: api.KOC, Tags: []string{"KOC"},
		Errors: []int{http.StatusBadRequest, http.StatusForbidden}}
	if strings.Contains(path, "{") {
		o.Errors = append(o.Errors, http.StatusNotFound)
	}
	if method != http.MethodGet {
		o.MaxBodyBytes = 256 << 10
		o.Errors = append(o.Errors, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusTooManyRequests)
	}
	return o
}

// large is an operation whose body may have 512 KB: a shelf of 200 products with notes of 300 characters has 280.
func large(o huma.Operation) huma.Operation {
	o.MaxBodyBytes = 512 << 10
	return o
}

// filed is an operation whose answer is also to be had as CSV.
func filed(o huma.Operation, file func(huma.Context, func(huma.Context))) huma.Operation {
	o.Middlewares = huma.Middlewares{file}
	o.Responses = api.AlsoCSV()
	return o
}

func created(o huma.Operation) huma.Operation {
	o.DefaultStatus = http.StatusCreated
	return o
}
