// Package gateway serves an HTTP API as API Gateway does: routes to functions as events of payload version 2, with
// its login, throttle, limits and answers of its own.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/time/rate"
)

// Route is one route of the template.
type Route struct {
	Path       string // with {name} and {name+}
	Method     string // or ANY
	Function   string
	Authorizer string // empty for everybody
	Scopes     []string
	Timeout    time.Duration // of its integration; 0 means the API's
	Rate       float64       // requests per second of this route alone; 0 means the API's over all routes
	Burst      int
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

// What Options.Invoke may wrap: the event is larger than a function takes, or the function takes no more at the moment.
var (
	ErrTooLarge = errors.New("event is too large")
	ErrBusy     = errors.New("function takes no more events now")
)

// Gateway is an http.Handler.
type Gateway struct {
	routes   *router
	guards   map[string]*guard
	limiter  *rate.Limiter
	limiters map[string]*rate.Limiter // of routes with a limit of their own, by key
	o        Options
}

// New makes a gateway; it refuses routes that name an unknown authorizer or stand twice.
func New(o Options) (*Gateway, error) {
	g := &Gateway{o: o, guards: map[string]*guard{}, limiters: map[string]*rate.Limiter{}}
	for name, a := range o.Authorizers {
		g.guards[name] = newGuard(a, o.Now)
	}
	for _, r := range o.Routes {
		if r.Authorizer != "" && g.guards[r.Authorizer] == nil {
			return nil, fmt.Errorf("gateway: route %s names the unknown authorizer %q", r.Path, r.Authorizer)
		}
		if r.Rate > 0 {
			g.limiters[match{route: r}.key()] = rate.NewLimiter(rate.Limit(r.Rate), max(1, r.Burst))
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
	if !g.allow(match) {
		refuse(w, http.StatusTooManyRequests, "Too Many Requests")
		return
	}
	body, status := readBody(r)
	if status != 0 {
		refuse(w, status, http.StatusText(status))
		return
	}
	g.integrate(w, r, match, claims, body)
}

// allow takes one request from the route's limit, or from the API's where the route has none.
func (g *Gateway) allow(m match) bool {
	if own, ok := g.limiters[m.key()]; ok {
		return own.Allow()
	}
	return g.limiter == nil || g.limiter.Allow()
}

// readBody reads the whole body, or gives the status to refuse it with.
func readBody(r *http.Request) ([]byte, int) {
	if r.ContentLength == 0 {
		return nil, 0
	}
	tooLarge := r.ContentLength > maxBody
	var body []byte
	if !tooLarge {
		var err error
		if body, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1)); err != nil {
			return nil, http.StatusBadRequest
		}
		tooLarge = len(body) > maxBody
	}
	if tooLarge {
		// A client that is still sending would see a broken connection instead of the answer, so some more is read.
		_, _ = io.CopyN(io.Discard, r.Body, 2*maxBody)
		return nil, http.StatusRequestEntityTooLarge
	}
	return body, 0
}

// integrate invokes the route's function and answers with what it says.
func (g *Gateway) integrate(w http.ResponseWriter, r *http.Request, m match, claims *login, body []byte) {
	payload, err := json.Marshal(newEvent(r, m, claims, body, g.o.Now()))
	if err != nil {
		refuse(w, http.StatusBadRequest, "Bad Request")
		return
	}
	timeout := g.o.Timeout
	if m.route.Timeout > 0 {
		timeout = min(timeout, m.route.Timeout)
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	answer, failed, err := g.o.Invoke(ctx, m.route.Function, payload)
	switch {
	case ctx.Err() != nil || errors.Is(err, ErrBusy):
		refuse(w, http.StatusServiceUnavailable, "Service Unavailable")
	case errors.Is(err, ErrTooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
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
	n := len(r.Method) + len(r.RequestURI) + len(r.Proto) + len(r.Host) + 10
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
