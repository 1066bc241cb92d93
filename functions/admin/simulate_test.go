package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"yundian/infra/local/engine/enginetest"
	"yundian/shared/ledger"
	"yundian/shared/ordering"
	"yundian/shared/store"
)

// digest is a hash of everything in every table.
func (b *bench) digest(t *testing.T) string {
	t.Helper()
	var all []string
	for _, name := range []string{"SHOP", "PEOPLE", "ORDERS", "LEDGER", "TOUCHES"} {
		pages := dynamodb.NewScanPaginator(enginetest.Client(t), &dynamodb.ScanInput{TableName: aws.String(b.tables[name+"_TABLE"]), ConsistentRead: aws.Bool(true)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range page.Items {
				var plain map[string]any
				if err := attributevalue.UnmarshalMap(item, &plain); err != nil {
					t.Fatal(err)
				}
				text, err := json.Marshal(plain)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, name+string(text))
			}
		}
	}
	slices.Sort(all)
	return fmt.Sprintf("%d items %x", len(all), sha256.Sum256([]byte(fmt.Sprint(all))))
}

// paid places, pays and settles an order of several lines that a KOC's code brought.
func (b *bench) paid(t *testing.T, id, handle string, basket ...ordering.BasketLine) {
	t.Helper()
	ctx := context.Background()
	settings, err := b.store.Settings(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var skus []string
	for _, l := range basket {
		skus = append(skus, l.SKU)
	}
	sold, err := b.store.Sellables(ctx, skus)
	if err != nil {
		t.Fatal(err)
	}
	q, err := ordering.Price(basket, sold, settings)
	if err != nil {
		t.Fatal(err)
	}
	now := b.now()
	o, err := ordering.Place(ordering.Request{ID: id, Person: "person of " + id, Payment: b.payment, Customer: ordering.NewCustomer,
		Evidence: []ordering.Evidence{{Kind: ordering.ByCode, Code: handle, At: now}}}, q, settings, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.PlaceOrder(ctx, placed(o)); err != nil {
		t.Fatal(err)
	}
	b.decide(t, id)
	if _, err := b.store.UpdateOrder(ctx, id, func(o *ordering.Order) error { return o.Capture("pay "+id, o.Total, now) }); err != nil {
		t.Fatal(err)
	}
	b.settle(t, id)
}

// begin opens a shop whose book was in force before the month began.
func begin(t *testing.T, content body) *bench {
	t.Helper()
	b := open(t)
	b.at = noon.AddDate(0, 0, -9)
	b.publish(t, content)
	b.approve(t, "ana")
	want(t, b.send(t, "POST", "/v1/admin/kocs", body{"handle": "mei", "name": "Mei", "email": "mei@example.com", "inviter": "ana"}), 201)
	want(t, b.send(t, "POST", "/v1/admin/kocs/mei/approve", nil), 200)
	for _, id := range []string{"pot-a", "pot-b"} {
		want(t, b.send(t, "POST", "/v1/admin/products", body{"id": id, "title": id, "tags": []string{"pots"}, "variants": []body{{"sku": id, "price": amount(1000), "stock": 1000}}}), 201)
	}
	b.shelve(t, "tea", 5000, 1000)
	b.at = noon
	return b
}

var capped = body{
	"defaultRate": 1000, "inviterRate": 1000,
	"rules": []body{{"id": "pots", "match": body{"tag": "pots"}, "perUnit": amount(300), "lineCap": amount(700), "orderCap": amount(900)}},
	"monthRules": []body{{"id": "most", "match": body{}, "cap": amount(1500)},
		{"id": "more", "match": body{}, "milestones": []body{{"sales": amount(4000), "bonus": amount(250)}, {"sales": amount(90000), "bonus": amount(9999)}}}},
}

// TestRulesPayWhatTheySay follows fixed amounts, caps of line, order and month, a bonus and an inviter into the ledger.
func TestRulesPayWhatTheySay(t *testing.T) {
	b := begin(t, capped)
	b.paid(t, "o1", "mei", ordering.BasketLine{SKU: "pot-a", Quantity: 3}, ordering.BasketLine{SKU: "pot-b", Quantity: 2}, ordering.BasketLine{SKU: "tea", Quantity: 1})
	balances := func(handle string) ledger.Balances {
		t.Helper()
		found, err := b.store.Balances(t.Context(), handle)
		if err != nil || len(found) != 1 {
			t.Fatalf("balances of %s: %+v, %v", handle, found, err)
		}
		return found[0]
	}
	// 3 × 3.00 is capped at 7.00 and 2 × 3.00 stays; together they are capped at 9.00: 4.85 + 4.15. Tea earns 10 % of 50.00.
	// The inviter gets 10 % of each: 0.49 + 0.42 + 0.50. Sales of 100.00 reach the first milestone.
	if mei, ana := balances("mei"), balances("ana"); mei.Pending != 485+415+500+250 || ana.Pending != 49+42+50 {
		t.Errorf("after one order mei has %+v and ana %+v", mei, ana)
	}
	b.paid(t, "o2", "mei", ordering.BasketLine{SKU: "tea", Quantity: 1}) // 14.00 + 5.00 of commission, of which 15.00 count
	if mei, ana := balances("mei"), balances("ana"); mei.Pending != 1500+250 || ana.Pending != 141+50 {
		t.Errorf("after two orders mei has %+v and ana %+v", mei, ana)
	}
	// Of the first order everything goes back: what is left is below the cap, and above the milestone.
	refund := body{"lines": []body{{"sku": "pot-a", "quantity": 3}, {"sku": "pot-b", "quantity": 2}, {"sku": "tea", "quantity": 1}}, "reason": "x"}
	want(t, b.send(t, "POST", "/v1/admin/orders/o1/refunds", refund), 201)
	b.settle(t, "o1")
	if mei, ana := balances("mei"), balances("ana"); mei.Pending != 500+250 || ana.Pending != 50 {
		t.Errorf("after the refund mei has %+v and ana %+v", mei, ana)
	}
	o := get[Order](t, b, "/v1/admin/orders/o1")
	d := o.Decisions[0]
	if r := d.Rates[0]; r.Rule != "pots" || r.PerUnit != 300 || r.LineCap != 700 || r.OrderCap != 900 || r.Version != 2 || d.Winners[0].Inviter != "ana" || d.InviterRate != 1000 || len(d.Months) != 2 || o.Customer != "new" {
		t.Errorf("the order says %+v of %q", d, o.Customer)
	}
	postings, _, err := b.store.Postings(t.Context(), "ana", "", 100, false)
	if err != nil || len(postings) != 3 || postings[0].Entries[0].Rule != "inviter" {
		t.Errorf("ana's postings %+v, %v", postings, err)
	}
}

const simulatePath = "/v1/admin/rules/simulate"

func TestSimulateWritesNothing(t *testing.T) {
	b := begin(t, capped)
	b.paid(t, "o1", "mei", ordering.BasketLine{SKU: "pot-a", Quantity: 3}, ordering.BasketLine{SKU: "pot-b", Quantity: 2}, ordering.BasketLine{SKU: "tea", Quantity: 1})
	b.paid(t, "o2", "mei", ordering.BasketLine{SKU: "tea", Quantity: 1})
	b.order(t, "o3", "tea", 1, "mei") // unpaid
	before := b.digest(t)
	simulate := func(draft body) Simulated {
		t.Helper()
		return decode[Simulated](t, want(t, b.send(t, "POST", simulatePath, draft, "Idempotency-Key", "simulate-key-0001"), 200))
	}
	if s := simulate(capped); s.Orders != 2 || len(s.KOCs) != 0 || len(s.Cuts) != 0 || fmt.Sprint(s.Commission) != "[{CNY 1941 1941 -150 -150}]" || s.Next != "" {
		t.Errorf("the book as it is: %+v", s)
	}
	other := body{"defaultRate": 1500, "rules": capped["rules"]}
	s := simulate(other)
	if fmt.Sprint(s.Commission) != "[{CNY 1941 2400 -150 0}]" || fmt.Sprint(s.KOCs) != "[{ana {CNY 191 0 0 0}} {mei {CNY 1750 2400 -150 0}}]" {
		t.Errorf("another book: %+v", s)
	}
	var cuts []string
	for _, c := range s.Cuts {
		cuts = append(cuts, fmt.Sprintf("%s: %s, %s", c.Sales, c.Before, c.After))
	}
	if want := []string{"*: 4000 → 250, 90000 → 9999 (more), -", "*: 10% (inviter), 0% (inviter)"}; !slices.Equal(cuts, want) || s.Earliest.Before(noon.AddDate(0, 0, 14)) {
		t.Errorf("cuts %q, want %q, from %s", cuts, want, s.Earliest)
	}
	if s := simulate(body{"defaultRate": 1000, "from": noon.AddDate(0, 0, -5), "to": noon}); s.Orders != 0 || len(s.Commission) != 0 {
		t.Errorf("before the first order: %+v", s)
	}
	for where, wrong := range map[string]body{
		"body.rules[0].match.koc": {"defaultRate": 1000, "rules": []body{{"id": "r", "match": body{"koc": "nobody"}, "rate": 1}}},
		"body.rules[0].rate":      {"defaultRate": 1000, "rules": []body{{"id": "r", "match": body{"tag": "x"}, "rate": 10001}}},
		"body.from":               {"defaultRate": 1000, "from": noon, "to": noon.AddDate(0, 0, -1)},
		"body.defaultRate":        {},
	} {
		wantField(t, b.send(t, "POST", simulatePath, wrong), where)
	}
	wantField(t, b.send(t, "POST", simulatePath, body{"defaultRate": 1000, "from": noon.AddDate(-2, 0, 0)}), "body.from")
	wantCode(t, b.send(t, "POST", simulatePath, body{"defaultRate": 1000, "version": 1}), 409, "changed_meanwhile")
	wantCode(t, b.send(t, "POST", simulatePath, body{"defaultRate": 1000, "cursor": "x"}), 400, "cursor_invalid")
	if after := b.digest(t); after != before {
		t.Errorf("the store changed from %s to %s", before, after)
	}
}

// TestSimulateInSlices: slices add up to what one look at everything gives, rules about months included.
func TestSimulateInSlices(t *testing.T) {
	b := begin(t, capped)
	for i := range 130 {
		b.at = b.at.Add(7 * time.Hour) // into April
		b.paid(t, fmt.Sprint("o", i), []string{"mei", "ana"}[i%2], ordering.BasketLine{SKU: "tea", Quantity: 1})
	}
	draft := body{"defaultRate": 1000, "from": noon, "monthRules": []body{{"id": "other", "match": body{}, "cap": amount(2000)}}}
	sums, slicesSeen := SimulatedSum{Currency: "CNY"}, 0
	for {
		s := decode[Simulated](t, want(t, b.send(t, "POST", simulatePath, draft), 200))
		for _, c := range s.Commission {
			sums.Was, sums.WouldBe = sums.Was+c.Was, sums.WouldBe+c.WouldBe
			sums.MonthsWas, sums.MonthsWouldBe = sums.MonthsWas+c.MonthsWas, sums.MonthsWouldBe+c.MonthsWouldBe
		}
		slicesSeen++
		if s.Next == "" {
			break
		}
		draft["cursor"], draft["months"] = s.Next, s.Months
	}
	// Each KOC's 5.00 an order is capped at 15.00 a month, with the higher bonus in March and the lower one in April. ana
	// invited mei and gets 0.50 for each of mei's orders.
	if was := int64(2*(1500+9999+1500+250) + 65*50); sums.Was != was || sums.WouldBe != 2*2*2000 || slicesSeen != 2 {
		t.Errorf("%d slices: %+v, want %d and %d", slicesSeen, sums, was, 2*2*2000)
	}
}

// placed is what placing an order writes.
func placed(o ordering.Order) store.NewOrder {
	return store.NewOrder{Order: o, Key: "key of " + o.ID, Contact: ordering.Contact{Name: "陈静", Phone: "+8613800000000"},
		Address: ordering.Address{Country: "CN", City: "杭州市", Line1: "文三路 1 号"}}
}
