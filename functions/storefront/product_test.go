package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"yundian/shared/catalogue"
	"yundian/shared/koc"
)

// wool is a product in two colours and two sizes, of which one is sold out and one does not exist.
func wool(b *bench) {
	variant := func(sku, colour, size string, price, compare int64, image string) catalogue.Variant {
		return catalogue.Variant{SKU: sku, Title: colour + " / " + size, Options: []string{colour, size}, Price: cny(price), CompareAt: cny(compare), Image: image}
	}
	b.product(catalogue.Product{ID: "scarf", Title: "羊毛围巾", Type: "围巾", Scene: "风大的早晨。\n出门前。", Body: "<p>柔软 &amp; 暖和</p>", Vendor: "山隅",
		Options: []string{"颜色", "尺寸"}, Images: []catalogue.Image{{Src: "https://pictures.example/1.jpg", Alt: "一条围巾"}, {Src: "https://pictures.example/2.jpg"}},
		Variants: []catalogue.Variant{
			variant("scarf-red-s", "红", "小", 10000, 12000, ""),
			variant("scarf-red-l", "红", "大", 13000, 0, "https://pictures.example/2.jpg"),
			variant("scarf-blue-s", "蓝", "小", 10000, 10000, ""),
		}}, map[string]int64{"scarf-red-s": 3, "scarf-red-l": 0, "scarf-blue-s": 50})
}

func chipsOf(p page) map[string]string {
	out := map[string]string{}
	for _, a := range p.all("a") {
		if class := attribute(a, "class"); strings.HasPrefix(class, "chip") {
			u, err := url.Parse(attribute(a, "href"))
			if err != nil {
				p.t.Fatal(err)
			}
			name, _, _ := strings.Cut(textOf(a), " ")
			out[name] = strings.TrimSpace(u.Query().Get("variant") + strings.TrimPrefix(class, "chip"))
		}
	}
	return out
}

func TestProductInTheKOCsWords(t *testing.T) {
	b := open(t)
	wool(b)
	b.koc("mei", "小梅", "scarf", "比我想的软。")
	p := b.page("/k/mei/p/scarf")
	p.wants("羊毛围巾", "¥100.00", "¥120.00", "仅剩 3 件", "比我想的软。", "场景", "风大的早晨。", "出门前。", "柔软 & 暖和", "加入购物篮", "立即购买")
	if got := p.all("img"); attribute(got[0], "src") != "https://pictures.example/1.jpg" || attribute(got[0], "alt") != "一条围巾" || attribute(got[1], "alt") != "羊毛围巾" {
		t.Error("the gallery is wrong")
	}
	want := map[string]string{"红": "scarf-red-s chosen", "蓝": "scarf-blue-s", "小": "scarf-red-s chosen", "大": "scarf-red-l sold-out"}
	if got := chipsOf(p); !same(got, want) {
		t.Errorf("chips %v, want %v", got, want)
	}
	for property, want := range map[string]string{"og:type": "product", "og:title": "羊毛围巾", "og:image": "https://pictures.example/1.jpg", "og:description": "比我想的软。",
		"product:price:amount": "100.00", "product:price:currency": "CNY"} {
		if got := p.meta(property); got != want {
			t.Errorf("%s is %q, want %q", property, got, want)
		}
	}
	if n := len(p.all("form")); n != 0 || p.answer.Header.Get("Cache-Control") != "public, max-age=60" {
		t.Errorf("%d forms, Cache-Control %q", n, p.answer.Header.Get("Cache-Control"))
	}
}

func TestVariants(t *testing.T) {
	b := open(t)
	wool(b)
	b.koc("mei", "小梅", "scarf", "")
	p := b.page("/k/mei/p/scarf?variant=scarf-red-l")
	p.wants("¥130.00", "售罄")
	p.wantsNot("立即购买", "加入购物篮", "¥120.00")
	if got := attribute(p.all("img")[0], "src"); got != "https://pictures.example/2.jpg" {
		t.Errorf("the variant's own picture comes first, not %s", got)
	}
	// There is no large blue one, so that chip leads to the blue one there is.
	if got := chipsOf(p)["蓝"]; got != "scarf-blue-s" {
		t.Errorf("blue leads to %q", got)
	}
	p = b.page("/k/mei/p/scarf?variant=scarf-blue-s")
	p.wantsNot("仅剩", "<s")
	if got := b.page(p.link("立即购买")).fields()["line"]; len(got) != 1 || got[0] != "scarf-blue-s*1" {
		t.Errorf("buying puts %v into the basket", got)
	}
	b.page("/k/mei/p/scarf?variant=nonsense").wants("¥100.00")
}

