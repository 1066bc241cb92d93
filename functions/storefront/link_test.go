package main

import (
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/koc"
	"yundian/shared/shop"
)

// shopOfTwo has two KOCs who share the same tea, and a link of the first.
func shopOfTwo(t *testing.T) (b *bench, code string) {
	b = open(t)
	b.tea("longjing", "龙井", 16800, 5)
	b.tea("oolong", "桂花乌龙", 8800, 5)
	b.koc("mei", "小梅", "longjing", "清早第一杯。", "oolong", "放凉了也香。")
	b.koc("laozhou", "老周", "oolong", "八克，沸水。")
	return b, b.link("mei", "storefront", "abc2345")
}

func TestShareLinkShowsTheStorefrontInPlace(t *testing.T) {
	b, code := shopOfTwo(t)
	p := b.page("/s/" + code)
	p.wants("小梅", "喜欢喝茶。", "龙井", "¥168.00", "清早第一杯。")
	if got := b.code(p.token()); got != code {
		t.Errorf("the token is of %q, want %q", got, code)
	}
	for property, want := range map[string]string{"og:title": "小梅的分享", "og:url": "https://shop.example/s/" + code, "og:type": "website",
		"og:image": "https://pictures.example/longjing.jpg", "og:description": "我是小梅。 喜欢喝茶。", "og:locale": "zh_CN"} {
		if got := p.meta(property); got != want {
			t.Errorf("%s is %q, want %q", property, got, want)
		}
	}
	for name, want := range map[string]string{"Cache-Control": "public, max-age=60", "Vary": "Accept-Language, Accept", "Content-Language": "zh-Hans", "Location": ""} {
		if got := p.answer.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if n := len(p.all("form")); n != 0 {
		t.Errorf("a page that anybody may keep has %d forms", n)
	}
	if csp := p.answer.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self';") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
}

func TestHeadIsThePageWithoutIt(t *testing.T) {
	b, code := shopOfTwo(t)
	for _, path := range []string{"/", "/s/" + code, "/k/mei", "/k/mei/p/longjing", "/k/mei/basket", "/s/" + code + "/qr"} {
		get, head := b.do(path), b.do(path, "method", "HEAD")
		if head.Status != 200 || head.Body != "" || head.Header.Get("Cache-Control") != get.Header.Get("Cache-Control") || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") {
			t.Errorf("HEAD %s: %.300s", path, head)
		}
	}
	if a := b.do("/k/mei", "method", "POST"); a.Status != 405 || a.Header.Get("Allow") == "" {
		t.Errorf("POST: %.300s", a)
	}
}

func TestACodeThatWasHurtOnTheWay(t *testing.T) {
	b, code := shopOfTwo(t)
	tests := map[string]string{
		"/s/" + code + "?from=singlemessage&isappinstalled=0": code, // what WeChat appends
		"/s/" + strings.ToUpper(code):                         code,
		"/s/" + code[:len(code)-2]:                            "mei", // its end was lost
		"/s/" + code + "。":                                    code,  // the end of a sentence came along
		"/s/" + code + strings.Repeat("x", 5000):              code,
		"/s/mei":                                              "mei",
	}
	for address, want := range tests {
		if got := b.code(b.page(address).token()); got != want {
			t.Errorf("%.60s gives a token of %q, want %q", address, got, want)
		}
	}
}

// TestTheTokenSurvivesEveryLink walks all pages that can be reached from a share link.
func TestTheTokenSurvivesEveryLink(t *testing.T) {
	b, code := shopOfTwo(t)
	first := b.page("/s/" + code)
	token := first.token()
	b.at = b.at.Add(3 * time.Hour)
	seen := map[string]bool{}
	waiting := first.links()
	baskets := 0
	for len(waiting) > 0 && len(seen) < 300 {
		address := waiting[0]
		waiting = waiting[1:]
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if seen[address] || strings.HasPrefix(u.Path, "/k/laozhou") { // the other KOC's pages have tokens of their own
			continue
		}
		seen[address] = true
		if !slices.Contains(u.Query()["t"], token) {
			t.Fatalf("a link lost the token: %s", address)
		}
		p := b.page(address)
		own := !strings.HasPrefix(u.Path, "/k/") && !strings.HasPrefix(u.Path, "/s/")
		if !own && p.token() != token {
			t.Fatalf("%s made another token: %s", address, p.token())
		}
		if own && p.token() != "" {
			t.Errorf("the brand's page %s has a token", address)
		}
		if fields := p.fields(); fields.Get("key") != "" {
			baskets++
			if !slices.Equal(fields["token"], []string{token}) {
				t.Errorf("the form of %s has tokens %v", address, fields["token"])
			}
		}
		for _, next := range p.links() {
			if v, err := url.Parse(next); err == nil && len(v.Query()["line"])+len(v.Query()["b"]) < 2 && !strings.Contains(next, "*3") { // baskets grow for ever
				waiting = append(waiting, next)
			}
		}
	}
	if len(seen) < 30 || baskets < 4 {
		t.Errorf("walked only %d pages, %d with a form", len(seen), baskets)
	}
}

