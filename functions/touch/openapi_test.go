package main

import (
	"context"
	"net/http"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"yundian/shared/openapi/openapitest"
	"yundian/shared/web/api"
)

func TestOpenAPI(t *testing.T) {
	a := api.New(http.NewServeMux())
	huma.Register(a, huma.Operation{OperationID: "touch", Method: "POST", Path: "/touch", Summary: "A browser shows the page that this token came with",
		DefaultStatus: 204, Errors: []int{400, 403, 413, 415}, Tags: []string{"Shoppers"}},
		func(context.Context, *struct{ Body beacon }) (*struct{}, error) { return nil, nil })
	openapitest.Check(t, a, "touch")
}
