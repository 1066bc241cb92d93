package main

import (
	"net/http"
	"strings"
	"testing"

	"yundian/infra/rules"
)

// TestRoutesAreTheTemplates: a path that only one of the two knows would be a 404 on one side.
func TestRoutesAreTheTemplates(t *testing.T) {
	declared, err := rules.Routes("payments")
	if err != nil {
		t.Fatal(err)
	}
	mux := routes(&payments{})
	for _, route := range declared {
		served := 0
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r, err := http.NewRequest(method, strings.NewReplacer("{", "", "}", "").Replace(route.Path), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, pattern := mux.Handler(r); pattern == method+" "+route.Path {
				served++
			}
		}
		if served != 1 {
			t.Errorf("%s is served by %d of the router's patterns", route.Path, served)
		}
	}
	if want := 1; len(declared) != want {
		t.Errorf("the template declares %d routes, the router has %d", len(declared), want)
	}
}
