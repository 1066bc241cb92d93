package main

import (
	"strings"
	"testing"
	"time"

	"yundian/shared/attribution"
	"yundian/shared/koc"
	"yundian/shared/ordering"
	"yundian/shared/web/webtest"
)

// approve lets Mei earn, and says what is hers.
func (x *counter) approve() {
	x.t.Helper()
	_, err := x.c.store.UpdateKOC(x.t.Context(), "mei", func(p *koc.Profile) error {
		p.Phone = "+8613900000000"
		home := ordering.Address{Country: "CN", Region: "浙江", City: "杭州", Line1: "桂花路9号"}
		p.Recognise(x.c.identity, ordering.IdentityOf(x.c.identity, ordering.Contact{}, home))
		return p.Approve("", x.at)
	}, nil)
	if err != nil {
		x.t.Fatal(err)
	}
	x.at = x.at.Add(time.Minute)
}

// TestAnOrderOfTheKOCsOwnIsNobodys buys through Mei's link as Mei, who writes herself in many ways, and as others.
func TestAnOrderOfTheKOCsOwnIsNobodys(t *testing.T) {
	for name, c := range map[string]struct {
		contact []string
		want    string
	}{
		"own e-mail":       {[]string{"contact.email", "mei@example.com"}, attribution.SelfPurchase},
		"e-mail in width":  {[]string{"contact.email", "ＭＥＩ＠example.com"}, attribution.SelfPurchase},
		"e-mail, sorted":   {[]string{"contact.email", "mei+tea@example.com"}, attribution.SelfPurchase},
		"own phone":        {[]string{"contact.phone", "０１３９－００００－００００"}, attribution.SelfPurchase},
		"own address":      {[]string{"address.line1", "浙江省杭州市桂花路 9 号"}, attribution.SelfPurchase},
		"somebody else":    {nil, attribution.WonByLink},
		"another mailbox":  {[]string{"contact.email", "mei2@example.com"}, attribution.WonByLink},
		"the next door":    {[]string{"address.line1", "桂花路 19 号"}, attribution.WonByLink},
		"another's number": {[]string{"contact.phone", "13900000001"}, attribution.WonByLink},
	} {
		x := openCounter(t)
		x.approve()
		id := x.orderID(x.order(x.form(c.contact...)))
		if err := x.c.store.AttributeOrders(t.Context(), []string{id}, x.c.now); err != nil {
			t.Fatal(err)
		}
		o, err := x.c.store.Order(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := o.Award()
		if a.Reason != c.want || len(a.Candidates) != 1 || a.Candidates[0].Reason != c.want || (len(a.Winners) > 0) != (c.want == attribution.WonByLink) {
			t.Errorf("%s: %+v, want %s", name, a, c.want)
		}
		for _, h := range o.Identity {
			if strings.Contains(h, "mei") || strings.Contains(h, "1390000") {
				t.Errorf("%s: the order keeps %s", name, h)
			}
		}
	}
}

func (x *counter) quoted(contact map[string]string, tokens ...string) quoteAnswer {
	x.t.Helper()
	a := webtest.Do(x.t, routes(x.c), webtest.Request{Method: "POST", Path: "/quotes", Header: map[string]string{"Accept-Language": "en"},
		JSON: map[string]any{"tokens": tokens, "lines": []any{map[string]any{"sku": "tea", "quantity": 1}}, "contact": contact}})
	if a.Status != 200 {
		x.t.Fatalf("the quote is answered %s", a)
	}
	var q quoteAnswer
	a.Decode(x.t, &q)
	return q
}

// TestAQuoteTellsNobodyWhoAKOCIs: whoever types Mei's e-mail address below her own link is told that it earns nothing; phones,
// addresses, and links of others tell nothing.
func TestAQuoteTellsNobodyWhoAKOCIs(t *testing.T) {
	x := openCounter(t)
	x.approve()
	own := map[string]string{"email": " Mei+tea@example.com"}
	q := x.quoted(own, x.token)
	if len(q.Notices) != 1 || q.Notices[0].Code != "self_purchase" || q.Notices[0].Text != "This is your own link or code. Your own orders earn no commission." || q.Total.Minor != 16800 {
		t.Errorf("%+v", q)
	}
	lin, err := koc.NewProfile("lin", "Lin", "lin@example.com", x.at)
	if err != nil {
		t.Fatal(err)
	}
	lin.Recognise(x.c.identity, nil)
	if err := lin.Approve("", x.at); err != nil {
		t.Fatal(err)
	}
	if err := x.c.store.CreateKOC(t.Context(), lin); err != nil {
		t.Fatal(err)
	}
	x.at = x.at.Add(time.Minute)
	others := attribution.SignToken(x.c.keys, "lin", x.at)
	for name, q := range map[string]quoteAnswer{
		"no link":            x.quoted(own),
		"another's link":     x.quoted(own, others),
		"a later one":        x.quoted(own, x.token, others),
		"a phone":            x.quoted(map[string]string{"phone": "+8613900000000"}, x.token),
		"a stranger":         x.quoted(map[string]string{"email": "chen@example.com"}, x.token),
		"no address at all":  x.quoted(map[string]string{"email": "mei@"}, x.token),
		"nothing is typed":   x.quoted(nil, x.token),
		"a link that is bad": x.quoted(own, x.token+"x"),
	} {
		if q.Notices != nil {
			t.Errorf("%s: %+v", name, q.Notices)
		}
	}
	page := x.send("POST", "/orders", x.form("contact.email", "mei@example.com", "contact.phone", "12"))
	if page.Status != 400 || !strings.Contains(page.Body, "这是你自己的链接或推荐码。自己下的单不计佣金。") {
		t.Errorf("the form comes back with %.2000s", page)
	}
}
