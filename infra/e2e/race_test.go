package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"yundian/infra/e2e/drive"
)

// together runs n calls at once and waits for all of them.
func together(n int, do func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { do(i) })
	}
	group.Wait()
}

// count is how many answers have each status.
func count(answers []drive.Answer) map[int]int {
	out := map[int]int{}
	for _, a := range answers {
		out[a.Status]++
	}
	return out
}

// TestTheLastPiece: fifty shoppers want the last one, alone and in baskets that hold the same goods in another order.
func TestTheLastPiece(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	last := o.Product(1000, 1)
	answers := make([]drive.Answer, 50)
	together(len(answers), func(i int) {
		answers[i] = o.Do(drive.Call{Method: "POST", Path: "/orders", Key: drive.Fresh("the-last-piece-"), JSON: drive.OrderBody("", last, 1, "sandbox")})
	})
	if got := count(answers); got[201] != 1 || got[409] != 49 {
		t.Errorf("one piece, fifty shoppers: %v", got)
	}
	left, right := o.Product(1000, 10), o.Product(1000, 10)
	together(len(answers), func(i int) {
		body := drive.OrderBody("", left, 1, "sandbox")
		lines := []any{object{"sku": left, "quantity": 1}, object{"sku": right, "quantity": 1}}
		if i%2 == 1 {
			lines[0], lines[1] = lines[1], lines[0]
		}
		body["lines"] = lines
		answers[i] = o.Do(drive.Call{Method: "POST", Path: "/orders", Key: drive.Fresh("the-last-piece-"), JSON: body})
	})
	if got := count(answers); got[201] != 10 || got[409] != 40 {
		t.Errorf("ten of each, fifty baskets: %v", got)
	}
	for _, sku := range []string{last, left, right} {
		o.get(200, "/v1/admin/products/"+sku, o.Operator).Want(t, 0, "variants", 0, "stock")
	}
	o.Quiet()
	o.Verify()
}

// TestTwoOperators edit one product, one stock and the settings at once: nothing is lost and nothing is half done.
func TestTwoOperators(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	tea, other := o.Product(1000, 100), o.Token("operator:"+drive.Fresh("ben"))
	product := "/v1/admin/products/" + tea
	var mu sync.Mutex
	statuses := map[int]int{}
	tally := func(a drive.Answer) {
		mu.Lock()
		defer mu.Unlock()
		statuses[a.Status]++
	}
	together(2, func(i int) {
		for n := range 10 {
			body, token := object{"title": fmt.Sprint("Title ", n)}, o.Operator
			if i == 1 {
				body, token = object{"vendor": fmt.Sprint("Vendor ", n)}, other
			}
			tally(o.Do(drive.Call{Method: "PATCH", Path: product, Token: token, JSON: body}))
		}
	})
	now := o.get(200, product, o.Operator)
	if statuses[200] != 20 {
		t.Errorf("editing one product: %v", statuses)
	}
	now.Want(t, "Title 9", "title")
	now.Want(t, "Vendor 9", "vendor")

	clear(statuses)
	key := drive.Fresh("the-same-receipt-")
	together(20, func(i int) {
		q := drive.Call{Method: "POST", Path: "/v1/admin/stock", Token: o.Operator, Key: drive.Fresh("another receipt "), JSON: object{"sku": tea, "received": 5, "reason": "delivery"}}
		if i%2 == 1 {
			q.Key = key
		}
		tally(o.Do(q))
	})
	if statuses[200] != 20 {
		t.Errorf("receiving goods: %v", statuses)
	}
	o.get(200, product, o.Operator).Want(t, 100+10*5+5, "variants", 0, "stock")

	clear(statuses)
	version := o.get(200, "/v1/admin/settings", o.Operator).At("version")
	together(8, func(i int) {
		tally(o.Do(drive.Call{Method: "PATCH", Path: "/v1/admin/settings", Token: other, JSON: object{"version": version, "tagline": fmt.Sprint("Line ", i)}}))
	})
	if statuses[200] != 1 || statuses[409] != 7 {
		t.Errorf("eight edits of one version of the settings: %v", statuses)
	}
	clear(statuses)
	handle := drive.Fresh("twin")
	together(8, func(int) {
		tally(o.Do(drive.Call{Method: "POST", Path: "/v1/admin/kocs", Token: o.Operator, JSON: object{"handle": handle, "name": "Twin", "email": "twin@example.com"}}))
	})
	if statuses[201] != 1 || statuses[409] != 7 {
		t.Errorf("one handle eight times: %v", statuses)
	}
}

