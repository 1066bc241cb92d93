package main

import (
	"context"
	"net/http"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"yundian/shared/openapi/openapitest"
	"yundian/shared/web/api"
)

// serve is what the function serves, and its description.
func serve(p *portal) (*http.ServeMux, huma.API) {
	mux, all := register(p)
	return mux, all.API()
}

func TestOpenAPI(t *testing.T) {
	_, a := serve(&portal{})
	// Applying also takes a form and gives a page, so its handler is not huma's.
	apply := huma.Operation{OperationID: "apply", Method: "POST", Path: "/apply", Summary: "Apply to become a KOC", DefaultStatus: http.StatusCreated,
		Errors: []int{400, 403, 409, 413, 415, 429}, Tags: []string{"Shoppers"}}
	other := api.New(http.NewServeMux())
	huma.Register(other, apply, func(context.Context, *struct{ Body application }) (*api.Reply[applied], error) { return nil, nil })
	schemas, more := a.OpenAPI().Components.Schemas.Map(), other.OpenAPI().Components.Schemas.Map()
	for _, name := range []string{"Application", "Applied"} {
		schemas[name] = more[name]
	}
	schemas["Application"].Required = []string{"handle", "name", "email"}
	a.OpenAPI().Paths["/apply"] = other.OpenAPI().Paths["/apply"]
	openapitest.Check(t, a, "portal")
}
