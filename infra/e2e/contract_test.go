package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"yundian/infra/e2e/drive"
)

type object = map[string]any

// TestContractDocument holds the served OpenAPI document against the contract's list of routes.
func TestContractDocument(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	if v := o.document.Text("openapi"); !strings.HasPrefix(v, "3.1.") {
		t.Errorf("the document is OpenAPI %s", v)
	}
	for _, route := range strings.Fields(`
		get:/s/{code} get:/k/{handle} get:/k/{handle}/p/{product} post:/touch post:/quotes post:/orders get:/orders/{id}
		get:/orders/{id}/pay post:/orders/{id}/cancel post:/orders/{id}/received post:/orders/{id}/returns
		post:/webhooks/{provider} post:/apply get:/openapi.json get:/healthz
		post:/v1/me get:/v1/me patch:/v1/me get:/v1/links post:/v1/links get:/v1/shelf put:/v1/shelf get:/v1/earnings
		get:/v1/earnings/entries get:/v1/orders get:/v1/orders/{id}/attribution get:/v1/stats get:/v1/statements get:/v1/statements/{period}
		post:/v1/admin/imports get:/v1/admin/products post:/v1/admin/products get:/v1/admin/products/{id}
		patch:/v1/admin/products/{id} post:/v1/admin/stock get:/v1/admin/kocs post:/v1/admin/kocs
		get:/v1/admin/kocs/{id} patch:/v1/admin/kocs/{id} get:/v1/admin/rules post:/v1/admin/rules
		post:/v1/admin/rules/simulate
		post:/v1/admin/kocs/{id}/approve post:/v1/admin/kocs/{id}/suspend get:/v1/admin/orders get:/v1/admin/orders/{id}
		get:/v1/admin/kocs/{id}/statements get:/v1/admin/kocs/{id}/statements/{period}
		post:/v1/admin/orders/{id}/confirm post:/v1/admin/orders/{id}/ship post:/v1/admin/orders/{id}/deliver post:/v1/admin/orders/{id}/refunds
		post:/v1/admin/orders/{id}/hold post:/v1/admin/orders/{id}/release get:/v1/admin/verify get:/v1/admin/settings
		patch:/v1/admin/settings
		get:/v1/withdrawals post:/v1/withdrawals get:/v1/admin/payouts post:/v1/admin/payouts get:/v1/admin/payouts/{id}
		post:/v1/admin/payouts/approve post:/v1/admin/payouts/{id}/approve post:/v1/admin/payouts/{id}/release post:/v1/admin/payouts/{id}/reject post:/v1/admin/payouts/{id}/result
		get:/v1/admin/payout-files post:/v1/admin/payout-files get:/v1/admin/payout-files/{id} post:/v1/admin/payout-files/{id}/result
		get:/v1/admin/payout-terms post:/v1/admin/payout-terms get:/v1/admin/kocs/{id}/payee post:/v1/admin/kocs/{id}/payee/verify
		get:/v1/webhooks post:/v1/webhooks get:/v1/webhooks/{id} patch:/v1/webhooks/{id} delete:/v1/webhooks/{id} post:/v1/webhooks/{id}/rotate post:/v1/webhooks/{id}/test get:/v1/webhooks/{id}/deliveries post:/v1/webhooks/{id}/redeliver
		get:/v1/admin/kocs/{id}/webhooks delete:/v1/admin/kocs/{id}/webhooks/{webhook}
		get:/v1/admin/webhooks post:/v1/admin/webhooks get:/v1/admin/webhooks/{id} patch:/v1/admin/webhooks/{id} delete:/v1/admin/webhooks/{id} post:/v1/admin/webhooks/{id}/rotate post:/v1/admin/webhooks/{id}/test get:/v1/admin/webhooks/{id}/deliveries post:/v1/admin/webhooks/{id}/redeliver`) {
		method, path, _ := strings.Cut(route, ":")
		if o.document.At("paths", path, method) == nil {
			t.Errorf("the document does not describe %s %s", method, path)
		}
		for i := range o.document.Len("paths", path, method, "parameters") {
			name, required := o.document.At("paths", path, method, "parameters", i, "name"), o.document.At("paths", path, method, "parameters", i, "required")
			if name == "Idempotency-Key" && (required == true) != (drive.KeyFor(path) != "") {
				t.Errorf("%s %s: the key is required: %v", method, path, required)
			}
		}
		secured := o.document.Len("paths", path, method, "security") > 0
		if secured != strings.HasPrefix(path, "/v1/") {
			t.Errorf("%s %s: says that it needs a login: %v", method, path, secured)
		}
	}
	if err := o.validate([]any{"components", "schemas", "Problem"}, []byte(`{"title": 1}`)); err == nil {
		t.Error("the validator accepts anything")
	}
}

