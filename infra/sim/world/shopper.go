package world

import (
	"fmt"
	"slices"
	"time"

	"yundian/shared/attribution"
	"yundian/shared/fail"
	"yundian/shared/identity"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/store"
)

// want is a request for an order under its key.
type want struct {
	key, body string
	person    string // who orders, some more than once
	mail      string // of theirs, if they gave one; some have one together
	basket    []ordering.BasketLine
	payment   string
	code      string   // typed
	tokens    []string // of pages
	expect    money.Amount
}

// placeNew asks for a new order.
func (w *World) placeNew() { w.placeFor(fmt.Sprint("person", w.pick(9))) }

func (w *World) placeFor(person string) {
	q := want{key: w.id("key"), payment: bankName, person: person}
	if w.pick(8) == 7 {
		q.payment = ordering.OnDelivery
	}
	if w.pick(4) == 3 {
		q.mail = fmt.Sprint("mail", w.pick(4))
	}
	if many := w.shop.skus; len(many) >= ordering.MaxLines && w.pick(3) == 2 {
		for _, sku := range many[:w.between(20, ordering.MaxLines-3)] {
			q.basket = append(q.basket, ordering.BasketLine{SKU: sku, Quantity: 1})
		}
	}
	for range w.between(1, 3) {
		q.basket = append(q.basket, ordering.BasketLine{SKU: w.shop.skus[w.pick(len(w.shop.skus))], Quantity: int64(w.between(1, 3))})
	}
	for range w.between(1, 3) {
		q.tokens = append(q.tokens, w.token())
	}
	if w.pick(4) == 3 {
		q.code = w.shop.kocs[w.pick(len(w.shop.kocs))]
	}
	q.body = fmt.Sprint(q.basket, q.payment, q.code, q.tokens)
	w.wanted = append(w.wanted, q)
	w.place(q)
}

// contacts are by what who orders is known.
func (q want) contacts() []string {
	if q.mail == "" {
		return []string{q.person}
	}
	return []string{q.person, q.mail}
}

// hashes are what an order keeps of who orders, and a profile of a KOC.
func (w *World) hashes(q want) identity.Hashes {
	return slices.Concat(w.shop.identity.Phone(q.person), w.shop.identity.Email(q.mail))
}

// token is what a page of a KOC's link has left with the shopper, in one of ten states.
func (w *World) token() string {
	code := w.shop.kocs[w.pick(len(w.shop.kocs))]
	if w.pick(2) == 1 {
		code += "_link01"
	}
	age := []time.Duration{0, 3 * time.Hour, 30 * time.Hour, 0, time.Minute, 40 * 24 * time.Hour, -time.Hour}[w.pick(7)]
	t := attribution.SignToken(w.shop.keys, code, w.time().Add(-age))
	switch w.pick(12) {
	case 10:
		return t + "x"
	case 11:
		return "koc1.what"
	}
	return t
}

// placeAgain sends a request again: the same one, or another one under the same key.
func (w *World) placeAgain() {
	if len(w.wanted) == 0 {
		return
	}
	q := w.wanted[w.pick(len(w.wanted))]
	if w.pick(3) == 2 {
		q.basket = append(slices.Clone(q.basket), ordering.BasketLine{SKU: w.shop.skus[0], Quantity: 1})
		q.body += " and one more"
	}
	w.Counts.fault("sent again")
	w.place(q)
}

// place does what checkout does, and holds the answer to what the key stands for.
func (w *World) place(q want) {
	before, known := w.watch.placed[q.key]
	var o ordering.Order
	began := w.watch.begin(q)
	name, do := "checkout: place "+q.key, func() (err error) {
		o, err = w.placeOnce(began)
		return err
	}
	err := w.actBeside(name, do, func() {
		if w.pick(2) == 1 { // in a second tab
			w.placeFor(q.person)
			return
		}
		_, _ = w.run(name, do)
	})
	w.watch.end(began)
	now := w.watch.placed[q.key]
	w.watch.checkRefusal(began, err)
	switch {
	case err == nil && (now.order != o.ID || now.hash != q.body):
		w.violate(11, "key %s was answered with order %s, but stands for order %s of another request", q.key, o.ID, now.order)
	case err == nil && !o.AsPlaced().Equal(w.watch.orders[o.ID].first):
		w.violate(11, "key %s was answered with another order than it placed: %+v", q.key, o.AsPlaced())
	case refused(err) && known && before.hash == q.body:
		w.violate(11, "key %s placed order %s, and the same request was refused afterwards: %v", q.key, before.order, err)
	case refused(err) && known && !fail.Is(err, "idempotency_mismatch"):
		w.violate(11, "key %s placed order %s, and another request under it was refused for another reason: %v", q.key, before.order, err)
	}
}

