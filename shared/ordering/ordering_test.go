package ordering_test

import (
	"testing"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/shop"
)

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

func yuan(minor int64) money.Amount { return money.Of(minor, "CNY") }

func sold() map[string]catalogue.Sellable {
	return map[string]catalogue.Sellable{
		"tea":  {SKU: "tea", VariantID: "v-tea", Product: "tea", Title: "Tea", Price: yuan(5000), Status: catalogue.Active, Stock: catalogue.Stock{Available: 10}},
		"cup":  {SKU: "cup", VariantID: "v-cup", Product: "cup", Title: "Cup", Price: yuan(999), Status: catalogue.Active, Stock: catalogue.Stock{Available: 3}},
		"old":  {SKU: "old", VariantID: "v-old", Product: "old", Title: "Old", Price: yuan(1), Status: catalogue.Archived, Stock: catalogue.Stock{Available: 3}},
		"free": {SKU: "free", VariantID: "v-free", Product: "free", Title: "Free", Price: yuan(0), Status: catalogue.Active, Stock: catalogue.Stock{Available: 3}},
		"euro": {SKU: "euro", VariantID: "v-euro", Product: "euro", Title: "Euro", Price: money.Of(1, "EUR"), Status: catalogue.Active, Stock: catalogue.Stock{Available: 3}},
	}
}

func settings() shop.Settings {
	s := shop.Default()
	s.Shipping = shop.Shipping{Fee: 800, FreeFrom: 20000}
	s.Tax = 600
	return s
}

func line(sku string, quantity int64) ordering.BasketLine {
	return ordering.BasketLine{SKU: sku, Quantity: quantity}
}

func basket(lines ...ordering.BasketLine) []ordering.BasketLine { return lines }

func TestQuotes(t *testing.T) {
	for name, c := range map[string]struct {
		lines []ordering.BasketLine
		total int64
		code  string
	}{
		"one":          {basket(line("tea", 1)), 5000 + 300 + 800, ""},
		"merged":       {basket(line("tea", 1), line("tea", 1)), 10000 + 600 + 800, ""},
		"free freight": {basket(line("tea", 4)), 20000 + 1200, ""},
		"odd tax":      {basket(line("cup", 1)), 999 + 60 + 800, ""},
		"empty":        {nil, 0, "invalid_fields"},
		"unknown":      {basket(line("nope", 1)), 0, "invalid_fields"},
		"archived":     {basket(line("old", 1)), 0, "invalid_fields"},
		"other money":  {basket(line("euro", 1)), 0, "invalid_fields"},
		"zero":         {basket(line("tea", 0)), 0, "invalid_fields"},
		"negative":     {basket(line("tea", -1)), 0, "invalid_fields"},
		"too many":     {basket(line("tea", 1<<62)), 0, "invalid_fields"},
		"sum too many": {basket(line("tea", 999), line("tea", 1)), 0, "invalid_fields"},
		"short":        {basket(line("cup", 2), line("cup", 2)), 0, "stock_short"},
	} {
		merged, err := ordering.MergeBasket(c.lines)
		var q ordering.Quote
		if err == nil {
			q, err = ordering.Price(merged, sold(), settings())
		}
		if c.code == "" && (err != nil || q.Total.Minor != c.total) || c.code != "" && !fail.Is(err, c.code) {
			t.Errorf("%s: total %v, %v", name, q.Total, err)
		}
	}
}

// placed is an order of two cups and one tea.
func placed(t *testing.T, payment string) ordering.Order {
	t.Helper()
	q, err := ordering.Price(basket(line("cup", 2), line("tea", 1)), sold(), settings())
	if err != nil {
		t.Fatal(err)
	}
	o, err := ordering.Place(ordering.Request{ID: "o1", Payment: payment}, q, settings(), noon)
	if err != nil {
		t.Fatal(err)
	}
	o.Version = 1
	return o
}

func TestTheTotalTheShopperSawCounts(t *testing.T) {
	q, _ := ordering.Price(basket(line("tea", 1)), sold(), settings())
	for expect, code := range map[money.Amount]string{{}: "", q.Total: "", yuan(1): "price_changed", money.Of(q.Total.Minor, "EUR"): "invalid_fields"} {
		_, err := ordering.Place(ordering.Request{Expect: expect}, q, settings(), noon)
		if code == "" && err != nil || code != "" && !fail.Is(err, code) {
			t.Errorf("expect %s: %v", expect, err)
		}
	}
}

