package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"yundian/shared/fail"
	"yundian/shared/shop"
	"yundian/shared/telemetry"
)

// MaxResponse is how large an encoded response may be, in bytes: Lambda's limit of 6 MB on a synchronous response,
// less room for its own envelope. Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const MaxResponse = 6<<20 - 16<<10

// request is what the gateway says about a request besides what HTTP says.
type request struct {
	id     string
	caller Caller
	known  bool // whether the gateway checked a token

	domain   string                                       // of the API, as the gateway knows it
	settings func(context.Context) (shop.Settings, error) // of the shop, for pages of refusals; may be nil
}

type requestKey struct{}

func requestOf(ctx context.Context) request {
	r, _ := ctx.Value(requestKey{}).(request)
	return r
}

// RequestID is the gateway's id of the request, "" outside the gateway. It is the instance of every problem.
func RequestID(ctx context.Context) string { return requestOf(ctx).id }

// Invoke implements lambda.Handler. It never returns an error: even an event that is no HTTP event gets an answer.
func (a *Adapter) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var event events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(payload, &event); err != nil {
		slog.ErrorContext(ctx, "event is no gateway event", "error", err, "bytes", len(payload))
		event = events.APIGatewayV2HTTPRequest{}
	}
	response, encoded := a.answer(ctx, event)
	if encoded == nil {
		encoded = encode(response)
	}
	return encoded, nil
}

// Handle answers one event. Tests use it; Lambda uses Invoke.
func (a *Adapter) Handle(ctx context.Context, event events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPResponse {
	response, _ := a.answer(ctx, event)
	return response
}

// answer also returns the encoded response when it had to encode it to know its size.
func (a *Adapter) answer(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, []byte) {
	info := request{id: event.RequestContext.RequestID, domain: event.RequestContext.DomainName, settings: a.settings}
	info.caller, info.known = callerFrom(event, a.groupsClaim)
	ctx = context.WithValue(telemetry.WithRequest(ctx, info.id), requestKey{}, info)
	if deadline, ok := ctx.Deadline(); ok {
		// A function with a very short timeout still gets half of it.
		margin := min(a.margin, time.Until(deadline)/2)
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-margin))
		defer cancel()
	}
	response, err := a.proxy(ctx, event)
	if err != nil {
		// No method, or a body that is not the base64 it claims to be; everything else is repaired.
		slog.WarnContext(ctx, "event is no HTTP request", "error", err)
		response = a.refuse(ctx, fail.New(fail.Invalid, "request_malformed", "This request could not be understood.", nil))
	}
	if len(response.Body) <= MaxResponse/6 { // JSON turns one byte into six at worst
		return response, nil
	}
	encoded := encode(response)
	if len(encoded) > MaxResponse {
		slog.ErrorContext(ctx, "response is too large", "bytes", len(encoded), "path", event.RawPath)
		return a.refuse(ctx, fmt.Errorf("response of %d bytes is over the limit of %d", len(encoded), MaxResponse)), nil
	}
	return response, encoded
}

// encode writes a response without escaping < and >, which would make every page larger.
func encode(response events.APIGatewayV2HTTPResponse) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(response); err != nil {
		panic(fmt.Sprintf("web: a response of strings encodes: %v", err))
	}
	return b.Bytes()
}

// proxy hands httpadapter only the parts of the event that it gets right (method, body) and restores path, query,
// headers, cookies and address itself: the adapter splits headers at commas, fails on % in a path, reads a ? in a
// path as a query, hides all cookies but one, and gives an address without a port.
func (a *Adapter) proxy(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	// Without a method there was no HTTP request: a v1 event, or something else altogether.
	method := event.RequestContext.HTTP.Method
	if method == "" || strings.Trim(strings.ToUpper(method), "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "" {
		return events.APIGatewayV2HTTPResponse{}, fmt.Errorf("read event: method %q is none of HTTP's", method)
	}
	body, err := bodyOf(event)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	plain := events.APIGatewayV2HTTPRequest{RawPath: "/", RequestContext: event.RequestContext, Body: body}
	plain.RequestContext.DomainName = "store.invalid" // a real one could fail to parse; Host is restored below
	adapter := httpadapter.NewV2(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		restore(r, event)
		a.run(w, r)
	}))
	return adapter.ProxyWithContext(ctx, plain)
}

func bodyOf(event events.APIGatewayV2HTTPRequest) (string, error) {
	if !event.IsBase64Encoded {
		return event.Body, nil
	}
	body, err := base64.StdEncoding.DecodeString(event.Body)
	if err != nil {
		return "", fmt.Errorf("decode body: %w", err)
	}
	return string(body), nil
}

// restore gives the request what the event says. The gateway decoded the path and left the query as it was.
func restore(r *http.Request, event events.APIGatewayV2HTTPRequest) {
	path := event.RawPath
	if path == "" {
		path = event.RequestContext.HTTP.Path
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	r.URL = &url.URL{Path: path, RawQuery: event.RawQueryString}
	r.RequestURI = r.URL.RequestURI()
	r.Header = make(http.Header, len(event.Headers)+1)
	for name, value := range event.Headers {
		// Repeated headers arrive joined by commas; taking them apart would break single headers with commas.
		r.Header.Set(name, value)
	}
	if len(event.Cookies) > 0 {
		r.Header.Set("Cookie", strings.Join(event.Cookies, "; "))
	}
	r.Host = r.Header.Get("Host")
	if r.Host == "" {
		r.Host = event.RequestContext.DomainName
	}
	r.Header.Del("Host") // as net/http does
	r.RemoteAddr = net.JoinHostPort(event.RequestContext.HTTP.SourceIP, "0")
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
}

// run calls the handler on a recorder of its own goroutine, so that a handler that outlives the deadline cannot keep
// the answer back; what it still writes is dropped.
func (a *Adapter) run(w http.ResponseWriter, r *http.Request) {
	done := make(chan *recorder, 1)
	go func() {
		rec := newRecorder(r)
		defer func() {
			if cause := recover(); cause != nil {
				slog.ErrorContext(r.Context(), "handler panicked", "path", r.URL.Path, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
				rec = newRecorder(r)
				WriteProblem(rec, r, fmt.Errorf("handler panicked"))
			}
			done <- rec
		}()
		a.handler.ServeHTTP(rec, r)
	}()
	select {
	case rec := <-done:
		rec.flush(w)
	case <-r.Context().Done():
		slog.ErrorContext(r.Context(), "deadline passed before the answer", "method", r.Method, "path", r.URL.Path)
		rec := newRecorder(r)
		WriteProblem(rec, r, r.Context().Err())
		rec.flush(w)
	}
}

// refuse answers an event that never became a request.
func (a *Adapter) refuse(ctx context.Context, err error) events.APIGatewayV2HTTPResponse {
	blank := events.APIGatewayV2HTTPRequest{RawPath: "/"}
	blank.RequestContext.HTTP.Method = http.MethodGet
	answer := httpadapter.NewV2(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := newRecorder(r)
		WriteProblem(rec, r, err)
		rec.flush(w)
	}))
	response, failed := answer.ProxyWithContext(ctx, blank)
	if failed != nil {
		panic(fmt.Sprintf("web: a blank GET is a request: %v", failed))
	}
	return response
}
