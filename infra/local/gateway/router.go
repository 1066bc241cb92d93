package gateway

import (
	"fmt"
	"slices"
	"strings"
)

// router finds the most specific route: a full match before one with {variables}, and those before a greedy {name+};
// a method of its own before ANY.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
type router struct {
	routes   []pattern
	fallback *pattern // $default
}

type pattern struct {
	route    Route
	segments []string
}

// match is the route of a request with the values of its path's variables.
type match struct {
	route     Route
	variables map[string]string
}

// key is how API Gateway names the route.
func (m match) key() string {
	if m.route.Path == "$default" {
		return "$default"
	}
	return m.route.Method + " " + m.route.Path
}

func newRouter(routes []Route) (*router, error) {
	out := &router{}
	seen := map[string]bool{}
	for _, r := range routes {
		r.Method = strings.ToUpper(r.Method)
		key := r.Method + " " + r.Path
		if seen[key] {
			return nil, fmt.Errorf("gateway: route %s stands twice", key)
		}
		seen[key] = true
		p := pattern{route: r, segments: strings.Split(strings.TrimPrefix(r.Path, "/"), "/")}
		if r.Path == "$default" {
			out.fallback = &p
			continue
		}
		if !strings.HasPrefix(r.Path, "/") {
			return nil, fmt.Errorf("gateway: the path of route %s does not begin with /", key)
		}
		out.routes = append(out.routes, p)
	}
	slices.SortStableFunc(out.routes, comparePatterns)
	return out, nil
}

// comparePatterns puts the more specific pattern first.
func comparePatterns(a, b pattern) int {
	for i := range min(len(a.segments), len(b.segments)) {
		if d := weight(a.segments[i]) - weight(b.segments[i]); d != 0 {
			return d
		}
	}
	switch {
	case a.route.Method != "ANY" && b.route.Method == "ANY":
		return -1
	case a.route.Method == "ANY" && b.route.Method != "ANY":
		return 1
	default:
		return 0
	}
}

func weight(segment string) int {
	switch {
	case strings.HasSuffix(segment, "+}"):
		return 2
	case strings.HasPrefix(segment, "{"):
		return 1
	default:
		return 0
	}
}

func (r *router) find(method, path string) (match, bool) {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for _, p := range r.routes {
		if p.route.Method != "ANY" && p.route.Method != method {
			continue
		}
		if variables, ok := p.fits(segments); ok {
			return match{p.route, variables}, true
		}
	}
	if r.fallback != nil {
		return match{r.fallback.route, nil}, true
	}
	return match{}, false
}

func (p pattern) fits(segments []string) (map[string]string, bool) {
	var variables map[string]string
	bind := func(name, value string) {
		if variables == nil {
			variables = map[string]string{}
		}
		variables[name] = value
	}
	for i, want := range p.segments {
		switch weight(want) {
		case 2:
			rest := strings.Join(segments[min(i, len(segments)):], "/")
			bind(strings.TrimSuffix(want[1:], "+}"), rest)
			return variables, rest != ""
		case 1:
			if i >= len(segments) || segments[i] == "" {
				return nil, false
			}
			bind(strings.TrimSuffix(want[1:], "}"), segments[i])
		default:
			if i >= len(segments) || segments[i] != want {
				return nil, false
			}
		}
	}
	return variables, len(segments) == len(p.segments)
}
