package issuer

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"
)

const client = "yundian-local"

// world is an issuer mounted on a real server, as the runner mounts it.
type world struct {
	t       *testing.T
	issuer  *Issuer
	url     string // of the issuer
	origin  string
	keyFile string
	now     time.Time
}

func start(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, keyFile: filepath.Join(t.TempDir(), "keys", "issuer.pem"), now: time.Now()}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	w.origin, w.url = server.URL, server.URL+"/_local/issuer"
	i, err := New(Options{URL: w.url, KeyFile: w.keyFile, ClientID: client, Now: func() time.Time { return w.now },
		Users: []User{{"koc:mei", "陈小梅"}, {"operator:lin", "林店长"}, {"auditor:zhou", "周会计"}}})
	if err != nil {
		t.Fatal(err)
	}
	w.issuer = i
	mux.Handle("/_local/issuer/", http.StripPrefix("/_local/issuer", i))
	return w
}

// client that shows redirects instead of following them.
var httpClient = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func (w *world) do(req *http.Request) (*http.Response, string) {
	w.t.Helper()
	resp, err := httpClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp, string(body)
}

func (w *world) get(path string, q url.Values) (*http.Response, string) {
	w.t.Helper()
	req, err := http.NewRequest("GET", w.url+path+"?"+q.Encode(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.do(req)
}

func (w *world) post(path string, form url.Values, headers ...string) (*http.Response, string) {
	w.t.Helper()
	req, err := http.NewRequest("POST", w.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for n := 0; n+1 < len(headers); n += 2 {
		req.Header.Set(headers[n], headers[n+1])
	}
	return w.do(req)
}

const verifier = "0123456789-0123456789-0123456789-0123456789"

func (w *world) request(scope string) url.Values {
	h := sha256.Sum256([]byte(verifier))
	return url.Values{"client_id": {client}, "response_type": {"code"}, "redirect_uri": {w.origin + "/portal?tab=links"},
		"scope": {scope}, "state": {"st ate&1"}, "nonce": {"n-1"}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(h[:])}}
}

func with(v url.Values, pairs ...string) url.Values {
	out := url.Values{}
	for name := range v {
		out.Set(name, v.Get(name))
	}
	for n := 0; n+1 < len(pairs); n += 2 {
		out.Set(pairs[n], pairs[n+1])
	}
	return out
}

// code signs in and gives the code and the address it was sent to.
func (w *world) code(form url.Values) (string, *url.URL) {
	w.t.Helper()
	resp, body := w.post("/authorize", form)
	if resp.StatusCode != http.StatusSeeOther {
		w.t.Fatalf("authorize: %d %s", resp.StatusCode, body)
	}
	to, err := resp.Location()
	if err != nil {
		w.t.Fatal(err)
	}
	return to.Query().Get("code"), to
}

func (w *world) exchange(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "client_id": {client}, "code": {code},
		"redirect_uri": {w.origin + "/portal?tab=links"}, "code_verifier": {verifier}}
}

// verified parses a token with the published keys only, as a stranger would.
func (w *world) verified(token string) map[string]any {
	w.t.Helper()
	set, err := jwk.Fetch(context.Background(), w.url+"/jwks.json")
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := jwt.Parse([]byte(token), jwt.WithKeySet(set), jwt.WithIssuer(w.url), jwt.WithClock(jwt.ClockFunc(func() time.Time { return w.now }))); err != nil {
		w.t.Fatalf("token does not verify: %v", err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		w.t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		w.t.Fatal(err)
	}
	return claims
}

func TestAccessTokensHaveCognitosShape(t *testing.T) {
	w := start(t)
	tests := []struct {
		user, scope, group string
	}{
		{"koc:mei", "yundian/koc", ""},
		{"operator:lin", "yundian/operator", "operator"},
		{"auditor:zhou", "yundian/operator", "auditor"},
		{"koc:小梅", "yundian/koc", ""},
	}
	subs := map[any]bool{}
	for _, tt := range tests {
		t.Run(tt.user, func(t *testing.T) {
			token, err := w.issuer.Token(tt.user)
			if err != nil {
				t.Fatal(err)
			}
			c := w.verified(token)
			if c["token_use"] != "access" || c["client_id"] != client || c["scope"] != tt.scope || c["username"] != strings.SplitN(tt.user, ":", 2)[1] {
				t.Errorf("claims %v", c)
			}
			if _, has := c["aud"]; has {
				t.Error("an access token carries no aud")
			}
			groups, has := c["cognito:groups"].([]any)
			if has != (tt.group != "") || has && (len(groups) != 1 || groups[0] != tt.group) {
				t.Errorf("groups %v, want %q in an array", c["cognito:groups"], tt.group)
			}
			if exp, iat := c["exp"].(float64), c["iat"].(float64); exp-iat != 3600 {
				t.Errorf("lives %v s", exp-iat)
			}
			again, err := w.issuer.Token(tt.user)
			if err != nil {
				t.Fatal(err)
			}
			if w.verified(again)["sub"] != c["sub"] {
				t.Error("sub changes between two tokens of one user")
			}
			subs[c["sub"]] = true
		})
	}
	if len(subs) != len(tests) {
		t.Errorf("%d subjects for %d users", len(subs), len(tests))
	}
}

func TestTokenRefusesOtherNames(t *testing.T) {
	w := start(t)
	for _, user := range []string{"", "mei", "koc:", "koc: mei", "admin:mei", "koc:mei\n", "koc:<b>", "koc:" + strings.Repeat("m", 64), "KOC:mei", "koc:a:b"} {
		if token, err := w.issuer.Token(user); err == nil {
			t.Errorf("%q got the token %s", user, token)
		}
	}
}

func TestTheKeySurvivesARestartAndIsPrivate(t *testing.T) {
	w := start(t)
	token, err := w.issuer.Token("koc:mei")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(w.keyFile, 0o644); err != nil {
		t.Fatal(err)
	}
	again, err := New(w.issuer.options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jwt.Parse([]byte(token), jwt.WithKeySet(again.public)); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	info, err := os.Stat(w.keyFile)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v %v", info.Mode(), err)
	}
	_, body := w.get("/jwks.json", nil)
	if strings.Contains(body, `"d"`) || !strings.Contains(body, `"kid"`) || !strings.Contains(body, `"RS256"`) {
		t.Errorf("published keys: %s", body)
	}
	if err := os.WriteFile(w.keyFile, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(w.issuer.options); err == nil {
		t.Error("a broken key file was accepted")
	}
}

func TestDiscoveryNamesTheEndpoints(t *testing.T) {
	w := start(t)
	_, body := w.get("/.well-known/openid-configuration", nil)
	var d map[string]any
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"issuer": "", "authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks.json"} {
		if d[name] != w.url+want {
			t.Errorf("%s is %v", name, d[name])
		}
	}
}

func TestSigningInWithCodeAndPKCE(t *testing.T) {
	w := start(t)
	resp, page := w.get("/authorize", w.request("openid yundian/koc"))
	if resp.StatusCode != http.StatusOK || !strings.Contains(page, `value="koc:mei"`) || strings.Contains(page, "operator:lin") {
		t.Fatalf("%d: a KOC page offers KOCs: %s", resp.StatusCode, page)
	}
	code, to := w.code(with(w.request("openid yundian/koc yundian/operator"), "user", "koc:mei"))
	if !strings.HasPrefix(to.String(), w.origin+"/portal?") || to.Query().Get("state") != "st ate&1" || to.Query().Get("tab") != "links" {
		t.Errorf("sent to %s", to)
	}
	resp, body := w.post("/token", w.exchange(code))
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Fatalf("token: %d %v %s", resp.StatusCode, resp.Header, body)
	}
	var answer struct {
		Access string `json:"access_token"`
		ID     string `json:"id_token"`
		Type   string `json:"token_type"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	if access := w.verified(answer.Access); access["scope"] != "openid yundian/koc" {
		t.Errorf("a KOC was granted %v", access["scope"])
	}
	id := w.verified(answer.ID)
	if id["token_use"] != "id" || id["aud"] != client || id["nonce"] != "n-1" || id["cognito:username"] != "mei" || id["scope"] != nil || id["client_id"] != nil {
		t.Errorf("ID token %v", id)
	}
	if resp, body := w.post("/token", w.exchange(code)); resp.StatusCode != 400 || !strings.Contains(body, "invalid_grant") {
		t.Errorf("the same code again: %d %s", resp.StatusCode, body)
	}
}

func TestSigningInAsSomebodyTyped(t *testing.T) {
	w := start(t)
	code, _ := w.code(with(w.request("yundian/operator"), "role", "operator", "name", " wu "))
	_, body := w.post("/token", w.exchange(code))
	if !strings.Contains(body, "access_token") || strings.Contains(body, "id_token") {
		t.Errorf("without openid there is no ID token: %s", body)
	}
	resp, page := w.post("/authorize", with(w.request("yundian/operator"), "role", "operator", "name", "<script>"))
	if resp.StatusCode != 400 || strings.Contains(page, "<script>") || !strings.Contains(page, `role="alert"`) {
		t.Errorf("a bad name: %d %s", resp.StatusCode, page)
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	w := start(t)
	good := with(w.request("openid yundian/koc"), "user", "koc:mei")
	tests := []struct {
		name   string
		form   url.Values
		status int
		error  string // told to the application
	}{
		{"another client", with(good, "client_id", "other"), 400, ""},
		{"another site", with(good, "redirect_uri", "https://evil.example/cb"), 400, ""},
		{"a look-alike host", with(good, "redirect_uri", w.origin+".evil.example/cb"), 400, ""},
		{"user info in the address", with(good, "redirect_uri", strings.Replace(w.origin, "://", "://x@", 1)+"/cb"), 400, ""},
		{"a relative address", with(good, "redirect_uri", "/portal"), 400, ""},
		{"a script address", with(good, "redirect_uri", "javascript:alert(1)"), 400, ""},
		{"no address", with(good, "redirect_uri", ""), 400, ""},
		{"a fragment", with(good, "redirect_uri", w.origin+"/portal#x"), 400, ""},
		{"implicit flow", with(good, "response_type", "token"), 303, "unsupported_response_type"},
		{"no PKCE", with(good, "code_challenge", ""), 303, "invalid_request"},
		{"plain PKCE", with(good, "code_challenge_method", "plain"), 303, "invalid_request"},
		{"a long state", with(good, "state", strings.Repeat("s", 1001)), 303, "invalid_request"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, method := range []string{"GET", "POST"} {
				resp, _ := w.post("/authorize", tt.form)
				if method == "GET" {
					resp, _ = w.get("/authorize", tt.form)
				}
				to, _ := resp.Location()
				if resp.StatusCode != tt.status || (to != nil) != (tt.error != "") {
					t.Fatalf("%s: %d to %v", method, resp.StatusCode, to)
				}
				if to != nil && (to.Query().Get("error") != tt.error || to.Query().Get("code") != "") {
					t.Errorf("%s: sent to %s", method, to)
				}
			}
		})
	}
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		if resp, _ := w.post("/authorize", good, header...); resp.StatusCode != http.StatusForbidden {
			t.Errorf("posted with %v: %d", header, resp.StatusCode)
		}
	}
}

func TestTokenEndpointRefuses(t *testing.T) {
	w := start(t)
	tests := []struct {
		name   string
		change []string
		after  time.Duration
		error  string
	}{
		{"another grant", []string{"grant_type", "client_credentials"}, 0, "unsupported_grant_type"},
		{"another client", []string{"client_id", "other"}, 0, "invalid_client"},
		{"another address", []string{"redirect_uri", w.origin + "/portal"}, 0, "invalid_grant"},
		{"a wrong verifier", []string{"code_verifier", verifier + "x"}, 0, "invalid_grant"},
		{"no verifier", []string{"code_verifier", ""}, 0, "invalid_grant"},
		{"a made-up code", []string{"code", "x"}, 0, "invalid_grant"},
		{"no code", []string{"code", ""}, 0, "invalid_grant"},
		{"too late", nil, codeLife + time.Second, "invalid_grant"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, _ := w.code(with(w.request("openid yundian/koc"), "user", "koc:mei"))
			w.now = w.now.Add(tt.after)
			resp, body := w.post("/token", with(w.exchange(code), tt.change...))
			if resp.StatusCode != 400 || !strings.Contains(body, `"`+tt.error+`"`) {
				t.Errorf("%d %s", resp.StatusCode, body)
			}
		})
	}
}

func TestCodesAreLimited(t *testing.T) {
	w := start(t)
	for range maxCodes {
		if _, ok := w.issuer.newCode(grant{at: w.now}); !ok {
			t.Fatal("refused too early")
		}
	}
	if _, ok := w.issuer.newCode(grant{at: w.now}); ok {
		t.Error("one code too many")
	}
	if _, ok := w.issuer.newCode(grant{at: w.now.Add(codeLife + time.Second)}); !ok {
		t.Error("old codes are not forgotten")
	}
}

func TestNewRefuses(t *testing.T) {
	good := Options{URL: "http://127.0.0.1:1/_local/issuer", KeyFile: filepath.Join(t.TempDir(), "k"), ClientID: client, Now: time.Now}
	for name, change := range map[string]func(*Options){
		"relative address": func(o *Options) { o.URL = "/issuer" },
		"final slash":      func(o *Options) { o.URL += "/" },
		"no client":        func(o *Options) { o.ClientID = "" },
		"no clock":         func(o *Options) { o.Now = nil },
		"a bad user":       func(o *Options) { o.Users = []User{{ID: "mei"}} },
		"no key folder":    func(o *Options) { o.KeyFile = "/dev/null/k" },
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
