package openapi

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// read gives the parts as they are kept.
func read(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("parts/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d parts, %v", len(files), err)
	}
	parts := map[string][]byte{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parts[strings.TrimSuffix(filepath.Base(file), ".json")] = text
	}
	return parts
}

func TestDocumentIsCurrent(t *testing.T) {
	merged, err := Merge(read(t))
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile("openapi.json", merged, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(merged, Document) {
		t.Error("openapi.json is not what its parts make; write it with UPDATE=1 go test ./shared/openapi")
	}
}

var reference = regexp.MustCompile(`"\$ref": "#/components/schemas/([^"]+)"`)

func TestDocumentIsWhole(t *testing.T) {
	var document struct {
		OpenAPI    string
		Info       struct{ Title, Version string }
		Paths      map[string]map[string]struct{ OperationID string }
		Components struct{ Schemas map[string]any }
	}
	// From the file, not from the binary: with UPDATE=1 the test before has just written it.
	text, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(document.OpenAPI, "3.1") || document.Info.Title == "" || document.Info.Version == "" || len(document.Paths) == 0 {
		t.Errorf("document %+v", document)
	}
	seen := map[string]string{}
	for path, operations := range document.Paths {
		for method, operation := range operations {
			if other, twice := seen[operation.OperationID]; twice || operation.OperationID == "" {
				t.Errorf("%s %s has the operation id %q, as has %s", method, path, operation.OperationID, other)
			}
			seen[operation.OperationID] = method + " " + path
		}
	}
	for _, found := range reference.FindAllSubmatch(text, -1) {
		if _, ok := document.Components.Schemas[string(found[1])]; !ok {
			t.Errorf("schema %s is referred to but not there", found[1])
		}
	}
	for _, bad := range []string{"$schema", "cbor"} {
		if bytes.Contains(text, []byte(bad)) {
			t.Errorf("document speaks of %s", bad)
		}
	}
}

func TestMerge(t *testing.T) {
	head := `"openapi": "3.1.0", "info": {"title": "Yundian", "version": "1"}`
	links := `{` + head + `, "paths": {"/v1/links": {"get": {"operationId": "a"}}}, "components": {"schemas": {"Amount": {"type": "object"}, "Link": {"maximum": 9007199254740993}}}}`
	orders := `{` + head + `, "paths": {"/v1/orders": {"get": {"operationId": "b"}}, "/v1/links": {"post": {"operationId": "c"}}}, "components": {"schemas": {"Amount": {"type": "object"}}}}`
	merged, err := Merge(map[string][]byte{"portal": []byte(links), "admin": []byte(orders)})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"operationId": "a"`, `"operationId": "b"`, `"operationId": "c"`, `"Amount"`, `9007199254740993`} {
		if !bytes.Contains(merged, []byte(want)) {
			t.Errorf("lacks %s\n%s", want, merged)
		}
	}
	for name, other := range map[string]string{
		"another schema":    strings.Replace(orders, `{"type": "object"}`, `{"type": "array"}`, 1),
		"more of a schema":  strings.Replace(orders, `{"type": "object"}`, `{"type": "object", "title": "x"}`, 1),
		"another operation": strings.Replace(orders, `"post"`, `"get"`, 1),
		"another version":   strings.Replace(orders, `"version": "1"`, `"version": "2"`, 1),
		"no JSON":           `{`,
	} {
		if merged, err := Merge(map[string][]byte{"portal": []byte(links), "admin": []byte(other)}); err == nil {
			t.Errorf("%s: merged to %s", name, merged)
		}
	}
	if _, err := Merge(nil); err == nil {
		t.Error("nothing was merged")
	}
}

// TestNoNumberIsAFloat: amounts are whole minor units and rates hundredths of a percent, everywhere.
func TestNoNumberIsAFloat(t *testing.T) {
	if regexp.MustCompile(`"type": ?"number"|"format": ?"(float|double)"`).Match(Document) {
		t.Error("the API describes a number that is not an integer")
	}
}
