package gateway

import (
	"encoding/base64"
	"mime"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json" // half the time of encoding/json on a page
	"github.com/go-json-experiment/json/jsontext"
	"github.com/oklog/ulid/v2"
)

// newEvent is a request as payload version 2: the path decoded, the query raw, repeated headers joined by commas,
// cookies apart, and bodies that are not text as base64.
func newEvent(r *http.Request, m match, claims *login, body []byte, now time.Time) events.APIGatewayV2HTTPRequest {
	text, encoded := bodyOf(r, body)
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: m.key(), RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery, Headers: headers(r),
		QueryStringParameters: query(r), PathParameters: m.variables, Body: text, IsBase64Encoded: encoded,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: m.key(), AccountID: "000000000000", APIID: "local", Stage: "$default", RequestID: ulid.Make().String(),
			DomainName: r.Host, DomainPrefix: "local", Time: now.UTC().Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: r.Method, Path: r.URL.Path, Protocol: r.Proto,
				SourceIP: sourceIP(r), UserAgent: r.UserAgent()},
		},
	}
	for _, line := range r.Header.Values("Cookie") {
		for cookie := range strings.SplitSeq(line, ";") {
			if cookie = strings.TrimSpace(cookie); cookie != "" {
				e.Cookies = append(e.Cookies, cookie)
			}
		}
	}
	if claims != nil {
		e.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
			JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: claims.claims, Scopes: claims.scopes}}
	}
	return e
}

// hopByHop are headers of one connection; they end at the gateway in either direction.
var hopByHop = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

func headers(r *http.Request) map[string]string {
	out := make(map[string]string, len(r.Header)+4)
	for name, values := range r.Header {
		if name != "Cookie" && !slices.Contains(hopByHop, name) {
			out[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	out["host"] = r.Host
	scheme, port := "http", "80"
	if r.TLS != nil {
		scheme, port = "https", "443"
	}
	if _, p, err := net.SplitHostPort(r.Host); err == nil {
		port = p
	}
	// As on AWS, scheme and port are the gateway's own, but a client may put addresses before its real one.
	out["x-forwarded-proto"], out["x-forwarded-port"] = scheme, port
	if claimed := out["x-forwarded-for"]; claimed != "" {
		out["x-forwarded-for"] = claimed + ", " + sourceIP(r)
	} else {
		out["x-forwarded-for"] = sourceIP(r)
	}
	return out
}

func query(r *http.Request) map[string]string {
	values := r.URL.Query()
	if len(values) == 0 {
		return nil
	}
	out := make(map[string]string, len(values))
	for name, list := range values {
		out[name] = strings.Join(list, ",")
	}
	return out
}

// bodyOf is the body as the event carries it. API Gateway passes JSON, XML, JavaScript and text on as they are and
// encodes everything else, forms included.
func bodyOf(r *http.Request, body []byte) (string, bool) {
	if len(body) == 0 {
		return "", false
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	textual := strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+xml") ||
		slices.Contains([]string{"application/json", "application/xml", "application/javascript"}, media)
	if textual && r.Header.Get("Content-Encoding") == "" && utf8.Valid(body) { // an event is JSON, and that is UTF-8
		return string(body), false
	}
	return base64.StdEncoding.EncodeToString(body), true
}

// answer is what a function returns in payload version 2.
type answer struct {
	StatusCode      *int              `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	Cookies         []string          `json:"cookies"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

// respond answers with a function's answer. One without a statusCode is a body of its own, as payload version 2 allows.
func respond(w http.ResponseWriter, r *http.Request, payload []byte) {
	var a answer
	err := json.Unmarshal(payload, &a)
	if a.StatusCode == nil {
		bare(w, r, payload)
		return
	}
	body := []byte(a.Body)
	if a.IsBase64Encoded && err == nil {
		body, err = base64.StdEncoding.DecodeString(a.Body)
	}
	if err != nil || *a.StatusCode < 200 || *a.StatusCode > 599 {
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	for name, value := range a.Headers {
		if name = http.CanonicalHeaderKey(name); name != "Content-Length" && !slices.Contains(hopByHop, name) {
			w.Header().Set(name, value)
		}
	}
	for _, cookie := range a.Cookies {
		w.Header().Add("Set-Cookie", cookie)
	}
	send(w, r, *a.StatusCode, body)
}

// bare sends what a function returned without a status: a text as it is, anything else as JSON.
func bare(w http.ResponseWriter, r *http.Request, payload []byte) {
	var text string
	if err := json.Unmarshal(payload, &text); err == nil {
		payload = []byte(text)
	} else if !jsontext.Value(payload).IsValid() {
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	send(w, r, http.StatusOK, payload)
}

func send(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	if w.Header().Get("Content-Type") == "" && len(body) > 0 {
		w.Header().Set("Content-Type", "text/plain;charset=utf-8")
	}
	if status == http.StatusNoContent || status == http.StatusNotModified {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client may be gone
	}
}