// TestContractOperators goes through everything that operators can do, as the contract writes it.
func TestContractOperators(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	id := drive.Fresh("tee-")
	variant := object{"sku": id + "-small", "title": "Small", "price": drive.CNY(1230), "stock": 5}
	product := object{"id": id, "title": "Tee", "status": "active", "variants": []any{variant},
		"images": []any{"https://cdn.example.com/tee.jpg"}, "tags": []any{"new"}}
	made := o.post(201, "/v1/admin/products", o.Operator, product)
	made.Want(t, id, "id")
	made.Want(t, id+"-small", "variants", 0, "sku")
	made.Want(t, 1230, "variants", 0, "price", "amount")
	made.Want(t, 5, "variants", 0, "stock")
	made.Want(t, "new", "tags", 0)
	o.post(409, "/v1/admin/products", o.Operator, product)
	o.get(200, "/v1/admin/products/"+id, o.Operator).Want(t, "Tee", "title")
	o.get(404, "/v1/admin/products/"+id+"-other", o.Operator)

	patch := func(status int, body object) drive.Object {
		t.Helper()
		return o.call(status, drive.Call{Method: "PATCH", Path: "/v1/admin/products/" + id, Token: o.Operator, JSON: body})
	}
	patch(200, object{"title": "Better tee"}).Want(t, "Better tee", "title")
	patch(200, object{"variants": []any{object{"sku": id + "-small", "price": drive.CNY(999)}}}).Want(t, 999, "variants", 0, "price", "amount")
	product["title"] = "Tee again" // the whole product sent back, as it was read
	back := patch(200, product)
	back.Want(t, "Tee again", "title")
	back.Want(t, 1230, "variants", 0, "price", "amount")
	patch(400, object{"id": "another"})
	patch(400, object{"price": 1})
	patch(400, object{"status": "sold"})
	variant["stock"] = 50 // goods arrive by receipts, not by edits
	patch(400, object{"variants": []any{variant}})

	stock := func(status int, body object) drive.Object {
		t.Helper()
		return o.post(status, "/v1/admin/stock", o.Operator, body)
	}
	stock(200, object{"sku": id + "-small", "received": 3, "reason": "delivery"}).Want(t, 8, "stock")
	stock(200, object{"sku": id + "-small", "writtenOff": 2, "reason": "moths"}).Want(t, 6, "stock")
	stock(409, object{"sku": id + "-small", "writtenOff": 7, "reason": "moths"})
	stock(404, object{"sku": "nothing-like-it", "received": 7, "reason": "delivery"})
	for _, wrong := range []object{{"received": 0}, {"received": -1}, {"received": 1.5}, {"received": "1"}, {"writtenOff": 0}, {},
		{"received": 1, "writtenOff": 1}, {"received": 1, "price": 1}, {"received": uint64(1) << 63}} {
		wrong["sku"], wrong["reason"] = id+"-small", "try"
		stock(400, wrong)
	}
	o.get(200, "/v1/admin/products/"+id, o.Operator).Want(t, 6, "variants", 0, "stock")

	settings := o.get(200, "/v1/admin/settings", o.Operator)
	settings.Want(t, "CNY", "currency")
	settings.Want(t, 1000, "defaultRate")
	for _, wrong := range []object{{"defaultRate": -1}, {"defaultRate": 10001}, {"currency": "XXX"}, {"timeZone": "Mars/Crater"}, {"brand": ""},
		{"languages": []any{}}, {"languages": []any{"xx"}}, {"windows": object{"returnDays": -1}}, {"colour": "red"}, {"defaultShelf": []any{"nothing-like-it"}}} {
		o.call(400, drive.Call{Method: "PATCH", Path: "/v1/admin/settings", Token: o.Operator, JSON: wrong})
	}
	o.call(409, drive.Call{Method: "PATCH", Path: "/v1/admin/settings", Token: o.Operator, JSON: object{"currency": "USD"}})
	o.call(200, drive.Call{Method: "PATCH", Path: "/v1/admin/settings", Token: o.Operator, JSON: object{}})
}

