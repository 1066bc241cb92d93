package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"yundian/infra/local/engine"
	"yundian/shared/catalogue"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/store"
)

// Settling is what settling costs when there is a backlog: orders that are paid and decided, one posting each.
type Settling struct {
	Orders    int     `json:"orders"`
	PerSecond float64 `json:"perSecond"` // from the first order written to drained streams
	CPUMS     float64 `json:"cpuMs"`     // of the settle function, per order
	AllCPUMS  float64 `json:"allCpuMs"`  // of all functions on the streams, per order
}

// Depth is what a KOC's earnings take to read, by how many entries there are.
type Depth struct {
	Entries int     `json:"entries"`
	P50MS   float64 `json:"p50Ms"`
	P99MS   float64 `json:"p99Ms"`
}

// settledKOCs share the orders of a backlog, as they would on a busy day.
const settledKOCs = 20

func settledKOC(order int) string { return fmt.Sprintf("koc-%d", order%settledKOCs) }

// settlings writes orders to the table of orders, faster than they are settled, and waits for the streams.
func (b *bench) settlings(ctx context.Context, r *Report) error {
	var rates, own, all []float64
	for range b.Repeats {
		s, err := b.open(ctx, false)
		if err != nil {
			return err
		}
		rate, cost, err := b.settling(ctx, s)
		s.close(&b.peaks)
		if err != nil {
			return err
		}
		rates, own, all = append(rates, rate), append(own, cost.byFunction["settle"]), append(all, cost.Functions)
	}
	r.Settling = Settling{Orders: b.SettledOrders, PerSecond: middle(rates), CPUMS: middle(own), AllCPUMS: middle(all)}
	return nil
}

func (b *bench) settling(ctx context.Context, s *shop) (float64, CPU, error) {
	orders := settledOrders(b.SettledOrders, 1, settledKOC)
	items, err := placedItems(ctx, orders)
	if err != nil {
		return 0, CPU{}, err
	}
	ahead := min(len(items)/10, 50) // some go ahead to start every process
	if err := s.plant(ctx, "ORDERS_TABLE", items[:ahead]); err != nil {
		return 0, CPU{}, err
	}
	if err := s.Quiet(ctx); err != nil {
		return 0, CPU{}, fmt.Errorf("wait for the first orders' earnings: %w", err)
	}
	before, err := usedBy(s.Runner)
	if err != nil {
		return 0, CPU{}, err
	}
	began := time.Now()
	if err := s.plant(ctx, "ORDERS_TABLE", items[ahead:]); err != nil {
		return 0, CPU{}, err
	}
	if err := s.Quiet(ctx); err != nil {
		return 0, CPU{}, fmt.Errorf("wait for the earnings: %w", err)
	}
	took := time.Since(began)
	after, err := usedBy(s.Runner)
	if err != nil {
		return 0, CPU{}, err
	}
	if err := s.checkSettled(ctx, len(items)); err != nil {
		return 0, CPU{}, err
	}
	n := len(items) - ahead
	return float64(n) / took.Seconds(), after.since(before, 0).per(n), nil
}

// checkSettled adds up what is pending: a fast answer that is wrong is no measurement.
func (s *shop) checkSettled(ctx context.Context, orders int) error {
	open, err := s.tables()
	if err != nil {
		return err
	}
	var pending int64
	for i := range settledKOCs {
		balances, err := open.Balances(ctx, settledKOC(i))
		if err != nil {
			return err
		}
		for _, b := range balances {
			pending += b.Pending
		}
	}
	if want := int64(orders) * commissionEach; pending != want {
		return fmt.Errorf("after %d orders %d is pending, not %d", orders, pending, want)
	}
	return nil
}

// linesEach is how many lines the orders behind those entries have; each line is an entry of the order's posting.
const linesEach = 5

// depthRounds alternate between the two KOCs, so that both meet the same noise.
const depthRounds = 7

// depths reads earnings of KOCs with few and with many entries.
func (b *bench) depths(ctx context.Context, r *Report) error {
	s, err := b.open(ctx, false)
	if err != nil {
		return err
	}
	defer func() { s.close(&b.peaks) }()
	var tokens []string
	for _, entries := range b.Entries {
		handle := fmt.Sprintf("with-%d", entries)
		k := *s
		if err := k.welcome(ctx, handle); err != nil {
			return err
		}
		tokens = append(tokens, k.koc)
		items, err := ledgerItems(ctx, handle, entries)
		if err != nil {
			return err
		}
		if err := s.plant(ctx, "LEDGER_TABLE", items); err != nil {
			return err
		}
	}
	if err := s.Quiet(ctx); err != nil {
		return err
	}
	p50s, p99s := make([][]float64, len(tokens)), make([][]float64, len(tokens))
	for round := range depthRounds + 1 {
		for i, token := range tokens {
			header := map[string]string{"Authorization": "Bearer " + token}
			o, err := load(ctx, plan{Base: s.URL, Clients: 1, Most: 2 * b.Latencies, Calls: []call{
				{Method: "GET", Path: "/v1/earnings", Header: header, Status: 200},
				{Method: "GET", Path: "/v1/earnings/entries?limit=20", Header: header, Status: 200}}})
			if err != nil {
				return err
			}
			if round > 0 { // the first starts processes
				p50s[i], p99s[i] = append(p50s[i], milliseconds(median(o.Latencies))), append(p99s[i], milliseconds(percentile(o.Latencies, 99)))
			}
		}
	}
	for i, entries := range b.Entries {
		r.Depths = append(r.Depths, Depth{Entries: entries, P50MS: middle(p50s[i]), P99MS: middle(p99s[i])})
	}
	return nil
}

