package store

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"yundian/shared/commission"
	"yundian/shared/koc"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/shop"
)

// Bounds of what is stored at most, with texts of characters by chance. An item may have 400 KB.
const (
	largestOrder   = 330 << 10
	largestPlaced  = 100 << 10
	largestPosting = 100 << 10
	largestKOC     = 300 << 10
)

// texts makes texts that compress as badly as any that people type: every character by chance.
type texts struct{ *rand.Rand }

func (r texts) of(runes, from, to int) string {
	var b strings.Builder
	for range runes {
		b.WriteRune(rune(from + r.IntN(to-from)))
	}
	return b.String()
}

func (r texts) plain(n int) string { return r.of(n, 'a', 'z'+1) }
func (r texts) han(n int) string   { return r.of(n, 0x4e00, 0x9fff) }
func (r texts) rare(n int) string  { return r.of(n, 0x20000, 0x2a6d0) } // four bytes each

// largest is an order at every limit that there is: of its lines and their texts, and of everything that can happen to it.
func largest() ordering.Order {
	r := texts{rand.New(rand.NewPCG(1, 2))}
	at := time.Date(2026, 3, 1, 12, 0, 0, 123e6, time.UTC)
	amount := func() money.Amount { return money.Of(1e12+r.Int64N(8e12), "CNY") }
	mark := func() *ordering.Mark { return &ordering.Mark{V: 400 + r.Int64N(500), At: at, Reason: r.han(500)} }
	o := ordering.Order{ID: r.plain(26), Version: 999, PlacedAt: at, Day: "2026-03-01", Person: r.plain(43), Payment: "sandbox", Shipping: amount(), Total: amount()}
	for i := range ordering.MaxLines {
		l := ordering.Line{SKU: fmt.Sprint(r.plain(78), i), VariantID: r.plain(16), Product: r.plain(120), Title: r.han(100), Variant: r.han(100), Image: "https://" + r.plain(192),
			Quantity: 999, Unit: amount(), Net: amount(), Tax: amount(), Discount: amount()}
		for range 50 {
			l.Tags = append(l.Tags, r.plain(ordering.MaxFrozenTag))
		}
		l.Tags = ordering.FrozenTags(l.Tags)
		o.Lines = append(o.Lines, l)
	}
	parts := func() (all []ordering.LineRefund) { // a 30th of 999 pieces at the highest prices that a total allows
		v := 400 + r.Int64N(500)
		for i := range o.Lines {
			all = append(all, ordering.LineRefund{Line: i, Quantity: r.Int64N(34), Net: money.Of(r.Int64N(4e11), "CNY"), Tax: money.Of(r.Int64N(4e10), "CNY"), Goods: ordering.WriteOff, V: v})
		}
		return all
	}
	for range ordering.MaxTokens + 1 {
		o.Evidence = append(o.Evidence, ordering.Evidence{Kind: ordering.ByLink, Code: r.plain(koc.MaxCode), At: at, Problem: "from_the_future"})
	}
	for range ordering.MaxCaptures {
		o.Captures = append(o.Captures, ordering.Capture{V: 900, PaymentID: r.plain(200), Amount: amount(), At: at})
	}
	for range ordering.MaxRefunds {
		x := ordering.Refund{ID: r.plain(60), V: 900, At: at, Reason: r.han(500), By: r.plain(36), PaymentID: r.plain(200), ProviderID: r.plain(200), Amount: amount(), Lines: parts(),
			Shipping: amount(), LastTry: at, Succeeded: &ordering.Mark{V: 901, At: at}}
		for _, l := range x.Lines {
			o.Goods = append(o.Goods, ordering.GoodsBack{V: x.V, At: at, Cause: x.ID, Line: l.Line, Quantity: l.Quantity, To: ordering.WriteOff})
		}
		o.Refunds = append(o.Refunds, x)
	}
	for range ordering.MaxDisputes {
		o.Disputes = append(o.Disputes, ordering.Dispute{ID: r.plain(200), V: 900, At: at, PaymentID: r.plain(200), Amount: amount(), Reason: r.plain(100), Lost: &ordering.Mark{V: 901, At: at}, Lines: parts(), Shipping: amount()})
	}
	var everything []ordering.BasketLine
	var skus []string
	for _, l := range o.Lines {
		everything, skus = append(everything, ordering.BasketLine{SKU: l.SKU, Quantity: 999}), append(skus, l.SKU)
	}
	for i := range ordering.MaxReturns {
		o.Returns = append(o.Returns, ordering.Return{ID: fmt.Sprint("r", i), V: 900, At: at, Lines: everything, Closed: &ordering.ReturnAnswer{V: 901, At: at, By: r.plain(36),
			Outcome: ordering.Accepted, Note: r.han(ordering.MaxReturnText), Address: r.han(ordering.MaxReturnText), Refund: r.plain(60)}})
	}
	for range ordering.MaxParcels {
		o.Shipments = append(o.Shipments, ordering.Shipment{V: 900, Carrier: r.han(60), Tracking: r.plain(80), SKUs: skus, At: at})
	}
	for range ordering.MaxHolds {
		o.Holds = append(o.Holds, ordering.Hold{V: 900, Reason: r.han(500), By: r.plain(36), At: at, Lifted: mark()})
	}
	for range ordering.MaxRedrives {
		o.Redriven = append(o.Redriven, ordering.Mark{V: 900, At: at})
	}
	for range ordering.MaxAwards {
		o.Awards = append(o.Awards, r.award(o, at))
	}
	return o
}

