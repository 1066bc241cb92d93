package world

import (
	"fmt"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/once"
	"yundian/shared/ordering"
	"yundian/shared/store"
	"yundian/shared/web"
)

// ask is what somebody asks for, under a key of its own, so that it can be asked again.
type ask struct {
	owner, route, key, body string
	order                   string // that it is about, if any
	do                      func(key string, reply []store.Write) error
	beside                  func() // what most often happens at the same moment; nil for the same request
}

// request asks, as consoles and portals do.
func (w *World) request(a ask) error {
	if a.key == "" {
		a.key = w.id("click")
		w.asked = append(w.asked, a)
	}
	id, err := web.ValueHash([]string{a.route + " " + a.order, a.owner, a.key})
	w.must(err)
	hash, err := web.ValueHash(a.body)
	w.must(err)
	before, known := w.watch.replies[id]
	err = w.actBeside(a.owner+": "+a.route+" "+a.order, func() error {
		wish := once.Wish{Owner: a.owner, Route: a.route + " " + a.order, Key: a.key, Body: a.body}
		_, err := once.Do(w.ctx, w.db(), wish, w.time(), func(record once.Record[done]) (done, error) {
			reply, err := record(done{})
			if err == nil {
				err = a.do(a.key, reply)
			}
			return done{}, err
		})
		return err
	}, a.beside)
	switch {
	case err == nil && w.watch.replies[id] != hash:
		w.violate(11, "key %s was answered although it stands for another request", a.key)
	case refused(err) && known && before == hash:
		w.violate(11, "%s with key %s was done, and the same request was refused afterwards: %v", a.route, a.key, err)
	case refused(err) && known && !fail.Is(err, "idempotency_mismatch"):
		w.violate(11, "%s with key %s was done, and another request was refused for another reason: %v", a.route, a.key, err)
	}
	return err
}

type done struct{}

// change is what an operator does to an order.
type change struct {
	body  string
	do    func(*ordering.Order, time.Time) error
	sends bool // refunds
}

// asksAgain repeats what was asked for before, or asks for something else under the same key.
func (w *World) asksAgain() {
	if n := len(w.asked); n > 0 {
		a := w.asked[n-1-w.pick(n)]
		if w.pick(4) == 3 {
			a.body += " but differently"
		}
		w.Counts.fault("sent again")
		_ = w.request(a)
	}
}

// onOrder asks something of some order, mostly of one that fits.
func (w *World) onOrder(route string, fits func(ordering.Order) bool, make func(id string) change) {
	id, ok := w.anOrder(fits)
	if !ok {
		return
	}
	c := make(id)
	_ = w.request(ask{owner: "operator", route: route, order: id, body: c.body, do: func(_ string, reply []store.Write) error {
		o, err := w.db().UpdateOrder(w.ctx, id, func(o *ordering.Order) error { return c.do(o, w.time()) }, reply...)
		if err == nil && c.sends {
			_, _ = w.till().SendRefunds(w.ctx, o, w.time()) // recorded: it will be driven again
		}
		return err
	}})
}

func (w *World) ship() {
	w.onOrder("ship", in(ordering.Paid, ordering.Confirmed), func(id string) change {
		s := ordering.Shipment{Carrier: "post", Tracking: fmt.Sprint(w.pick(3))}
		if w.pick(4) == 3 {
			lines := w.watch.orders[id].now.Lines
			s.SKUs = []string{lines[w.pick(len(lines))].SKU}
		}
		return change{body: fmt.Sprint(s), do: func(o *ordering.Order, now time.Time) error { return o.Ship(s, now) }}
	})
}

func (w *World) deliver() {
	w.onOrder("deliver", in(ordering.Shipped), func(string) change {
		return change{do: func(o *ordering.Order, now time.Time) error { return o.Deliver(ordering.ByOperator, now) }}
	})
}

// refundsSome asks for one of the many kinds of refunds.
func (w *World) refundsSome() {
	w.onOrder("refund", isPaid, func(id string) change {
		o := w.watch.orders[id].now
		q := ordering.RefundRequest{ID: w.id("refund"), By: "operator", Reason: "asked"}
		amount := func(minor int64) *money.Amount { a := money.Of(minor, w.shop.currency); return &a }
		line := o.Lines[w.pick(len(o.Lines))]
		switch w.pick(7) {
		case 0: // everything that is left
			q.Amount = amount(max(1, o.Refundable().Minor))
		case 1: // pieces
			q.Lines = []ordering.RefundLine{{SKU: line.SKU, Quantity: int64(w.between(1, int(line.Quantity)))}}
		case 2: // a price reduction
			q.Lines = []ordering.RefundLine{{SKU: line.SKU, Amount: amount(1 + int64(w.pick(int(min(line.Net.Minor, 1000)+1))))}}
		case 3: // shipping, and perhaps more than that
			q.Shipping = amount(int64(w.between(1, 200)))
		case 4: // any amount
			q.Amount = amount(1 + int64(w.pick(int(min(o.Total.Minor, 100_000)+1))))
		case 5: // all lines
			for _, l := range o.Lines {
				q.Lines = append(q.Lines, ordering.RefundLine{SKU: l.SKU, Quantity: l.Quantity})
			}
		case 6: // nonsense
			q.Amount = &money.Amount{Minor: int64(w.pick(2)) * money.MaxMinor, Currency: "EUR"}
		}
		if w.pick(3) == 2 {
			q.Goods = w.disposition()
		}
		return change{body: fmt.Sprintf("%+v", q), sends: true, do: func(o *ordering.Order, now time.Time) error {
			_, err := o.RequestRefund(q, now)
			return err
		}}
	})
}

