package cashier_test

import (
	"testing"

	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/provider"
)

// asksBack records a refund of half of what was paid, without sending it.
func (x *till) asksBack(t *testing.T, id string) ordering.Refund {
	t.Helper()
	o := x.read(t, "o1")
	half := money.Of(o.Total.Minor/2, "CNY")
	o, err := x.Store.UpdateOrder(t.Context(), "o1", func(o *ordering.Order) error {
		_, err := o.RequestRefund(ordering.RefundRequest{ID: id, Reason: "x", Amount: &half}, x.now)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r, _ := o.Refund(id)
	return r
}

func (x *till) sends(t *testing.T) {
	t.Helper()
	if _, err := x.SendRefunds(t.Context(), x.read(t, "o1"), x.now); err != nil {
		t.Fatal(err)
	}
}

// atProvider is the sandbox's id of a refund of ours.
func (x *till) atProvider(t *testing.T, intent string) string {
	t.Helper()
	p, err := x.Providers.Get(t.Context(), provider.Sandbox)
	if err != nil {
		t.Fatal(err)
	}
	found, err := p.LookupRefund(t.Context(), intent)
	if err != nil {
		t.Fatal(err)
	}
	return found.ProviderID
}

// nameless is an event about a refund that does not name our id of it.
func (x *till) nameless(o ordering.Order, event, refund string, amount money.Amount, kind provider.EventType) provider.Event {
	return provider.Event{ID: event, Type: kind, OrderID: o.ID, PaymentID: o.Captures[0].PaymentID, RefundID: refund, Amount: amount, At: x.now}
}

func (x *till) records(t *testing.T, e provider.Event) {
	t.Helper()
	if err := x.Record(t.Context(), provider.Sandbox, e, x.now); err != nil {
		t.Fatal(err)
	}
}

// TestARefundIsKnownByItsProvidersIdToo: the answer was lost, and the event does not name our id. Whatever comes first,
// look-up or event, the shopper got the money once.
func TestARefundIsKnownByItsProvidersIdToo(t *testing.T) {
	for name, steps := range map[string][]string{
		"looked up, then told":          {"look up", "tell"},
		"told, then looked up":          {"tell", "look up"},
		"told twice under two ids":      {"look up", "tell", "tell", "look up"},
		"told before the next attempt":  {"tell", "tell"},
		"told while the answer is lost": {"tell"},
	} {
		t.Run(name, func(t *testing.T) {
			x := open(t)
			o := x.paid(t, "o1")
			r := x.asksBack(t, "r1")
			x.dispute(t, "/next", `{"refund": "lost"}`)
			x.sends(t)
			for n, step := range steps {
				if step == "look up" {
					x.sends(t)
				} else {
					x.records(t, x.nameless(o, "e"+string(rune('0'+n)), x.atProvider(t, "r1"), r.Amount, provider.RefundDone))
				}
			}
			if o = x.read(t, "o1"); len(o.Refunds) != 1 || o.Refunds[0].State() != "succeeded" || o.RefundedTotal() != r.Amount {
				t.Errorf("%s has gone back: %+v", o.RefundedTotal(), o.Refunds)
			}
		})
	}
}

// A provider that loses the answer and tells of the refund without our id at the same time.
func TestANamelessEventMeetsTheRefundUnderWay(t *testing.T) {
	x := open(t)
	o := x.paid(t, "o1")
	r := x.asksBack(t, "r1")
	x.dispute(t, "/next", `{"refund": "nameless"}`)
	x.sends(t)
	x.sends(t)
	x.records(t, x.nameless(o, "e1", x.atProvider(t, "r1"), r.Amount, provider.RefundDone))
	if o = x.read(t, "o1"); len(o.Refunds) != 1 || o.RefundedTotal() != r.Amount {
		t.Errorf("%+v", o.Refunds)
	}
}

// A refund of the same amount that people made on the provider's pages is another one, also while ours is under way.
func TestAnotherRefundOfTheSameAmount(t *testing.T) {
	x := open(t)
	o := x.paid(t, "o1")
	r := x.asksBack(t, "r1")
	x.dispute(t, "/next", `{"refund": "lost"}`)
	x.sends(t)
	x.records(t, x.nameless(o, "e1", "re_by_hand", r.Amount, provider.RefundDone))
	x.sends(t)
	if o = x.read(t, "o1"); len(o.Refunds) != 2 || o.RefundedTotal().Minor != 2*r.Amount.Minor || o.Refunds[1].ID != "sandbox:re_by_hand" {
		t.Errorf("%+v", o.Refunds)
	}
	if o.Refunds[0].ProviderID != x.atProvider(t, "r1") {
		t.Errorf("ours is known as %q", o.Refunds[0].ProviderID)
	}
}

// A refund that a bank could not pay out is one of ours that failed, although the event does not say so; the order can be
// refunded again.
func TestANamelessFailure(t *testing.T) {
	x := open(t)
	o := x.paid(t, "o1")
	r := x.asksBack(t, "r1")
	x.hears.Store(false) // the event with our id is lost
	x.dispute(t, "/next", `{"refund": "fail"}`)
	x.sends(t)
	pending := x.read(t, "o1").Refunds[0]
	if id := x.atProvider(t, "r1"); !pending.Open() || pending.ProviderID != id {
		t.Fatalf("pending at the provider as %s: %+v", id, pending)
	}
	x.records(t, x.nameless(o, "e1", pending.ProviderID, r.Amount, provider.RefundNotDone))
	if o = x.read(t, "o1"); o.Refunds[0].State() != "failed" || o.Refundable() != o.Total {
		t.Errorf("%s refundable, %+v", o.Refundable(), o.Refunds)
	}
}

// While the provider cannot be asked, nothing is recorded, and it will tell the event again.
func TestANamelessEventWaitsForTheProvider(t *testing.T) {
	x := open(t)
	o := x.paid(t, "o1")
	r := x.asksBack(t, "r1")
	e := x.nameless(o, "e1", "re_1", r.Amount, provider.RefundDone)
	x.cutOff.Store(true)
	if err := x.Record(t.Context(), provider.Sandbox, e, x.now); err == nil || fail.KindOf(err) != fail.Internal {
		t.Errorf("taken without asking: %v", err)
	}
	if o = x.read(t, "o1"); len(o.Refunds) != 1 || !o.Refunds[0].Open() {
		t.Errorf("%+v", o.Refunds)
	}
	x.cutOff.Store(false)
	x.records(t, e)
	if o = x.read(t, "o1"); len(o.Refunds) != 2 {
		t.Errorf("%+v", o.Refunds)
	}
}