func TestTwoKOCs(t *testing.T) {
	b, code := shopOfTwo(t)
	mei := b.page("/s/" + code).token()
	b.at = b.at.Add(time.Minute)
	p := b.page("/k/laozhou?t=" + mei)
	zhou := p.token()
	if b.code(zhou) != "laozhou" {
		t.Fatalf("the other KOC's page has the token %s", zhou)
	}
	if got := b.page(p.link("购物篮") + "&line=oolong*1").fields()["token"]; !slices.Equal(got, []string{mei, zhou}) {
		t.Errorf("the form carries %v, want both, the later one last", got)
	}
	b.at = b.at.Add(time.Minute)
	again := b.page("/k/mei?t=" + mei + "&t=" + zhou)
	if again.token() == mei || b.code(again.token()) != "mei" {
		t.Errorf("coming back to the first KOC after the second gives %s", again.token())
	}
}

func TestTokensThatAreKeptAndMadeAnew(t *testing.T) {
	b, code := shopOfTwo(t)
	other := b.link("mei", "product:oolong", "xyz6789")
	day := 24 * time.Hour
	tests := []struct {
		name, path string
		token      string
		want       string // code of the page's token
		kept       bool
	}{
		{"of this storefront", "/k/mei", b.sign(code, b.at.Add(-13*day)), code, true},
		{"older than a link counts", "/k/mei", b.sign(code, b.at.Add(-15*day)), "mei", false},
		{"of the same link", "/s/" + code, b.sign(code, b.at.Add(-day)), code, true},
		{"of another link of the same KOC", "/s/" + other, b.sign(code, b.at.Add(-day)), other, false},
		{"under an older key", "/k/mei", oldKey(t, code, b.at.Add(-day)), code, true},
		{"with one bit turned", "/k/mei", flip(b.sign(code, b.at.Add(-day))), "mei", false},
		{"from the future", "/k/mei", b.sign(code, b.at.Add(day)), "mei", false},
		{"signed by somebody else", "/k/mei", "mei.AGkAAAA." + strings.Repeat("A", 43), "mei", false},
		{"no token", "/k/mei", `"><script>alert(1)</script>`, "mei", false},
	}
	for _, tt := range tests {
		p := b.page(tt.path + "?t=" + url.QueryEscape(tt.token))
		if got := b.code(p.token()); got != tt.want || (p.token() == tt.token) != tt.kept {
			t.Errorf("a token %s: the page has %s", tt.name, p.token())
		}
		if carries := strings.Contains(p.answer.Body, url.QueryEscape(tt.token)); carries != tt.kept && b.isGenuine(tt.token) == tt.kept {
			t.Errorf("a token %s is carried on: %v", tt.name, carries)
		}
	}
}

func TestNewestFiveTokensTravel(t *testing.T) {
	b, _ := shopOfTwo(t)
	query := url.Values{"line": {"oolong*1"}}
	var want []string
	for i := range 30 {
		token := b.sign("k"+string(rune('a'+i%26))+"oc", b.at.Add(time.Duration(i-40)*time.Hour))
		query.Add("t", token)
		want = append(want, token)
	}
	p := b.page("/k/mei/basket?" + query.Encode())
	if got := p.fields()["token"]; len(got) != 5 || !slices.Equal(got[:4], want[26:]) || got[4] != p.token() {
		t.Errorf("of 30 tokens the form carries %d: %v", len(got), got)
	}
}