// closesReturn ends a return, mostly with its money, in one of the many ways.
func (w *World) closesReturn() {
	w.onOrder("close return", func(o ordering.Order) bool { return o.OpenReturn() != nil }, func(id string) change {
		which := ordering.Return{ID: "r1"}
		if r := w.watch.orders[id].now.OpenReturn(); r != nil {
			which = *r
		}
		d := ordering.ReturnDecision{Outcome: ordering.Accepted, By: "operator", Note: "thank you", Refund: ordering.RefundRequest{ID: w.id("refund"), By: "operator"}}
		amount := func(minor int) *money.Amount { a := money.Of(int64(minor), w.shop.currency); return &a }
		switch w.pick(7) {
		case 0, 1: // what was asked for
		case 2:
			d = ordering.ReturnDecision{Outcome: ordering.Declined, By: "operator", Note: "worn"}
		case 3:
			d.Refund.Amount = amount(w.pick(500)) // perhaps nothing
		case 4:
			d.Refund.Shipping = amount(w.between(1, 200))
		case 5: // some of it, or more than was asked for
			for _, l := range which.Lines {
				d.Refund.Lines = append(d.Refund.Lines, ordering.RefundLine{SKU: l.SKU, Quantity: int64(w.between(1, 3))})
			}
		case 6:
			d.Outcome = "perhaps"
		}
		if d.Outcome == ordering.Accepted {
			d.Refund.Goods = w.disposition()
		}
		return change{body: fmt.Sprintf("%s %+v", which.ID, d), sends: true, do: func(o *ordering.Order, now time.Time) error { return o.CloseReturn(which.ID, d, now) }}
	})
}

// disposition says where refunded goods go, or leaves it open.
func (w *World) disposition() ordering.Disposition {
	return []ordering.Disposition{"", "", ordering.Restock, ordering.WriteOff, ordering.Keep, "elsewhere"}[w.pick(6)]
}

func (w *World) holds() {
	w.onOrder("hold", in(ordering.Paid, ordering.Shipped, ordering.Delivered), func(string) change {
		return change{do: func(o *ordering.Order, now time.Time) error { return o.Hold("looking into it", "operator", now) }}
	})
}

func (w *World) lifts() {
	w.onOrder("lift", func(o ordering.Order) bool { return o.OnHold() != nil }, func(string) change {
		return change{do: func(o *ordering.Order, now time.Time) error {
			o.Lift("fine", now)
			return nil
		}}
	})
}

func (w *World) redrives() {
	w.onOrder("redrive", nil, func(string) change {
		return change{do: func(o *ordering.Order, now time.Time) error { return o.Redrive(now) }}
	})
}

func (w *World) operatorEnds() {
	if id, ok := w.anOrder(in(ordering.Confirmed, ordering.Shipped)); ok {
		w.ends("admin: end "+id, id, func(o *ordering.Order) error { return o.ReturnToSender("sold elsewhere", w.time()) })
	}
}

// claims decide an order once more, for one or two other KOCs, as somebody does who has looked into it.
func (w *World) claims() {
	w.onOrder("claim", isPaid, func(id string) change {
		o := w.watch.orders[id].now
		a := ordering.Award{Cause: w.id("claim"), Reason: "claim", BookVersion: 1, DecidedAt: w.time()}
		if w.pick(6) < 5 {
			w.frees(&a, o)
		}
		return change{body: a.Cause, do: func(o *ordering.Order, _ time.Time) error { return o.Decide(a) }}
	})
}

// movesStock receives or writes off some pieces, or repeats what was done under the same cause.
func (w *World) movesStock() {
	m := catalogue.StockMove{SKU: w.shop.skus[w.pick(len(w.shop.skus))]}
	n := int64(w.between(1, 5))
	if w.pick(3) == 2 {
		m.WrittenOff, m.Available = n, -n
	} else {
		m.Received, m.Available = n, n
	}
	cause := store.StockCause{ID: fmt.Sprint("cause", w.pick(60)), By: "operator", Reason: "counted", At: w.time()}
	_ = w.act("admin: stock of "+m.SKU, func() error { return w.db().MoveStock(w.ctx, m, cause) })
}

// suspends stops a KOC, or lets it go on.
func (w *World) suspends() {
	handle := w.shop.kocs[w.pick(len(w.shop.kocs))]
	_ = w.act("admin: suspend "+handle, func() error {
		p, err := w.db().UpdateKOC(w.ctx, handle, func(p *koc.Profile) error {
			if p.Status() == koc.Suspended {
				return p.Approve("", w.time())
			}
			return p.Suspend("looking into it", w.time())
		}, nil)
		if err != nil {
			return err
		}
		return w.payer().KeepBack(w.ctx, p, w.time())
	})
}
