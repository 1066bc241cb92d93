package main

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"yundian/shared/koc"
	"yundian/shared/ledger"
	"yundian/shared/stream"
	"yundian/shared/webhook"
)

func TestEveryEntryIsToldOnceToWhomItConcerns(t *testing.T) {
	b := open(t)
	mei, lin, ops := b.listen(t, "mei", "e-mei", nil), b.listen(t, "lin", "e-lin", nil), b.listen(t, webhook.Operators, "e-ops", nil)
	payouts := b.listen(t, "mei", "e-payouts", nil, ledger.PayoutKind)
	b.earn(t, "mei", "o1", 2)
	b.earn(t, "lin", "o2", 1)
	b.earn(t, "nobody", "o3", 1)
	b.tell(t)
	want := map[*receiver][]string{mei: {"settle:o1:1:mei:0", "settle:o1:1:mei:1"}, lin: {"settle:o2:1:lin:0"}, payouts: nil,
		ops: {"settle:o1:1:mei:0", "settle:o1:1:mei:1", "settle:o2:1:lin:0", "settle:o3:1:nobody:0"}}
	check := func(when string) {
		t.Helper()
		for r, ids := range want {
			if !slices.Equal(r.ids(), ids) {
				t.Errorf("%s: %s got %v, want %v", when, r.id, r.ids(), ids)
			}
		}
	}
	check("at first")
	for i, head := range mei.heads {
		if !webhook.Verify(head, mei.bodies[i], mei.secret, b.at) || webhook.Verify(head, mei.bodies[i], lin.secret, b.at) {
			t.Errorf("signature %s of %s", head, mei.bodies[i])
		}
	}
	if e := mei.events()[0]; e.Type != "commission.accrual" || e.Data.Amount != 100 || e.Data.KOC != "mei" || !e.At.Equal(noon) {
		t.Errorf("event %+v", e)
	}
	b.replay(t)
	b.run(t, time.Hour)
	b.replay(t)
	check("after every record came again")
	late := b.listen(t, "mei", "e-late", nil)
	b.change(t, "mei", func(e *webhook.Endpoints) error {
		x, err := e.Find("e-late")
		x.CreatedAt = b.at
		return err
	})
	b.replay(t)
	if late.count() != 0 {
		t.Errorf("an endpoint hears of what was before it: %v", late.ids())
	}
	if got := b.deliveries(t, "e-ops"); got[webhook.Delivered] != 4 || len(got) != 1 {
		t.Errorf("deliveries %v", got)
	}
}

// TestADeadReceiverDelaysNobody counts what a healthy receiver gets beside one that hangs and one that is not there.
func TestADeadReceiverDelaysNobody(t *testing.T) {
	b := open(t)
	over := make(chan struct{})
	defer close(over)
	hanging := b.listen(t, "mei", "e-hangs", func(int) int { <-over; return 200 })
	gone := b.listen(t, "mei", "e-gone", nil)
	gone.Close()
	healthy, ops := b.listen(t, "mei", "e-healthy", nil), b.listen(t, webhook.Operators, "e-ops", nil)
	const orders = 12
	for i := range orders {
		b.earn(t, "mei", fmt.Sprint("o", i), 1)
	}
	b.tell(t)
	if healthy.count() != orders || ops.count() != orders {
		t.Errorf("healthy receivers got %d and %d of %d", healthy.count(), ops.count(), orders)
	}
	first := hanging.count()
	if first >= atOnce+patience {
		t.Errorf("the hanging one was called %d times", first)
	}
	for i := range orders { // it is known to fail now: first attempts leave it alone
		b.earn(t, "mei", fmt.Sprint("later", i), 1)
	}
	b.tell(t)
	if hanging.count() != first || healthy.count() != 2*orders || ops.count() != 2*orders {
		t.Errorf("then: hanging %d, healthy %d and %d", hanging.count()-first, healthy.count(), ops.count())
	}
	// What failed once at a healthy one is sent by the schedule, beside the same two.
	healthy.answer = func(n int) int { return map[bool]int{true: 500, false: 200}[n == 2*orders+1] }
	b.earn(t, "mei", "again", 1)
	b.tell(t)
	b.run(t, 35*time.Minute)
	if healthy.count() != 2*orders+2 || hanging.count() != first+1 {
		t.Errorf("after the schedule: healthy %d, hanging %d more", healthy.count(), hanging.count()-first)
	}
	for id, want := range map[string]int{"e-hangs": 0, "e-gone": 0, "e-healthy": 2*orders + 1} {
		if got := b.deliveries(t, id); got[webhook.Delivered] != want || got[webhook.Delivered]+got[webhook.Due] != 2*orders+1 {
			t.Errorf("%s: %v", id, got)
		}
	}
}

