package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"yundian/shared/money"
	"yundian/shared/ordering"
)

func putOnce(pk string, attrs Item) Write {
	return Write{Table: Shop, Key: Key{pk, "X"}, Guards: once(), Put: attrs}
}

func one(t testing.TB, s *Store, table Table, k Key) Item {
	t.Helper()
	found, err := s.get(context.Background(), []read{{table, k}})
	if err != nil {
		t.Fatal(err)
	}
	return found[read{table, k}]
}

func apply(t testing.TB, s *Store, writes ...Write) {
	t.Helper()
	if err := s.apply(context.Background(), writes); err != nil {
		t.Fatal(err)
	}
}

func TestMapsApplyAllWritesOrNone(t *testing.T) {
	m := NewMaps()
	s, ctx := OpenMaps(m), context.Background()
	count := Write{Table: Ledger, Key: Key{"C", "C"}, Add: map[string]int64{"n": 2}}
	apply(t, s, putOnce("a", Item{"v": number(1)}), count)
	check := Write{Table: Ledger, Key: Key{"C", "C"}, Guards: []Guard{{Attr: "n", Is: AtLeast, Value: number(3)}}}
	again := putOnce("a", Item{"v": number(2)})
	err := s.apply(ctx, []Write{putOnce("b", Item{}), check, again})
	refused, ok := errors.AsType[*Refused](err)
	if !ok || len(refused.Writes) != 2 || refused.Writes[0].Key != check.Key || refused.Writes[1].Key != again.Key {
		t.Fatalf("refused %v", err)
	}
	if one(t, s, Shop, Key{"b", "X"}) != nil || !equal(one(t, s, Shop, Key{"a", "X"})["v"], number(1)) {
		t.Error("a refused transaction left something behind")
	}
	if got := one(t, s, Ledger, count.Key); !equal(got["n"], number(2)) {
		t.Errorf("counted %v", got)
	}
	if err := s.apply(ctx, []Write{again}); !refusedBy(err, func(k Key) bool { return k == again.Key }) {
		t.Errorf("put twice: %v", err)
	}
}

// A transaction is named by its content, and one that was made is answered by its success for ten minutes.
func TestMapsAnswerARepeatedTransaction(t *testing.T) {
	m := NewMaps()
	s, ctx := OpenMaps(m), context.Background()
	writes := []Write{putOnce("a", Item{}), {Table: Shop, Key: Key{"n", "n"}, Add: map[string]int64{"n": 5}}}
	for range 3 {
		apply(t, s, writes...)
	}
	if got := one(t, s, Shop, Key{"n", "n"}); !equal(got["n"], number(5)) {
		t.Errorf("added %v", got["n"])
	}
	m.ExpireTokens()
	if err := s.apply(ctx, writes); !refusedBy(err, func(k Key) bool { return k.PK == "a" }) {
		t.Errorf("after ten minutes: %v", err)
	}
}

// Two orders of a month are settled together. Between reading and writing, somebody else settles an earlier version of the
// first one, which brings the month to the very version that the second one expects after the first.
func TestAMonthThatMovedOtherwiseIsNotBuiltOn(t *testing.T) {
	m := NewMaps()
	s, ctx := OpenMaps(m), context.Background()
	now := func() time.Time { return time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC) }
	order := func(id string, v, net int64) ordering.Order {
		return ordering.Order{ID: id, Version: v, Day: "2026-03-09", Terms: ordering.Terms{Zone: "UTC"}, Total: money.Of(net, "CNY"), Captures: []ordering.Capture{{PaymentID: "p", Amount: money.Of(net, "CNY")}},
			Lines: []ordering.Line{{SKU: "s", Quantity: 1, Net: money.Of(net, "CNY"), Tax: money.Of(0, "CNY")}},
			Awards: []ordering.Award{{Winners: []ordering.Winner{{KOC: "mei", Share: money.Whole}}, Rates: []ordering.LineRate{{Rate: 1000}},
				Months: []ordering.MonthTerm{{KOC: "mei", Rule: "cap", RuleVersion: 1, Lines: []int{0}, Cap: 1000}}}}}
	}
	early, late, other := order("a", 2, 9000), order("a", 3, 9000), order("b", 2, 8000)
	back := money.Of(4500, "CNY")
	late.Refunds = []ordering.Refund{{ID: "r", V: 3, Amount: back, Lines: []ordering.LineRefund{{Quantity: 1, Net: back, Tax: money.Of(0, "CNY")}}}}
	once := true
	m.Intercept = func(_ context.Context, c Call) Verdict {
		if len(c.Writes) > 0 && once {
			once = false
			if _, err := s.SettleOrders(ctx, []ordering.Order{early}, now); err != nil {
				t.Error(err)
			}
		}
		return Pass
	}
	if _, err := s.SettleOrders(ctx, []ordering.Order{late, other}, now); err != nil {
		t.Fatal(err)
	}
	if b, err := s.Balances(ctx, "mei"); err != nil || len(b) != 1 || b[0].Pending != 1000 {
		t.Errorf("450 and 800 are more than the cap: %+v, %v", b, err)
	}
}