func TestAVariantWithoutNamedOptions(t *testing.T) {
	b := open(t)
	b.koc("mei", "小梅")
	b.product(catalogue.Product{ID: "pot", Title: "茶壶", Options: []string{"颜色", "大小"}, Variants: []catalogue.Variant{
		{SKU: "pot-1", Title: "一号", Price: cny(100)}, {SKU: "pot-2", Title: "二号", Options: []string{"灰"}, Price: cny(200)}}}, map[string]int64{"pot-2": 1})
	p := b.page("/k/mei/p/pot")
	p.wants("规格", "¥2.00") // the first one that can be had
	if got, want := chipsOf(p), map[string]string{"一号": "pot-1 sold-out", "二号": "pot-2 chosen"}; !same(got, want) {
		t.Errorf("chips %v, want %v", got, want)
	}
}

func TestAddingKeepsLookingAround(t *testing.T) {
	b := open(t)
	wool(b)
	b.tea("longjing", "龙井", 16800, 5)
	b.koc("mei", "小梅", "scarf", "", "longjing", "")
	p := b.page("/k/mei/p/longjing")
	p = b.page(p.link("加入购物篮"))
	p.wants("已放进购物篮", "龙井")
	p = b.page(p.link("小梅的架上"))
	if attribute(p.one("a", "class", "basket-link"), "aria-label") != "购物篮，1 件" {
		t.Error("the basket is not shown on the storefront")
	}
	p = b.page(p.link("羊毛围巾"))
	p = b.page(p.link("立即购买"))
	if got := strings.Join(p.fields()["line"], " "); got != "longjing*1 scarf-red-s*1" {
		t.Errorf("the basket is %s", got)
	}
	p = b.page(b.page(p.link("再挑一些")).link("购物篮"))
	if got := strings.Join(p.fields()["line"], " "); got != "longjing*1 scarf-red-s*1" {
		t.Errorf("after looking around the basket is %s", got)
	}
}

func TestStructuredData(t *testing.T) {
	b := open(t)
	wool(b)
	b.koc("mei", "小梅")
	b.tea("evil", `</script><script>alert(1)</script>`, 100, 0)
	var data structured
	if err := json.Unmarshal([]byte(ldOf(t, b.page("/k/mei/p/scarf"))), &data); err != nil {
		t.Fatal(err)
	}
	if data.Name != "羊毛围巾" || data.Offers != (offers{Type: "AggregateOffer", Currency: "CNY", Low: "100.00", High: "130.00", Count: 3, Availability: "https://schema.org/InStock"}) {
		t.Errorf("structured data %+v", data)
	}
	p := b.page("/k/mei/p/evil")
	if err := json.Unmarshal([]byte(ldOf(t, p)), &data); err != nil {
		t.Fatal(err)
	}
	if data.Name != `</script><script>alert(1)</script>` || data.Offers.Availability != "https://schema.org/OutOfStock" || len(p.all("script")) != 2 {
		t.Errorf("a hostile title gives %+v in %d scripts", data, len(p.all("script")))
	}
}

func ldOf(t *testing.T, p page) string {
	t.Helper()
	n := p.one("script", "type", "application/ld+json")
	if n == nil || n.FirstChild == nil {
		t.Fatal("no structured data")
	}
	return n.FirstChild.Data
}

func same(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

// TestHostileText puts every way to break out of text into everything that a KOC writes, and a product's title.
func TestHostileText(t *testing.T) {
	b := open(t)
	evil := `"><img src=x onerror=alert(1)><svg onload=alert(1)></title></script><script>alert(1)</script> javascript:alert(1) ` + "\u202egnp.exe\u200b"
	b.tea("longjing", evil, 16800, 5)
	b.koc("mei", "小梅", "longjing", evil)
	if _, err := b.store.UpdateKOC(t.Context(), "mei", func(k *koc.Profile) error {
		k.Name, k.Story, k.Portrait = evil[:50], evil+"\n"+evil, `javascript:alert(1)`
		return nil
	}, nil); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/k/mei", "/k/mei/p/longjing", "/k/mei/basket?line=longjing*1", "/k/mei?b=%22%3E%3Cscript%3E*1&lang=%22%3E&t=%22%3E", "/k/%22%3E%3Cscript%3E"} {
		a := b.do(path)
		root, err := html.Parse(strings.NewReader(a.Body))
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(a.Body, "\u202e\u200b") {
			t.Errorf("%s shows characters that turn or hide text", path)
		}
		for n := range root.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			if n.Data == "script" && attribute(n, "type") != "application/ld+json" && !strings.HasPrefix(attribute(n, "src"), "/assets/beacon.") {
				t.Errorf("%s has the script %q", path, textOf(n))
			}
			for _, x := range n.Attr {
				if strings.HasPrefix(x.Key, "on") || x.Key == "style" || (x.Key == "src" || x.Key == "href") && strings.HasPrefix(strings.TrimSpace(x.Val), "javascript:") {
					t.Errorf("%s: <%s %s=%q>", path, n.Data, x.Key, x.Val)
				}
			}
		}
	}
	b.page("/k/mei/p/longjing").wants("onerror=alert(1)") // shown as the text it is
}