// TestALongQueueStarvesNobody fills a shard of the list with more than one run looks at, all for one dead endpoint.
func TestALongQueueStarvesNobody(t *testing.T) {
	b := open(t)
	dead := b.listen(t, "mei", "e-dead", func(int) int { return 500 })
	id := ""
	for i := 0; id == ""; i++ {
		if name := fmt.Sprint("e", i); shard(name) == shard("e-dead") {
			id = name
		}
	}
	healthy := b.listen(t, "lin", id, func(n int) int { return map[bool]int{true: 500, false: 200}[n == 1] })
	for i := 0; i < perShard+20; i += 20 {
		b.earn(t, "mei", fmt.Sprint("o", i), 20)
	}
	deliveries := deliveriesFor(postingsOf(t, b), hooksOf(t, b, "mei"), b.at.Add(-time.Minute)) // due before the other's
	if _, err := b.record(t.Context(), deliveries); err != nil || len(deliveries) != perShard+20 {
		t.Fatalf("%d deliveries, %v", len(deliveries), err)
	}
	b.earn(t, "lin", "l1", 1)
	b.tell(t)
	before := dead.count()
	b.run(t, time.Minute)
	b.run(t, time.Minute)
	if healthy.count() != 2 {
		t.Errorf("the healthy one was called %d times behind %d that are due", healthy.count(), len(deliveries))
	}
	if n := dead.count() - before; n > patience+atOnce {
		t.Errorf("the dead one was called %d times in two runs", n)
	}
}

func shard(endpoint string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(endpoint))
	return h.Sum32() % 8
}

func postingsOf(t *testing.T, b *bench) []ledger.Posting {
	t.Helper()
	postings, _, _, err := b.read(b.records(t, false))
	if err != nil {
		t.Fatal(err)
	}
	return postings
}

func hooksOf(t *testing.T, b *bench, owners ...webhook.Owner) map[webhook.Owner]webhook.Endpoints {
	t.Helper()
	hooks, err := b.store.Webhooks(t.Context(), owners)
	if err != nil {
		t.Fatal(err)
	}
	return hooks
}

func TestWhatFailsIsTriedAgainAndGivenUp(t *testing.T) {
	b := open(t)
	r := b.listen(t, "mei", "e1", func(int) int { return http.StatusServiceUnavailable })
	b.earn(t, "mei", "o1", 1)
	b.tell(t)
	runs := 0
	for b.deliveries(t, "e1")[webhook.Due] > 0 {
		if runs++; runs > 100 {
			t.Fatal("no end")
		}
		b.run(t, time.Hour)
	}
	if r.count() != 8 || b.deliveries(t, "e1")[webhook.Failed] != 1 {
		t.Errorf("%d attempts, then %v", r.count(), b.deliveries(t, "e1"))
	}
	if ids := r.ids(); ids[0] != ids[7] {
		t.Errorf("one event has several ids: %v", ids)
	}
	b.run(t, 48*time.Hour)
	if r.count() != 8 {
		t.Error("what was given up is tried again")
	}
	found, _, err := b.store.Deliveries(t.Context(), "e1", "", 1, true)
	if err != nil || len(found) != 1 || found[0].Problem != "status" || found[0].Status != 503 {
		t.Fatalf("%+v, %v", found, err)
	}
	// Its owner wants it again, once it works.
	r.answer = nil
	found[0].Again(b.at)
	if ok, err := b.store.SaveDelivery(t.Context(), &found[0]); err != nil || !ok {
		t.Fatal(ok, err)
	}
	b.run(t, 0)
	if r.count() != 9 || b.deliveries(t, "e1")[webhook.Delivered] != 1 || b.endpoint(t, "mei", "e1").Failures != 0 {
		t.Errorf("again: %d attempts, %v, %+v", r.count(), b.deliveries(t, "e1"), b.endpoint(t, "mei", "e1"))
	}
}