// TestOneInvitation: one of several logins gets the KOC, and one login gets one KOC.
func TestOneInvitation(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	invite := func() string {
		handle := drive.Fresh("inv")
		o.post(201, "/v1/admin/kocs", o.Operator, object{"handle": handle, "name": "Invited", "email": "i@example.com"})
		return o.post(200, "/v1/admin/kocs/"+handle+"/approve", o.Operator, object{}).Text("invite")
	}
	one, answers := invite(), make([]drive.Answer, 8)
	logins := make([]string, len(answers))
	for i := range logins {
		logins[i] = o.Token("koc:" + drive.Fresh("login"))
	}
	together(len(answers), func(i int) { answers[i] = o.Post("/v1/me", logins[i], object{"invite": one}) })
	if got := count(answers); got[200] != 1 || got[400] != 7 {
		t.Errorf("one invitation, eight logins: %v", got)
	}
	login, invites := o.Token("koc:"+drive.Fresh("login")), []string{invite(), invite(), invite(), invite()}
	answers = answers[:len(invites)]
	together(len(answers), func(i int) { answers[i] = o.Post("/v1/me", login, object{"invite": invites[i]}) })
	if got := count(answers); got[200] != 1 || got[409] != 3 {
		t.Errorf("one login, four invitations: %v", got)
	}
}

// settled waits until everything is, and holds the KOC's balances against the orders by arithmetic of its own: ten
// percent of what shoppers keep of orders that were attributed to the KOC, paid and not cancelled.
func (o *outsider) settled(orders []drive.Object) {
	o.t.Helper()
	o.Quiet()
	kept := int64(0)
	for _, placed := range orders {
		order := o.get(200, "/v1/admin/orders/"+placed.Text("id"), o.Operator)
		taken, back := order.At("captured", "amount").(int64), order.At("refunded", "amount").(int64)
		if back > taken {
			o.t.Errorf("order %s: %d came in and %d went back", placed.Text("id"), taken, back)
		}
		if order.Text("koc") == o.Handle {
			kept += taken - back
		}
	}
	balance := o.Balances(o.KOC)
	sum := balance.At("balances", 0, "pending").(int64) + balance.At("balances", 0, "available").(int64) - balance.At("balances", 0, "debt").(int64)
	if sum*10 != kept {
		o.t.Errorf("the KOC has %d of sales of %d", sum, kept)
	}
	o.Verify()
}

// TestPayAndCancelAtOnce: whoever is first, the shopper ends with the goods or the money, and the shelf with the rest.
func TestPayAndCancelAtOnce(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	tea := o.Product(10000, 10)
	page := o.PageToken("/k/" + o.Handle)
	orders := make([]drive.Object, 10)
	for i := range orders {
		orders[i] = o.Order(page, tea, 1, "sandbox")
	}
	together(2*len(orders), func(i int) {
		placed := orders[i/2]
		if i%2 == 0 {
			pay := o.Get(placed.Text("payUrl"), "")
			if pay.Status == http.StatusSeeOther && pay.Header.Get("Location") != "" {
				o.Do(drive.Call{Method: "POST", Path: absolute(o.Base, pay.Header.Get("Location")), Form: url.Values{"outcome": {"pay"}}})
			}
			return
		}
		if a := o.Post("/orders/"+placed.Text("id")+"/cancel", "", object{"secret": placed.Text("secret")}); a.Status != 200 {
			t.Errorf("cancelling: %d %s", a.Status, a.Body)
		}
	})
	o.settled(orders)
	for _, placed := range orders {
		now := o.See(placed)
		now.Want(t, "cancelled", "status")
	}
	o.get(200, "/v1/admin/products/"+tea, o.Operator).Want(t, 10, "variants", 0, "stock")
	o.Earns(o.KOC, 0, 0, 0)
}

