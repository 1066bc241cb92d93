package main

import (
	"context"
	"slices"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/shop"
	"yundian/shared/web/api"
)

// Earnings are a KOC's balances and when what is pending becomes available.
type Earnings struct {
	Balances []Balance         `json:"balances" doc:"One per currency; a KOC without any earning has one in the shop's currency"`
	Forecast []Forecast        `json:"forecast" doc:"Pending commission by the day it becomes available; orders whose day nobody knows yet are left out"`
	Terms    []WithdrawalTerms `json:"terms" doc:"The conditions of payouts, one per currency of the balances"`
}

// Balance is what there is in one currency, in minor units.
type Balance struct {
	Currency    string `json:"currency"`
	Pending     int64  `json:"pending" doc:"Earned by orders that can still be returned"`
	Available   int64  `json:"available" doc:"Can be withdrawn"`
	Debt        int64  `json:"debt" doc:"To be given back, because orders were refunded after their commission had become available"`
	InPayout    int64  `json:"inPayout" doc:"On its way"`
	Paid        int64  `json:"paid" doc:"Transferred"`
	TaxWithheld int64  `json:"taxWithheld" doc:"Kept back from transfers for the tax office"`
	Fees        int64  `json:"fees" doc:"Kept back from transfers for what they cost"`
}

// Forecast is how much becomes available on one day, in minor units.
type Forecast struct {
	Date     string `json:"date" doc:"Local date in the shop's zone"`
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

func (p *portal) earnings(ctx context.Context, _ *struct{}) (*api.Reply[Earnings], error) {
	handle := visitOf(ctx).koc.Handle
	settings, err := p.store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	stored, err := p.store.Balances(ctx, handle)
	if err != nil {
		return nil, err
	}
	if len(stored) == 0 {
		stored = []ledger.Balances{{Currency: settings.Currency}}
	}
	terms, err := p.store.PayoutTermsAt(ctx, p.now())
	if err != nil {
		return nil, err
	}
	today, err := settings.Day(p.now())
	if err != nil {
		return nil, err
	}
	out := Earnings{Forecast: []Forecast{}}
	for _, b := range stored {
		// The debt account's own balance is negative. Above zero it is money that the brand owes, and can be withdrawn.
		out.Balances = append(out.Balances, Balance{Currency: string(b.Currency), Pending: b.Pending, Available: b.Withdrawable(),
			Debt: max(0, -b.Debt), InPayout: b.InPayout, Paid: b.Paid, TaxWithheld: b.TaxWithheld, Fees: b.Fees})
		out.Terms = append(out.Terms, viewTerms(terms.Of(b.Currency), today))
	}
	out.Forecast, err = p.forecast(ctx, handle, settings)
	return &api.Reply[Earnings]{Body: out}, err
}

// overdue is how long ago a day can be on which commission should have become available and has not been recorded yet.
const overdue = 90 * 24 * time.Hour

// forecast is what is pending by the day it becomes available. A day that has come is today: what records it runs every
// minute.
func (p *portal) forecast(ctx context.Context, handle string, s shop.Settings) ([]Forecast, error) {
	zone, err := s.Zone()
	if err != nil {
		return nil, err
	}
	now := p.now().In(zone)
	today := now.Format(time.DateOnly)
	expected, err := p.store.Expected(ctx, handle, now.Add(-overdue).Format(time.DateOnly))
	if err != nil {
		return nil, err
	}
	out := []Forecast{}
	for _, e := range expected {
		f := Forecast{Date: max(e.Day, today), Amount: e.Minor, Currency: string(e.Currency)}
		same := slices.IndexFunc(out, func(x Forecast) bool { return x.Date == f.Date && x.Currency == f.Currency })
		if same >= 0 {
			out[same].Amount += f.Amount
			continue
		}
		out = append(out, f)
	}
	return out, nil
}
