package main

import (
	"net/http"
	"strings"
	"testing"

	"yundian/infra/rules"
)

// TestRoutesAreTheTemplates: a path that only one of the two knows would be a 404 on one side.
func TestRoutesAreTheTemplates(t *testing.T) {
	declared, err := rules.Routes("checkout")
	if err != nil {
		t.Fatal(err)
	}
	mux := routes(&checkout{})
	for _, route := range declared {
		served, want := 0, 1
		if route.Path == "/orders/{id}/confirm" { // a page with a button
			want = 2
		}
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r, err := http.NewRequest(method, strings.NewReplacer("{", "", "}", "").Replace(route.Path), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, pattern := mux.Handler(r); pattern == method+" "+route.Path {
				served++
			}
		}
		if served != want {
			t.Errorf("%s is served by %d of the router's patterns", route.Path, served)
		}
	}
	if want := 8; len(declared) != want {
		t.Errorf("the template declares %d routes, the router has %d", len(declared), want)
	}
}
