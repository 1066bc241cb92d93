package audit_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"yundian/infra/local/engine/enginetest"
	"yundian/shared/audit"
	"yundian/shared/ledger"
	"yundian/shared/payout"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
)

type item = map[string]types.AttributeValue

// damaged is a world whose items a test alters behind the store's back.
type damaged struct {
	*world
	env    storetest.Env
	client *dynamodb.Client
	undo   []*dynamodb.PutItemInput // what was altered, as it was
	made   []*dynamodb.DeleteItemInput
}

func damage(t *testing.T) *damaged {
	t.Helper()
	s, env := storetest.OpenWithEnv(t)
	w := newWorld(t, s)
	w.sold(2)
	w.closed()
	if r := run(t, w.auditor()); len(r.Differences) != 0 {
		t.Fatalf("before anything is altered: %+v", r.Differences)
	}
	return &damaged{world: w, env: env, client: enginetest.Client(t)}
}

func key(pk, sk string) item {
	return item{"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: sk}}
}

// alter reads an item, lets a test change it, and puts it back; nil deletes it.
func (d *damaged) alter(table, pk, sk string, change func(item) item) {
	d.t.Helper()
	ctx, name := context.Background(), aws.String(d.env[table+"_TABLE"])
	out, err := d.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: name, Key: key(pk, sk), ConsistentRead: aws.Bool(true)})
	d.must(err)
	if out.Item == nil {
		d.t.Fatalf("there is no %s %s", pk, sk)
	}
	d.undo = append(d.undo, &dynamodb.PutItemInput{TableName: name, Item: out.Item})
	after := change(maps.Clone(out.Item))
	if after == nil {
		_, err = d.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: name, Key: key(pk, sk)})
	} else {
		d.made = append(d.made, &dynamodb.DeleteItemInput{TableName: name, Key: item{"pk": after["pk"], "sk": after["sk"]}})
		_, err = d.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: name, Item: after})
	}
	d.must(err)
}

// mend undoes every alteration.
func (d *damaged) mend(t *testing.T) {
	t.Helper()
	for _, in := range d.made {
		_, err := d.client.DeleteItem(context.Background(), in)
		d.must(err)
	}
	for _, in := range slices.Backward(d.undo) {
		_, err := d.client.PutItem(context.Background(), in)
		d.must(err)
	}
	d.undo, d.made = nil, nil
	if r := run(t, d.auditor()); len(r.Differences) != 0 {
		t.Fatalf("after everything is mended: %+v", r.Differences)
	}
}

// replace changes a text within an attribute.
func (d *damaged) replace(table, pk, sk, attr, from, to string) {
	d.t.Helper()
	d.alter(table, pk, sk, func(it item) item {
		was, ok := it[attr].(*types.AttributeValueMemberS)
		if !ok || !strings.Contains(was.Value, from) {
			d.t.Fatalf("%s of %s %s does not hold %s: %v", attr, pk, sk, from, it[attr])
		}
		it[attr] = &types.AttributeValueMemberS{Value: strings.Replace(was.Value, from, to, 1)}
		return it
	})
}

// add adds to a number.
func (d *damaged) add(table, pk, sk, attr string, by int) {
	d.t.Helper()
	d.alter(table, pk, sk, func(it item) item {
		var n int
		if was, ok := it[attr].(*types.AttributeValueMemberN); ok {
			_, err := fmt.Sscan(was.Value, &n)
			d.must(err)
		}
		it[attr] = &types.AttributeValueMemberN{Value: fmt.Sprint(n + by)}
		return it
	})
}

// set replaces a text.
func (d *damaged) set(table, pk, sk, attr, to string) {
	d.t.Helper()
	d.alter(table, pk, sk, func(it item) item { it[attr] = &types.AttributeValueMemberS{Value: to}; return it })
}

// put adds an item that nothing has written.
func (d *damaged) put(table, pk, sk string, it item) {
	d.t.Helper()
	name := aws.String(d.env[table+"_TABLE"])
	maps.Copy(it, key(pk, sk))
	_, err := d.client.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: name, Item: it})
	d.must(err)
	d.made = append(d.made, &dynamodb.DeleteItemInput{TableName: name, Key: key(pk, sk)})
}

// counted changes what statistics count of an order.
func (d *damaged) counted(order, attr string, to types.AttributeValue) {
	d.t.Helper()
	d.alter("SHOP", "STAT#ORDER#"+order, "TALLIED", func(it item) item {
		fact := maps.Clone(it["fact"].(*types.AttributeValueMemberM).Value)
		fact[attr] = to
		it["fact"] = &types.AttributeValueMemberM{Value: fact}
		return it
	})
}

