package ordering

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/money"
)

// Refund is money going back to the shopper. It is written as an intent before anything is sent, and sent under
// its id, so that a crash or a lost answer can be resolved by asking the provider about that id.
type Refund struct {
	ID         string
	V          int64
	At         time.Time
	Reason     string
	By         string
	PaymentID  string // the capture it goes back to; empty when the provider started it
	ProviderID string
	Amount     money.Amount // Σ lines' net and tax + shipping + beyond, or the whole surplus
	Lines      []LineRefund
	Shipping   money.Amount
	Beyond     money.Amount `json:",omitzero"` // given back by the provider although a lost dispute had taken it: the shop's loss, and no commission's
	Surplus    bool         // gives back a second payment; touches no line and no commission
	LastTry    time.Time    // when it was last sent without a known outcome
	Tries      int          // how often that was
	Succeeded  *Mark
	Failed     *Mark
}

// LineRefund is the part of a refund that belongs to one line, by its index.
type LineRefund struct {
	Line     int
	Quantity int64
	Net      money.Amount
	Tax      money.Amount
	Goods    Disposition `json:",omitzero"` // where its pieces go; empty when it has none
	V        int64       `json:",omitzero"` // when it was borne, if that is later than what it is a part of
}

// Open reports whether the provider has not said yet how the refund ended.
func (r Refund) Open() bool { return r.Succeeded == nil && r.Failed == nil }

// Counts reports whether the refund reduces what can still be refunded and earned: any that has not failed.
func (r Refund) Counts() bool { return r.Failed == nil && !r.Surplus }

// RefundRequest is what an operator asks for: pieces of lines with or without amounts, shipping, or an amount only.
type RefundRequest struct {
	ID       string
	By       string
	Reason   string
	Lines    []RefundLine
	Shipping *money.Amount
	Amount   *money.Amount
	Goods    Disposition // where the pieces go; empty: as the order stands, see disposition
	asked    int64       // the version of the return that this ends; 0 when it ends none
}

// RefundLine asks to refund pieces of a line; Amount nil means their share of what was paid.
// A quantity of 0 with an amount is a price reduction.
type RefundLine struct {
	SKU      string
	Quantity int64
	Amount   *money.Amount
}

// RefundedLine is what has gone back, or is on its way, for one line.
type RefundedLine struct {
	Quantity int64
	Net, Tax money.Amount
}

// Gross is net and tax together.
func (r RefundedLine) Gross() int64 { return r.Net.Minor + r.Tax.Minor }

// RefundedLine sums what refunds and lost disputes took back of one line; only those of an earlier version than before,
// all when before is 0.
func (o Order) RefundedLine(line int, before int64) RefundedLine {
	sum := RefundedLine{Net: money.Of(0, o.Total.Currency), Tax: money.Of(0, o.Total.Currency)}
	add := func(v int64, parts []LineRefund) {
		for _, l := range parts {
			if l.Line == line && (before == 0 || v < before) {
				sum.Quantity += l.Quantity
				sum.Net.Minor += l.Net.Minor
				sum.Tax.Minor += l.Tax.Minor
			}
		}
	}
	for _, r := range o.Refunds {
		if r.Counts() {
			add(r.V, r.Lines)
		}
	}
	for _, d := range o.Disputes {
		if d.Lost != nil {
			add(d.Lost.V, d.Lines)
		}
	}
	return sum
}

// RefundedTotal is everything that has gone back by refunds and lost disputes or is on its way, never more than the
// order's total; surplus payments apart.
func (o Order) RefundedTotal() money.Amount {
	total := money.Of(o.lostTotal(), o.Total.Currency)
	for _, r := range o.Refunds {
		if r.Counts() {
			total.Minor += r.Amount.Minor - r.Beyond.Minor
		}
	}
	return total
}

// Refundable is what can be given back now of what was paid for the order. What a bank is deciding about cannot.
func (o Order) Refundable() money.Amount {
	paid := min(o.Captured().Minor, o.Total.Minor)
	return money.Of(max(0, paid-o.RefundedTotal().Minor-o.contested()), o.Total.Currency)
}

// nothingLeft reports whether everything that was paid has gone back, in whatever way.
func (o Order) nothingLeft() bool {
	return o.Total.Minor > 0 && o.IsPaid() && o.RefundedTotal().Minor >= o.Total.Minor
}

// fullyRefunded reports whether the shop has given everything back. A lost dispute moves no stock: whether such an order
// is still shipped is for people to decide.
func (o Order) fullyRefunded() bool {
	return o.Total.Minor > 0 && o.IsPaid() && o.refundsTotal() >= o.Total.Minor
}