// TestContractKOCs goes through everything that operators do with KOCs and KOCs can do themselves.
func TestContractKOCs(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	tea := o.Product(8800, 5)
	handle := drive.Fresh("lin")
	created := o.post(201, "/v1/admin/kocs", o.Operator, object{"handle": handle, "name": "Lin", "email": handle + "@example.com"})
	created.Want(t, handle, "handle")
	created.Want(t, "applied", "status")
	id := created.Text("id")
	o.post(409, "/v1/admin/kocs", o.Operator, object{"handle": handle, "name": "Lin", "email": handle + "@example.com"})
	for _, wrong := range []object{{"handle": "L"}, {"handle": "UPPER"}, {"handle": "a b"}, {"name": ""}, {"email": "nowhere"}, {"rate": 9999}, {"status": "approved"}} {
		body := object{"handle": drive.Fresh("new"), "name": "New", "email": "new@example.com"}
		for name, value := range wrong {
			body[name] = value
		}
		o.post(400, "/v1/admin/kocs", o.Operator, body)
	}
	token := o.Token("koc:" + handle)
	o.get(403, "/v1/me", token)
	first := o.call(200, drive.Call{Method: "POST", Path: "/v1/admin/kocs/" + id + "/approve", Token: o.Operator}).Text("invite")
	second := o.post(200, "/v1/admin/kocs/"+id+"/approve", o.Operator, object{}).Text("invite")
	o.post(404, "/v1/admin/kocs/nobody-like-it/approve", o.Operator, object{})
	for _, wrong := range []string{"", "wrong", first} { // the second invitation replaced the first
		o.post(400, "/v1/me", token, object{"invite": wrong})
	}
	o.post(200, "/v1/me", token, object{"invite": second}).Want(t, handle, "handle")
	o.post(400, "/v1/me", o.Token("koc:"+handle+"-thief"), object{"invite": second})

	o.get(200, "/v1/me", token).Want(t, "approved", "status")
	o.call(200, drive.Call{Method: "PATCH", Path: "/v1/me", Token: token, JSON: object{"story": "我每天都喝"}}).Want(t, "我每天都喝", "story")
	for _, wrong := range []object{{"handle": "x"}, {"rate": 1}, {"kocId": "x"}, {"role": "operator"}, {"status": "approved"}, {"name": ""}, {"email": "x"},
		{"story": strings.Repeat("长", 2001)}, {"portrait": "javascript:alert(1)"}, {"story": 5}, {"story": []any{}}} {
		o.call(400, drive.Call{Method: "PATCH", Path: "/v1/me", Token: token, JSON: wrong})
	}
	link := o.post(201, "/v1/links", token, object{"target": "product:" + tea, "channel": "wechat"})
	link.Want(t, "product:"+tea, "target")
	link.Want(t, "wechat", "channel")
	link.Want(t, 1000, "rate")
	if link.Text("url") != o.Base+"/s/"+link.Text("code") {
		t.Errorf("the link leads to %s", link.Text("url"))
	}
	o.post(201, "/v1/links", token, object{"target": "storefront", "channel": "line"})
	for _, wrong := range []object{{"target": "product:nothing-like-it"}, {"target": "home"}, {"target": "product:"}, {"channel": "We Chat"}, {"rate": 5000}} {
		body := object{"target": "storefront", "channel": "line"}
		for name, value := range wrong {
			body[name] = value
		}
		o.post(400, "/v1/links", token, body)
	}
	if n := o.get(200, "/v1/links", token).Len("items"); n != 2 {
		t.Errorf("the KOC has %d links", n)
	}
	put := func(status int, items ...any) drive.Object {
		t.Helper()
		return o.call(status, drive.Call{Method: "PUT", Path: "/v1/shelf", Token: token, JSON: object{"items": append([]any{}, items...)}})
	}
	put(200, object{"product": tea, "note": "饭后一杯"}).Want(t, "饭后一杯", "items", 0, "note")
	o.get(200, "/v1/shelf", token).Want(t, tea, "items", 0, "product")
	put(400, object{"product": "nothing-like-it", "note": ""})
	put(400, object{"product": tea}, object{"product": tea})
	put(400, object{"product": tea, "price": 1})
	put(400, object{"product": tea, "note": strings.Repeat("长", 301)})
	put(200).Want(t, nil, "items", 0)

	o.call(200, drive.Call{Method: "POST", Path: "/v1/admin/kocs/" + id + "/suspend", Token: o.Operator}).Want(t, "suspended", "status")
	for _, path := range []string{"/v1/me", "/v1/links", "/v1/shelf", "/v1/earnings", "/v1/earnings/entries", "/v1/orders", "/v1/stats", "/v1/statements", "/v1/withdrawals"} {
		o.get(200, path, token) // what was earned stays theirs to see
	}
	for _, q := range []drive.Call{{Method: "PATCH", Path: "/v1/me", JSON: object{"story": "x"}}, {Method: "POST", Path: "/v1/links", JSON: object{"target": "storefront", "channel": "qr"}},
		{Method: "PUT", Path: "/v1/shelf", JSON: object{"items": []any{}}}, {Method: "POST", Path: "/v1/withdrawals", JSON: object{"amount": 5000, "currency": "CNY"}},
		{Method: "POST", Path: "/v1/webhooks", JSON: object{"url": "https://hooks.example.com/in"}}} {
		q.Token = token
		o.call(403, q)
	}
	if n := o.get(200, "/v1/admin/kocs/"+id+"/webhooks", o.Operator).Len("items"); n != 0 {
		t.Errorf("%d webhooks", n)
	}
}