// step does something to an order and says whether it is allowed.
type step struct {
	name string
	do   func(o *ordering.Order) error
}

var steps = []step{
	{"pay", func(o *ordering.Order) error { return o.Capture("p1", o.Total, noon) }},
	{"ship", func(o *ordering.Order) error { return o.Ship(ordering.Shipment{Carrier: "SF", Tracking: "1"}, noon) }},
	{"deliver", func(o *ordering.Order) error { return o.Deliver("operator", noon) }},
	{"cancel", func(o *ordering.Order) error { return o.Cancel("", noon) }},
	{"expire", func(o *ordering.Order) error { return o.Mature(o.Terms.HoldUntil) }},
}

func TestWhatCanFollowWhat(t *testing.T) {
	for _, c := range []struct {
		payment, path string
		want          ordering.Status
		refused       bool
	}{
		{"sandbox", "", ordering.Held, false}, {"on_delivery", "", ordering.Confirmed, false},
		{"sandbox", "pay", ordering.Paid, false}, {"sandbox", "pay pay", ordering.Paid, false},
		{"sandbox", "pay ship", ordering.Shipped, false}, {"sandbox", "pay ship deliver", ordering.Delivered, false},
		{"sandbox", "pay ship deliver deliver", ordering.Delivered, false},
		{"on_delivery", "ship", ordering.Shipped, false}, {"on_delivery", "ship deliver", ordering.Delivered, false},
		{"sandbox", "cancel", ordering.Cancelled, false}, {"sandbox", "cancel cancel", ordering.Cancelled, false},
		{"sandbox", "pay cancel", ordering.Cancelled, false}, {"sandbox", "expire", ordering.Expired, false},
		{"on_delivery", "expire", ordering.Confirmed, false}, {"sandbox", "pay expire", ordering.Paid, false},
		{"sandbox", "cancel pay", ordering.Cancelled, false}, {"sandbox", "expire pay", ordering.Expired, false},
		{"sandbox", "ship", ordering.Held, true}, {"sandbox", "deliver", ordering.Held, true},
		{"sandbox", "pay deliver", ordering.Paid, true}, {"sandbox", "pay ship cancel", ordering.Shipped, true},
		{"sandbox", "expire cancel", ordering.Expired, true}, {"sandbox", "cancel ship", ordering.Cancelled, true},
	} {
		o, err := walk(placed(t, c.payment), c.path)
		if o.Status() != c.want || (err != nil) != c.refused || err != nil && fail.KindOf(err) != fail.Conflict {
			t.Errorf("%s after %q: %s, %v", c.payment, c.path, o.Status(), err)
		}
	}
}

func walk(o ordering.Order, path string) (ordering.Order, error) {
	for path != "" {
		for _, s := range steps {
			if len(path) >= len(s.name) && path[:len(s.name)] == s.name {
				if err := s.do(&o); err != nil {
					return o, err
				}
				o.Version++
				path = path[len(s.name):]
			}
		}
		if path != "" && path[0] == ' ' {
			path = path[1:]
		}
	}
	return o, nil
}

