package demo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"yundian/infra/e2e/drive"
	"yundian/infra/local/demo"
	"yundian/shared/commission"
	"yundian/shared/ordering"
	"yundian/shared/provider"
	"yundian/shared/store"
)

var errPower = errors.New("the power went out")

// A seeding that is interrupted in the middle of its orders goes on when it is repeated, and ends as one that was not.
func TestSeed(t *testing.T) {
	o := drive.Options(t.TempDir())
	o.Offer = demo.Users()
	r := drive.StartWith(t, o)
	target, err := r.Demo(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	interrupted := target
	payments := 0
	interrupted.Paid = func(c provider.SandboxCheckout) (string, error) {
		if payments++; payments > 9 {
			return "", errPower
		}
		return target.Paid(c)
	}
	var out bytes.Buffer
	if err := demo.Seed(t.Context(), interrupted, &out); !errors.Is(err, errPower) {
		t.Fatalf("the interrupted seeding ended with %v: %s", err, &out)
	}
	target.Now = target.Now.Add(time.Minute)
	if err := demo.Seed(t.Context(), target, &out); err != nil {
		t.Fatalf("%v: %s", err, &out)
	}
	if err := r.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	shop := &drive.Shop{Client: drive.NewClient(t, r.URL)}
	shop.Operator = shop.Token("operator:ana")
	orders := checkOrders(t, target)
	checkEarnings(t, shop, orders)
	checkWithdrawals(t, shop)
	checkTraffic(t, shop)
	shop.Verify()
	checkPages(t, shop)

	before := r.Digest(t)
	out.Reset()
	target.Now = target.Now.AddDate(0, 0, 1)
	if err := demo.Seed(t.Context(), target, &out); err != nil || out.Len() > 0 {
		t.Errorf("seeded again: %v, %s", err, &out)
	}
	if after := r.Digest(t); after != before {
		t.Errorf("seeding again turned %s into %s", before, after)
	}
	checkRefund(t, shop, orders)
}

// checkOrders holds every order against the plan, by how many of its orders end how.
func checkOrders(t *testing.T, target demo.Target) []ordering.Order {
	t.Helper()
	orders, _, err := target.Store.ListOrders(t.Context(), store.OrderFilter{From: target.Now.AddDate(0, 0, -60), To: target.Now}, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[string]int{}, map[string]int{}
	for _, p := range demo.Orders {
		want[fmt.Sprint(p.Ends, " of ", demo.Shoppers[p.Shopper].Name, " ", len(p.Lines))]++
	}
	for _, o := range orders {
		contact, _, err := target.Store.Contact(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		end := string(o.Status())
		if o.Released != nil {
			end = "released"
		}
		got[fmt.Sprint(end, " of ", contact.Name, " ", len(o.Lines))]++
		if len(o.Awards) != 1 || len(o.Evidence) > 0 && len(o.Awards[0].Winners) != 1 {
			t.Errorf("order %s with evidence %+v is awarded %+v", o.ID, o.Evidence, o.Awards)
		}
		for _, line := range o.Awards[0].Rates {
			if line.RuleVersion != 2 {
				t.Errorf("order %s of %s earns by %+v", o.ID, o.PlacedAt, line)
			}
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("orders are %v, the plan says %v", got, want)
	}
	return orders
}

// checkEarnings holds each KOC's balances against what their orders say, read with their own login.
func checkEarnings(t *testing.T, shop *drive.Shop, orders []ordering.Order) {
	t.Helper()
	type sums struct{ pending, available, debt int64 }
	want := map[string]sums{}
	for _, o := range orders {
		target, err := commission.Target(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range target.Positions {
			s := want[p.KOC]
			want[p.KOC] = sums{s.pending + p.Pending(), s.available + p.Available(), s.debt + p.Debt()}
		}
	}
	if want["linxia"].debt == 0 {
		t.Error("nobody owes anything, although goods came back after the release")
	}
	for _, w := range demo.Withdrawals {
		s := want[w.KOC]
		s.available -= w.Minor
		want[w.KOC] = s
	}
	for _, k := range demo.KOCs {
		s := want[k.Handle]
		if s.pending == 0 || s.available == 0 {
			t.Errorf("%s has %+v", k.Handle, s)
		}
		shop.Earns(shop.Token("koc:"+k.Handle), int(s.pending), int(s.available), int(s.debt))
	}
}

// checkWithdrawals holds what KOCs have withdrawn against the plan.
func checkWithdrawals(t *testing.T, shop *drive.Shop) {
	t.Helper()
	for _, k := range demo.KOCs {
		var want, got []string
		for _, w := range demo.Withdrawals {
			if w.KOC == k.Handle {
				want = append(want, fmt.Sprint(w.Minor, " paid ", w.Paid))
			}
		}
		list := shop.Get("/v1/withdrawals", shop.Token("koc:"+k.Handle)).Is(200).Object()
		for i := range list.Len("items") {
			got = append(got, fmt.Sprint(list.At("items", i, "amount"), " paid ", list.Text("items", i, "status") == "paid"))
		}
		slices.Reverse(got) // newest first
		if !slices.Equal(got, want) {
			t.Errorf("%s has withdrawn %v, the plan says %v", k.Handle, got, want)
		}
	}
}

// checkTraffic holds the links' touches against the plan: everybody who only looked, and everybody who bought.
func checkTraffic(t *testing.T, shop *drive.Shop) {
	t.Helper()
	for _, k := range demo.KOCs {
		want, got := int64(0), int64(0)
		for _, l := range k.Links {
			want += int64(l.Touches)
			for _, o := range demo.Orders {
				if o.Link == l.Name {
					want++
				}
			}
		}
		links := shop.Get("/v1/links", shop.Token("koc:"+k.Handle)).Is(200).Object()
		if links.Len("items") != len(k.Links) {
			t.Errorf("%s has %d links", k.Handle, links.Len("items"))
		}
		for i := range links.Len("items") {
			got += links.At("items", i, "touches").(int64)
		}
		if got != want {
			t.Errorf("%s: %d touches, want %d", k.Handle, got, want)
		}
	}
}

// checkPages opens what the runner names at its start.
func checkPages(t *testing.T, shop *drive.Shop) {
	t.Helper()
	words := strings.Fields(strings.Join(demo.Welcome(""), " "))
	opened := 0
	for _, w := range words {
		if !strings.HasPrefix(w, "/") || strings.HasPrefix(w, "/v1/") {
			continue
		}
		opened++
		page := shop.Do(drive.Call{Path: w, Header: map[string]string{"Accept": "text/html"}}).Is(200)
		if w == "/k/mei" && (!bytes.Contains(page.Body, []byte(demo.House.Brand)) || !bytes.Contains(page.Body, []byte(demo.KOCs[0].Portrait()))) {
			t.Errorf("%s shows neither brand nor portrait: %.2000s", w, page.Body)
		}
	}
	if opened < 5 {
		t.Errorf("the welcome %q names %d pages", words, opened)
	}
	if n := shop.Get("/v1/admin/kocs?status=applied", shop.Operator).Is(200).Object().Len("items"); n != len(demo.Applicants) {
		t.Errorf("%d applicants wait", n)
	}
}

// checkRefund gives back an order of the past through the API: the sandbox knows its payment.
func checkRefund(t *testing.T, shop *drive.Shop, orders []ordering.Order) {
	t.Helper()
	for _, o := range orders {
		if o.Payment == provider.Sandbox && o.Status() == ordering.Shipped {
			shop.Post("/v1/admin/orders/"+o.ID+"/refunds", shop.Operator, map[string]any{"amount": o.Total, "reason": "lost on the way"}).Is(201).
				Object().Want(t, "succeeded", "state")
			shop.Quiet()
			shop.Verify()
			return
		}
	}
	t.Error("no paid order is on the road")
}

func TestAnotherShopIsLeftAlone(t *testing.T) {
	r := drive.Start(t)
	shop := &drive.Shop{Client: drive.NewClient(t, r.URL)}
	shop.Do(drive.Call{Method: http.MethodPatch, Path: "/v1/admin/settings", Token: shop.Token("operator:ana"), JSON: map[string]any{"brand": "Elsewhere"}}).Is(200)
	before := r.Digest(t)
	var out bytes.Buffer
	if err := r.Seed(context.Background(), &out); err != nil || !strings.Contains(out.String(), "Elsewhere") {
		t.Errorf("%v: %s", err, &out)
	}
	if after := r.Digest(t); after != before {
		t.Errorf("the shop went from %s to %s", before, after)
	}
}