// settledOrders are paid and decided orders with so many lines each.
func settledOrders(n, lines int, koc func(int) string) []ordering.Order {
	yuan := func(minor int64) money.Amount { return money.Of(minor, "CNY") }
	at := time.Now().UTC().Truncate(time.Millisecond)
	orders := make([]ordering.Order, n)
	for i := range orders {
		o := ordering.Order{ID: fmt.Sprintf("bench-%06d", i), PlacedAt: at, Day: at.Format(time.DateOnly), Language: "zh-Hans", Person: fmt.Sprintf("bench-%06d", i), Payment: "on_delivery",
			Shipping: yuan(0), Tax: yuan(0), Discount: yuan(0), Total: yuan(int64(lines) * price),
			Terms: ordering.Terms{PolicyVersion: 1, AttributionDays: 30, ReturnDays: 7, ReceiptDays: 15, Zone: "Asia/Shanghai", HoldUntil: at.Add(time.Hour)}}
		o.Captures = []ordering.Capture{{V: 1, PaymentID: "p" + o.ID, Amount: o.Total, At: at}}
		a := ordering.Award{V: 1, DecidedAt: at, PolicyVersion: 1, Cause: ordering.CausePlacement, Reason: "last_link", BookVersion: 1,
			Winners: []ordering.Winner{{KOC: koc(i), Code: koc(i), Share: money.Whole}}}
		for l := range lines {
			o.Lines = append(o.Lines, ordering.Line{SKU: fmt.Sprintf("tea-%d", l), VariantID: catalogue.VariantID("tea", fmt.Sprintf("tea-%d", l), 1),
				Product: fmt.Sprintf("tea-%d", l), Title: "Mountain tea 山茶", Quantity: 1,
				Unit: yuan(price), Discount: yuan(0), Net: yuan(price), Tax: yuan(0)})
			a.Rates = append(a.Rates, ordering.LineRate{Rule: "default", RuleVersion: 1, Rate: 1000})
		}
		o.Awards = []ordering.Award{a}
		orders[i] = o
	}
	return orders
}

// placedItems are the orders as the store keeps them, made by the store on tables in memory.
func placedItems(ctx context.Context, orders []ordering.Order) ([]store.Item, error) {
	maps := store.NewMaps()
	s := store.OpenMaps(maps)
	goods := catalogue.Product{ID: "tea", Title: "Mountain tea 山茶", Status: catalogue.Active, Variants: []catalogue.Variant{{SKU: "tea-0", Price: money.Of(price, "CNY")}}}
	if err := s.SaveProduct(ctx, catalogue.Product{}, goods, map[string]int64{"tea-0": stockEach}); err != nil {
		return nil, err
	}
	for _, o := range orders {
		if _, err := s.PlaceOrder(ctx, store.NewOrder{Order: o, Key: "key-" + o.ID}); err != nil {
			return nil, err
		}
	}
	var items []store.Item
	for key, it := range maps.Items(store.Orders) {
		if key.SK == "ORDER" {
			items = append(items, it)
		}
	}
	return items, nil
}

// ledgerItems are postings and balances of one KOC with so many entries.
func ledgerItems(ctx context.Context, handle string, entries int) ([]store.Item, error) {
	maps := store.NewMaps()
	s := store.OpenMaps(maps)
	at := time.Now().UTC().Add(-time.Duration(entries) * time.Minute)
	orders := settledOrders(entries/linesEach, linesEach, func(int) string { return handle })
	for batch := range slices.Chunk(orders, 20) {
		for i := range batch {
			batch[i].Version = 1
		}
		at = at.Add(time.Minute)
		if _, err := s.SettleOrders(ctx, batch, func() time.Time { return at }); err != nil {
			return nil, err
		}
	}
	var items []store.Item
	for key, it := range maps.Items(store.Ledger) {
		if strings.HasPrefix(key.PK, "KOC#") {
			items = append(items, it)
		}
	}
	return items, nil
}

// tables opens the store's tables as the operators' function sees them.
func (s *shop) tables() (*store.Store, error) {
	env, err := s.Environment("admin")
	if err != nil {
		return nil, err
	}
	return store.Open(store.ConfigFrom(func(name string) string { return env[name] })), nil
}

// DynamoDB takes 25 items in one batch; some writers at once keep the engine busy.
const (
	plantBatch   = 25
	plantWriters = 4
)

// plant puts items into a table as they are.
func (s *shop) plant(ctx context.Context, table string, items []store.Item) error {
	env, err := s.Environment("admin")
	if err != nil {
		return err
	}
	db := engine.Client(s.Endpoint)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(plantWriters)
	for batch := range slices.Chunk(items, plantBatch) {
		group.Go(func() error {
			var requests []types.WriteRequest
			for _, it := range batch {
				requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: it}})
			}
			out, err := db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{env[table]: requests}})
			if err == nil && len(out.UnprocessedItems) > 0 {
				err = fmt.Errorf("%d items were not taken", len(out.UnprocessedItems[env[table]]))
			}
			if err != nil {
				return fmt.Errorf("plant %d items: %w", len(batch), err)
			}
			return nil
		})
	}
	return group.Wait()
}
