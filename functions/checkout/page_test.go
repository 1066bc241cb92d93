package main

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"yundian/shared/attribution"
	"yundian/shared/cashier"
	"yundian/shared/catalogue"
	"yundian/shared/identity"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/orderform"
	"yundian/shared/ordering"
	"yundian/shared/provider"
	"yundian/shared/seal"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
	"yundian/shared/web"
	"yundian/shared/web/webtest"
)

// counter is a shop with one tea of which two pieces are left, looked at through the pages of checkout.
type counter struct {
	t     testing.TB
	c     *checkout
	at    time.Time
	token string // of a KOC's page
}

func openCounter(t *testing.T) *counter {
	t.Helper()
	return counterOn(t, storetest.Open(t))
}

// counterOn opens the shop on a store that has nothing in it.
func counterOn(t testing.TB, s *store.Store) *counter {
	t.Helper()
	keys, err := seal.Parse(`{"1": "a secret of enough bytes"}`)
	if err != nil {
		t.Fatal(err)
	}
	providers, err := provider.New([]string{"on_delivery"}, "")
	if err != nil {
		t.Fatal(err)
	}
	x := &counter{t: t, at: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	x.c = &checkout{store: s, cashier: cashier.Cashier{Store: s, Providers: providers}, providers: providers, keys: keys,
		identity: identity.Key("an identity key of enough bytes"), now: func() time.Time { return x.at }}
	x.token = attribution.SignToken(keys, "mei_abc2345", x.at)
	p, err := koc.NewProfile("mei", "小梅", "mei@example.com", x.at)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CreateKOC(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	tea := catalogue.Product{ID: "tea", Title: `龙井 <b>"新茶"</b>`, Status: catalogue.Active, Variants: []catalogue.Variant{{SKU: "tea", Price: money.Of(16800, "CNY")}}}
	if err := s.SaveProduct(t.Context(), catalogue.Product{}, tea, map[string]int64{"tea": 2}); err != nil {
		t.Fatal(err)
	}
	return x
}

// form is the order form as the storefront would send it, changed by names and values in turn.
func (x *counter) form(change ...string) url.Values {
	f := url.Values{"key": {"0123456789abcdef0123456789abcdef"}, "token": {x.token}, "line": {"tea*1"}, "expect": {"16800"}, "expectCurrency": {"CNY"}, "handle": {"mei"},
		"contact.name": {"陈静"}, "contact.phone": {"138 0000 0000"}, "contact.email": {""}, "address.country": {"CN"}, "address.region": {"浙江省"}, "address.city": {"杭州市"},
		"address.district": {"西湖区"}, "address.division": {"330106"}, "address.line1": {"文三路 1 号"}, "address.postcode": {""}, "kocCode": {""}, "payment": {"on_delivery"}}
	for i := 0; i+1 < len(change); i += 2 {
		f.Set(change[i], change[i+1])
	}
	return f
}

func (x *counter) send(method, address string, form url.Values) webtest.Answer {
	x.t.Helper()
	path, query, _ := strings.Cut(address, "?")
	return webtest.Do(x.t, routes(x.c), webtest.Request{Method: method, Path: path, Query: query, Form: form,
		Header: map[string]string{"Accept": "text/html", "Accept-Language": "zh-CN", "Origin": "https://" + webtest.Host}})
}

// order places the form and gives the address of the order's page.
func (x *counter) order(form url.Values) string {
	x.t.Helper()
	a := x.send("POST", "/orders", form)
	if a.Status != 303 {
		x.t.Fatalf("the order is answered %.900s", a)
	}
	return a.Header.Get("Location")
}

func (x *counter) orderID(address string) string {
	return strings.TrimPrefix(strings.Split(address, "?")[0], "/orders/")
}

func (x *counter) change(address string, do func(*ordering.Order) error) {
	x.t.Helper()
	if _, err := x.c.store.UpdateOrder(x.t.Context(), x.orderID(address), do); err != nil {
		x.t.Fatal(err)
	}
}

// inputs are the fields of a page by name.
func inputs(t *testing.T, page string) url.Values {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	out := url.Values{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "input" {
			continue
		}
		of := map[string]string{}
		for _, a := range n.Attr {
			of[a.Key] = a.Val
		}
		out.Add(of["name"], of["value"])
	}
	return out
}

func (x *counter) shows(page string, want ...string) {
	x.t.Helper()
	for _, w := range want {
		if !strings.Contains(page, w) {
			x.t.Errorf("the page does not show %q: %.1500s", w, page[strings.Index(page, "<main"):])
		}
	}
}

func TestAWrongFormComesBackFilledIn(t *testing.T) {
	x := openCounter(t)
	wrong := x.form("contact.phone", "12", "contact.name", `"><script>陈`, "address.city", "", "address.division", "33010", "kocCode", "nobody")
	a := x.send("POST", "/orders?lang=en", wrong)
	if a.Status != 400 || a.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%.600s", a)
	}
	x.shows(a.Body, `id="contact-phone-error"`, `id="address-city-error"`, `id="address-division-error"`, `id="kocCode-error"`, "Almost there", "CN¥168.00")
	if strings.Contains(a.Body, "<script>陈") {
		t.Error("the name became markup")
	}
	again := inputs(t, a.Body)
	for _, name := range []string{"contact.name", "contact.phone", "address.division", "address.region", "kocCode", "line", "token", "handle", "expect"} {
		if again.Get(name) != wrong.Get(name) {
			t.Errorf("%s comes back as %q, was %q", name, again.Get(name), wrong.Get(name))
		}
	}
	if again.Get("key") == wrong.Get("key") || len(again.Get("key")) != 32 || again.Get("lang") != "en" {
		t.Errorf("key %q, language %q", again.Get("key"), again.Get("lang"))
	}
	for name, value := range map[string]string{"contact.phone": "13800000000", "contact.name": "陈静", "address.city": "杭州市", "address.division": "330106", "kocCode": ""} {
		again.Set(name, value)
	}
	again.Set("address.country", "CN") // a select
	if address := x.order(again); !strings.HasPrefix(address, "/orders/") {
		t.Errorf("the corrected form leads to %s", address)
	}
}

func TestAFormOvertakenByTheShop(t *testing.T) {
	x := openCounter(t)
	tests := []struct {
		name   string
		form   url.Values
		status int
		says   string
		lines  []string
	}{
		{"another price was seen", x.form("expect", "100"), 409, "¥168.00", []string{"tea*1"}},
		{"fewer are left", x.form("line", "tea*9", "expect", ""), 409, "2", []string{"tea*2"}},
		{"not sold any more", x.form("line", "cup*1", "expect", ""), 400, "cup", nil},
		{"a payment nobody offers", x.form("payment", "sandbox"), 400, "货到付款", []string{"tea*1"}},
		{"no key", x.form("key", ""), 400, "去", []string{"tea*1"}},
	}
	for _, tt := range tests {
		a := x.send("POST", "/orders", tt.form)
		if a.Status != tt.status {
			t.Errorf("%s: %.900s", tt.name, a)
			continue
		}
		if tt.name != "no key" {
			x.shows(a.Body, tt.says)
		}
		x.shows(a.Body, `role="alert"`)
		if got := inputs(t, a.Body)["line"]; !slices.Equal(got, tt.lines) {
			t.Errorf("%s: the form orders %v, want %v", tt.name, got, tt.lines)
		}
	}
	a := x.send("POST", "/orders", x.form("line", "cup*1", "expect", ""))
	x.shows(a.Body, "/k/mei?t="+url.QueryEscape(x.token))
	if a := x.send("POST", "/orders", url.Values{"key": {"0123456789abcdef0123456789abcdef"}, "surprise": {"1"}}); a.Status != 400 {
		t.Errorf("a form of ours without lines: %.300s", a)
	}
}

// TestNobodyHoldsTheStock: who has as much open as the shop allows reads, in their own language, how much that is and what to
// do; by another e-mail with the same phone, or the other way around, it is the same person.
func TestNobodyHoldsTheStock(t *testing.T) {
	x := openCounter(t)
	s, err := x.c.store.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Limits = shop.Limits{OpenOrders: 1, OpenPieces: 9, OnDeliveryPieces: 1}
	if err := x.c.store.SaveSettings(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	again := func(change ...string) webtest.Answer {
		t.Helper()
		return x.send("POST", "/orders", x.form(append(change, "key", orderform.FreshKey(), "expect", "")...))
	}
	if a := again("line", "tea*2"); a.Status != 409 || !strings.Contains(a.Body, "货到付款每单最多 1 件") {
		t.Errorf("two pieces on delivery: %.900s", a)
	}
	address := x.order(x.form("contact.email", "jing@example.com"))
	for _, contact := range [][2]string{{"138 0000 0000", ""}, {"", "JING@example.com"}, {"139 0000 0000", "jing@example.com"}, {"+86 13800000000", "other@example.com"}} {
		a := again("contact.phone", contact[0], "contact.email", contact[1])
		if a.Status != 409 || !strings.Contains(a.Body, "已有 1 张未完成的订单") || !strings.Contains(a.Body, "2026年3月31日 17:00") {
			t.Errorf("%q is answered %.900s", contact, a)
		}
	}
	x.change(address, func(o *ordering.Order) error { return o.Cancel("changed my mind", x.at) })
	if a := again("contact.email", "jing@example.com"); a.Status != 303 {
		t.Errorf("after a cancellation: %.900s", a)
	}
}

// asking lets the shop ask for a confirmation of every order that is paid on delivery.
func (x *counter) asking() {
	x.t.Helper()
	s, err := x.c.store.Settings(x.t.Context())
	if err != nil {
		x.t.Fatal(err)
	}
	s.Limits.ConfirmAbove = 16799
	if err := x.c.store.SaveSettings(x.t.Context(), s); err != nil {
		x.t.Fatal(err)
	}
}

// TestAnOrderIsConfirmedByItsLetter: the page of the letter has a button, and only the button confirms, only with the secret
// that stands in the letter.
func TestAnOrderIsConfirmedByItsLetter(t *testing.T) {
	x := openCounter(t)
	x.asking()
	x.c.writes = true
	address := x.order(x.form("contact.email", "jing@example.com"))
	id := x.orderID(address)
	confirmed := func() bool {
		t.Helper()
		o, err := x.c.store.Order(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return !o.Unconfirmed()
	}
	page := x.send("GET", address, nil).Body
	x.shows(page, "等待确认", "2026年3月3日 17:00", "j···@example.com")
	if strings.Contains(page, "/confirm") {
		t.Error("the order's own page confirms it")
	}
	letter := x.c.keys.ConfirmPath(id)
	path, query, _ := strings.Cut(letter, "?")
	own, err := url.ParseQuery(strings.SplitN(address, "?", 2)[1])
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]webtest.Answer{
		"GET with the order's secret":  x.send("GET", path+"?secret="+url.QueryEscape(own.Get("secret")), nil),
		"POST with the order's secret": x.send("POST", path, url.Values{"secret": {own.Get("secret")}}),
		"POST without a secret":        x.send("POST", path, url.Values{}),
		"another order's":              x.send("POST", path, url.Values{"secret": {strings.Split(x.c.keys.ConfirmPath("other"), "secret=")[1]}}),
		"the order by the letter's":    x.send("GET", "/orders/"+id+"?"+query, nil),
	} {
		if a.Status != 404 {
			t.Errorf("%s: %.300s", name, a)
		}
	}
	asks := x.send("GET", letter, nil)
	if asks.Status != 200 || asks.Header.Get("Cache-Control") != "no-store" || confirmed() {
		t.Fatalf("looking at the page: %.600s", asks)
	}
	x.shows(asks.Body, "请确认订单", `action="`+path+`"`, "¥168.00", "2026年3月3日 17:00", `content="noindex"`)
	for range 2 { // people press twice
		if a := x.send("POST", path, url.Values{"secret": {inputs(t, asks.Body).Get("secret")}}); a.Status != 303 || a.Header.Get("Location") != address || !confirmed() {
			t.Fatalf("confirming: %.600s", a)
		}
	}
	x.shows(x.send("GET", address, nil).Body, "订单已确认")
	if again := x.send("GET", letter, nil); again.Status != 200 || strings.Contains(again.Body, "<form method=\"post\" action=\""+path) {
		t.Errorf("the page asks again: %.600s", again)
	}
}

// TestAPhoneCannotBeWrittenTo: without a letter the page says that the shop confirms, and what became of an order that nobody
// confirmed.
func TestAPhoneCannotBeWrittenTo(t *testing.T) {
	x := openCounter(t)
	x.asking()
	x.c.writes = true
	address := x.order(x.form())
	x.shows(x.send("GET", address, nil).Body, "等待确认", "由店家与你确认", "2026年3月3日 17:00")
	x.change(address, func(o *ordering.Order) error { return o.Mature(o.Terms.ConfirmUntil) })
	page := x.send("GET", address, nil).Body
	x.shows(page, "订单已过期", "没有按时确认或发货")
	x.c.writes = false // and whoever has an e-mail in a shop that writes none
	address = x.order(x.form("contact.email", "jing@example.com", "key", orderform.FreshKey()))
	x.shows(x.send("GET", address, nil).Body, "由店家与你确认")
}

func TestTheOrderPageFollowsTheOrder(t *testing.T) {
	x := openCounter(t)
	address := x.order(x.form())
	see := func() string {
		t.Helper()
		a := x.send("GET", address, nil)
		if a.Status != 200 || a.Header.Get("Cache-Control") != "no-store" || !strings.Contains(a.Body, `content="noindex"`) {
			t.Fatalf("%.600s", a)
		}
		return a.Body
	}
	act := func(page, action string, more ...string) webtest.Answer {
		t.Helper()
		path := "/orders/" + x.orderID(address) + "/" + action
		x.shows(page, `action="`+path+`"`)
		form := url.Values{"secret": {inputs(t, page).Get("secret")}}
		for i := 0; i+1 < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return x.send("POST", path, form)
	}
	page := see()
	x.shows(page, "订单已确认", "¥168.00", "龙井 &lt;b&gt;", "陈静", "+86138····0000", "浙江省 杭州市 西湖区 文三路 1 号", "取消订单", `href="/k/mei"`, "免运费")
	if strings.Contains(page, "13800000000") || strings.Contains(page, "确认收货") || strings.Contains(page, "去付款") {
		t.Error("the page shows the whole number, or what cannot be done yet")
	}
	x.at = x.at.Add(24 * time.Hour)
	x.change(address, func(o *ordering.Order) error {
		return o.Ship(ordering.Shipment{Carrier: "顺丰", Tracking: "SF<1>"}, x.at)
	})
	page = see()
	x.shows(page, "包裹在路上", "SF&lt;1&gt;", "确认收货")
	if strings.Contains(page, "取消订单") {
		t.Error("a shipped order can be cancelled")
	}
	if a := act(page, "received"); a.Status != 303 || a.Header.Get("Location") != address {
		t.Fatalf("received: %.300s", a)
	}
	page = see()
	x.shows(page, "已收货", "申请退货（2026年3月9日 前）")
	x.shows(page, `name="sku" value="tea"`, `name="quantity"`, "最多 1 件", `name="note"`)
	for field, wrong := range map[string][]string{"return_nothing": {"sku", "tea", "quantity", "0"}, "out_of_range": {"sku", "tea", "quantity", "2"}, "sku_not_ordered": {"sku", "x", "quantity", "1"}} {
		if a := act(page, "returns", wrong...); a.Status != 400 {
			t.Errorf("%s: %.300s", field, a)
		}
	}
	if a := act(page, "returns", "note", "味道不对", "sku", "tea", "quantity", " 1 "); a.Status != 303 {
		t.Fatalf("returns: %.300s", a)
	}
	page = see()
	x.shows(page, "已申请退货", "× 1")
	if strings.Contains(page, "请寄到") {
		t.Error("the page shows an address that nobody gave")
	}
	if strings.Contains(page, "/returns") {
		t.Error("a return can be asked for twice")
	}
	x.change(address, func(o *ordering.Order) error {
		if err := o.Deliver(ordering.ByOperator, x.at); err != nil { // the courier has brought the money
			return err
		}
		_, err := o.RequestRefund(ordering.RefundRequest{ID: "r1", By: "operator", Reason: "returned", Lines: []ordering.RefundLine{{SKU: "tea", Quantity: 1}}}, x.at)
		return err
	})
	x.shows(see(), "退款 ¥168.00，处理中")
	dispute := ordering.DisputeNews{ID: "bank:d1", PaymentID: "on_delivery:" + x.orderID(address), Amount: money.Of(16800, "CNY"), Outcome: ordering.DisputeOpened}
	x.change(address, func(o *ordering.Order) error { return o.RecordDispute(dispute, x.at) })
	x.shows(see(), "银行正在审理 ¥168.00 的付款争议", "退款 ¥168.00，处理中")
	dispute.Outcome = ordering.DisputeLost
	x.change(address, func(o *ordering.Order) error {
		if err := o.RecordDispute(dispute, x.at); err != nil {
			return err
		}
		return o.DropRefund("r1", x.at)
	})
	page = see()
	x.shows(page, "银行已退回 ¥168.00")
	if strings.Contains(page, "退款 ¥168.00") {
		t.Error("a refund that the bank has made superfluous is shown as failed")
	}
	if a := x.send("GET", strings.Replace(address, "secret=", "secret=x", 1), nil); a.Status != 404 {
		t.Errorf("with another secret: %d", a.Status)
	}
}

// TestReturnsOnThePage: the shopper chooses pieces, reads where to send them, and reads the answer.
func TestReturnsOnThePage(t *testing.T) {
	x := openCounter(t)
	address := x.order(x.form()) + "&lang=en"
	id := x.orderID(address)
	settings, err := x.c.store.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	settings.ReturnAddress = "1 Tea Street\nHangzhou <b>"
	if err := x.c.store.SaveSettings(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	x.change(address, func(o *ordering.Order) error { return o.Ship(ordering.Shipment{Carrier: "SF", Tracking: "1"}, x.at) })
	x.change(address, func(o *ordering.Order) error { return o.Deliver(ordering.ByOperator, x.at) })
	page := x.send("GET", address, nil).Body
	form := url.Values{"secret": {inputs(t, page).Get("secret")}, "note": {"bitter"}, "sku": {"tea"}, "quantity": {"1"}}
	if a := x.send("POST", "/orders/"+id+"/returns?lang=en", form); a.Status != 303 {
		t.Fatalf("%.300s", a)
	}
	o, err := x.c.store.Order(t.Context(), id)
	if err != nil || len(o.Returns) != 1 || len(o.Returns[0].Lines) != 1 || o.Returns[0].Lines[0].Quantity != 1 {
		t.Fatalf("%+v, %v", o.Returns, err)
	}
	if note, err := x.c.store.ReturnNote(t.Context(), o); err != nil || note != "bitter" {
		t.Errorf("the note is %q, %v", note, err)
	}
	x.shows(x.send("GET", address, nil).Body, "Return asked for", "Please send it to:", "Hangzhou &lt;b&gt;")
	answer := ordering.ReturnDecision{Outcome: ordering.Accepted, Note: "Sorry <i>", Address: "2 Warehouse Road", Refund: ordering.RefundRequest{ID: "back"}}
	x.change(address, func(o *ordering.Order) error { return o.CloseReturn("r1", answer, x.at) })
	page = x.send("GET", address, nil).Body
	x.shows(page, "Return accepted", "Our answer:", "Sorry &lt;i&gt;", "2 Warehouse Road", "Refund of")
	if strings.Contains(page, "/returns") || strings.Contains(page, "Tea Street") {
		t.Error("a fully refunded order takes another return, or shows an address that does not count")
	}
	if a := x.send("POST", "/orders/"+id+"/returns?lang=en", form); a.Status != 409 {
		t.Errorf("a return of a fully refunded order: %.300s", a)
	}
}

func TestCancellingOnThePage(t *testing.T) {
	x := openCounter(t)
	address := x.order(x.form()) + "&lang=en"
	page := x.send("GET", address, nil).Body
	action := regexp.MustCompile(`action="(/orders/[^"]+/cancel\?lang=en)"`).FindStringSubmatch(page)
	if action == nil {
		t.Fatalf("no form to cancel: %.600s", page)
	}
	a := x.send("POST", action[1], url.Values{"secret": {inputs(t, page).Get("secret")}, "reason": {"changed my mind"}})
	if a.Status != 303 || a.Header.Get("Location") != address {
		t.Fatalf("%.300s", a)
	}
	page = x.send("GET", address, nil).Body
	x.shows(page, "This order was cancelled", "step-cancelled")
	if strings.Contains(page, "/cancel") {
		t.Error("a cancelled order can be cancelled")
	}
}

func TestStepsOfPaidOrders(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	order := func(change func(*ordering.Order)) ordering.Order {
		o := ordering.Order{ID: "O", PlacedAt: at, Payment: "sandbox", Total: money.Of(100, "CNY"), Lines: []ordering.Line{{SKU: "tea", Quantity: 1, Net: money.Of(100, "CNY")}}}
		change(&o)
		return o
	}
	paid := func(o *ordering.Order) { o.Captures = []ordering.Capture{{Amount: o.Total, At: at.Add(time.Hour)}} }
	tests := []struct {
		name  string
		order ordering.Order
		want  string
	}{
		{"held", order(func(*ordering.Order) {}), "placed! paid shipped delivered"},
		{"paid", order(paid), "placed! paid! shipped delivered"},
		{"free", order(func(o *ordering.Order) { o.Total.Minor = 0 }), "placed! paid! shipped delivered"},
		{"expired", order(func(o *ordering.Order) { o.Expired = &ordering.Mark{At: at} }), "placed! expired!"},
		{"cancelled after payment", order(func(o *ordering.Order) { paid(o); o.Cancelled = &ordering.Mark{At: at} }), "placed! paid! cancelled!"},
		{"on delivery", order(func(o *ordering.Order) { o.Payment = ordering.OnDelivery }), "placed! shipped delivered"},
	}
	for _, tt := range tests {
		var got []string
		for _, s := range (orderPageView{Order: tt.order}).steps() {
			if s.Done {
				s.Name += "!"
			}
			got = append(got, s.Name)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, got, tt.want)
		}
	}
}

func TestMasks(t *testing.T) {
	for number, want := range map[string]string{"+8613800001234": "+86138····1234", "+85291234567": "+852····4567", "1234": "1234"} {
		if got := maskedPhone(number); got != want {
			t.Errorf("%s becomes %s", number, got)
		}
	}
	for address, want := range map[string]string{"chenjing@example.com": "c···@example.com", "c@example.com": "c···@example.com", "": ""} {
		if got := maskedEmail(address); got != want {
			t.Errorf("%s becomes %s", address, got)
		}
	}
}

// An order of pieces that are not there says so on its page, in its quote and in the answer that placed it; a receipt pays it.
func TestOrderedBeforeItIsThere(t *testing.T) {
	x := openCounter(t)
	before, err := x.c.store.Product(t.Context(), "tea")
	if err != nil {
		t.Fatal(err)
	}
	after := before
	after.Variants = []catalogue.Variant{before.Variants[0]}
	after.Variants[0].StockPolicy = catalogue.Continue
	if err := x.c.store.SaveProduct(t.Context(), before, after, nil); err != nil {
		t.Fatal(err)
	}
	address := x.order(x.form("line", "TEA*3", "expect", "50400"))
	if page := x.send("GET", address, nil).Body; !strings.Contains(page, "其中 1 件到货后发出") {
		t.Errorf("the order's page does not say that a piece is owed: %.2000s", page)
	}
	owed := func(want int64) {
		t.Helper()
		found, err := x.c.store.Sellables(t.Context(), []string{"tea"})
		if s := found["tea"].Stock; err != nil || s.Owed != want || !s.Balanced() {
			t.Errorf("%+v, %v", s, err)
		}
	}
	owed(1)
	if err := x.c.store.MoveStock(t.Context(), catalogue.StockMove{SKU: "tea", Received: 1, Available: 1}, store.StockCause{ID: "delivery", At: x.at}); err != nil {
		t.Fatal(err)
	}
	owed(0)
	quote := webtest.Do(t, routes(x.c), webtest.Request{Method: "POST", Path: "/quotes", Body: `{"lines":[{"sku":"tea","quantity":2}]}`,
		Header: map[string]string{"Accept": "application/json", "Content-Type": "application/json"}})
	if quote.Status != 200 || !strings.Contains(quote.Body, `"quantity":2,"owed":2`) {
		t.Errorf("%s", quote)
	}
}

// TestATypedCodeNeverLosesASale: a code of a suspended KOC is taken, and one that names nobody is pointed out once and left
// out with one tap, with everything else as it was typed.
func TestATypedCodeNeverLosesASale(t *testing.T) {
	x := openCounter(t)
	stand := func(change func(*koc.Profile) error) {
		t.Helper()
		if _, err := x.c.store.UpdateKOC(t.Context(), "mei", change, nil); err != nil {
			t.Fatal(err)
		}
	}
	quote := func(code string) webtest.Answer {
		body := orderJSON()
		body["kocCode"] = code
		return webtest.Do(t, routes(x.c), webtest.Request{Method: "POST", Path: "/quotes", JSON: body})
	}
	if a := quote("mei"); a.Status != 400 || a.Problem(t).Errors[0].Location != "body.kocCode" {
		t.Errorf("somebody who was never approved: %s", a)
	}
	stand(func(p *koc.Profile) error { return p.Approve("hash", x.at) })
	for _, code := range []string{"mei", "@mei", "mei。", "ｍｅｉ", "https://shop.example/s/mei", "https://shop.example/s/mei_abc2345?from=timeline&t=" + strings.Repeat("x", 300), "mei_lost", " "} {
		if a := quote(code); a.Status != 200 {
			t.Errorf("%q: %s", code, a)
		}
	}
	for _, code := range []string{"nobody", "快来看", "https://shop.example/", strings.Repeat("x", 501)} {
		if a := quote(code); a.Status != 400 || a.Problem(t).Errors[0].Location != "body.kocCode" {
			t.Errorf("%q: %s", code, a)
		}
	}
	id := x.orderID(x.order(x.form("key", "a key for a typed code 1", "kocCode", "https://shop.example/s/mei。")))
	o, err := x.c.store.Order(t.Context(), id)
	if e := o.Evidence[len(o.Evidence)-1]; err != nil || e.Kind != ordering.ByCode || e.Code != "mei" {
		t.Errorf("%+v, %v", o.Evidence, err)
	}
	stand(func(p *koc.Profile) error { return p.Suspend("left", x.at) })
	if a := quote("mei"); a.Status != 200 {
		t.Errorf("a suspended KOC's code refuses a quote: %s", a)
	}
	x.order(x.form("key", "a key for a typed code 2", "kocCode", "mei"))
}

func TestACodeOfNobodyIsPointedOutOnce(t *testing.T) {
	for name, again := range map[string]func(url.Values){
		"with the button":  func(f url.Values) { f.Set("withoutCode", "1") },
		"as it was":        func(url.Values) {},
		"with another one": func(f url.Values) { f.Set("kocCode", "somebody") },
	} {
		t.Run(name, func(t *testing.T) {
			x := openCounter(t)
			a := x.send("POST", "/orders", x.form("kocCode", "nobody", "contact.name", "陈 静", "token", ""))
			if a.Status != 400 {
				t.Fatal(a)
			}
			x.shows(a.Body, `id="kocCode-error"`, `name="withoutCode"`, "直接下单")
			form := inputs(t, a.Body)
			if form.Get("kocCode") != "nobody" || form.Get("contact.name") != "陈 静" {
				t.Errorf("the form has lost what was typed: %v", form)
			}
			form.Set("address.country", "CN")
			form.Set("payment", "on_delivery")
			again(form)
			if name == "with another one" {
				if b := x.send("POST", "/orders", form); b.Status != 400 {
					t.Errorf("another code of nobody is not pointed out: %s", b)
				}
				return
			}
			o, err := x.c.store.Order(t.Context(), x.orderID(x.order(form)))
			if err != nil || len(o.Evidence) != 0 {
				t.Errorf("%+v, %v", o.Evidence, err)
			}
		})
	}
}

// TestOrderLinksAsChatsLeaveThem: whatever a chat writes behind an order's address, its secret opens it, and a wrong one
// gets a page of the shop.
func TestOrderLinksAsChatsLeaveThem(t *testing.T) {
	x := openCounter(t)
	address := x.order(x.form())
	path, secret, _ := strings.Cut(address, "?secret=")
	for _, sent := range []string{address, address + "。", address + "，快来看", address + "快来看", address + ")", address + "】", address + ".", address + "&from=timeline", address + "%E3%80%82",
		address + ";x", address + "%", address + "/", address + "#x", path + "。?secret=" + secret, path + "，看?secret=" + secret, path + "?lang=en&amp;secret=" + secret, path + "?from=x&secret=" + secret + "；",
		path + "?secret=" + secret + "?from=timeline", path + "?secret=" + secret} {
		for _, more := range []string{"", "/pay"} {
			p, query, _ := strings.Cut(sent, "?")
			if more != "" {
				if p != path {
					continue
				}
				p += more
			}
			a := webtest.Do(t, routes(x.c), webtest.Request{Path: p, Query: query, Header: map[string]string{"Accept": "text/html"}})
			if more == "" && (a.Status != 200 || !strings.Contains(a.Body, x.orderID(address))) || more != "" && a.Status == 404 {
				t.Errorf("%s%s: %d", sent, more, a.Status)
			}
		}
	}
	escaped := webtest.Request{Path: path + "?secret=" + secret, Header: map[string]string{"Accept": "text/html"}} // a chat that escapes the question mark
	if a := webtest.Do(t, routes(x.c), escaped); a.Status != 200 {
		t.Errorf("an escaped question mark: %s", a)
	}
	for _, wrong := range []string{path, path + "?secret=", path + "?secret=。", path + "?secret=" + secret[1:], path + "?secret=" + strings.ToLower(secret), path + "?secret=" + secret + "x", path + "?xsecret=" + secret} {
		p, query, _ := strings.Cut(wrong, "?")
		a := webtest.Do(t, routes(x.c), webtest.Request{Path: p, Query: query, Header: map[string]string{"Accept": "text/html", "Accept-Language": "yue-Hant-HK"},
			Options: []web.Option{web.ShopPages(func(context.Context) (shop.Settings, error) { s := shop.Default(); s.Brand = "山隅"; return s, nil })}})
		if a.Status != 404 || a.Header.Get("Content-Language") != "zh-Hant" || !strings.Contains(a.Body, `lang="zh-Hant"`) || !strings.Contains(a.Body, "山隅</a>") {
			t.Errorf("%s: %.900s", wrong, a)
		}
	}
}

// TestOnlySomebodyWhoTapsOpensAPayment: HEAD, and what browsers and chats fetch ahead, open none.
func TestOnlySomebodyWhoTapsOpensAPayment(t *testing.T) {
	x := openCounter(t)
	address := x.order(x.form())
	path, query, _ := strings.Cut(address, "?")
	for name, r := range map[string]webtest.Request{"head": {Method: "HEAD"}, "prefetch": {Header: map[string]string{"Sec-Purpose": "prefetch;prerender"}}, "preview": {Header: map[string]string{"X-Purpose": "preview"}}} {
		r.Path, r.Query = path+"/pay", query
		a := webtest.Do(t, routes(x.c), r)
		if o, err := x.c.store.Order(t.Context(), x.orderID(address)); err != nil || o.Version != 1 || a.Header.Get("Location") != "" || a.Body != "" {
			t.Errorf("%s: %s, order of version %d, %v", name, a, o.Version, err)
		}
		r.Query = "secret=x"
		if a := webtest.Do(t, routes(x.c), r); a.Status != 404 {
			t.Errorf("%s without the secret: %s", name, a)
		}
	}
}

// TestUnknownParametersOfRequests: what programs post says everything in its body; the addresses of forms and pages may have
// what chats append.
func TestUnknownParametersOfRequests(t *testing.T) {
	x := openCounter(t)
	for _, path := range []string{"/quotes", "/orders", "/orders/x/cancel"} {
		a := webtest.Do(t, routes(x.c), webtest.Request{Method: "POST", Path: path, Query: "coupon=FREE", JSON: orderJSON(), Key: "a key of enough letters"})
		if p := a.Problem(t); a.Status != 400 || len(p.Errors) != 1 || p.Errors[0].Location != "query.coupon" {
			t.Errorf("%s: %s", path, a)
		}
	}
	if a := x.send("POST", "/orders?utm_source=x", x.form()); a.Status != 303 {
		t.Errorf("a form: %s", a)
	}
	address := x.order(x.form())
	if a := x.send("GET", address+"&from=timeline&isappinstalled=0&utm_source=x&fbclid=y", nil); a.Status != 200 {
		t.Errorf("a page: %s", a)
	}
}
