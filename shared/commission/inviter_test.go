package commission_test

import (
	"testing"
	"time"

	"yundian/shared/commission"
	"yundian/shared/identity"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

// TestInvitersEarnNothingByTheirOwnOrders: buying through the link of somebody whom one invited is buying for oneself, too.
func TestInvitersEarnNothingByTheirOwnOrders(t *testing.T) {
	at := time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)
	since := []koc.Standing{{Status: koc.Approved, From: at.AddDate(0, -1, 0)}}
	known := map[string]koc.Profile{
		"mei": {Handle: "mei", Standings: since, Inviter: &koc.Invitation{KOC: "ana", From: at.AddDate(0, -1, 0)}},
		"ana": {Handle: "ana", Standings: since, Identity: identity.Hashes{"email:ana", "phone:ana"}},
	}
	book := commission.Book{Version: 1, Default: 1000, InviterRate: 500}
	for name, c := range map[string]struct {
		own  identity.Hashes
		want string
	}{
		"a stranger's": {identity.Hashes{"email:chen"}, "ana"}, "the inviter's": {identity.Hashes{"email:chen", "phone:ana"}, ""}, "nobody knows": {nil, "ana"},
	} {
		o := ordering.Order{PlacedAt: at, Day: "2026-03-01", Identity: c.own, Lines: []ordering.Line{{SKU: "tea", Quantity: 1, Net: money.Of(1000, "CNY")}}}
		a := commission.Freeze(o, ordering.Award{Winners: []ordering.Winner{{KOC: "mei", Share: money.Whole}}}, known, book, book)
		if got := a.Winners[0]; got.KOC != "mei" || got.Inviter != c.want || a.Rates[0].Rate != 1000 {
			t.Errorf("%s: %+v at %+v, inviter should be %q", name, got, a.Rates, c.want)
		}
	}
}
