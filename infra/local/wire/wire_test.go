package wire

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"yundian/infra/local/engine"
	"yundian/infra/local/engine/enginetest"
)

type shop struct {
	t     *testing.T
	table string
	proxy *Proxy
	c     *dynamodb.Client // through the proxy
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{t: t, table: enginetest.Name("wire")}
	if err := engine.CreateTables(t.Context(), enginetest.Client(t), []engine.Table{{Name: s.table}}); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.proxy, err = New(enginetest.ForTest(t).Endpoint); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	s.c = engine.Client(s.proxy.URL)
	return s
}

// once is the client without the SDK's repetitions.
func once(o *dynamodb.Options) { o.RetryMaxAttempts = 1 }

func key(pk string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: "x"}}
}

func (s *shop) put(pk string, o ...func(*dynamodb.Options)) error {
	_, err := s.c.PutItem(s.t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: key(pk),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal}, o...)
	return err
}

func (s *shop) has(pk string) bool {
	s.t.Helper()
	out, err := enginetest.Client(s.t).GetItem(s.t.Context(), &dynamodb.GetItemInput{TableName: &s.table, Key: key(pk), ConsistentRead: aws.Bool(true)})
	if err != nil {
		s.t.Fatal(err)
	}
	return out.Item != nil
}

func (s *shop) transact(pks ...string) error {
	var items []types.TransactWriteItem
	for _, pk := range pks {
		items = append(items, types.TransactWriteItem{Put: &types.Put{TableName: &s.table, Item: key(pk)}})
	}
	_, err := s.c.TransactWriteItems(s.t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: items,
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal}, once)
	return err
}

func TestCounts(t *testing.T) {
	s := newShop(t)
	if err := s.put("a"); err != nil {
		t.Fatal(err)
	}
	if err := s.put("云"); err != nil {
		t.Fatal(err)
	}
	if err := s.transact("b", "c"); err != nil {
		t.Fatal(err)
	}
	_, err := s.c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &s.table, Key: key("a"), ConsistentRead: aws.Bool(true),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: key("a"), ConditionExpression: aws.String("attribute_not_exists(pk)")})
	if refused := new(types.ConditionalCheckFailedException); !errors.As(err, &refused) {
		t.Fatalf("the condition did not come through: %v", err)
	}
	counts := s.proxy.Snapshot()
	put, get, transact := counts.Ops["PutItem"], counts.Ops["GetItem"], counts.Ops["TransactWriteItems"]
	if put.Calls != 3 || put.Refused != 1 || put.WriteUnits != 2 || put.ReadUnits != 0 || put.RequestBytes < 100 || put.ResponseBytes < 50 || put.Time <= 0 {
		t.Errorf("PutItem %+v", put)
	}
	if get.Calls != 1 || get.ReadUnits != 1 || get.WriteUnits != 0 {
		t.Errorf("GetItem %+v", get)
	}
	// DynamoDB Local counts half of what a transaction costs (2 units per item).
	if transact.Calls != 1 || (transact.WriteUnits != 4 && transact.WriteUnits != 2) {
		t.Errorf("TransactWriteItems %+v", transact)
	}
	if total := counts.Total(); total.Calls != 5 || counts.Rounds != 5 {
		t.Errorf("total %+v, rounds %d", total, counts.Rounds)
	}
	if before := s.proxy.Reset(); before.Total().Calls != 5 || s.proxy.Snapshot().Total().Calls != 0 {
		t.Error("Reset neither returned nor cleared the counts")
	}
}

// Calls made at the same time are one round; a call that begins after one of them has ended is the next.
func TestRounds(t *testing.T) {
	arrived, release := make(chan struct{}, 3), make(chan struct{})
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		arrived <- struct{}{}
		<-release
	}))
	defer store.Close()
	p, err := New(store.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	call := func() {
		res, err := http.Post(p.URL, "application/x-amz-json-1.0", strings.NewReader("{}"))
		if err != nil {
			t.Error(err)
			return
		}
		res.Body.Close()
	}
	for range 2 { // two rounds of three calls each
		var group sync.WaitGroup
		for range 3 {
			group.Go(call)
		}
		for range 3 {
			<-arrived
		}
		for range 3 {
			release <- struct{}{}
		}
		group.Wait()
	}
	if c := p.Snapshot(); c.Rounds != 2 || c.Total().Calls != 6 {
		t.Errorf("%d rounds in %d calls", c.Rounds, c.Total().Calls)
	}
}

