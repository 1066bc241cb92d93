package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"yundian/infra/e2e/drive"
	"yundian/shared/provider"
)

// pay fires the payout function as of a time, and the second that the address cuts off, and waits for what follows.
func (o *outsider) pay(at time.Time) {
	o.T.Helper()
	at = at.Add(time.Second)
	o.Do(drive.Call{Method: http.MethodPost, Path: "/_local/run/payout?at=" + url.QueryEscape(at.UTC().Format(time.RFC3339))}).Is(200)
	o.Quiet()
}

// give adjusts a KOC's balance, which takes two operators; it gives the token of the second.
func (o *outsider) give(handle string, minor int) string {
	o.T.Helper()
	other := o.Token("operator:" + drive.Fresh("checker"))
	made := o.post(201, "/v1/admin/adjustments", o.Operator, object{"koc": handle, "amount": drive.CNY(minor), "reason": "for a test"})
	o.post(200, "/v1/admin/adjustments/"+made.Text("id")+"/approve", other, object{})
	return other
}

func (o *outsider) method(token, rail, account, name string) drive.Object {
	o.T.Helper()
	return o.call(200, drive.Call{Method: "PATCH", Path: "/v1/me", Token: token, JSON: object{"payout": object{"rail": rail, "account": account, "name": name}}})
}

// sends is how often the sandbox was given a payout.
func (o *outsider) sends(id string) (times int64) {
	o.T.Helper()
	books := o.Get(provider.SandboxPath+"/transfers", "").Is(200).Object()
	for i := range books.Len("transfers") {
		if books.Text("transfers", i, "request", "id") == id {
			n, _ := books.At("transfers", i, "sends").(int64)
			times += n
		}
	}
	return times
}

// TestAWithdrawal: a KOC asks, an operator lets it go, the rail pays; then an answer is lost, and then the account changes.
func TestAWithdrawal(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	o.give(o.Handle, 20_000)
	withdraw := func(status, minor int) drive.Object {
		t.Helper()
		return o.call(status, drive.Call{Method: "POST", Path: "/v1/withdrawals", Token: o.KOC, Key: drive.Fresh("withdrawal-"), JSON: object{"amount": minor, "currency": "CNY"}})
	}
	withdraw(409, 5000) // nowhere to go
	me := o.method(o.KOC, "sandbox", "acct-of-"+o.Handle, "陈静")
	me.Want(t, false, "payout", "verified")
	withdraw(409, 5000) // nobody has verified the name
	payee := "/v1/admin/kocs/" + o.Handle + "/payee"
	o.get(200, payee, o.Operator).Want(t, "acct-of-"+o.Handle, "account")
	o.post(200, payee+"/verify", o.Operator, object{"version": 1})

	withdraw(409, 20_001)
	withdraw(409, 1)
	made := withdraw(201, 5000)
	made.Want(t, "reserved", "status")
	admin := "/v1/admin/payouts/" + made.Text("id")
	o.post(403, admin+"/approve", o.KOC, object{})
	o.pay(time.Now())
	o.get(200, admin, o.Operator).Want(t, "reserved", "status")
	o.post(200, admin+"/approve", o.Operator, object{})
	o.pay(time.Now())
	o.get(200, admin, o.Operator).Want(t, "paid", "status")
	o.post(409, admin+"/result", o.Operator, object{"outcome": "failed"})

	sandbox(o.Shop, "/next", object{"transfer": "unreceived"}, 204)
	lost := withdraw(201, 4000).Text("id")
	o.post(200, "/v1/admin/payouts/"+lost+"/approve", o.Operator, object{})
	o.pay(time.Now())
	o.get(200, "/v1/admin/payouts/"+lost, o.Operator).Want(t, "unknown", "status")
	o.pay(o.later(5 * time.Minute))
	o.get(200, "/v1/admin/payouts/"+lost, o.Operator).Want(t, "paid", "status")
	if n := o.sends(lost); n != 1 {
		t.Errorf("the payout arrived %d times", n)
	}

	waiting := withdraw(201, 3000).Text("id")
	o.post(200, "/v1/admin/payouts/"+waiting+"/approve", o.Operator, object{})
	o.method(o.KOC, "sandbox", "another-account", "陈静").Want(t, true, "payout", "verified")
	withdraw(409, 2000) // held
	o.pay(time.Now())
	if s := o.get(200, "/v1/admin/payouts/"+waiting, o.Operator).Text("status"); s != "reserved" && s != "paid" { // paid when the minute was over before the change
		t.Errorf("after a change of account the payout is %s", s)
	}
	list := o.get(200, "/v1/withdrawals?limit=2", o.KOC)
	list.Want(t, waiting, "items", 0, "id")
	list.Want(t, lost, "items", 1, "id")
	o.get(200, "/v1/withdrawals?limit=2&cursor="+list.Text("next"), o.KOC).Want(t, made.Text("id"), "items", 0, "id")
	o.get(200, "/v1/earnings", o.KOC).Want(t, 1000, "terms", 0, "minimum")
	o.get(200, "/v1/earnings/entries", o.KOC).Want(t, "payout", "items", 0, "kind")
	o.Verify()
}

