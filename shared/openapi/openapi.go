// Package openapi holds the one document that describes every JSON API of the store (OpenAPI 3.1), which the storefront
// serves at /openapi.json:
//
//	w.Header().Set("Content-Type", "application/json")
//	w.Write(openapi.Document)
//
// It is merged from parts, one per function, that the functions' own tests keep current (package openapitest), so that
// no function carries another's code for it. To bring everything up to date after changing an API:
//
//	UPDATE=1 go test ./functions/... && UPDATE=1 go test ./shared/openapi
package openapi

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Document is the merged document, as JSON.
//
//go:embed openapi.json
var Document []byte

type object = map[string]any

// Merge makes one document of parts by name: their paths and components side by side. What two parts both describe must
// be described equally; anything else is an error that names it. Equal parts give equal bytes.
func Merge(parts map[string][]byte) ([]byte, error) {
	if len(parts) == 0 {
		return nil, fmt.Errorf("merge OpenAPI parts: there are none")
	}
	merged := object{}
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		var part object
		d := json.NewDecoder(bytes.NewReader(parts[name]))
		d.UseNumber() // limits such as 2^53 keep their digits
		if err := d.Decode(&part); err != nil {
			return nil, fmt.Errorf("read OpenAPI part %s: %w", name, err)
		}
		if err := join(merged, part, 0); err != nil {
			return nil, fmt.Errorf("merge OpenAPI part %s: %w", name, err)
		}
	}
	return Encode(merged)
}

// join adds what from has to into. It goes down two levels, to the methods of each path and the names of each kind of
// component: those are whole, and equal where both have them.
func join(into, from object, level int) error {
	for _, name := range slices.Sorted(maps.Keys(from)) {
		old, exists := into[name]
		if !exists {
			into[name] = from[name]
			continue
		}
		if reflect.DeepEqual(old, from[name]) {
			continue
		}
		a, isObject := old.(object)
		b, alsoObject := from[name].(object)
		if level == 2 || !isObject || !alsoObject {
			return fmt.Errorf("%s is described twice, and differently", name)
		}
		if err := join(a, b, level+1); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// Encode writes a document or part as it is kept: indented, members in order, so that a change reads well in a diff.
func Encode(document any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(document); err != nil {
		return nil, fmt.Errorf("encode OpenAPI document: %w", err)
	}
	return b.Bytes(), nil
}
