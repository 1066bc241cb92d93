package gateway

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// authority is an issuer in the test's hands: it signs whatever it is asked to, and counts what is fetched from it.
type authority struct {
	url     string
	key     *rsa.PrivateKey
	fetched atomic.Int32
	broken  atomic.Bool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{key: key}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.fetched.Add(1)
		if a.broken.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		switch r.URL.Path {
		case "/issuer/.well-known/openid-configuration":
			fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, a.url, a.url+"/jwks.json")
		case "/issuer/jwks.json":
			fmt.Fprintf(w, `{"keys":[%s]}`, jwkOf(&key.PublicKey, "k1"))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	a.url = s.URL + "/issuer"
	return a
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func jwkOf(key *rsa.PublicKey, kid string) string {
	return fmt.Sprintf(`{"kty":"RSA","alg":"RS256","use":"sig","kid":%q,"n":%q,"e":%q}`, kid, b64(key.N.Bytes()), b64(big.NewInt(int64(key.E)).Bytes()))
}

type fields map[string]any

// with is a copy with changes; a nil value removes a field.
func (f fields) with(changes fields) fields {
	out := fields{}
	for name, value := range f {
		out[name] = value
	}
	for name, value := range changes {
		out[name] = value
		if value == nil {
			delete(out, name)
		}
	}
	return out
}

func (a *authority) claims() fields {
	return fields{"iss": a.url, "sub": "s-1", "client_id": "portal", "token_use": "access", "scope": "openid yundian/koc", "iat": noon.Unix() - 10,
		"exp": noon.Unix() + 3600, "cognito:groups": []string{"koc", "operator"}, "verified": true}
}

func signingInput(t *testing.T, header, claims fields) string {
	t.Helper()
	var parts []string
	for _, part := range []fields{header, claims} {
		text, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, b64(text))
	}
	return strings.Join(parts, ".")
}

func sign(t *testing.T, key *rsa.PrivateKey, header, claims fields) string {
	t.Helper()
	input := signingInput(t, header, claims)
	sum := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + b64(signature)
}

var good = fields{"alg": "RS256", "kid": "k1", "typ": "JWT"}

func (a *authority) guarded(t *testing.T, f *function) string {
	t.Helper()
	return serve(t, f, Options{Authorizers: map[string]Authorizer{"Login": {Issuer: a.url, Audience: []string{"portal", "console"}}},
		Routes: []Route{{Path: "/v1/me", Method: "ANY", Function: "f", Authorizer: "Login", Scopes: []string{"yundian/koc", "yundian/other"}},
			{Path: "/any", Method: "ANY", Function: "f", Authorizer: "Login"}, {Path: "/open", Method: "ANY", Function: "f"}}})
}

func ask(t *testing.T, url string, authorization ...string) (int, string) {
	t.Helper()
	head := "GET " + url[strings.Index(url[7:], "/")+7:] + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
	for _, a := range authorization {
		head += "Authorization: " + a + "\r\n"
	}
	res, body := raw(t, url[:strings.Index(url[7:], "/")+7], head+"\r\n")
	return res.StatusCode, body
}

func TestTokenReachesTheFunction(t *testing.T) {
	var f function
	a := newAuthority(t)
	base := a.guarded(t, &f)
	token := sign(t, a.key, good, a.claims())
	for _, form := range []string{"Bearer " + token, token} {
		status, body := ask(t, base+"/v1/me", form)
		if status != 200 {
			t.Fatalf("status %d %s", status, body)
		}
	}
	jwt := f.event.RequestContext.Authorizer.JWT
	for name, want := range map[string]string{"sub": "s-1", "cognito:groups": "[koc operator]", "verified": "true",
		"exp": fmt.Sprint(noon.Unix() + 3600), "scope": "openid yundian/koc"} {
		equal(t, "claim "+name, jwt.Claims[name], want)
	}
	equal(t, "scopes", strings.Join(jwt.Scopes, " "), "yundian/koc")
	equal(t, "documents fetched for two requests", a.fetched.Load(), 2)
	if status, _ := ask(t, base+"/open"); status != 200 || f.event.RequestContext.Authorizer != nil {
		t.Error("an open route must neither ask for a token nor pass claims on")
	}
}