// A clone and what it was made of go their own ways, in their items, their order and their changes.
func TestMapsClone(t *testing.T) {
	m := NewMaps()
	s := OpenMaps(m)
	item := func(id, due string) Write {
		return Write{Table: Orders, Key: Key{id, "ORDER"}, Put: Item{"duePk": text("DUE#0"), "dueSk": text(due)}}
	}
	apply(t, s, item("a", "1"))
	apply(t, s, item("b", "2"))
	c := OpenMaps(m.Clone())
	apply(t, s, item("a", "3"))
	apply(t, c, Write{Table: Orders, Key: Key{"b", "ORDER"}, Delete: true}, item("c", "0"))
	for _, tt := range []struct {
		s    *Store
		want string
	}{{s, "b2 a3"}, {c, "c0 a1"}} {
		items, _, err := tt.s.page(context.Background(), query{table: Orders, index: "due", pk: "DUE#0", from: "0", to: "9", limit: 9})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, it := range items {
			got = append(got, str(it["pk"])+str(it["dueSk"]))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%v, want %s", got, tt.want)
		}
	}
	if a, b := len(m.Changes(Orders, 0)), len(c.engine.(*Maps).Changes(Orders, 0)); a != 3 || b != 4 {
		t.Errorf("%d and %d changes", a, b)
	}
}

func TestMapsKeepChangesInOrder(t *testing.T) {
	m := NewMaps()
	s := OpenMaps(m)
	k := Key{"a", "a"}
	put := Write{Table: Orders, Key: k, Put: Item{"v": number(1)}}
	for _, w := range []Write{put, put, {Table: Orders, Key: k, Set: Item{"v": number(2)}}, {Table: Orders, Key: k, Set: Item{"v": number(2)}},
		{Table: Orders, Key: k, Delete: true}, {Table: Orders, Key: k, Delete: true}} {
		apply(t, s, w)
	}
	log := m.Changes(Orders, 0)
	if len(log) != 3 || log[0].Old != nil || !equal(log[1].Old["v"], number(1)) || !equal(log[1].New["v"], number(2)) || log[2].New != nil {
		t.Fatalf("changes %+v", log)
	}
	if rest := m.Changes(Orders, 2); len(rest) != 1 || rest[0].Seq != 3 {
		t.Errorf("after 2: %+v", rest)
	}
	m.Trim(Orders, 2)
	apply(t, s, put)
	if rest := m.Changes(Orders, 0); len(rest) != 2 || rest[0].Seq != 3 || rest[1].Seq != 4 {
		t.Errorf("trimmed: %+v", rest)
	}
	if rest := m.Changes(Orders, 4); len(rest) != 0 {
		t.Errorf("after the last: %+v", rest)
	}
}

// What the SDK and the store do about each verdict, n times in a row: how often the work is done, and what the caller hears.
func TestMapsFollowVerdicts(t *testing.T) {
	single := []Write{putOnce("a", Item{"v": number(1)})}
	both := append([]Write{{Table: Shop, Key: Key{"n", "n"}, Add: map[string]int64{"n": 1}}}, single...)
	for _, tt := range []struct {
		verdict Verdict
		times   int
		writes  []Write
		calls   int
		want    string // part of the error
		added   string
	}{
		{LoseRequest, 5, both, 6, "", "1"},
		{LoseRequest, 6, both, 6, "the connection broke", ""},
		{LoseResponse, 5, both, 6, "", "1"},
		{LoseResponse, 6, both, 6, "the connection broke", "1"},
		{LoseResponse, 1, single, 2, "refused", ""}, // the second one finds what the first one made
		{ServerError, 5, both, 6, "", "1"},
		{ServerError, 6, single, 6, "the store has failed", ""},
		{Throttle, 5, single, 6, "", ""},
		{Throttle, 6, single, 6, "throttled", ""},
		{Throttle, 9, both, 10, "", "1"},
		{Throttle, 10, both, 10, "cancelled", ""},
		{Collide, 9, both, 10, "", "1"},
		{Collide, 10, both, 10, "TransactionConflict", ""},
		{Collide, 9, single, 10, "", ""},
		{Collide, 10, single, 10, "TransactionConflict", ""},
		{StillRunning, 59, both, 60, "", "1"}, // six by the SDK, ten times
		{StillRunning, 60, both, 60, "TransactionInProgress", ""},
		{StillRunning, 1, single, 1, "", ""}, // makes no sense
		{ReadPart, 1, both, 1, "", "1"},
	} {
		t.Run(fmt.Sprintf("%d_%d_%d", tt.verdict, tt.times, len(tt.writes)), func(t *testing.T) {
			m := NewMaps()
			s, calls := OpenMaps(m), 0
			m.Intercept = func(_ context.Context, c Call) Verdict {
				if c.Done {
					return Pass
				}
				if calls++; calls <= tt.times {
					return tt.verdict
				}
				return Pass
			}
			err := s.apply(context.Background(), tt.writes)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("answered %v, want %q", err, tt.want)
			}
			if calls != tt.calls {
				t.Errorf("%d calls, want %d", calls, tt.calls)
			}
			m.Intercept = nil
			n, _ := one(t, s, Shop, Key{"n", "n"})["n"].(*types.AttributeValueMemberN)
			if got := n; (got == nil) != (tt.added == "") || got != nil && got.Value != tt.added {
				t.Errorf("added %+v, want %q", got, tt.added)
			}
		})
	}
}

