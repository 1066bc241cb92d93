package ordering_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

// shelved is an order with the stock that its own writes have moved, from 100 pieces of each SKU.
type shelved struct {
	t     *testing.T
	o     ordering.Order
	stock map[string]catalogue.Stock
}

func shelve(t *testing.T, path string) *shelved {
	t.Helper()
	s := &shelved{t: t, stock: map[string]catalogue.Stock{}}
	for _, l := range placed(t, "sandbox").Lines {
		s.stock[l.SKU] = catalogue.Stock{Available: 100, Received: 100}
	}
	after, err := walk(placed(t, "sandbox"), path)
	if err != nil {
		t.Fatal(err)
	}
	s.take(after)
	return s
}

func (s *shelved) take(after ordering.Order) {
	s.t.Helper()
	for _, m := range ordering.StockMoves(s.o, after) {
		x := s.stock[m.SKU]
		x.Available, x.Reserved, x.Sold, x.WrittenOff = x.Available+m.Available, x.Reserved+m.Reserved, x.Sold+m.Sold, x.WrittenOff+m.WrittenOff
		if s.stock[m.SKU] = x; !x.Balanced() || m.Received != 0 {
			s.t.Fatalf("stock of %s is off balance after %+v: %+v", m.SKU, m, x)
		}
	}
	s.o = after
}

// do changes the order as a store does, and leaves it as it was when the change is refused.
func (s *shelved) do(change func(*ordering.Order) error) error {
	s.t.Helper()
	after := s.o.Clone()
	if err := change(&after); err != nil {
		return err
	}
	after.Version++
	s.take(after)
	return nil
}

func (s *shelved) must(change func(*ordering.Order) error) {
	s.t.Helper()
	if err := s.do(change); err != nil {
		s.t.Fatal(err)
	}
}

// is compares what the order of cups has moved: pieces sold, and written off.
func (s *shelved) is(what string, sold, off int64) {
	s.t.Helper()
	if x := s.stock["cup"]; x.Sold != sold || x.WrittenOff != off || x.Available != 100-sold-off {
		s.t.Errorf("%s: %+v, want %d sold and %d written off", what, x, sold, off)
	}
}

func pieces(sku string, n int64) []ordering.BasketLine {
	return []ordering.BasketLine{{SKU: sku, Quantity: n}}
}

func asksFor(lines ...ordering.BasketLine) func(*ordering.Order) error {
	return func(o *ordering.Order) error {
		_, err := o.RequestReturn(lines, noon)
		return err
	}
}

func closes(d ordering.ReturnDecision) func(*ordering.Order) error {
	return func(o *ordering.Order) error {
		id := "r0"
		if r := o.OpenReturn(); r != nil {
			id = r.ID
		}
		d.Refund.ID = "refund of " + id
		return o.CloseReturn(id, d, noon)
	}
}

func refunds(id string, q ordering.RefundRequest) func(*ordering.Order) error {
	return func(o *ordering.Order) error {
		q.ID, q.Reason = id, "x"
		_, err := o.RequestRefund(q, noon)
		return err
	}
}

func cups(n int64) []ordering.RefundLine { return []ordering.RefundLine{{SKU: "cup", Quantity: n}} }

