package ordering_test

import (
	"reflect"
	"testing"

	"yundian/shared/catalogue"
	"yundian/shared/ordering"
)

// What an order took is given back as it was taken, whatever the variant's policy has become: every order that ends leaves
// the counts as they were, except for what was received of a tracked one.
func TestStockMovesByPolicy(t *testing.T) {
	for policy, want := range map[catalogue.StockPolicy][]catalogue.StockMove{
		catalogue.Tracked:   {{Available: -3, Reserved: 3}, {Reserved: -3, Sold: 3}, {Available: 3, Sold: -3}},
		catalogue.Continue:  {{Available: -3, Reserved: 3, Owing: true}, {Reserved: -3, Sold: 3, Owing: true}, {Available: 3, Sold: -3, Owing: true}},
		catalogue.Untracked: {{Received: 3, Reserved: 3}, {Reserved: -3, Sold: 3}, {Received: -3, Sold: -3}},
	} {
		s := sold()
		tea := s["tea"]
		tea.StockPolicy = policy
		s["tea"] = tea
		q, err := ordering.Price([]ordering.BasketLine{{SKU: "tea", Quantity: 3}}, s, settings())
		if err != nil {
			t.Fatal(err)
		}
		placed, err := ordering.Place(ordering.Request{ID: "o1", Payment: "sandbox"}, q, settings(), noon)
		if err != nil {
			t.Fatal(err)
		}
		paid := placed.Clone()
		if err := paid.Capture("p1", paid.Total, noon); err != nil {
			t.Fatal(err)
		}
		ended := paid.Clone()
		if err := ended.Cancel("no", noon); err != nil {
			t.Fatal(err)
		}
		steps := []ordering.Order{{}, placed, paid, ended}
		for i := range want {
			want[i].SKU, want[i].VariantID = "tea", "v-tea"
			if got := ordering.StockMoves(steps[i], steps[i+1]); !reflect.DeepEqual(got, []catalogue.StockMove{want[i]}) {
				t.Errorf("%q, step %d: %+v, want %+v", policy, i, got, want[i])
			}
		}
	}
}

func TestOnlyWhatIsTrackedSellsOut(t *testing.T) {
	for policy, owed := range map[catalogue.StockPolicy]int64{catalogue.Tracked: -1, catalogue.Continue: 2, catalogue.Untracked: 0} {
		s := sold()
		tea := s["tea"]
		tea.StockPolicy = policy
		s["tea"] = tea
		q, err := ordering.Price([]ordering.BasketLine{{SKU: "tea", Quantity: 12}}, s, settings())
		if (err != nil) != (owed < 0) || err == nil && (q.Lines[0].Owed != owed || q.Lines[0].StockPolicy != policy) {
			t.Errorf("%q: %+v, %v", policy, q.Lines, err)
		}
	}
}

// Two SKUs in a basket can turn out to be one variant, renamed while the basket was read: one item moves once.
func TestOneVariantMovesOnce(t *testing.T) {
	o := ordering.Order{ID: "o1", Payment: ordering.OnDelivery, Lines: []ordering.Line{{SKU: "old", VariantID: "v", Quantity: 2}, {SKU: "new", VariantID: "v", Quantity: 3}}}
	o.Total = yuan(1)
	want := []catalogue.StockMove{{SKU: "old", VariantID: "v", Available: -5, Reserved: 5}}
	if got := ordering.StockMoves(ordering.Order{}, o); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}