func (r texts) award(o ordering.Order, at time.Time) ordering.Award {
	koc, inviter := r.plain(30), r.plain(30)
	a := ordering.Award{V: 900, DecidedAt: at, Cause: r.plain(60), Reason: "last_link", BookVersion: 999, InviterRate: 200,
		Winners: []ordering.Winner{{KOC: koc, Code: r.plain(60), Share: money.Whole, Inviter: inviter}}}
	for _, e := range o.Evidence {
		a.Candidates = append(a.Candidates, ordering.Candidate{KOC: r.plain(30), Evidence: e.Kind, Code: e.Code, At: e.At, Outcome: "lost", Reason: "token_from_future"})
	}
	rules := make([]string, 8)
	for i := range rules {
		rules[i] = r.plain(commission.MaxRuleID)
	}
	var all []int
	for i := range o.Lines {
		all = append(all, i)
		a.Rates = append(a.Rates, ordering.LineRate{Rule: rules[r.IntN(8)], RuleVersion: 999, Rate: 1234, PerUnit: r.Int64N(1e9), LineCap: r.Int64N(1e9), OrderCap: r.Int64N(1e9)})
	}
	for i := range ordering.MaxMonths {
		m := ordering.MonthTerm{KOC: koc, Rule: rules[i], RuleVersion: 999, Lines: all, Cap: r.Int64N(1e12)}
		for range commission.MaxMilestones {
			m.Milestones = append(m.Milestones, ordering.Milestone{Sales: r.Int64N(1e12), Bonus: r.Int64N(1e12)})
		}
		a.Months = append(a.Months, m)
	}
	return a
}

func bytesOf(t *testing.T, w Write) int {
	t.Helper()
	if w.err != nil {
		t.Fatal(w.err)
	}
	size := w.Key.size()
	for attr, v := range w.Put {
		_, n, err := stored(v)
		if err != nil {
			t.Fatal(err)
		}
		size += len(attr) + n
	}
	return size
}

// TestTheLargestItems holds what grows with the lines of an order, or with the products of a shelf, to what an
// item may have, with room to spare.
func TestTheLargestItems(t *testing.T) {
	o := largest()
	r := texts{rand.New(rand.NewPCG(3, 4))}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p := ledger.Posting{ID: r.plain(100), KOC: r.plain(30), Order: o.ID, V: 999, At: at, PlacedAt: at, Currency: "CNY"}
	var positions []commission.Position
	fact := ledger.Fact{Order: o.ID, V: 999, At: at, Day: o.Day, Currency: "CNY", KOC: p.KOC, Code: r.plain(60), Counted: true}
	for i, l := range o.Lines {
		for _, kind := range []ledger.Kind{ledger.Accrual, ledger.Refunded, ledger.Release, ledger.Clawback} {
			minor := r.Int64N(1e12)
			p.Entries = append(p.Entries, ledger.Entry{Line: i, SKU: l.SKU, Product: l.Product, Kind: kind, Minor: minor, Base: r.Int64N(1e12), Rate: 1234, PerUnit: r.Int64N(1e9),
				Rule: o.Awards[0].Rates[i].Rule, RuleVersion: 999, Legs: []ledger.Leg{{Account: ledger.Pending, Minor: minor}, {Account: ledger.Expense, Minor: -minor}}})
		}
		for _, a := range o.Awards { // each of whom keeps what was released before the next one won
			for _, inviter := range []bool{false, true} {
				positions = append(positions, commission.Position{KOC: a.Winners[0].KOC, Line: i, Inviter: inviter, Accrued: r.Int64N(1e12), Reversed: r.Int64N(1e12), Released: r.Int64N(1e12), Clawed: r.Int64N(1e12)})
			}
		}
		fact.Lines = append(fact.Lines, ledger.FactLine{Product: l.Product, Sales: r.Int64N(1e12), Commission: r.Int64N(1e12)})
	}
	profile := koc.Profile{Handle: r.plain(30), Name: r.han(60), Email: r.plain(254), Story: r.rare(koc.MaxStory), Portrait: "https://" + r.plain(992)}
	for range shop.ShelfLimit {
		profile.Shelf = append(profile.Shelf, koc.ShelfItem{Product: r.plain(120), Note: r.rare(koc.MaxNote)})
	}
	for range koc.MaxStandings {
		profile.Standings = append(profile.Standings, koc.Standing{Status: koc.Suspended, From: at, Reason: r.han(500)})
	}
	for range koc.MaxTiers {
		profile.Tiers = append(profile.Tiers, koc.Tier{Name: r.plain(koc.MaxTierName), From: at})
	}
	for _, x := range []struct {
		name string
		w    Write
		most int
	}{
		{"order", orderWrite(o), largestOrder},
		{"order as placed", orderWrite(o.AsPlaced()), largestPlaced},
		{"posting", postingWrites(p)[0], largestPosting},
		{"applied", appliedWrite(o.ID, 1, ledger.Applied{V: 2, Due: o.Day, Positions: positions}), largestPosting},
		{"fact", tallyWrites(ledger.Fact{}, fact)[0], largestPosting},
		{"KOC", kocWrite(profile), largestKOC},
	} {
		size := bytesOf(t, x.w)
		t.Logf("%s: %d bytes", x.name, size)
		if size > x.most {
			t.Errorf("%s: %d bytes, want %d at most", x.name, size, x.most)
		}
	}
	it := orderWrite(o)
	back, err := OrderFrom(it.full())
	if err != nil || !back.Equal(withVersion(o, o.Version+1)) {
		t.Errorf("the largest order did not come back as it was: %v", err)
	}
}

func withVersion(o ordering.Order, v int64) ordering.Order {
	o.Version = v
	return o
}