func TestMoneyAlwaysFindsItsWayBack(t *testing.T) {
	cancelled, _ := walk(placed(t, "sandbox"), "pay cancel")
	if r := cancelled.Refunds; len(r) != 1 || r[0].Amount != cancelled.Total || cancelled.Refundable().Minor != 0 {
		t.Errorf("cancelled after payment: %+v", r)
	}
	late, _ := walk(placed(t, "sandbox"), "cancel pay")
	if r := late.Refunds; len(r) != 1 || r[0].Amount != late.Total {
		t.Errorf("paid after cancellation: %+v", r)
	}
	twice, _ := walk(placed(t, "sandbox"), "pay")
	if err := twice.Capture("p2", twice.Total, noon); err != nil || len(twice.Refunds) != 1 || !twice.Refunds[0].Surplus || twice.Refunds[0].PaymentID != "p2" {
		t.Errorf("paid twice: %+v, %v", twice.Refunds, err)
	}
	if twice.Refundable() != twice.Total {
		t.Errorf("the surplus reduced what can be refunded: %s", twice.Refundable())
	}
	late = placed(t, "sandbox")
	late, _ = walk(late, "expire")
	revived := late.Clone()
	if err := revived.CaptureLate("p1", revived.Total, true, noon); err != nil || revived.Status() != ordering.Paid || len(revived.Refunds) != 0 {
		t.Errorf("paid late with stock: %s, %v", revived.Status(), err)
	}
	given := late.Clone()
	if err := given.CaptureLate("p1", given.Total, false, noon); err != nil || given.Status() != ordering.Expired || given.Refundable().Minor != 0 {
		t.Errorf("paid late without stock: %+v, %v", given.Refunds, err)
	}
	if err := given.SettleRefund(ordering.Outcome{ID: given.Refunds[0].ID}, noon); err != nil {
		t.Fatal(err)
	}
	if err := given.CaptureLate("p1", given.Total, true, noon); err != nil || given.Status() != ordering.Expired {
		t.Errorf("old news of a payment whose refund failed revived the order: %s, %v", given.Status(), err)
	}
	partly := late.Clone()
	if err := partly.SettleRefund(ordering.Outcome{ID: "x", ProviderID: "x", Amount: yuan(500), Succeeded: true}, noon); err != nil {
		t.Fatal(err)
	}
	if err := partly.CaptureLate("p1", partly.Total, true, noon); err != nil || partly.Refundable().Minor != 0 {
		t.Errorf("a part was refunded before the late payment was told: %s kept, %v", partly.Refundable(), err)
	}
}

func TestPayOnDelivery(t *testing.T) {
	shipped, _ := walk(placed(t, "on_delivery"), "ship")
	late := noon.AddDate(0, 0, 60)
	waiting := shipped.Clone()
	if err := waiting.Mature(late); err != nil || waiting.Delivered != nil || len(waiting.Captures) != 0 {
		t.Errorf("time alone delivered and paid an order on delivery: %+v, %v", waiting.Delivered, err)
	}
	received := shipped.Clone()
	if err := received.Deliver("shopper", noon); err != nil || received.IsPaid() {
		t.Errorf("the shopper's word paid the order: %v", err)
	}
	if err := received.Mature(late); err != nil || received.Released != nil {
		t.Errorf("an unpaid order was released: %v", err)
	}
	if err := received.Deliver(ordering.ByOperator, noon); err != nil || !received.IsPaid() {
		t.Errorf("the operator has the money, but the order is not paid: %v", err)
	}
	back := shipped.Clone()
	if err := back.Cancel("", noon); err == nil {
		t.Error("a shopper cancelled what is on its way")
	}
	if err := back.ReturnToSender("refused at the door", noon); err != nil || back.Status() != ordering.Cancelled {
		t.Errorf("the parcel came back: %s, %v", back.Status(), err)
	}
	if moves := ordering.StockMoves(shipped, back); len(moves) != 2 || moves[0].Available <= 0 {
		t.Errorf("its goods did not: %+v", moves)
	}
	never := placed(t, "on_delivery")
	if err := never.Mature(never.DueAt().AddDate(0, 0, ordering.UnshippedDays)); err != nil || never.Status() != ordering.Expired {
		t.Errorf("never shipped: %s, %v", never.Status(), err)
	}
}

func TestParcels(t *testing.T) {
	o, _ := walk(placed(t, "sandbox"), "pay")
	send := func(tracking string, skus ...string) {
		t.Helper()
		if err := o.Ship(ordering.Shipment{Carrier: "SF", Tracking: tracking, SKUs: skus}, noon); err != nil {
			t.Fatal(err)
		}
		o.Version++
	}
	send("1", "cup")
	if err := o.Deliver("shopper", noon); !fail.Is(err, "parcels_missing") {
		t.Errorf("received before everything was shipped: %v", err)
	}
	if late := o.Clone(); late.Mature(noon.AddDate(1, 0, 0)) != nil || late.Delivered != nil {
		t.Error("time alone delivered what was never shipped")
	}
	send("1", "tea")
	if err := o.Deliver("shopper", noon); err != nil || len(o.Shipments) != 2 {
		t.Errorf("everything is there: %v, %d parcels", err, len(o.Shipments))
	}
}

