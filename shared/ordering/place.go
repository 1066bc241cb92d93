package ordering

import (
	"fmt"
	"time"

	"yundian/shared/fail"
	"yundian/shared/identity"
	"yundian/shared/money"
	"yundian/shared/shop"
)

// Request is everything a placement is decided from, apart from the quote.
type Request struct {
	ID       string
	Language string
	Person   string
	Identity identity.Hashes // of contact and address, see IdentityOf
	Payment  string
	Customer Customer
	Evidence []Evidence
	// Expect is the total the shopper saw; zero currency when the shopper's client did not say.
	Expect money.Amount
}

// Place turns a quote into an order. A total that differs from what the shopper saw is a Conflict, and so are more pieces
// than the shop sends to somebody who pays on delivery. Such an order has to be confirmed above a total.
func Place(r Request, q Quote, s shop.Settings, now time.Time) (Order, error) {
	if r.Expect.Currency != "" && r.Expect.Currency != s.Currency {
		return Order{}, fail.NewFields([]fail.Field{fail.At("body.expect.currency", "currency_other", "This shop sells in {currency}.", fail.Args{"currency": s.Currency})})
	}
	if r.Expect.Currency != "" && r.Expect.Minor != q.Total.Minor {
		return Order{}, fail.New(fail.Conflict, "price_changed", "The total is now {total}. Please look at the new quote and order again.", fail.Args{"total": q.Total})
	}
	if err := checkOnDelivery(r.Payment, q.Lines, s.Limits); err != nil {
		return Order{}, err
	}
	day, err := s.Day(now)
	if err != nil {
		return Order{}, fmt.Errorf("place order %s: %w", r.ID, err)
	}
	o := Order{
		ID: r.ID, PlacedAt: now, Day: day, Language: r.Language, Person: r.Person, Identity: r.Identity,
		Payment: r.Payment, Lines: q.Lines, Shipping: q.Shipping, Tax: q.Tax, Discount: q.Discount, Total: q.Total,
		Customer: r.Customer, Evidence: r.Evidence,
		Terms: Terms{
			PolicyVersion: s.Version, AttributionDays: s.Windows.AttributionDays, ReturnDays: s.Windows.ReturnDays,
			ReceiptDays: s.Windows.ReceiptDays, Zone: s.TimeZone, HoldUntil: now.Add(time.Duration(s.Windows.HoldMinutes) * time.Minute),
		},
	}
	if r.Payment == OnDelivery && s.Limits.ConfirmAbove > 0 && q.Total.Minor > s.Limits.ConfirmAbove {
		o.Terms.ConfirmUntil = now.Add(time.Duration(s.Limits.ConfirmHours) * time.Hour)
	}
	return o, nil
}