// TestACrashBeforeTheFirstAttempt: what was recorded is sent by the schedule, and by nobody before.
func TestACrashBeforeTheFirstAttempt(t *testing.T) {
	b := open(t)
	r := b.listen(t, "mei", "e1", nil)
	b.earn(t, "mei", "o1", 3)
	if _, err := b.record(t.Context(), deliveriesFor(postingsOf(t, b), hooksOf(t, b, "mei"), b.at)); err != nil {
		t.Fatal(err)
	}
	b.replay(t)
	b.run(t, 30*time.Second)
	if r.count() != 0 {
		t.Errorf("%d were sent by who did not record them", r.count())
	}
	b.run(t, 30*time.Second)
	if got := b.deliveries(t, "e1"); r.count() != 3 || got[webhook.Delivered] != 3 {
		t.Errorf("%d sent, %v", r.count(), got)
	}
}

func TestBothSecretsSignWhileTheyOverlap(t *testing.T) {
	b := open(t)
	r := b.listen(t, "mei", "e1", nil)
	rotated := "whsec_rotated"
	b.change(t, "mei", func(e *webhook.Endpoints) error {
		x, err := e.Find("e1")
		if err == nil {
			_, err = x.Rotate(b.box.Seal(webhook.SecretBinding("mei", "e1"), rotated), b.at)
		}
		return err
	})
	for i, after := range []time.Duration{0, webhook.Overlap - time.Second, webhook.Overlap} {
		b.at = noon.Add(after)
		b.earn(t, "mei", fmt.Sprint("o", i), 1)
		b.tell(t)
		head, body := r.heads[i], r.bodies[i]
		if !webhook.Verify(head, body, rotated, b.at) || webhook.Verify(head, body, r.secret, b.at) != (i < 2) {
			t.Errorf("after %s: %s", after, head)
		}
	}
}

func TestAnEndpointDiesAndItsKOCIsTold(t *testing.T) {
	b := open(t)
	b.koc(t, "mei", "zh-Hant")
	fail := func(int) int { return 500 }
	r, ops := b.listen(t, "mei", "e1", fail), b.listen(t, webhook.Operators, "e-ops", fail)
	b.earn(t, "mei", "o1", 6)
	b.tell(t)
	for range 3 * 24 * 2 {
		b.run(t, 30*time.Minute)
	}
	b.earn(t, "mei", "o2", 1)
	b.tell(t)
	b.run(t, time.Hour)
	b.run(t, time.Minute)
	if x := b.endpoint(t, "mei", "e1"); x.Dead.IsZero() {
		t.Fatalf("still called: %+v", x)
	}
	if x := b.endpoint(t, webhook.Operators, "e-ops"); x.Dead.IsZero() {
		t.Errorf("still called: %+v", x)
	}
	told := b.mails(t, "mei@example.com")
	if len(told) != 1 || !strings.Contains(told[0].Subject, "webhook 已停用") || !strings.Contains(told[0].Text, r.URL) || len(b.mails(t, "")) != 1 {
		t.Errorf("told %+v of %d", told, len(b.mails(t, "")))
	}
	before := r.count() + ops.count()
	b.earn(t, "mei", "o3", 1)
	b.tell(t)
	b.run(t, 48*time.Hour)
	if got := b.deliveries(t, "e1"); r.count()+ops.count() != before || got[webhook.Kept] == 0 || got[webhook.Due] != 0 {
		t.Errorf("%d more attempts, %v", r.count()+ops.count()-before, got)
	}
	// It works again: what comes from now on is heard at once.
	r.answer = nil
	b.change(t, "mei", func(e *webhook.Endpoints) error {
		x, err := e.Find("e1")
		x.Resume()
		return err
	})
	heard := r.count()
	b.earn(t, "mei", "o4", 1)
	b.tell(t)
	if r.count() != heard+1 {
		t.Errorf("%d heard after it was resumed", r.count()-heard)
	}
}

