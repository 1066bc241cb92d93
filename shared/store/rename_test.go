package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/ordering"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
)

// tee is a product with a variant for each SKU, in sizes of the same names.
func tee(skus ...string) catalogue.Product {
	p := catalogue.Product{ID: "tee", Title: "Tee", Status: catalogue.Active, Options: []string{"Size"}}
	for _, sku := range skus {
		p.Variants = append(p.Variants, catalogue.Variant{SKU: sku, Title: sku, Options: []string{sku}, Price: yuan(5000)})
	}
	return p
}

// rename saves the product with other SKUs, in the order of its variants; an empty one takes the variant off.
func rename(t testing.TB, s *store.Store, skus ...string) {
	t.Helper()
	if err := tryRename(s, skus...); err != nil {
		t.Fatal(err)
	}
}

func tryRename(s *store.Store, skus ...string) error {
	before, err := s.Product(context.Background(), "tee")
	if err != nil {
		return err
	}
	after := before
	after.Variants = nil
	for i, v := range before.Variants {
		if v.SKU = skus[i]; v.SKU != "" {
			after.Variants = append(after.Variants, v)
		}
	}
	for _, sku := range skus[len(before.Variants):] {
		after.Variants = append(after.Variants, catalogue.Variant{SKU: sku, Title: sku, Options: []string{sku}, Price: yuan(5000)})
	}
	return s.SaveProduct(context.Background(), before, after, map[string]int64{skus[len(skus)-1]: 50})
}

func saveTee(t testing.TB, s *store.Store, received map[string]int64, skus ...string) {
	t.Helper()
	if err := s.SaveProduct(context.Background(), catalogue.Product{}, tee(skus...), received); err != nil {
		t.Fatal(err)
	}
}

func changes(t testing.TB, s *store.Store, id string, change func(*ordering.Order) error) {
	t.Helper()
	if _, err := s.UpdateOrder(context.Background(), id, change); err != nil {
		t.Fatal(err)
	}
}

func counts(t testing.TB, s *store.Store, sku string, available, reserved, sold int64) {
	t.Helper()
	if st := stock(t, s, sku); st.Available != available || st.Reserved != reserved || st.Sold != sold {
		t.Errorf("%s has %+v, want available %d, reserved %d, sold %d", sku, st, available, reserved, sold)
	}
}

func captured(o *ordering.Order) error { return o.Capture("p-"+o.ID, o.Total, noon) }

// returned is a delivered order of which the shopper wants to give pieces back.
func returned(pieces int64) func(*ordering.Order) error {
	return func(o *ordering.Order) error {
		_ = captured(o)
		_ = o.Ship(ordering.Shipment{Carrier: "SF", Tracking: "1"}, noon)
		if err := o.Deliver("shopper", noon); err != nil {
			return err
		}
		_, err := o.RequestReturn([]ordering.BasketLine{{SKU: o.Lines[0].SKU, Quantity: pieces}}, noon)
		return err
	}
}

func accepted(goods ordering.Disposition) func(*ordering.Order) error {
	return func(o *ordering.Order) error {
		return o.CloseReturn("r1", ordering.ReturnDecision{Outcome: ordering.Accepted, Refund: ordering.RefundRequest{ID: "back", Goods: goods}}, noon)
	}
}

