package store

import (
	"context"
	"testing"
	"time"

	"yundian/shared/commission"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/shop"
)

// The SDK sends a write again whose answer was lost, and the second try meets what the first has made: whoever asked is not
// told that somebody else was faster.
func TestAWriteWhoseAnswerWasLostIsNoConflict(t *testing.T) {
	m := NewMaps()
	s, ctx, lost := OpenMaps(m), context.Background(), false
	m.Intercept = func(_ context.Context, c Call) Verdict {
		if (c.Op == "PutItem" || c.Op == "TransactWriteItems") && c.Try == 1 {
			lost = true
			return LoseResponse
		}
		return Pass
	}
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	raised := money.BasisPoints(2000)
	book, err := commission.NewPlan().Set(commission.Edit{Default: &raised}, commission.Notice{Zone: time.UTC}, commission.Market{}, now)
	if err != nil {
		t.Fatal(err)
	}
	mei, err := koc.NewProfile("mei", "Mei", "mei@example.com", now)
	if err != nil {
		t.Fatal(err)
	}
	other := commission.Publication{New: []commission.Book{book.New[0]}, Line: book.Line}
	other.New[0].Default++
	for name, step := range map[string]struct{ first, other func() error }{
		"rule book": {func() error { return s.Publish(ctx, book) }, func() error { return s.Publish(ctx, other) }},
		"settings": {func() error { return s.SaveSettings(ctx, shop.Default()) },
			func() error { other := shop.Default(); other.Brand = "other"; return s.SaveSettings(ctx, other) }},
		"KOC": {func() error { return s.CreateKOC(ctx, mei) }, func() error { other := mei; other.Name = "other"; return s.CreateKOC(ctx, other) }},
	} {
		lost = false
		if err := step.first(); err != nil || !lost {
			t.Errorf("%s: %v, answer lost: %t", name, err, lost)
		}
		if err := step.other(); fail.KindOf(err) != fail.Conflict {
			t.Errorf("another %s: %v, want a conflict", name, err)
		}
	}
}
