package main

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"yundian/shared/openapi/openapitest"
	"yundian/shared/web/api"
)

// TestOpenAPI describes the one route, whose body and signature are each provider's own.
func TestOpenAPI(t *testing.T) {
	a := api.New(http.NewServeMux())
	huma.Register(a, huma.Operation{OperationID: "providerEvent", Method: "POST", Path: "/webhooks/{provider}", DefaultStatus: 204, Tags: []string{"Providers"},
		Summary: "A payment provider's signed event: 204 when it is recorded or of no interest", Errors: []int{400, 403, 404, 409, 413}},
		func(context.Context, *struct {
			Provider string `path:"provider"`
			Body     json.RawMessage
		}) (*struct{}, error) {
			return nil, nil
		})
	openapitest.Check(t, a, "payments")
}