// TestAReturnEndsWithItsMoney: one write closes it, refunds it and moves its goods, so nothing is released in between.
func TestAReturnEndsWithItsMoney(t *testing.T) {
	yes := func(q ordering.RefundRequest) ordering.ReturnDecision {
		return ordering.ReturnDecision{Outcome: ordering.Accepted, Note: "thank you", Refund: q}
	}
	some := func(minor int64) *money.Amount { a := yuan(minor); return &a }
	for name, c := range map[string]struct {
		asked     []ordering.BasketLine
		d         ordering.ReturnDecision
		refunded  int64
		sold, off int64 // cups
	}{
		"what was asked for":     {pieces("cup", 1), yes(ordering.RefundRequest{}), 1059, 1, 0},
		"everything":             {nil, yes(ordering.RefundRequest{}), 2118 + 5300, 0, 0},
		"and shipping":           {pieces("cup", 2), yes(ordering.RefundRequest{Shipping: some(800)}), 2118 + 800, 0, 0},
		"fewer than asked for":   {pieces("cup", 2), yes(ordering.RefundRequest{Lines: cups(1)}), 1059, 1, 0},
		"broken":                 {pieces("cup", 2), yes(ordering.RefundRequest{Goods: ordering.WriteOff}), 2118, 0, 2},
		"kept":                   {pieces("cup", 2), yes(ordering.RefundRequest{Goods: ordering.Keep}), 2118, 2, 0},
		"less money":             {pieces("cup", 2), yes(ordering.RefundRequest{Amount: some(100)}), 100, 0, 0},
		"no money":               {pieces("cup", 2), yes(ordering.RefundRequest{Amount: some(0), Goods: ordering.WriteOff}), 0, 0, 2},
		"no money, and kept":     {pieces("cup", 2), yes(ordering.RefundRequest{Amount: some(0), Goods: ordering.Keep}), 0, 2, 0},
		"declined":               {pieces("cup", 2), ordering.ReturnDecision{Outcome: ordering.Declined, Note: "worn"}, 0, 2, 0},
		"a line for less":        {pieces("cup", 2), yes(ordering.RefundRequest{Lines: []ordering.RefundLine{{SKU: "cup", Quantity: 2, Amount: some(7)}}}), 7, 0, 0},
		"a reduction, no pieces": {pieces("cup", 2), yes(ordering.RefundRequest{Lines: []ordering.RefundLine{{SKU: "cup", Amount: some(7)}}}), 7, 2, 0},
	} {
		s := shelve(t, "pay ship deliver")
		s.must(asksFor(c.asked...))
		s.must(closes(c.d))
		closed := s.o.Returns[0].Closed
		if s.is(name, c.sold, c.off); s.o.RefundedTotal().Minor != c.refunded || closed == nil || closed.Outcome != c.d.Outcome || closed.Note != c.d.Note {
			t.Errorf("%s: %s refunded, %+v", name, s.o.RefundedTotal(), closed)
		}
		if r, made := s.o.Refund(closed.Refund); made != (c.refunded > 0) || made && (r.V != closed.V || r.Reason != "return r1") {
			t.Errorf("%s: its refund is %+v", name, r)
		}
		before := s.o
		s.must(func(o *ordering.Order) error { return o.CloseReturn("r1", c.d, noon) })
		if before.Version++; !s.o.Equal(before) {
			t.Errorf("%s: closed again", name)
		}
	}
}

// What cannot be leaves the return open, and with it the commission's hold.
func TestRefusedDecisionsLeaveTheReturnOpen(t *testing.T) {
	euro := money.Of(1, "EUR")
	far := yuan(9000)
	long := make([]rune, ordering.MaxReturnText+1)
	for i := range long {
		long[i] = '字'
	}
	for code, d := range map[string]ordering.ReturnDecision{
		"return_outcome":         {Outcome: "perhaps"},
		"too_long":               {Outcome: ordering.Declined, Note: string(long)},
		"return_declined_refund": {Outcome: ordering.Declined, Refund: ordering.RefundRequest{Goods: ordering.Keep}},
		"goods_unknown":          {Outcome: ordering.Accepted, Refund: ordering.RefundRequest{Goods: "elsewhere"}},
		"currency_other":         {Outcome: ordering.Accepted, Refund: ordering.RefundRequest{Shipping: &euro}},
		"refund_quantity":        {Outcome: ordering.Accepted, Refund: ordering.RefundRequest{Lines: cups(3)}},
		"refund_too_large":       {Outcome: ordering.Accepted, Refund: ordering.RefundRequest{Amount: &far}},
		"refund_either":          {Outcome: ordering.Accepted, Refund: ordering.RefundRequest{Amount: &far, Lines: cups(1)}},
	} {
		s := shelve(t, "pay ship deliver")
		s.must(asksFor(pieces("cup", 2)...))
		if err := s.do(closes(d)); !fail.Is(err, code) && !hasField(err, code) {
			t.Errorf("%s: %v", code, err)
		}
		if s.o.OpenReturn() == nil || len(s.o.Refunds) != 0 {
			t.Errorf("%s: %+v", code, s.o.Returns)
		}
		if late := s.o.Clone(); late.Mature(noon.AddDate(1, 0, 0)) != nil || late.Released != nil {
			t.Errorf("%s: released", code)
		}
	}
	one := yuan(1)
	for name, gives := range map[string]ordering.RefundRequest{"pieces": {Lines: cups(1)}, "shipping": {Shipping: &one}, "an amount": {Amount: &one}} {
		s := shelve(t, "pay ship deliver")
		s.must(asksFor(pieces("cup", 2)...))
		if err := s.do(closes(ordering.ReturnDecision{Outcome: ordering.Declined, Refund: gives})); !hasField(err, "return_declined_refund") {
			t.Errorf("a declined return gives back %s: %v", name, err)
		}
	}
	s := shelve(t, "pay ship deliver")
	if err := s.do(closes(ordering.ReturnDecision{Outcome: ordering.Accepted})); !fail.Is(err, "return_unknown") {
		t.Errorf("a return of nobody: %v", err)
	}
}