// TestLinksAsChatsLeaveThem: whatever is written behind a code, a handle or a product, the shopper arrives, and the KOC is
// credited.
func TestLinksAsChatsLeaveThem(t *testing.T) {
	b, code := shopOfTwo(t)
	leaf := b.link("mei", "product:longjing", "leaf234")
	b.product(catalogue.Product{ID: "茶-杯", Title: "茶杯", Variants: []catalogue.Variant{{SKU: "cup", Price: cny(100)}}}, map[string]int64{"cup": 9})
	behind := []string{"", "。", "，快来看", "快来看", ".", ")", "】", "/", "//", "/快来看", "/a/b", "&from=timeline", "?from=line", "%20", "!", "；", "\u200b", "…", " ", "😀"}
	for start, want := range map[string]string{"/s/mei": "小梅的分享 mei", "/s/MEI": "小梅的分享 mei", "/s/ｍｅｉ": "小梅的分享 mei", "/s/@mei": "小梅的分享 mei", "/k/mei": "小梅的分享 mei",
		"/s/" + code: "小梅的分享 " + code, "/s/" + leaf: "龙井 " + leaf, "/k/mei/p/longjing": "龙井 mei", "/k/mei，/p/longjing": "龙井 mei", "/k/mei/p/茶-杯": "茶杯 mei"} {
		for _, more := range behind {
			if strings.HasSuffix(start, "杯") && more == "快来看" {
				continue // letters behind letters are part of the word
			}
			p := b.page((&url.URL{Path: start + more}).String())
			if got := p.meta("og:title") + " " + b.code(p.token()); got != want {
				t.Errorf("%q shows %s, want %s", start+more, got, want)
			}
			if got := p.meta("og:url"); strings.ContainsAny(got, "。，】)?& \u200b") || strings.HasSuffix(got, "/") {
				t.Errorf("%q calls itself %s", start+more, got)
			}
		}
	}
	for _, address := range []string{"/p/longjing。", "/p/longjing/", "/p/longjing&from=timeline", "/p/longjing快来看"} {
		if p := b.page(address); p.meta("og:title") != "龙井" || p.meta("og:url") != "https://shop.example/p/longjing" {
			t.Errorf("%s shows %s", address, p.meta("og:title"))
		}
	}
	token := b.page("/s/" + code).token()
	carried := b.page("/k/mei/basket/?line=longjing*2。&t=" + token + "。快来")
	if f := carried.fields(); f.Get("line") != "longjing*2" || f.Get("token") != token {
		t.Errorf("the end of an address spoils %v", f)
	}
	for path, want := range map[string]string{"/orders/01ARZ3NDEKTSV4RRFFQ69G5FAV/": "/orders/01ARZ3NDEKTSV4RRFFQ69G5FAV?secret=x",
		"/orders/01ARZ3NDEKTSV4RRFFQ69G5FAV/快来": "/orders/01ARZ3NDEKTSV4RRFFQ69G5FAV?secret=x", "/orders/x/": "", "/orders/..%2f/": ""} {
		if a := b.do(path + "?secret=x"); a.Header.Get("Location") != want || (a.Status == 308) != (want != "") {
			t.Errorf("%s: %.200s", path, a)
		}
	}
}