func TestNothingStuck(t *testing.T) {
	o, _ := walk(placed(t, "sandbox"), "pay")
	if due := o.DueAt(); !due.Equal(noon.Add(ordering.DecisionWait)) {
		t.Errorf("an undecided order is due at %s", due)
	}
	before := o.Clone()
	if err := o.Mature(o.DueAt()); err != nil || o.Equal(before) {
		t.Errorf("an undecided order is not sent again: %v", err)
	}
	if err := o.Decide(ordering.Award{Cause: ordering.CausePlacement}); err != nil || !o.DueAt().IsZero() {
		t.Errorf("a decided order is still due at %s, %v", o.DueAt(), err)
	}
	all := o.Total
	if _, err := o.RequestRefund(ordering.RefundRequest{ID: "r", Reason: "x", Amount: &all}, noon); err != nil {
		t.Fatal(err)
	}
	for _, m := range ordering.StockMoves(before, o) {
		if m.Available <= 0 || m.Sold >= 0 {
			t.Errorf("refunded in full, but %+v", m)
		}
	}
	first := o.DueAt()
	for range 20 {
		o.Retry("r", "", noon)
	}
	if wait := o.DueAt().Sub(noon); !first.Equal(noon.Add(ordering.RefundWait)) || wait != ordering.LongestWait {
		t.Errorf("a refund that stays unknown is asked about after %s and then after %s", first.Sub(noon), wait)
	}
}

func TestRefunds(t *testing.T) {
	paid, _ := walk(placed(t, "sandbox"), "pay") // cup 2 × 999 + tax 120, tea 5000 + tax 300, shipping 800
	amount := func(minor int64) *money.Amount { a := yuan(minor); return &a }
	euro := money.Of(1, "EUR")
	lines := func(l ...ordering.RefundLine) ordering.RefundRequest {
		return ordering.RefundRequest{ID: "r", Reason: "dented", Lines: l}
	}
	for name, c := range map[string]struct {
		q    ordering.RefundRequest
		want int64
		kind fail.Kind
	}{
		"one cup":         {lines(ordering.RefundLine{SKU: "cup", Quantity: 1}), 1059, 0},
		"both cups":       {lines(ordering.RefundLine{SKU: "cup", Quantity: 2}), 2118, 0},
		"an amount":       {lines(ordering.RefundLine{SKU: "cup", Quantity: 0, Amount: amount(7)}), 7, 0},
		"shipping":        {ordering.RefundRequest{ID: "r", Reason: "late", Shipping: amount(800)}, 800, 0},
		"amount only":     {ordering.RefundRequest{ID: "r", Reason: "late", Amount: amount(100)}, 100, 0},
		"everything":      {ordering.RefundRequest{ID: "r", Reason: "late", Amount: amount(paid.Total.Minor)}, paid.Total.Minor, 0},
		"too many":        {lines(ordering.RefundLine{SKU: "cup", Quantity: 3}), 0, fail.Conflict},
		"too much":        {lines(ordering.RefundLine{SKU: "cup", Quantity: 1, Amount: amount(9999)}), 0, fail.Conflict},
		"too much post":   {ordering.RefundRequest{ID: "r", Reason: "late", Shipping: amount(801)}, 0, fail.Conflict},
		"more than all":   {ordering.RefundRequest{ID: "r", Reason: "late", Amount: amount(paid.Total.Minor + 1)}, 0, fail.Conflict},
		"negative":        {ordering.RefundRequest{ID: "r", Reason: "late", Amount: amount(-1)}, 0, fail.Invalid},
		"nothing":         {ordering.RefundRequest{ID: "r", Reason: "late"}, 0, fail.Invalid},
		"no reason":       {ordering.RefundRequest{ID: "r", Amount: amount(1)}, 0, fail.Invalid},
		"euro":            {ordering.RefundRequest{ID: "r", Reason: "late", Amount: &euro}, 0, fail.Invalid},
		"not ordered":     {lines(ordering.RefundLine{SKU: "old", Quantity: 1}), 0, fail.Invalid},
		"line twice":      {lines(ordering.RefundLine{SKU: "cup", Quantity: 1}, ordering.RefundLine{SKU: "cup", Quantity: 1}), 0, fail.Invalid},
		"both manners":    {ordering.RefundRequest{ID: "r", Reason: "x", Amount: amount(1), Shipping: amount(1)}, 0, fail.Invalid},
		"overflow pieces": {lines(ordering.RefundLine{SKU: "cup", Quantity: 1 << 62}), 0, fail.Invalid},
	} {
		o := paid.Clone()
		r, err := o.RequestRefund(c.q, noon)
		if c.want > 0 && (err != nil || r.Amount.Minor != c.want) || c.want == 0 && (err == nil || fail.KindOf(err) != c.kind || !o.Equal(paid)) {
			t.Errorf("%s: %v, %v", name, r.Amount, err)
		}
	}
	held := placed(t, "sandbox")
	if _, err := held.RequestRefund(lines(ordering.RefundLine{SKU: "cup", Quantity: 1}), noon); !fail.Is(err, "order_unpaid") {
		t.Errorf("refund of an unpaid order: %v", err)
	}
}