func hasField(err error, code string) bool {
	e, ok := errors.AsType[*fail.Error](err)
	return ok && slices.ContainsFunc(e.Fields, func(f fail.Field) bool { return f.Code == code })
}

// TestReturnsHaveBounds: what was refunded or came back cannot be returned, however that happened.
func TestReturnsHaveBounds(t *testing.T) {
	accept := ordering.ReturnDecision{Outcome: ordering.Accepted}
	s := shelve(t, "pay ship deliver")
	s.must(refunds("a", ordering.RefundRequest{Lines: cups(1)})) // kept
	if s.is("a refund of what the shopper has", 2, 0); s.o.Returnable(0) != 1 || s.o.Returnable(1) != 1 {
		t.Errorf("%d and %d can be returned", s.o.Returnable(0), s.o.Returnable(1))
	}
	if err := s.do(asksFor(pieces("cup", 2)...)); !hasField(err, "return_quantity") {
		t.Errorf("two of one left: %v", err)
	}
	if err := s.do(asksFor(pieces("cup", 3)...)); !hasField(err, "out_of_range") {
		t.Errorf("three of two bought: %v", err)
	}
	s.must(asksFor())
	if got := fmt.Sprint(s.o.Returns[0].Lines); got != "[{cup 1} {tea 1}]" {
		t.Errorf("everything is %s", got)
	}
	s.must(refunds("b", ordering.RefundRequest{Lines: []ordering.RefundLine{{SKU: "Cup", Quantity: 1}}})) // while the return is open, so it is about it
	s.is("a refund beside the return", 1, 0)
	s.must(closes(accept))
	if s.is("then the return", 1, 0); s.o.RefundedLine(0, 0).Quantity != 2 || s.o.RefundedTotal().Minor != 2118+5300 {
		t.Errorf("%+v", s.o.Refunds)
	}
	if err := s.do(asksFor()); !fail.Is(err, "order_refunded") {
		t.Errorf("a return of nothing: %v", err)
	}
	// By an amount alone, nobody knows of which pieces.
	s = shelve(t, "pay ship deliver")
	s.must(asksFor(pieces("cup", 2)...))
	all := s.o.Total
	s.must(refunds("a", ordering.RefundRequest{Amount: &all}))
	s.must(closes(accept))
	if s.is("refunded in full before it was closed", 0, 0); s.o.Returns[0].Closed.Refund != "" {
		t.Errorf("%+v", s.o.Returns)
	}
	if err := s.do(asksFor()); !fail.Is(err, "order_refunded") {
		t.Errorf("a return of a fully refunded order: %v", err)
	}
	one := shelve(t, "pay ship deliver")
	tea := yuan(5300)
	one.must(refunds("a", ordering.RefundRequest{Lines: []ordering.RefundLine{{SKU: "tea", Amount: &tea}}}))
	if one.o.Returnable(1) != 0 || len(one.o.CanReturn()) != 1 {
		t.Errorf("a line whose money has gone back: %v", one.o.CanReturn())
	}
}

