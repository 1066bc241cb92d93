package ordering_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

// refusal is something that is refused by its code, beside what differs in nothing but the reason and passes.
type refusal struct {
	code            string
	passes, refused func() error
}

func expect(t *testing.T, cases map[string]refusal) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if err := c.passes(); err != nil {
				t.Errorf("what should pass: %v", err)
			}
			if err := c.refused(); !codes(err, c.code) {
				t.Errorf("expected %s: %v", c.code, err)
			}
		})
	}
}

// codes reports whether a refusal has a code, or a field at which the code stands: "body.reason text_length".
func codes(err error, code string) bool {
	var refused *fail.Error
	return fail.Is(err, code) || errors.As(err, &refused) && slices.ContainsFunc(refused.Fields, func(f fail.Field) bool { return f.Location+" "+f.Code == code })
}

// after does something to an order that went along a path, as often as times says; the last time counts.
func after(t *testing.T, path string, times int, do func(o *ordering.Order, i int) error) func() error {
	return func() error {
		o, err := walk(placed(t, "sandbox"), path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range times - 1 {
			if err := do(&o, i); err != nil {
				t.Fatalf("time %d of %d: %v", i+1, times, err)
			}
			o.Version++
		}
		return do(&o, times-1)
	}
}

func TestRefusedPaymentsAndParcels(t *testing.T) {
	pay := func(extra int64) func(o *ordering.Order, i int) error {
		return func(o *ordering.Order, i int) error { return o.Capture(fmt.Sprint(i), yuan(o.Total.Minor+extra), noon) }
	}
	open := func(o *ordering.Order, _ int) error { return o.OpenSession("s") }
	ship := func(s ordering.Shipment) func(o *ordering.Order, i int) error {
		return func(o *ordering.Order, i int) error {
			s := s
			s.Tracking = strings.Replace(s.Tracking, "#", fmt.Sprint(i), 1)
			return o.Ship(s, noon)
		}
	}
	parcel := ship(ordering.Shipment{Carrier: "SF", Tracking: "#"})
	text := strings.Repeat
	returned := func(failed bool) func(o *ordering.Order, i int) error {
		return func(o *ordering.Order, i int) error {
			all := o.Total
			if !failed {
				all.Minor--
			}
			if _, err := o.RequestRefund(ordering.RefundRequest{ID: "all", Reason: "x", Amount: &all}, noon); err != nil {
				return err
			}
			if err := o.SettleRefund(ordering.Outcome{ID: "all"}, noon); err != nil { // it fails, and the goods stay on the shelf
				return err
			}
			return parcel(o, i)
		}
	}
	expect(t, map[string]refusal{
		"another amount":     {"payment_differs", after(t, "", 1, pay(0)), after(t, "", 1, pay(1))},
		"many payments":      {"payments_too_many", after(t, "", ordering.MaxCaptures, pay(0)), after(t, "", ordering.MaxCaptures+1, pay(0))},
		"a session":          {"order_status_pay", after(t, "", 1, open), after(t, "pay", 1, open)},
		"many parcels":       {"shipments_too_many", after(t, "pay", ordering.MaxParcels, parcel), after(t, "pay", ordering.MaxParcels+1, parcel)},
		"goods on the shelf": {"order_refunded", after(t, "pay", 1, returned(false)), after(t, "pay", 1, returned(true))},
		"no carrier":         {"body.carrier text_length", after(t, "pay", 1, parcel), after(t, "pay", 1, ship(ordering.Shipment{Tracking: "1"}))},
		"a long carrier": {"body.carrier text_length", after(t, "pay", 1, ship(ordering.Shipment{Carrier: text("运", 60), Tracking: "1"})),
			after(t, "pay", 1, ship(ordering.Shipment{Carrier: text("运", 61), Tracking: "1"}))},
		"no number": {"body.tracking text_length", after(t, "pay", 1, parcel), after(t, "pay", 1, ship(ordering.Shipment{Carrier: "SF"}))},
		"a long number": {"body.tracking text_length", after(t, "pay", 1, ship(ordering.Shipment{Carrier: "SF", Tracking: text("1", 80)})),
			after(t, "pay", 1, ship(ordering.Shipment{Carrier: "SF", Tracking: text("1", 81)}))},
		"goods of others": {"body.lines sku_not_ordered", after(t, "pay", 1, ship(ordering.Shipment{Carrier: "SF", Tracking: "1", SKUs: []string{"tea"}})),
			after(t, "pay", 1, ship(ordering.Shipment{Carrier: "SF", Tracking: "1", SKUs: []string{"free"}}))},
	})
}

func TestRefusedHoldsAndDecisions(t *testing.T) {
	redrive := func(o *ordering.Order, _ int) error { return o.Redrive(noon) }
	hold := func(reason string) func(o *ordering.Order, i int) error {
		return func(o *ordering.Order, _ int) error {
			err := o.Hold(reason, "op", noon)
			o.Lift("", noon)
			return err
		}
	}
	released := func(o *ordering.Order, i int) error {
		if err := o.Decide(ordering.Award{Cause: ordering.CausePlacement}); err != nil {
			return err
		}
		if err := o.Mature(noon.AddDate(0, 0, o.Terms.ReturnDays)); err != nil || o.Released == nil {
			return fmt.Errorf("not released: %w", err)
		}
		return hold("x")(o, i)
	}
	decide := func(change func(a *ordering.Award)) func(o *ordering.Order, i int) error {
		return func(o *ordering.Order, i int) error {
			a := ordering.Award{Cause: fmt.Sprint(i), Winners: []ordering.Winner{{KOC: "mei", Share: 4000}, {KOC: "lin", Share: 6000}}, Rates: make([]ordering.LineRate, len(o.Lines))}
			change(&a)
			return o.Decide(a)
		}
	}
	well := decide(func(*ordering.Award) {})
	months := func(n int) func(o *ordering.Order, i int) error {
		return decide(func(a *ordering.Award) { a.Months = make([]ordering.MonthTerm, n) })
	}
	text := strings.Repeat
	expect(t, map[string]refusal{
		"many redrives":   {"redrives_too_many", after(t, "", ordering.MaxRedrives, redrive), after(t, "", ordering.MaxRedrives+1, redrive)},
		"no reason":       {"body.reason text_length", after(t, "", 1, hold("x")), after(t, "", 1, hold(""))},
		"a long reason":   {"body.reason text_length", after(t, "", 1, hold(text("因", 500))), after(t, "", 1, hold(text("因", 501)))},
		"many holds":      {"holds_too_many", after(t, "", ordering.MaxHolds, hold("x")), after(t, "", ordering.MaxHolds+1, hold("x"))},
		"released":        {"order_released", after(t, "pay ship deliver", 1, hold("x")), after(t, "pay ship deliver", 1, released)},
		"many decisions":  {"awards_too_many", after(t, "", ordering.MaxAwards, well), after(t, "", ordering.MaxAwards+1, well)},
		"shares too low":  {"award_malformed", after(t, "", 1, well), after(t, "", 1, decide(func(a *ordering.Award) { a.Winners[0].Share-- }))},
		"a rate too few":  {"award_malformed", after(t, "", 1, well), after(t, "", 1, decide(func(a *ordering.Award) { a.Rates = a.Rates[1:] }))},
		"too many months": {"award_malformed", after(t, "", 1, months(ordering.MaxMonths)), after(t, "", 1, months(ordering.MaxMonths+1))},
	})
}

func TestRefusedBaskets(t *testing.T) {
	merge := func(n int, name string) func() error {
		return func() error {
			var lines []ordering.BasketLine
			for i := range n {
				lines = append(lines, line(fmt.Sprint(name, i), 1))
			}
			_, err := ordering.MergeBasket(lines)
			return err
		}
	}
	price := func(minor int64) func() error {
		return func() error {
			s := settings()
			s.Tax, s.Shipping.Fee = 0, 0
			items := sold()
			dear := items["tea"]
			dear.Price = yuan(minor)
			items["tea"] = dear
			_, err := ordering.Price(basket(line("tea", 2)), items, s)
			return err
		}
	}
	left := func(available int64) func() error {
		return func() error {
			items := sold()
			tea := items["tea"]
			tea.Stock.Available = available
			items["tea"] = tea
			_, err := ordering.Price(basket(line("tea", 2)), items, settings())
			return err
		}
	}
	expect(t, map[string]refusal{
		"many lines":  {"body.lines list_length", merge(ordering.MaxLines, "tea"), merge(ordering.MaxLines+1, "tea")},
		"no SKU":      {"body.lines[0].sku sku_unknown", merge(1, "tea"), merge(1, "tea\n")},
		"a fortune":   {"order_too_large", price(money.MaxMinor / 2), price(money.MaxMinor/2 + 1)},
		"one left":    {"stock_short", left(2), left(1)},
		"nothing":     {"sold_out", left(2), left(0)},
		"oversold":    {"sold_out", left(2), left(-1)},
		"not for yen": {"body.lines[0].sku sku_unknown", left(2), func() error { _, err := ordering.Price(basket(line("euro", 1)), sold(), settings()); return err }},
		"not at all": {"body.lines[0].sku sku_unknown", left(2), func() error {
			_, err := ordering.Price(basket(line("nope", 1)), map[string]catalogue.Sellable{}, settings())
			return err
		}},
	})
}

// TestHowManyAreLeftIsToldOfFew: what is told of more would tell competitors how much there is.
func TestHowManyAreLeftIsToldOfFew(t *testing.T) {
	item := catalogue.Sellable{SKU: "tea", Title: "茶"}
	for left, code := range map[int64]string{0: "sold_out", 1: "stock_short", 10: "stock_short", 11: "stock_less", 999: "stock_less"} {
		err := ordering.SoldOut(item, left)
		e, ok := errors.AsType[*fail.Error](err)
		if !ok || e.Code != code || (e.Args["left"] != nil) != (code == "stock_short") || code == "stock_less" && strings.Contains(err.Error(), fmt.Sprint(left)) {
			t.Errorf("%d left: %v", left, err)
		}
	}
}

func TestRefusedRefunds(t *testing.T) {
	ask := func(q ordering.RefundRequest) func(o *ordering.Order, i int) error {
		return func(o *ordering.Order, i int) error {
			q := q
			if q.ID = fmt.Sprint(i); q.Reason == "" {
				q.Reason = "x"
			}
			_, err := o.RequestRefund(q, noon)
			return err
		}
	}
	sum := func(minor int64) ordering.RefundRequest {
		a := yuan(minor)
		return ordering.RefundRequest{Amount: &a}
	}
	of := func(sku string, quantity, minor int64) ordering.RefundLine {
		a := yuan(minor)
		return ordering.RefundLine{SKU: sku, Quantity: quantity, Amount: &a}
	}
	lines := func(l ...ordering.RefundLine) ordering.RefundRequest { return ordering.RefundRequest{Lines: l} }
	mixed := func(part ordering.RefundRequest, minor int64) ordering.RefundRequest {
		part.Amount = sum(minor).Amount
		return part
	}
	once := func(q ordering.RefundRequest) func() error { return after(t, "pay", 1, ask(q)) }
	because := func(reason string) ordering.RefundRequest {
		q := sum(1)
		q.Reason = reason
		return q
	}
	many := func(n int) (q ordering.RefundRequest) {
		for i := range n {
			q.Lines = append(q.Lines, of(fmt.Sprint("s", i), 0, 1))
		}
		return q
	}
	// An order of as many lines as there can be, so that it is their number that is refused.
	wide := func(q ordering.RefundRequest) func() error {
		return after(t, "pay", 1, func(o *ordering.Order, i int) error {
			o.Lines = nil
			for i := range ordering.MaxLines {
				o.Lines = append(o.Lines, ordering.Line{SKU: fmt.Sprint("s", i), Quantity: 1, Net: yuan(10), Tax: yuan(0)})
			}
			return ask(q)(o, i)
		})
	}
	shipping := yuan(800)
	contested := func(minor int64) func() error { // the bank is deciding about all but 1,000
		return after(t, "pay", 1, func(o *ordering.Order, i int) error {
			record(t, o, disputed(ordering.DisputeOpened, o.Total.Minor-1000))
			return ask(lines(of("tea", 0, minor)))(o, i)
		})
	}
	expect(t, map[string]refusal{
		"a long reason":        {"body.reason text_length", once(because(strings.Repeat("因", 500))), once(because(strings.Repeat("因", 501)))},
		"more than was paid":   {"refund_too_large", once(sum(8218)), once(sum(8219))},
		"more than exists":     {"body.amount out_of_range", once(sum(1)), once(sum(money.MaxMinor + 1))},
		"more than is free":    {"refund_disputed", contested(1000), contested(1001)},
		"many lines":           {"body.lines too_many", wide(many(ordering.MaxLines)), wide(many(ordering.MaxLines + 1))},
		"fewer than no pieces": {"body.lines[0].quantity out_of_range", once(lines(of("tea", 0, 5))), once(lines(of("tea", -1, 5)))},
		"no pieces":            {"body.lines[0].quantity out_of_range", once(lines(of("tea", 0, 5))), once(lines(ordering.RefundLine{SKU: "tea"}))},
		"lines and an amount":  {"body.amount refund_either", once(sum(5)), once(mixed(lines(of("tea", 0, 5)), 5))},
		"freight and amount":   {"body.amount refund_either", once(sum(5)), once(mixed(ordering.RefundRequest{Shipping: &shipping}, 5))},
		"many refunds":         {"refunds_too_many", after(t, "pay", ordering.MaxRefunds, ask(sum(1))), after(t, "pay", ordering.MaxRefunds+1, ask(sum(1)))},
		"more than the line":   {"refund_too_large", once(lines(of("tea", 0, 5300))), once(lines(of("tea", 0, 5301)))},
	})
}

func TestRefusedOutcomesOfRefunds(t *testing.T) {
	ours := func(out ordering.Outcome) func() error {
		return after(t, "pay", 1, func(o *ordering.Order, _ int) error {
			a := yuan(500)
			if _, err := o.RequestRefund(ordering.RefundRequest{ID: "ours", Reason: "x", Amount: &a}, noon); err != nil {
				return err
			}
			out.ID = "ours"
			return o.SettleRefund(out, noon)
		})
	}
	twice := func(first, second bool) func() error {
		return after(t, "pay", 1, func(o *ordering.Order, _ int) error {
			a := yuan(500)
			if _, err := o.RequestRefund(ordering.RefundRequest{ID: "ours", Reason: "x", Amount: &a}, noon); err != nil {
				return err
			}
			if err := o.SettleRefund(ordering.Outcome{ID: "ours", Succeeded: first}, noon); err != nil {
				return err
			}
			return o.SettleRefund(ordering.Outcome{ID: "ours", Succeeded: second}, noon)
		})
	}
	theirs := func(times int, amount money.Amount) func() error {
		return after(t, "pay", times, func(o *ordering.Order, i int) error {
			return o.SettleRefund(ordering.Outcome{ID: fmt.Sprint("ext", i), Amount: amount, Succeeded: true}, noon)
		})
	}
	expect(t, map[string]refusal{
		"another amount":          {"refund_differs", ours(ordering.Outcome{Amount: yuan(500), Succeeded: true}), ours(ordering.Outcome{Amount: yuan(501), Succeeded: true})},
		"failed, then succeeded":  {"refund_contradiction", twice(false, false), twice(false, true)},
		"succeeded, then failed":  {"refund_contradiction", twice(true, true), twice(true, false)},
		"in other money":          {"refund_differs", theirs(1, yuan(5)), theirs(1, money.Of(5, "EUR"))},
		"of nothing":              {"refund_differs", theirs(1, yuan(1)), theirs(1, yuan(0))},
		"of less than nothing":    {"refund_differs", theirs(1, yuan(1)), theirs(1, yuan(-1))},
		"of more than was paid":   {"refund_differs", theirs(1, yuan(8218)), theirs(1, yuan(8219))},
		"as often as can be kept": {"refund_differs", theirs(ordering.MaxRefunds, yuan(1)), theirs(ordering.MaxRefunds+1, yuan(1))},
	})
}

func TestRefusedReturns(t *testing.T) {
	ask := func(at time.Time, lines ...ordering.BasketLine) func(o *ordering.Order, i int) error {
		return func(o *ordering.Order, i int) error {
			r, err := o.RequestReturn(lines, at)
			if err == nil {
				err = o.CloseReturn(r.ID, ordering.ReturnDecision{Outcome: ordering.Declined}, at)
			}
			return err
		}
	}
	early := func(path string) func() error { return after(t, path, 1, ask(noon)) }
	released := func(at time.Time) func() error {
		return after(t, "pay ship deliver", 1, func(o *ordering.Order, i int) error {
			if err := o.Decide(ordering.Award{Cause: ordering.CausePlacement}); err != nil {
				return err
			}
			if err := o.Mature(at); err != nil {
				return err
			}
			return ask(noon)(o, i) // by a clock that is behind
		})
	}
	window := noon.AddDate(0, 0, 7)
	times := func(n int) func() error { return after(t, "pay ship deliver", n, ask(noon)) }
	of := func(lines ...ordering.BasketLine) func() error {
		return after(t, "pay ship deliver", 1, ask(noon, lines...))
	}
	closing := func(id string) func() error {
		return after(t, "pay ship deliver", 1, func(o *ordering.Order, _ int) error {
			if _, err := o.RequestReturn(nil, noon); err != nil {
				return err
			}
			return o.CloseReturn(id, ordering.ReturnDecision{Outcome: ordering.Declined}, noon)
		})
	}
	expect(t, map[string]refusal{
		"not delivered":   {"order_status_return", early("pay ship deliver"), early("pay ship")},
		"released":        {"return_too_late", released(window.Add(-time.Second)), released(window)},
		"many returns":    {"returns_too_many", times(ordering.MaxReturns), times(ordering.MaxReturns + 1)},
		"goods of others": {"body.lines[0].sku sku_not_ordered", of(line("tea", 1)), of(line("free", 1))},
		"the same twice":  {"body.lines[1].sku sku_not_ordered", of(line("tea", 1), line("cup", 1)), of(line("cup", 1), line("cup", 1))},
		"no pieces":       {"body.lines[0].quantity out_of_range", of(line("cup", 1)), of(line("cup", 0))},
		"too many pieces": {"body.lines[0].quantity out_of_range", of(line("cup", 2)), of(line("cup", 3))},
		"unknown return":  {"return_unknown", closing("r1"), closing("r2")},
	})
}