// What becomes of an order finds the order's own pieces, whatever has become of their SKU since: renamed once or twice, taken
// by another variant, changed places, or left by a variant that is not sold any more.
func TestOrdersFindTheirVariantUnderAnotherSKU(t *testing.T) {
	fates := map[string]struct {
		before, after                  func(*ordering.Order) error
		available, reserved, sold, off int64 // of 10, of which 3 were ordered
	}{
		"paid":                     {nil, captured, 7, 0, 3, 0},
		"cancelled":                {nil, func(o *ordering.Order) error { return o.Cancel("no", noon) }, 10, 0, 0, 0},
		"expired":                  {nil, func(o *ordering.Order) error { return o.Mature(noon.AddDate(0, 0, 1)) }, 10, 0, 0, 0},
		"cancelled and refunded":   {captured, func(o *ordering.Order) error { return o.Cancel("no", noon) }, 10, 0, 0, 0},
		"returned to the shelf":    {returned(2), accepted(ordering.Restock), 9, 0, 1, 0},
		"returned and written off": {returned(2), accepted(ordering.WriteOff), 7, 0, 1, 2},
		"returned and kept":        {returned(2), accepted(ordering.Keep), 7, 0, 3, 0},
		"refunded in full": {captured, func(o *ordering.Order) error {
			total := o.Total
			_, err := o.RequestRefund(ordering.RefundRequest{ID: "r", Reason: "no", Amount: &total}, noon)
			return err
		}, 10, 0, 0, 0},
		"paid late": {func(o *ordering.Order) error { return o.Mature(noon.AddDate(0, 0, 1)) },
			func(o *ordering.Order) error { return o.CaptureLate("late", o.Total, true, noon) }, 7, 0, 3, 0},
	}
	moves := map[string]struct {
		to     [][]string // the product has a and b; what they become, one save after the other
		where  string     // a's SKU then; empty when it has none
		other  string     // b's or a new one's, whose counts nobody else may touch
		pieces int64
	}{
		"renamed":                {[][]string{{"A-1", "b"}}, "a-1", "b", 20},
		"renamed twice":          {[][]string{{"c", "b"}, {"d", "b"}}, "d", "b", 20},
		"renamed and back":       {[][]string{{"c", "b"}, {"a", "b"}}, "a", "b", 20},
		"swapped":                {[][]string{{"b", "a"}}, "b", "a", 20},
		"swapped and back":       {[][]string{{"b", "a"}, {"a", "b"}}, "a", "b", 20},
		"its SKU is b's now":     {[][]string{{"c", "a"}}, "c", "a", 20},
		"its SKU is a new one's": {[][]string{{"c", "b", "a"}}, "c", "a", 50},
		"passed on later":        {[][]string{{"c", "b"}, {"c", "b", "a"}}, "c", "a", 50},
		"not sold any more":      {[][]string{{"", "b"}}, "a", "b", 20},
		"not sold, and replaced": {[][]string{{"", "b"}, {"a"}}, "", "a", 20},
		"replaced at once":       {[][]string{{"", "a"}}, "", "a", 20},
	}
	for fate, f := range fates {
		for move, m := range moves {
			t.Run(fate+"/"+move, func(t *testing.T) {
				s := store.OpenMaps(store.NewMaps())
				if fate == "cancelled" && strings.HasPrefix(move, "re") || move == "swapped" {
					s = storetest.Open(t) // the whole square on maps, some of a row and a column of it on the engine
				}
				saveTee(t, s, map[string]int64{"a": 10, "b": 20}, "a", "b")
				place(t, s, placement(t, s, "o1", "key-1", 3, "a"))
				if f.before != nil {
					changes(t, s, "o1", f.before)
				}
				a := variantOf(t, s, "a")
				for _, skus := range m.to {
					rename(t, s, skus...)
				}
				changes(t, s, "o1", f.after)
				counts(t, s, m.other, m.pieces, 0, 0)
				where := m.where
				if where == "" { // back on sale, to be seen
					p, err := s.Product(t.Context(), "tee")
					if err != nil {
						t.Fatal(err)
					}
					where = "again"
					back := p
					back.Variants = append(slices.Clone(p.Variants), catalogue.Variant{ID: a, SKU: where, Price: yuan(5000)})
					if err := s.SaveProduct(t.Context(), p, back, map[string]int64{where: 99}); err != nil {
						t.Fatal(err)
					}
				}
				counts(t, s, where, f.available, f.reserved, f.sold)
				if st := stock(t, s, where); st.WrittenOff != f.off || !st.Balanced() {
					t.Errorf("%s has %+v, want %d written off", where, st, f.off)
				}
				if got := variantOf(t, s, where); got != a {
					t.Errorf("%s is variant %s, want %s", where, got, a)
				}
			})
		}
	}
}

func variantOf(t testing.TB, s *store.Store, sku string) string {
	t.Helper()
	found, err := s.Sellables(context.Background(), []string{sku})
	if err != nil {
		t.Fatal(err)
	}
	return found[sku].VariantID
}

