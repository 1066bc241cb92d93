// Package openapitest keeps the part of the OpenAPI document that describes a function as current as its code.
//
//	func TestOpenAPI(t *testing.T) {
//		openapitest.Check(t, api, "portal") // api from package api, with every operation registered
//	}
//
// With UPDATE=1 the part is written; without, a difference fails the test.
package openapitest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"yundian/shared/openapi"
)

// Check compares shared/openapi/parts/<function>.json with what an API's operations say of themselves.
func Check(t testing.TB, a huma.API, function string) {
	t.Helper()
	text, err := json.Marshal(a.OpenAPI())
	if err != nil {
		t.Fatalf("describe %s: %v", function, err)
	}
	CheckDocument(t, text, function)
}

// CheckDocument is Check for a description written by hand, for functions whose handlers are not huma's.
func CheckDocument(t testing.TB, text []byte, function string) {
	t.Helper()
	var document any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&document); err != nil {
		t.Fatalf("description of %s is no JSON: %v", function, err)
	}
	want, err := openapi.Encode(document)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root(t), "shared", "openapi", "parts", function+".json")
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with UPDATE=1 go test", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("shared/openapi/parts/%s.json does not describe %s any more; write it with UPDATE=1 go test, then UPDATE=1 go test ./shared/openapi", function, function)
	}
}

// root is the repository's folder: the nearest one above that has go.mod.
func root(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			t.Fatal("no go.mod above the test")
		}
		folder = parent
	}
}
