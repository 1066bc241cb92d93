package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"yundian/shared/audit"
	"yundian/shared/catalogue"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/telemetry"
)

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

// selling is a shop with KOCs and two orders, the second one with a wrong total.
func selling(t *testing.T) *store.Store {
	t.Helper()
	s, ctx := store.OpenMaps(store.NewMaps()), t.Context()
	for i := range 30 {
		p, err := koc.NewProfile(fmt.Sprintf("koc%02d", i), "K", "k@example.com", noon)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.CreateKOC(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	p := catalogue.Product{ID: "tea", Title: "Tea", Status: catalogue.Active, Variants: []catalogue.Variant{{SKU: "tea", Price: money.Of(5000, "CNY")}}}
	if err := s.SaveProduct(ctx, catalogue.Product{}, p, map[string]int64{"tea": 10}); err != nil {
		t.Fatal(err)
	}
	for i := range int64(2) {
		sold, err := s.Sellables(ctx, []string{"tea"})
		if err != nil {
			t.Fatal(err)
		}
		q, err := ordering.Price([]ordering.BasketLine{{SKU: "tea", Quantity: 1}}, sold, shop.Default())
		if err != nil {
			t.Fatal(err)
		}
		o, err := ordering.Place(ordering.Request{ID: fmt.Sprint("o", i), Payment: "sandbox"}, q, shop.Default(), noon)
		if err != nil {
			t.Fatal(err)
		}
		o.Total.Minor += i
		if _, err := s.PlaceOrder(ctx, store.NewOrder{Order: o, Key: "key of " + o.ID, Hash: o.ID}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// run verifies once and gives what was logged.
func run(t *testing.T, ctx context.Context, s *store.Store) string {
	t.Helper()
	var log bytes.Buffer
	telemetry.Setup(&log, "info")
	defer telemetry.Setup(io.Discard, "info")
	v := &verify{auditor: audit.Auditor{Store: s, Now: func() time.Time { return noon.Add(time.Hour) }, Wait: func(context.Context, int) error { return nil }, Postings: perKOC}}
	if err := v.run(ctx, events.CloudWatchEvent{}); err != nil {
		t.Fatal(err)
	}
	return log.String()
}

func TestARunTellsWhatItFound(t *testing.T) {
	log := run(t, t.Context(), selling(t))
	for _, want := range []string{`"LedgerDifferences":1,`, `"LedgerUnsettled":2,`, `"LedgerVerified":63,`, `"msg":"ledger difference","kind":"order","id":"o1","expected":"total 50.00 CNY","found":"total 50.01 CNY"`} {
		if !strings.Contains(log, want) {
			t.Errorf("not told: %s in\n%s", want, log)
		}
	}
}

// TestARunEndsInTime begins no slice for which there may be too little time, and does not pass for a complete run.
func TestARunEndsInTime(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(margin))
	defer cancel()
	log := run(t, ctx, selling(t))
	if strings.Contains(log, "LedgerVerified") || !strings.Contains(log, `"msg":"verification unfinished","part":"kocs","after":"koc19","checked":20`) || !strings.Contains(log, `"LedgerDifferences":0,`) {
		t.Errorf("%s", log)
	}
}
