package store_test

import (
	"context"
	"testing"
	"time"

	"yundian/infra/local/wire"
	"yundian/shared/ordering"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
)

// TestAWriteSurvivesThreeFaults: whatever happens to a call three times in a row, its caller does not notice, and what it
// wrote is written once. Placing is a transaction, deciding a single put, reading comes before both.
func TestAWriteSurvivesThreeFaults(t *testing.T) {
	ctx := context.Background()
	for _, kind := range []wire.Kind{wire.LostRequest, wire.LostResponse, wire.Throttle, wire.ServerError, wire.Conflict} {
		t.Run(kind.String(), func(t *testing.T) {
			direct, env := storetest.OpenWithEnv(t)
			shelve(t, direct, "tea", 10)
			proxy, err := wire.New(env["AWS_ENDPOINT_URL_DYNAMODB"])
			if err != nil {
				t.Fatal(err)
			}
			defer proxy.Close()
			env["AWS_ENDPOINT_URL_DYNAMODB"] = proxy.URL
			s := store.Open(store.ConfigFrom(func(k string) string { return env[k] }))
			order := placement(t, direct, "o", "a-key", 3, "tea")

			var plan wire.Plan
			for _, op := range []string{"TransactWriteItems", "PutItem", "GetItem"} {
				if kind != wire.Conflict || op != "GetItem" { // reads outside transactions meet none
					plan.Rules = append(plan.Rules, wire.Rule{Op: op, Fault: wire.Fault{Kind: kind}, Chance: 1, Limit: 3})
				}
			}
			if err := proxy.Faults(plan); err != nil {
				t.Fatal(err)
			}
			if placed, err := s.PlaceOrder(ctx, order); err != nil || placed.Order != "o" {
				t.Fatalf("placed %+v, %v", placed, err)
			}
			decided, err := s.UpdateOrder(ctx, "o", func(o *ordering.Order) error {
				return o.Decide(ordering.Award{Cause: ordering.CausePlacement, Reason: "no_evidence", DecidedAt: noon.Add(time.Second)})
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(decided.Awards) != 1 || decided.Version != 2 {
				t.Errorf("decided %d times, version %d", len(decided.Awards), decided.Version)
			}
			if c := stock(t, direct, "tea"); c.Available != 7 || c.Reserved != 3 {
				t.Errorf("stock is %+v", c)
			}
			if n := proxy.Snapshot().Kinds[kind]; n != int64(3*len(plan.Rules)) {
				t.Errorf("%d faults struck, want %d", n, 3*len(plan.Rules))
			}
		})
	}
}
