package main

import (
	"context"
	"maps"
	"net/http"
	"reflect"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"yundian/shared/openapi/openapitest"
	"yundian/shared/web/api"
)

// TestOpenAPI describes the routes, which also take forms and give pages, by the types that their handlers read and write.
func TestOpenAPI(t *testing.T) {
	a := api.New(http.NewServeMux())
	op := func(id, method, path, summary string, status int, errors ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status, Errors: errors, Tags: []string{"Shoppers"}}
	}
	huma.Register(a, op("quoteOrder", "POST", "/quotes", "What an order would cost", 200, 400, 403, 409, 413, 415),
		func(context.Context, *struct{ Body orderRequest }) (*api.Reply[quoteAnswer], error) { return nil, nil })
	huma.Register(a, op("placeOrder", "POST", "/orders", "Place an order; a key is required", 201, 400, 403, 409, 413, 415, 422),
		func(context.Context, *struct {
			api.Keyed
			Body orderRequest
		}) (*api.Reply[orderView], error) {
			return nil, nil
		})
	type Order struct {
		ID string `path:"id"`
	}
	type held struct {
		Order
		Secret string `query:"secret" required:"true" doc:"As given when the order was placed"`
	}
	huma.Register(a, op("getOrder", "GET", "/orders/{id}", "The order, for whoever holds its secret", 200, 404),
		func(context.Context, *held) (*api.Reply[orderView], error) { return nil, nil })
	huma.Register(a, op("payOrder", "GET", "/orders/{id}/pay", "On to the payment", 303, 404, 409),
		func(context.Context, *held) (*struct {
			Location string `header:"Location"`
		}, error) {
			return nil, nil
		})
	huma.Register(a, op("askToConfirmOrder", "GET", "/orders/{id}/confirm", "A page with a button that confirms the order, for whoever has the letter about it", 200, 404),
		func(context.Context, *struct {
			Order
			Secret string `query:"secret" required:"true" doc:"As it stands in the letter; the secret of the order is another one"`
		}) (*api.Reply[orderView], error) {
			return nil, nil
		})
	for _, x := range []struct{ id, path, summary string }{
		{"confirmOrder", "/orders/{id}/confirm", "Confirm an order to be paid on delivery, by the secret that stands in the letter about it"},
		{"cancelOrder", "/orders/{id}/cancel", "Cancel an order that has not been shipped"},
		{"receiveOrder", "/orders/{id}/received", "Confirm the receipt"},
		{"returnOrder", "/orders/{id}/returns", "Ask to give goods back"},
	} {
		huma.Register(a, op(x.id, "POST", x.path, x.summary, 200, 400, 403, 404, 409, 413, 415), func(context.Context, *struct {
			Order
			Body action
		}) (*api.Reply[orderView], error) {
			return nil, nil
		})
	}
	// The types are read without huma, so what they require stands here.
	a.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[quoteView](), true, "")
	schemas := a.OpenAPI().Components.Schemas.Map()
	schemas["OrderRequest"].Required = []string{"lines", "contact", "address", "payment"}
	schemas["Action"].Required = []string{"secret"}
	schemas["Expectation"].Required = []string{"amount", "currency"}
	refused := *schemas["Problem"]
	refused.Properties = maps.Clone(refused.Properties)
	refused.Properties["quote"] = &huma.Schema{Ref: "#/components/schemas/QuoteView", Description: "What it costs now, if that is why"}
	schemas["OrderRefused"] = &refused
	a.OpenAPI().Paths["/orders"].Post.Responses["409"].Content["application/problem+json"].Schema = &huma.Schema{Ref: "#/components/schemas/OrderRefused"}
	// huma leaves out what an embedded type that is not exported brings.
	quote := schemas["QuoteView"]
	for _, view := range []*huma.Schema{schemas["OrderView"], schemas["QuoteAnswer"]} {
		maps.Copy(view.Properties, quote.Properties)
		view.Required = append(view.Required, quote.Required...)
	}
	openapitest.Check(t, a, "checkout")
}
