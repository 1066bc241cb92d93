package main

import (
	"context"
	"fmt"
	"time"
)

// Road is whole orders: placed, paid at the sandbox, attributed, settled and counted.
type Road struct {
	Clients   int     `json:"clients"`
	PerSecond float64 `json:"perSecond"` // from the first order placed to the last one's earnings, drained streams included
	LagP50MS  float64 `json:"lagP50Ms"`  // from the answer to the payment to GET /v1/earnings that shows it, at LagRate
	LagP95MS  float64 `json:"lagP95Ms"`
	PressP95  float64 `json:"pressP95Ms"` // the same from pressing pay
	LagRate   float64 `json:"lagRate"`    // orders per second while the lag was measured
	Orders    int     `json:"orders"`     // of each repetition
	CPU       CPU     `json:"cpuMs"`      // per order, under load
	// Functions is the same by function.
	Functions map[string]float64 `json:"functionsMs"`
}

// roadClients walk orders at a time while the road's throughput is measured.
const roadClients = 8

// roads measures lag and throughput on each of several fresh stores.
func (b *bench) roads(ctx context.Context, r *Report) error {
	var rates, lagRates []float64
	var lags, presses []time.Duration
	var costs []CPU
	for range b.Repeats {
		s, err := b.open(ctx, false)
		if err != nil {
			return err
		}
		lag, err := b.lag(ctx, s)
		var rate float64
		var cost CPU
		if err == nil {
			rate, cost, err = b.fullSpeed(ctx, s)
		}
		s.close(&b.peaks)
		if err != nil {
			return err
		}
		lags, presses = append(lags, lag.Lags...), append(presses, lag.Presses...)
		rates, lagRates, costs = append(rates, rate), append(lagRates, lag.perSecond()), append(costs, cost)
	}
	cost := middleCPU(costs)
	r.Road = Road{Clients: roadClients, PerSecond: middle(rates), LagP50MS: milliseconds(median(lags)), LagP95MS: milliseconds(percentile(lags, 95)),
		PressP95: milliseconds(percentile(presses, 95)), LagRate: middle(lagRates), Orders: b.RoadOrders, CPU: cost, Functions: cost.byFunction}
	return nil
}

func walks(s *shop) *road {
	r := &road{Login: s.koc, Commission: commissionEach}
	for _, sku := range s.skus {
		r.Orders = append(r.Orders, placement(s, "sandbox", sku))
	}
	return r
}

// lag walks one order after the other at a modest rate and watches the earnings after each payment.
func (b *bench) lag(ctx context.Context, s *shop) (outcome, error) {
	r := walks(s)
	// One order goes ahead to start every process: a cold start is measured elsewhere.
	if _, err := load(ctx, plan{Base: s.URL, Clients: 1, Most: 1, Road: r}); err != nil {
		return outcome{}, fmt.Errorf("walk the first order: %w", err)
	}
	if err := s.Quiet(ctx); err != nil {
		return outcome{}, fmt.Errorf("wait for the first order's earnings: %w", err)
	}
	r.Before, r.Interval = commissionEach, b.LagInterval
	o, err := load(ctx, plan{Base: s.URL, Clients: 1, Most: b.LagOrders, Road: r})
	if err != nil {
		return outcome{}, fmt.Errorf("time payments until they are earnings: %w", err)
	}
	return o, nil
}

// fullSpeed walks orders as fast as they go and waits for the last one's earnings, which must be right.
func (b *bench) fullSpeed(ctx context.Context, s *shop) (float64, CPU, error) {
	// Some orders go ahead to start every process.
	if _, err := load(ctx, plan{Base: s.URL, Clients: roadClients, Most: warmUps * roadClients, Road: walks(s)}); err != nil {
		return 0, CPU{}, fmt.Errorf("walk the first orders: %w", err)
	}
	if err := s.Quiet(ctx); err != nil {
		return 0, CPU{}, fmt.Errorf("wait for the first orders' earnings: %w", err)
	}
	start, err := s.pending(ctx)
	if err != nil {
		return 0, CPU{}, err
	}
	before, err := usedBy(s.Runner)
	if err != nil {
		return 0, CPU{}, err
	}
	o, err := load(ctx, plan{Base: s.URL, Clients: roadClients, Most: b.RoadOrders, Road: walks(s)})
	if err != nil {
		return 0, CPU{}, fmt.Errorf("walk orders: %w", err)
	}
	if err := s.Quiet(ctx); err != nil {
		return 0, CPU{}, fmt.Errorf("wait for the earnings: %w", err)
	}
	took := time.Since(o.Began)
	after, err := usedBy(s.Runner)
	if err != nil {
		return 0, CPU{}, err
	}
	end, err := s.pending(ctx)
	if err != nil {
		return 0, CPU{}, err
	}
	orders := len(o.Latencies)
	if want := start + int64(orders)*commissionEach; end != want {
		return 0, CPU{}, fmt.Errorf("after %d orders %d is pending, not %d", orders, end, want)
	}
	return float64(orders) / took.Seconds(), after.since(before, o.CPU).per(orders), nil
}

// pending is what the KOC's earnings say is pending.
func (s *shop) pending(ctx context.Context) (int64, error) {
	body, err := s.request(ctx, "GET", "/v1/earnings", s.koc, "", nil, 200)
	if err != nil {
		return 0, err
	}
	return pendingIn(body)
}
