// Package gateway serves an HTTP API as API Gateway does: routes to functions as events of payload version 2, with
// its login, throttle, limits and answers of its own.
package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Route is one route of the template.
type Route struct {
	Path       string // with {name} and {name+}
	Method     string // or ANY
	Function   string
	Authorizer string // empty for everybody
	Scopes     []string
}

// Options are what a gateway is made of.
type Options struct {
	Routes      []Route
	Authorizers map[string]Authorizer
	Rate        float64 // requests per second over all routes; 0 does not throttle
	Burst       int
	Timeout     time.Duration // of an integration; 0 means API Gateway's 30 s
	Invoke      func(ctx context.Context, function string, payload []byte) (answer []byte, failed bool, err error)
	Now         func() time.Time
}

// Limits of API Gateway HTTP APIs.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
const (
	maxBody     = 10 << 20
	maxHead     = 10_240 // request line and headers
	maxAnswer   = 6 << 20
	maxDuration = 30 * time.Second
)

// Gateway is an http.Handler.
type Gateway struct {
	routes  *router
	guards  map[string]*guard
	limiter *rate.Limiter
	o       Options
}

// New makes a gateway; it refuses routes that name an unknown authorizer or stand twice.
func New(o Options) (*Gateway, error) {
	g := &Gateway{o: o, guards: map[string]*guard{}}
	for name, a := range o.Authorizers {
		g.guards[name] = newGuard(a, o.Now)
	}
	for _, r := range o.Routes {
		if r.Authorizer != "" && g.guards[r.Authorizer] == nil {
			return nil, fmt.Errorf("gateway: route %s names the unknown authorizer %q", r.Path, r.Authorizer)
		}
	}
	var err error
	if g.routes, err = newRouter(o.Routes); err != nil {
		return nil, err
	}
	if o.Rate > 0 {
		g.limiter = rate.NewLimiter(rate.Limit(o.Rate), max(1, o.Burst))
	}
	if g.o.Timeout == 0 {
		g.o.Timeout = maxDuration
	}
	return g, nil
}

// ServeHTTP implements http.Handler.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if headSize(r) > maxHead {
		refuse(w, http.StatusRequestHeaderFieldsTooLarge, "Request Header Fields Too Large")
		return
	}
	match, ok := g.routes.find(r.Method, r.URL.Path)
	if !ok {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	var claims *login
	if match.route.Authorizer != "" {
		var status int
		if claims, status = g.guards[match.route.Authorizer].check(r, match.route.Scopes); status != 0 {
			if status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", "Bearer")
			}
			refuse(w, status, http.StatusText(status))
			return
		}
	}
	if g.limiter != nil && !g.limiter.Allow() {
		refuse(w, http.StatusTooManyRequests, "Too Many Requests")
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		refuse(w, http.StatusBadRequest, "Bad Request")
		return
	}
	if len(body) > maxBody {
		refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	}
	g.integrate(w, r, match, claims, body)
}

// integrate invokes the route's function and answers with what it says.
func (g *Gateway) integrate(w http.ResponseWriter, r *http.Request, m match, claims *login, body []byte) {
	payload, err := json.Marshal(newEvent(r, m, claims, body, g.o.Now()))
	if err != nil {
		refuse(w, http.StatusBadRequest, "Bad Request")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), g.o.Timeout)
	defer cancel()
	answer, failed, err := g.o.Invoke(ctx, m.route.Function, payload)
	switch {
	case ctx.Err() != nil:
		refuse(w, http.StatusServiceUnavailable, "Service Unavailable")
	case err != nil || failed || len(answer) > maxAnswer:
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
	default:
		respond(w, r, answer)
	}
}

// refuse is an answer of the gateway itself.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"message":%q}`, message)
}

func headSize(r *http.Request) int {
	n := len(r.Method) + len(r.RequestURI) + len(r.Proto) + 4
	for name, values := range r.Header {
		for _, v := range values {
			n += len(name) + len(v) + 4
		}
	}
	return n
}

func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return strings.Trim(host, "[]")
}