func TestOnWrite(t *testing.T) {
	s := newShop(t)
	var told []string
	s.proxy.OnWrite([]string{"other", s.table, s.table + "-2"}, func(tables ...string) { told = append(told, strings.Join(tables, " ")) })
	if err := s.put("a"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &s.table, Key: key("a")}); err != nil {
		t.Fatal(err)
	}
	_, err := s.c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: key("a"), ConditionExpression: aws.String("attribute_not_exists(pk)")})
	if err == nil {
		t.Fatal("the condition held")
	}
	if want := []string{s.table}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

func TestFaults(t *testing.T) {
	always := func(op string, f Fault) Plan { return Plan{Rules: []Rule{{Op: op, Fault: f, Chance: 1}}} }
	throttled, serverError := new(types.ProvisionedThroughputExceededException), new(types.InternalServerError)
	cancelled, conflict := new(types.TransactionCanceledException), new(types.TransactionConflictException)
	cases := []struct {
		name    string
		plan    Plan
		do      func(s *shop) error
		want    any // target of errors.As; nil: a broken connection
		written bool
	}{
		{"lost request", always("PutItem", Fault{Kind: LostRequest}), func(s *shop) error { return s.put("a", once) }, nil, false},
		{"lost response", always("PutItem", Fault{Kind: LostResponse}), func(s *shop) error { return s.put("a", once) }, nil, true},
		{"throttle", always("", Fault{Kind: Throttle}), func(s *shop) error { return s.put("a", once) }, &throttled, false},
		{"server error", always("", Fault{Kind: ServerError}), func(s *shop) error { return s.put("a", once) }, &serverError, false},
		{"conflict of a transaction", always("TransactWriteItems", Fault{Kind: Conflict}), func(s *shop) error { return s.transact("a", "b") }, &cancelled, false},
		{"conflict of a single write", always("PutItem", Fault{Kind: Conflict}), func(s *shop) error { return s.put("a", once) }, &conflict, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newShop(t)
			if err := s.proxy.Faults(c.plan); err != nil {
				t.Fatal(err)
			}
			err := c.do(s)
			if err == nil || (c.want != nil && !errors.As(err, c.want)) {
				t.Errorf("error %v, want %T", err, c.want)
			}
			if got := s.has("a"); got != c.written {
				t.Errorf("written: %v, want %v", got, c.written)
			}
			if total := s.proxy.Snapshot().Total(); total.Faults != 1 || total.Calls != 1 {
				t.Errorf("counts %+v", total)
			}
			if err := s.proxy.Faults(Plan{}); err != nil {
				t.Fatal(err)
			}
			if err := c.do(s); err != nil {
				t.Errorf("after the plan has ended: %v", err)
			}
		})
	}
	if len(cancelled.CancellationReasons) != 2 || aws.ToString(cancelled.CancellationReasons[0].Code) != "TransactionConflict" ||
		aws.ToString(cancelled.CancellationReasons[1].Code) != "None" {
		t.Errorf("cancellation reasons %+v", cancelled.CancellationReasons)
	}
}

// The SDK repeats what was lost, so one lost answer is invisible to the caller and applied twice.
func TestLostResponseIsRepeatedByTheClient(t *testing.T) {
	s := newShop(t)
	if err := s.proxy.Faults(Plan{Rules: []Rule{{Fault: Fault{Kind: LostResponse}, Chance: 1, Limit: 1}}}); err != nil {
		t.Fatal(err)
	}
	out, err := s.c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: &s.table, Key: key("n"), ReturnValues: types.ReturnValueUpdatedNew,
		UpdateExpression: aws.String("ADD #n :one"), ExpressionAttributeNames: map[string]string{"#n": "n"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	if n := out.Attributes["n"].(*types.AttributeValueMemberN).Value; n != "2" {
		t.Errorf("counted to %s, want 2", n)
	}
}

func TestDelay(t *testing.T) {
	s := newShop(t)
	if err := s.proxy.Faults(Plan{Rules: []Rule{{Fault: Fault{Kind: Delay, Delay: time.Hour}, Chance: 1}}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for s.proxy.plannedCalls() == 0 {
			time.Sleep(time.Millisecond) // until the call is in the proxy; it offers no event for that
		}
		cancel()
	}()
	_, err := s.c.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: key("a")})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a delayed call ended with %v", err)
	}
}

