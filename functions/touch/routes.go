package main

import (
	"net/http"
	"time"

	"yundian/shared/seal"
	"yundian/shared/store"
)

// touch answers the route below.
type touch struct {
	store     *store.Store
	keys      seal.Ring
	identity  []byte // key of the hashes that name visitors
	publicURL string
	now       func() time.Time
	zone      zone
}

func routes(t *touch) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /touch", t.touch)
	return mux
}
