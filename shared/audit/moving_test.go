package audit_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"yundian/shared/audit"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
)

// TestNoMomentLooksWrong lets the shop go on between any two reads of the audit, at random and for many seeds: nothing is
// ever reported, and afterwards nothing is left to settle.
func TestNoMomentLooksWrong(t *testing.T) {
	reached := map[string]bool{}
	for seed := range uint64(60) {
		maps := store.NewMaps()
		w := newWorld(t, store.OpenMaps(maps))
		ids := w.sold(1)
		w.at = w.at.Add(2 * time.Hour)
		random := rand.New(rand.NewPCG(seed, 1))
		moved := 0
		busy := false
		maps.Intercept = func(_ context.Context, c store.Call) store.Verdict {
			if busy || c.Done || len(c.Writes) > 0 || random.IntN(1+int(seed%4)) > 0 {
				return store.Pass
			}
			busy = true
			defer func() { busy = false }()
			moved++
			switch random.IntN(12) {
			case 0:
				w.withdraw(fmt.Sprint("p", moved), "mei", int64(10+random.IntN(100)))
				return store.Pass
			case 1:
				w.conclude(fmt.Sprint("p", random.IntN(moved)), random.IntN(3))
				return store.Pass
			case 2:
				w.adjust(fmt.Sprint("a", moved), "mei", int64(random.IntN(200)-100)|1, random.IntN(3) > 0)
				return store.Pass
			case 3:
				w.touch("mei-"+fmt.Sprint(random.IntN(3)), w.now(), random.IntN(9))
				return store.Pass
			}
			id := ids[random.IntN(len(ids))]
			if random.IntN(2) == 0 {
				id = fmt.Sprint("n", moved)
				ids = append(ids, id)
				w.place(id, kinds[random.IntN(len(kinds))])
				w.step(id, 0)
			} else {
				w.step(id, random.IntN(len(steps)))
			}
			if random.IntN(4) > 0 {
				w.settle(id)
			}
			return store.Pass
		}
		a := w.auditor()
		a.Postings, a.Counted = 1+random.IntN(20), 1+random.IntN(20)
		for range 3 {
			r := run(t, a)
			if len(r.Differences) != 0 {
				t.Fatalf("seed %d: %+v", seed, r.Differences)
			}
			for _, what := range r.Waiting {
				reached[fmt.Sprint("waiting for a KOC: ", slices.Contains(handles, what))] = true
			}
			reached[fmt.Sprint("spread over slices: ", len(r.Left) > 0)] = true
		}
		if busy = true; moved == 0 {
			t.Fatalf("seed %d: nothing went on", seed)
		}
		a.Postings, a.Counted = audit.SlicePostings, 0
		w.settle(ids...)
		if r := run(t, a); len(r.Differences) != 0 || r.Unsettled != 0 {
			t.Fatalf("seed %d, in the end: %+v", seed, r)
		}
	}
	for _, what := range []string{"waiting for a KOC: true", "waiting for a KOC: false", "spread over slices: true", "spread over slices: false"} {
		if !reached[what] {
			t.Errorf("never happened: %s", what)
		}
	}
}

// TestNothingIsWrongUnderLoad audits on the real engine while several write.
func TestNothingIsWrongUnderLoad(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	var crowd sync.WaitGroup
	for part := range 4 {
		crowd.Go(func() {
			for i := range 12 {
				id := fmt.Sprintf("w%d-%d", part, i)
				w.place(id, kinds[(part+i)%len(kinds)])
				for n := range len(steps) - 2 {
					w.step(id, n)
					if (i+n)%3 > 0 {
						w.settle(id)
					}
				}
				w.settle(id)
				if w.withdraw(id, "mei", 20) {
					w.conclude(id, i%3)
				}
				w.adjust(id, "mei", int64(i%7-3)|1, i%2 == 0)
			}
		})
	}
	a := w.auditor()
	a.Wait = audit.Pause
	done := make(chan struct{})
	go func() { crowd.Wait(); close(done) }()
	for round, running := 0, true; running; round++ {
		select {
		case <-done:
			running = false
		default:
		}
		if a.Postings = audit.SlicePostings; round%3 == 0 {
			a.Postings = 50
		}
		if r := run(t, a); len(r.Differences) != 0 {
			t.Errorf("%+v", r.Differences)
			break
		}
	}
	<-done
	a.Postings = audit.SlicePostings
	if r := run(t, a); len(r.Differences) != 0 || r.Unsettled != 0 || r.Checked < len(handles)+2 {
		t.Errorf("in the end: %+v", r)
	}
}