func absolute(base, location string) string {
	if len(location) > 0 && location[0] == '/' {
		return base + location
	}
	return location
}

// TestPayAndExpireAtOnce: the payment's event meets the end of the hold; nothing is sold twice or kept unpaid for.
func TestPayAndExpireAtOnce(t *testing.T) {
	store := drive.Shared(t)
	w := webhooks{outside(t, store.URL), store.SandboxKey()}
	tea := w.Product(10000, 8)
	page := w.PageToken("/k/" + w.Handle)
	orders := make([]drive.Object, 8)
	for i := range orders {
		orders[i] = w.Order(page, tea, 1, "sandbox")
	}
	at := time.Now().Add(31 * time.Minute)
	together(len(orders)+2, func(i int) {
		if i >= len(orders) {
			w.Do(drive.Call{Method: "POST", Path: "/_local/run/mature?at=" + url.QueryEscape(at.UTC().Format(time.RFC3339))})
			return
		}
		if a := w.signed(captured(orders[i].Text("id"))); a.Status != 204 {
			t.Errorf("the payment's event: %d %s", a.Status, a.Body)
		}
	})
	w.Mature(at)
	w.settled(orders)
	sold := int64(0)
	for _, placed := range orders {
		now := w.See(placed)
		switch status, back := now.Text("status"), now.At("refunded", "amount").(int64); {
		case status == "paid" && back == 0:
			sold++
		case status == "expired" && back == 10000:
		default:
			t.Errorf("order %s ended as %s with %d refunded", placed.Text("id"), status, back)
		}
	}
	w.get(200, "/v1/admin/products/"+tea, w.Operator).Want(t, int(8-sold), "variants", 0, "stock")
}

// TestKilledInMidBatch ends the stream functions again and again while orders are paid, shipped and refunded: what is
// posted is what follows from the orders.
func TestKilledInMidBatch(t *testing.T) {
	store := drive.Shared(t)
	o := outside(t, store.URL)
	tea := o.Product(10000, 40)
	page := o.PageToken("/k/" + o.Handle)
	streams := []string{"attribute", "settle", "tally"}
	failures := func() (n int) {
		for _, function := range streams {
			n += store.Usage()[function].Failures
		}
		return n
	}
	before := failures()
	orders := make([]drive.Object, 12)
	for i := range orders {
		for _, function := range streams {
			store.KillNext(function, time.Duration(i%4)*time.Millisecond)
		}
		orders[i] = o.Order(page, tea, 3, "sandbox")
		o.Choose(orders[i].Text("payUrl"), "pay")
		admin := "/v1/admin/orders/" + orders[i].Text("id")
		switch i % 4 {
		case 1:
			o.post(201, admin+"/refunds", o.Operator, object{"lines": []any{object{"sku": tea, "quantity": 1}}, "reason": "dented"})
		case 2:
			o.post(200, admin+"/ship", o.Operator, object{"carrier": "SF", "tracking": "1"})
			o.post(200, admin+"/deliver", o.Operator, object{})
		case 3:
			o.post(200, "/orders/"+orders[i].Text("id")+"/cancel", "", object{"secret": orders[i].Text("secret")})
		}
	}
	o.settled(orders)
	if killed := failures() - before; killed < 3 {
		t.Errorf("only %d events were cut off: this tests nothing", killed)
	}
	o.Mature(time.Now().AddDate(0, 0, 8))
	o.post(201, "/v1/admin/orders/"+orders[2].Text("id")+"/refunds", o.Operator, object{"amount": drive.CNY(5000), "reason": "late"})
	o.settled(orders)
}
