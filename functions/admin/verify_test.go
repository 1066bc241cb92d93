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
	if v := b.verifyAll(t); v.Checked != 5 || v.Unsettled != 1 || len(v.Differences) != 0 { // 3 orders, 1 KOC, 1 SKU
		t.Errorf("%+v", v)
	}
	b.settle(t, "o0")
	if v := b.verifyAll(t); v.Unsettled != 0 || len(v.Differences) != 0 {
		t.Errorf("%+v", v)
	}
	wantCode(t, b.as(t, caller(auditor), "GET", "/v1/admin/verify?cursor="+get[Verification](t, b, "/v1/admin/verify").Next, nil), 400, "cursor_invalid")
}

// TestVerifyFinds damages each kind of figure behind the store's back.
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
	damage("LEDGER_TABLE", "ORDER#o1", "APPLIED", "positions", &types.AttributeValueMemberS{Value: "[]"})
	damage("LEDGER_TABLE", "ORDER#o0", "APPLIED", "v", number(99))

	found := map[string]Difference{}
	v := b.verifyAll(t)
	for _, d := range v.Differences {
		found[d.Kind+" "+d.ID] = d
	}
	for id, parts := range map[string][2]string{
		"stock tea":     {"received", "7 + 0 + 2, 1000"},
		"balance mei":   {"pending 200", "pending 201"},
		"commission o1": {"mei line 0: accrued 100", "nothing"},
		"order o0":      {"version 99", "version 4"},
	} {
		d, ok := found[id]
		if !ok || !strings.Contains(d.Expected, parts[0]) || !strings.Contains(d.Found, parts[1]) {
			t.Errorf("%s: %+v", id, d)
		}
	}
	if len(v.Differences) != 4 {
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

// TestVerifyReadsAgain: an order that was settled after it was read is read again.
func TestVerifyReadsAgain(t *testing.T) {
	b := open(t)
	b.sold(t, 1)
	old, err := b.store.Order(t.Context(), "o0")
	if err != nil {
		t.Fatal(err)
	}
	want(t, b.send(t, "POST", "/v1/admin/orders/o0/refunds", body{"amount": amount(500), "reason": "x"}), 201)
	b.settle(t, "o0")
	applied, err := b.store.Applied(t.Context(), []string{"o0"})
	if err != nil {
		t.Fatal(err)
	}
	var v Verification
	if err := b.verifyOrder(t.Context(), old, applied["o0"], &v); err != nil || v.Unsettled != 0 || len(v.Differences) != 0 {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestVerifyManyPostings: the postings of one KOC go on in the next slice, and what is carried over counts.
func TestVerifyManyPostings(t *testing.T) {
	b := open(t)
	b.sold(t, 4)
	from := func(at place, left *budget) (place, *Verification) {
		t.Helper()
		v := &Verification{}
		rest, err := b.verifyKOC(t.Context(), at, left, v)
		if err != nil {
			t.Fatal(err)
		}
		return rest, v
	}
	start := place{Part: "kocs", After: "mei"}
	rest, v := from(start, &budget{pages: 1, size: 2})
	if rest.Posting == "" || rest.Sums[0].Pending != 200 || v.Checked != 0 {
		t.Fatalf("two of four postings: %+v, %+v", rest, v)
	}
	if rest, v := from(rest, &budget{pages: 9, size: 2}); rest.Posting != "" || v.Checked != 1 || len(v.Differences) != 0 {
		t.Errorf("the rest: %+v, %+v", rest, v)
	}
	rest.Sums[0].Pending++
	if _, v := from(rest, &budget{pages: 9, size: 2}); len(v.Differences) != 1 {
		t.Errorf("a wrong sum is not missed: %+v", v)
	}
}
