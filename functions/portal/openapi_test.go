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
	type koc struct {
		Handle string `path:"handle"`
	}
	link := func(id, method, summary string, errors ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/confirm-email/{handle}", Summary: summary, Errors: errors, Tags: []string{"Shoppers"}}
	}
	huma.Register(other, link("askEmail", "GET", "Which e-mail address a letter asks to confirm", 404), func(context.Context, *struct {
		koc
		Secret string `query:"secret" required:"true" doc:"As in the letter"`
	}) (*api.Reply[emailAnswer], error) {
		return nil, nil
	})
	huma.Register(other, link("confirmEmail", "POST", "Confirm a KOC's new e-mail address", 400, 403, 404, 413, 415), func(context.Context, *struct {
		koc
		Body emailWish
	}) (*api.Reply[emailAnswer], error) {
		return nil, nil
	})
	schemas, more := a.OpenAPI().Components.Schemas.Map(), other.OpenAPI().Components.Schemas.Map()
	for _, name := range []string{"Application", "Applied", "EmailAnswer", "EmailWish"} {
		schemas[name] = more[name]
	}
	schemas["Application"].Required = []string{"handle", "name", "email"}
	schemas["EmailWish"].Required = []string{"secret"}
	for path, item := range other.OpenAPI().Paths {
		a.OpenAPI().Paths[path] = item
	}
	openapitest.Check(t, a, "portal")
}