func (w *World) placeOnce(r *request) (ordering.Order, error) {
	q := r.want
	basket, err := ordering.MergeBasket(q.basket)
	if err != nil {
		return ordering.Order{}, err
	}
	wanted := store.Wanted{Code: q.code, Key: q.key, Hash: q.body, Contacts: q.contacts()}
	for _, b := range basket {
		wanted.SKUs = append(wanted.SKUs, b.SKU)
	}
	return w.db().PlaceOnce(w.ctx, wanted, func(known store.Checkout) (store.NewOrder, error) {
		if q.code != "" && known.KOC.Status() != koc.Approved {
			return store.NewOrder{}, fail.New(fail.Invalid, "koc_code_unknown", "Nobody shares with this code.", nil)
		}
		priced, err := ordering.Price(basket, known.Sold, known.Settings)
		if err != nil {
			return store.NewOrder{}, err
		}
		now := w.time()
		r.at = now
		evidence := attribution.ReadTokens(w.shop.keys, q.tokens, now, time.Duration(known.Settings.Windows.AttributionDays)*24*time.Hour)
		if handle, ok := koc.HandleOf(q.code); ok {
			evidence = append(evidence, ordering.Evidence{Kind: ordering.ByCode, Code: handle, At: now})
		}
		o, err := ordering.Place(ordering.Request{ID: w.id("order"), Language: "en", Payment: q.payment, Person: q.person, Identity: w.hashes(q),
			Evidence: evidence, Expect: q.expect}, priced, known.Settings, now)
		return store.NewOrder{Order: o, Contact: ordering.Contact{Name: q.key}, Address: ordering.Address{Country: "CN"}}, err
	})
}

// placeNonsense asks for what cannot be: it has to be refused, and leaves nothing.
func (w *World) placeNonsense() {
	q := want{key: w.id("key"), body: "nonsense", person: "nobody", payment: bankName, basket: []ordering.BasketLine{{SKU: w.shop.skus[0], Quantity: 1}}}
	switch w.pick(5) {
	case 0:
		q.basket[0].Quantity = -1
	case 1:
		q.basket[0].Quantity = ordering.MaxQuantity + 1
	case 2:
		q.basket[0].SKU = "nobody's"
	case 3:
		q.expect = money.Of(1, "EUR")
	case 4:
		q.expect = money.Of(7, w.shop.currency) // no total is 7
	}
	began := w.watch.begin(q)
	err := w.act("checkout: place nonsense "+q.key, func() error {
		_, err := w.placeOnce(began)
		return err
	})
	w.watch.end(began)
	if err == nil {
		w.violate(16, "an order was placed although it asked for nonsense: %+v", q)
	}
}

// anOrder is one of the orders, or false when there is none; mostly one of those that fit. The latest come first.
func (w *World) anOrder(fits func(ordering.Order) bool) (string, bool) {
	ids := w.watch.ids
	if fits != nil && w.pick(5) < 4 {
		w.fitting = w.fitting[:0]
		for _, id := range ids {
			if fits(w.watch.orders[id].now) {
				w.fitting = append(w.fitting, id)
			}
		}
		if len(w.fitting) > 0 {
			ids = w.fitting
		}
	}
	if len(ids) == 0 {
		return "", false
	}
	return ids[len(ids)-1-w.pick(len(ids))], true
}

// in are orders of a status.
func in(statuses ...ordering.Status) func(ordering.Order) bool {
	return func(o ordering.Order) bool { return slices.Contains(statuses, statusOf(o)) }
}

func isPaid(o ordering.Order) bool { return len(o.Captures) > 0 }

