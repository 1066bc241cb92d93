package main

import (
	"net/http"
	"time"

	"yundian/shared/provider"
	"yundian/shared/seal"
	"yundian/shared/store"
)

// storefront answers the routes below.
type storefront struct {
	store     *store.Store
	keys      seal.Ring
	providers *provider.Registry
	publicURL string
	now       func() time.Time
	links     targets
}

func routes(s *storefront) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /s/{code}/qr", s.shareLinkPicture)
	mux.HandleFunc("GET /p/{product}", s.product)
	mux.HandleFunc("GET /basket", s.basket)
	mux.HandleFunc("GET /k/{handle}/p/{product}", s.product)
	mux.HandleFunc("GET /k/{handle}/basket", s.basket)
	mux.HandleFunc("GET /k/{handle}", s.shelf)
	mux.HandleFunc("GET /s/{code}", s.shareLink)
	// Whatever a chat has written behind an address, with a slash between. The gateway brings it by its $default route.
	mux.HandleFunc("GET /s/{code}/{more...}", s.shareLink)
	mux.HandleFunc("GET /k/{handle}/{more...}", s.shelf)
	mux.HandleFunc("GET /k/{handle}/p/{product}/{more...}", s.product)
	mux.HandleFunc("GET /k/{handle}/basket/{more...}", s.basket)
	mux.HandleFunc("GET /p/{product}/{more...}", s.product)
	mux.HandleFunc("GET /basket/{more...}", s.basket)
	mux.HandleFunc("GET /orders/{id}/{more...}", order)
	mux.HandleFunc("GET /assets/{file}", asset)
	mux.HandleFunc("GET /openapi.json", openAPI)
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /robots.txt", robots)
	return mux
}