func TestMapsReadInParts(t *testing.T) {
	m := NewMaps()
	s, sizes := OpenMaps(m), []int{}
	var reads []read
	for i := range 9 {
		apply(t, s, putOnce(fmt.Sprint(i), Item{}))
		reads = append(reads, read{Shop, Key{fmt.Sprint(i), "X"}})
	}
	m.Intercept = func(_ context.Context, c Call) Verdict {
		if !c.Done {
			sizes = append(sizes, len(c.Places()))
		}
		return ReadPart
	}
	found, err := s.get(context.Background(), append(reads, reads...))
	if err != nil || len(found) != 9 || !slices.Equal(sizes, []int{9, 5, 3, 2, 1}) {
		t.Errorf("%d items in calls of %v, %v", len(found), sizes, err)
	}
}

// Others run while a call is on its way, and a process can end there.
func TestMapsAreFreeDuringACall(t *testing.T) {
	m := NewMaps()
	s, ctx := OpenMaps(m), context.Background()
	type crash struct{}
	var seen []string
	m.Intercept = func(ctx context.Context, c Call) Verdict {
		for _, w := range c.Writes {
			if seen = append(seen, fmt.Sprintf("%s %v", w.Key.PK, c.Done)); w.Key.PK == "crash" && c.Done {
				panic(crash{})
			}
			if w.Key.PK == "a" && !c.Done {
				apply(t, OpenMaps(m), putOnce("b", Item{}))
			}
		}
		return Pass
	}
	apply(t, s, putOnce("a", Item{}))
	func() {
		defer func() {
			if _, ok := recover().(crash); !ok {
				t.Error("did not end where it should")
			}
		}()
		_ = s.apply(ctx, []Write{putOnce("crash", Item{})})
	}()
	if want := []string{"a false", "b false", "b true", "a true", "crash false", "crash true"}; !slices.Equal(seen, want) {
		t.Errorf("calls %q", seen)
	}
	if one(t, s, Shop, Key{"crash", "X"}) == nil {
		t.Error("what was written before the end is gone")
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.apply(ended, []Write{putOnce("c", Item{})}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of its context: %v", err)
	}
}

// Nothing that a caller does to what it wrote or read changes what is stored.
func TestMapsShareNothing(t *testing.T) {
	m := NewMaps()
	s := OpenMaps(m)
	body := []byte("abc")
	put := Item{"body": &types.AttributeValueMemberB{Value: body}, "tree": &types.AttributeValueMemberM{Value: Item{"a": number(1)}},
		"list": &types.AttributeValueMemberL{Value: []types.AttributeValue{text("x")}}, "listPk": text("L"), "listSk": text("1")}
	apply(t, s, putOnce("a", put))
	body[0] = 'X'
	put["tree"].(*types.AttributeValueMemberM).Value["a"] = number(2)
	put["list"].(*types.AttributeValueMemberL).Value[0] = text("y")
	put["more"] = text("more")
	got := one(t, s, Shop, Key{"a", "X"})
	got["listSk"] = text("2")
	page, _, err := s.page(context.Background(), query{table: Shop, index: "list", pk: "L", limit: 2})
	if err != nil || len(page) != 1 {
		t.Fatalf("listed %v, %v", page, err)
	}
	page[0]["pk"] = text("?")
	want := Item{"pk": text("a"), "sk": text("X"), "listPk": text("L"), "listSk": text("1"), "body": &types.AttributeValueMemberB{Value: []byte("abc")},
		"tree": &types.AttributeValueMemberM{Value: Item{"a": number(1)}}, "list": &types.AttributeValueMemberL{Value: []types.AttributeValue{text("x")}}}
	for _, it := range m.Items(Shop) {
		if !equalItems(it, want) {
			t.Errorf("stored %v", it)
		}
	}
}

func TestMapsPageThroughLargePartitions(t *testing.T) {
	m := NewMaps()
	s := OpenMaps(m)
	const many = 3000
	for i := range many {
		n := i * 7919 % many // in no order
		apply(t, s, Write{Table: Orders, Key: Key{"P", padded(int64(n))}, Put: Item{"duePk": text("D"), "dueSk": text(padded(int64(many - n)))}})
	}
	for i := range many / 3 {
		apply(t, s, Write{Table: Orders, Key: Key{"P", padded(int64(i * 3))}, Delete: true})
	}
	for _, index := range []string{"", "due"} {
		for _, descending := range []bool{false, true} {
			var keys []string
			q := query{table: Orders, index: index, pk: map[string]string{"": "P", "due": "D"}[index], limit: 7, descending: descending}
			for {
				items, next, err := s.page(context.Background(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, it := range items {
					keys = append(keys, str(it["sk"]))
				}
				if q.after = next; next == nil {
					break
				}
			}
			if (index == "due") != descending {
				slices.Reverse(keys)
			}
			if len(keys) != many-many/3 || !slices.IsSorted(keys) {
				t.Errorf("index %q descending %v: %d keys, sorted %v", index, descending, len(keys), slices.IsSorted(keys))
			}
		}
	}
}

func TestMapsServeManyAtOnce(t *testing.T) {
	m := NewMaps()
	var wg sync.WaitGroup
	for p := range 8 {
		wg.Go(func() {
			s := OpenMaps(m)
			for i := range 200 {
				writes := []Write{putOnce(fmt.Sprint(i), Item{"listPk": text("L"), "listSk": text(fmt.Sprint(i))}), {Table: Shop, Key: Key{"n", "n"}, Add: map[string]int64{"n": 1}},
					{Table: Shop, Key: Key{"by", fmt.Sprint(i, p)}, Put: Item{}}}
				if err := s.apply(t.Context(), writes); err != nil && !refusedBy(err, func(Key) bool { return true }) {
					t.Error(err)
				}
				if _, _, err := s.page(t.Context(), query{table: Shop, index: "list", pk: "L", limit: 5}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := one(t, OpenMaps(m), Shop, Key{"n", "n"}); !equal(got["n"], number(200)) {
		t.Errorf("counted %v", got["n"])
	}
}

func BenchmarkMapsPut(b *testing.B) {
	m := NewMaps()
	s, ctx := OpenMaps(m), context.Background()
	for i := range b.N {
		w := Write{Table: Touches, Key: Key{"LINK#" + padded(int64(i%1000)), padded(int64(i))}, Guards: once(), Put: Item{"code": text("mei-abc"), "koc": text("mei"), "ttl": number(int64(i))}}
		if err := s.apply(ctx, []Write{w}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMapsReplace(b *testing.B) {
	m := NewMaps()
	s, ctx := OpenMaps(m), context.Background()
	for i := range b.N {
		w := Write{Table: People, Key: Key{"P", padded(int64(i % 10000))}, Put: Item{"v": number(int64(i)), "note": text("a")}}
		if err := s.apply(ctx, []Write{w}); err != nil {
			b.Fatal(err)
		}
		m.Trim(People, i)
	}
}

func BenchmarkMapsTransaction(b *testing.B) {
	m := NewMaps()
	s, ctx := OpenMaps(m), context.Background()
	for i := range b.N {
		err := s.apply(ctx, []Write{putOnce(padded(int64(i)), Item{}),
			{Table: Ledger, Key: Key{"KOC#mei", "BAL#CNY"}, Add: map[string]int64{"pending": 5}},
			{Table: Ledger, Key: Key{"ORDER#" + padded(int64(i)), "APPLIED"}, Guards: once(), Put: Item{"v": number(1)}}})
		if err != nil {
			b.Fatal(err)
		}
		m.Trim(Ledger, i*2)
	}
}

func BenchmarkMapsQuery(b *testing.B) {
	m := NewMaps()
	s, ctx := OpenMaps(m), context.Background()
	for i := range 100000 {
		apply(b, s, Write{Table: Ledger, Key: Key{"KOC#mei", padded(int64(i))}, Put: Item{"v": number(1)}})
	}
	b.ResetTimer()
	for i := range b.N {
		if _, _, err := s.page(ctx, query{table: Ledger, pk: "KOC#mei", from: padded(int64(i % 100000)), to: "~", limit: 10}); err != nil {
			b.Fatal(err)
		}
	}
}
