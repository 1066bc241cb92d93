package e2e

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"yundian/infra/e2e/drive"
)

var confirmLink = regexp.MustCompile(`https?://[^/\s]+(/confirm-email/\S+)`)

// TestAKOCMovesToAnotherAddress goes the whole way: a new e-mail address is entered, asked and told of, confirmed on the page
// that the letter leads to, and holds payouts; letters about the account go to both addresses meanwhile.
func TestAKOCMovesToAnotherAddress(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	old, next := o.Handle+"@example.com", drive.Fresh("next")+"@example.com"
	o.method(o.KOC, "sandbox", "acct-of-"+o.Handle, "Mei")
	o.post(200, "/v1/admin/kocs/"+o.Handle+"/payee/verify", o.Operator, object{"version": 1})
	o.give(o.Handle, 20_000)
	o.Quiet()
	told := mails(o.Shop, old).Len("items")

	me := o.call(200, drive.Call{Method: "PATCH", Path: "/v1/me", Token: o.KOC, JSON: object{"email": next}})
	me.Want(t, old, "email")
	me.Want(t, next, "emailPending")
	o.get(200, "/v1/admin/kocs/"+o.Handle, o.Operator).Want(t, next, "emailPending")
	o.Quiet()
	if n := mails(o.Shop, old).Len("items"); n != told+1 {
		t.Errorf("the old address got %d letters, had %d", n, told)
	}
	asked := mails(o.Shop, next)
	found := confirmLink.FindStringSubmatch(asked.Text("items", 0, "text"))
	if asked.Len("items") != 1 || found == nil {
		t.Fatalf("the new address got %v", asked)
	}
	link, secret := found[1], strings.SplitN(found[1], "secret=", 2)[1]
	page := o.Do(drive.Call{Path: link, Header: map[string]string{"Accept": "text/html"}}).Is(200)
	if !strings.Contains(string(page.Body), next) || !strings.Contains(string(page.Body), secret) {
		t.Errorf("the page: %.900s", page.Body)
	}
	o.get(200, "/v1/me", o.KOC).Want(t, old, "email")
	path, _, _ := strings.Cut(link, "?")
	o.Do(drive.Call{Method: "POST", Path: path, Form: url.Values{"secret": {"1.forged"}}}).Is(404)
	o.Do(drive.Call{Method: "POST", Path: path, Form: url.Values{"secret": {secret}}, Header: map[string]string{"Accept": "text/html"}}).Is(200)
	me = o.get(200, "/v1/me", o.KOC)
	me.Want(t, next, "email")
	if me.Text("payout", "heldUntil") == "" || o.get(200, "/v1/admin/kocs/"+o.Handle, o.Auditor).Text("payoutsHeldUntil") == "" {
		t.Errorf("payouts are not held: %v", me)
	}
	refused := o.Do(drive.Call{Method: "POST", Path: "/v1/withdrawals", Token: o.KOC, Key: drive.Fresh("while-payouts-are-held-"), JSON: drive.CNY(10_000)}).Is(409)
	if !strings.Contains(string(refused.Body), "payout_held") {
		t.Errorf("refused with %s", refused.Body)
	}
	o.Quiet()
	told = mails(o.Shop, old).Len("items")
	o.method(o.KOC, "sandbox", "acct-of-a-thief", "Mei")
	o.Quiet()
	if a, b := mails(o.Shop, old).Len("items"), mails(o.Shop, next).Len("items"); a != told+1 || b != 2 {
		t.Errorf("of the new account the old address heard %d times, the new one has %d letters", a-told, b)
	}
	// An order with either address is the KOC's own.
	tea := o.Product(10000, 5)
	for _, email := range []string{old, next} {
		body := drive.OrderBody(o.PageToken("/k/"+o.Handle), tea, 1, "sandbox")
		body["contact"] = object{"name": "Mei", "email": email}
		placed := o.call(201, drive.Call{Method: "POST", Path: "/orders", Key: drive.Fresh("moved-address-"), JSON: body})
		o.Quiet()
		o.get(200, "/v1/admin/orders/"+placed.Text("id"), o.Operator).Want(t, "self_purchase", "attributions", 0, "reason")
	}
}
