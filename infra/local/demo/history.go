package demo

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"yundian/shared/attribution"
	"yundian/shared/catalogue"
	"yundian/shared/customer"
	"yundian/shared/koc"
	"yundian/shared/ordering"
	"yundian/shared/provider"
	"yundian/shared/shop"
	"yundian/shared/store"
)

// language is the shoppers'.
const language = "zh-Hans"

// planned is an order of the plan with its place in it.
type planned struct {
	Order
	n int
}

// id is the order's id. It is the same in every demo shop, so that a seeding that goes on finds its orders.
func (p planned) id() string {
	h := sha256.Sum256(fmt.Appendf(nil, "yundian demo order %d", p.n))
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(time.Date(2026, 1, 1, p.n, 0, 0, 0, time.UTC))) // refuses times after the year 10889
	_ = id.SetEntropy(h[:10])                                                     // refuses other lengths
	return id.String()
}

// placedAt is when the order was placed, always a little before now.
func (p planned) placedAt(now time.Time, zone *time.Location) (time.Time, error) {
	if p.Clock == "now" {
		return now, nil
	}
	clock, err := time.Parse("15:04", p.Clock)
	if err != nil {
		return now, fmt.Errorf("order %d of the plan: %w", p.n, err)
	}
	y, m, d := now.In(zone).Date()
	at := time.Date(y, m, d-p.DaysAgo, clock.Hour(), clock.Minute(), 7*p.n%60, 0, zone)
	if latest := now.Add(-15 * time.Minute); at.After(latest) { // seeded just after midnight
		at = latest
	}
	return at.UTC(), nil
}

// history places the orders of the plan and lets happen to them what the plan says. Each order takes one step per round,
// and between rounds every stream is drained, so that its postings are made one after the other, as they would have
// been in life.
func (s *seeding) history(ctx context.Context) error {
	orders := make([]planned, len(Orders))
	ids := make([]string, len(Orders))
	for i, o := range Orders {
		orders[i] = planned{o, i + 1}
		ids[i] = orders[i].id()
	}
	if err := s.place(ctx, orders, ids); err != nil {
		return err
	}
	if err := s.Quiet(ctx); err != nil {
		return err
	}
	placed, err := s.Store.Orders(ctx, ids)
	if err != nil {
		return err
	}
	for round := 0; ; round++ {
		var steps []step
		for _, p := range orders {
			if all := s.steps(p, placed[p.id()]); round < len(all) {
				steps = append(steps, all[round])
			}
		}
		if len(steps) == 0 {
			return nil
		}
		if err := sideBySide(steps, func(x step) error { return s.take(ctx, x) }); err != nil {
			return err
		}
		if err := s.Quiet(ctx); err != nil {
			return err
		}
	}
}

// take lets one step happen, unless it has happened before. What can no longer happen, because time went on while a
// seeding was interrupted, is left out.
func (s *seeding) take(ctx context.Context, x step) error {
	_, err := s.Store.UpdateOrder(ctx, x.order, func(o *ordering.Order) error {
		if x.done(*o) {
			return nil
		}
		return x.do(o)
	})
	if err != nil && !isConflict(err) {
		return fmt.Errorf("%s: %w", x.name, err)
	}
	return nil
}

// place places the orders that are not there yet.
func (s *seeding) place(ctx context.Context, orders []planned, ids []string) error {
	there, err := s.Store.Orders(ctx, ids)
	if err != nil {
		return err
	}
	settings, err := s.Store.Settings(ctx)
	if err != nil {
		return err
	}
	var skus []string
	for _, p := range Products {
		for _, v := range p.Variants {
			skus = append(skus, v.SKU)
		}
	}
	sold, err := s.Store.Sellables(ctx, skus)
	if err != nil {
		return err
	}
	return sideBySide(orders, func(p planned) error {
		if _, ok := there[p.id()]; ok {
			return nil
		}
		n, err := s.newOrder(p, sold, settings)
		if err != nil {
			return fmt.Errorf("order %d of the plan: %w", p.n, err)
		}
		_, err = s.Store.PlaceOrder(ctx, n)
		return err
	})
}

// newOrder is a placement as checkout would have written it at the time.
func (s *seeding) newOrder(p planned, sold map[string]catalogue.Sellable, settings shop.Settings) (store.NewOrder, error) {
	zone, err := settings.Zone()
	if err != nil {
		return store.NewOrder{}, err
	}
	at, err := p.placedAt(s.Now, zone)
	if err != nil {
		return store.NewOrder{}, err
	}
	contact, address, err := Shoppers[p.Shopper].reachable()
	if err != nil {
		return store.NewOrder{}, err
	}
	basket, err := ordering.MergeBasket(basketOf(p.Lines))
	if err != nil {
		return store.NewOrder{}, err
	}
	quote, err := ordering.Price(basket, sold, settings)
	if err != nil {
		return store.NewOrder{}, err
	}
	evidence, err := s.evidence(p, at, settings.Windows.AttributionDays)
	if err != nil {
		return store.NewOrder{}, err
	}
	o, err := ordering.Place(ordering.Request{ID: p.id(), Language: language, Payment: p.Payment,
		Person: s.Identity.Person(contact.PersonKey()), Identity: ordering.IdentityOf(s.Identity, contact, address), Evidence: evidence}, quote, settings, at)
	return store.NewOrder{Order: o, Contact: contact, Address: address, Key: "demo-shop-order-" + p.id(), Hash: "demo"}, err
}

// evidence is what the shopper's pages carried: the token of the link they came by some minutes before, and the code
// they typed.
func (s *seeding) evidence(p planned, at time.Time, windowDays int) ([]ordering.Evidence, error) {
	var out []ordering.Evidence
	if p.Link != "" {
		link, ok := s.links[p.Link]
		if !ok {
			return nil, fmt.Errorf("there is no link %q", p.Link)
		}
		token := attribution.SignToken(s.Keys, link.Code, at.Add(-seenBefore))
		out = attribution.ReadTokens(s.Keys, []string{token}, at, time.Duration(windowDays)*24*time.Hour)
	}
	if p.Code != "" {
		out = append(out, ordering.Evidence{Kind: ordering.ByCode, Code: koc.NormalCode(p.Code), At: at})
	}
	return out, nil
}

// seenBefore is how long before their order shoppers opened the page.
const seenBefore = 11 * time.Minute

// reachable is the shopper's contact and address as checkout keeps them.
func (s Shopper) reachable() (ordering.Contact, ordering.Address, error) {
	address, err := customer.ReadAddress(ordering.Address{Country: "CN", Region: s.Region, City: s.City, District: s.District,
		Division: s.Division, Line1: s.Line, Postcode: s.Postcode})
	if err != nil {
		return ordering.Contact{}, address, err
	}
	contact, err := customer.ReadContact(ordering.Contact{Name: s.Name, Phone: s.Phone, Email: s.Email}, address.Country)
	return contact, address, err
}

func basketOf(lines []Line) []ordering.BasketLine {
	out := make([]ordering.BasketLine, len(lines))
	for i, l := range lines {
		out[i] = ordering.BasketLine{SKU: l.SKU, Quantity: int64(l.Quantity)}
	}
	return out
}

// paid enters the order's payment into the sandbox's books, so that it can be refunded there like any other.
func (s *seeding) paid(o ordering.Order, at time.Time) (string, error) {
	return s.Paid(provider.SandboxCheckout{Key: "order:" + o.ID, OrderID: o.ID, Amount: o.Total, ReturnURL: s.URL + "/orders/" + o.ID,
		Description: o.Lines[0].Title, ExpiresAt: at})
}