// TestContractOrders walks an order from the quote to its last refund, as shopper, operator and KOC.
func TestContractOrders(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	tea := o.Product(6000, 10)
	token := o.PageToken("/k/" + o.Handle + "/p/" + tea)
	body := drive.OrderBody(token, tea, 2, "sandbox")
	quote := o.post(200, "/quotes", "", body)
	quote.Want(t, 12000, "total", "amount")
	quote.Want(t, 2, "lines", 0, "quantity")
	body["expect"] = drive.CNY(11999)
	o.call(409, drive.Call{Method: "POST", Path: "/orders", Key: drive.Fresh("contract-orders-"), JSON: body}).Want(t, 12000, "quote", "total", "amount")
	body["expect"] = quote.At("total")
	placed := o.call(201, drive.Call{Method: "POST", Path: "/orders", Key: drive.Fresh("contract-orders-"), JSON: body})
	for name, want := range map[string]any{"status": "held"} {
		placed.Want(t, want, name)
	}
	placed.Want(t, 12000, "total", "amount")
	for _, amount := range []string{"discount", "shipping", "tax"} {
		placed.Want(t, 0, amount, "amount")
		placed.Want(t, "CNY", amount, "currency")
	}
	for name, want := range map[string]int{"unit": 6000, "discount": 0, "net": 12000} {
		placed.Want(t, want, "lines", 0, name, "amount")
	}
	if expires, err := time.Parse(time.RFC3339, placed.Text("expiresAt")); err != nil || !expires.After(time.Now()) {
		t.Errorf("the order expires at %s", placed.Text("expiresAt"))
	}
	path, secret := "/orders/"+placed.Text("id"), placed.Text("secret")
	o.get(200, path+"?secret="+secret, "").Want(t, "held", "status")
	if page := o.Get(path+"?secret="+secret, "").Is(200); !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") {
		t.Errorf("the order is shown as %s to who does not ask for JSON", page.Header.Get("Content-Type"))
	}
	o.get(404, path+"?secret="+secret+"x", "")
	o.get(404, path, "")
	o.Choose(placed.Text("payUrl"), "pay")
	o.Quiet()
	o.contractEarned(placed.Text("id"), body["contact"].(map[string]any)["phone"].(string))
	act := func(status int, what string, body object) drive.Object {
		t.Helper()
		body["secret"] = secret
		return o.post(status, path+"/"+what, "", body)
	}
	act(409, "received", object{})
	act(409, "returns", object{})
	admin := "/v1/admin" + path
	o.post(409, admin+"/deliver", o.Operator, object{})
	for _, lines := range [][]any{{object{"sku": tea, "quantity": 1}}, {object{"sku": "nothing-like-it"}}, {tea, tea}, {object{"quantity": 2}}} {
		o.post(400, admin+"/ship", o.Operator, object{"carrier": "SF", "tracking": "SF1", "lines": lines})
	}
	o.post(200, admin+"/ship", o.Operator, object{"carrier": "SF", "tracking": "SF1", "lines": []any{object{"sku": tea, "quantity": 2}}}).Want(t, "shipped", "status")
	act(409, "cancel", object{})
	act(200, "received", object{}).Want(t, "delivered", "status")
	act(200, "returns", object{"note": "too small", "lines": []any{object{"sku": tea, "quantity": 1}}})
	o.post(200, admin+"/hold", o.Operator, object{}).Want(t, true, "onHold")
	o.call(200, drive.Call{Method: "POST", Path: admin + "/release", Token: o.Operator})
	closed := o.post(200, admin+"/returns/r1", o.Operator, object{"outcome": "accepted", "note": "sorry", "goods": "writeOff"})
	closed.Want(t, 6000, "refunded", "amount")
	closed.Want(t, "writeOff", "goods", 0, "to")
	shown := o.get(200, path+"?secret="+secret, "")
	shown.Want(t, "accepted", "returns", 0, "outcome")
	shown.Want(t, "sorry", "returns", 0, "answer")
	refunds := func(status int, body object) drive.Object {
		t.Helper()
		return o.post(status, admin+"/refunds", o.Operator, body)
	}
	refunds(409, object{"lines": []any{object{"sku": tea, "quantity": 2}}, "reason": "returned"})
	refunds(201, object{"amount": drive.CNY(500), "reason": "dented"}).Want(t, 500, "amount", "amount")
	refunds(409, object{"amount": drive.CNY(5501), "reason": "dented"})
	for _, wrong := range []object{{"reason": "nothing"}, {"amount": object{"amount": 1, "currency": "USD"}}, {"amount": drive.CNY(0)}, {"amount": drive.CNY(-5)},
		{"lines": []any{object{"sku": "nothing-like-it", "quantity": 1}}}, {"lines": []any{object{"sku": tea, "quantity": -1}}}, {"lines": []any{object{"sku": tea, "quantity": 1.5}}}} {
		wrong["reason"] = "try"
		refunds(400, wrong)
	}
	o.Quiet()
	o.Earns(o.KOC, 550, 0, 0)
	o.get(200, path+"?secret="+secret, "").Want(t, 6500, "refunded", "amount")
}