// refundsTotal is what refunds give back, disputes apart.
func (o Order) refundsTotal() int64 {
	var sum int64
	for _, r := range o.Refunds {
		if r.Counts() {
			sum += r.Amount.Minor
		}
	}
	return sum
}

func (o Order) refundedShipping() int64 {
	var sum int64
	for _, r := range o.Refunds {
		if r.Counts() {
			sum += r.Shipping.Minor
		}
	}
	for _, d := range o.Disputes {
		if d.Lost != nil {
			sum += d.Shipping.Minor
		}
	}
	return sum
}

// RequestRefund records the intent to refund and returns it. The same id again returns the recorded intent. More
// than was paid, more pieces than were bought, or nothing at all is refused.
func (o *Order) RequestRefund(q RefundRequest, now time.Time) (Refund, error) {
	if r, ok := o.Refund(q.ID); ok {
		return r, nil
	}
	if err := o.checkRefund(q); err != nil {
		return Refund{}, err
	}
	r := Refund{ID: q.ID, V: o.next(), At: now, LastTry: now, Reason: q.Reason, By: q.By,
		Shipping: money.Of(0, o.Total.Currency), PaymentID: o.Captures[0].PaymentID}
	var err error
	if q.Amount == nil {
		err = o.itemise(&r, q)
	} else {
		r.Lines, r.Shipping.Minor, err = o.spread(q.Amount.Minor)
	}
	if err != nil {
		return Refund{}, err
	}
	r.Amount = money.Of(grossOf(r.Lines)+r.Shipping.Minor, o.Total.Currency)
	switch {
	case r.Amount.Minor == 0:
		return Refund{}, fail.New(fail.Invalid, "refund_empty", "This would refund nothing. Name lines, shipping or an amount that is still refundable.", nil)
	case r.Amount.Minor > o.Refundable().Minor:
		return Refund{}, o.tooMuch()
	}
	if err := o.moveGoods(r, q, now); err != nil {
		return Refund{}, err
	}
	o.Refunds = append(o.Refunds, r)
	o.withdraw(now)
	return r, nil
}

// withdraw records that an order was refunded in full before anything was shipped, so that nothing will be: its goods
// go back on the shelf in the same write, and stay there whatever becomes of the refund.
func (o *Order) withdraw(now time.Time) {
	if o.Withdrawn == nil && o.Status() == Paid && o.fullyRefunded() {
		o.Withdrawn = &Mark{V: o.next(), At: now, Reason: "refunded in full"}
	}
}

func (o Order) checkRefund(q RefundRequest) error {
	var f []fail.Field
	if n := utf8.RuneCountInString(q.Reason); n == 0 || n > 500 {
		f = append(f, fail.At("body.reason", "text_length", "Between {low} and {high} characters.", fail.Args{"low": 1, "high": 500}))
	}
	amount := func(where string, a *money.Amount) {
		switch {
		case a == nil:
		case a.Currency != o.Total.Currency:
			f = append(f, fail.At(where, "currency_other", "This shop sells in {currency}.", fail.Args{"currency": o.Total.Currency}))
		case a.Minor < 0 || a.Minor > money.MaxMinor:
			f = append(f, fail.At(where, "out_of_range", "Between {low} and {high}.", fail.Args{"low": 0, "high": o.Total.Minor}))
		}
	}
	amount("body.amount", q.Amount)
	amount("body.shipping", q.Shipping)
	if len(q.Lines) > MaxLines {
		f = append(f, fail.At("body.lines", "too_many", "At most {limit} entries.", fail.Args{"limit": MaxLines}))
	}
	seen := map[string]bool{}
	for i, l := range q.Lines {
		where := fmt.Sprintf("body.lines[%d]", i)
		amount(where+".amount", l.Amount)
		if _, ok := o.line(l.SKU); !ok || seen[catalogue.FoldSKU(l.SKU)] {
			f = append(f, fail.At(where+".sku", "sku_not_ordered", "{sku} is not on this order.", fail.Args{"sku": clip(l.SKU)}))
		}
		seen[catalogue.FoldSKU(l.SKU)] = true
		if l.Quantity < 0 || l.Quantity > MaxQuantity || l.Quantity == 0 && l.Amount == nil {
			f = append(f, fail.At(where+".quantity", "out_of_range", "Between {low} and {high}.", fail.Args{"low": 1, "high": MaxQuantity}))
		}
	}
	if q.Amount != nil && (len(q.Lines) > 0 || q.Shipping != nil) {
		f = append(f, fail.At("body.amount", "refund_either", "Give either an amount alone, or lines and shipping.", nil))
	}
	if len(f) > 0 {
		return fail.NewFields(f)
	}
	switch {
	case len(o.Captures) == 0:
		return fail.New(fail.Conflict, "order_unpaid", "This order has not been paid, so there is nothing to refund.", nil)
	case len(o.Refunds) >= MaxRefunds:
		return fail.New(fail.TooMany, "refunds_too_many", "This order has too many refunds.", nil)
	}
	return o.checkGoods(q.Goods, q.Lines)
}

