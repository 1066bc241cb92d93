package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/web/api"
)

// Earnings are a KOC's balances and when what is pending becomes available.
type Earnings struct {
	Balances []Balance  `json:"balances" doc:"One per currency; a KOC without any earning has one in the shop's currency"`
	Forecast []Forecast `json:"forecast" doc:"Pending commission of the newest 200 orders by the day it becomes available; orders whose day nobody knows yet are left out"`
}

// Balance is what there is in one currency, in minor units.
type Balance struct {
	Currency  string `json:"currency"`
	Pending   int64  `json:"pending" doc:"Earned by orders that can still be returned"`
	Available int64  `json:"available" doc:"Can be withdrawn"`
	Debt      int64  `json:"debt" doc:"To be given back, because orders were refunded after their commission had become available"`
	InPayout  int64  `json:"inPayout" doc:"On its way"`
	Paid      int64  `json:"paid" doc:"Transferred"`
}

// Forecast is how much becomes available on one day, in minor units.
type Forecast struct {
	Date     string `json:"date" doc:"Local date in the shop's zone"`
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// forecastOrders is how many of the newest orders a forecast looks at: two batch reads.
const forecastOrders = 200

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
	out := Earnings{Forecast: []Forecast{}}
	for _, b := range stored {
		out.Balances = append(out.Balances, Balance{Currency: string(b.Currency), Pending: b.Pending, Available: b.Available,
			Debt: -b.Debt, InPayout: b.InPayout, Paid: b.Paid}) // the debt account's own balance is negative
	}
	out.Forecast, err = p.forecast(ctx, handle, settings)
	return &api.Reply[Earnings]{Body: out}, err
}

func (p *portal) forecast(ctx context.Context, handle string, s shop.Settings) ([]Forecast, error) {
	now := p.now()
	orders, _, err := p.store.ListOrders(ctx, store.OrderFilter{KOC: handle, To: now.Add(skew)}, "", forecastOrders)
	if err != nil {
		return nil, err
	}
	applied, err := p.appliedOf(ctx, orders)
	if err != nil {
		return nil, err
	}
	type due struct {
		date     string
		currency money.Currency
	}
	sums := map[due]int64{}
	for _, o := range orders {
		on := o.AvailableOn()
		if on.IsZero() {
			continue
		}
		if on.Before(now) {
			on = now // its time has come; what records that runs every minute
		}
		sums[due{on.In(s.Zone()).Format(time.DateOnly), o.Total.Currency}] += sumOf(applied[o.ID], handle).Pending()
	}
	out := []Forecast{}
	byDate := func(a, b due) int { return strings.Compare(a.date+string(a.currency), b.date+string(b.currency)) }
	for _, d := range slices.SortedFunc(maps.Keys(sums), byDate) {
		if sums[d] != 0 {
			out = append(out, Forecast{Date: d.date, Amount: sums[d], Currency: string(d.currency)})
		}
	}
	return out, nil
}

func (p *portal) appliedOf(ctx context.Context, orders []ordering.Order) (map[string]ledger.Applied, error) {
	ids := make([]string, len(orders))
	for i, o := range orders {
		ids[i] = o.ID
	}
	return p.store.Applied(ctx, ids)
}
