package main

import (
	"context"
	"fmt"
	"time"
)

// clientCounts are how many clients send one request after the other. With 8 two cores are busy; 32 shows what waits.
var clientCounts = []int{1, 8, 32}

// Throughput is how much of one request the store takes.
type Throughput struct {
	What      string  `json:"what"`
	Clients   int     `json:"clients"`
	PerSecond float64 `json:"perSecond"`
	P50MS     float64 `json:"p50Ms"`
	P99MS     float64 `json:"p99Ms"`
	CPU       CPU     `json:"cpuMs"`
}

// throughputLoad is one kind of load; its calls are taken in turn.
type throughputLoad struct {
	what    string
	clients []int
	calls   func(*shop) []call
	orders  bool
}

func throughputLoads() []throughputLoad {
	return []throughputLoad{
		{"storefront page", clientCounts, func(s *shop) []call {
			return []call{{Method: "GET", Path: "/s/" + s.codes.storefront, Header: map[string]string{"Accept": "text/html", "Accept-Language": "zh-CN,zh;q=0.9"}, Status: 200}}
		}, false},
		{"placing an order", clientCounts, func(s *shop) []call {
			var calls []call
			for _, sku := range s.skus {
				calls = append(calls, placement(s, "sandbox", sku))
			}
			return calls
		}, true},
		{"placing, all of one SKU", []int{8}, func(s *shop) []call { return []call{placement(s, "sandbox", s.skus[0])} }, true},
	}
}

// throughputs runs every load several times. Loads of orders each get a fresh store; pages leave no trace.
func (b *bench) throughputs(ctx context.Context, r *Report) error {
	var rounds [][]Throughput
	for range b.Repeats {
		var rows []Throughput
		for _, kind := range throughputLoads() {
			more, err := b.throughput(ctx, kind)
			if err != nil {
				return fmt.Errorf("%s: %w", kind.what, err)
			}
			rows = append(rows, more...)
		}
		rounds = append(rounds, rows)
	}
	for i, row := range rounds[0] {
		of := func(value func(Throughput) float64) float64 {
			var all []float64
			for _, rows := range rounds {
				all = append(all, value(rows[i]))
			}
			return middle(all)
		}
		row.PerSecond = of(func(t Throughput) float64 { return t.PerSecond })
		row.P50MS, row.P99MS = of(func(t Throughput) float64 { return t.P50MS }), of(func(t Throughput) float64 { return t.P99MS })
		var costs []CPU
		for _, rows := range rounds {
			costs = append(costs, rows[i].CPU)
		}
		row.CPU = middleCPU(costs)
		r.Throughput = append(r.Throughput, row)
	}
	return nil
}

// throughput runs one kind of load with every number of clients.
func (b *bench) throughput(ctx context.Context, kind throughputLoad) (rows []Throughput, err error) {
	var s *shop
	defer func() {
		if s != nil {
			s.close(&b.peaks)
		}
	}()
	for _, clients := range kind.clients {
		if s != nil && kind.orders {
			s.close(&b.peaks)
			s = nil
		}
		if s == nil {
			if s, err = b.open(ctx, false); err != nil {
				return nil, err
			}
		}
		p := plan{Base: s.URL, Clients: clients, Most: 1_000_000, For: b.PageTime, Calls: kind.calls(s)}
		if kind.orders {
			p.Most, p.For = b.OrdersEach, 5*time.Second
		}
		row, err := measureLoad(ctx, s, p)
		if err != nil {
			return nil, fmt.Errorf("%d clients: %w", clients, err)
		}
		row.What, row.Clients = kind.what, clients
		rows = append(rows, row)
	}
	return rows, nil
}

// measureLoad runs a plan and waits until the streams have followed: what an order causes is part of its cost. A short
// run ahead starts the processes: what starting costs is measured elsewhere.
func measureLoad(ctx context.Context, s *shop, p plan) (Throughput, error) {
	ahead := p
	ahead.Most = warmUps * p.Clients
	if _, err := load(ctx, ahead); err != nil {
		return Throughput{}, fmt.Errorf("warm up: %w", err)
	}
	if err := s.Quiet(ctx); err != nil {
		return Throughput{}, fmt.Errorf("wait for the streams: %w", err)
	}
	before, err := usedBy(s.Runner)
	if err != nil {
		return Throughput{}, err
	}
	o, err := load(ctx, p)
	if err != nil {
		return Throughput{}, err
	}
	if err := s.Quiet(ctx); err != nil {
		return Throughput{}, fmt.Errorf("wait for the streams: %w", err)
	}
	after, err := usedBy(s.Runner)
	if err != nil {
		return Throughput{}, err
	}
	return Throughput{PerSecond: o.perSecond(), P50MS: milliseconds(median(o.Latencies)), P99MS: milliseconds(percentile(o.Latencies, 99)),
		CPU: after.since(before, o.CPU).per(len(o.Latencies))}, nil
}
