package main

import (
	"testing"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/commission"
	"yundian/shared/koc"
	"yundian/shared/money"
)

// TestKOCsSeeWhatTheyEarn: links, products and the profile show what counts for this KOC now, and what was announced.
func TestKOCsSeeWhatTheyEarn(t *testing.T) {
	b := open(t)
	for _, handle := range []string{"mei", "ann", "bob"} {
		b.koc(t, handle)
	}
	if _, err := b.store.UpdateKOC(t.Context(), "ann", func(p *koc.Profile) error { return p.SetTier("gold", b.at.Add(-time.Hour)) }, nil); err != nil {
		t.Fatal(err)
	}
	b.shelve(t, "tea", 5000)
	b.product(t, catalogue.Product{ID: "pot", Title: "Pot", Status: catalogue.Active, Tags: []string{"pots"}, Variants: []catalogue.Variant{{SKU: "pot", Price: money.Of(300, "CNY")}}})
	b.publish(t, func(book *commission.Book) {
		book.Rules = []commission.Rule{{ID: "gold", Match: commission.Match{Tier: "gold"}, Rate: 1500, LineCap: money.Of(500, "CNY")},
			{ID: "mei-tea", Match: commission.Match{KOC: "mei", Product: "tea"}, Rate: 2000}, {ID: "pots", Match: commission.Match{Tag: "pots"}, PerUnit: money.Of(400, "CNY")},
			{ID: "welcome", Match: commission.Match{Customer: "new"}, Rate: 1100}, {ID: "spring", Match: commission.Match{KOC: "bob", Campaign: "spring"}, Rate: 3000}}
		book.Campaigns = []commission.Campaign{{ID: "spring", From: b.at.Add(time.Hour), To: b.at.Add(2 * time.Hour)}}
	})
	offers := func(handle string) map[string]Offer {
		t.Helper()
		var page OfferPage
		b.want(t, b.send(t, handle, "GET", "/v1/products", nil), 200).Decode(t, &page)
		out := map[string]Offer{}
		for _, o := range page.Items {
			out[o.ID] = o
		}
		return out
	}
	mei, ann, bob := offers("mei"), offers("ann"), offers("bob")
	if o := mei["tea"]; o.Rate != 2000 || o.Rule != "mei-tea" || o.Commission.Minor != 1000 || o.NewCustomers != nil || o.Coming != nil {
		t.Errorf("mei: %+v", o)
	}
	if o := ann["tea"]; o.Rate != 1500 || o.Rule != "gold" || o.LineCap.Minor != 500 || o.Commission.Minor != 500 || o.NewCustomers != nil {
		t.Errorf("ann: %+v", o)
	}
	if o := bob["tea"]; o.Rate != 1000 || o.Rule != "default" || o.NewCustomers == nil || o.NewCustomers.Rate != 1100 || o.Coming == nil || o.Coming.Rate != 3000 || !o.Coming.From.Equal(b.at.Add(time.Hour)) {
		t.Errorf("bob: %+v", o)
	}
	for _, o := range []Offer{mei["pot"], ann["pot"], bob["pot"]} {
		if o.Rate != 0 || *o.PerUnit != money.Of(400, "CNY") || o.Commission.Minor != 300 || o.Rule != "pots" { // no more than the price
			t.Errorf("pot: %+v", o)
		}
	}
	if l := b.link(t, "mei", "product:tea"); l.Rate != 2000 || l.Rule != "mei-tea" {
		t.Errorf("link %+v", l)
	}
	b.link(t, "ann", "storefront")
	b.link(t, "ann", "product:pot")
	var links LinkPage
	b.want(t, b.send(t, "ann", "GET", "/v1/links", nil), 200).Decode(t, &links)
	for _, l := range links.Items {
		if l.Target == "storefront" && l.Rate != 1500 || l.Target == "product:pot" && (l.PerUnit == nil || l.PerUnit.Minor != 400) {
			t.Errorf("listed %+v", l)
		}
	}
	var me Me
	b.want(t, b.send(t, "ann", "GET", "/v1/me", nil), 200).Decode(t, &me)
	if me.Shop.DefaultRate != 1500 || me.Shop.Default.Rule != "gold" {
		t.Errorf("profile %+v", me.Shop)
	}
	b.at = b.at.Add(time.Hour) // the campaign runs
	if o := offers("bob")["tea"]; o.Rate != 3000 || o.Coming == nil || o.Coming.Rate != 1000 {
		t.Errorf("in the campaign: %+v", o)
	}
}