func TestRefusedTokens(t *testing.T) {
	a := newAuthority(t)
	var evil atomic.Int32
	far := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { evil.Add(1) }))
	defer far.Close()
	valid := sign(t, a.key, good, a.claims())
	var f function
	base := a.guarded(t, &f)
	for name, authorization := range hostile(t, a, valid, far.URL) {
		t.Run(name, func(t *testing.T) {
			status, body := ask(t, base+"/v1/me", authorization...)
			equal(t, "status", status, 401)
			equal(t, "body", body, `{"message":"Unauthorized"}`)
		})
	}
	if f.calls > 0 || evil.Load() > 0 {
		t.Errorf("%d calls of the function, %d fetches from an address in a token", f.calls, evil.Load())
	}
	if status, _ := ask(t, base+"/v1/me", "Bearer "+valid); status != 200 {
		t.Errorf("the valid token got %d", status)
	}
	if n := a.fetched.Load(); n > 4 {
		t.Errorf("hostile tokens caused %d fetches of keys", n)
	}
}

// hostile are Authorization headers that must not get in: forged with an attacker's key, or signed by the issuer but
// not meant for this store. Addresses in them point elsewhere.
func hostile(t *testing.T, a *authority, valid, elsewhere string) map[string][]string {
	t.Helper()
	attacker, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	claims, parts := a.claims(), strings.Split(valid, ".")
	with := func(header, changes fields) []string {
		return []string{"Bearer " + sign(t, a.key, good.with(header), claims.with(changes))}
	}
	forged := func(header fields) []string {
		return []string{"Bearer " + sign(t, attacker, good.with(header), claims)}
	}
	return map[string][]string{
		"no header":                      {},
		"empty":                          {""},
		"another scheme":                 {"Basic " + valid},
		"not a token":                    {"Bearer a.b.c"},
		"two headers":                    {"Bearer " + valid, "Bearer " + valid},
		"two tokens":                     {"Bearer " + valid + ", Bearer " + valid},
		"JSON serialisation":             {`Bearer {"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`},
		"alg none":                       {"Bearer " + signingInput(t, good.with(fields{"alg": "none"}), claims) + "."},
		"alg None":                       {"Bearer " + signingInput(t, good.with(fields{"alg": "None"}), claims) + "."},
		"signature left out":             {"Bearer " + parts[0] + "." + parts[1] + "."},
		"signature of another token":     {"Bearer " + parts[0] + "." + b64([]byte(`{"sub":"s-2"}`)) + "." + parts[2]},
		"HS256 with public key":          hs256(t, a, "pem", claims),
		"HS256 with public key, DER":     hs256(t, a, "der", claims),
		"HS256 with public key, JWK":     hs256(t, a, "jwk", claims),
		"alg RS512":                      with(fields{"alg": "RS512"}, nil),
		"alg missing":                    with(fields{"alg": nil}, nil),
		"another key":                    forged(nil),
		"embedded jwk":                   forged(fields{"jwk": json.RawMessage(jwkOf(&attacker.PublicKey, "k1"))}),
		"embedded jwk without kid":       forged(fields{"kid": nil, "jwk": json.RawMessage(jwkOf(&attacker.PublicKey, "k2"))}),
		"jku":                            forged(fields{"jku": elsewhere + "/jwks.json", "kid": "k2"}),
		"x5u":                            forged(fields{"x5u": elsewhere + "/cert.pem", "kid": "k2"}),
		"kid is an address":              forged(fields{"kid": elsewhere + "/key"}),
		"kid is a path":                  forged(fields{"kid": "../../../../dev/null"}),
		"kid is SQL":                     forged(fields{"kid": "k1' OR '1'='1"}),
		"kid missing":                    with(fields{"kid": nil}, nil),
		"kid is no text":                 with(fields{"kid": 1}, nil),
		"unknown critical header":        with(fields{"crit": []string{"exp"}, "exp": 1}, nil),
		"issuer with slash":              with(nil, fields{"iss": a.url + "/"}),
		"issuer in upper case":           with(nil, fields{"iss": strings.ToUpper(a.url)}),
		"issuer's prefix":                with(nil, fields{"iss": a.url[:len(a.url)-1]}),
		"issuer missing":                 with(nil, fields{"iss": nil}),
		"issuer is a list":               with(nil, fields{"iss": []string{a.url}}),
		"another client":                 with(nil, fields{"client_id": "portal2"}),
		"neither aud nor client_id":      with(nil, fields{"client_id": nil}),
		"client_id empty":                with(nil, fields{"client_id": ""}),
		"another audience, right client": with(nil, fields{"aud": "else"}),
		"audience in upper case":         with(nil, fields{"aud": "PORTAL", "client_id": nil}),
		"expired":                        with(nil, fields{"exp": noon.Unix() - 1}),
		"expiry missing":                 with(nil, fields{"exp": nil}),
		"expiry is a text":               with(nil, fields{"exp": "tomorrow"}),
		"not yet valid":                  with(nil, fields{"nbf": noon.Unix() + 60}),
		"issued in the future":           with(nil, fields{"iat": noon.Unix() + 60}),
		"encrypted":                      {"Bearer " + valid + ".x.y"},
	}
}

