package e2e

import (
	"testing"

	"yundian/infra/e2e/drive"
)

// TestNobodyEarnsByBuying: a KOC buys through her own link with her own e-mail address, in another spelling, with the phone
// that she has given since, and at the address of her payout contact. Nobody earns, and the decision says why; a stranger's
// order earns as ever.
func TestNobodyEarnsByBuying(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	tea := o.Product(10000, 50)
	token := o.PageToken("/s/" + o.Share(o.KOC, "product:"+tea))
	phone, home := drive.Phone(), object{"country": "CN", "region": "浙江省", "city": "杭州市", "line1": "桂花路 " + drive.Fresh("") + " 号"}
	o.call(200, drive.Call{Method: "PATCH", Path: "/v1/me", Token: o.KOC, JSON: object{"phone": "+86 " + phone[3:6] + " " + phone[6:],
		"payout": object{"rail": "sandbox", "account": "mei", "name": "Mei", "contact": object{"address": home}}}})
	for what, change := range map[string]func(body object){
		"e-mail": func(b object) { b["contact"] = object{"name": "Mei", "phone": "", "email": o.Handle + "@example.com"} },
		"e-mail, sorted": func(b object) {
			b["contact"] = object{"name": "Mei", "phone": "", "email": o.Handle + "+tea@EXAMPLE.com"}
		},
		"phone": func(b object) { b["contact"] = object{"name": "Mei", "phone": phone[3:], "email": ""} },
		"address": func(b object) {
			b["address"] = object{"country": "CN", "region": "浙江", "city": "杭州", "line1": "杭州市" + home["line1"].(string)}
		},
		"e-mail and code": func(b object) {
			b["tokens"], b["kocCode"] = nil, o.Handle
			b["contact"] = object{"name": "Mei", "email": o.Handle + "@example.com"}
		},
	} {
		body := drive.OrderBody(token, tea, 1, "sandbox")
		change(body)
		placed := o.call(201, drive.Call{Method: "POST", Path: "/orders", Key: drive.Fresh("self-purchase-"), JSON: body})
		o.Choose(placed.Text("payUrl"), "pay")
		o.Quiet()
		order := o.get(200, "/v1/admin/orders/"+placed.Text("id"), o.Operator)
		order.Want(t, "self_purchase", "attributions", 0, "reason")
		order.Want(t, "self_purchase", "attributions", 0, "candidates", 0, "reason")
		order.Want(t, "lost", "attributions", 0, "candidates", 0, "outcome")
		if n := order.Len("attributions", 0, "winners"); n != 0 {
			t.Errorf("%s: %d winners", what, n)
		}
	}
	o.Earns(o.KOC, 0, 0, 0)
	told := drive.OrderBody(token, tea, 1, "sandbox")
	told["contact"] = object{"name": "Mei", "email": o.Handle + "@example.com"}
	o.post(200, "/quotes", "", told).Want(t, "self_purchase", "notices", 0, "code")

	o.Choose(o.Order(token, tea, 1, "sandbox").Text("payUrl"), "pay")
	o.Quiet()
	o.Earns(o.KOC, 1000, 0, 0)
}
