package store

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/commission"
	"yundian/shared/koc"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/payout"
	"yundian/shared/shop"
)

// StandAlone makes the writes of everything that happens once, and then each of them again with other content and without
// the writes beside it: every one is refused by its own guard, whatever the guards beside it would have said, and its item
// stays as it was. It is a function so that it runs on the engine under test too.
func StandAlone(t *testing.T, s *Store) {
	at, ctx := time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC), context.Background()
	for _, x := range []struct {
		name   string
		writes []Write
	}{
		{"settlement", settleWrites(settlementOf("o1", at))},
		{"placement", placeWrites(NewOrder{Order: ordering.Order{ID: "o1", Person: "p1", Customer: ordering.NewCustomer, PlacedAt: at}, Key: "key"})},
		{"payout method", PayeeWrites("mei", payout.Method{Version: 1, At: at})},
		{"payout", reservation(t, at)},
		{"bank file", []Write{bankFileWrite(payout.File{ID: "f1", Currency: "CNY", At: at}), bankSeriesWrite("CNY", 0, "f1")}},
		{"product", newProduct(t, catalogue.Product{ID: "tea", Status: catalogue.Active,
			Variants: []catalogue.Variant{{ID: "green", SKU: "tea", Price: money.Of(5000, "CNY")}}})},
		{"variant set aside", setAside(t)},
		{"adjustment", []Write{adjustmentWrite(ledger.Adjustment{ID: "a1", Version: 1, KOC: "mei", At: at})}},
		{"statistics", tallyWrites(ledger.Fact{}, settlementOf("o1", at).Fact)},
		{"KOC", []Write{kocWrite(koc.Profile{Handle: "mei"}), LoginWrite("s-mei", "mei")}},
		{"settings", []Write{settingsWrite(shop.Default())}},
		{"rule book", []Write{bookWrite(commission.Book{Version: 2, From: at})}},
		{"effect and reply", []Write{EffectWrite("sandbox:e1", at), ReplyWrite("r1", Reply{}, at)}},
	} {
		t.Run(x.name, func(t *testing.T) {
			if err := s.apply(ctx, x.writes); err != nil {
				t.Fatal(err)
			}
			for _, w := range x.writes {
				if w.Put == nil {
					continue
				}
				other := w
				other.Put = maps.Clone(w.Put)
				other.Put["other"] = text("content")
				if _, refused := errors.AsType[*Refused](s.apply(ctx, []Write{other})); !refused {
					t.Errorf("%s %s was written twice", w.Key.PK, w.Key.SK)
				}
				r := read{w.Table, w.Key}
				if found, err := s.get(ctx, []read{r}); err != nil || !equalItems(found[r], w.full()) {
					t.Errorf("%s %s is not what was written: %+v, %v", w.Key.PK, w.Key.SK, found[r], err)
				}
			}
		})
	}
}

func settlementOf(order string, at time.Time) ledger.Settlement {
	return ledger.Settlement{Order: order, Applied: ledger.Applied{V: 1}, Fact: ledger.Fact{Order: order, V: 1, At: at},
		Months: []ledger.MonthChange{{Key: commission.MonthKey{KOC: "mei", Month: "2026-03", Currency: "CNY", Rule: "most"}, After: ledger.Month{V: 1}}},
		Postings: []ledger.Posting{{ID: "settle:" + order, KOC: "mei", Order: order, V: 1, At: at, Currency: "CNY", Entries: []ledger.Entry{{Kind: ledger.Release, Minor: 10_000,
			Legs: []ledger.Leg{{Account: ledger.Available, Minor: 10_000}, {Account: ledger.Expense, Minor: -10_000}}}}}}}
}

// reservation is a payout of what the settlement released, with tax.
func reservation(t *testing.T, at time.Time) []Write {
	t.Helper()
	terms := payout.FirstTerms()
	terms.Currencies = []payout.CurrencyTerms{{Currency: "CNY", Minimum: 1, Tax: []payout.TaxTable{{From: "2026-01-01", Period: payout.Year, Brackets: []payout.Bracket{{Rate: 1000}}}}}}
	standing := payout.Standing{Terms: terms, Balances: ledger.Balances{Currency: "CNY", Available: 10_000},
		Method: payout.Method{Version: 1, Rail: payout.Bank, Verified: &payout.Verification{By: "op", At: at}}}
	p, sum, err := payout.Reserve(payout.Ask{ID: payout.ID("x"), KOC: "mei", Currency: "CNY", Minor: 4000, Cause: payout.Withdrawal, By: "s-mei", Day: "2026-03-01"}, standing, at)
	if err != nil {
		t.Fatal(err)
	}
	p.Version = 1
	writes, err := reserveWrites(p, sum, at)
	if err != nil {
		t.Fatal(err)
	}
	return writes
}