// TestKOCsWhoAreAway: a link of somebody who is unknown, not approved or suspended leads to the brand's own page, in place,
// where the sale goes on. Nobody can tell the three apart.
func TestKOCsWhoAreAway(t *testing.T) {
	b, code := shopOfTwo(t)
	leaf := b.link("mei", "product:longjing", "leaf234")
	b.settings(func(s *shop.Settings) { s.DefaultShelf = []string{"oolong", "longjing"} })
	applied, err := koc.NewProfile("lin", "林", "lin@example.com", b.at)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.store.CreateKOC(t.Context(), applied); err != nil {
		t.Fatal(err)
	}
	zhou := b.page("/k/laozhou").token()
	if _, err := b.store.UpdateKOC(t.Context(), "mei", func(p *koc.Profile) error { return p.Suspend("left", b.at) }, nil); err != nil {
		t.Fatal(err)
	}
	for brand, paths := range map[string][]string{
		"/":                                {"/s/" + code, "/s/mei", "/k/mei", "/k/lin", "/s/lin_abc", "/k/nobody", "/s/nobody_abcdef", "/k/nobody，快来看", "/s/nobody/"},
		"/p/longjing":                      {"/s/" + leaf, "/k/mei/p/longjing", "/k/lin/p/longjing", "/k/nobody/p/longjing", "/k/nobody/p/longjing。"},
		"/basket?line=longjing*1":          {"/k/mei/basket?line=longjing*1", "/k/lin/basket?line=longjing*1", "/k/nobody/basket?line=longjing*1"},
		"/p/longjing?variant=x&b=oolong*1": {"/k/mei/p/longjing?variant=x&b=oolong*1", "/k/nobody/p/longjing?variant=x&b=oolong*1"},
	} {
		for _, accept := range []string{browser, "application/json"} {
			address := func(path string) string { return path + sep(path) + "t=" + zhou }
			want := b.do(address(brand), "Accept", accept)
			if want.Status != 200 || strings.Contains(want.Body, "小梅") || strings.Contains(want.Body, "yundian-token") || strings.Contains(want.Body, "beacon.") {
				t.Errorf("%s: %.900s", brand, want)
			}
			for _, path := range paths {
				got := b.do(address(path), "Accept", accept)
				if withoutKey(got.Body) != withoutKey(want.Body) || !reflect.DeepEqual(got.Header, want.Header) || got.Status != 200 {
					t.Errorf("%s as %s differs from %s: %d %v\n%.2000s\nwant\n%.2000s", path, accept, brand, got.Status, got.Header, got.Body, want.Body)
				}
			}
		}
	}
	// The sale goes on: from the page to the form, with the tokens that the shopper brought along and no other.
	p := b.page("/s/" + leaf + "?t=" + zhou)
	p.wants("龙井", "加入购物篮", "立即购买")
	form := b.page(p.link("立即购买"))
	if f := form.fields(); f.Get("line") != "longjing*1" || f.Get("handle") != "" || !slices.Equal(f["token"], []string{zhou}) || form.token() != "" {
		t.Errorf("the form carries %v", f)
	}
	var d landingDocument
	b.do("/k/nobody/p/longjing", "Accept", "application/json").Decode(t, &d)
	if d.KOC != nil || d.Link != nil || d.Token != "" || len(d.Products) != 1 || d.Products[0].URL != "https://shop.example/p/longjing" {
		t.Errorf("a program reads %+v", d)
	}
	for _, path := range []string{"/k/mei/p/never-was", "/k/nobody/p/never-was", "/p/never-was", "/s/a", "/k/a", "/k/店", "/s/%25", "/s/%FF%FE", "/s/", "/k/", "/p/", "/s", "/x", "/products/longjing", "/basket-x"} {
		p := b.document(404, path)
		if p.token() != "" || p.answer.Header.Get("Cache-Control") != "no-store" || !strings.Contains(p.answer.Body, "Yundian") && !strings.Contains(p.answer.Body, "云店") {
			t.Errorf("%s: %.2000s", path, p.answer.Body)
		}
		if problem := b.do(path, "Accept", "application/json").Problem(t); problem.Status != 404 || problem.Detail == "" {
			t.Errorf("%s as JSON: %+v", path, problem)
		}
	}
	var said []string
	for _, path := range []string{"/s/mei/qr", "/s/nobody/qr", "/s/lin/qr"} {
		said = append(said, b.do(path, "Accept", "application/json").Body)
	}
	if said[0] != said[1] || said[1] != said[2] || !strings.Contains(said[0], "koc_away") {
		t.Errorf("pictures tell them apart: %q", said)
	}
	if home := b.page("/"); strings.Contains(home.text(), "小梅") || !strings.Contains(home.text(), "老周") || home.link("龙井") != "/p/longjing" {
		t.Errorf("the brand's page introduces %s", home.text())
	}
}

// withoutKey is a page without its form's fresh key.
func withoutKey(body string) string {
	return regexp.MustCompile(`name="key" value="[0-9a-f]+"`).ReplaceAllString(body, "")
}

