package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/html"

	"yundian/infra/rules"
	"yundian/shared/attribution"
	"yundian/shared/catalogue"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/provider"
	"yundian/shared/seal"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
	"yundian/shared/web"
	"yundian/shared/web/webtest"
)

// bench is a storefront on a fresh store.
type bench struct {
	t     *testing.T
	store *store.Store
	mux   *http.ServeMux
	keys  seal.Ring
	at    time.Time     // what the storefront's clock says
	calls *atomic.Int64 // of the storefront to the store
	pages web.Option    // what makes pages of refusals the shop's
}

const (
	browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	chinese = "zh-CN,zh;q=0.9"
)

func open(t *testing.T) *bench {
	t.Helper()
	s, env := storetest.OpenWithEnv(t)
	keys, err := seal.Parse(`{"1": "an old secret of enough bytes", "2": "a new secret of enough bytes"}`)
	if err != nil {
		t.Fatal(err)
	}
	providers, err := provider.New([]string{"sandbox", "on_delivery"}, "")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, store: s, keys: keys, at: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), calls: &atomic.Int64{}}
	engine, err := url.Parse(env["AWS_ENDPOINT_URL_DYNAMODB"])
	if err != nil {
		t.Fatal(err)
	}
	toEngine := httputil.NewSingleHostReverseProxy(engine)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.calls.Add(1)
		toEngine.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	env["AWS_ENDPOINT_URL_DYNAMODB"] = proxy.URL
	counted := store.Open(store.ConfigFrom(func(name string) string { return env[name] }))
	b.pages = web.ShopPages(counted.Settings)
	b.mux = routes(&storefront{store: counted, publicURL: "https://shop.example", keys: keys, providers: providers, now: func() time.Time { return b.at }})
	return b
}

// do asks as a browser with Chinese settings does; headers are names and values in turn.
func (b *bench) do(address string, headers ...string) webtest.Answer {
	b.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		b.t.Fatalf("address %q: %v", address, err)
	}
	r := webtest.Request{Path: u.Path, Query: u.RawQuery, Header: map[string]string{"Accept": browser, "Accept-Language": chinese}, Options: []web.Option{b.pages}}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "method" {
			r.Method = headers[i+1]
			continue
		}
		r.Header[headers[i]] = headers[i+1]
	}
	return webtest.Do(b.t, b.mux, r)
}

// page is an answer of 200 read as a document.
func (b *bench) page(address string, headers ...string) page {
	b.t.Helper()
	return b.document(200, address, headers...)
}

func (b *bench) document(status int, address string, headers ...string) page {
	b.t.Helper()
	a := b.do(address, headers...)
	if a.Status != status || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		b.t.Fatalf("%s answered %.400s, want a page with %d", address, a, status)
	}
	root, err := html.Parse(strings.NewReader(a.Body))
	if err != nil {
		b.t.Fatal(err)
	}
	return page{t: b.t, answer: a, root: root}
}

// page is a parsed document.
type page struct {
	t      *testing.T
	answer webtest.Answer
	root   *html.Node
}

// all are the elements of a kind, in order.
func (p page) all(kind string) []*html.Node {
	var found []*html.Node
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode && n.Data == kind {
			found = append(found, n)
		}
	}
	return found
}

// one is the element of a kind with an attribute; nil without any.
func (p page) one(kind, name, value string) *html.Node {
	for _, n := range p.all(kind) {
		if attribute(n, name) == value {
			return n
		}
	}
	return nil
}

func (p page) text() string {
	for _, n := range p.all("main") {
		return textOf(n)
	}
	return ""
}

// textOf is the text below an element, its parts apart.
func textOf(n *html.Node) string {
	var parts []string
	for d := range n.Descendants() {
		if d.Type == html.TextNode && strings.TrimSpace(d.Data) != "" {
			parts = append(parts, strings.TrimSpace(d.Data))
		}
	}
	return strings.Join(parts, " ")
}

