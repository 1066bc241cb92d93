package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"yundian/shared/ordering"
	"yundian/shared/web/webtest"
)

// mustBeKeyed are the writes that are refused without a key.
var mustBeKeyed = []string{
	"approveAdjustment", "approvePayout", "approvePayouts", "closeReturn", "makePayout", "makePayoutFile", "moveStock", "recordPayoutFileResult", "recordPayoutResult",
	"refundOrder", "rejectAdjustment", "rejectPayout", "releasePayout", "requestAdjustment",
}

// TestWhichWritesNeedAKey holds the description, which clients read, against the list.
func TestWhichWritesNeedAKey(t *testing.T) {
	_, v1 := register(&admin{})
	var found []string
	for _, item := range v1.API().OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil && slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "Idempotency-Key" && p.Required }) {
				found = append(found, op.OperationID)
			}
		}
	}
	if slices.Sort(found); !slices.Equal(found, mustBeKeyed) {
		t.Errorf("these writes need a key: %q, want %q", found, mustBeKeyed)
	}
}

// TestRequestsWithoutAKey are refused before anything is read: there is no store that could be.
func TestRequestsWithoutAKey(t *testing.T) {
	mux := routes(&admin{})
	for path, json := range map[string]any{
		"/v1/admin/stock":                  body{"sku": "tea", "received": 1, "reason": "delivery"},
		"/v1/admin/orders/o1/refunds":      body{"amount": amount(1), "reason": "late"},
		"/v1/admin/orders/o1/returns/r1":   body{"outcome": "accepted"},
		"/v1/admin/adjustments":            body{"koc": "mei", "amount": amount(1), "reason": "late"},
		"/v1/admin/adjustments/a1/approve": nil,
		"/v1/admin/adjustments/a1/reject":  body{"reason": "no"},
		"/v1/admin/payouts":                body{"koc": "mei", "currency": "CNY"},
		"/v1/admin/payouts/p1/approve":     nil,
		"/v1/admin/payouts/approve":        body{"ids": []string{"p1"}},
		"/v1/admin/payouts/p1/release":     body{"reason": "asked her"},
		"/v1/admin/payouts/p1/reject":      nil,
		"/v1/admin/payouts/p1/result":      body{"outcome": "paid"},
		"/v1/admin/payout-files":           body{"currency": "CNY"},
		"/v1/admin/payout-files/f1/result": "payout,amount,currency,outcome\n",
	} {
		for _, key := range []string{"", "short", "sixteen characters, twice", strings.Repeat("k", 129), "0123456789abcde ", "钥匙钥匙钥匙钥匙钥匙钥匙"} {
			for language, says := range map[string]string{"en": "Send a key of 16 to 128", "zh-Hans": "请发送由 16 到 128 个", "zh-Hant": "請發送由 16 到 128 個"} {
				r := webtest.Request{Method: "POST", Path: path, JSON: json, Key: key, Caller: caller(operator), Header: map[string]string{"Accept-Language": language}}
				if text, ok := json.(string); ok {
					r.JSON, r.Body, r.Header["Content-Type"] = nil, text, "text/csv"
				}
				a := webtest.Do(t, mux, r)
				if p := want(t, a, http.StatusBadRequest).Problem(t); len(p.Errors) != 1 || p.Errors[0].Location != "header.Idempotency-Key" || !strings.HasPrefix(p.Errors[0].Message, says) {
					t.Errorf("%s with the key %q in %s: %s", path, key, language, a)
				}
			}
		}
	}
}