func TestLanguages(t *testing.T) {
	b, code := shopOfTwo(t)
	tests := []struct{ accept, query, want, says string }{
		{"zh-CN,zh;q=0.9", "", "zh-Hans", "我的架上"},
		{"zh-TW", "", "zh-Hant", "我的架上"},
		{"en-GB", "", "en", "On my shelf"},
		{"fr", "", "zh-Hans", "我的架上"},
		{"", "", "zh-Hans", "我的架上"},
		{"zh-CN", "?lang=en", "en", "On my shelf"},
		{"en", "?lang=zh-Hant", "zh-Hant", "與你分享"},
		{"en", "?lang=tlh", "en", "On my shelf"},
	}
	for _, tt := range tests {
		p := b.page("/s/"+code+tt.query, "Accept-Language", tt.accept)
		p.wants(tt.says)
		if got := attribute(p.all("html")[0], "lang"); got != tt.want || p.answer.Header.Get("Content-Language") != tt.want {
			t.Errorf("%q %s is answered in %s", tt.accept, tt.query, got)
		}
	}
	p := b.page("/s/" + code)
	switched := b.page(p.link("EN"))
	if switched.token() != p.token() {
		t.Error("changing the language made another token")
	}
	for _, link := range switched.links() {
		if u, _ := url.Parse(link); u.Query().Get("lang") == "" {
			t.Errorf("the language asked for is lost in %s", link)
		}
	}
	if form := b.page(switched.link("Basket")+"&line=oolong*1").one("form", "id", "order"); attribute(form, "action") != "/orders?lang=en" {
		t.Errorf("the form goes to %q", attribute(form, "action"))
	}
	b.settings(func(s *shop.Settings) { s.Languages = []string{"zh-Hant", "en"} })
	if p := b.page("/s/" + code); p.answer.Header.Get("Content-Language") != "zh-Hant" || strings.Contains(p.answer.Body, `lang="zh-Hans"`) {
		t.Errorf("a shop that does not offer zh-Hans answers in %s", p.answer.Header.Get("Content-Language"))
	}
}

func TestAdvertisingLabelAndLicence(t *testing.T) {
	b, code := shopOfTwo(t)
	b.settings(func(s *shop.Settings) {
		s.Licence = shop.Licence{Company: "山隅茶事有限公司", Number: "JY1330106", ICP: "浙ICP备2026000001号"}
	})
	for _, path := range []string{"/s/" + code, "/k/mei", "/k/mei/p/longjing"} {
		if body := b.page(path).answer.Body; !strings.Contains(body, "<strong>广告</strong>") || !strings.Contains(body, "山隅茶事有限公司 JY1330106") || !strings.Contains(body, "浙ICP备2026000001号") {
			t.Errorf("%s lacks the label or the licence", path)
		}
	}
	b.settings(func(s *shop.Settings) { s.AdvertisingLabel = false })
	if strings.Contains(b.page("/k/mei").answer.Body, "广告") {
		t.Error("the label shows although it is switched off")
	}
}

func TestShelves(t *testing.T) {
	b, _ := shopOfTwo(t)
	b.koc("lin", "林夏")
	b.page("/k/lin").wants("架上暂时空着")
	b.settings(func(s *shop.Settings) { s.DefaultShelf = []string{"oolong", "gone", "longjing"} })
	if p := b.page("/k/lin"); strings.Index(p.text(), "桂花乌龙") > strings.Index(p.text(), "龙井") || !strings.Contains(p.text(), "龙井") {
		t.Errorf("the default shelf is %s", p.text())
	}
	product, err := b.store.Product(t.Context(), "oolong")
	if err != nil {
		t.Fatal(err)
	}
	draft := product
	draft.Status = "draft"
	if err := b.store.SaveProduct(t.Context(), product, draft, nil); err != nil {
		t.Fatal(err)
	}
	b.page("/k/lin").wantsNot("桂花乌龙")
	b.document(404, "/k/lin/p/oolong").wants("这里没有东西")
	b.document(404, "/k/lin/p/never-was").wants("可能已经下架")
	b.document(404, "/k/lin/p/a%20b%3F%25")
}

// TestStoreCalls bounds what a page costs at the store.
func TestStoreCalls(t *testing.T) {
	b, code := shopOfTwo(t)
	leaf := b.link("mei", "product:longjing", "leaf234")
	tests := []struct {
		path string
		want int64
	}{
		{"/s/" + code, 2}, {"/k/mei", 2}, {"/k/mei/p/longjing", 2}, {"/k/mei/basket?line=longjing*1&line=oolong*2", 1},
		{"/s/" + leaf, 3}, {"/s/" + leaf, 2}, // a link's product is remembered
		{"/p/longjing", 2}, {"/k/nobody/p/longjing", 2}, {"/basket?line=longjing*1", 1},
		{"/s/" + code + "/qr", 1}, {"/healthz", 0}, {"/robots.txt", 0}, {"/openapi.json", 0},
	}
	for _, tt := range tests {
		before := b.calls.Load()
		if a := b.do(tt.path); a.Status != 200 {
			t.Fatalf("%s: %.300s", tt.path, a)
		}
		if got := b.calls.Load() - before; got != tt.want {
			t.Errorf("%s called the store %d times, want %d", tt.path, got, tt.want)
		}
	}
}
