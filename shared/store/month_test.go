package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
)

// TestAMonthlyCapHoldsHoweverOrdersArrive settles orders of one month together, one by one and by several at once: the
// cap is paid exactly, and postings and balance agree.
func TestAMonthlyCapHoldsHoweverOrdersArrive(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	capped := func(i int) ordering.Order {
		o := settledOrder(fmt.Sprintf("c%02d", i)) // earns 1000
		o.Awards[0].Months = []ordering.MonthTerm{{KOC: "mei", Rule: "cap", RuleVersion: 2, Lines: []int{0}, Cap: 15_500}}
		return o
	}
	now := func() time.Time { return noon }
	var wg sync.WaitGroup
	for part := range 4 {
		wg.Go(func() {
			var batch []ordering.Order
			for i := range 6 {
				batch = append(batch, capped(part*5+i)) // the last of each part is the first of the next
			}
			if _, err := s.SettleOrders(ctx, batch, now); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if b, err := s.Balances(ctx, "mei"); err != nil || len(b) != 1 || b[0].Pending != 15_500 || b[0].Available != 0 {
		t.Fatalf("balances %+v, %v", b, err)
	}
	for i := range 21 {
		o := capped(i)
		o.Version, o.Released = 3, &ordering.Mark{V: 3, At: noon}
		if _, err := s.SettleOrders(ctx, []ordering.Order{o}, now); err != nil {
			t.Fatal(err)
		}
	}
	b, err := s.Balances(ctx, "mei")
	if err != nil || b[0].Pending != 0 || b[0].Available != 15_500 || b[0].Debt != 0 {
		t.Fatalf("released: %+v, %v", b, err)
	}
	postings, _, err := s.Postings(ctx, "mei", "", 100, false)
	if err != nil || len(postings) != 42 {
		t.Errorf("%d postings, %v", len(postings), err)
	}
}

// TestAMonthIsNeverPutOverAnothersOfTheSameVersion settles orders of a month together while another batch settles others
// of it, from one to as many: what was worked out behind a refused order must not stand behind an order of the other batch
// that has brought the month to the same version.
func TestAMonthIsNeverPutOverAnothersOfTheSameVersion(t *testing.T) {
	const together = 40 // more than fit one transaction
	for others := range together {
		most := int64(together*1000 + (others+1)*2000 - 500)
		batch := func(name string, n int, rate money.BasisPoints) (orders []ordering.Order) {
			for i := range n {
				o := settledOrder(fmt.Sprintf("%s%02d", name, i))
				o.Awards[0].Rates[0].Rate = rate
				o.Awards[0].Months = []ordering.MonthTerm{{KOC: "mei", Rule: "cap", RuleVersion: 2, Lines: []int{0}, Cap: most}}
				orders = append(orders, o)
			}
			return orders
		}
		m := store.NewMaps()
		s, ctx, now, struck := store.OpenMaps(m), context.Background(), func() time.Time { return noon }, false
		m.Intercept = func(_ context.Context, c store.Call) store.Verdict {
			if c.Op == "TransactWriteItems" && !c.Done && !struck {
				struck = true
				if _, err := store.OpenMaps(m).SettleOrders(ctx, batch("other", others+1, 2000), now); err != nil {
					t.Error(err)
				}
			}
			return store.Pass
		}
		if n, err := s.SettleOrders(ctx, batch("o", together, 1000), now); err != nil || n != together || !struck {
			t.Fatalf("%d settled, struck %t, %v", n, struck, err)
		}
		if b, err := s.Balances(ctx, "mei"); err != nil || len(b) != 1 || b[0].Pending != most {
			t.Errorf("%d others: balances %+v, want %d, %v", others+1, b, most, err)
		}
	}
}
