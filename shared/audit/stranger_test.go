package audit_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"yundian/shared/audit"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/store"
)

// TestAPaymentThatNeverCame: a provider tells of money that went back of a payment that the order never had. Its event may
// come for three days; then somebody has to look.
func TestAPaymentThatNeverCame(t *testing.T) {
	refund := func(payment string) func(*world, *ordering.Order) error {
		return func(w *world, o *ordering.Order) error {
			return o.SettleRefund(ordering.Outcome{ID: "sandbox:re", ProviderID: "re", PaymentID: payment, Amount: money.Of(77, "CNY"), Succeeded: true}, w.now())
		}
	}
	dispute := func(outcome ordering.DisputeOutcome) func(*world, *ordering.Order) error {
		return func(w *world, o *ordering.Order) error {
			return o.RecordDispute(ordering.DisputeNews{ID: "sandbox:d", PaymentID: "pay of nobody", Amount: money.Of(77, "CNY"), Outcome: outcome}, w.now())
		}
	}
	for name, c := range map[string]struct {
		paid  bool
		news  func(*world, *ordering.Order) error
		waits int // as unsettled, within the three days
	}{
		"a refund of an unpaid order":     {false, refund("pay of nobody"), 1},
		"a refund of nothing in special":  {false, refund(""), 1},
		"a refund of a paid order":        {true, refund("pay of nobody"), 1},
		"a lost dispute of an unpaid one": {false, dispute(ordering.DisputeLost), 1},
		"a dispute of a paid order":       {true, dispute(ordering.DisputeOpened), 0},
	} {
		w := newWorld(t, store.OpenMaps(store.NewMaps()))
		id := "order"
		w.place(id, nobodys)
		if c.paid {
			w.step(id, 0)
		}
		w.change(id, func(o *ordering.Order) error { return c.news(w, o) })
		w.settle(id)
		if r := run(t, w.auditor()); r.Unsettled != c.waits || len(r.Differences) != 0 {
			t.Errorf("%s, at once: %+v", name, r)
		}
		w.at = w.at.Add(72*time.Hour + time.Minute)
		if r := run(t, w.auditor()); r.Unsettled != 0 || len(r.Differences) != 1 || !strings.HasPrefix(r.Differences[0].Expected, "payment ") {
			t.Errorf("%s, after three days: %+v", name, r)
		}
	}
}

// TestReturnsAreHeldAgainstTheOrder: more pieces back than were bought, and an accepted return without its refund.
func TestReturnsAreHeldAgainstTheOrder(t *testing.T) {
	for want, alter := range map[string]func(*ordering.Order){
		"": func(*ordering.Order) {},
		"at most 2 pieces of line 0 back": func(o *ordering.Order) {
			o.Withdrawn = &ordering.Mark{V: o.Version} // so that no count of the stock stands in the way
			o.Goods[0].Quantity++
		},
		"refund back of return r1": func(o *ordering.Order) { o.Refunds[0].ID = "another" },
	} {
		w := newWorld(t, store.OpenMaps(store.NewMaps()))
		w.place("order", nobodys)
		for n := range 3 {
			w.step("order", n)
		}
		for _, do := range []func(*ordering.Order) error{
			func(o *ordering.Order) error { _, err := o.RequestReturn(nil, w.now()); return err },
			func(o *ordering.Order) error {
				return o.CloseReturn("r1", ordering.ReturnDecision{Outcome: ordering.Accepted, Refund: ordering.RefundRequest{ID: "back"}}, w.now())
			},
			func(o *ordering.Order) error { alter(o); return nil },
		} {
			w.change("order", do)
		}
		w.settle("order")
		found := run(t, w.auditor()).Differences
		if len(found) > 0 != (want != "") || want != "" && !slices.ContainsFunc(found, func(d audit.Difference) bool { return d.Kind == audit.Order && d.Expected == want }) {
			t.Errorf("%q: %+v", want, found)
		}
	}
}