// bought makes an order of two pieces that was delivered, and one of whose pieces its shopper wants to give back as r1.
func (b *bench) bought(t *testing.T, id string) {
	t.Helper()
	b.order(t, id, "tea", 2, "")
	b.act(t, id, "ship", body{"carrier": "SF", "tracking": "1"})
	b.act(t, id, "deliver", nil)
	if _, err := b.store.UpdateOrder(t.Context(), id, func(o *ordering.Order) error {
		_, err := o.RequestReturn([]ordering.BasketLine{{SKU: "tea", Quantity: 1}}, b.now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// TestWritesUnderOneKey: sent twice in a row or at once, each has one effect and one answer; another body is refused.
func TestWritesUnderOneKey(t *testing.T) {
	b := open(t)
	b.shelve(t, "tea", 1000, 50)
	b.payable(t, "mei", 50_000)
	for _, id := range []string{"o1", "o2"} {
		b.bought(t, id)
	}
	refunds := func(id string) string { return fmt.Sprint(len(get[Order](t, b, "/v1/admin/orders/"+id).Refunds)) }
	received := func() string {
		return fmt.Sprint(get[Product](t, b, "/v1/admin/products/tea").Variants[0].Counts.Received)
	}
	adjustments := func() string { return fmt.Sprint(len(get[AdjustmentPage](t, b, "/v1/admin/adjustments").Items)) }
	payouts := func() string { return fmt.Sprint(len(get[PayoutPage](t, b, "/v1/admin/payouts").Items)) }
	for _, w := range []struct {
		path        string
		status      int
		body, other body
		effect      func() string
		after       string
	}{
		{"/v1/admin/stock", 200, body{"sku": "tea", "received": 5, "reason": "delivery"}, body{"sku": "tea", "received": 6, "reason": "delivery"},
			received, "55"},
		{"/v1/admin/orders/o1/refunds", 201, body{"amount": amount(100), "reason": "late"}, body{"amount": amount(200), "reason": "late"}, func() string { return refunds("o1") }, "1"},
		{"/v1/admin/orders/o2/returns/r1", 200, body{"outcome": "accepted"}, body{"outcome": "declined"}, func() string { return refunds("o2") }, "1"},
		{"/v1/admin/adjustments", 201, body{"koc": "mei", "amount": amount(7), "reason": "late"}, body{"koc": "mei", "amount": amount(8), "reason": "late"}, adjustments, "1"},
		{"/v1/admin/payouts", 201, body{"koc": "mei", "amount": 1000, "currency": "CNY"}, body{"koc": "mei", "amount": 2000, "currency": "CNY"}, payouts, "1"},
	} {
		b.under(t, w.path, w.status, w.body, w.other)
		if got := w.effect(); got != w.after {
			t.Errorf("%s left %s, want %s", w.path, got, w.after)
		}
	}
}

// under sends a write under one key eight times at once, and twice more; then something else under it. What is answered at
// once is the same thing, although a refund may be on its way in one answer and have arrived in the next.
func (b *bench) under(t *testing.T, path string, status int, json, other body) {
	t.Helper()
	key := []string{"Idempotency-Key", "one impatient thumb"}
	answers := make([]webtest.Answer, 8)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i] = b.send(t, "POST", path, json, key...) })
	}
	wg.Wait()
	again := b.send(t, "POST", path, json, key...)
	for _, a := range answers {
		if a.Status != status || decode[body](t, a)["id"] != decode[body](t, again)["id"] {
			t.Errorf("%s answered %s, then %s", path, a, again)
		}
	}
	if last := b.send(t, "POST", path, json, key...); last.Status != status || last.Body != again.Body {
		t.Errorf("%s answered %s, then %s", path, again, last)
	}
	wantCode(t, b.send(t, "POST", path, other, key...), 422, "idempotency_mismatch")
}

// TestDecisionsUnderOneKey: what is decided once is answered again, although it could not be decided again.
func TestDecisionsUnderOneKey(t *testing.T) {
	b := open(t)
	b.payable(t, "mei", 50_000)
	made, file := b.approved(t, "mei", 1000), b.reserved(t, "mei", 2000)
	asked := map[string]string{}
	for _, what := range []string{"approve", "reject"} {
		wish := body{"koc": "mei", "amount": amount(9), "reason": what}
		asked[what] = decode[Adjustment](t, want(t, b.send(t, "POST", "/v1/admin/adjustments", wish), http.StatusCreated)).ID
	}
	decisions := map[string]any{
		"/v1/admin/adjustments/" + asked["approve"] + "/approve": nil,
		"/v1/admin/adjustments/" + asked["reject"] + "/reject":   body{"reason": "no"},
		"/v1/admin/payouts/" + made.ID + "/result":               body{"outcome": "paid", "reference": "B-1"},
		"/v1/admin/payouts/" + file.ID + "/approve":              nil,
	}
	for _, path := range slices.Sorted(maps.Keys(decisions)) {
		var first webtest.Answer
		for i := range 3 {
			a := want(t, b.as(t, second(), "POST", path, decisions[path], "Idempotency-Key", "one impatient thumb"), http.StatusOK)
			if i == 0 {
				first = a
			} else if a.Body != first.Body {
				t.Errorf("%s answered %s, then %s", path, first, a)
			}
		}
	}
	one, _ := b.file(t, "Idempotency-Key", "one impatient thumb")
	if again, _ := b.file(t, "Idempotency-Key", "one impatient thumb"); again.ID != one.ID || len(again.Payouts) != 1 {
		t.Errorf("one key, the files %+v and %+v", one, again)
	}
	if got := b.balances(t, "mei"); got.Available != 50_000+9-3000 || got.Paid != 1000 {
		t.Errorf("balances %+v", got)
	}
}

// TestOneKeyForAReturnAndARefund: a key is of one route, so that what was refunded under it elsewhere is not taken for this.
func TestOneKeyForAReturnAndARefund(t *testing.T) {
	b := open(t)
	b.shelve(t, "tea", 1000, 50)
	b.bought(t, "o1")
	want(t, b.send(t, "POST", "/v1/admin/orders/o1/refunds", body{"amount": amount(100), "reason": "late"}, "Idempotency-Key", "one key for everything"), http.StatusCreated)
	o := decode[Order](t, want(t, b.send(t, "POST", "/v1/admin/orders/o1/returns/r1", body{"outcome": "accepted"}, "Idempotency-Key", "one key for everything"), http.StatusOK))
	if len(o.Refunds) != 2 || o.Refunds[0].Amount.Minor != 100 || o.Refunds[1].ID != o.Returns[0].Closed.Refund {
		t.Errorf("refunds %+v of the return %+v", o.Refunds, o.Returns[0].Closed)
	}
}
