// Package rules holds the project's own rules over infra/template.yaml and over which package may import which, as
// tests, and gives other tests the routes that the template declares.
package rules

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Route is one route of the HTTP API.
type Route struct {
	Method string   // ANY: the function's router answers 405 to the methods it does not have
	Path   string   // with {parameters}, as in Go's ServeMux; Default for what no other route takes
	Scopes []string // that the access token must carry one of; empty for everybody
}

// Default is the path of the route that takes what no other one does, as API Gateway calls it. Its event names no path.
const Default = "$default"

// Routes returns the routes that infra/template.yaml declares for a function, named by its folder under functions/,
// sorted by path. It finds the template by walking up from the working directory to go.mod, so that a function's test
// can compare its router with it. A function that is not in the template is an error; one without routes is not.
func Routes(function string) ([]Route, error) {
	t, err := load()
	if err != nil {
		return nil, fmt.Errorf("routes of %s: %w", function, err)
	}
	for _, f := range t.functions() {
		if f.folder == function {
			return f.routes(), nil
		}
	}
	return nil, fmt.Errorf("routes of %s: no function in the template has this folder", function)
}

// function is one AWS::Serverless::Function.
type function struct {
	id         string // logical id
	folder     string // under functions/
	properties object
	metadata   object
}

func (t *template) functions() []function {
	var all []function
	for _, id := range t.ofType("AWS::Serverless::Function") {
		r := t.resources.object(id)
		all = append(all, function{
			id:         id,
			folder:     path.Base(r.object("Properties").text("CodeUri")),
			properties: r.object("Properties"),
			metadata:   r.object("Metadata"),
		})
	}
	return all
}

// events returns the properties of the function's events of one type, by event name.
func (f function) events(kind string) map[string]object {
	found := map[string]object{}
	events := f.properties.object("Events")
	for name := range events {
		if e := events.object(name); e.text("Type") == kind {
			found[name] = e.object("Properties")
		}
	}
	return found
}

func (f function) routes() []Route {
	var routes []Route
	for _, e := range f.events("HttpApi") {
		r := Route{Method: e.text("Method"), Path: e.text("Path"), Scopes: e.object("Auth").texts("AuthorizationScopes")}
		if r.Method == "" && r.Path == "" {
			r.Method, r.Path = "ANY", Default
		}
		routes = append(routes, r)
	}
	slices.SortFunc(routes, func(a, b Route) int { return strings.Compare(a.Path, b.Path) })
	return routes
}
