package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"yundian/infra/e2e/drive"
)

// evil are texts that people with bad intentions type. Each begins with a word by which it is found again.
var evil = []string{
	`evil"'></script><img src=x onerror=alert(1)><svg onload=x>`,
	`evil</title><iframe src="javascript:alert(1)"></iframe>`,
	`evil<a href="data:text/html,x">x</a><b style="top:0">`,
	`evil<!--<script>alert(1)`,
	"evil&lt;script&gt;alert(1)&lt;/script&gt;",
	"evil\u202egnp.exe\u2066\u200b\ufeff\u200f",
	"evil\r\nSet-Cookie: a=b\n{\"level\":\"ERROR\"}",
	"evil\u0000\u0085\u2028\u2029\u001b[31m",
	"=evil+cmd|' /C calc'!A0",
	`evil{{.}}${7*7}%s%n<%= 7 %>' OR '1'='1\`,
	"evil👨‍👩‍👧‍👦𝒳🏳️‍🌈" + strings.Repeat("\u0301", 20),
	"evil" + strings.Repeat("很长", 40_000),
}

// TestHostileTexts puts every hostile text into every field that takes one: it is refused, or kept and inert on every page.
func TestHostileTexts(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	before := o.get(200, "/v1/admin/settings", o.Operator)
	t.Cleanup(func() {
		o.Do(drive.Call{Method: "PATCH", Path: "/v1/admin/settings", Token: o.Operator, JSON: object{"brand": before.At("brand"), "tagline": before.At("tagline"),
			"hero": before.At("hero"), "licence": before.At("licence")}}).Is(200)
	})
	takes := func(what, text string, q drive.Call) bool {
		t.Helper()
		a := o.Do(q)
		o.check(q, a)
		if a.Status != 400 && a.Status != 413 && a.Status >= 300 {
			t.Errorf("%s %.60q: %d %.200s", what, text, a.Status, a.Body)
		}
		return a.Status < 300
	}
	tea := o.Product(5000, 999)
	kept := 0
	for _, text := range evil {
		for what, q := range o.fields(tea, text) {
			if takes(what, text, q) {
				kept++
			}
		}
		order := o.evilOrder(tea, text, takes)
		o.inert(text, tea, order)
	}
	if kept < len(evil)*5 {
		t.Errorf("only %d texts were kept: this tests nothing", kept)
	}
	o.Quiet()
	o.Verify()
}

// fields are requests that put a text into one field each. What is replaced there, the next text replaces again.
func (o *outsider) fields(tea, text string) map[string]drive.Call {
	out := map[string]drive.Call{}
	add := func(what, method, path, token string, body object) {
		out[what] = drive.Call{Method: method, Path: path, Token: token, Key: drive.KeyFor(path), JSON: body}
	}
	product := "/v1/admin/products/" + tea
	for _, name := range []string{"title", "body", "vendor", "type", "scene"} {
		add(name, "PATCH", product, o.Operator, object{name: text})
	}
	add("tags", "PATCH", product, o.Operator, object{"tags": []any{text}})
	add("alt", "PATCH", product, o.Operator, object{"images": []any{object{"src": "https://cdn.example.com/a.jpg", "alt": text}}})
	add("src", "PATCH", product, o.Operator, object{"images": []any{"https://cdn.example.com/" + text}})
	add("variant", "PATCH", product, o.Operator, object{"variants": []any{object{"sku": tea, "title": text}}})
	add("option", "PATCH", product, o.Operator, object{"options": []any{text}, "variants": []any{object{"sku": tea, "options": []any{text}}}})
	add("sku", "POST", "/v1/admin/products", o.Operator, object{"title": "SKU", "id": drive.Fresh("sku-"), "variants": []any{object{"sku": text, "price": drive.CNY(1)}}})
	for _, name := range []string{"brand", "tagline", "hero"} {
		add("settings "+name, "PATCH", "/v1/admin/settings", o.Operator, object{name: text})
	}
	add("licence", "PATCH", "/v1/admin/settings", o.Operator, object{"licence": object{"company": text, "number": text, "icp": text}})
	for _, name := range []string{"name", "story", "portrait", "email"} {
		add("my "+name, "PATCH", "/v1/me", o.KOC, object{name: text})
	}
	add("note", "PUT", "/v1/shelf", o.KOC, object{"items": []any{object{"product": tea, "note": text}}})
	add("channel", "POST", "/v1/links", o.KOC, object{"target": "storefront", "channel": text})
	add("stock", "POST", "/v1/admin/stock", o.Operator, object{"sku": tea, "received": 1, "reason": text})
	add("koc", "POST", "/v1/admin/kocs", o.Operator, object{"handle": drive.Fresh("evil"), "name": text, "email": "a@example.com"})
	add("apply", "POST", "/apply", "", object{"handle": drive.Fresh("apply"), "name": text, "email": "a@example.com", "story": text})
	return out
}

// evilOrder is an order with the text wherever shopper and operator write something; a plain one where it is refused.
func (o *outsider) evilOrder(tea, text string, takes func(what, text string, q drive.Call) bool) drive.Object {
	o.t.Helper()
	for _, place := range []string{"contact.name", "contact.phone", "contact.email", "address.region", "address.city", "address.district", "address.line1", "address.postcode",
		"address.country", "address.division", "kocCode", "coupon", "payment"} {
		body := drive.OrderBody("", tea, 0, "sandbox") // is refused anyhow: this is about how
		group, name, nested := strings.Cut(place, ".")
		if !nested {
			body[group] = text
		} else {
			body[group].(map[string]any)[name] = text
		}
		takes(place, text, drive.Call{Method: "POST", Path: "/orders", Key: drive.Fresh("evil-order-key-"), JSON: body})
	}
	body := drive.OrderBody("", tea, 1, "on_delivery")
	for place, value := range map[string]string{"name": text} {
		body["contact"].(map[string]any)[place] = value
	}
	body["address"].(map[string]any)["line1"] = text
	a := o.Do(drive.Call{Method: "POST", Path: "/orders", Key: drive.Fresh("evil-order-key-"), JSON: body})
	if a.Status != 201 {
		a = o.Do(drive.Call{Method: "POST", Path: "/orders", Key: drive.Fresh("evil-order-key-"), JSON: drive.OrderBody("", tea, 1, "on_delivery")}).Is(201)
	}
	order := a.Object()
	admin := "/v1/admin/orders/" + order.Text("id")
	takes("hold", text, drive.Call{Method: "POST", Path: admin + "/hold", Token: o.Operator, JSON: object{"reason": text}})
	takes("release", text, drive.Call{Method: "POST", Path: admin + "/release", Token: o.Operator, JSON: object{"reason": text}})
	takes("ship", text, drive.Call{Method: "POST", Path: admin + "/ship", Token: o.Operator, JSON: object{"carrier": text, "tracking": text}})
	o.post(200, admin+"/ship", o.Operator, object{"carrier": "SF", "tracking": "1"})
	o.post(200, admin+"/deliver", o.Operator, object{})
	secret := order.Text("secret")
	takes("return", text, drive.Call{Method: "POST", Path: "/orders/" + order.Text("id") + "/returns", JSON: object{"secret": secret, "reason": text}})
	takes("refund", text, drive.Call{Method: "POST", Path: admin + "/refunds", Token: o.Operator, Key: drive.Fresh("refund of a test "), JSON: object{"amount": drive.CNY(1), "reason": text}})
	cancelled := o.Do(drive.Call{Method: "POST", Path: "/orders", Key: drive.Fresh("evil-order-key-"), JSON: drive.OrderBody("", tea, 1, "on_delivery")}).Is(201).Object()
	takes("cancel", text, drive.Call{Method: "POST", Path: "/orders/" + cancelled.Text("id") + "/cancel", JSON: object{"secret": cancelled.Text("secret"), "reason": text}})
	return order
}

// inert reads every page after a text was put everywhere.
func (o *outsider) inert(text, tea string, order drive.Object) {
	o.t.Helper()
	for _, path := range []string{"/", "/k/" + o.Handle, "/k/" + o.Handle + "/p/" + tea, "/s/" + o.Handle, "/k/" + o.Handle + "/basket?line=" + url.QueryEscape(tea+"*1"), "/apply", "/portal",
		"/orders/" + order.Text("id") + "?secret=" + order.Text("secret"), "/k/" + o.Handle + "?lang=" + url.QueryEscape(text), "/s/" + o.Handle + "?t=" + url.QueryEscape(text)} {
		if len(path) > 5000 {
			continue // more than the gateway takes
		}
		page := o.Do(drive.Call{Path: path, Header: map[string]string{"Accept": "text/html"}}).Is(200)
		for _, wrong := range alive(page.Body) {
			o.t.Errorf("%.60s with %.60q: %s", path, text, wrong)
		}
		policy := page.Header.Get("Content-Security-Policy")
		if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") && path != "/portal" {
			o.t.Errorf("%.60s: policy %q", path, policy)
		}
		if page.Header.Get("Set-Cookie") != "" || page.Header.Get("X-Content-Type-Options") != "nosniff" {
			o.t.Errorf("%.60s: headers %v", path, page.Header)
		}
	}
	for _, path := range []string{"/v1/me", "/v1/shelf", "/v1/links", "/v1/orders", "/v1/products"} {
		o.get(200, path, o.KOC)
	}
	for _, path := range []string{"/v1/admin/products/" + tea, "/v1/admin/kocs", "/v1/admin/orders", "/v1/admin/orders/" + order.Text("id"), "/v1/admin/settings"} {
		o.get(200, path, o.Operator)
	}
}

// alive is what on a page could run, load or deceive and is not of our own making.
func alive(page []byte) (wrong []string) {
	tokens := html.NewTokenizer(strings.NewReader(string(page)))
	inside := ""
	for {
		switch kind := tokens.Next(); kind {
		case html.ErrorToken:
			if tokens.Err() != io.EOF {
				wrong = append(wrong, tokens.Err().Error())
			}
			return wrong
		case html.StartTagToken, html.SelfClosingTagToken:
			token := tokens.Token()
			inside = token.Data
			wrong = append(wrong, aliveTag(token)...)
			if kind == html.StartTagToken && token.Data == "script" && attribute(token, "type") == "application/ld+json" {
				tokens.Next()
				if text := tokens.Token().Data; !json.Valid([]byte(text)) {
					wrong = append(wrong, "structured data is no JSON: "+text)
				}
			}
		case html.TextToken:
			text := tokens.Token().Data
			if inside == "script" && strings.TrimSpace(text) != "" {
				wrong = append(wrong, "inline script: "+text)
			}
			if i := strings.IndexFunc(text, deceiving); i >= 0 {
				wrong = append(wrong, fmt.Sprintf("a character that deceives: %.40q", text[i:]))
			}
		case html.EndTagToken:
			inside = ""
		case html.CommentToken:
			wrong = append(wrong, "a comment: "+tokens.Token().Data)
		}
	}
}

// deceiving characters turn or hide what follows. Joiners stay, because emoji need them.
func deceiving(r rune) bool {
	return r != '\n' && r != '\t' && r != '\u200c' && r != '\u200d' && (unicode.Is(unicode.Cf, r) || unicode.IsControl(r))
}

func attribute(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func aliveTag(t html.Token) (wrong []string) {
	switch t.Data {
	case "iframe", "object", "embed", "base", "style", "frame", "applet", "math":
		wrong = append(wrong, "element "+t.String())
	case "script":
		source, kind := attribute(t, "src"), attribute(t, "type")
		if kind != "application/ld+json" && !strings.HasPrefix(source, "/assets/") && !strings.HasPrefix(source, "/portal/") {
			wrong = append(wrong, "script "+t.String())
		}
	}
	for _, a := range t.Attr {
		value := strings.ToLower(strings.TrimSpace(a.Val))
		switch {
		case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc", a.Key == "formaction":
			wrong = append(wrong, "attribute "+t.String())
		case (a.Key == "href" || a.Key == "src" || a.Key == "action") && (strings.HasPrefix(value, "javascript:") || strings.HasPrefix(value, "data:") || strings.HasPrefix(value, "vbscript:") || strings.HasPrefix(value, "//")):
			wrong = append(wrong, "address "+t.String())
		case strings.ContainsFunc(a.Val, deceiving):
			wrong = append(wrong, "a character that deceives in "+t.String())
		}
	}
	return wrong
}

// TestHostileForms: what another site makes a shopper's browser send is refused, whichever way it says so.
func TestHostileForms(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	tea := o.Product(100, 50)
	order := o.Order("", tea, 1, "on_delivery")
	secret := url.Values{"secret": {order.Text("secret")}}
	path := "/orders/" + order.Text("id")
	form := url.Values{"key": {drive.Fresh("hostile-forms-")}, "line": {tea + "*1"}, "payment": {"on_delivery"}, "contact.name": {"陈静"}, "contact.phone": {"13800000000"},
		"address.country": {"CN"}, "address.city": {"杭州市"}, "address.line1": {"文三路 1 号"}}
	host := strings.TrimPrefix(o.Base, "http://")
	for target, values := range map[string]url.Values{"/orders": form, "/quotes": form, path + "/cancel": secret, path + "/received": secret, path + "/returns": secret,
		"/apply": {"handle": {drive.Fresh("cross")}, "name": {"X"}, "email": {"x@example.com"}}} {
		for _, header := range []map[string]string{
			{"Origin": "null"}, {"Origin": "https://evil.example"}, {"Origin": o.Base + ".evil.example"}, {"Origin": "http://evil.example/" + host},
			{"Origin": "http://" + host + "@evil.example"}, {"Origin": "http://x" + host}, {"Origin": strings.Replace(o.Base, "127.0.0.1", "127.0.0.2", 1)},
			{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "cross-site", "Origin": o.Base},
		} {
			if a := o.Do(drive.Call{Method: "POST", Path: target, Form: values, Header: header}); a.Status != 403 {
				t.Errorf("%s with %v: %d %.200s", target, header, a.Status, a.Body)
			}
			body := object{"secret": order.Text("secret")}
			if a := o.Do(drive.Call{Method: "POST", Path: target, JSON: body, Header: header}); a.Status != 403 {
				t.Errorf("%s as JSON with %v: %d %.200s", target, header, a.Status, a.Body)
			}
		}
		for _, kind := range []string{"text/plain", "text/plain; application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded2", "", "*/*"} {
			if a := o.Do(drive.Call{Method: "POST", Path: target, Raw: `{"secret":"` + order.Text("secret") + `"}`, Header: map[string]string{"Content-Type": kind}}); a.Status != 415 {
				t.Errorf("%s as %q: %d %.200s", target, kind, a.Status, a.Body)
			}
		}
	}
	o.See(order).Want(t, "confirmed", "status")
	form.Set("price", "1")
	o.Do(drive.Call{Method: "POST", Path: "/orders", Form: form, Header: map[string]string{"Origin": o.Base}}).Is(400)
	form.Del("price")
	form.Add("payment", "sandbox")
	o.Do(drive.Call{Method: "POST", Path: "/orders", Form: form, Header: map[string]string{"Origin": o.Base}}).Is(400)
	o.get(200, "/v1/admin/products/"+tea, o.Operator).Want(t, 49, "variants", 0, "stock")
	o.Do(drive.Call{Method: "POST", Path: path + "/cancel", Form: secret, Header: map[string]string{"Origin": o.Base, "Sec-Fetch-Site": "same-origin"}}).Is(303)
	o.See(order).Want(t, "cancelled", "status")
}

// TestHostileVisitors: machines see the page and count for nothing; one visitor counts once.
func TestHostileVisitors(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	path := "/s/" + o.Share(o.KOC, "storefront")
	const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.50 NetType/WIFI Language/zh_CN"
	beacon := func(method string, header map[string]string) {
		t.Helper()
		page := o.Do(drive.Call{Path: path, Header: header}).Is(200)
		if !strings.Contains(string(page.Body), "og:title") {
			t.Errorf("%v sees no preview", header)
		}
		token := o.PageToken(path)
		a := o.Do(drive.Call{Method: method, Path: "/touch", JSON: object{"token": token}, Header: header})
		if a.Status != 204 && method == "POST" {
			t.Errorf("%v: %d", header, a.Status)
		}
	}
	for _, agent := range []string{"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "WhatsApp/2.23.20.0", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
		"line-poker/1.0", "facebookexternalhit/1.1;line-poker/1.0", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "Mozilla/5.0 AppleWebKit/537.36 (compatible; BingPreview/1.0b)",
		"WeChat/8.0.50 CFNetwork/1490.0.4 Darwin/23.2.0", "Twitterbot/1.0", "TelegramBot (like TwitterBot)", "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", "LinkedInBot/1.0",
		"Googlebot/2.1 (+http://www.google.com/bot.html)", "Mozilla/5.0 (compatible; Baiduspider/2.0)", "Mozilla/5.0 (compatible; YandexBot/3.0)", "curl-preview/1", "curl/8.5.0", "python-requests/2.32.3", "Go-http-client/1.1", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36", "", strings.Repeat("Mozilla", 1000)} {
		beacon("POST", map[string]string{"User-Agent": agent})
	}
	for _, header := range []map[string]string{{"Purpose": "prefetch"}, {"Sec-Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, {"X-Moz": "prefetch"}, {"X-Purpose": "preview"}} {
		header["User-Agent"] = phone
		beacon("POST", header)
	}
	for _, method := range []string{"HEAD", "GET", "OPTIONS", "PUT"} {
		beacon(method, map[string]string{"User-Agent": phone})
	}
	o.Quiet()
	o.get(200, "/v1/stats", o.KOC).Want(t, 0, "total", "touches")
	for range 50 {
		beacon("POST", map[string]string{"User-Agent": phone})
	}
	beacon("POST", map[string]string{"User-Agent": phone, "X-Forwarded-For": "203.0.113.9"}) // anybody can say so
	o.Quiet()
	o.get(200, "/v1/stats?by=link", o.KOC).Want(t, 1, "total", "touches")
	token := o.PageToken(path)
	for i := range 150 { // a burst of changing browsers within two minutes at most
		o.Do(drive.Call{Method: "POST", Path: "/touch", JSON: object{"token": token}, Header: map[string]string{"User-Agent": fmt.Sprint(phone, " Build/", i)}}).Is(204)
	}
	o.Quiet()
	counted, _ := o.get(200, "/v1/stats?by=link", o.KOC).At("total", "touches").(int64)
	if counted < 2 || counted > 121 {
		t.Errorf("a burst from one address counts %d times", counted)
	}
}

// raw sends a request line as it is, which a client library would correct.
func raw(t *testing.T, base, method, target string) (int, http.Header, string) {
	t.Helper()
	host := strings.TrimPrefix(base, "http://")
	connection, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	fmt.Fprintf(connection, "%s %s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", method, target, host)
	resp, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Errorf("%s %.80q: %v", method, target, err)
		return 0, nil, ""
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, string(body)
}

// TestHostilePaths: no address crashes anything, leads elsewhere, or reaches what is not its own.
func TestHostilePaths(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	targets := []string{"/s/%", "/s/%25", "/s/%zz", "/s/%00", "/s/a%00b", "/s/%3F", "/s/a?b?c", "/s/%2e%2e", "/s/..", "/s/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/s/../../etc/passwd", "//s/x", "/s//x",
		"/s/%2F%2Fevil.example", "//evil.example/s/x", "///evil.example", "/\\evil.example", "/s/\\evil.example", "/s/%5cevil.example", "/%2F/evil.example", "/k/%2e%2e/p/x", "/k/..", "/k/../k", "/./k", "/k/./x",
		"/s/javascript:alert(1)", "/s/%0d%0aSet-Cookie:a=b", "/s/x%0d%0aLocation:%20http://evil.example", "/s/" + strings.Repeat("a", 9000), "/s/" + strings.Repeat("%41", 3000), "/k/" + strings.Repeat("-", 500),
		"/s/%F0%9F%98%80", "/s/%ff%fe", "/s/%E5%BA%97", "/k/店", "/assets/..%2f..%2fgo.mod", "/assets/../../go.mod", "/portal/..%2f..%2fgo.mod", "/portal/%2e%2e", "/orders/%2e%2e", "/orders/..", "/orders/x/../y",
		"/orders/ORDER%23x", "/orders/" + strings.Repeat("x", 8000), "/webhooks/..", "/webhooks/%00", "/v1/../healthz", "/v1/%2e%2e/healthz", "/healthz/", "/healthz/..", "/_local",
		"/s/x?" + strings.Repeat("a=b&", 2000), "/k/" + o.Handle + "?" + strings.Repeat("t=x&", 1500), "/k/" + o.Handle + "/basket?line=%", "/k/" + o.Handle + "/basket?line=" + strings.Repeat("x*1&line=", 500),
		"/k/" + o.Handle + "?lang=%00", "/k/" + o.Handle + "?next=//evil.example", "/s/" + o.Handle + "?next=javascript:alert(1)&redirect=//evil.example&url=https://evil.example", "/k/" + o.Handle + "/p/%", "/k/" + o.Handle + "/p/..%2f..", "/k/" + o.Handle + "/p/" + strings.Repeat("x", 3000)}
	for _, target := range targets {
		for _, method := range []string{"GET", "HEAD", "POST", "DELETE"} {
			status, header, body := raw(t, o.Base, method, target)
			location := header.Get("Location")
			switch {
			case status >= 500, status == 0:
				t.Errorf("%s %.80q: %d %.200s", method, target, status, body)
			case location != "":
				t.Errorf("%s %.80q leads to %s", method, target, location)
			case header.Get("Set-Cookie") != "":
				t.Errorf("%s %.80q sets a cookie", method, target)
			case strings.Contains(body, "module yundian") || strings.Contains(body, "root:"):
				t.Errorf("%s %.80q shows a file", method, target)
			}
		}
	}
	for _, target := range []string{"*", "http://evil.example/healthz", "healthz"} {
		if status, _, body := raw(t, o.Base, "GET", target); status >= 500 {
			t.Errorf("GET %q: %d %s", target, status, body)
		}
	}
	for _, method := range []string{"TRACE", "CONNECT", "OPTIONS", "PROPFIND", "X", strings.Repeat("M", 3000)} {
		for _, target := range []string{"/healthz", "/orders", "/v1/me"} {
			if status, _, body := raw(t, o.Base, method, target); status >= 500 || status == 200 {
				t.Errorf("%.20s %s: %d %.200s", method, target, status, body)
			}
		}
	}
	o.get(200, "/healthz", "")
}
