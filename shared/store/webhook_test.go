package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"yundian/shared/fail"
	"yundian/shared/ledger"
	"yundian/shared/letter"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
	"yundian/shared/webhook"
)

// ahead is when the news of these tests happens: what is recorded of it expires, and an engine may delete it at any time after.
var ahead = time.Date(2100, 3, 1, 4, 0, 0, 0, time.UTC)

func event(n int) webhook.Event {
	at := ahead.Add(time.Duration(n) * time.Second)
	return webhook.Events(ledger.Posting{ID: fmt.Sprintf("settle:o%d:1:mei", n), KOC: "mei", Order: fmt.Sprintf("o%d", n), At: at, Currency: "CNY",
		Entries: []ledger.Entry{{Kind: ledger.Accrual, Minor: 100}}})[0]
}

func endpoint(id string) webhook.Endpoint {
	return webhook.NewEndpoint(id, "https://a.example/"+id, nil, "sealed", ahead)
}

func TestWebhooksOfOwnersAreApart(t *testing.T) {
	ctx, s := context.Background(), storetest.Open(t)
	add := func(owner webhook.Owner, id string) error {
		_, err := s.UpdateWebhooks(ctx, owner, func(e *webhook.Endpoints) (bool, error) { return true, e.Add(endpoint(id)) }, nil)
		return err
	}
	// A KOC may be called like what operators are called elsewhere.
	owners := []webhook.Owner{"mei", "operators", "OPERATORS", webhook.Operators, "nobody"}
	for _, o := range owners[:4] {
		if err := add(o, "e-"+string(o)); err != nil {
			t.Fatal(err)
		}
	}
	found, err := s.Webhooks(ctx, owners)
	if err != nil || len(found) != len(owners) || len(found["nobody"].List) != 0 {
		t.Fatalf("%+v, %v", found, err)
	}
	for _, o := range owners[:4] {
		if e := found[o]; len(e.List) != 1 || e.List[0].ID != "e-"+string(o) || e.Owner != o || e.Version != 1 {
			t.Errorf("%s has %+v", o, e)
		}
	}
	var wg sync.WaitGroup
	refused := make([]error, 2*webhook.MaxEndpoints)
	for i := range refused {
		wg.Go(func() { refused[i] = add("lin", fmt.Sprint(i)) })
	}
	wg.Wait()
	n := 0
	for _, err := range refused {
		if err == nil {
			n++
		} else if !fail.Is(err, "webhooks_too_many") {
			t.Error(err)
		}
	}
	if n != webhook.MaxEndpoints {
		t.Errorf("%d endpoints were added at once", n)
	}
	before := found["mei"].Version
	after, err := s.UpdateWebhooks(ctx, "mei", func(*webhook.Endpoints) (bool, error) { return false, nil }, nil)
	if err != nil || after.Version != before {
		t.Errorf("no change wrote version %d, %v", after.Version, err)
	}
}