func (p *Proxy) plannedCalls() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plan.seen[0]
}

func TestPlanIsReproducible(t *testing.T) {
	plan := Plan{Seed: 7, Rules: []Rule{
		{Op: "PutItem", Fault: Fault{Kind: Throttle}, Chance: 0.3, Skip: 5},
		{Fault: Fault{Kind: LostResponse}, Chance: 0.1, Limit: 3},
	}}
	draws := func(plan Plan) string {
		r := &running{plan: plan, seen: make([]uint64, 2), struck: make([]int, 2)}
		out := ""
		for i := range 300 {
			out += fmt.Sprint(int(r.next([]string{"PutItem", "GetItem"}[i%2]).Kind))
		}
		return out
	}
	first := draws(plan)
	if first != draws(plan) {
		t.Error("the same seed drew differently")
	}
	other := plan
	other.Seed = 8
	if first == draws(other) {
		t.Error("another seed drew the same")
	}
	if n := strings.Count(first, fmt.Sprint(int(Throttle))); n < 25 || n > 65 {
		t.Errorf("%d of 145 calls throttled at a chance of 0.3", n)
	}
	if n := strings.Count(first, fmt.Sprint(int(LostResponse))); n != 3 {
		t.Errorf("%d answers lost, want the limit of 3", n)
	}
	for i := 0; i < 10; i += 2 {
		if first[i] == '0'+byte(Throttle) {
			t.Errorf("call %d was throttled although it is to be skipped", i)
		}
	}
}

func TestBadPlansAreRefused(t *testing.T) {
	s := newShop(t)
	for _, r := range []Rule{
		{Fault: Fault{Kind: None}, Chance: 1}, {Fault: Fault{Kind: 99}, Chance: 1}, {Fault: Fault{Kind: Throttle}, Chance: 1.5},
		{Fault: Fault{Kind: Delay}, Chance: 1}, {Fault: Fault{Kind: Throttle, Delay: time.Second}, Chance: 1}, {Fault: Fault{Kind: Throttle}, Limit: -1},
	} {
		if err := s.proxy.Faults(Plan{Rules: []Rule{r}}); err == nil {
			t.Errorf("%+v was accepted", r)
		}
	}
}

func TestStoreThatDoesNotAnswer(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	p, err := New(gone.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	_, err = engine.Client(p.URL).GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("shop"), Key: key("a")}, once)
	if err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("error %v", err)
	}
	for _, bad := range []string{"", "127.0.0.1:8000", "ftp://x", "http://"} {
		if _, err := New(bad); err == nil {
			t.Errorf("%q was accepted as an endpoint", bad)
		}
	}
}

func TestConsumed(t *testing.T) {
	for body, want := range map[string]float64{
		`{}`: 0,
		`{"ConsumedCapacity":{"TableName":"t","CapacityUnits":1.5}}`:                                                    1.5,
		`{"ConsumedCapacity":[{"CapacityUnits":2.0},{"CapacityUnits":4}]}`:                                              6,
		`{"Item":{"ConsumedCapacity":{"S":"x"}},"ConsumedCapacity":{"CapacityUnits":0.5}}`:                              0.5,
		`{"Item":{"note":{"S":"\"ConsumedCapacity\":{\"CapacityUnits\":9}"}},"ConsumedCapacity":{"CapacityUnits":0.5}}`: 0.5,
		`{"ConsumedCapacity":{"CapacityUnits":`:                                                                         0,
	} {
		if got := consumed([]byte(body)); got != want {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
}

func BenchmarkProxy(b *testing.B) {
	p, err := New(enginetest.ForTest(b).Endpoint)
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	table := enginetest.Name("bench")
	if err := engine.CreateTables(b.Context(), enginetest.Client(b), []engine.Table{{Name: table}}); err != nil {
		b.Fatal(err)
	}
	for name, c := range map[string]*dynamodb.Client{"direct": enginetest.Client(b), "proxied": engine.Client(p.URL)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := c.GetItem(b.Context(), &dynamodb.GetItemInput{TableName: &table, Key: key("a")}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