// TestTheBanksWay: a file goes out, and an answer comes in, all of it or nothing.
func TestTheBanksWay(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	other := o.give(o.Handle, 20_000)
	o.method(o.KOC, "bank", "6222 0202 0001 2345 678", "=陈静")
	o.post(200, "/v1/admin/kocs/"+o.Handle+"/payee/verify", o.Operator, object{"version": 1})
	made := o.post(201, "/v1/admin/payouts", o.Operator, object{"koc": o.Handle, "amount": 5000, "currency": "CNY"})
	id := made.Text("id")
	o.post(403, "/v1/admin/payouts/"+id+"/approve", o.Operator, object{}) // the maker
	o.post(200, "/v1/admin/payouts/approve", o.Operator, object{"ids": []string{id}}).Want(t, id, "errors", 0, "id")
	o.post(200, "/v1/admin/payouts/approve", other, object{"ids": []string{id}}).Want(t, 1, "approved")
	file := o.post(201, "/v1/admin/payout-files", o.Operator, object{"currency": "CNY"}).Text("id")
	lines := o.Get("/v1/admin/payout-files/"+file, o.Operator).Is(200)
	if !strings.Contains(string(lines.Body), id+",'=陈静,6222020200012345678,50.00,CNY,") || lines.Header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("%v %s", lines.Header, lines.Body)
	}
	answer := func(status int, token, amount string) drive.Answer {
		t.Helper()
		return o.Do(drive.Call{Method: "POST", Path: "/v1/admin/payout-files/" + file + "/result", Token: token, Key: drive.Fresh("answer of the bank "),
			Raw: "payout,amount,currency,outcome,reference\n" + id + "," + amount + ",CNY,paid,B-1\n", Header: map[string]string{"Content-Type": "text/csv"}}).Is(status)
	}
	answer(400, other, "50.01")
	answer(400, o.Operator, "50.00") // the maker of the payout
	for range 2 {
		answer(200, other, "50.00").Object().Want(t, 1, "paid")
	}
	o.get(200, "/v1/admin/payouts/"+id, o.Operator).Want(t, "paid", "status")
	o.get(200, "/v1/earnings", o.KOC).Want(t, 5000, "balances", 0, "paid")
	o.Verify()
}

// TestScheduledPayout: on the day, everything available of a KOC is reserved, once.
func TestScheduledPayout(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	o.give(o.Handle, 20_000)
	o.method(o.KOC, "bank", "6222020200012345678", "陈静")
	o.post(200, "/v1/admin/kocs/"+o.Handle+"/payee/verify", o.Operator, object{"version": 1})
	terms := o.get(200, "/v1/admin/payout-terms", o.Operator)
	day := o.later(60 * 24 * time.Hour)
	o.post(201, "/v1/admin/payout-terms", o.Operator, object{"version": terms.At("version"), "currencies": []any{object{"currency": "CNY", "minimum": 1000,
		"debtCap": 5000, "fee": object{"fixed": 100}, "schedule": object{"every": "monthly", "day": 10}}}})
	o.get(200, "/v1/earnings", o.KOC).Want(t, "monthly", "terms", 0, "cycle")
	tenth := time.Date(day.Year(), day.Month(), 10, 4, 0, 0, 0, time.UTC)
	for range 2 {
		o.pay(tenth)
	}
	list := o.get(200, "/v1/withdrawals", o.KOC)
	list.Want(t, "schedule", "items", 0, "cause")
	list.Want(t, 20_000, "items", 0, "amount")
	list.Want(t, 19_900, "items", 0, "net")
	if n := list.Len("items"); n != 1 {
		t.Errorf("%d payouts", n)
	}
	o.get(200, "/v1/admin/payouts?status=reserved&koc="+o.Handle, o.Operator).Want(t, "schedule", "items", 0, "by")
	o.post(200, fmt.Sprintf("/v1/admin/payouts/%s/reject", list.Text("items", 0, "id")), o.Operator, object{"reason": "end of the test"})
	o.get(200, "/v1/earnings", o.KOC).Want(t, 20_000, "balances", 0, "available")
	o.post(201, "/v1/admin/payout-terms", o.Operator, object{"version": o.get(200, "/v1/admin/payout-terms", o.Operator).At("version"), "currencies": []any{}})
	o.Verify()
}