func attribute(n *html.Node, name string) string {
	if n == nil {
		return ""
	}
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func (p page) token() string { return attribute(p.one("meta", "name", "yundian-token"), "content") }

func (p page) meta(property string) string {
	return attribute(p.one("meta", "property", property), "content")
}

// links are the addresses of links to pages of the store.
func (p page) links() []string {
	var out []string
	for _, a := range p.all("a") {
		if href := attribute(a, "href"); strings.HasPrefix(href, "/") {
			out = append(out, href)
		}
	}
	return out
}

// link is the first link whose text holds these words.
func (p page) link(words string) string {
	p.t.Helper()
	for _, a := range p.all("a") {
		if strings.Contains(textOf(a)+attribute(a, "aria-label"), words) {
			return attribute(a, "href")
		}
	}
	p.t.Fatalf("no link says %q", words)
	return ""
}

// fields are the values of a form's inputs by name.
func (p page) fields() url.Values {
	out := url.Values{}
	for _, n := range p.all("input") {
		out.Add(attribute(n, "name"), attribute(n, "value"))
	}
	return out
}

func (p page) wants(fragments ...string) {
	p.t.Helper()
	text := p.text()
	for _, f := range fragments {
		if !strings.Contains(text, f) {
			p.t.Errorf("the page does not say %q but: %.900s", f, text)
		}
	}
}

func (p page) wantsNot(fragments ...string) {
	p.t.Helper()
	for _, f := range fragments {
		if strings.Contains(p.text(), f) {
			p.t.Errorf("the page says %q", f)
		}
	}
}

func (b *bench) settings(change func(*shop.Settings)) {
	b.t.Helper()
	s, err := b.store.Settings(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	change(&s)
	if err := b.store.SaveSettings(b.t.Context(), s); err != nil {
		b.t.Fatal(err)
	}
}

// koc adds an approved KOC with products on the shelf, as product and note in turn.
func (b *bench) koc(handle, name string, shelf ...string) koc.Profile {
	b.t.Helper()
	p, err := koc.NewProfile(handle, name, handle+"@example.com", b.at.AddDate(0, -1, 0))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := p.Approve("hash", b.at.AddDate(0, -1, 1)); err != nil {
		b.t.Fatal(err)
	}
	p.Story = "我是" + name + "。\n喜欢喝茶。"
	var items []koc.ShelfItem
	for i := 0; i+1 < len(shelf); i += 2 {
		items = append(items, koc.ShelfItem{Product: shelf[i], Note: shelf[i+1]})
	}
	if len(items) > 0 {
		if err := p.SetShelf(items); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := b.store.CreateKOC(b.t.Context(), p); err != nil {
		b.t.Fatal(err)
	}
	return p
}

func (b *bench) link(handle, target, unique string) string {
	b.t.Helper()
	l, err := koc.NewLink(handle, target, "wechat", unique, b.at)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.store.CreateLink(b.t.Context(), l); err != nil {
		b.t.Fatal(err)
	}
	return l.Code
}

// product adds an active product; variants are made by variant and with.
func (b *bench) product(p catalogue.Product, stock map[string]int64) {
	b.t.Helper()
	p.Status = firstStatus(p.Status)
	if err := b.store.SaveProduct(b.t.Context(), catalogue.Product{}, p, stock); err != nil {
		b.t.Fatal(err)
	}
}

func firstStatus(s catalogue.Status) catalogue.Status {
	if s == "" {
		return catalogue.Active
	}
	return s
}

func cny(minor int64) money.Amount { return money.Of(minor, "CNY") }

// tea adds a product of one variant whose SKU is the product's id.
func (b *bench) tea(id, title string, price, stock int64) {
	b.t.Helper()
	b.product(catalogue.Product{ID: id, Title: title, Variants: []catalogue.Variant{{SKU: id, Price: cny(price)}},
		Images: []catalogue.Image{{Src: "https://pictures.example/" + id + ".jpg", Alt: title}}}, map[string]int64{id: stock})
}

func (b *bench) sign(code string, at time.Time) string {
	return attribution.SignToken(b.keys, code, at)
}

// code is the link code of a page's token, which has to be genuine.
func (b *bench) code(token string) string {
	b.t.Helper()
	code, _, genuine := attribution.TokenCode(b.keys, token, b.at)
	if !genuine {
		b.t.Fatalf("%q is no genuine token", token)
	}
	return code
}

func TestRoutesAreTheTemplates(t *testing.T) {
	declared, err := rules.Routes("storefront")
	if err != nil {
		t.Fatal(err)
	}
	mux := routes(&storefront{})
	served := map[string]bool{}
	for _, route := range declared {
		if route.Path == rules.Default { // brings what has no route of its own
			served[route.Path] = true
			continue
		}
		r, err := http.NewRequest(http.MethodGet, route.Path, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := "GET " + route.Path
		if route.Path == "/" {
			want = "GET /{$}"
		}
		_, pattern := mux.Handler(r)
		if pattern != want {
			t.Errorf("%s is served by %q", route.Path, pattern)
		}
		served[pattern] = true
	}
	if len(served) != 13 || !served[rules.Default] {
		t.Errorf("the template declares %d routes, want the 12 in routes.go and $default", len(served))
	}
}
