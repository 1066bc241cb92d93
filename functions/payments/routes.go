package main

import (
	"net/http"
	"time"

	"yundian/shared/cashier"
	"yundian/shared/provider"
)

// payments answers the route below.
type payments struct {
	cashier   cashier.Cashier
	providers *provider.Registry
	now       func() time.Time
}

func routes(p *payments) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /webhooks/{provider}", p.webhook)
	return mux
}