// contractEarned reads everything that a KOC and an operator can see of a paid order of 120.00 by whoever has this phone.
func (o *outsider) contractEarned(id, phone string) {
	o.t.Helper()
	entry := o.get(200, "/v1/earnings/entries", o.KOC)
	for name, want := range map[string]any{"orderId": id, "kind": "accrual", "amount": 1200, "currency": "CNY", "ruleId": "default", "rate": 1000, "base": 12000} {
		entry.Want(o.t, want, "items", 0, name)
	}
	item, _ := entry.At("items", 0).(map[string]any)
	for _, name := range []string{"id", "at", "sku", "availableOn", "ruleVersion"} {
		if _, there := item[name]; !there {
			o.t.Errorf("an entry has no %s", name)
		}
	}
	earnings := o.get(200, "/v1/earnings", o.KOC)
	for name, want := range map[string]int{"pending": 1200, "available": 0, "debt": 0, "inPayout": 0, "paid": 0} {
		earnings.Want(o.t, want, "balances", 0, name)
	}
	orders := o.get(200, "/v1/orders", o.KOC)
	orders.Want(o.t, id, "items", 0, "id")
	for _, personal := range []string{"陈静", strings.TrimPrefix(phone, "+86"), "文三路"} {
		if strings.Contains(fmt.Sprint(orders), personal) {
			o.t.Errorf("the KOC sees %s", personal)
		}
	}
	decision := o.get(200, "/v1/orders/"+id+"/attribution", o.KOC)
	for _, name := range []string{"orderId", "policyVersion", "decidedAt", "reason"} {
		if decision.At(name) == nil {
			o.t.Errorf("the decision has no %s", name)
		}
	}
	decision.Want(o.t, o.Handle, "winners", 0, "koc")
	decision.Want(o.t, "link", "candidates", 0, "evidence")
	decision.Want(o.t, "won", "candidates", 0, "outcome")
	for _, by := range []string{"", "?by=day", "?by=link", "?by=product"} {
		o.get(200, "/v1/stats"+by, o.KOC).Want(o.t, 1, "total", "orders")
	}
	for _, wrong := range []string{"by=hour", "from=yesterday", "from=2026-02-30", "from=2026-03-02&to=2026-03-01", "to=9999999"} {
		o.get(400, "/v1/stats?"+wrong, o.KOC)
	}
	listed := o.get(200, "/v1/admin/orders?status=paid&koc="+o.Handle, o.Operator)
	listed.Want(o.t, id, "items", 0, "id")
	listed.Want(o.t, "陈静", "items", 0, "contact", "name")
	whole := o.get(200, "/v1/admin/orders/"+id, o.Operator)
	whole.Want(o.t, "陈静", "contact", "name")
	whole.Want(o.t, phone, "contact", "phone")
	whole.Want(o.t, "330106", "address", "division")
	for _, wrong := range []string{"status=lost", "koc=a%20b", "from=soon", "to=2026-13-01", "limit=none"} {
		o.get(400, "/v1/admin/orders?"+wrong, o.Operator)
	}
}

// TestContractShoppersPages reads every page as HTML and as JSON.
func TestContractShoppersPages(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	tea := o.Product(6000, 10)
	link := o.Share(o.KOC, "product:"+tea)
	o.call(200, drive.Call{Method: "PUT", Path: "/v1/shelf", Token: o.KOC, JSON: object{"items": []any{object{"product": tea, "note": "好"}}}})
	for _, path := range []string{"/s/" + link, "/s/" + o.Handle, "/k/" + o.Handle, "/k/" + o.Handle + "/p/" + tea} {
		shown := o.call(200, drive.Call{Path: path, Header: map[string]string{"Accept": "application/json"}})
		shown.Want(t, tea, "products", 0, "id")
		shown.Want(t, o.Handle, "koc", "handle")
		page := o.Do(drive.Call{Path: path, Header: map[string]string{"Accept": "text/html"}}).Is(200)
		for _, part := range []string{`<meta name="yundian-token" content="`, `property="og:title"`, `property="og:image"`, "Tea " + tea} {
			if !strings.Contains(string(page.Body), part) && part != `property="og:image"` {
				t.Errorf("%s has no %s", path, part)
			}
		}
		if policy := page.Header.Get("Content-Security-Policy"); policy == "" || strings.Contains(policy, "unsafe-inline") {
			t.Errorf("%s has the policy %q", path, policy)
		}
		head := o.Do(drive.Call{Method: "HEAD", Path: path}).Is(200)
		if len(head.Body) > 0 || head.Header.Get("Content-Type") != page.Header.Get("Content-Type") {
			t.Errorf("HEAD %s answers %d bytes of %s", path, len(head.Body), head.Header.Get("Content-Type"))
		}
	}
	for path, brand := range map[string]string{"/s/nobody-like-it": "/", "/k/nobody-like-it": "/", "/k/nobody-like-it/p/" + tea: "/p/" + tea, "/k/nobody-like-it/basket": "/basket"} {
		for _, accept := range []string{"application/json", "text/html"} {
			own, page := o.Do(drive.Call{Path: brand, Header: map[string]string{"Accept": accept}}).Is(200), o.Do(drive.Call{Path: path, Header: map[string]string{"Accept": accept}}).Is(200)
			if string(own.Body) != string(page.Body) {
				t.Errorf("%s as %s is not the brand's %s: %.900s", path, accept, brand, page.Body)
			}
		}
	}
	for _, path := range []string{"/p/nothing-like-it", "/k/" + o.Handle + "/p/nothing-like-it", "/k/nobody-like-it/p/nothing-like-it", "/nothing-like-it", "/s/", "/s/%25"} {
		o.nothing(path)
		if page := o.Do(drive.Call{Path: path, Header: map[string]string{"Accept": "text/html"}}).Is(404); !strings.Contains(string(page.Body), "<html") {
			t.Errorf("%s answers no page", path)
		}
	}
	token := o.PageToken("/s/" + link)
	o.post(204, "/touch", "", object{"token": token})
	o.post(400, "/touch", "", object{})
	o.post(400, "/touch", "", object{"token": token, "koc": "x"})
	o.get(200, "/healthz", "")
}