func TestDocumentsForPrograms(t *testing.T) {
	b := open(t)
	wool(b)
	b.koc("mei", "小梅", "scarf", "比我想的软。")
	code := b.link("mei", "product:scarf", "abc2345")
	for path, want := range map[string]linkDocument{
		"/k/mei":         {Code: "mei", URL: "https://shop.example/s/mei", Target: "storefront", Channel: "storefront"},
		"/k/mei/p/scarf": {Code: "mei", URL: "https://shop.example/s/mei", Target: "storefront", Channel: "storefront"},
		"/s/" + code:     {Code: code, URL: "https://shop.example/s/" + code, Target: "product:scarf", Channel: "wechat"},
	} {
		a := b.do(path, "Accept", "application/json")
		var d landingDocument
		a.Decode(t, &d)
		if a.Status != 200 || *d.Link != want || d.KOC.Handle != "mei" || !d.Advertising || b.code(d.Token) != want.Code || len(d.Products) != 1 {
			t.Fatalf("%s: %s", path, a)
		}
		if a.Header.Get("Vary") != "Accept-Language, Accept" || a.Header.Get("Cache-Control") != "public, max-age=60" {
			t.Errorf("%s: %v", path, a.Header)
		}
		item := d.Products[0]
		if item.ID != "scarf" || item.URL != "https://shop.example/k/mei/p/scarf" || item.Note != "比我想的软。" || item.Price != cny(10000) || !item.From || len(item.Variants) != 3 {
			t.Errorf("%s: %+v", path, item)
		}
		if known := item.Variants[1].Available; (path == "/k/mei") != (known == nil) || known != nil && *known {
			t.Errorf("%s: a sold-out variant is %v", path, known)
		}
		if item.Variants[2].CompareAt != nil || *item.Variants[0].CompareAt != cny(12000) {
			t.Errorf("%s: earlier prices %+v", path, item.Variants)
		}
	}
}

// What is sold before it is there says so wherever it can be put into a basket; what nobody counts is simply for sale.
func TestSoldBeforeItIsThere(t *testing.T) {
	b := open(t)
	variant := func(sku string, p catalogue.StockPolicy) catalogue.Variant {
		return catalogue.Variant{SKU: sku, Title: sku, Options: []string{sku}, Price: cny(5000), StockPolicy: p}
	}
	b.product(catalogue.Product{ID: "cup", Title: "杯子", Options: []string{"款式"}, Variants: []catalogue.Variant{variant("here", catalogue.Continue),
		variant("later", catalogue.Continue), variant("class", catalogue.Untracked), variant("gone", catalogue.Tracked)}}, map[string]int64{"here": 2})
	b.koc("mei", "小梅", "cup", "")
	const note, out = "到货后发出", "售罄"
	b.page("/k/mei/p/cup?variant=here").wantsNot(note)
	b.page("/k/mei/p/cup?variant=LATER").wants(note)
	b.page("/k/mei/p/cup?variant=later&lang=zh-Hant").wants("到貨後寄出")
	b.page("/k/mei/p/cup?variant=later&lang=en").wants("Ships when it is here")
	b.page("/k/mei/p/cup?variant=class").wantsNot(note, "仅剩")
	for sku, want := range map[string]string{"here*3": "其中 1 件到货后发出", "later*9": "其中 9 件到货后发出", "class*999": "¥49,950.00", "CLASS*1": "¥50.00"} {
		p := b.page("/k/mei/basket?line=" + sku)
		p.wants(want)
		if p.one("form", "id", "order") == nil {
			t.Errorf("%s cannot be ordered", sku)
		}
	}
	b.page("/k/mei/basket?line=here*2").wantsNot(note)
	body := b.do("/k/mei/p/cup", "Accept", "application/json").Body
	for _, want := range []string{`"sku":"later","title":"later","price":{"amount":5000,"currency":"CNY"},"available":true,"owed":true`,
		`"sku":"class","title":"class","price":{"amount":5000,"currency":"CNY"},"available":true}`, `"sku":"gone","title":"gone","price":{"amount":5000,"currency":"CNY"},"available":false`} {
		if !strings.Contains(body, want) {
			t.Errorf("want %s in %s", want, body)
		}
	}
}

// A product page shows as many variants as a product can have.
func TestAllVariantsOfALargeProduct(t *testing.T) {
	b := open(t)
	p := catalogue.Product{ID: "wide", Title: "宽"}
	stock := map[string]int64{}
	for i := range catalogue.MaxVariants {
		sku := fmt.Sprintf("w%03d", i)
		p.Variants = append(p.Variants, catalogue.Variant{SKU: sku, Title: sku, Price: cny(100)})
		stock[sku] = 1
	}
	b.product(p, stock)
	b.koc("mei", "小梅", "wide", "")
	if n := len(chipsOf(b.page("/k/mei/p/wide"))); n != catalogue.MaxVariants {
		t.Errorf("%d of %d variants can be chosen", n, catalogue.MaxVariants)
	}
}
