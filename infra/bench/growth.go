package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"yundian/infra/local/engine"
	"yundian/shared/catalogue"
	"yundian/shared/ordering"
	"yundian/shared/store"
)

// Growth is what one more order costs when so many are stored already.
type Growth struct {
	Engine     string  `json:"engine"`
	Stored     int     `json:"stored"` // orders, before those that are measured
	PlaceP50MS float64 `json:"placeP50Ms"`
	PlaceP95MS float64 `json:"placeP95Ms"`
	LagP50MS   float64 `json:"lagP50Ms"` // from the answer to the payment to visible earnings
	LagP95MS   float64 `json:"lagP95Ms"`
	EngineMS   float64 `json:"engineMs"` // processor time of the engine per order, from placing to drained streams
}

// grownEngines are measured whatever STORE says: the curve is a property of each.
var grownEngines = []string{engine.Dynoxide, engine.DynamoDBLocal}

// growths measures the curve of each engine.
func (b *bench) growths(ctx context.Context, r *Report) error {
	if r.Machine.Engine == "" { // nothing else is measured
		r.Machine.Engine = strings.Join(grownEngines, " and ") + ", in memory"
	}
	for _, kind := range grownEngines {
		rows, err := b.growth(ctx, kind)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		r.Growth = append(r.Growth, rows...)
	}
	return nil
}

// growth fills one store step by step and measures at each.
func (b *bench) growth(ctx context.Context, kind string) ([]Growth, error) {
	s, err := b.openOn(ctx, kind, false)
	if err != nil {
		return nil, err
	}
	defer s.close(&b.peaks)
	// Some orders go ahead to start every process: a cold start is measured elsewhere.
	if _, err := load(ctx, plan{Base: s.URL, Clients: 1, Most: warmUps, Road: walks(s)}); err != nil {
		return nil, fmt.Errorf("walk the first orders: %w", err)
	}
	f, err := newFiller(s, b.Stored[len(b.Stored)-1])
	if err != nil {
		return nil, err
	}
	walked := warmUps
	var rows []Growth
	for _, stored := range b.Stored {
		began := time.Now()
		if err := f.fill(ctx, stored-walked); err != nil {
			return nil, fmt.Errorf("store %d orders: %w", stored, err)
		}
		filled := time.Since(began)
		row, err := b.growthAt(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("with %d orders stored: %w", stored, err)
		}
		walked += 2 * b.GrowthOrders
		row.Engine, row.Stored = kind, stored
		rows = append(rows, row)
		fmt.Fprintf(os.Stderr, "  %s, %d orders stored: filled in %.1f s, measured in %.1f s\n", kind, stored, filled.Seconds(), (time.Since(began) - filled).Seconds())
	}
	return rows, nil
}

// growthAt walks orders twice: first one after the other, for placing and for the engine's processor time, then with a
// look at the earnings after each payment, which itself costs the engine something.
func (b *bench) growthAt(ctx context.Context, s *shop) (Growth, error) {
	before, err := usedBy(s.Runner)
	if err != nil {
		return Growth{}, err
	}
	o, err := load(ctx, plan{Base: s.URL, Clients: 1, Most: b.GrowthOrders, Road: walks(s)})
	if err != nil {
		return Growth{}, fmt.Errorf("walk orders: %w", err)
	}
	if err := s.Quiet(ctx); err != nil {
		return Growth{}, fmt.Errorf("wait for the earnings: %w", err)
	}
	after, err := usedBy(s.Runner)
	if err != nil {
		return Growth{}, err
	}
	timed := walks(s)
	timed.Interval = b.LagInterval
	if timed.Before, err = s.pending(ctx); err != nil {
		return Growth{}, err
	}
	lag, err := load(ctx, plan{Base: s.URL, Clients: 1, Most: b.GrowthOrders, Road: timed})
	if err != nil {
		return Growth{}, fmt.Errorf("time payments until they are earnings: %w", err)
	}
	return Growth{PlaceP50MS: milliseconds(median(o.Placings)), PlaceP95MS: milliseconds(percentile(o.Placings, 95)),
		LagP50MS: milliseconds(median(lag.Lags)), LagP95MS: milliseconds(percentile(lag.Lags, 95)),
		EngineMS: after.since(before, 0).per(b.GrowthOrders).Engine}, nil
}

