package e2e

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"

	"yundian/infra/e2e/drive"
	"yundian/shared/attribution"
	"yundian/shared/seal"
)

// forger signs tokens with the local issuer's own key and with keys of its own.
type forger struct {
	t         *testing.T
	issuer    *rsa.PrivateKey
	kid       string
	claims    object // of a genuine operator
	publicPEM []byte
}

func newForger(t *testing.T, dir string, genuine string) *forger {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "issuer.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	f := &forger{t: t, issuer: parsed.(*rsa.PrivateKey)}
	der, err := x509.MarshalPKIXPublicKey(&f.issuer.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	f.publicPEM = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	message, err := jws.Parse([]byte(genuine))
	if err != nil {
		t.Fatal(err)
	}
	f.kid, _ = message.Signatures()[0].ProtectedHeaders().KeyID()
	if err := json.Unmarshal(message.Payload(), &f.claims); err != nil {
		t.Fatal(err)
	}
	return f
}

// with are the genuine claims with changes; nil takes one out.
func (f *forger) with(changes object) object {
	out := maps.Clone(f.claims)
	for name, value := range changes {
		out[name] = value
		if value == nil {
			delete(out, name)
		}
	}
	return out
}

func part(v any) string {
	text, _ := json.Marshal(v) // maps of texts and numbers
	return base64.RawURLEncoding.EncodeToString(text)
}

// sign signs claims with RS256 and these further members of the header.
func (f *forger) sign(key *rsa.PrivateKey, claims, header object) string {
	f.t.Helper()
	headers := jws.NewHeaders()
	for name, value := range header {
		if err := headers.Set(name, value); err != nil {
			f.t.Fatal(err)
		}
	}
	text, _ := json.Marshal(claims)
	signed, err := jws.Sign(text, jws.WithKey(jwa.RS256(), key, jws.WithProtectedHeaders(headers)))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(signed)
}

func (f *forger) hs256(secret []byte) string {
	text := part(object{"alg": "HS256", "kid": f.kid, "typ": "JWT"}) + "." + part(f.claims)
	mac := hmac.New(sha256.New, secret)
	io.WriteString(mac, text)
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// TestHostileTokens: nobody gets in by a token that the issuer did not sign for this store, and nothing is fetched.
func TestHostileTokens(t *testing.T) {
	store := drive.Shared(t)
	c := drive.NewClient(t, store.URL)
	f := newForger(t, store.Folder(), c.Token("operator:ana"))
	var fetched atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	t.Cleanup(elsewhere.Close)
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	embedded, err := jwk.Import(&own.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	now, iss := time.Now().Unix(), f.claims["iss"].(string)
	kid := object{"kid": f.kid}
	issued := func(changes object) string { return f.sign(f.issuer, f.with(changes), kid) }
	const path = "/v1/admin/settings"
	c.Get(path, issued(nil)).Is(200)
	c.Get(path, issued(object{"cognito:groups": []string{"not koc", "operator"}})).Is(200)
	c.Get(path, issued(object{"cognito:groups": "operator"})).Is(200)
	for name, token := range map[string]string{
		"nothing": "", "garbage": "abc", "two dots": "..", "three parts of nothing": "e30.e30.e30", "very long": strings.Repeat("a", 9000),
		"alg none":             part(object{"alg": "none", "kid": f.kid}) + "." + part(f.claims) + ".",
		"alg None":             part(object{"alg": "None"}) + "." + part(f.claims) + ".",
		"HS256 of public PEM":  f.hs256(f.publicPEM),
		"HS256 of nothing":     f.hs256(nil),
		"HS256 of modulus":     f.hs256(f.issuer.N.Bytes()),
		"own key":              f.sign(own, f.claims, kid),
		"embedded jwk":         f.sign(own, f.claims, object{"kid": f.kid, "jwk": embedded}),
		"jku":                  f.sign(own, f.claims, object{"kid": "k", "jku": elsewhere.URL + "/jwks"}),
		"x5u":                  f.sign(own, f.claims, object{"kid": "k", "x5u": elsewhere.URL + "/x5u"}),
		"kid is an address":    f.sign(own, f.claims, object{"kid": elsewhere.URL + "/key"}),
		"kid is a path":        f.sign(own, f.claims, object{"kid": "../../../../../../dev/null"}),
		"kid is SQL":           f.sign(own, f.claims, object{"kid": "x' UNION SELECT 'key"}),
		"no kid":               f.sign(f.issuer, f.claims, nil),
		"signature cut":        strings.TrimSuffix(issued(nil), issued(nil)[len(issued(nil))-4:]),
		"claims changed":       strings.Replace(issued(nil), "."+part(f.claims)+".", "."+part(f.with(object{"sub": "x"}))+".", 1) + "x",
		"expired":              issued(object{"exp": now - 120}),
		"no exp":               issued(object{"exp": nil}),
		"not yet":              issued(object{"nbf": now + 3600}),
		"iss with a slash":     issued(object{"iss": iss + "/"}),
		"iss in capitals":      issued(object{"iss": strings.ToUpper(iss)}),
		"iss that begins so":   issued(object{"iss": iss + ".evil.example"}),
		"no iss":               issued(object{"iss": nil}),
		"other client":         issued(object{"client_id": "another"}),
		"no client":            issued(object{"client_id": nil}),
		"other audience":       issued(object{"aud": "another"}),
		"client that is a bit": issued(object{"client_id": "yundian"}),
	} {
		if a := c.Get(path, token); a.Status != 401 || a.Object().Text("message") != "Unauthorized" {
			t.Errorf("%s: %d %.200s", name, a.Status, a.Body)
		}
	}
	for name, token := range map[string]string{
		"ID token":          issued(object{"scope": nil, "aud": "yundian-portal", "client_id": nil, "token_use": "id"}),
		"scope that begins": issued(object{"scope": "yundian/operators yundian/koc"}),
		"no group":          issued(object{"cognito:groups": nil}),
		"part of a group":   issued(object{"cognito:groups": []string{"not-operator", "operators", "xoperatorx"}}),
		"group with blank":  issued(object{"cognito:groups": "operator auditor"}),
		"group in brackets": issued(object{"cognito:groups": "[]operator[]"}),
		"part of a name":    issued(object{"cognito:groups": []string{"not operator", "operator auditor", "a operator b"}}),
		"list as a name":    issued(object{"cognito:groups": "[operator]"}),
		"list in a list":    issued(object{"cognito:groups": []string{"[operator]", `["operator"]`}}),
		"not only names":    issued(object{"cognito:groups": []any{"operator", 1}}),
		"group in capitals": issued(object{"cognito:groups": []string{"Operator"}}),
		"another claim":     issued(object{"cognito:groups": nil, "groups": []string{"operator"}, "role": "operator"}),
	} {
		if a := c.Get(path, token); a.Status != 403 {
			t.Errorf("%s: %d %.200s", name, a.Status, a.Body)
		}
	}
	twoLogins(t, store.URL+path, issued(nil))
	if n := fetched.Load(); n > 0 {
		t.Errorf("%d addresses out of tokens were fetched", n)
	}
}

// twoLogins sends two Authorization headers, apart and joined.
func twoLogins(t *testing.T, address, token string) {
	t.Helper()
	for name, values := range map[string][]string{"two": {"Bearer " + token, "Bearer " + token}, "joined": {"Bearer " + token + ", Bearer " + token},
		"basic": {"Basic " + token}, "twice the word": {"Bearer Bearer " + token}} {
		r, err := http.NewRequest(http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header["Authorization"] = values
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 401 && resp.StatusCode != 400 {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
}

// TestHostileCallers: every route and every kind of caller; nobody reads or changes what is another's.
func TestHostileCallers(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	tea := o.Product(10000, 5)
	_, other := o.Approve(drive.Fresh("bob"))
	order := o.Order(o.PageToken("/k/"+o.Handle), tea, 1, "sandbox")
	o.Choose(order.Text("payUrl"), "pay")
	o.Quiet()
	id := order.Text("id")
	o.get(200, "/v1/orders/"+id+"/attribution", o.KOC)
	o.get(404, "/v1/orders/"+id+"/attribution", other)
	o.get(404, "/v1/orders/"+strings.Repeat("x", 150)+"/attribution", other)
	for _, path := range []string{"/v1/orders", "/v1/earnings", "/v1/earnings/entries", "/v1/stats", "/v1/links", "/v1/shelf", "/v1/me"} {
		o.get(403, path+"?koc="+o.Handle, other)
		o.get(200, path+"?koc="+o.Handle, o.KOC)
		if answer := fmt.Sprint(o.get(200, path, other)); strings.Contains(answer, id) || strings.Contains(answer, o.Handle) {
			t.Errorf("%s shows another KOC's: %s", path, answer)
		}
	}
	auditor, nobody := o.Token("auditor:"+drive.Fresh("eva")), o.Token("koc:"+drive.Fresh("nobody"))
	before := fmt.Sprint(o.get(200, "/v1/admin/orders/"+id, auditor))
	paths, _ := o.document.At("paths").(map[string]any)
	for template, methods := range paths {
		path := strings.NewReplacer("{return}", "r1", "{period}", "2020-01", "kocs/{id}", "kocs/"+o.Handle, "products/{id}", "products/"+tea, "{id}", id).Replace(template)
		for method := range methods.(map[string]any) {
			q := drive.Call{Method: strings.ToUpper(method), Path: path, JSON: object{"reason": "x"}}
			switch {
			case !strings.HasPrefix(path, "/v1/"):
				continue
			case !strings.HasPrefix(path, "/v1/admin/"):
				if q.Token = nobody; method+path != "post/v1/me" {
					o.call(403, q)
				}
				continue
			case method == "get":
				q.JSON, q.Token = nil, auditor
				status := 200
				if strings.Contains(template, "{") && !strings.Contains(template, "/orders/") && !strings.Contains(template, "/products/") && template != "/v1/admin/kocs/{id}" && template != "/v1/admin/kocs/{id}/statements" &&
					template != "/v1/admin/kocs/{id}/webhooks" {
					status = 404 // an auditor may look, but there is no such thing
				}
				o.call(status, q)
			default:
				q.Token = auditor
				o.call(403, q)
			}
			q.Token = o.KOC
			o.gatewayRefuses(403, q)
		}
	}
	if after := fmt.Sprint(o.get(200, "/v1/admin/orders/"+id, auditor)); after != before {
		t.Errorf("somebody changed the order:\n%s\n%s", before, after)
	}
}

// TestHostileOrders: what no basket of ours says is refused and leaves no trace.
func TestHostileOrders(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	tea, last := o.Product(1000, 50), o.Product(1000, 1)
	post := func(status int, raw string, header ...string) drive.Answer {
		t.Helper()
		q := drive.Call{Method: "POST", Path: "/orders", Key: drive.Fresh("hostile-orders-"), Raw: raw, Header: map[string]string{}}
		for i := 0; i+1 < len(header); i += 2 {
			q.Header[header[i]] = header[i+1]
		}
		a := o.Do(q)
		if a.Status != status || a.Header.Get("Content-Type") != "application/problem+json" && a.Status != 413 {
			t.Errorf("%.150s: %d %.300s", raw, a.Status, a.Body)
		}
		return a
	}
	order := drive.OrderBody("", tea, 7, "sandbox")
	phone := order["contact"].(map[string]any)["phone"].(string)
	text, err := json.Marshal(order)
	if err != nil {
		t.Fatal(err)
	}
	good := string(text)
	with := func(old, now string) string {
		t.Helper()
		if strings.Count(good, old) != 1 {
			t.Fatalf("%q stands %d times in %s", old, strings.Count(good, old), good)
		}
		return strings.Replace(good, old, now, 1)
	}
	for _, quantity := range []string{"-1", "0", "1.5", `"1"`, "9223372036854775807", "9223372036854775808", "18446744073709551617", "1e2", "1E0", "1.0", "0x1", "1_0", "NaN",
		"null", "true", "[1]", "{}", "1000", "01", "+1", "-9223372036854775808", strings.Repeat("9", 5000)} {
		post(400, with(`"quantity":7`, `"quantity":`+quantity))
	}
	for name, value := range map[string]string{"price": "1", "rate": "9999", "unit": `{"amount":1,"currency":"CNY"}`, "net": "0", "discount": "0", "Quantity": "2"} {
		post(400, with(`"quantity":7`, `"quantity":7,"`+name+`":`+value))
		post(400, with(`"payment":`, `"`+name+`":`+value+`,"payment":`))
	}
	for _, expect := range []string{`{"amount":7000,"currency":"USD"}`, `{"amount":7000,"currency":"cny"}`, `{"amount":7000}`, `{"currency":"CNY"}`, `{"amount":"7000","currency":"CNY"}`,
		`{"amount":70.00,"currency":"CNY"}`, `{"amount":1e400,"currency":"CNY"}`, `7000`, `[]`, `{"amount":7000,"currency":"CNY","extra":1}`} {
		post(400, with(`"payment":`, `"expect":`+expect+`,"payment":`))
	}
	for _, line := range []string{`{"sku":"nothing-like-it","quantity":1}`, `{"sku":"","quantity":1}`, `{"quantity":1}`, `{"sku":"` + tea + `"}`, `null`, `"` + tea + `"`, `[]`,
		`{"sku":"SKU#` + tea + `","quantity":1}`, `{"sku":"` + tea + `\u0000","quantity":1}`, `{"sku":"` + strings.Repeat("x", 3000) + `","quantity":1}`, `{"sku":{"S":"x"},"quantity":1}`} {
		post(400, with(`{"quantity":7,"sku":"`+tea+`"}`, line))
	}
	post(400, with(`[{"quantity":7,"sku":"`+tea+`"}]`, `[`+strings.Repeat(`{"sku":"`+tea+`","quantity":1},`, 60)+`{"sku":"`+last+`","quantity":1}]`))
	for _, pair := range []string{`"coupon":"FREE"`, `"kocCode":"nobody-like-it"`, `"kocCode":5`, `"tokens":"x"`, `"tokens":[1]`, `"tokens":["` + strings.Repeat("x", 300) + `"]`,
		`"payment":"stripe"`, `"payment":"sandbox "`, `"secret":"x"`, `"status":"paid"`, `"koc":"` + o.Handle + `"`, `"contact":{}`, `"id":"x"`} {
		post(400, strings.TrimSuffix(good, "}")+","+pair+"}") // payment and contact then stand twice
	}
	post(400, with(`"payment":"sandbox"`, `"payment":"paypal"`))
	post(400, with(`"phone":"`+phone+`"`, `"phone":""`)) // and no e-mail
	deep := strings.Repeat(`[`, 100000) + strings.Repeat(`]`, 100000)
	post(400, `{"lines":`+deep+`}`)
	post(400, `{"lines":`+strings.Repeat(`{"a":`, 1000)+`1`+strings.Repeat(`}`, 1000)+`}`)
	post(413, `{"kocCode":"`+strings.Repeat("a", 1<<20)+`"}`)
	post(413, `{"kocCode":"`+strings.Repeat("a", 10<<20-20)+`"}`)
	post(413, `{"kocCode":"`+strings.Repeat("a", 10<<20)+`"}`)
	var bomb bytes.Buffer
	zipped := gzip.NewWriter(&bomb)
	zipped.Write([]byte(good))
	zipped.Close()
	post(415, bomb.String(), "Content-Encoding", "gzip")
	post(400, bomb.String())
	post(415, good, "Content-Type", "text/plain")
	post(415, good, "Content-Type", "application/json5")
	post(400, strings.ReplaceAll(good, "陈静", "\xff\xfe"))
	post(409, strings.ReplaceAll(good, tea, last)) // 7 of 1
	post(409, strings.Replace(strings.ReplaceAll(good, tea, last), `{"quantity":7,"sku":"`+last+`"}`, `{"sku":"`+last+`","quantity":1},{"sku":"`+last+`","quantity":1}`, 1))
	for sku, stock := range map[string]int{tea: 50, last: 1} {
		o.get(200, "/v1/admin/products/"+sku, o.Operator).Want(t, stock, "variants", 0, "stock")
	}
}

// TestHostileLinkTokens: forged, bent, old, early and foreign tokens earn nobody anything, and the sale proceeds.
func TestHostileLinkTokens(t *testing.T) {
	store := drive.Shared(t)
	o := outside(t, store.URL)
	tea := o.Product(10000, 50)
	bob, bobToken := o.Approve(drive.Fresh("bob"))
	genuine := o.PageToken("/s/" + o.Share(o.KOC, "product:"+tea))
	env, err := store.Environment("storefront")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Parse(env["SIGNING_KEYS"])
	if err != nil {
		t.Fatal(err)
	}
	others, err := seal.Parse(`{"k1":"the secret of somebody else, long enough"}`)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	suspended, _ := o.Approve(drive.Fresh("sus"))
	o.post(200, "/v1/admin/kocs/"+suspended+"/suspend", o.Operator, object{})
	i := len(genuine) / 2
	tokens := map[string]string{
		"bent":                string(append([]byte(genuine[:i]), genuine[i]^1)) + genuine[i+1:],
		"cut":                 genuine[:len(genuine)-1],
		"longer":              genuine + "A",
		"another KOC's name":  strings.Replace(genuine, o.Handle, bob, 1),
		"another shop's":      attribution.SignToken(others, o.Handle, now),
		"from last year":      attribution.SignToken(keys, o.Handle, now.AddDate(-1, 0, 0)),
		"just expired":        attribution.SignToken(keys, o.Handle, now.AddDate(0, 0, -14).Add(-time.Minute)),
		"from tomorrow":       attribution.SignToken(keys, o.Handle, now.AddDate(0, 0, 1)),
		"of nobody":           attribution.SignToken(keys, "nobody-like-it", now),
		"of a suspended KOC":  attribution.SignToken(keys, suspended, now),
		"empty":               "",
		"dots":                "..",
		"not ASCII":           "店.店.店",
		"a control character": "a\u0001b",
		"an injection":        o.Handle + "\" OR 1=1.AAAAAAA.x",
	}
	var group sync.WaitGroup
	for name, token := range tokens {
		group.Go(func() {
			placed := o.Do(drive.Call{Method: "POST", Path: "/orders", Key: drive.Fresh("hostile-tokens-"), JSON: drive.OrderBody(token, tea, 1, "sandbox")})
			if placed.Status != 201 {
				t.Errorf("%s: the sale does not proceed: %d %s", name, placed.Status, placed.Body)
				return
			}
			o.Choose(placed.Object().Text("payUrl"), "pay")
		})
	}
	group.Wait()
	o.Quiet()
	for _, koc := range []string{o.KOC, bobToken} {
		o.Earns(koc, 0, 0, 0)
		if n := o.get(200, "/v1/orders", koc).Len("items"); n != 0 {
			t.Errorf("%d orders were attributed", n)
		}
	}
	control := o.Order(genuine, tea, 1, "sandbox")
	o.Choose(control.Text("payUrl"), "pay")
	o.Quiet()
	o.Earns(o.KOC, 1000, 0, 0)
	for _, token := range []string{tokens["bent"], tokens["from last year"], "x"} { // nor does one count as a touch
		o.post(204, "/touch", "", object{"token": token})
	}
	o.Quiet()
	o.get(200, "/v1/stats", o.KOC).Want(t, 0, "total", "touches")
}