// TestReturnsOfWhatCostsNothing: goods come back also where there is no money to give back, and with no more than there is.
func TestReturnsOfWhatCostsNothing(t *testing.T) {
	accept := ordering.ReturnDecision{Outcome: ordering.Accepted}
	// The money of the cups went back while their return was open.
	s := shelve(t, "pay ship deliver")
	s.must(asksFor(pieces("cup", 2)...))
	cup := yuan(2118)
	s.must(refunds("a", ordering.RefundRequest{Lines: []ordering.RefundLine{{SKU: "cup", Amount: &cup}}}))
	named := accept
	named.Refund.Lines = cups(1)
	if err := s.do(closes(named)); !fail.Is(err, "refund_empty") || s.o.OpenReturn() == nil {
		t.Errorf("a piece that is worth nothing any more: %v", err)
	}
	s.must(closes(accept))
	if s.is("goods without money", 0, 0); len(s.o.Refunds) != 1 || s.o.Returns[0].Closed.Refund != "" {
		t.Errorf("%+v", s.o.Returns)
	}
	// An order to be paid on delivery was received, is to be returned, and ends because nobody paid.
	unpaid, err := walk(placed(t, ordering.OnDelivery), "ship")
	if err != nil {
		t.Fatal(err)
	}
	for _, do := range []func(*ordering.Order) error{
		func(o *ordering.Order) error { return o.Deliver("shopper", noon) },
		asksFor(),
		func(o *ordering.Order) error { return o.ReturnToSender("x", noon) },
		closes(accept),
	} {
		if err := do(&unpaid); err != nil {
			t.Fatal(err)
		}
		unpaid.Version++
	}
	if len(unpaid.Goods)+len(unpaid.Refunds) != 0 || unpaid.OpenReturn() != nil {
		t.Errorf("an unpaid order that ended: %+v, %+v", unpaid.Goods, unpaid.Refunds)
	}
	// A gift alone does not make an order returnable of which everything was refunded.
	o, _ := walk(placed(t, "sandbox"), "pay ship deliver")
	nothing := yuan(0)
	o.Lines = append(o.Lines, ordering.Line{SKU: "gift", VariantID: "v-gift", Quantity: 1, Unit: nothing, Discount: nothing, Net: nothing, Tax: nothing})
	all := o.Total
	if _, err := o.RequestRefund(ordering.RefundRequest{ID: "a", Reason: "x", Amount: &all}, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := o.RequestReturn(nil, noon); !fail.Is(err, "order_refunded") {
		t.Errorf("a return of a gift: %v", err)
	}
}

// TestGoodsFollowTheOrder: where pieces go when a refund does not say follows from where they are.
func TestGoodsFollowTheOrder(t *testing.T) {
	s := shelve(t, "pay")
	s.must(refunds("a", ordering.RefundRequest{Lines: cups(1)}))
	s.is("not shipped", 1, 0)
	s.must(func(o *ordering.Order) error { return o.Cancel("x", noon) })
	s.is("then cancelled", 0, 0)

	s = shelve(t, "pay")
	s.must(refunds("a", ordering.RefundRequest{Lines: cups(1), Goods: ordering.WriteOff}))
	s.is("broken before it was shipped", 1, 1)
	s.must(func(o *ordering.Order) error { return o.Cancel("x", noon) })
	s.is("then cancelled", 0, 1)
	s.must(func(o *ordering.Order) error { return o.SettleRefund(ordering.Outcome{ID: o.Refunds[1].ID}, noon) })
	if err := s.do(refunds("b", ordering.RefundRequest{Lines: cups(1), Goods: ordering.Restock})); !fail.Is(err, "goods_settled") {
		t.Errorf("goods of a cancelled order were moved again: %v", err)
	}
	s.must(refunds("b", ordering.RefundRequest{Lines: cups(1)}))
	if s.is("and refunded again", 0, 1); s.o.Refunds[2].Lines[0].Goods != "" {
		t.Errorf("goods of a cancelled order go somewhere: %+v", s.o.Refunds[2])
	}

	s = shelve(t, "pay")
	if err := s.do(refunds("a", ordering.RefundRequest{Lines: cups(1), Goods: ordering.Keep})); !hasField(err, "goods_not_shipped") {
		t.Errorf("the shopper keeps what was never shipped: %v", err)
	}
	partly := shelve(t, "pay")
	partly.must(func(o *ordering.Order) error {
		return o.Ship(ordering.Shipment{Carrier: "SF", Tracking: "1", SKUs: []string{o.Lines[1].SKU}}, noon)
	})
	kept := []ordering.RefundLine{{SKU: partly.o.Lines[1].SKU, Quantity: 1}}
	if partly.o.Lines[0].SKU != "cup" || hasField(partly.do(refunds("b", ordering.RefundRequest{Lines: kept, Goods: ordering.Keep})), "goods_not_shipped") {
		t.Error("what is in the first parcel cannot be kept")
	}
	if err := partly.do(refunds("a", ordering.RefundRequest{Lines: cups(1), Goods: ordering.Keep})); !hasField(err, "goods_not_shipped") {
		t.Errorf("the shopper keeps what is not in the first parcel: %v", err)
	}
	all := s.o.Total
	if err := s.do(refunds("a", ordering.RefundRequest{Amount: &all, Goods: ordering.Keep})); !hasField(err, "goods_not_shipped") {
		t.Errorf("the shopper keeps everything that was never shipped: %v", err)
	}
	s.must(refunds("a", ordering.RefundRequest{Amount: &all, Goods: ordering.WriteOff}))
	if s.is("everything, broken", 0, 2); s.o.Withdrawn == nil {
		t.Error("it will be shipped")
	}

	s = shelve(t, "pay ship")
	half := yuan(500)
	if err := s.do(refunds("a", ordering.RefundRequest{Amount: &half, Goods: ordering.Restock})); !hasField(err, "goods_without_lines") {
		t.Errorf("nobody knows of which pieces: %v", err)
	}
	s.must(refunds("a", ordering.RefundRequest{Amount: &half}))
	s.is("a part of the money", 2, 0)
	s.must(refunds("b", ordering.RefundRequest{Lines: cups(1)}))
	s.is("on the way", 2, 0)
	s.must(refunds("c", ordering.RefundRequest{Lines: cups(1), Goods: ordering.Restock}))
	s.is("came back", 1, 0)
}

// TestGoodsStayWhateverBecomesOfTheRefund: a refund that fails leaves the goods where they are, and the next one for the same
// pieces moves none.
func TestGoodsStayWhateverBecomesOfTheRefund(t *testing.T) {
	fails := func(id string) func(*ordering.Order) error {
		return func(o *ordering.Order) error { return o.SettleRefund(ordering.Outcome{ID: id}, noon) }
	}
	s := shelve(t, "pay ship deliver")
	s.must(refunds("a", ordering.RefundRequest{Lines: cups(1), Goods: ordering.Restock}))
	s.must(fails("a"))
	if s.is("its refund failed", 1, 0); s.o.Returnable(0) != 1 {
		t.Errorf("%d can be returned", s.o.Returnable(0))
	}
	s.must(refunds("b", ordering.RefundRequest{Lines: cups(1)}))
	if s.is("refunded again", 1, 0); s.o.Returnable(0) != 1 {
		t.Errorf("then %d can be returned", s.o.Returnable(0))
	}
	s.must(fails("b"))
	s.must(refunds("c", ordering.RefundRequest{Lines: cups(2), Goods: ordering.WriteOff}))
	s.is("refunded with the other one", 0, 1)
}

// TestGoodsStayInBalance lets everything happen in any order: stock stays in balance, and no more comes back than was sold.
func TestGoodsStayInBalance(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 5))
		s := shelve(t, "")
		for n := range 25 {
			goods := []ordering.Disposition{"", "", ordering.Restock, ordering.WriteOff, ordering.Keep}[r.IntN(5)]
			id := fmt.Sprint("x", n)
			minor := yuan(1 + r.Int64N(3000))
			q := ordering.RefundRequest{Lines: cups(1 + r.Int64N(2)), Goods: goods}
			if r.IntN(4) == 0 {
				q = ordering.RefundRequest{Amount: &minor, Goods: goods}
			}
			_ = s.do([]func(*ordering.Order) error{
				func(o *ordering.Order) error { return o.Capture("p1", o.Total, noon) },
				func(o *ordering.Order) error { return o.Ship(ordering.Shipment{Carrier: "SF", Tracking: "1"}, noon) },
				func(o *ordering.Order) error { return o.Deliver("shopper", noon) },
				func(o *ordering.Order) error {
					if r.IntN(3) > 0 {
						return nil
					}
					return o.Cancel("x", noon)
				},
				refunds(id, q), refunds(id, q),
				asksFor(pieces("cup", 1+r.Int64N(2))...),
				closes(ordering.ReturnDecision{Outcome: ordering.Accepted, Refund: q}),
				closes(ordering.ReturnDecision{Outcome: ordering.Accepted, Refund: ordering.RefundRequest{Goods: goods}}),
				func(o *ordering.Order) error {
					for _, x := range o.Refunds {
						if x.Open() {
							return o.SettleRefund(ordering.Outcome{ID: x.ID, ProviderID: "re " + x.ID, Succeeded: r.IntN(2) == 0}, noon)
						}
					}
					return nil
				},
			}[r.IntN(10)])
			restocked, off := s.o.GoodsOf(0)
			if restocked+off > 2 || s.o.Returnable(0) < 0 {
				t.Fatalf("seed %d: %d and %d of two came back, %d can still", seed, restocked, off, s.o.Returnable(0))
			}
		}
	}
}

