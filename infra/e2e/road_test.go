package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"yundian/infra/e2e/drive"
)

// browser walks from page to page by what stands on them, without scripts and cookies, as in an app's web view.
type browser struct {
	*drive.Shop
	t    *testing.T
	at   string // address of the page
	page *html.Node
}

var phone = map[string]string{"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Accept-Language": "zh-CN,zh;q=0.9",
	"User-Agent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36 XWEB/1 MMWEBSDK/2024 MicroMessenger/8.0.50 NetType/4G Language/zh_CN"}

// open goes to an address, absolute or as it stands on the page.
func (b *browser) open(address string) {
	b.t.Helper()
	b.at = b.resolve(address)
	a := b.Do(drive.Call{Path: b.at, Header: phone}).Is(200)
	page, err := html.Parse(strings.NewReader(string(a.Body)))
	if err != nil {
		b.t.Fatal(err)
	}
	b.page = page
}

func (b *browser) resolve(address string) string {
	b.t.Helper()
	base, err := url.Parse(b.at)
	if err != nil {
		b.t.Fatal(err)
	}
	u, err := base.Parse(address)
	if err != nil {
		b.t.Fatalf("%s leads nowhere: %v", address, err)
	}
	return u.String()
}

// find is the first element for which want says so.
func find(n *html.Node, want func(*html.Node) bool) *html.Node {
	if n.Type == html.ElementNode && want(n) {
		return n
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if found := find(c, want); found != nil {
			return found
		}
	}
	return nil
}

func of(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// follow opens the first link whose address has all these parts.
func (b *browser) follow(parts ...string) {
	b.t.Helper()
	link := find(b.page, func(n *html.Node) bool {
		return n.Data == "a" && !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(of(n, "href"), part) })
	})
	if link == nil {
		b.t.Fatalf("%s has no link to %s", b.at, parts)
	}
	b.open(of(link, "href"))
}

// form fills the form that posts to an address: what is preset stays, values fills the rest.
func (b *browser) form(action string, values map[string]string) url.Values {
	b.t.Helper()
	form := find(b.page, func(n *html.Node) bool { return n.Data == "form" && strings.HasPrefix(of(n, "action"), action) })
	if form == nil {
		b.t.Fatalf("%s has no form to %s", b.at, action)
	}
	out := url.Values{}
	find(form, func(n *html.Node) bool {
		name := of(n, "name")
		_, checked := attrOf(n, "checked")
		choice := of(n, "type") == "radio" || of(n, "type") == "checkbox"
		switch {
		case name == "" || n.Data == "button" || choice && !checked:
		case n.Data == "select":
			option := find(n, func(o *html.Node) bool { _, chosen := attrOf(o, "selected"); return o.Data == "option" && chosen })
			if option == nil {
				option = find(n, func(o *html.Node) bool { return o.Data == "option" })
			}
			out.Add(name, of(option, "value"))
		case n.Data == "input" || n.Data == "textarea":
			out.Add(name, of(n, "value"))
		}
		return false
	})
	for name, value := range values {
		if !out.Has(name) {
			b.t.Errorf("the form at %s does not ask for %s", b.at, name)
		}
		out.Set(name, value)
	}
	return out
}

