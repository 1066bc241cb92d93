package main

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"yundian/shared/koc"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/store"
)

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

// earning is a shop of KOCs who each sold something in March.
func earning(t *testing.T, m *store.Maps, kocs int) *store.Store {
	t.Helper()
	s := store.OpenMaps(m)
	yuan := func(minor int64) money.Amount { return money.Of(minor, "CNY") }
	for i := range kocs {
		handle := fmt.Sprintf("koc%03d", i)
		p, err := koc.NewProfile(handle, "K", "k@example.com", noon)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.CreateKOC(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		o := ordering.Order{ID: handle, Version: 2, PlacedAt: noon, Day: "2026-03-01", Terms: ordering.Terms{Zone: "UTC"}, Total: yuan(1000), Shipping: yuan(0), Tax: yuan(0),
			Lines:    []ordering.Line{{SKU: "x", Product: "x", Quantity: 1, Unit: yuan(1000), Net: yuan(1000), Tax: yuan(0)}},
			Captures: []ordering.Capture{{V: 2, PaymentID: "p", Amount: yuan(1000)}},
			Awards:   []ordering.Award{{V: 1, Winners: []ordering.Winner{{KOC: handle, Share: money.Whole}}, Rates: []ordering.LineRate{{Rate: 1000}}}}}
		if _, err := s.SettleOrders(t.Context(), []ordering.Order{o}, func() time.Time { return noon }); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func closed(t *testing.T, s *store.Store, handle string) []ledger.Period {
	t.Helper()
	all, _, err := s.Statements(t.Context(), handle, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	var periods []ledger.Period
	for _, st := range all {
		periods = append(periods, st.Period)
	}
	return periods
}

func TestEveryMonthOfEveryKOCIsClosed(t *testing.T) {
	s := earning(t, store.NewMaps(), page+5)
	c := &closer{store: s}
	for _, at := range []time.Time{noon.AddDate(0, 1, 0), noon.AddDate(0, 1, 0), noon.AddDate(0, 2, 0)} {
		if err := c.run(t.Context(), events.CloudWatchEvent{Time: at}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range page + 5 {
		if got := closed(t, s, fmt.Sprintf("koc%03d", i)); !slices.Equal(got, []ledger.Period{"2026-04", "2026-03"}) {
			t.Errorf("koc%03d has %v", i, got)
		}
	}
}

// TestOneKOCHoldsUpNoOther: a KOC whose months cannot be closed is reported, and all others are closed.
func TestOneKOCHoldsUpNoOther(t *testing.T) {
	m := store.NewMaps()
	s := earning(t, m, 10)
	m.Intercept = func(_ context.Context, c store.Call) store.Verdict {
		if len(c.Writes) > 0 && c.Writes[0].Key.PK == "KOC#koc004" {
			return store.LoseRequest
		}
		return store.Pass
	}
	if err := (&closer{store: s}).run(t.Context(), events.CloudWatchEvent{Time: noon.AddDate(0, 1, 0)}); err == nil {
		t.Error("nobody is told")
	}
	m.Intercept = nil
	for i := range 10 {
		if got := closed(t, s, fmt.Sprintf("koc%03d", i)); (len(got) == 1) != (i != 4) {
			t.Errorf("koc%03d has %v", i, got)
		}
	}
}

// TestARunEndsInTime begins no month for which there may be too little time; the next run closes it.
func TestARunEndsInTime(t *testing.T) {
	s := earning(t, store.NewMaps(), 3)
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(margin))
	defer cancel()
	if err := (&closer{store: s}).run(ctx, events.CloudWatchEvent{Time: noon.AddDate(0, 1, 0)}); err != nil {
		t.Fatal(err)
	}
	if got := closed(t, s, "koc000"); len(got) != 0 {
		t.Errorf("closed %v", got)
	}
}
