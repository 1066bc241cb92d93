package main

import (
	"testing"

	"yundian/shared/openapi/openapitest"
)

func TestOpenAPI(t *testing.T) {
	_, a := serve(&portal{})
	openapitest.Check(t, a, "portal")
}