func attrOf(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

var visitor = map[string]string{"contact.name": "陈静", "contact.phone": "138 1111 2222", "address.region": "浙江省", "address.city": "杭州市", "address.district": "西湖区",
	"address.line1": "文三路 1 号"}

// TestNothingIsLostOnTheWay: a link that an app has altered leads through every page to an order that counts for it,
// once, whatever is pressed twice.
func TestNothingIsLostOnTheWay(t *testing.T) {
	s := drive.Open(t, drive.Shared(t).URL)
	tea := s.Product(6600, 20)
	s.Do(drive.Call{Method: "PUT", Path: "/v1/shelf", Token: s.KOC, JSON: object{"items": []any{object{"product": tea}}}}).Is(200)
	code := s.Share(s.KOC, "storefront")
	for _, lost := range []struct{ address, link string }{
		{"/s/" + code + "?from=singlemessage&isappinstalled=0&t=&nsukey=a%2Bb", code},
		{"/s/" + strings.ToUpper(code), code},
		{"/s/" + code[:len(code)-3], s.Handle}, // the end was cut off: still the KOC's
		{"/s/" + code + "%E3%80%82", code},     // a full stop was taken along, and says nothing
	} {
		b := &browser{Shop: s, t: t, at: s.Base}
		b.open(lost.address)
		b.follow("/p/" + tea)
		b.follow("/basket", "line=")
		form := b.form("/orders", visitor)
		header := map[string]string{"Accept": phone["Accept"], "Origin": s.Base, "User-Agent": phone["User-Agent"]}
		first := s.Do(drive.Call{Method: http.MethodPost, Path: "/orders", Form: form, Header: header}).Is(303).Header.Get("Location")
		again := s.Do(drive.Call{Method: http.MethodPost, Path: "/orders", Form: form, Header: header}).Is(303).Header.Get("Location")
		if first != again {
			t.Errorf("pressed twice, ordered twice: %s and %s", first, again)
		}
		b.open(first)
		pay := find(b.page, func(n *html.Node) bool { return n.Data == "a" && strings.Contains(of(n, "href"), "/pay?") })
		if pay == nil {
			t.Fatalf("%s: the order cannot be paid", lost.address)
		}
		for range 2 {
			if opened := s.Get(b.resolve(of(pay, "href")), "").Is(303).Header.Get("Location"); strings.Contains(opened, "/sandbox/") {
				s.Do(drive.Call{Method: http.MethodPost, Path: opened, Form: url.Values{"outcome": {"pay"}}}).Is(303)
			}
		}
		s.Quiet()
	}
	s.Earns(s.KOC, 4*660, 0, 0)
	links := s.Get("/v1/stats?by=link", s.KOC).Is(200).Object()
	found := map[string]any{}
	for i := range links.Len("items") {
		found[links.Text("items", i, "link")] = links.At("items", i, "orders")
	}
	if len(found) != 2 || found[code] != int64(3) || found[s.Handle] != int64(1) {
		t.Errorf("orders by link: %v", found)
	}
}

// TestLatePayments: money that comes after the hold has ended brings the order back while there is stock, and goes back
// when there is none.
func TestLatePayments(t *testing.T) {
	s := drive.Open(t, drive.Shared(t).URL)
	plenty, one := s.Product(1000, 5), s.Product(2000, 1)
	token := s.PageToken("/k/" + s.Handle)
	revived, refunded := s.Order(token, plenty, 1, "sandbox"), s.Order(token, one, 1, "sandbox")
	for _, order := range []drive.Object{revived, refunded} {
		s.Choose(order.Text("payUrl"), "pay-late")
		s.See(order).Want(t, "held", "status")
	}
	at := time.Now().Add(31 * time.Minute)
	s.Do(drive.Call{Method: http.MethodPost, Path: "/_local/run/mature?at=" + url.QueryEscape(at.UTC().Format(time.RFC3339))}).Is(200)
	s.See(refunded).Want(t, "expired", "status")
	bought := s.Order("", one, 1, "on_delivery") // somebody else takes the last one before the money is there
	s.Quiet()
	s.See(revived).Want(t, "paid", "status")
	now := s.See(refunded)
	now.Want(t, "expired", "status")
	now.Want(t, 2000, "refunded", "amount")
	s.See(bought).Want(t, "confirmed", "status")
	s.Earns(s.KOC, 100, 0, 0)
	for sku, left := range map[string]int{plenty: 4, one: 0} {
		s.Get("/v1/admin/products/"+sku, s.Operator).Is(200).Object().Want(t, left, "variants", 0, "stock")
	}
	s.Verify()
}