// posting is a KOC's n-th posting, and its sort key.
func (d *damaged) posting(handle string, which func(ledger.Posting) bool) (ledger.Posting, string) {
	d.t.Helper()
	all, _, err := d.s.Postings(context.Background(), handle, "", 500, false)
	d.must(err)
	i := slices.IndexFunc(all, which)
	if i < 0 {
		d.t.Fatalf("%s has no such posting", handle)
	}
	return all[i], store.PostingCursor(all[i])
}

func of(order string, kind ledger.Kind) func(ledger.Posting) bool {
	return func(p ledger.Posting) bool {
		return p.Order == order && slices.ContainsFunc(p.Entries, func(e ledger.Entry) bool { return e.Kind == kind })
	}
}

// What is kept of mei's closed months.
const march, april = "STATEMENT#2026-03#CNY", "STATEMENT#2026-04#CNY"

// want is a difference with parts of what it expected and found.
type want struct{ kind, id, expected, found string }

// TestEveryDifferenceIsFound alters one figure after the other. Orders by kind: o000 nobody's, o001 mei's through zhou, o002
// shared with lin, o003 under a cap, o004 toward a milestone, and so on; odd ones are released.
func TestEveryDifferenceIsFound(t *testing.T) {
	tests := map[string]struct {
		alter func(d *damaged)
		want  []want
	}{
		"total of an order": {func(d *damaged) {
			d.replace("ORDERS", "ORDER#o000", "ORDER", "order", `"Total":{"amount":2335`, `"Total":{"amount":2334`)
		}, []want{{audit.Order, "o000", "total 23.35 CNY", "total 23.34 CNY"}}},
		"tax of an order": {func(d *damaged) {
			d.replace("ORDERS", "ORDER#o000", "ORDER", "order", `"Tax":{"amount":0,"currency":"CNY"},"Discount"`, `"Tax":{"amount":5,"currency":"CNY"},"Discount"`)
		}, []want{{audit.Order, "o000", "tax 0.00 CNY", "tax 0.05 CNY"}, {audit.Order, "o000", "total 23.40 CNY", "total 23.35 CNY"}}},
		"discount of an order": {func(d *damaged) {
			d.replace("ORDERS", "ORDER#o000", "ORDER", "order", `"Discount":{"amount":0,"currency":"CNY"},"Total"`, `"Discount":{"amount":5,"currency":"CNY"},"Total"`)
		}, []want{{audit.Order, "o000", "discount 0.00 CNY", "discount 0.05 CNY"}}},
		"net of a line": {func(d *damaged) {
			d.replace("ORDERS", "ORDER#o000", "ORDER", "order", `"Unit":{"amount":333`, `"Unit":{"amount":332`)
		}, []want{{audit.Order, "o000", "net of line 1 3.32 CNY", "net of line 1 3.33 CNY"}}},
		"parts of a refund": {func(d *damaged) {
			d.replace("ORDERS", "ORDER#o000", "ORDER", "order", `"Amount":{"amount":1001`, `"Amount":{"amount":1002`)
		}, []want{{audit.Order, "o000", "refund o000 r0 of 10.01 CNY", "refund o000 r0 of 10.02 CNY"}}},
		"more refunded than paid": {func(d *damaged) {
			d.replace("ORDERS", "ORDER#o000", "ORDER", "order", `"Amount":{"amount":1001`, `"Amount":{"amount":2336`)
		}, []want{{audit.Order, "o000", "refunds of at most 23.35 CNY", "refunds of 23.36 CNY"}, {audit.Order, "o000", "refund o000 r0 of 10.01", "of 23.36"}}},
		"version of an order": {func(d *damaged) { d.add("LEDGER", "ORDER#o000", "APPLIED", "v", 90) },
			[]want{{audit.Order, "o000", "version 96", "version 6"}, {audit.Fact, "o000", "a fact of version 96", "nothing"}}},
		"what an order has earned": {func(d *damaged) {
			d.replace("LEDGER", "ORDER#o001", "APPLIED", "positions", `"accrued":200`, `"accrued":199`)
		},
			[]want{{audit.Commission, "o001", "accrued 200", "accrued 199"}, {audit.Posting, "o001", "mei line 0: accrued 199", "mei line 0: accrued 200"},
				{audit.Posting, "o001", "mei: pending -1, available 233, debt -100", "mei: available 233, debt -100"},
				{audit.Forecast, "mei", "2026-04-30 CNY: -1", "2026-04-30 CNY: 0"}}},
		"part of an order in a month": {func(d *damaged) { d.replace("LEDGER", "ORDER#o003", "APPLIED", "months", `"sales":`, `"sales":7`) },
			[]want{{audit.Commission, "o003", "sales 0", "sales 7"}, {audit.Month, "mei 2026-03 CNY rule cap", "sales 1404", "sales 1334"}}},
		"day of an order": {func(d *damaged) { d.replace("LEDGER", "ORDER#o002", "APPLIED", "due", "2026-03-08", "2026-03-09") },
			[]want{{audit.Commission, "o002", "due 2026-03-08", "due 2026-03-09"}, {audit.Forecast, "mei", "2026-03-08 CNY: ", ""},
				{audit.Forecast, "mei", "2026-03-09 CNY: ", "2026-03-09 CNY: 0"}, {audit.Forecast, "lin", "2026-03-08 CNY: ", ""},
				{audit.Forecast, "lin", "2026-03-09 CNY: ", "2026-03-09 CNY: 0"}}},
		"amount of a posting": {func(d *damaged) {
			_, sk := d.posting("mei", of("o001", ledger.Accrual))
			d.replace("LEDGER", "KOC#mei", sk, "entries", `"amount":200`, `"amount":201`)
		}, []want{{audit.Posting, "settle:o001:3:mei", "legs that sum to 0", "off balance by 1"}, {audit.Posting, "o001", "mei line 0: accrued 200", "(pending 1, "}, {audit.Balance, "mei", "CNY pending 382", "CNY pending 381"}, {audit.Posting, "o001", "mei: available 233", "mei: pending 1, available 233"},
			{audit.Statement, "mei 2026-03 CNY", "closes with pending 382", "closes with pending 381"}}},
		"what an entry says": {func(d *damaged) {
			_, sk := d.posting("mei", of("o001", ledger.Accrual))
			d.replace("LEDGER", "KOC#mei", sk, "entries", `"Minor":200`, `"Minor":201`)
		}, []want{{audit.Posting, "o001", "accrued 200", "accrued 201"},
			{audit.Statement, "mei 2026-03 CNY", "accrual: 1805", "accrual: 1804"}}},
		"a posting is gone": {func(d *damaged) {
			_, sk := d.posting("mei", of("o001", ledger.Accrual))
			d.alter("LEDGER", "KOC#mei", sk, func(item) item { return nil })
		}, []want{{audit.Posting, "o001", "mei line 0: accrued 200", "mei line 0: accrued 0"}, {audit.Posting, "o001", "mei line 1: accrued 33", "mei line 1: accrued 0"}, {audit.Balance, "mei", "CNY pending 148", "CNY pending 381"}, {audit.Posting, "o001", "mei: available 233", "mei: pending -233"},
			{audit.Statement, "mei 2026-03 CNY", "23 postings", "24 postings"}}},
		"a posting stands twice": {func(d *damaged) {
			p, sk := d.posting("mei", of("o001", ledger.Accrual))
			d.alter("LEDGER", "KOC#mei", sk, func(it item) item {
				p.At = p.At.Add(time.Second)
				it["sk"] = &types.AttributeValueMemberS{Value: store.PostingCursor(p)}
				return it
			})
		}, []want{{audit.Balance, "mei", "CNY pending 614", "CNY pending 381"}, {audit.Posting, "settle:o001:3:mei", "one posting for o001 version 3", "another one"}, {audit.Posting, "o001", "mei: available 233", "mei: pending 233"},
			{audit.Statement, "mei 2026-03 CNY", "a posting of this month", "comes after a later one"}}},
		"balance": {func(d *damaged) { d.add("LEDGER", "KOC#mei", "BAL#CNY", "pending", 3) }, []want{{audit.Balance, "mei", "CNY pending 381", "CNY pending 384"}}},
		"closing of a statement": {func(d *damaged) { d.replace("LEDGER", "KOC#mei", march, "statement", `"Paid":17`, `"Paid":18`) },
			[]want{{audit.Statement, "mei 2026-03 CNY", "paid 17", "paid 18"}, {audit.Statement, "mei 2026-04 CNY", "follows the one before", "does not open"},
				{audit.Statement, "mei 2026-04 CNY", "opens with", "opens with"}}},
		"a statement is gone": {func(d *damaged) { d.alter("LEDGER", "KOC#mei", march, func(item) item { return nil }) },
			[]want{{audit.Statement, "mei 2026-04 CNY", "follows the one before", "names the hash"}, {audit.Statement, "mei 2026-04 CNY", "a posting of this month", "is outside"},
				{audit.Statement, "mei 2026-04 CNY", "opens with nothing", "opens with pending 381"}}},
		"the last statement is gone": {func(d *damaged) { d.alter("LEDGER", "KOC#mei", april, func(item) item { return nil }) },
			[]want{{audit.Statement, "mei 2026-03 CNY", "statements up to 2026-04-30", "none of what was posted at 2026-04-02"}}},
		"hash of a statement": {func(d *damaged) { d.replace("LEDGER", "KOC#mei", march, "statement", `"Hash":"`, `"Hash":"0`) },
			[]want{{audit.Statement, "mei 2026-03 CNY", "hash ", "hash 0"}, {audit.Statement, "mei 2026-04 CNY", "follows the one before", "names the hash"}}},
		"totals of a statement": {func(d *damaged) { d.replace("LEDGER", "KOC#mei", march, "statement", `"Count":12`, `"Count":13`) },
			[]want{{audit.Statement, "mei 2026-03 CNY", "12 accrual", "13 accrual"}}},
		"a closed month is open": {func(d *damaged) {
			d.alter("LEDGER", "KOC#mei", "BAL#CNY", func(it item) item { delete(it, "closed"); return it })
		}, []want{{audit.Statement, "mei 2026-04 CNY", "nothing posted any more before 2026-04-30", "before 0001"}}},
		"gross of a payout": {func(d *damaged) {
			d.replace("LEDGER", "PAYOUT#"+payout.ID("w3"), "PAYOUT", "payout", `"Gross":20`, `"Gross":21`)
		},
			[]want{{audit.Payout, payout.ID("w3"), "withdrawn = netted", "gross 21"}, {audit.Payout, payout.ID("w3"), "in_payout 21", "in_payout 20"},
				{audit.Payout, "mei", "CNY 21 in payout", "CNY 20 in payout"}, {audit.Tax, "mei", "tax 4 of 41", "tax 4 of 40"}}},
		"a payout is gone": {func(d *damaged) {
			d.alter("LEDGER", "PAYOUT#"+payout.ID("w3"), "PAYOUT", func(item) item { return nil })
		},
			[]want{{audit.Payout, payout.ID("w3"), "a payout for its place in the list of mei", "nothing"}, {audit.Payout, payout.ID("w3"), "nothing", "1 postings"}, {audit.Payout, "mei", "CNY 0 in payout", "CNY 20 in payout"}, {audit.Tax, "mei", "tax 2 of 20", "tax 4 of 40"}}},
		"a payout is paid for nothing": {func(d *damaged) {
			d.replace("LEDGER", "PAYOUT#"+payout.ID("w3"), "PAYOUT", "payout", `"Outcome":null`, `"Outcome":{"Paid":true,"At":"2026-03-01T00:00:00Z"}`)
		}, []want{{audit.Filed, payout.ID("w3"), "status paid", "status reserved"}, {audit.Payout, payout.ID("w3"), "2 postings", "1 postings"}, {audit.Payout, "mei", "CNY 0 in payout", "CNY 20 in payout"}}},
		"place of a payout": {func(d *damaged) {
			p, err := d.s.Payout(context.Background(), payout.ID("w3"))
			d.must(err)
			d.alter("LEDGER", "KOC#mei", "PAYOUT#"+p.At.UTC().Format("2006-01-02T15:04:05.000Z")+"#"+p.ID, func(item) item { return nil })
		}, []want{{audit.Payout, payout.ID("w3"), "a place in the list of mei", "nothing"}, {audit.Payout, payout.ID("w3"), "nothing", "1 postings"},
			{audit.Payout, "mei", "CNY 0 in payout", "CNY 20 in payout"}, {audit.Tax, "mei", "tax 2 of 20", "tax 4 of 40"}}},
		"tax of a period": {func(d *damaged) { d.add("LEDGER", "KOC#mei", "TAX#CNY#2026-03", "tax", 1) },
			[]want{{audit.Tax, "mei", "CNY 2026-03: tax 4 of 40", "CNY 2026-03: tax 5 of 40"}}},
		"amount of an adjustment": {func(d *damaged) {
			d.replace("LEDGER", "ADJUST#a0", "ADJUSTMENT", "adjustment", `"amount":50`, `"amount":51`)
		},
			[]want{{audit.Adjustment, "a0", "adjustment 51", "adjustment 50"}, {audit.Adjustment, "a0", "adjustment 51", "adjustment 50"}}},
		"an adjustment is gone": {func(d *damaged) { d.alter("LEDGER", "ADJUST#a0", "ADJUSTMENT", func(item) item { return nil }) },
			[]want{{audit.Adjustment, "a0", "nothing", "adjustment 50"}}},
		"posting of an adjustment": {func(d *damaged) {
			_, sk := d.posting("mei", func(p ledger.Posting) bool { return p.Adjustment == "a0" })
			d.alter("LEDGER", "KOC#mei", sk, func(item) item { return nil })
		}, []want{{audit.Adjustment, "a0", "adjustment 50", "nothing"}, {audit.Balance, "mei", "CNY ", "CNY "}, {audit.Statement, "mei 2026-03 CNY", "", ""}}},
		"paid out":             {func(d *damaged) { d.add("LEDGER", "KOC#zhou", "BAL#CNY", "paid", 3) }, []want{{audit.Balance, "zhou", "CNY ", "paid 3"}}},
		"available below zero": {func(d *damaged) { d.add("LEDGER", "KOC#mei", "BAL#CNY", "available", -100_000) }, []want{{audit.Balance, "mei", "no account on the wrong side", "available -99940"}, {audit.Balance, "mei", "CNY pending 381, available 60", "available -99940"}}},
		"forecast":             {func(d *damaged) { d.add("LEDGER", "KOC#mei", "DUE#2026-03-08#CNY", "minor", 3) }, []want{{audit.Forecast, "mei", "2026-03-08 CNY: 515", "2026-03-08 CNY: 518"}}},
		"sums of a month": {func(d *damaged) {
			d.replace("LEDGER", "KOC#mei", "MONTH#2026-03#CNY#cap", "month", `"pending":`, `"pending":1`)
		}, []want{{audit.Month, "mei 2026-03 CNY rule cap", "pending 267", "pending 1267"}, {audit.Month, "mei 2026-03 CNY rule cap", "pending -1134", "pending -134"}, {audit.Month, "mei 2026-03 CNY rule cap", "postings of pending -1134", "postings of pending -134"}}},
		"posted for a month": {func(d *damaged) {
			d.replace("LEDGER", "KOC#mei", "MONTH#2026-03#CNY#cap", "month", `"available":-`, `"available":-1`)
		}, []want{{audit.Month, "mei 2026-03 CNY rule cap", "available -67", "available -167"}}},
		"a month is gone": {func(d *damaged) {
			d.alter("LEDGER", "KOC#mei", "MONTH#2026-03#CNY#cap", func(item) item { return nil })
		}, []want{{audit.Month, "mei 2026-03 CNY rule cap", "pending 267", "pending 0, released 0"}, {audit.Month, "mei 2026-03 CNY rule cap", "postings of nothing", "postings of pending -134"}}},
		"a month without a commission is gone": {func(d *damaged) {
			d.alter("LEDGER", "KOC#lin", "MONTH#2026-03#CNY#bonus", func(item) item { return nil })
		}, []want{{audit.Month, "lin 2026-03 CNY rule bonus", "sales 1001", "sales 0"}}},
		"sales of a fact": {func(d *damaged) {
			d.replace("LEDGER", "ORDER#o001", "FACT#0000000007", "lines", `"Sales":1001`, `"Sales":1002`)
		}, []want{{audit.Fact, "o001", "tea: sales 1001", "tea: sales 1002"}, {audit.Statistics, "o001", "sales 1002", "sales 1001"}}},
		"a fact is gone":        {func(d *damaged) { d.alter("LEDGER", "ORDER#o001", "FACT#0000000007", func(item) item { return nil }) }, []want{{audit.Fact, "o001", "a fact of version 7", "nothing"}, {audit.Posting, "o001", "mei line 0: accrued 200", "clawed back 0"}, {audit.Posting, "o001", "zhou line 0: accrued", "clawed back 0"}}},
		"what statistics count": {func(d *damaged) { d.counted("o001", "v", &types.AttributeValueMemberN{Value: "8"}) }, []want{{audit.Statistics, "o001", "at most version 7", "version 8"}}},
		"what was counted": {func(d *damaged) { d.counted("o001", "koc", &types.AttributeValueMemberS{Value: "lin"}) }, []want{{audit.Statistics, "o001", `by "mei"`, `by "lin"`},
			{audit.Statistics, "mei", "DAY#2026-03-01: touches 3, orders 5", "orders 6"}, {audit.Statistics, "mei", "LINK#2026-03-01#mei: touches 0, orders 5", "orders 6"},
			{audit.Statistics, "mei", "PRODUCT#2026-03-01#tea: touches 0, orders 5", "orders 6"}}},
		"nobody counted an order": {func(d *damaged) {
			d.alter("SHOP", "STAT#ORDER#o001", "TALLIED", func(item) item { return nil })
			d.at = d.at.Add(26 * time.Hour)
		}, []want{{audit.Statistics, "o001", "version 7", "version 0"}, {audit.Statistics, "mei", "DAY#2026-03-01: touches 3, orders 5", "orders 6"},
			{audit.Statistics, "mei", "LINK#2026-03-01#mei: touches 0, orders 5", "orders 6"}, {audit.Statistics, "mei", "PRODUCT#2026-03-01#tea: touches 0, orders 5", "orders 6"}}},
		"first fact of an order": {func(d *damaged) {
			d.set("LEDGER", "ORDER#o001", "FACT#0000000002", "koc", "lin")
		}, []want{{audit.Fact, "o001", `version 2: 2026-03-01, CNY by "mei"`, `by "lin"`}}},
		"fact in between": {func(d *damaged) {
			d.replace("LEDGER", "ORDER#o001", "FACT#0000000004", "lines", `"Sales":2002`, `"Sales":2001`)
		}, []want{{audit.Fact, "o001", "version 4: ", "tea: sales 2001"}}},
		"rate that an entry names": {func(d *damaged) {
			_, sk := d.posting("mei", of("o001", ledger.Accrual))
			d.replace("LEDGER", "KOC#mei", sk, "entries", `"Rate":1000`, `"Rate":999`)
		}, []want{{audit.Posting, "settle:o001:3:mei", "at 1000/0", "at 999/0"}, {audit.Statement, "mei 2026-03 CNY", "hash", "hash"}}},
		"order of a posting's placing": {func(d *damaged) {
			_, sk := d.posting("mei", of("o001", ledger.Accrual))
			d.set("LEDGER", "KOC#mei", sk, "placedAt", "2026-02-01T00:00:00Z")
		}, []want{{audit.Posting, "settle:o001:3:mei", "placed 2026-03-01", "placed 2026-02-01"}, {audit.Statement, "mei 2026-03 CNY", "hash", "hash"}}},
		"when an order is due": {func(d *damaged) {
			d.set("ORDERS", "ORDER#o000", "ORDER", "dueSk", "2099-01-01T00:00:00.000Z#o000")
		}, []want{{audit.Filed, "o000", "dueSk 20", "dueSk 2099"}}},
		"status beside an order": {func(d *damaged) { d.set("ORDERS", "ORDER#o000", "ORDER", "status", "held") },
			[]want{{audit.Filed, "o000", "status ", "status held"}}},
		"KOC beside an order": {func(d *damaged) { d.set("ORDERS", "ORDER#o001", "ORDER", "koc", "lin") },
			[]want{{audit.Filed, "o001", "koc mei", "koc lin"}, {audit.Filed, "o001", "koc mei", "koc lin"}}},
		"an order undecided": {func(d *damaged) {
			d.alter("ORDERS", "ORDER#o000", "ORDER", func(it item) item { it["undecided"] = &types.AttributeValueMemberBOOL{Value: true}; return it })
		}, []want{{audit.Filed, "o000", "undecided nothing", "undecided true"}}},
		"an order not in the list of all": {func(d *damaged) { d.set("ORDERS", "ORDER#o001", "ORDER", "placedPk", "PLACED#2019-01") },
			[]want{{audit.Filed, "o001", "placedPk PLACED#2026-03", "placedPk PLACED#2019-01"}}},
		"an order not in its KOC's list": {func(d *damaged) { d.set("ORDERS", "ORDER#o001", "ORDER", "kocPk", "KOC#zhou") },
			[]want{{audit.Filed, "o001", "kocPk KOC#mei", "kocPk KOC#zhou"}, {audit.Filed, "o001", "kocPk KOC#mei", "kocPk KOC#zhou"}}},
		"when a payout is due": {func(d *damaged) {
			d.set("LEDGER", "PAYOUT#"+payout.ID("w3"), "PAYOUT", "duePk", "PAYOUT#DUE")
		}, []want{{audit.Filed, payout.ID("w3"), "duePk nothing", "duePk PAYOUT#DUE"}}},
		"status beside a payout":      {func(d *damaged) { d.set("LEDGER", "PAYOUT#"+payout.ID("w3"), "PAYOUT", "status", "paid") }, []want{{audit.Filed, payout.ID("w3"), "status reserved", "status paid"}}},
		"status beside an adjustment": {func(d *damaged) { d.set("LEDGER", "ADJUST#a2", "ADJUSTMENT", "status", "approved") }, []want{{audit.Filed, "a2", "status rejected", "status approved"}}},
		"version beside a profile": {func(d *damaged) {
			d.set("SHOP", "KOC#mei", "PROFILE", "listPk", "KOC")
			d.set("SHOP", "KOC#mei", "PROFILE", "other", "x")
		}, []want{{audit.Filed, "mei", "other nothing", "other x"}}},
		"whose a login is": {func(d *damaged) { d.set("SHOP", "LOGIN#login of mei", "LOGIN", "koc", "lin") }, []want{{audit.Login, "mei", "leads to mei", "lin"}}},
		"a login is gone":  {func(d *damaged) { d.alter("SHOP", "LOGIN#login of mei", "LOGIN", func(item) item { return nil }) }, []want{{audit.Login, "mei", "leads to mei", "nothing"}}},
		"a place without a payout": {func(d *damaged) {
			d.put("LEDGER", "KOC#mei", "PAYOUT#2026-03-01T00:00:00.000Z#pnobody", item{"payout": &types.AttributeValueMemberS{Value: "pnobody"}})
		}, []want{{audit.Payout, "pnobody", "a payout for its place", "nothing"}}},
		"place of another's payout": {func(d *damaged) {
			d.put("LEDGER", "KOC#mei", "PAYOUT#2026-03-01T00:00:00.000Z#pnobody", item{"payout": &types.AttributeValueMemberS{Value: payout.ID("w4")}})
		}, []want{{audit.Payout, payout.ID("w4"), "list of lin", "list of mei"}, {audit.Payout, payout.ID("w4"), "a payout for its place in the list of mei", "nothing"}}},
		"changes of a tax sum": {func(d *damaged) { d.add("LEDGER", "KOC#mei", "TAX#CNY#2026-03", "v", 1) },
			[]want{{audit.Tax, "mei", "after 6 changes", "after 7 changes"}}},
		"payouts of a bank file": {func(d *damaged) {
			d.replace("LEDGER", "PAYFILE#f0", "PAYFILE", "file", payout.ID("w4"), payout.ID("w3"))
		}, []want{{audit.BankFile, "f0", "a file with " + payout.ID("w4"), "one without it"}}},
		"a payout of a bank file is none": {func(d *damaged) {
			d.replace("LEDGER", "PAYFILE#f0", "PAYFILE", "file", `"`+payout.ID("w4")+`"`, `"`+payout.ID("w4")+`","pnobody"`)
		}, []want{{audit.BankFile, "f0", "2 payouts that exist", "1"}}},
		"currency of a bank file": {func(d *damaged) { d.replace("LEDGER", "PAYFILE#f0", "PAYFILE", "file", `"CNY"`, `"USD"`) },
			[]want{{audit.BankFile, "f0", "payouts in USD", "in CNY"}}},
		"a bank file is gone": {func(d *damaged) { d.alter("LEDGER", "PAYFILE#f0", "PAYFILE", func(item) item { return nil }) },
			[]want{{audit.BankFile, "f0", "a file with ", "nothing"}}},
		"a bank file that nobody fills": {func(d *damaged) {
			d.replace("LEDGER", "PAYFILE#f0", "PAYFILE", "file", `"Closed":true`, `"Closed":false`)
		},
			[]want{{audit.BankFile, "f0", "a closed file", "an open one"}}},
		"a closed bank file is filled": {func(d *damaged) { d.set("LEDGER", "PAYFILE#CNY", "SERIES", "open", "f0") },
			[]want{{audit.BankFile, "CNY", "a file that is being filled", "f0, which is closed"}}},
		"sales of a day":          {func(d *damaged) { d.add("SHOP", "STAT#mei", "DAY#"+longAgo, "sales", 1) }, []want{{audit.Statistics, "mei", "DAY#2026-03-01: touches 3, orders 6, sales", "sales"}}},
		"orders of a link":        {func(d *damaged) { d.add("SHOP", "STAT#mei", "LINK#"+longAgo+"#mei", "orders", -1) }, []want{{audit.Statistics, "mei", "LINK#2026-03-01#mei: touches 0, orders 6", "orders 5"}}},
		"commission of a product": {func(d *damaged) { d.add("SHOP", "STAT#mei", "PRODUCT#"+longAgo+"#tea", "commission", 7) }, []want{{audit.Statistics, "mei", "PRODUCT#2026-03-01#tea: ", "commission"}}},
		"currency of a day":       {func(d *damaged) { d.set("SHOP", "STAT#lin", "DAY#"+longAgo, "currency", "USD") }, []want{{audit.Statistics, "lin", " CNY, ", " USD, "}}},
		"a day is gone":           {func(d *damaged) { d.alter("SHOP", "STAT#lin", "DAY#"+longAgo, func(item) item { return nil }) }, []want{{audit.Statistics, "lin", "DAY#2026-03-01: touches 0, orders ", "DAY#2026-03-01: nothing"}}},
		"a day that never was": {func(d *damaged) {
			d.put("SHOP", "STAT#zhou", "DAY#2025-06-01", item{"orders": &types.AttributeValueMemberN{Value: "2"}})
		}, []want{{audit.Statistics, "zhou", "DAY#2025-06-01: nothing", "orders 2"}}},
		"a heading on no day": {func(d *damaged) {
			d.put("SHOP", "STAT#zhou", "DAY#sometime", item{"orders": &types.AttributeValueMemberN{Value: "2"}})
		}, []want{{audit.Statistics, "zhou", "statistics of a day", "sometime"}}},
		"touches of a day":          {func(d *damaged) { d.add("SHOP", "STAT#mei", "DAY#"+recent, "touches", 1) }, []want{{audit.Statistics, "mei", "DAY#2026-05-07: touches 4", "touches 5"}}},
		"touches of a day long ago": {func(d *damaged) { d.add("SHOP", "STAT#mei", "DAY#"+longAgo, "touches", 1) }, []want{{audit.Statistics, "mei", "DAY#2026-03-01: touches 3", "touches 4"}}},
		"touches of a link and day": {func(d *damaged) {
			d.add("SHOP", "STAT#mei", "DAY#"+recent, "touches", 1)
			d.add("SHOP", "STAT#mei", "LINK#"+recent+"#mei-blog", "touches", 1)
		}, []want{{audit.Statistics, "mei", "DAY#2026-05-07: touches 4", "touches 5"}, {audit.Statistics, "mei", "LINK#2026-05-07#mei-blog: touches 3", "touches 4"}}},
		"touches of a day are gone": {func(d *damaged) {
			d.alter("SHOP", "STAT#mei", "DAY#"+recent, func(item) item { return nil })
			d.alter("SHOP", "STAT#mei", "LINK#"+recent+"#mei", func(item) item { return nil })
		}, []want{{audit.Statistics, "mei", "DAY#2026-05-07: touches 4", "nothing"}, {audit.Statistics, "mei", "LINK#2026-05-07#mei: touches 1", "nothing"}}},
		"price of a SKU":   {func(d *damaged) { d.replace("SHOP", "SKU#tea", "SKU", "about", `"amount":1001`, `"amount":1000`) }, []want{{audit.Stock, "tea", "10.01", "10.00"}}},
		"product of a SKU": {func(d *damaged) { d.set("SHOP", "SKU#tea", "SKU", "product", "cup") }, []want{{audit.Stock, "tea", "tea: Tea", "cup: Tea"}}},
		"stock":            {func(d *damaged) { d.add("SHOP", "SKU#tea", "SKU", "sold", 1) }, []want{{audit.Stock, "tea", "received", " + "}}},
		"a SKU is gone":    {func(d *damaged) { d.alter("SHOP", "SKU#cup", "SKU", func(item) item { return nil }) }, []want{{audit.Stock, "cup", "a stock record", "none"}}},
	}
	d := damage(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			at := d.at
			d.t = t
			defer func() {
				d.at = at
				d.mend(t)
			}()
			tt.alter(d)
			compare(t, tt.want, run(t, d.auditor()).Differences)
		})
	}
}

// compare wants exactly these differences.
func compare(t *testing.T, all []want, found []audit.Difference) {
	t.Helper()
	left := slices.Clone(found)
	for _, w := range all {
		i := slices.IndexFunc(left, func(d audit.Difference) bool {
			return d.Kind == w.kind && d.ID == w.id && strings.Contains(d.Expected, w.expected) && strings.Contains(d.Found, w.found)
		})
		if i < 0 {
			t.Errorf("not found: %+v", w)
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, d := range left {
		t.Errorf("found: %+v", d)
	}
}
