package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"yundian/shared/attribution"
	"yundian/shared/ordering"
	"yundian/shared/store"
	"yundian/shared/web/webtest"
)

// unproven are tokens that this shop has not signed.
func unproven(genuine string) []string {
	parts := strings.Split(genuine, ".")
	return []string{"mei.______8.x", parts[0] + ".______8." + parts[2], parts[0] + "." + parts[1] + ".x", "lin" + genuine[3:], "mei", "..", "店.店.店", genuine + "A"}
}

// place sends a body as it is to POST /orders and wants what becomes of it to be the client's doing, never the shop's: an
// order that can be read back, or a refusal.
func (x *counter) place(contentType, key, body string, taken int) {
	x.t.Helper()
	headers := map[string]string{"Content-Type": contentType, "Accept": "application/json"}
	a := webtest.Do(x.t, routes(x.c), webtest.Request{Method: "POST", Path: "/orders", Body: body, Key: key, Header: headers})
	switch {
	case a.Status == taken:
	case slices.Contains([]int{400, 409, 413, 415, 422}, a.Status):
		return
	default:
		x.t.Fatalf("%q with the key %q: %s", body, key, a)
	}
	id := x.orderID(a.Header.Get("Location"))
	if taken == 201 {
		var placed struct{ ID string }
		a.Decode(x.t, &placed)
		id = placed.ID
	}
	o, err := x.c.store.Order(x.t.Context(), id)
	if err != nil {
		x.t.Fatalf("%q was taken and cannot be read: %v", body, err)
	}
	for _, e := range o.Evidence {
		if e.Problem == "malformed" || e.Problem == "forged" {
			if e.Code != "" || !e.At.Equal(o.PlacedAt) {
				x.t.Fatalf("%q leaves %+v", body, e)
			}
		}
	}
	if quote := webtest.Do(x.t, routes(x.c), webtest.Request{Method: "POST", Path: "/quotes", Body: body, Header: headers}); quote.Status >= 500 {
		x.t.Fatalf("%q is quoted %s", body, quote)
	}
}

// orderJSON is the order of the form as JSON.
func orderJSON(tokens ...string) map[string]any {
	return map[string]any{"tokens": tokens, "lines": []any{map[string]any{"sku": "tea", "quantity": 1}},
		"contact": map[string]any{"name": "陈静", "phone": "+8613800000000"}, "payment": "on_delivery",
		"address": map[string]any{"country": "CN", "region": "浙江省", "city": "杭州市", "district": "西湖区", "division": "330106", "line1": "文三路 1 号"}}
}

func FuzzOrderJSON(f *testing.F) {
	genuine := counterOn(f, store.OpenMaps(store.NewMaps())).token
	good := orderJSON(genuine)
	add := func(body map[string]any) {
		text, err := json.Marshal(body)
		if err != nil {
			f.Fatal(err)
		}
		f.Add("0123456789abcdef", string(text))
	}
	add(good)
	for _, token := range append(unproven(genuine), "\x01") {
		add(orderJSON(token, genuine))
	}
	for name, value := range map[string]any{"kocCode": "mei", "coupon": "x", "expect": map[string]any{"amount": 1 << 62, "currency": "CNY"}, "lines": nil, "contact": nil,
		"payment": strings.Repeat("x", 300), "tokens": slices.Repeat([]string{"mei.______8.x"}, 30)} {
		changed := orderJSON(genuine)
		changed[name] = value
		add(changed)
	}
	text, err := json.Marshal(good)
	if err != nil {
		f.Fatal(err)
	}
	for _, body := range []string{"", "null", "[]", "{", strings.Replace(string(text), `"quantity":1`, `"quantity":1e400`, 1), strings.Replace(string(text), `"quantity":1`, `"quantity":9223372036854775807`, 1),
		strings.Replace(string(text), "陈静", "\xff", 1), strings.Repeat("[", 200), string(text) + string(text)} {
		f.Add("0123456789abcdef", body)
	}
	f.Add("short", string(text))
	f.Add("0123456789abcde,", string(text))
	f.Add("0123456789abcde\xff", string(text))
	f.Fuzz(func(t *testing.T, key, body string) {
		counterOn(t, store.OpenMaps(store.NewMaps())).place("application/json", key, body, 201)
	})
}

func FuzzOrderForm(f *testing.F) {
	x := counterOn(f, store.OpenMaps(store.NewMaps()))
	f.Add(x.form().Encode())
	for _, token := range unproven(x.token) {
		f.Add(x.form("token", token).Encode())
	}
	for name, value := range map[string]string{"line": "tea*9223372036854775807", "expect": "9223372036854775808", "expectCurrency": "\xff", "key": "", "kocCode": "mei", "contact.phone": "\x00",
		"address.country": "", "payment": "sandbox", "handle": "../mei", "lang": "xx", "price": "1"} {
		f.Add(x.form(name, value).Encode())
	}
	for _, body := range []string{"", "&", "=", ";", "%", "%zz", "line", strings.Repeat("a&", 300), "token=%ff", x.form().Encode() + "&line=tea*1&line=*&line=tea*-1", x.form().Encode() + "&payment=sandbox"} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		counterOn(t, store.OpenMaps(store.NewMaps())).place("application/x-www-form-urlencoded", "", body, 303)
	})
}

// Whatever somebody writes into a token, the sale goes on, and the order says what the token was without believing it.
func TestTokensThatNobodySignedSayNothing(t *testing.T) {
	x := openCounter(t)
	for i, token := range unproven(x.token) {
		x.at = x.at.Add(time.Second)
		address := x.order(x.form("token", token, "key", strings.Repeat("k", 20)+string(rune('a'+i))))
		o, err := x.c.store.Order(t.Context(), x.orderID(address))
		if err != nil {
			t.Fatal(err)
		}
		if len(o.Evidence) != 1 || o.Evidence[0].Problem == "" || o.Evidence[0].Code != "" || !o.Evidence[0].At.Equal(x.at) {
			t.Errorf("%q leaves %+v", token, o.Evidence)
		}
		if a := attribution.Decide(o, attribution.Known{}, x.at); a.Reason != attribution.NoneEligible || a.Candidates[0].KOC != "" {
			t.Errorf("%q is decided as %+v", token, a)
		}
		x.change(address, func(o *ordering.Order) error { return o.Cancel("test", x.at) }) // there are two pieces only
	}
}
