package permute

import (
	"context"
	"fmt"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/shop"
	"yundian/shared/store"
)

// Script is what happened to some orders, with a record of each change.
type Script struct {
	Tables  *store.Maps
	Records []store.Change
	Without string // a kind of guard that is taken away from every write, as in a simulation
}

// act is something that happens to an order.
type act = func(*ordering.Order) error

// play places an order per list of acts and lets them happen, one order after the other.
func play(orders ...[]act) (Script, error) {
	m := store.NewMaps()
	s := store.OpenMaps(m)
	if err := furnish(s); err != nil {
		return Script{}, err
	}
	for i, acts := range orders {
		id := fmt.Sprintf("order%d", i+1)
		if err := place(s, id); err != nil {
			return Script{}, fmt.Errorf("place %s: %w", id, err)
		}
		for n, do := range acts {
			if _, err := s.UpdateOrder(context.Background(), id, do); err != nil {
				return Script{}, fmt.Errorf("act %d of %s: %w", n, id, err)
			}
		}
	}
	return Script{Tables: m, Records: records(m)}, nil
}

// records are the changes of orders.
func records(m *store.Maps) (out []store.Change) {
	for _, c := range m.Changes(store.Orders, 0) {
		if c.Key.SK == "ORDER" {
			out = append(out, c)
		}
	}
	return out
}

func yuan(minor int64) money.Amount { return money.Of(minor, "CNY") }

// furnish opens a shop with two SKUs and three KOCs.
func furnish(s *store.Store) error {
	ctx := context.Background()
	settings := shop.Default()
	settings.Shipping.Fee = 500
	if err := s.SaveSettings(ctx, settings); err != nil {
		return err
	}
	p := catalogue.Product{ID: "tea", Title: "Tea", Status: catalogue.Active, Options: []string{"Size"}, Variants: []catalogue.Variant{
		{SKU: "S", Title: "S", Options: []string{"S"}, Price: yuan(3333)}, {SKU: "L", Title: "L", Options: []string{"L"}, Price: yuan(5001)}}}
	if err := s.SaveProduct(ctx, catalogue.Product{}, p, map[string]int64{"S": 50, "L": 50}); err != nil {
		return err
	}
	for _, handle := range []string{"mei", "lin", "zoe"} {
		k, err := koc.NewProfile(handle, handle, handle+"@example.com", noon.AddDate(0, -1, 0))
		if err == nil {
			err = s.CreateKOC(ctx, k)
		}
		if err == nil {
			_, err = s.UpdateKOC(ctx, handle, func(p *koc.Profile) error { return p.Approve("", noon.AddDate(0, 0, -9)) }, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// place orders two pieces of one SKU and one of the other, through mei's code.
func place(s *store.Store, id string) error {
	_, err := s.PlaceOnce(context.Background(), store.Wanted{SKUs: []string{"S", "L"}, Key: "key-of-" + id, Hash: "h"}, func(known store.Checkout) (store.NewOrder, error) {
		priced, err := ordering.Price([]ordering.BasketLine{{SKU: "S", Quantity: 2}, {SKU: "L", Quantity: 1}}, known.Sold, known.Settings)
		if err != nil {
			return store.NewOrder{}, err
		}
		o, err := ordering.Place(ordering.Request{ID: id, Payment: "sandbox", Person: "p", Evidence: []ordering.Evidence{{Kind: ordering.ByCode, Code: "mei", At: noon}}},
			priced, known.Settings, noon)
		return store.NewOrder{Order: o}, err
	})
	return err
}

// The acts of which scripts are made.

func pay(o *ordering.Order) error { return o.Capture("pay-"+o.ID, o.Total, noon) }

func payAgain(o *ordering.Order) error { return o.Capture("pay-again-"+o.ID, o.Total, noon) }

func send(o *ordering.Order) error {
	if err := o.Ship(ordering.Shipment{Carrier: "post", Tracking: "1"}, noon); err != nil {
		return err
	}
	return o.Deliver("shopper", noon)
}

func release(o *ordering.Order) error { return o.Mature(noon.AddDate(0, 0, 30)) }

func expire(o *ordering.Order) error { return o.Mature(noon.Add(time.Hour)) }

func payLate(o *ordering.Order) error { return o.CaptureLate("pay-"+o.ID, o.Total, true, noon) }

func cancel(o *ordering.Order) error { return o.Cancel("changed my mind", noon) }

func refund(id string, minor int64) act {
	return func(o *ordering.Order) error {
		a := yuan(minor)
		_, err := o.RequestRefund(ordering.RefundRequest{ID: id, By: "operator", Reason: "broken", Amount: &a}, noon)
		return err
	}
}

func fails(id string) act {
	return func(o *ordering.Order) error { return o.SettleRefund(ordering.Outcome{ID: id}, noon) }
}

func disputed(outcome ordering.DisputeOutcome) act {
	return func(o *ordering.Order) error {
		return o.RecordDispute(ordering.DisputeNews{ID: "d", PaymentID: "pay-" + o.ID, Amount: yuan(4000), Outcome: outcome}, noon)
	}
}

// award decides an order for a KOC, with an inviter, caps and months.
func award(cause, handle string) act {
	return func(o *ordering.Order) error {
		a := ordering.Award{Cause: cause, DecidedAt: noon, BookVersion: 1, InviterRate: 2000,
			Winners: []ordering.Winner{{KOC: handle, Code: handle, Share: money.Whole, Inviter: "zoe"}},
			Months: []ordering.MonthTerm{{KOC: handle, Rule: "cap", RuleVersion: 1, Lines: []int{0, 1}, Cap: 900},
				{KOC: handle, Rule: "bonus", RuleVersion: 1, Lines: []int{0}, Milestones: []ordering.Milestone{{Sales: 5000, Bonus: 77}, {Sales: 12000, Bonus: 200}}}}}
		for range o.Lines {
			a.Rates = append(a.Rates, ordering.LineRate{Rule: "default", RuleVersion: 1, Rate: 1000})
		}
		return o.Decide(a)
	}
}
