package store_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/payout"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
)

func TestEachWriteIsRefusedByItsOwnGuard(t *testing.T) { store.StandAlone(t, storetest.Open(t)) }

func TestAVariantIsSetAsideAsItWasRead(t *testing.T)   { store.AsItWasRead(t, storetest.Open(t)) }
func TestAnOrderIsTakenOffAsItWasCounted(t *testing.T) { store.TakenOff(t, storetest.Open(t)) }
func TestASKUStaysWithItsVariant(t *testing.T)         { store.OwnSKU(t, storetest.Open(t)) }

// What is repeated comes a little later each time, so that no transaction is answered by the first one's success.
func TestRepeatedEffectsCountOnce(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	shelve(t, s, "tea", 5)
	for i := range 2 {
		at := noon.AddDate(0, 0, i)
		if err := s.MoveStock(ctx, catalogue.StockMove{SKU: "tea", Available: 3, Received: 3}, store.StockCause{ID: "delivery", At: at}); err != nil {
			t.Error(err)
		}
		if err := s.CountTouch(ctx, store.Touch{Code: "mei_abc", KOC: "mei", Day: "2026-03-01", Visitor: "v1", At: at}); err != nil {
			t.Error(err)
		}
		if err := s.CreateLink(ctx, koc.Link{KOC: "mei", Code: "mei_abc", CreatedAt: at}); err != nil {
			t.Error(err)
		}
	}
	if got := stock(t, s, "tea"); got.Received != 8 {
		t.Errorf("received twice: %+v", got)
	}
	if days, err := s.Stats(ctx, "mei", "DAY", "2026-03-01", "2026-03-01"); err != nil || len(days) != 1 || days[0].Touches != 1 {
		t.Errorf("touches %+v, %v", days, err)
	}
	if links, _, err := s.Links(ctx, "mei", "", 10); err != nil || len(links) != 1 || !links[0].CreatedAt.Equal(noon) {
		t.Errorf("links %+v, %v", links, err)
	}
}

func TestStockOfNothingDoesNotMove(t *testing.T) {
	s := storetest.Open(t)
	received := catalogue.StockMove{SKU: "nope", Available: 3, Received: 3}
	if err := s.MoveStock(t.Context(), received, store.StockCause{ID: "delivery", At: noon}); !fail.Is(err, "sku_unknown") {
		t.Error(err)
	}
	if found, err := s.Sellables(t.Context(), []string{"nope"}); err != nil || len(found) != 0 {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestATouchStaysAsItWas(t *testing.T) {
	m := store.NewMaps()
	s := store.OpenMaps(m)
	for i := range 2 {
		if err := s.SaveTouch(t.Context(), store.Touch{Code: "mei_abc", KOC: "mei", Day: "2026-03-01", Visitor: "v1", At: noon.Add(time.Duration(i) * time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, it := range m.Items(store.Touches) {
		if touch, err := store.TouchFrom(it); err != nil || !touch.At.Equal(noon) {
			t.Errorf("%+v, %v", touch, err)
		}
	}
}

// meanwhile runs something once, just before the first write that test chooses.
func meanwhile(test func(w store.Write) bool, do func(s *store.Store)) *store.Store {
	m := store.NewMaps()
	done := false
	m.Intercept = func(_ context.Context, c store.Call) store.Verdict {
		if !done && !c.Done && slices.ContainsFunc(c.Writes, test) {
			done = true
			do(store.OpenMaps(m))
		}
		return store.Pass
	}
	return store.OpenMaps(m)
}

func TestApplicationsRaceForTheLastPlace(t *testing.T) {
	apply := func(s *store.Store, handle string) error {
		p, err := koc.NewProfile(handle, handle, handle+"@example.com", noon)
		if err != nil {
			t.Fatal(err)
		}
		return s.Apply(t.Context(), store.Application{KOC: p, Source: "address", Day: "2026-03-01", At: noon}, 1)
	}
	var first error
	s := meanwhile(func(w store.Write) bool { return strings.HasPrefix(w.Key.PK, "APPLY#") }, func(s *store.Store) { first = apply(s, "mei") })
	if err := apply(s, "bob"); first != nil || !fail.Is(err, "applications_too_many") {
		t.Errorf("the first: %v, the second: %v", first, err)
	}
}

func TestTheFirstVerificationStays(t *testing.T) {
	verify := func(s *store.Store, by string) error {
		_, err := s.VerifyPayee(t.Context(), "mei", 1, by, noon)
		return err
	}
	var first error
	isSecond := func(w store.Write) bool {
		return strings.HasPrefix(w.Key.PK, "PAYEE#") && w.Guards[0].Is == store.Equals
	}
	s := meanwhile(isSecond, func(s *store.Store) { first = verify(s, "op1") })
	if err := savePayee(s, changed(t, payout.Method{}, "one", noon)); err != nil {
		t.Fatal(err)
	}
	if err := verify(s, "op2"); err != nil || first != nil {
		t.Errorf("the first: %v, the second: %v", first, err)
	}
	if m, err := s.Payee(t.Context(), "mei"); err != nil || m.Verified == nil || m.Verified.By != "op1" {
		t.Errorf("%+v, %v", m, err)
	}
}