// A provider says of one refund that it was made, without our id, and then of ours that it failed: it is the same one, and
// the money has gone.
func TestWhatWasToldUnderAnotherIdIsContradictedToo(t *testing.T) {
	o, _ := walk(placed(t, "sandbox"), "pay")
	some := yuan(500)
	if _, err := o.RequestRefund(ordering.RefundRequest{ID: "ours", Reason: "x", Amount: &some}, noon); err != nil {
		t.Fatal(err)
	}
	told := ordering.Outcome{ID: "ext", ProviderID: "prov-1", Amount: some, Succeeded: true}
	if err := o.SettleRefund(told, noon); err != nil {
		t.Fatal(err)
	}
	failed := ordering.Outcome{ID: "ours", ProviderID: "prov-1", Amount: some}
	if err := o.SettleRefund(failed, noon); !fail.Is(err, "refund_contradiction") {
		t.Errorf("ours failed: %v", err)
	}
	if theirs, _ := o.Refund("ext"); theirs.State() != "succeeded" {
		t.Errorf("%+v", o.Refunds)
	}
}

func TestRefundOutcomes(t *testing.T) {
	o, _ := walk(placed(t, "sandbox"), "pay")
	some := yuan(500)
	told := ordering.Outcome{ID: "ext", ProviderID: "prov-1", Amount: some, Succeeded: true}
	if err := o.SettleRefund(told, noon); err != nil || o.RefundedTotal() != some {
		t.Fatalf("a refund made at the provider: %+v, %v", o.Refunds, err)
	}
	if err := o.SettleRefund(told, noon); err != nil || len(o.Refunds) != 1 {
		t.Errorf("told twice: %+v, %v", o.Refunds, err)
	}
	told.Succeeded = false
	if err := o.SettleRefund(told, noon); !fail.Is(err, "refund_contradiction") {
		t.Errorf("told the opposite: %v", err)
	}
	r, _ := o.RequestRefund(ordering.RefundRequest{ID: "ours", Reason: "x", Amount: &some}, noon)
	if err := o.SettleRefund(ordering.Outcome{ID: r.ID}, noon); err != nil || o.RefundedTotal() != some {
		t.Errorf("a failed refund still counts: %s, %v", o.RefundedTotal(), err)
	}
	early := placed(t, "sandbox")
	told.Succeeded = true
	if err := early.SettleRefund(told, noon); err != nil || early.RefundedTotal() != some {
		t.Errorf("refund before payment: %v", err)
	}
	if err := early.Capture("p1", early.Total, noon); err != nil || early.Refundable().Minor != early.Total.Minor-500 {
		t.Errorf("then the payment: %s refundable, %v", early.Refundable(), err)
	}
	// A second payment that the provider gives back by itself, told before and after that payment.
	for name, captured := range map[string]bool{"before": false, "after": true} {
		twice, _ := walk(placed(t, "sandbox"), "pay")
		if captured {
			if err := twice.Capture("p2", twice.Total, noon); err != nil {
				t.Fatal(err)
			}
		}
		if err := twice.SettleRefund(ordering.Outcome{ID: "ext", ProviderID: "x", PaymentID: "p2", Amount: twice.Total, Succeeded: true}, noon); err != nil {
			t.Fatal(err)
		}
		if err := twice.Capture("p2", twice.Total, noon); err != nil || len(twice.Refunds) != 1 || twice.Refunds[0].Open() || twice.Refundable() != twice.Total {
			t.Errorf("surplus given back %s it was told: %+v, %v", name, twice.Refunds, err)
		}
	}
}