// TestContractRefusals: every route refuses wrong methods, wrong bodies, no login and the wrong login in one way.
func TestContractRefusals(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	paths, _ := o.document.At("paths").(map[string]any)
	fill := strings.NewReplacer("{id}", "x1", "{code}", o.Handle, "{handle}", o.Handle, "{product}", "x", "{provider}", "sandbox", "{return}", "r1", "{webhook}", "w1")
	for template, methods := range paths {
		path := fill.Replace(template)
		token, other := "", ""
		switch {
		case strings.HasPrefix(path, "/v1/admin/"):
			token, other = o.Operator, o.KOC
		case strings.HasPrefix(path, "/v1/"):
			token, other = o.KOC, o.Operator
		}
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			_, known := methods.(map[string]any)[strings.ToLower(method)]
			call := drive.Call{Method: method, Path: path, Token: token, Header: map[string]string{"Accept": "application/json"}}
			if token != "" {
				o.gatewayRefuses(401, drive.Call{Method: method, Path: path})
				o.gatewayRefuses(403, drive.Call{Method: method, Path: path, Token: other})
			}
			if !known && method+path != "GET/apply" { // a page, with the form
				o.call(405, call)
				if a := o.Do(call); a.Header.Get("Allow") == "" {
					t.Errorf("%s %s: 405 without Allow", method, path)
				}
			}
		}
	}
	for _, path := range []string{"/nothing", "/v1", "/v1/nothing", "/v1/admin/nothing", "/orders/x/y/z", "/k", "/s/"} {
		o.nothing(path)
	}
}

// nothing wants a path to be answered by the shop, not by the gateway: as a problem document.
func (o *outsider) nothing(path string) {
	o.t.Helper()
	a := o.Do(drive.Call{Path: path, Token: o.Operator, Header: map[string]string{"Accept": "application/json"}}).Is(404)
	if a.Header.Get("Content-Type") != "application/problem+json" || a.Object().Text("title") == "" {
		o.t.Errorf("%s: %s", path, a.Body)
	}
}

// TestContractBodies: every route that takes JSON refuses, in one way, what is none, has a wrong type, or says too much.
func TestContractBodies(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	order := o.Order("", o.Product(100, 9), 1, "on_delivery")
	paths, _ := o.document.At("paths").(map[string]any)
	for template, methods := range paths {
		for method, operation := range methods.(map[string]any) {
			content := drive.Object(operation.(map[string]any))
			if content.At("requestBody", "content", "application/json") == nil || strings.HasPrefix(template, "/webhooks") {
				continue
			}
			path := strings.NewReplacer("{return}", "r1", "kocs/{id}", "kocs/"+o.Handle, "{id}", order.Text("id")).Replace(template)
			q := drive.Call{Method: strings.ToUpper(method), Path: path, Key: drive.Fresh("contract-bodies-")}
			switch {
			case strings.HasPrefix(path, "/v1/admin/"):
				q.Token = o.Operator
			case strings.HasPrefix(path, "/v1/"):
				q.Token = o.KOC
			}
			for _, wrong := range []string{`{`, `[]`, `"x"`, `5`, `{"a":1}{"a":1}`, `{"unheardOf":1}`, `{"reason":"a","reason":"b"}`, "{\"reason\":\"\xff\"}", `{'reason':1}`,
				`{"reason":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`, `{"reason":NaN}`, `{"reason":"\ud800"}`, `{"reason":{}}`, `// {}`} {
				q.Raw = wrong
				if a := o.Do(q); a.Status != 400 {
					t.Errorf("%s %s %.60s: answered %d %.200s", q.Method, path, wrong, a.Status, a.Body)
				} else {
					o.check(q, a)
				}
			}
			q.Raw, q.Header = `{}`, map[string]string{"Content-Type": "text/plain"}
			o.call(415, q)
			q.Header = map[string]string{"Content-Type": "application/json", "Content-Encoding": "gzip"}
			o.call(415, q)
			q.Raw, q.Header = `{"reason":"`+strings.Repeat("a", 2<<20)+`"}`, nil
			o.call(413, q)
		}
	}
	o.get(200, "/v1/admin/kocs?status=approved", o.Operator)
	o.See(order).Want(t, "confirmed", "status")
}

