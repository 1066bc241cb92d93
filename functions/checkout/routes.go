package main

import (
	"net/http"
	"time"

	"yundian/shared/cashier"
	"yundian/shared/identity"
	"yundian/shared/provider"
	"yundian/shared/seal"
	"yundian/shared/store"
)

// checkout answers the routes below.
type checkout struct {
	store     *store.Store
	cashier   cashier.Cashier
	providers *provider.Registry
	keys      seal.Ring
	identity  identity.Key
	publicURL string
	writes    bool // whether shoppers get letters that lead to the store
	now       func() time.Time
}

func routes(c *checkout) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /quotes", c.quote)
	mux.HandleFunc("POST /orders", c.place)
	mux.HandleFunc("GET /orders/{id}", c.show)
	mux.HandleFunc("GET /orders/{id}/pay", c.pay)
	mux.HandleFunc("POST /orders/{id}/cancel", c.cancel)
	mux.HandleFunc("GET /orders/{id}/confirm", c.askConfirmation)
	mux.HandleFunc("POST /orders/{id}/confirm", c.confirm)
	mux.HandleFunc("POST /orders/{id}/received", c.received)
	mux.HandleFunc("POST /orders/{id}/returns", c.returns)
	return mux
}