// itemise fills the refund from the lines and shipping that were asked for.
func (o Order) itemise(r *Refund, q RefundRequest) error {
	for _, l := range q.Lines {
		i, _ := o.line(l.SKU)
		part, err := o.linePart(i, l)
		if err != nil {
			return err
		}
		if part.Quantity > 0 && o.holdsGoods() {
			part.Goods = o.disposition(i, part.Quantity, q.Goods)
		}
		r.Lines = append(r.Lines, part)
	}
	if q.Shipping != nil {
		if q.Shipping.Minor > o.Shipping.Minor-o.refundedShipping() {
			return o.tooMuch()
		}
		r.Shipping = *q.Shipping
	}
	return nil
}

// linePart is the refund of pieces of line i. Without an amount it is their share of what was paid for the line,
// rounded over the pieces so far so that all together bring back the whole price, and no more than is left of it after
// refunds by amount.
func (o Order) linePart(i int, l RefundLine) (LineRefund, error) {
	line, done := o.Lines[i], o.RefundedLine(i, 0)
	if done.Quantity+l.Quantity > line.Quantity {
		return LineRefund{}, fail.New(fail.Conflict, "refund_quantity", "Only {left} of {sku} can still be refunded.",
			fail.Args{"left": line.Quantity - done.Quantity, "sku": l.SKU})
	}
	left := line.Gross().Minor - done.Gross()
	var gross int64
	if l.Amount != nil {
		gross = l.Amount.Minor
	} else {
		upTo, err := line.Gross().Times(money.Ratio{Num: done.Quantity + l.Quantity, Den: line.Quantity})
		if err != nil {
			return LineRefund{}, err
		}
		before, err := line.Gross().Times(money.Ratio{Num: done.Quantity, Den: line.Quantity})
		if err != nil {
			return LineRefund{}, err
		}
		gross = min(upTo.Minor-before.Minor, left)
	}
	if gross > left {
		return LineRefund{}, o.tooMuch()
	}
	return o.split(i, l.Quantity, gross)
}

// spread allocates an amount to what is left of the lines, in proportion, and what exceeds them to shipping.
func (o Order) spread(amount int64) (lines []LineRefund, shipping int64, err error) {
	weights := make([]int64, len(o.Lines))
	var goods int64
	for i, l := range o.Lines {
		weights[i] = l.Gross().Minor - o.RefundedLine(i, 0).Gross()
		goods += weights[i]
	}
	parts, err := money.Of(min(amount, goods), o.Total.Currency).Allocate(weights)
	if err != nil {
		return nil, 0, err
	}
	for i, p := range parts {
		if p.Minor == 0 {
			continue
		}
		part, err := o.split(i, 0, p.Minor)
		if err != nil {
			return nil, 0, err
		}
		lines = append(lines, part)
	}
	return lines, amount - min(amount, goods), nil
}

// split divides a line's gross refund into net and tax, cumulative like everything here.
func (o Order) split(i int, quantity, gross int64) (LineRefund, error) {
	line, done := o.Lines[i], o.RefundedLine(i, 0)
	part := LineRefund{Line: i, Quantity: quantity, Net: money.Of(gross, o.Total.Currency), Tax: money.Of(0, o.Total.Currency)}
	if line.Tax.Minor == 0 {
		return part, nil
	}
	tax, err := line.Tax.Times(money.Ratio{Num: done.Gross() + gross, Den: line.Gross().Minor})
	if err != nil {
		return LineRefund{}, err
	}
	part.Tax.Minor = min(gross, max(0, tax.Minor-done.Tax.Minor))
	part.Net.Minor = gross - part.Tax.Minor
	return part, nil
}

func (o Order) tooMuch() error {
	if held := o.contested(); held > 0 {
		return fail.New(fail.Conflict, "refund_disputed", "The bank is deciding about {disputed} of this payment and may give it back itself, so only {left} can be refunded now. Refund the rest if the shop wins the dispute.",
			fail.Args{"disputed": money.Of(held, o.Total.Currency), "left": o.Refundable()})
	}
	return fail.New(fail.Conflict, "refund_too_large", "Only {left} can still be refunded.", fail.Args{"left": o.Refundable()})
}

