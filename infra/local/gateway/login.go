package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/lestrrat-go/jwx/v3/jwt"
)

// Authorizer is a JWT authorizer of the template.
type Authorizer struct {
	Issuer   string
	Audience []string
}

// login is what a token proved.
type login struct {
	claims map[string]string
	scopes []string // those of the route that the token has
}

// guard checks tokens as the JWT authorizer of API Gateway does: issuer, audience (or client_id where there is none),
// times, and one of the route's scopes. Keys come only from the configured issuer; nothing in a token is fetched.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
type guard struct {
	authorizer Authorizer
	now        func() time.Time
	client     *http.Client

	mu      sync.Mutex
	keys    jwk.Set
	fetched time.Time
}

// keyAge is how long the issuer's keys are kept; an unknown key is looked for again after keyPause at the earliest.
const (
	keyAge   = 2 * time.Hour
	keyPause = 10 * time.Second
	maxKeys  = 1 << 20 // bytes of a key document
)

func newGuard(a Authorizer, now func() time.Time) *guard {
	return &guard{authorizer: a, now: now, client: &http.Client{Timeout: 5 * time.Second}}
}

// check gives the login of a request, or the status to refuse it with.
func (g *guard) check(r *http.Request, scopes []string) (*login, int) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 || strings.Contains(values[0], ",") {
		return nil, http.StatusUnauthorized
	}
	token, bearer := strings.CutPrefix(values[0], "Bearer ")
	if !bearer {
		token = values[0]
	}
	parsed, err := g.verify(r.Context(), strings.TrimSpace(token))
	if err != nil {
		return nil, http.StatusUnauthorized
	}
	claims, err := flatten(parsed)
	if err != nil {
		return nil, http.StatusUnauthorized
	}
	granted := strings.Fields(claims["scope"])
	var has []string
	for _, s := range scopes {
		if slices.Contains(granted, s) {
			has = append(has, s)
		}
	}
	if len(scopes) > 0 && len(has) == 0 {
		return nil, http.StatusForbidden
	}
	return &login{claims: claims, scopes: has}, 0
}

func (g *guard) verify(ctx context.Context, token string) (jwt.Token, error) {
	message, err := jws.Parse([]byte(token), jws.WithCompact())
	if err != nil || len(message.Signatures()) != 1 {
		return nil, fmt.Errorf("not one signed token")
	}
	header := message.Signatures()[0].ProtectedHeaders()
	algorithm, _ := header.Algorithm()
	kid, _ := header.KeyID()
	if algorithm != jwa.RS256() || kid == "" {
		return nil, fmt.Errorf("algorithm or key id not accepted")
	}
	key, err := g.key(ctx, kid)
	if err != nil {
		return nil, err
	}
	parsed, err := jwt.Parse([]byte(token), jwt.WithKey(jwa.RS256(), key), jwt.WithClock(jwt.ClockFunc(g.now)), jwt.WithRequiredClaim("exp"),
		jwt.WithIssuer(g.authorizer.Issuer))
	if err != nil {
		return nil, err
	}
	audience, _ := parsed.Audience()
	if len(audience) == 0 {
		var client string
		_ = parsed.Get("client_id", &client) // an absent one matches nothing
		audience = []string{client}
	}
	for _, a := range audience {
		if a != "" && slices.Contains(g.authorizer.Audience, a) {
			return parsed, nil
		}
	}
	return nil, fmt.Errorf("audience not accepted")
}

// key is the issuer's key with this id.
func (g *guard) key(ctx context.Context, kid string) (jwk.Key, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	age := g.now().Sub(g.fetched)
	if g.keys != nil && age < keyAge {
		if key, ok := g.keys.LookupKeyID(kid); ok {
			return key, nil
		}
	}
	if g.keys == nil || age > keyPause || age < 0 {
		keys, err := g.fetch(ctx)
		if err != nil {
			return nil, err
		}
		g.keys, g.fetched = keys, g.now()
	}
	if key, ok := g.keys.LookupKeyID(kid); ok {
		return key, nil
	}
	return nil, fmt.Errorf("unknown key")
}

func (g *guard) fetch(ctx context.Context) (jwk.Set, error) {
	var discovery struct {
		JWKS string `json:"jwks_uri"`
	}
	text, err := g.get(ctx, strings.TrimRight(g.authorizer.Issuer, "/")+"/.well-known/openid-configuration")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &discovery); err != nil {
		return nil, fmt.Errorf("read discovery document: %w", err)
	}
	if text, err = g.get(ctx, discovery.JWKS); err != nil {
		return nil, err
	}
	return jwk.Parse(text)
}

func (g *guard) get(ctx context.Context, address string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := g.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %d", address, resp.StatusCode)
	}
	return io.ReadAll(io.LimitReader(resp.Body, maxKeys))
}

// flatten writes every claim as a string, the way functions receive them: lists as [a b].
func flatten(t jwt.Token) (map[string]string, error) {
	text, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	var claims map[string]json.RawMessage
	if err := json.Unmarshal(text, &claims); err != nil {
		return nil, err
	}
	out := make(map[string]string, len(claims))
	for name, raw := range claims {
		var s string
		var list []any
		switch {
		case json.Unmarshal(raw, &s) == nil:
			out[name] = s
		case json.Unmarshal(raw, &list) == nil:
			words := make([]string, len(list))
			for i, v := range list {
				words[i] = fmt.Sprint(v)
			}
			out[name] = "[" + strings.Join(words, " ") + "]"
		default:
			out[name] = string(raw)
		}
	}
	return out, nil
}