// TestARefundHasTwoNames: an outcome is matched by our id, else by the provider's. One that was recorded before it was known
// to be ours counts once, as ours, with our lines.
func TestARefundHasTwoNames(t *testing.T) {
	asked := func(lines ...ordering.RefundLine) *ordering.Order {
		o, _ := walk(placed(t, "sandbox"), "pay")
		if _, err := o.RequestRefund(ordering.RefundRequest{ID: "ours", Reason: "x", Lines: lines}, noon); err != nil {
			t.Fatal(err)
		}
		return &o
	}
	cup := ordering.RefundLine{SKU: "cup", Quantity: 1}
	ours := ordering.Outcome{ID: "ours", ProviderID: "re", Amount: yuan(1059), Succeeded: true}
	theirs := ordering.Outcome{ID: "sandbox:re", ProviderID: "re", PaymentID: "p1", Amount: yuan(1059), Succeeded: true}
	settle := func(o *ordering.Order, outcomes ...ordering.Outcome) {
		t.Helper()
		for _, x := range outcomes {
			if err := o.SettleRefund(x, noon); err != nil {
				t.Fatal(err)
			}
			o.Version++
		}
	}
	for name, outcomes := range map[string][]ordering.Outcome{"ours first": {ours, theirs}, "theirs first": {theirs, ours}, "over and over": {theirs, ours, theirs, ours}} {
		o := asked(cup)
		if settle(o, outcomes...); o.RefundedTotal().Minor != 1059 || o.RefundedLine(0, 0).Quantity != 1 || o.RefundedLine(1, 0).Gross() != 0 {
			t.Errorf("%s: %s, %+v", name, o.RefundedTotal(), o.Refunds)
		}
	}
	o := asked(cup)
	o.Retry("ours", "re", noon)
	if o.Unmatched(theirs) != nil || o.Unmatched(ordering.Outcome{ID: "sandbox:x", ProviderID: "x", PaymentID: "p1"}) != nil {
		t.Error("a refund whose id at the provider is known may still be another one")
	}
	if settle(o, theirs); len(o.Refunds) != 1 || o.Refunds[0].Open() {
		t.Errorf("pending under the provider's id: %+v", o.Refunds)
	}
	// Whoever names another payment, amount or refund of the provider contradicts what is on record.
	wrong := map[string]func(*ordering.Outcome){"payment": func(x *ordering.Outcome) { x.PaymentID = "p2" }, "amount": func(x *ordering.Outcome) { x.Amount.Minor-- },
		"refund": func(x *ordering.Outcome) { x.ProviderID = "re2" }}
	for name, change := range wrong {
		o := asked(cup)
		settle(o, ours)
		x := ours
		change(&x)
		before := o.Clone()
		if err := o.SettleRefund(x, noon); !fail.Is(err, "refund_differs") || !o.Equal(before) {
			t.Errorf("another %s: %v", name, err)
		}
	}
	if ids := asked(cup).Unmatched(ordering.Outcome{ID: "sandbox:x", ProviderID: "x", PaymentID: "p2"}); ids != nil {
		t.Errorf("a refund of another payment may be %v", ids)
	}
	if ids := asked(cup).Unmatched(ordering.Outcome{ID: "sandbox:x", ProviderID: "x", PaymentID: "p1"}); len(ids) != 1 || ids[0] != "ours" {
		t.Errorf("a refund without our id may be %v", ids)
	}
	two := asked(cup)
	if _, err := two.RequestRefund(ordering.RefundRequest{ID: "second", Reason: "x", Lines: []ordering.RefundLine{cup}}, noon); err != nil {
		t.Fatal(err)
	}
	settle(two, ours)
	if err := two.SettleRefund(ordering.Outcome{ID: "second", ProviderID: "re", Succeeded: true}, noon); !fail.Is(err, "refund_differs") {
		t.Errorf("one refund of the provider is two of ours: %v", err)
	}
}

// A payment that is on record cannot become another one: the same id with another amount, or no id at all.
func TestAPaymentIsKnownByItsId(t *testing.T) {
	o, _ := walk(placed(t, "sandbox"), "pay")
	for id, amount := range map[string]int64{"p1": o.Total.Minor + 1, "": o.Total.Minor} {
		before := o.Clone()
		if err := o.Capture(id, yuan(amount), noon); !fail.Is(err, "payment_differs") || !o.Equal(before) {
			t.Errorf("payment %q of %d: %v", id, amount, err)
		}
	}
}