// filler stores orders that are paid and decided, by the store's own placing, so that the streams tell them and every
// function behind the streams posts, counts and reports them as it would in a shop.
type filler struct {
	shop   *shop
	tables *store.Store
	orders []ordering.Order
	filled int
}

func newFiller(s *shop, most int) (*filler, error) {
	tables, err := s.tables()
	if err != nil {
		return nil, err
	}
	orders := settledOrders(most, 1, settledKOC)
	for i := range orders {
		sku := s.skus[i%len(s.skus)]
		product := s.products[i%len(s.skus)/variantCount]
		orders[i].Lines[0].SKU, orders[i].Lines[0].Product, orders[i].Lines[0].VariantID = sku, product, catalogue.VariantID(product, sku, 1)
	}
	return &filler{shop: s, tables: tables, orders: orders}, nil
}

// fillAtOnce is how many orders are stored at a time; it keeps an engine on two cores busy. A share of them waits for the
// streams together, because a real shop's functions are never thousands of orders behind.
const (
	fillAtOnce = 4
	fillShare  = 500
)

// fill stores orders until there are n of this filler's, and waits until all is settled. The balances must then be right.
func (f *filler) fill(ctx context.Context, n int) error {
	for f.filled < n {
		share := f.orders[f.filled:min(f.filled+fillShare, n)]
		group, placing := errgroup.WithContext(ctx)
		group.SetLimit(fillAtOnce)
		for _, o := range share {
			group.Go(func() error {
				_, err := f.tables.PlaceOrder(placing, store.NewOrder{Order: o, Key: "key-" + o.ID})
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		f.filled += len(share)
		if err := f.shop.Quiet(ctx); err != nil {
			return fmt.Errorf("wait for the earnings: %w", err)
		}
	}
	return f.shop.checkSettled(ctx, f.filled)
}

// growthRatio is how many times more the last step of an engine takes than its first, of the engine that grows most.
func (r *Report) growthRatio(value func(Growth) float64) (most float64, of string) {
	first := map[string]float64{}
	for _, g := range r.Growth {
		if _, seen := first[g.Engine]; !seen {
			first[g.Engine] = value(g)
		}
		if start := first[g.Engine]; start > 0 && value(g)/start > most {
			most, of = value(g)/start, g.Engine
		}
	}
	return most, of
}

// growthAims say that a shop stays as fast as it was: what one more order costs may not follow the number of orders.
func (r *Report) growthAims() []Aim {
	placing, placingOf := r.growthRatio(func(g Growth) float64 { return g.PlaceP50MS })
	cpu, cpuOf := r.growthRatio(func(g Growth) float64 { return g.EngineMS })
	return []Aim{
		{Aim: "placing p50, most stored to fewest", Reached: placing, Wanted: 2, Note: "times, " + placingOf},
		{Aim: "engine CPU per order, the same", Reached: cpu, Wanted: 2, Note: "times, " + cpuOf},
	}
}

func (r *Report) printGrowth(w io.Writer) {
	fmt.Fprintf(w, "\n%s\tplacing p50 ms\tp95\tpaid to earnings p50 ms\tp95\tengine CPU ms\t\n", name("ONE MORE ORDER, by orders stored"))
	for _, g := range r.Growth {
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t\n", name(fmt.Sprintf("%s, %d stored", g.Engine, g.Stored)),
			g.PlaceP50MS, g.PlaceP95MS, g.LagP50MS, g.LagP95MS, g.EngineMS)
	}
}