// A receipt counts once whatever the variant is called when it is sent again, and is no other variant's.
func TestAReceiptCountsOnceUnderAnySKU(t *testing.T) {
	s := storetest.Open(t)
	saveTee(t, s, map[string]int64{"a": 10, "b": 20}, "a", "b")
	a := variantOf(t, s, "a")
	receive := func(m catalogue.StockMove, day int) {
		t.Helper()
		m.Available, m.Received = 5, 5
		if err := s.MoveStock(t.Context(), m, store.StockCause{ID: "delivery", At: noon.AddDate(0, 0, day)}); err != nil {
			t.Fatal(err)
		}
	}
	receive(catalogue.StockMove{SKU: "a"}, 0)
	rename(t, s, "b", "a")
	receive(catalogue.StockMove{SKU: "b"}, 1)
	receive(catalogue.StockMove{SKU: "a", VariantID: a}, 2) // by somebody who knew it as a
	counts(t, s, "b", 15, 0, 0)
	counts(t, s, "a", 20, 0, 0)
	receive(catalogue.StockMove{SKU: "A"}, 3) // the other one, under the same cause
	counts(t, s, "a", 25, 0, 0)
}

// What is sold while a variant is being renamed is sold of it, and of nothing else.
func TestSalesGoOnWhileAVariantIsRenamed(t *testing.T) {
	s := storetest.Open(t)
	saveTee(t, s, map[string]int64{"a": 100, "b": 100}, "a", "b")
	orders := make([]store.NewOrder, 24)
	for i := range orders {
		orders[i] = placement(t, s, fmt.Sprintf("o%02d", i), fmt.Sprintf("key-%02d", i), 1, []string{"a", "b"}[i%2])
	}
	a := variantOf(t, s, "a")
	var wg sync.WaitGroup
	wg.Go(func() {
		for _, skus := range [][]string{{"b", "a"}, {"c", "a"}, {"c", "b"}, {"b", "c"}, {"a", "b"}} {
			for err := tryRename(s, skus...); err != nil; err = tryRename(s, skus...) {
				if !fail.Is(err, "changed_meanwhile") {
					t.Error(err)
					return
				}
			}
		}
	})
	for part := range slices.Chunk(orders, 12) {
		wg.Go(func() {
			for _, n := range part {
				if _, err := s.PlaceOrder(context.Background(), n); err != nil {
					t.Error(err)
					continue
				}
				if _, err := s.UpdateOrder(context.Background(), n.Order.ID, captured); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	counts(t, s, "a", 88, 0, 12)
	counts(t, s, "b", 88, 0, 12)
	if variantOf(t, s, "a") != a {
		t.Error("the variants have changed places")
	}
}

func TestNothingIsRenamedOverAnotherProductsSKU(t *testing.T) {
	s := storetest.Open(t)
	shelve(t, s, "pot", 7)
	saveTee(t, s, map[string]int64{"a": 10}, "a", "b")
	for _, skus := range [][]string{{"POT", "b"}, {"a", "ｐｏｔ"}, {"a", "b", "Pot"}} {
		if err := tryRename(s, skus...); !fail.Is(err, "sku_taken") {
			t.Errorf("%q: %v", skus, err)
		}
	}
	counts(t, s, "pot", 7, 0, 0)
	counts(t, s, "a", 10, 0, 0)
}

// A file can give every variant of a large product another SKU: one transaction does not hold them, so there are several,
// and every one leaves a product whose SKUs can all be bought.
func TestAllVariantsOfALargeProductAreRenamed(t *testing.T) {
	m := store.NewMaps()
	s := store.OpenMaps(m)
	const n = catalogue.MaxVariants
	p, received := catalogue.Product{ID: "tee", Title: "Tee", Status: catalogue.Active}, map[string]int64{}
	for i := range n {
		sku := fmt.Sprintf("s%03d", i)
		p.Variants = append(p.Variants, catalogue.Variant{SKU: sku, Price: yuan(100)})
		received[sku] = int64(i)
	}
	if err := s.SaveProduct(t.Context(), catalogue.Product{}, p, received); err != nil {
		t.Fatal(err)
	}
	complete := func() {
		now, err := s.Product(context.Background(), "tee")
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range now.Variants {
			if st := stock(t, s, v.SKU); variantOf(t, s, v.SKU) != v.ID || st.Received != int64(i) {
				t.Fatalf("variant %d is known as %s and has %+v", i, v.SKU, st)
			}
		}
	}
	change := func(name string, sku func(i int) string) {
		before, err := s.Product(t.Context(), "tee")
		if err != nil {
			t.Fatal(err)
		}
		after := before
		after.Variants = slices.Clone(before.Variants)
		for i := range after.Variants {
			after.Variants[i].SKU = sku(i)
		}
		looking := false
		m.Intercept = func(_ context.Context, c store.Call) store.Verdict {
			if c.Done && len(c.Writes) > 0 && !looking {
				looking = true
				complete()
				looking = false
			}
			return store.Pass
		}
		err = s.SaveProduct(t.Context(), before, after, nil)
		m.Intercept = nil
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		complete()
		if now, _ := s.Product(t.Context(), "tee"); now.Variants[n-1].SKU != sku(n-1) {
			t.Errorf("%s: the last one is %s", name, now.Variants[n-1].SKU)
		}
	}
	change("all new", func(i int) string { return fmt.Sprintf("t%03d", i) })
	change("each takes the next one's", func(i int) string { return fmt.Sprintf("t%03d", i+1) })
	change("pairs change places", func(i int) string { return fmt.Sprintf("t%03d", (i^1)+1) })

	before, _ := s.Product(t.Context(), "tee")
	round := before
	round.Variants = slices.Clone(before.Variants)
	for i := range round.Variants {
		round.Variants[i].SKU = before.Variants[(i+1)%n].SKU
	}
	if err := s.SaveProduct(t.Context(), before, round, nil); !fail.Is(err, "sku_circle") {
		t.Errorf("a circle of %d: %v", n, err)
	}
	complete()
}

// An id is given once: whoever takes over the SKU that it was made of gets another one, again and again.
func TestIdsAreGivenOnce(t *testing.T) {
	s := storetest.Open(t)
	saveTee(t, s, nil, "a")
	seen := map[string]bool{}
	for i := range 4 {
		p, err := s.Product(t.Context(), "tee")
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range p.Variants {
			if v.SKU == "a" && (seen[v.ID] || v.ID == "") {
				t.Errorf("round %d: %s again", i, v.ID)
			}
			seen[v.ID] = true
		}
		skus := make([]string, 0, 6)
		for j := range p.Variants {
			skus = append(skus, fmt.Sprintf("x%d", j))
		}
		rename(t, s, append(skus, "a")...)
	}
	if len(seen) != 4 {
		t.Errorf("ids %v", seen)
	}
}

// Saving what was interrupted gives the same ids; so does the same file in another shop.
func TestTheSameFileGivesTheSameIds(t *testing.T) {
	m := store.NewMaps()
	s := store.OpenMaps(m)
	p := catalogue.Product{ID: "tee", Title: "Tee", Status: catalogue.Active}
	for i := range catalogue.MaxVariants {
		p.Variants = append(p.Variants, catalogue.Variant{SKU: fmt.Sprintf("s%03d", i), Price: yuan(100)})
	}
	whole := store.OpenMaps(store.NewMaps())
	if err := whole.SaveProduct(t.Context(), catalogue.Product{}, p, nil); err != nil {
		t.Fatal(err)
	}
	fails := true
	m.Intercept = func(_ context.Context, c store.Call) store.Verdict {
		if fails && !c.Done && slices.ContainsFunc(c.Writes, func(w store.Write) bool { return w.Key.SK == "PRODUCT" && w.Put != nil }) {
			return store.LoseRequest
		}
		return store.Pass
	}
	if err := s.SaveProduct(t.Context(), catalogue.Product{}, p, map[string]int64{"s000": 3}); err == nil {
		t.Fatal("nothing was lost")
	}
	fails = false
	place(t, s, placement(t, s, "o1", "key-1", 2, "s000"))
	if err := s.SaveProduct(t.Context(), catalogue.Product{}, p, map[string]int64{"s000": 3}); err != nil {
		t.Fatal(err)
	}
	counts(t, s, "s000", 1, 2, 0)
	for _, v := range p.Variants {
		if a, b := variantOf(t, s, v.SKU), variantOf(t, whole, v.SKU); a == "" || a != b {
			t.Fatalf("%s is %q here and %q there", v.SKU, a, b)
		}
	}
}

// An edit of a large product that comes too late changes nothing, although its SKUs need several transactions.
func TestALateEditOfALargeProductChangesNoSKU(t *testing.T) {
	s := storetest.Open(t)
	p := catalogue.Product{ID: "tee", Title: "Tee", Status: catalogue.Active}
	for i := range catalogue.MaxVariants {
		p.Variants = append(p.Variants, catalogue.Variant{SKU: fmt.Sprintf("s%03d", i), Price: yuan(100)})
	}
	if err := s.SaveProduct(t.Context(), catalogue.Product{}, p, nil); err != nil {
		t.Fatal(err)
	}
	seen, err := s.Product(t.Context(), "tee")
	if err != nil {
		t.Fatal(err)
	}
	priced := func(minor int64) catalogue.Product {
		after := seen
		after.Variants = slices.Clone(seen.Variants)
		for i := range after.Variants {
			after.Variants[i].Price = yuan(minor)
		}
		return after
	}
	if err := s.SaveProduct(t.Context(), seen, priced(200), nil); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveProduct(t.Context(), seen, priced(300), nil); !fail.Is(err, "changed_meanwhile") {
		t.Errorf("a late edit: %v", err)
	}
	found, err := s.Sellables(t.Context(), []string{"s000", "s249"})
	if err != nil || found["s000"].Price != yuan(200) || found["s249"].Price != yuan(200) {
		t.Errorf("prices %s and %s, %v", found["s000"].Price, found["s249"].Price, err)
	}
}

// What moves a variant is never made without the product that says so, however much else belongs into the transaction: here
// every renamed variant pushes aside one that was taken off, and a new book of rules with all that is coming is saved along.
func TestRenamesStayInOneTransactionWithTheirProduct(t *testing.T) {
	m := store.NewMaps()
	s := store.OpenMaps(m)
	var skus, others, removed []string
	for i := range 16 {
		skus, others, removed = append(skus, fmt.Sprintf("s%02d", i)), append(others, fmt.Sprintf("t%02d", i)), append(removed, "")
	}
	saveTee(t, s, nil, slices.Concat(skus, others)...)
	if err := tryRename(s, slices.Concat(skus, removed)...); err != nil {
		t.Fatal(err)
	}
	var along []store.Write
	for i := range 31 {
		along = append(along, store.ReplyWrite(fmt.Sprint("reply", i), store.Reply{Hash: "h"}, noon))
	}
	before, err := s.Product(t.Context(), "tee")
	if err != nil {
		t.Fatal(err)
	}
	after := before
	after.Variants = slices.Clone(before.Variants)
	for i := range after.Variants {
		after.Variants[i].SKU = others[i]
	}
	m.Intercept = func(_ context.Context, c store.Call) store.Verdict {
		moves := slices.ContainsFunc(c.Writes, func(w store.Write) bool { return w.Key.SK == "RENAMED" || w.Key.SK == "SKU" && w.Put != nil })
		saves := slices.ContainsFunc(c.Writes, func(w store.Write) bool { return w.Key.SK == "PRODUCT" && w.Put != nil })
		if moves && !saves {
			t.Errorf("variants are moved without their product: %d writes", len(c.Writes))
		}
		return store.Pass
	}
	if err := s.SaveProduct(t.Context(), before, after, nil, along...); err != nil {
		t.Fatal(err)
	}
	m.Intercept = nil
	for i, v := range before.Variants {
		if got := variantOf(t, s, others[i]); got != v.ID {
			t.Errorf("%s is variant %s, want %s", others[i], got, v.ID)
		}
	}
}