// newProduct is what a product writes that is saved for the first time.
func newProduct(t *testing.T, p catalogue.Product) []Write {
	t.Helper()
	fresh := map[string]bool{}
	for _, v := range p.Variants {
		fresh[v.ID] = true
	}
	ahead, together, err := saving{after: p, fresh: fresh}.writes(nil)
	if err != nil {
		t.Fatal(err)
	}
	return append(ahead, together...)
}

// setAside is where a variant goes that was taken off, when another one of its product gets its SKU.
func setAside(t *testing.T) []Write {
	t.Helper()
	p := saving{after: catalogue.Product{ID: "pot"}, found: map[Key]skuItem{skuKey("pot"): {SKU: "pot", Variant: "clay", Product: "pot"}}}
	_, aside, err := p.move(catalogue.Sellable{SKU: "pot", VariantID: "iron", Product: "pot"}, 0, nil)
	if err != nil || len(aside) == 0 {
		t.Fatalf("%+v, %v", aside, err)
	}
	return aside[:1]
}

// AsItWasRead puts a variant in the place of another one of its product only while nothing is sold of that one.
func AsItWasRead(t *testing.T, s *Store) {
	ctx, clay := context.Background(), skuItem{SKU: "pot", Variant: "clay", Product: "pot", Available: 5, Received: 5}
	if err := s.apply(ctx, []Write{Write{Table: Shop, Key: skuKey("pot")}.put(clay)}); err != nil {
		t.Fatal(err)
	}
	read := clay
	read.Available, read.Reserved = 4, 1
	for _, found := range []skuItem{read, clay} {
		p := saving{after: catalogue.Product{ID: "pot"}, found: map[Key]skuItem{skuKey("pot"): found}}
		w, _, err := p.move(catalogue.Sellable{SKU: "pot", VariantID: "iron", Product: "pot"}, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, refused := errors.AsType[*Refused](s.apply(ctx, []Write{w})); refused != (found.Reserved == read.Reserved) {
			t.Errorf("read %+v, stored %+v: refused %t", found, clay, refused)
		}
	}
}

// TakenOff takes an order off the statistics once, and only as it was counted.
func TakenOff(t *testing.T, s *Store) {
	ctx, counted := context.Background(), settlementOf("o1", time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)).Fact
	if err := s.apply(ctx, tallyWrites(ledger.Fact{}, counted)); err != nil {
		t.Fatal(err)
	}
	other := counted
	other.V = 7
	for _, fact := range []ledger.Fact{other, counted} {
		_, refused := errors.AsType[*Refused](s.apply(ctx, untallyWrites(fact)))
		if refused != (fact.V == other.V) {
			t.Errorf("version %d, counted was %d: refused %t", fact.V, counted.V, refused)
		}
	}
}

// OwnSKU brings a SKU up to date for its variant and for no other.
func OwnSKU(t *testing.T, s *Store) {
	ctx, tea := context.Background(), catalogue.Sellable{SKU: "tea", VariantID: "green", Product: "tea", Title: "Tea", Price: money.Of(5000, "CNY"), Status: catalogue.Active}
	first := Write{Table: Shop, Key: skuKey(tea.SKU)}.put(newSKUItem(tea, 7))
	if err := s.apply(ctx, []Write{first}); err != nil {
		t.Fatal(err)
	}
	taken := tea
	taken.VariantID = "black"
	if _, refused := errors.AsType[*Refused](s.apply(ctx, []Write{skuWrite(taken)})); !refused {
		t.Error("another variant took the SKU")
	}
	tea.Title = "Green tea"
	if err := s.apply(ctx, []Write{skuWrite(tea)}); err != nil {
		t.Error(err)
	}
	found, err := s.Sellables(ctx, []string{"tea"})
	if it := found["tea"]; err != nil || it.Product != "tea" || it.Title != "Green tea" || it.Stock.Available != 7 {
		t.Errorf("%+v, %v", it, err)
	}
}
