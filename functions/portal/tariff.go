package main

import (
	"context"
	"time"

	"yundian/shared/commission"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

// Terms are what a sale earns this KOC.
type Terms struct {
	Rate     int64         `json:"rate" doc:"Commission in hundredths of a percent; 0 where there is an amount for each piece instead"`
	PerUnit  *money.Amount `json:"perUnit,omitempty" doc:"A fixed amount for each piece"`
	LineCap  *money.Amount `json:"lineCap,omitempty" doc:"The most that the product earns on one order"`
	OrderCap *money.Amount `json:"orderCap,omitempty" doc:"The most that all products under the same rule earn on one order together"`
	Rule     string        `json:"ruleId" doc:"default, product:<id> for a product's own rate, or a rule's id"`
}

// NextTerms are announced terms.
type NextTerms struct {
	From time.Time `json:"from"`
	Terms
}

// Earning is what a product earns this KOC now, and what was announced to change.
type Earning struct {
	Terms
	NewCustomers *Terms     `json:"newCustomers,omitempty" doc:"What it earns when somebody buys here for the first time, if that is something else"`
	Coming       *NextTerms `json:"coming,omitempty" doc:"What it will earn, as soon as that changes"`
}

// tariff is what a KOC earns, as the shop has announced it.
type tariff struct {
	commission.Tariff
	who      koc.Profile
	now      time.Time
	currency money.Currency
}

func (p *portal) tariff(ctx context.Context) (tariff, error) {
	now := p.now()
	plan, err := p.store.Plan(ctx, now)
	if err != nil {
		return tariff{}, err
	}
	return tariff{plan.Tariff(now), visitOf(ctx).koc, now, plan.Currency()}, nil
}

// sale is a sale of this KOC's to somebody who has ordered before. An empty product stands for those that no rule names.
func (t tariff) sale(product string, tags []string) commission.Sale {
	return commission.Sale{KOC: t.who.Handle, Tier: t.who.TierAt(t.now), Product: product, Tags: tags, Customer: ordering.Returning}
}

func (t tariff) earning(product string, tags []string) Earning {
	s := t.sale(product, tags)
	e := Earning{Terms: t.terms(t.Now(s))}
	first := s
	first.Customer = ordering.NewCustomer
	if r := t.Now(first); r != t.Now(s) {
		terms := t.terms(r)
		e.NewCustomers = &terms
	}
	if at, r, changes := t.Next(s); changes {
		e.Coming = &NextTerms{From: at.UTC(), Terms: t.terms(r)}
	}
	return e
}

func (t tariff) terms(r ordering.LineRate) Terms {
	amount := func(minor int64) *money.Amount {
		if minor == 0 {
			return nil
		}
		a := money.Of(minor, t.currency)
		return &a
	}
	return Terms{Rate: int64(r.Rate), PerUnit: amount(r.PerUnit), LineCap: amount(r.LineCap), OrderCap: amount(r.OrderCap), Rule: r.Rule}
}