// TestAKOCWithManyPostings spreads over slices: what is carried over counts, and what an earlier slice has read wrong is
// read again.
func TestAKOCWithManyPostings(t *testing.T) {
	d := damage(t)
	d.at = d.at.Add(2 * time.Hour) // everything is old
	a := d.auditor()
	a.Postings = 4
	postings := func() int { // of the KOC with most of them
		all, _, err := d.s.Postings(context.Background(), "mei", "", 500, false)
		d.must(err)
		return len(all)
	}()
	slices, at := 0, audit.Place{Part: "kocs", After: "lin"}
	for at.Part == "kocs" {
		r, next, err := a.Slice(context.Background(), at)
		d.must(err)
		if len(r.Differences) != 0 {
			t.Errorf("%+v", r.Differences)
		}
		at = next
		slices++
	}
	if slices*a.Postings < postings {
		t.Errorf("%d postings in %d slices", postings, slices)
	}
	d.add("LEDGER", "KOC#mei", "BAL#CNY", "available", 1)
	r := run(t, a)
	if len(r.Differences) != 1 || r.Differences[0].Kind != audit.Balance || r.Differences[0].ID != "mei" || !strings.Contains(strings.Join(r.Left, " "), "mei") {
		t.Errorf("%+v", r)
	}
}

// TestStatisticsOfManyDays spread over slices of whole days, each of which is added up once.
func TestStatisticsOfManyDays(t *testing.T) {
	d := damage(t)
	for day := range 12 {
		d.at = d.at.AddDate(0, 0, 1)
		for n := range day % 3 {
			id := fmt.Sprintf("d%d-%d", day, n)
			d.place(id, meis)
			d.step(id, 0)
			d.settle(id)
		}
	}
	d.at = d.at.AddDate(0, 0, 60) // no touch is kept any more
	a := d.auditor()
	for _, n := range []int{1, 2, 3, 7, 100} {
		a.Counted = n
		if r := run(t, a); len(r.Differences)+r.Unsettled+len(r.Left) != 0 {
			t.Fatalf("%d orders a slice: %+v", n, r)
		}
	}
	days := []string{"2026-03-01", "2026-05-09", "2026-05-12", "2026-05-18"} // the first, others, and the last
	for _, day := range days {
		d.add("SHOP", "STAT#mei", "DAY#"+day, "orders", 1)
	}
	for _, n := range []int{1, 2, 3, 7, 100} {
		a.Counted = n
		r := run(t, a)
		var found []string
		for _, x := range r.Differences {
			heading, _, _ := strings.Cut(strings.TrimPrefix(x.Expected, "DAY#"), ":")
			found = append(found, heading)
		}
		if slices.Sort(found); !slices.Equal(found, days) {
			t.Errorf("%d orders a slice: found %v, want %v", n, found, days)
		}
	}
}

// TestAnOrderThatIsAlwaysAhead is settled anew each time before the ledger is asked about it: whatever was read of the order
// is outdated, and it is not reported.
func TestAnOrderThatIsAlwaysAhead(t *testing.T) {
	maps := store.NewMaps()
	w := newWorld(t, store.OpenMaps(maps))
	w.place("o1", meis)
	w.settle("o1")
	moved, busy := 0, false
	maps.Intercept = func(_ context.Context, c store.Call) store.Verdict {
		p := c.Places()[0]
		if busy || c.Done || len(c.Writes) > 0 || p.Table != store.Ledger || p.Key.SK != "APPLIED" {
			return store.Pass
		}
		busy = true
		defer func() { busy = false }()
		w.step("o1", 7)
		w.settle("o1")
		moved++
		return store.Pass
	}
	r, _, err := w.auditor().Slice(t.Context(), audit.Place{Part: "orders"})
	if err != nil || len(r.Differences) != 0 || r.Checked != 1 || moved != 1 {
		t.Errorf("moved %d times: %+v, %v", moved, r, err)
	}
}
