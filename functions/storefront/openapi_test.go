package main

import (
	"context"
	"net/http"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"yundian/shared/openapi/openapitest"
	"yundian/shared/web/api"
)

// TestOpenAPI describes what the pages say to clients that ask for JSON, by the types they are written from.
func TestOpenAPI(t *testing.T) {
	a := api.New(http.NewServeMux())
	op := func(id, path, summary string, errors ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: "GET", Path: path, Summary: summary, Errors: errors, Tags: []string{"Shoppers"}}
	}
	huma.Register(a, op("openLink", "/s/{code}", "The storefront or product that a share link points to, as a page or with Accept: application/json", 404),
		func(context.Context, *struct {
			Code string `path:"code"`
		}) (*api.Reply[landingDocument], error) {
			return nil, nil
		})
	huma.Register(a, op("getStorefront", "/k/{handle}", "A KOC's storefront, as a page or JSON", 404), func(context.Context, *struct {
		Handle string `path:"handle"`
	}) (*api.Reply[landingDocument], error) {
		return nil, nil
	})
	huma.Register(a, op("getProduct", "/k/{handle}/p/{product}", "A product on a KOC's storefront, as a page or JSON", 404), func(context.Context, *struct {
		Handle  string `path:"handle"`
		Product string `path:"product"`
	}) (*api.Reply[landingDocument], error) {
		return nil, nil
	})
	huma.Register(a, op("getHome", "/", "The brand's own page with what it sells, as a page or JSON"), func(context.Context, *struct{}) (*api.Reply[landingDocument], error) { return nil, nil })
	huma.Register(a, op("getOwnProduct", "/p/{product}", "The brand's own page of a product, as a page or JSON. It also stands where nobody shares now", 404), func(context.Context, *struct {
		Product string `path:"product"`
	}) (*api.Reply[landingDocument], error) {
		return nil, nil
	})
	huma.Register(a, op("getDocument", "/openapi.json", "This document"),
		func(context.Context, *struct{}) (*api.Reply[map[string]any], error) { return nil, nil })
	huma.Register(a, op("isHealthy", "/healthz", "Whether the store answers"),
		func(context.Context, *struct{}) (*api.Reply[map[string]string], error) { return nil, nil })
	openapitest.Check(t, a, "storefront")
}