// pay opens the payment of an order and, mostly, pays.
func (w *World) pay() {
	id, ok := w.anOrder(in(ordering.Held))
	if !ok {
		return
	}
	err, _ := w.run("checkout: pay "+id, func() error { // a session may be on record of an order that expires in this moment
		o, err := w.db().Order(w.ctx, id)
		if err != nil {
			return err
		}
		_, err = w.till().Open(w.ctx, o, "https://shop.example")
		return err
	})
	if err != nil && w.pick(2) == 0 {
		return // without an address nobody pays, unless the page is still open from before
	}
	if i := slices.IndexFunc(w.bank.sessions, func(s *session) bool { return s.order == id }); i >= 0 && w.pick(8) < 7 {
		if s := w.bank.sessions[i]; !s.closed && s.paid == nil {
			w.say("the bank takes %d for %s", s.amount.Minor, id)
			w.bank.pay(s)
		}
	}
}

// payTwice pays in a session that is paid already.
func (w *World) payTwice() {
	n := len(w.bank.sessions)
	if n == 0 {
		return
	}
	s := w.bank.sessions[n-1-w.pick(n)]
	if paid := w.paidTimes(s.order); s.paid != nil && paid < 3 {
		w.Counts.fault("paid twice")
		w.say("the bank takes %d for %s again", s.amount.Minor, s.order)
		w.bank.pay(s)
	}
}

func (w *World) paidTimes(order string) (n int) {
	for _, p := range w.bank.payments {
		if p.order == order {
			n++
		}
	}
	return n
}

func (w *World) shopperCancels() {
	id, ok := w.anOrder(nil)
	if !ok {
		return
	}
	w.ends("checkout: cancel "+id, id, func(o *ordering.Order) error { return o.Cancel("cancelled by the shopper", w.time()) })
}

// ends changes an order in a way that may give its stock back, and sends back what was paid. The payment that turns out to
// be made meanwhile stays on record, whatever becomes of the change.
func (w *World) ends(name, id string, change func(*ordering.Order) error) {
	_, _ = w.run(name, func() error {
		o, err := w.till().End(w.ctx, id, w.time(), change)
		if err != nil {
			return err
		}
		_, err = w.till().SendRefunds(w.ctx, o, w.time())
		return err
	})
}

// confirms says that an order to be paid on delivery is meant: its shopper does, or an operator.
func (w *World) confirms() {
	if w.pick(2) == 1 {
		w.onOrder("confirm", waits, func(string) change {
			return change{do: func(o *ordering.Order, now time.Time) error { return o.Confirm(ordering.ByOperator, now) }}
		})
		return
	}
	id, ok := w.anOrder(waits)
	if !ok {
		return
	}
	_ = w.act("checkout: confirm "+id, func() error {
		_, err := w.db().UpdateOrder(w.ctx, id, func(o *ordering.Order) error { return o.Confirm("shopper", w.time()) })
		return err
	})
}

func (w *World) shopperReceives() {
	id, ok := w.anOrder(in(ordering.Shipped))
	if !ok {
		return
	}
	_ = w.act("checkout: received "+id, func() error {
		_, err := w.db().UpdateOrder(w.ctx, id, func(o *ordering.Order) error { return o.Deliver("shopper", w.time()) })
		return err
	})
}

func (w *World) asksReturn() {
	id, ok := w.anOrder(in(ordering.Delivered))
	if !ok {
		return
	}
	var lines []ordering.BasketLine
	switch ordered := w.watch.orders[id].now.Lines; w.pick(3) {
	case 1: // of some line, perhaps more than there is
		lines = []ordering.BasketLine{{SKU: ordered[w.pick(len(ordered))].SKU, Quantity: int64(w.between(1, 3))}}
	case 2: // one of each, unless one has come back
		for _, l := range ordered {
			lines = append(lines, ordering.BasketLine{SKU: l.SKU, Quantity: 1})
		}
	}
	_ = w.act("checkout: return "+id, func() error {
		o, err := w.db().Order(w.ctx, id)
		if err != nil {
			return err
		}
		_, err = w.db().UpdateOrder(w.ctx, id, func(o *ordering.Order) error {
			_, err := o.RequestReturn(lines, w.time())
			return err
		}, store.ReturnNoteWrite(o, "too small", w.time()))
		return err
	})
}

// touches records that a link was seen, perhaps not for the first time.
func (w *World) touches() {
	handle := w.shop.kocs[w.pick(len(w.shop.kocs))]
	t := store.Touch{Code: handle, KOC: handle, Day: w.now.Format(time.DateOnly), Visitor: fmt.Sprint(w.pick(3)), At: w.time()}
	_ = w.act("touch "+handle, func() error { return w.db().SaveTouch(w.ctx, t) })
}
