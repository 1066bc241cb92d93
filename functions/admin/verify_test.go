package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"yundian/infra/local/engine/enginetest"
	"yundian/shared/ordering"
	"yundian/shared/store/storetest"
)

// verifyAll runs slice after slice to the end and adds them up.
func (b *bench) verifyAll(t *testing.T) Verification {
	t.Helper()
	var all Verification
	for cursor, slices := "", 0; ; slices++ {
		v := get[Verification](t, b, "/v1/admin/verify?cursor="+cursor)
		all.Checked += v.Checked
		all.Unsettled += v.Unsettled
		all.Differences = append(all.Differences, v.Differences...)
		if cursor = v.Next; cursor == "" {
			return all
		}
		if slices > 200 {
			t.Fatal("verification does not end")
		}
	}
}

// sold makes orders of a KOC that are delivered and settled.
func (b *bench) sold(t *testing.T, n int) {
	t.Helper()
	b.shelve(t, "tea", 1000, 1000)
	b.approve(t, "mei")
	for i := range n {
		id := fmt.Sprint("o", i)
		b.order(t, id, "tea", 1, "mei")
		b.settle(t, id)
		b.act(t, id, "ship", body{"carrier": "SF", "tracking": "1"})
		b.act(t, id, "deliver", nil)
		b.settle(t, id)
	}
}

func TestVerifyAgrees(t *testing.T) {
	b := open(t)
	if v := b.verifyAll(t); v.Checked != 0 || len(v.Differences) != 0 {
		t.Errorf("an empty shop: %+v", v)
	}
	b.sold(t, 3)
	want(t, b.send(t, "POST", "/v1/admin/orders/o0/refunds", body{"amount": amount(400), "reason": "x"}), 201)
	if v := b.verifyAll(t); v.Checked != 6 || v.Unsettled != 1 || len(v.Differences) != 0 { // 3 orders, 1 KOC, its statistics, 1 SKU
		t.Errorf("%+v", v)
	}
	b.settle(t, "o0")
	if v := b.verifyAll(t); v.Unsettled != 0 || len(v.Differences) != 0 {
		t.Errorf("%+v", v)
	}
	wantCode(t, b.as(t, caller(auditor), "GET", "/v1/admin/verify?cursor="+get[Verification](t, b, "/v1/admin/verify").Next, nil), 400, "cursor_invalid")
}

// TestVerifyFinds damages figures behind the store's back; package audit does so with every kind.
func TestVerifyFinds(t *testing.T) {
	s, env := storetest.OpenWithEnv(t)
	b := open(t)
	b.store, b.cashier.Store = s, s
	b.sold(t, 2)
	client := enginetest.Client(t)
	damage := func(table, pk, sk, attr string, to types.AttributeValue) {
		t.Helper()
		_, err := client.UpdateItem(context.Background(), &dynamodb.UpdateItemInput{TableName: aws.String(env[table]),
			Key:                       map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: sk}},
			UpdateExpression:          aws.String("SET #a = :v"),
			ExpressionAttributeNames:  map[string]string{"#a": attr},
			ExpressionAttributeValues: map[string]types.AttributeValue{":v": to}})
		if err != nil {
			t.Fatal(err)
		}
	}
	number := func(n int) types.AttributeValue { return &types.AttributeValueMemberN{Value: fmt.Sprint(n)} }
	damage("SHOP_TABLE", "SKU#tea", "SKU", "available", number(7))
	damage("LEDGER_TABLE", "KOC#mei", "BAL#CNY", "pending", number(201))

	found := map[string]Difference{}
	v := b.verifyAll(t)
	for _, d := range v.Differences {
		found[d.Kind+" "+d.ID] = d
	}
	for id, parts := range map[string][2]string{
		"stock tea":   {"received", "7 + 0 + 2, 1000"},
		"balance mei": {"pending 200", "pending 201"},
	} {
		d, ok := found[id]
		if !ok || !strings.Contains(d.Expected, parts[0]) || !strings.Contains(d.Found, parts[1]) {
			t.Errorf("%s: %+v", id, d)
		}
	}
	if len(v.Differences) != 2 {
		t.Errorf("%+v", v.Differences)
	}
}

// TestVerifyWhileSelling: a shop that is running is never reported to be wrong.
func TestVerifyWhileSelling(t *testing.T) {
	b := open(t)
	b.sold(t, 2)
	stop := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			id := fmt.Sprint("p", i)
			b.order(t, id, "tea", 1, "mei")
			b.settle(t, id)
			if _, err := b.store.UpdateOrder(context.Background(), id, func(o *ordering.Order) error { return o.Capture("p", o.Total, b.now()) }); err != nil {
				t.Error(err)
				return
			}
			b.settle(t, id)
		}
	})
	for range 15 {
		if v := b.verifyAll(t); len(v.Differences) != 0 {
			t.Errorf("%+v", v.Differences)
		}
	}
	close(stop)
	group.Wait()
}