func TestADeliveryIsRecordedOnceAndLeavesTheListWhenDone(t *testing.T) {
	ctx, s := context.Background(), storetest.Open(t)
	fresh := webhook.NewDelivery("mei", endpoint("e1"), event(1), ahead)
	d, again := fresh, fresh
	if ok, err := s.SaveDelivery(ctx, &d); err != nil || !ok || d.Version != 1 {
		t.Fatalf("recorded %v, %v", ok, err)
	}
	if ok, err := s.SaveDelivery(ctx, &again); err != nil || ok || again.Version != 0 {
		t.Fatalf("recorded twice: %v, %v", ok, err)
	}
	due := func(at time.Time) int {
		t.Helper()
		found, err := s.DueDeliveries(ctx, at, 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	if due(ahead) != 0 || due(ahead.Add(time.Minute)) != 1 {
		t.Error("a fresh delivery is not due after a minute")
	}
	d.Fail(500, "status", ahead.Add(time.Minute))
	if ok, err := s.SaveDelivery(ctx, &d); err != nil || !ok {
		t.Fatalf("%v, %v", ok, err)
	}
	if due(ahead.Add(time.Minute)) != 0 || due(ahead.Add(3*time.Minute)) != 1 {
		t.Error("a failed delivery does not wait")
	}
	late := d
	late.Version = 1
	late.Succeed(200, ahead)
	if ok, err := s.SaveDelivery(ctx, &late); err != nil || ok {
		t.Errorf("an outdated version was written: %v, %v", ok, err)
	}
	d.Succeed(200, ahead.Add(2*time.Minute))
	if ok, err := s.SaveDelivery(ctx, &d); err != nil || !ok {
		t.Fatalf("%v, %v", ok, err)
	}
	if due(ahead.AddDate(1, 0, 0)) != 0 {
		t.Error("a delivered one is due")
	}
	found, _, err := s.Deliveries(ctx, "e1", "", 10, true)
	if err != nil || len(found) != 1 || found[0].Attempts != 2 || found[0].State != webhook.Delivered || found[0].Event.ID != d.Event.ID || found[0].Owner != "mei" || found[0].Version != 3 {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestDeliveriesPageByPage(t *testing.T) {
	ctx, s := context.Background(), storetest.Open(t)
	for n := range 5 {
		for _, id := range []string{"e1", "e2"} {
			d := webhook.NewDelivery("mei", endpoint(id), event(n), ahead)
			if _, err := s.SaveDelivery(ctx, &d); err != nil {
				t.Fatal(err)
			}
		}
	}
	ids := func(deliveries []webhook.Delivery) (out []string) {
		for _, d := range deliveries {
			out = append(out, d.Event.Data.OrderID)
		}
		return out
	}
	first, next, err := s.Deliveries(ctx, "e1", "", 2, true)
	if err != nil || !slices.Equal(ids(first), []string{"o4", "o3"}) || next != store.EventCursor(event(3)) {
		t.Errorf("%v, next %s, %v", ids(first), next, err)
	}
	rest, next, err := s.Deliveries(ctx, "e1", next, 10, true)
	if err != nil || !slices.Equal(ids(rest), []string{"o2", "o1", "o0"}) || next != "" {
		t.Errorf("%v, next %s, %v", ids(rest), next, err)
	}
	for from, want := range map[string][]string{store.CursorAt(event(3).At): {"o3", "o4"}, store.EventCursor(event(3)): {"o4"}, store.CursorAt(event(4).At.Add(time.Millisecond)): nil} {
		if got, _, err := s.Deliveries(ctx, "e1", from, 10, false); err != nil || !slices.Equal(ids(got), want) {
			t.Errorf("from %s: %v, %v", from, ids(got), err)
		}
	}
}

func TestLettersAreWrittenOnce(t *testing.T) {
	ctx, s := context.Background(), storetest.Open(t)
	l, ok := letter.ForOrder(ledger.Fact{Order: "o1", V: 2, At: ahead, Counted: true})
	if !ok {
		t.Fatal("no letter")
	}
	l.Progress = webhook.Begin(ahead)
	again := l
	if ok, err := s.SaveLetter(ctx, &l); err != nil || !ok {
		t.Fatalf("%v, %v", ok, err)
	}
	if ok, err := s.SaveLetter(ctx, &again); err != nil || ok {
		t.Errorf("twice: %v, %v", ok, err)
	}
	known, err := s.Outlets(ctx, []webhook.Owner{"mei"}, []string{l.ID, "order_paid:o2"})
	if err != nil || !known.Written[l.ID] || known.Written["order_paid:o2"] || len(known.Webhooks) != 1 {
		t.Errorf("%+v, %v", known, err)
	}
	due, err := s.DueLetters(ctx, ahead.Add(time.Minute), 10)
	if err != nil || len(due) != 1 || due[0].Order != "o1" || due[0].Version != 1 || due[0].Kind != letter.OrderPaid {
		t.Fatalf("%+v, %v", due, err)
	}
	due[0].Succeed(200, ahead)
	if ok, err := s.SaveLetter(ctx, &due[0]); err != nil || !ok {
		t.Fatalf("%v, %v", ok, err)
	}
	if due, err := s.DueLetters(ctx, ahead.AddDate(1, 0, 0), 10); err != nil || len(due) != 0 {
		t.Errorf("%+v, %v", due, err)
	}
}