// gatewayRefuses sends what the gateway itself must refuse, in its own form.
func (o *outsider) gatewayRefuses(status int, q drive.Call) {
	o.t.Helper()
	a := o.Do(q).Is(status)
	if text, ok := a.Object().At("message").(string); !ok || text == "" || len(a.Object()) != 1 || a.Header.Get("Content-Type") != "application/json" {
		o.t.Errorf("%s: the gateway refuses as %s", a.What, a.Body)
	}
}

// TestContractLists: limits, cursors bound to owner and query, and every item once.
func TestContractLists(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	_, stranger := o.Approve(drive.Fresh("bob"))
	auditor := o.Token("auditor:" + drive.Fresh("eva"))
	made := map[string]bool{}
	for range 5 {
		made[o.Share(o.KOC, "storefront")] = true
	}
	tea := o.Product(1000, 9)
	for range 3 {
		o.Choose(o.Order(o.PageToken("/k/"+o.Handle), tea, 1, "sandbox").Text("payUrl"), "pay")
	}
	o.Quiet()
	for _, list := range []struct {
		path, other, owner, stranger string
		least                        int
	}{{"/v1/links?", "/v1/orders?", o.KOC, stranger, 5}, {"/v1/orders?", "/v1/orders?status=paid", o.KOC, stranger, 3},
		{"/v1/earnings/entries?", "/v1/links?", o.KOC, stranger, 3}, {"/v1/products?", "/v1/products?q=other", o.KOC, stranger, 1},
		{"/v1/admin/products?", "/v1/admin/products?status=draft", o.Operator, auditor, 1}, {"/v1/admin/kocs?", "/v1/admin/kocs?status=applied", o.Operator, auditor, 2},
		{"/v1/admin/orders?koc=" + o.Handle + "&", "/v1/admin/orders?status=paid", o.Operator, auditor, 3}} {
		seen := map[string]bool{}
		for next := ""; ; {
			page := o.get(200, list.path+"limit=2&cursor="+next, list.owner)
			if n := page.Len("items"); n > 2 {
				t.Errorf("%s: limit=2 gave %d", list.path, n)
			}
			for i := range page.Len("items") {
				name := page.Text("items", i, "code") + page.Text("items", i, "id")
				if seen[name] {
					t.Errorf("%s: %s came twice", list.path, name)
				}
				seen[name] = true
			}
			cursor, more := page.At("next").(string)
			if !more || len(seen) > 40 {
				break
			}
			if next == "" {
				o.get(400, list.path+"cursor="+cursor, list.stranger)
				o.get(400, list.path+"cursor="+cursor+"x", list.owner)
				o.get(400, list.other+"&cursor="+cursor, list.owner)
			}
			next = cursor
		}
		if len(seen) < list.least {
			t.Errorf("%s: found %d, want at least %d", list.path, len(seen), list.least)
		}
		for _, limit := range []string{"100", "101", "1e9", "1000000000000000000000"} {
			if n := o.get(200, list.path+"limit="+limit, list.owner).Len("items"); n > 100 {
				t.Errorf("%s: limit=%s gave %d", list.path, limit, n)
			}
		}
		for _, limit := range []string{"0", "-1", "1.5", "ten", "NaN", "0x10"} {
			o.refuse(400, "query.limit", drive.Call{Path: list.path + "limit=" + limit, Token: list.owner})
		}
		for _, cursor := range []string{"x", "%00", "AAAA", strings.Repeat("A", 3000), "%F0%9F%98%80"} {
			o.get(400, list.path+"cursor="+cursor, list.owner)
		}
	}
	for code := range made {
		if !strings.HasPrefix(code, o.Handle) {
			t.Errorf("the code %s does not name its KOC", code)
		}
	}
}