// Refund finds a refund by its id.
func (o Order) Refund(id string) (Refund, bool) {
	if i := o.refundIndex(id); i >= 0 {
		return o.Refunds[i], true
	}
	return Refund{}, false
}

func (o Order) refundIndex(id string) int {
	return slices.IndexFunc(o.Refunds, func(r Refund) bool { return r.ID == id })
}

// Outcome is what a provider says became of a refund.
type Outcome struct {
	ID         string // of our intent; where the provider does not say, its own id with its name before it
	ProviderID string
	PaymentID  string       // the payment that it gives back; empty when the provider does not say
	Amount     money.Amount // zero when the provider does not say
	Succeeded  bool
}

// refundOf finds the refund that an outcome is about, by our id or else by the provider's; -1 when it is none on record.
func (o Order) refundOf(t Outcome) int {
	if i := o.refundIndex(t.ID); i >= 0 && !o.Refunds[i].knownTwice() {
		return i
	}
	return o.refundAtProvider(t.ProviderID)
}

// refundAtProvider finds the refund that a provider knows by its id; -1 when there is none.
func (o Order) refundAtProvider(id string) int {
	return slices.IndexFunc(o.Refunds, func(r Refund) bool { return id != "" && r.ProviderID == id && !r.knownTwice() })
}

// RefundFor is the refund that an outcome is about, if it is on record.
func (o Order) RefundFor(t Outcome) (Refund, bool) {
	if i := o.refundOf(t); i >= 0 {
		return o.Refunds[i], true
	}
	return Refund{}, false
}

