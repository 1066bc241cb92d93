package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"yundian/shared/ordering"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
)

// allPostings are the ids of a KOC's postings before and from an instant on.
func allPostings(t testing.TB, s *store.Store, handle string, at time.Time) (before, after []string) {
	t.Helper()
	for cursor := ""; ; {
		page, next, err := s.Postings(context.Background(), handle, cursor, 100, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page {
			if p.At.Before(at) {
				before = append(before, p.ID)
			} else {
				after = append(after, p.ID)
			}
		}
		if cursor = next; cursor == "" {
			return before, after
		}
	}
}

func TestNothingIsPostedBeforeWhatIsClosed(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	if done, err := s.CloseUntil(ctx, "mei", "CNY", noon); err != nil || done {
		t.Errorf("closed a ledger with nothing in it: %t, %v", done, err)
	}
	settle := func(now func() time.Time, ids ...string) {
		t.Helper()
		var orders []ordering.Order
		for _, id := range ids {
			orders = append(orders, settledOrder(id))
		}
		if n, err := s.SettleOrders(ctx, orders, now); err != nil || n != len(ids) {
			t.Fatalf("settled %d of %d, %v", n, len(ids), err)
		}
	}
	settle(func() time.Time { return noon }, "c0")
	end := noon.Add(time.Hour)
	if done, err := s.CloseUntil(ctx, "mei", "CNY", end); err != nil || !done {
		t.Fatalf("closed %t, %v", done, err)
	}
	if done, err := s.CloseUntil(ctx, "mei", "CNY", end.Add(-time.Millisecond)); err != nil || done {
		t.Errorf("opened again: %t, %v", done, err)
	}
	at := end.Add(-2 * time.Millisecond) // a clock that is late, and passes the end in the middle of a batch
	settle(func() time.Time { at = at.Add(time.Millisecond); return at }, "c1", "c2", "c3")
	before, after := allPostings(t, s, "mei", end)
	if len(before) != 1 || len(after) != 3 {
		t.Errorf("%v are before the end, %v after it", before, after)
	}
	books, err := s.Books(ctx, "mei")
	if err != nil || len(books) != 1 || books[0].Pending != 4000 || books[0].Changes != 4 || !books[0].Closed.Equal(end) {
		t.Errorf("books %+v, %v", books, err)
	}
}

// TestWhatIsClosedStaysAsItIs closes in the middle of a crowd whose clocks disagree by an hour.
func TestWhatIsClosedStaysAsItIs(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	if _, err := s.SettleOrders(ctx, []ordering.Order{settledOrder("first")}, func() time.Time { return noon.Add(-time.Hour) }); err != nil {
		t.Fatal(err)
	}
	var crowd sync.WaitGroup
	for part := range 6 {
		clock := func() time.Time { return noon.Add(time.Duration(rand.N(7200)-3600) * time.Second) }
		crowd.Go(func() {
			for i := range 8 {
				if _, err := s.SettleOrders(ctx, []ordering.Order{settledOrder(fmt.Sprintf("w%d-%d", part, i))}, clock); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var seen [][]string
	for range 5 {
		end := noon.Add(time.Duration(len(seen)) * 5 * time.Minute)
		if done, err := s.CloseUntil(ctx, "mei", "CNY", end); err != nil || !done {
			t.Fatalf("closed %t, %v", done, err)
		}
		before, _ := allPostings(t, s, "mei", end)
		seen = append(seen, before)
	}
	crowd.Wait()
	for i, was := range seen {
		before, after := allPostings(t, s, "mei", noon.Add(time.Duration(i)*5*time.Minute))
		if !slices.Equal(before, was) || len(before)+len(after) != 49 {
			t.Errorf("when it was closed, %d postings were before the end; now %d of %d are", len(was), len(before), len(before)+len(after))
		}
	}
}