// TestEveryReturnBringsItsOwnGoods: what came back before, with less money or with a refund that failed, is not what comes back now.
func TestEveryReturnBringsItsOwnGoods(t *testing.T) {
	fails := func(id string) func(*ordering.Order) error {
		return func(o *ordering.Order) error { return o.SettleRefund(ordering.Outcome{ID: id}, noon) }
	}
	accept := ordering.ReturnDecision{Outcome: ordering.Accepted}
	little, nothing := yuan(100), yuan(0)
	for name, first := range map[string]ordering.RefundRequest{"for less": {Amount: &little}, "for nothing": {Amount: &nothing}} {
		s := shelve(t, "pay ship deliver")
		s.must(asksFor(pieces("cup", 1)...))
		s.must(closes(ordering.ReturnDecision{Outcome: ordering.Accepted, Refund: first}))
		s.is(name, 1, 0)
		s.must(asksFor(pieces("cup", 1)...))
		s.must(closes(ordering.ReturnDecision{Outcome: ordering.Accepted, Refund: ordering.RefundRequest{Goods: ordering.WriteOff}}))
		if s.is(name+", then the other one", 0, 1); s.o.RefundedLine(0, 0).Quantity != 1 {
			t.Errorf("%s: %+v", name, s.o.Refunds)
		}
	}

	s := shelve(t, "pay ship deliver")
	s.must(asksFor(pieces("cup", 1)...))
	s.must(closes(accept))
	s.must(fails("refund of r1"))
	s.must(asksFor(pieces("cup", 1)...))
	s.must(closes(accept))
	s.is("the first refund failed, then the other piece", 0, 0)
	s.must(refunds("again", ordering.RefundRequest{Lines: cups(1)}))
	if s.is("the failed one again", 0, 0); s.o.RefundedLine(0, 0).Gross() != 2118 {
		t.Errorf("%+v", s.o.Refunds)
	}

	// What is named beyond what was asked for may be refunded, but only what the shopper still has can come back.
	s = shelve(t, "pay ship deliver")
	s.must(asksFor(pieces("cup", 1)...))
	s.must(closes(ordering.ReturnDecision{Outcome: ordering.Accepted, Refund: ordering.RefundRequest{Amount: &little}}))
	s.must(asksFor(pieces("cup", 1)...))
	s.must(closes(ordering.ReturnDecision{Outcome: ordering.Accepted, Refund: ordering.RefundRequest{Lines: cups(2)}}))
	s.is("both, of which one was back", 0, 0)

	// A refund beside an open return is about it: when it fails, its piece is back and its money is still owed.
	for name, c := range map[string]struct {
		d        ordering.ReturnDecision
		asked    int64
		refunded int64
	}{
		"all of it":     {accept, 2, 2118},
		"one of two":    {accept, 1, 1059},
		"by an amount":  {ordering.ReturnDecision{Outcome: ordering.Accepted, Refund: ordering.RefundRequest{Amount: &little}}, 1, 100},
		"by two pieces": {ordering.ReturnDecision{Outcome: ordering.Accepted, Refund: ordering.RefundRequest{Lines: cups(2)}}, 2, 2118},
	} {
		s := shelve(t, "pay ship deliver")
		s.must(asksFor(pieces("cup", c.asked)...))
		s.must(refunds("beside", ordering.RefundRequest{Lines: cups(1)}))
		s.must(fails("beside"))
		s.is(name+": its refund failed", 1, 0)
		s.must(closes(c.d))
		if s.is(name, 2-c.asked, 0); s.o.RefundedTotal().Minor != c.refunded {
			t.Errorf("%s: %s refunded", name, s.o.RefundedTotal())
		}
	}
}

