package gateway

import (
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
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

func headers(r *http.Request) map[string]string {
	out := make(map[string]string, len(r.Header)+4)
	for name, values := range r.Header {
		if name != "Cookie" {
			out[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	out["host"] = r.Host
	scheme, port := "http", "80"
	if r.TLS != nil {
		scheme, port = "https", "443"
	}
	if _, p, ok := strings.Cut(r.Host, ":"); ok {
		port = p
	}
	// Clients' own forwarding headers are replaced: functions may trust these.
	out["x-forwarded-proto"], out["x-forwarded-port"], out["x-forwarded-for"] = scheme, port, sourceIP(r)
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
	if textual && r.Header.Get("Content-Encoding") == "" {
		return string(body), false
	}
	return base64.StdEncoding.EncodeToString(body), true
}

// respond answers with a function's answer. One without a statusCode is a body of its own, as payload version 2 allows.
func respond(w http.ResponseWriter, r *http.Request, answer []byte) {
	var a events.APIGatewayV2HTTPResponse
	var shape struct {
		StatusCode *int `json:"statusCode"`
	}
	if json.Unmarshal(answer, &shape) != nil || shape.StatusCode == nil {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
		return
	}
	if err := json.Unmarshal(answer, &a); err != nil || a.StatusCode < 100 || a.StatusCode > 599 {
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	body := []byte(a.Body)
	if a.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(a.Body); err != nil {
			refuse(w, http.StatusInternalServerError, "Internal Server Error")
			return
		}
	}
	for name, value := range a.Headers {
		w.Header().Set(name, value)
	}
	for name, values := range a.MultiValueHeaders {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	for _, cookie := range a.Cookies {
		w.Header().Add("Set-Cookie", cookie)
	}
	if w.Header().Get("Content-Type") == "" && len(body) > 0 {
		w.Header().Set("Content-Type", "text/plain;charset=utf-8")
	}
	w.WriteHeader(a.StatusCode)
	if r.Method != http.MethodHead && a.StatusCode != http.StatusNoContent && a.StatusCode != http.StatusNotModified {
		_, _ = w.Write(body) // the client may be gone
	}
}
