package e2e

import (
	"net/url"
	"strings"
	"testing"

	"yundian/infra/e2e/drive"
)

// TestUnsignedTokensSayNothing: what stands in a token that the shop has not signed is neither believed nor stored. The sale
// goes on, and the decision says what the token was.
func TestUnsignedTokensSayNothing(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	tea := o.Product(10000, 50)
	parts := strings.Split(o.PageToken("/s/"+o.Share(o.KOC, "product:"+tea)), ".")
	for token, reason := range map[string]string{
		"mei.______8.x":                    "token_forged", // the year 36812
		o.Handle + ".______8.x":            "token_forged",
		parts[0] + ".______8." + parts[2]:  "token_forged",
		parts[0] + ".AAAAAAA." + parts[2]:  "token_forged",
		parts[0] + "." + parts[1] + ".":    "token_forged",
		parts[0] + ".________." + parts[2]: "token_malformed",
		parts[0] + "." + parts[1]:          "token_malformed",
		"-.______8." + parts[2]:            "token_malformed",
	} {
		for _, send := range []func() string{
			func() string { return o.Order(token, tea, 1, "on_delivery").Text("id") },
			func() string {
				a := o.Do(drive.Call{Method: "POST", Path: "/orders", Header: map[string]string{"Accept": "text/html"}, Form: orderForm(tea, token)})
				if a.Status != 303 {
					t.Errorf("%q in the form: %d %.300s", token, a.Status, a.Body)
				}
				id, _, _ := strings.Cut(strings.TrimPrefix(a.Header.Get("Location"), "/orders/"), "?")
				return id
			},
		} {
			id := send()
			o.Quiet()
			order := o.get(200, "/v1/admin/orders/"+id, o.Operator)
			if n := order.Len("attributions", 0, "candidates"); n != 1 {
				t.Fatalf("%q: %d candidates: %v", token, n, order.At("attributions"))
			}
			order.Want(t, "none_eligible", "attributions", 0, "reason")
			order.Want(t, reason, "attributions", 0, "candidates", 0, "reason")
			order.Want(t, "lost", "attributions", 0, "candidates", 0, "outcome")
			order.Want(t, "", "attributions", 0, "candidates", 0, "koc")
			order.Want(t, "", "attributions", 0, "candidates", 0, "code")
			order.Want(t, order.Text("placedAt"), "attributions", 0, "candidates", 0, "at")
		}
		o.post(204, "/touch", "", object{"token": token})
		for _, path := range []string{"/k/" + o.Handle + "?t=", "/k/" + o.Handle + "/basket?line=" + tea + "*1&t="} {
			if a := o.Get(path+url.QueryEscape(token), ""); a.Status != 200 {
				t.Errorf("%q carried to %s: %d", token, path, a.Status)
			}
		}
	}
	o.get(200, "/v1/stats", o.KOC).Want(t, 0, "total", "touches")
}

// orderForm is the order of drive.OrderBody as the order form sends it.
func orderForm(sku, token string) url.Values {
	return url.Values{"key": {drive.Fresh("order-form-key-")}, "token": {token}, "line": {sku + "*1"}, "payment": {"on_delivery"},
		"contact.name": {"陈静"}, "contact.phone": {"+8613800000000"}, "address.country": {"CN"}, "address.region": {"浙江省"}, "address.city": {"杭州市"},
		"address.district": {"西湖区"}, "address.division": {"330106"}, "address.line1": {"文三路 1 号"}, "address.postcode": {"310000"}}
}

// TestHostileTimes: a time that cannot be one of the shop's is refused wherever one can be sent, and nothing fails by it.
func TestHostileTimes(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	hook := o.post(201, "/v1/webhooks", o.KOC, object{"url": "https://hooks.example.com/" + o.Handle}).Text("id")
	terms := o.get(200, "/v1/admin/payout-terms", o.Operator)
	rules := o.get(200, "/v1/admin/rules", o.Operator)
	for _, at := range []string{"9999-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59.999999999-23:59", "0000-01-01T00:00:00Z", "0000-01-01T00:00:00+01:00", "0001-01-01T00:00:00+23:59",
		"10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "+36812-02-20T00:36:15Z", "3000-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-03-01T25:00:00Z", "2026-03-01", "99999999999999999999", "1e400"} {
		date := at[:min(10, len(at))]
		for _, c := range []struct {
			where string // what the refusal names
			q     drive.Call
		}{
			{"query.from", drive.Call{Path: "/v1/admin/orders?from=" + url.QueryEscape(at), Token: o.Operator}},
			{"query.to", drive.Call{Path: "/v1/admin/orders?to=" + url.QueryEscape(at), Token: o.Operator}},
			{"query.from", drive.Call{Path: "/v1/admin/orders?from=" + url.QueryEscape(at) + "&koc=" + o.Handle, Token: o.Operator}},
			{"query.from", drive.Call{Path: "/v1/stats?from=" + url.QueryEscape(at), Token: o.KOC}},
			{"query.to", drive.Call{Path: "/v1/stats?to=" + url.QueryEscape(at), Token: o.KOC}},
			{"", drive.Call{Path: "/v1/statements/" + url.PathEscape(date), Token: o.KOC}},
			{"body.from", drive.Call{Method: "POST", Path: "/v1/webhooks/" + hook + "/redeliver", Token: o.KOC, JSON: object{"from": at}}},
			{"body.from", drive.Call{Method: "POST", Path: "/v1/admin/rules/simulate", Token: o.Operator, JSON: object{"defaultRate": 1000, "from": at}}},
			{"body.to", drive.Call{Method: "POST", Path: "/v1/admin/rules/simulate", Token: o.Operator, JSON: object{"defaultRate": 1000, "to": at}}},
			{"body.from", drive.Call{Method: "POST", Path: "/v1/admin/rules", Token: o.Operator, JSON: object{"version": rules.At("version"), "defaultRate": 1000, "from": at}}},
			{"body.campaigns[0].to", drive.Call{Method: "POST", Path: "/v1/admin/rules", Token: o.Operator, JSON: object{"version": rules.At("version"), "defaultRate": 1000,
				"campaigns": []any{object{"id": "spring", "from": "2026-03-01T00:00:00Z", "to": at}}}}},
			{"body.from", drive.Call{Method: "POST", Path: "/v1/admin/payout-terms", Token: o.Operator, JSON: object{"version": terms.At("version"), "currencies": []any{}, "from": at}}},
			{"body.currencies[0].tax[0].from", drive.Call{Method: "POST", Path: "/v1/admin/payout-terms", Token: o.Operator, JSON: object{"version": terms.At("version"), "currencies": []any{
				object{"currency": "CNY", "minimum": 1, "debtCap": 0, "tax": []any{object{"from": date, "period": "month", "source": "x", "brackets": []any{object{"over": 0, "rate": 0, "deduction": 0}}}}}}}}},
		} {
			day := at == "2026-03-01" // which some of these take
			a := o.Do(c.q)
			if taken := day && a.Status < 300; a.Status != 400 && !taken || a.Status == 400 && !strings.Contains(string(a.Body), `"location":"`+c.where+`"`) && c.where != "" {
				t.Errorf("%s %v with %q: %d %.300s", c.q.Method, c.q.Path, at, a.Status, a.Body)
			}
		}
	}
}