// TestReturnsOfWhatNobodyPaid: goods come back without money, those that are named or all; money that was never there does not.
func TestReturnsOfWhatNobodyPaid(t *testing.T) {
	little := yuan(100)
	for name, c := range map[string]struct {
		q    ordering.RefundRequest
		code string
		sold int64
	}{
		"all":             {ordering.RefundRequest{}, "", 0},
		"named":           {ordering.RefundRequest{Lines: cups(1)}, "", 1},
		"more than there": {ordering.RefundRequest{Lines: cups(3)}, "out_of_range", 2},
		"an amount":       {ordering.RefundRequest{Amount: &little}, "order_unpaid", 2},
		"shipping":        {ordering.RefundRequest{Shipping: &little}, "order_unpaid", 2},
		"a line's amount": {ordering.RefundRequest{Lines: []ordering.RefundLine{{SKU: "cup", Quantity: 1, Amount: &little}}}, "order_unpaid", 2},
	} {
		o, err := walk(placed(t, ordering.OnDelivery), "ship")
		if err != nil {
			t.Fatal(err)
		}
		s := &shelved{t: t, stock: map[string]catalogue.Stock{}}
		for _, l := range o.Lines {
			s.stock[l.SKU] = catalogue.Stock{Available: 100, Received: 100}
		}
		s.take(o)
		s.must(func(o *ordering.Order) error { return o.Deliver("shopper", noon) })
		s.must(asksFor(pieces("cup", 2)...))
		err = s.do(closes(ordering.ReturnDecision{Outcome: ordering.Accepted, Refund: c.q}))
		if c.code == "" && err != nil || c.code != "" && !fail.Is(err, c.code) && !hasField(err, c.code) {
			t.Errorf("%s: %v", name, err)
		}
		s.is(name, c.sold, 0)
	}
}

// A return names lines as the order spells them, however the shopper did.
func TestAReturnSpellsLinesLikeTheOrder(t *testing.T) {
	s := shelve(t, "pay ship deliver")
	s.must(asksFor(pieces("ＣＵＰ", 1)...))
	if got := s.o.Returns[0].Lines[0].SKU; got != "cup" {
		t.Errorf("it is about %q", got)
	}
	s.must(refunds("beside", ordering.RefundRequest{Lines: cups(1)}))
	s.is("a refund beside it", 1, 0)
}