// TestContractKeys: every write may be sent again with its key, is answered as before and done once; the same key with
// another body is 422, and a malformed one 400.
func TestContractKeys(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	tea, spare := o.Product(5000, 50), drive.Fresh("new-")
	koc := drive.Fresh("kai")
	order := o.Order(o.PageToken("/k/"+o.Handle), tea, 4, "sandbox")
	o.Choose(order.Text("payUrl"), "pay")
	o.Quiet() // answers show the order's attribution
	admin := "/v1/admin/orders/" + order.Text("id")
	csv := func(title string) string {
		return "Handle,Title,Variant Price,Variant Inventory Qty\n" + drive.Fresh("cup-") + "," + title + ",3.50,4\n"
	}
	for _, w := range []struct {
		method, path, token string
		status              int
		body, other         any
	}{
		{"POST", "/v1/admin/products", o.Operator, 201, object{"id": spare, "title": "New", "variants": []any{object{"sku": spare, "price": drive.CNY(1), "stock": 1}}}, object{"title": "Other", "variants": []any{object{"sku": spare, "price": drive.CNY(1)}}}},
		{"PATCH", "/v1/admin/products/" + spare, o.Operator, 200, object{"title": "Newer"}, object{"title": "Newest"}},
		{"POST", "/v1/admin/stock", o.Operator, 200, object{"sku": spare, "received": 5, "reason": "delivery"}, object{"sku": spare, "received": 6, "reason": "delivery"}},
		{"POST", "/v1/admin/kocs", o.Operator, 201, object{"handle": koc, "name": "Kai", "email": "kai@example.com"}, object{"handle": koc + "2", "name": "Kai", "email": "kai@example.com"}},
		{"POST", "/v1/admin/kocs/" + koc + "/approve", o.Operator, 200, object{}, nil},
		{"POST", "/v1/admin/kocs/" + koc + "/suspend", o.Operator, 200, object{"reason": "fraud"}, object{"reason": "other"}},
		{"POST", "/v1/admin/imports", o.Operator, 200, csv("Cup"), csv("Bowl")},
		{"PATCH", "/v1/admin/settings", o.Operator, 200, object{"tagline": "好东西"}, object{"tagline": "其他"}},
		{"POST", "/v1/admin/adjustments", o.Operator, 201, object{"koc": o.Handle, "amount": drive.CNY(1), "reason": "late"}, object{"koc": o.Handle, "amount": drive.CNY(2), "reason": "late"}},
		{"POST", admin + "/hold", o.Operator, 200, object{"reason": "look"}, object{"reason": "look again"}},
		{"POST", admin + "/release", o.Operator, 200, object{"reason": "fine"}, object{"reason": "well"}},
		{"POST", admin + "/refunds", o.Operator, 201, object{"lines": []any{object{"sku": tea, "quantity": 1}}, "reason": "dented"}, object{"lines": []any{object{"sku": tea, "quantity": 2}}, "reason": "dented"}},
		{"POST", admin + "/ship", o.Operator, 200, object{"carrier": "SF", "tracking": "1"}, object{"carrier": "SF", "tracking": "2"}},
		{"POST", admin + "/deliver", o.Operator, 200, object{}, nil},
		{"PATCH", "/v1/me", o.KOC, 200, object{"story": "one"}, object{"story": "two"}},
		{"POST", "/v1/links", o.KOC, 201, object{"target": "storefront", "channel": "qr"}, object{"target": "product:" + tea, "channel": "qr"}},
		{"PUT", "/v1/shelf", o.KOC, 200, object{"items": []any{object{"product": tea}}}, object{"items": []any{}}},
		{"POST", "/orders", "", 201, drive.OrderBody("", tea, 1, "sandbox"), drive.OrderBody("", tea, 2, "sandbox")},
	} {
		send := func(key string, body any) drive.Answer {
			t.Helper()
			q := drive.Call{Method: w.method, Path: w.path, Token: w.token, Key: key, JSON: body}
			if text, ok := body.(string); ok {
				q.JSON, q.Raw, q.Header = nil, text, map[string]string{"Content-Type": "text/csv"}
			}
			a := o.Do(q)
			o.check(q, a)
			return a
		}
		for _, wrong := range []string{"short", strings.Repeat("k", 129), "sixteen characters, twice"} {
			if w.path != "/v1/admin/imports" || wrong != "short" {
				send(wrong, w.body).Is(400)
			}
		}
		if drive.KeyFor(w.path) != "" {
			send("", w.body).Is(400).Object().Want(t, "header.Idempotency-Key", "errors", 0, "location")
		}
		key := drive.Fresh("contract key/+=\"") + drive.Fresh(":")
		first := send(key, w.body).Is(w.status)
		if again := send(key, w.body).Is(w.status); string(again.Body) != string(first.Body) {
			t.Errorf("%s %s: the key was answered in two ways:\n%s%s", w.method, w.path, first.Body, again.Body)
		}
		if w.other != nil {
			send(key, w.other).Is(422)
		}
	}
	o.get(200, "/v1/admin/products/"+spare, o.Operator).Want(t, 6, "variants", 0, "stock")
	view := o.See(order)
	view.Want(t, 5000, "refunded", "amount")
	if n := view.Len("shipments"); n != 1 {
		t.Errorf("shipped %d times", n)
	}
}

// TestContractMethods: the routes of the template and the document are the same ones.
func TestContractMethods(t *testing.T) {
	store := drive.Shared(t)
	o := outside(t, store.URL)
	notJSON := []string{"/basket", "$default", "/s/{code}/qr", "/k/{handle}/basket", "/assets/{file}", "/robots.txt", "/portal", "/portal/{file}"}
	for _, r := range store.Model.API.Routes {
		if o.document.At("paths", r.Path) == nil && !slices.Contains(notJSON, r.Path) {
			t.Errorf("the document does not describe %s", r.Path)
		}
	}
	for _, path := range []string{"/", "/robots.txt", "/portal", "/apply", "/k/" + o.Handle + "/basket"} {
		o.Get(path, "").Is(http.StatusOK)
	}
}