func TestPausedAndRemovedEndpointsHearNothing(t *testing.T) {
	b := open(t)
	r := b.listen(t, "mei", "e1", func(int) int { return 500 })
	removed := b.listen(t, "mei", "e2", func(int) int { return 500 })
	b.earn(t, "mei", "o1", 1)
	b.tell(t)
	b.change(t, "mei", func(e *webhook.Endpoints) error {
		x, err := e.Find("e1")
		x.Paused = true
		if err == nil {
			err = e.Remove("e2")
		}
		return err
	})
	before := r.count() + removed.count()
	b.earn(t, "mei", "o2", 1)
	b.tell(t)
	b.run(t, time.Hour)
	b.run(t, time.Hour)
	if n := r.count() + removed.count() - before; n != 0 {
		t.Errorf("%d attempts", n)
	}
	for _, id := range []string{"e1", "e2"} {
		if got := b.deliveries(t, id); got[webhook.Kept] != 1 || len(got) != 1 {
			t.Errorf("%s: %v", id, got)
		}
	}
}

// TestTheWebhooksOfASuspendedKOCFallSilent: nothing is recorded or sent, what was due is put aside, and operators go on
// hearing. Approved again, the KOC's endpoint hears what happens from then on.
func TestTheWebhooksOfASuspendedKOCFallSilent(t *testing.T) {
	b := open(t)
	failing := true
	mine := b.listen(t, "mei", "e-mei", func(int) int { return map[bool]int{true: 500, false: 200}[failing] })
	brand := b.listen(t, webhook.Operators, "e-brand", nil)
	profile, err := koc.NewProfile("mei", "Mei", "mei@example.com", b.at)
	if err == nil {
		err = profile.Approve("hash", b.at)
	}
	if err == nil {
		err = b.store.CreateKOC(t.Context(), profile)
	}
	if err != nil {
		t.Fatal(err)
	}
	stand := func(change func(*koc.Profile) error) {
		t.Helper()
		if _, err := b.store.UpdateKOC(t.Context(), "mei", change, nil); err != nil {
			t.Fatal(err)
		}
	}
	b.earn(t, "mei", "o1", 1)
	b.tell(t)
	failing = false
	stand(func(p *koc.Profile) error { return p.Suspend("", b.at) })
	b.earn(t, "mei", "o2", 1)
	b.tell(t)
	b.run(t, time.Hour)
	if got := b.deliveries(t, "e-mei"); mine.count() != 1 || got[webhook.Due] != 0 || got[webhook.Kept] != 1 || len(got) != 1 {
		t.Errorf("a suspended KOC's endpoint was called %d times and has %v", mine.count(), got)
	}
	if brand.count() != 2 {
		t.Errorf("operators heard %d times", brand.count())
	}
	stand(func(p *koc.Profile) error { return p.Approve("hash", b.at) })
	b.earn(t, "mei", "o3", 1)
	b.tell(t)
	b.run(t, time.Hour) // it failed before, so the schedule tries it
	if mine.count() != 2 {
		t.Errorf("approved again, it was called %d times", mine.count())
	}
}

func TestMalformedRecordsAreNamed(t *testing.T) {
	b := open(t)
	b.earn(t, "mei", "o1", 1)
	good := b.records(t, true)
	for name, keys := range map[string]string{"posting": "POST#x", "fact": "FACT#1", "notice": "NOTICE#x"} {
		bad := stream.Record{Sequence: "9", Change: stream.Insert, Keys: item("KOC#mei", keys), New: item("KOC#mei", keys)}
		if failed, err := b.batch(t.Context(), append(slices.Clone(good), bad)); err == nil || failed != len(good) {
			t.Errorf("%s: record %d, %v", name, failed, err)
		}
	}
}

func TestTriggers(t *testing.T) {
	b := open(t)
	r := b.listen(t, "mei", "e1", func(n int) int { return map[bool]int{true: 500, false: 200}[n == 1] })
	b.earn(t, "mei", "o1", 1)
	b.tell(t)
	for payload, ok := range map[string]bool{`{"Records": []}`: true, `{"Records": [1]}`: true, `{}`: false, `[]`: false, `{"time": "2100-03-01T04:00:00Z"}`: true} {
		answer, err := b.Invoke(t.Context(), []byte(payload))
		if (err == nil) != ok && payload != `{"Records": [1]}` || err == nil && !json.Valid(answer) {
			t.Errorf("%s: %s, %v", payload, answer, err)
		}
	}
	if r.count() != 1 {
		t.Fatalf("%d attempts before it is due", r.count())
	}
	if _, err := b.Invoke(t.Context(), []byte(`{"detail-type": "Scheduled Event", "time": "2100-03-01T04:01:00Z"}`)); err != nil || r.count() != 2 {
		t.Errorf("%d attempts, %v", r.count(), err)
	}
}