// TestASurplusGoesBackOnce: the provider gives a part of a second payment back by itself, before or after we ask for it.
func TestASurplusGoesBackOnce(t *testing.T) {
	part := ordering.Outcome{ID: "ext", ProviderID: "x", PaymentID: "p2", Amount: yuan(100), Succeeded: true}
	before, _ := walk(placed(t, "sandbox"), "pay")
	if err := before.SettleRefund(part, noon); err != nil {
		t.Fatal(err)
	}
	if err := before.Capture("p2", before.Total, noon); err != nil || len(before.Refunds) != 2 || before.Refunds[1].Amount.Minor != before.Total.Minor-100 {
		t.Errorf("a part had gone back: %+v, %v", before.Refunds, err)
	}
	after, _ := walk(placed(t, "sandbox"), "pay")
	if err := after.Capture("p2", after.Total, noon); err != nil {
		t.Fatal(err)
	}
	if err := after.SettleRefund(part, noon); !fail.Is(err, "refund_differs") {
		t.Errorf("more than the whole payment would go back: %+v, %v", after.Refunds, err)
	}
	after.Retry(after.Refunds[0].ID, "ours", noon)
	whole := part
	whole.Amount = after.Total
	if err := after.SettleRefund(whole, noon); !fail.Is(err, "refund_differs") || !after.Refunds[0].Open() {
		t.Errorf("the provider knows ours by another id: %+v, %v", after.Refunds, err)
	}
	if err := after.SettleRefund(ordering.Outcome{ID: after.Refunds[0].ID}, noon); err != nil {
		t.Fatal(err)
	}
	if err := after.SettleRefund(part, noon); err != nil || len(after.Refunds) != 2 { // told again, after ours has failed
		t.Errorf("a part went back instead of the whole: %+v, %v", after.Refunds, err)
	}
}

func TestPiecesKeepTheirShare(t *testing.T) {
	o, _ := walk(placed(t, "sandbox"), "pay") // two cups, 2118 with tax
	amount := yuan(118)
	for i, want := range []int64{118, 1059, 941} {
		q := ordering.RefundRequest{ID: string(rune('a' + i)), Reason: "x", Lines: []ordering.RefundLine{{SKU: "cup", Quantity: 1}}}
		if i == 0 {
			q.Lines[0] = ordering.RefundLine{SKU: "cup", Amount: &amount}
		}
		if r, err := o.RequestRefund(q, noon); err != nil || r.Amount.Minor != want {
			t.Errorf("refund %d gave %s, want %d: %v", i, r.Amount, want, err)
		}
	}
}

// A claim whose answer was lost is made again, and must not give the commission twice.
func TestOneCauseDecidesOnce(t *testing.T) {
	o := placed(t, "sandbox")
	for range 2 {
		for _, cause := range []string{ordering.CausePlacement, "claim:1"} {
			if err := o.Decide(ordering.Award{Cause: cause}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := o.Decide(ordering.Award{Cause: "claim:2"}); err != nil || len(o.Awards) != 3 {
		t.Errorf("three causes made %d decisions: %v", len(o.Awards), err)
	}
}

func TestReleaseWaitsForReturnsAndHolds(t *testing.T) {
	o, _ := walk(placed(t, "sandbox"), "pay ship deliver")
	if err := o.Decide(ordering.Award{Cause: ordering.CausePlacement}); err != nil {
		t.Fatal(err)
	}
	window := noon.AddDate(0, 0, 7)
	mature := func(at time.Time) bool {
		x := o.Clone()
		if err := x.Mature(at); err != nil {
			t.Fatal(err)
		}
		return x.Released != nil
	}
	if mature(window.Add(-time.Second)) || !mature(window) || !o.DueAt().Equal(window) {
		t.Error("release does not follow the return window")
	}
	if _, err := o.RequestReturn(nil, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if mature(window) || !o.DueAt().IsZero() || !o.AvailableOn().IsZero() {
		t.Error("an open return did not stop the release")
	}
	if err := o.CloseReturn("r1", ordering.ReturnDecision{Outcome: ordering.Declined}, noon); err != nil || !mature(window) {
		t.Errorf("closed return: %v", err)
	}
	if err := o.Hold("same address as the KOC", "op", noon); err != nil || mature(window) {
		t.Errorf("a hold did not stop the release: %v", err)
	}
	if o.Lift("explained", noon); !mature(window) {
		t.Error("a lifted hold still stops the release")
	}
	if _, err := o.RequestReturn(nil, window.Add(time.Hour)); !fail.Is(err, "return_too_late") {
		t.Errorf("a return after the window: %v", err)
	}
}