// hs256 signs with the public key as the secret: the classic confusion of algorithms.
func hs256(t *testing.T, a *authority, form string, claims fields) []string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&a.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	secret := map[string][]byte{"der": der, "pem": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		"jwk": []byte(jwkOf(&a.key.PublicKey, "k1"))}[form]
	input := signingInput(t, good.with(fields{"alg": "HS256"}), claims)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(input))
	return []string{"Bearer " + input + "." + b64(mac.Sum(nil))}
}

func TestScopes(t *testing.T) {
	var f function
	a := newAuthority(t)
	base := a.guarded(t, &f)
	cases := []struct {
		name  string
		scope any
		want  int
	}{
		{"one of the route's", "yundian/other", 200},
		{"ID token without scope", nil, 403},
		{"another scope", "yundian/operator", 403},
		{"longer", "yundian/koc2 xyundian/koc", 403},
		{"as a list", []string{"yundian/koc"}, 403},
		{"empty", "", 403},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			token := sign(t, a.key, good, a.claims().with(fields{"scope": c.scope, "aud": "portal"}))
			status, body := ask(t, base+"/v1/me", "Bearer "+token)
			equal(t, "status", status, c.want)
			if c.want == 403 {
				equal(t, "body", body, `{"message":"Forbidden"}`)
			}
			if status, _ := ask(t, base+"/any", "Bearer "+token); status != 200 {
				t.Errorf("a route without scopes answers %d", status)
			}
		})
	}
}

func TestKeysAreFetchedAgain(t *testing.T) {
	var f function
	var clock atomic.Int64
	clock.Store(noon.Unix())
	a := newAuthority(t)
	a.broken.Store(true)
	base := serve(t, &f, Options{Now: func() time.Time { return time.Unix(clock.Load(), 0) },
		Authorizers: map[string]Authorizer{"Login": {Issuer: a.url, Audience: []string{"portal"}}},
		Routes:      []Route{{Path: "/v1/me", Method: "ANY", Function: "f", Authorizer: "Login"}}})
	token := "Bearer " + sign(t, a.key, good, a.claims().with(fields{"exp": noon.Unix() + 1e6}))
	if status, _ := ask(t, base+"/v1/me", token); status == 200 {
		t.Error("let in without keys")
	}
	a.broken.Store(false)
	if status, _ := ask(t, base+"/v1/me", token); status != 200 {
		t.Errorf("status %d once the issuer is back", status)
	}
	before := a.fetched.Load()
	clock.Add(int64(keyAge/time.Second) + 1)
	if status, _ := ask(t, base+"/v1/me", token); status != 200 || a.fetched.Load() == before {
		t.Errorf("status %d, %d fetches: old keys are not trusted for ever", status, a.fetched.Load()-before)
	}
}