// Unmatched are the ids of our refunds that an outcome may be about although it does not say so: those of the same
// payment of which the provider's id is not known yet. Only the provider can tell which one it is, or that it is none.
func (o Order) Unmatched(t Outcome) []string {
	if o.refundOf(t) >= 0 {
		return nil
	}
	var ids []string
	for _, r := range o.Refunds {
		if r.ProviderID == "" && (t.PaymentID == "" || r.PaymentID == t.PaymentID) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// SettleRefund records how a refund ended at the provider. A refund that the provider started by itself, unknown
// until now, is recorded with its amount spread over the order, even before the payment's own event has come.
// The first outcome stays: a late contrary one is a Conflict for a person to look at, and so is an outcome that names
// another amount, payment or refund of the provider than the one on record.
func (o *Order) SettleRefund(t Outcome, now time.Time) error {
	i := o.refundOf(t)
	if i < 0 {
		if !t.Succeeded {
			return nil // somebody tried a refund at the provider and it failed: nothing happened
		}
		var err error
		if i, err = o.adoptRefund(t, now); err != nil {
			return err
		}
	}
	r := &o.Refunds[i]
	twin := o.refundAtProvider(t.ProviderID)
	switch {
	case t.Amount.Currency != "" && t.Amount != r.Amount,
		t.PaymentID != "" && r.PaymentID != "" && t.PaymentID != r.PaymentID,
		t.ProviderID != "" && r.ProviderID != "" && t.ProviderID != r.ProviderID,
		twin >= 0 && twin != i && o.Refunds[twin].By != byProvider:
		return refundDiffers(t.Amount)
	case t.Succeeded && r.Failed != nil, !t.Succeeded && (r.Succeeded != nil || twin >= 0 && o.Refunds[twin].Succeeded != nil):
		return fail.New(fail.Conflict, "refund_contradiction", "The provider has already reported the opposite outcome of this refund.", nil)
	case !r.Open():
		return nil
	}
	r.ProviderID = t.ProviderID
	mark := &Mark{V: o.next(), At: now}
	if twin >= 0 && twin != i { // told by the provider's id before it was known that this is ours
		o.Refunds[twin].Failed = &Mark{V: o.next(), At: now, Reason: RefundKnown}
	}
	if t.Succeeded {
		r.Succeeded = mark
	} else {
		r.Failed = mark
	}
	return o.bearLosses()
}

// RefundKnown is why a refund that the provider told of does not count: it turned out to be one of ours, which does.
const RefundKnown = "known under another id"

// knownTwice reports whether another record of the same refund counts.
func (r Refund) knownTwice() bool { return r.Failed != nil && r.Failed.Reason == RefundKnown }

// byProvider is who asked for a refund that was made at the provider itself.
const byProvider = "provider"

func refundDiffers(amount money.Amount) error {
	return fail.New(fail.Conflict, "refund_differs", "The refund of {amount} does not equal the one that was asked for.", fail.Args{"amount": amount})
}

// adoptRefund records a refund that was started at the provider and gives its index. One of another payment than
// the one that counts is surplus: it touches no line and no commission. If we have asked for the same, it is that one.
func (o *Order) adoptRefund(t Outcome, now time.Time) (int, error) {
	if t.Amount.Currency != o.Total.Currency || t.Amount.Minor <= 0 || len(o.Refunds) >= MaxRefunds {
		return 0, refundDiffers(t.Amount)
	}
	r := Refund{ID: t.ID, V: o.next(), At: now, LastTry: now, Reason: byProvider, By: byProvider, PaymentID: t.PaymentID,
		Amount: t.Amount, Shipping: money.Of(0, o.Total.Currency)}
	if r.Surplus = o.isSurplus(t.PaymentID); r.Surplus {
		same := func(x Refund) bool {
			return x.Surplus && x.Open() && x.PaymentID == t.PaymentID && x.Amount == t.Amount
		}
		if i := slices.IndexFunc(o.Refunds, same); i >= 0 {
			return i, nil
		}
		if t.Amount.Minor > o.surplusLeft(t.PaymentID) { // we have asked for more than is left now: one of the two will fail
			return 0, refundDiffers(t.Amount)
		}
	} else {
		if t.Amount.Minor > o.Total.Minor-o.refundsTotal() { // what a dispute took may have been refunded too, before or after
			return 0, refundDiffers(t.Amount)
		}
		var err error
		if r.Lines, r.Shipping.Minor, err = o.bear(t.Amount.Minor); err != nil {
			return 0, err
		}
		r.Beyond = money.Of(t.Amount.Minor-grossOf(r.Lines)-r.Shipping.Minor, o.Total.Currency)
	}
	o.Refunds = append(o.Refunds, r)
	o.withdraw(now)
	return len(o.Refunds) - 1, nil
}

// isSurplus reports whether a payment is not the one that the order counts, which is its first.
func (o Order) isSurplus(paymentID string) bool {
	return paymentID != "" && len(o.Captures) > 0 && o.Captures[0].PaymentID != paymentID
}

// sortRefunds looks again at refunds that the provider told of before any payment: now it is known which payment counts.
func (o *Order) sortRefunds(counts string) {
	for i := range o.Refunds {
		if r := &o.Refunds[i]; r.By == byProvider && r.PaymentID != "" && r.PaymentID != counts {
			r.Surplus, r.Lines, r.Shipping.Minor, r.Beyond = true, nil, 0, money.Amount{}
		}
	}
}

// Retry notes that a refund was sent without a known outcome, and by which id the provider knows it if it said so: its
// events may not name ours.
func (o *Order) Retry(id, providerID string, now time.Time) {
	i := o.refundIndex(id)
	if i < 0 || !o.Refunds[i].Open() {
		return
	}
	r := &o.Refunds[i]
	r.LastTry = now
	r.Tries++
	if r.ProviderID == "" {
		r.ProviderID = providerID
	}
}

// returnRest records the refund of everything refundable, if anything is.
func (o *Order) returnRest(cause, reason string, now time.Time) error {
	left := o.Refundable()
	if left.Minor == 0 {
		return nil
	}
	if reason == "" {
		reason = cause
	}
	_, err := o.RequestRefund(RefundRequest{ID: o.ID + "-" + cause, By: cause, Reason: reason, Amount: &left}, now)
	return err
}

// returnSurplus records the refund of a second payment, as far as the provider has not given it back by itself.
func (o *Order) returnSurplus(paymentID string, amount money.Amount, now time.Time) error {
	amount.Minor = min(amount.Minor, o.surplusLeft(paymentID))
	if amount.Minor <= 0 {
		return nil
	}
	id := fmt.Sprintf("%s-surplus-%d", o.ID, len(o.Captures))
	o.Refunds = append(o.Refunds, Refund{ID: id, V: o.next(), At: now, LastTry: now, Reason: "paid twice", By: "surplus",
		PaymentID: paymentID, Amount: amount, Shipping: money.Of(0, amount.Currency), Surplus: true})
	return nil
}

// surplusLeft is what has not gone back of a second payment and is not on its way. Every payment has the order's total.
func (o Order) surplusLeft(paymentID string) int64 {
	left := o.Total.Minor
	for _, r := range o.Refunds {
		if r.Surplus && r.PaymentID == paymentID && r.Failed == nil {
			left -= r.Amount.Minor
		}
	}
	return left
}

// State names how far the refund is: pending, succeeded or failed.
func (r Refund) State() string {
	switch {
	case r.Failed != nil:
		return "failed"
	case r.Succeeded != nil:
		return "succeeded"
	default:
		return "pending"
	}
}
