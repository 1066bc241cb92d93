package world

import (
	"bytes"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"testing"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // what functions log about faults
	os.Exit(m.Run())
}

// explain cuts a violation down and prints the history: that is what whoever broke something needs to see.
func explain(t *testing.T, r Report) {
	t.Helper()
	h := Shrink(r.History, r.Violation.Number, 300_000)
	var told, history bytes.Buffer
	Replay(h, &told)
	_ = h.Write(&history)
	t.Fatalf("world %d: %v\n\n%s\nwith HISTORY=<a file of the following>, make sim plays it again:\n%s", r.History.World, r.Violation, &told, &history)
}

// TestInvariants is a small run of `make sim`: what happens in it is as mixed as in a long one.
func TestInvariants(t *testing.T) {
	r := Many(Plan{Seed: 1, Events: 150_000, Workers: 2})
	if r.Violation != nil {
		explain(t, r)
	}
	if r.Faulted*10 < r.Events {
		t.Errorf("%d of %d events were faulted, less than a tenth", r.Faulted, r.Events)
	}
	for _, c := range commands {
		if r.Commands[c.name] == 0 {
			t.Errorf("nobody ever did %q", c.name)
		}
	}
	for _, f := range callFaults {
		if r.Faults[f.name] == 0 {
			t.Errorf("no call ever met %q", f.name)
		}
	}
	for _, f := range slices.Concat(bankFaults[:], []string{"record again", "record twice", "record dropped", "answer lost", "late", "event again", "event out of order", "event without our id", "paid twice"}) {
		if r.Faults[f] == 0 {
			t.Errorf("%q never happened", f)
		}
	}
	for _, what := range []string{"earned", "released", "clawed back", "paid twice", "revived", "withdrawn", "returned", "return accepted", "goods back", "goods written off", "held", "refund failed", "refund by the provider",
		"refund sent again", "dispute lost", "dispute won", "decided again", "decided again after the release", "status cancelled", "status expired", "status delivered",
		"many lines", "refused for open orders", "refused for open pieces", "confirmed", "not confirmed", "self-purchase"} {
		if r.Reached[what] == 0 {
			t.Errorf("no order ever got to %q", what)
		}
	}
}

// payingOut are the commands that payouts and bank files are made of.
var payingOut = []string{"verify method", "adjust", "decide adjustment", "withdraw", "approve payout", "approve payout", "pay out", "bank file",
	"bank file", "ask again", "answer of the bank"}

// TestPayingOut looks closer at payouts: several people and several runs of the schedule are at them at the same moment.
func TestPayingOut(t *testing.T) {
	r := Many(Plan{Seed: 1, Events: 300_000, Workers: 2, Focus: payingOut})
	if r.Violation != nil {
		explain(t, r)
	}
	if r.Faults["file of another"] == 0 {
		t.Error("nobody was ever answered with somebody else's file")
	}
}

// One seed makes the same worlds, however many run at once; another one makes others.
func TestDigest(t *testing.T) {
	run := func(seed uint64, workers int) Report {
		return Many(Plan{Seed: seed, Events: 15_000, Workers: workers})
	}
	first := run(7, 1)
	for workers := 1; workers <= 3; workers++ {
		again := run(7, workers)
		if again.Digest != first.Digest || !reflect.DeepEqual(again.Counts, first.Counts) {
			t.Errorf("with %d workers the digest is %s, was %s;\n%+v\n%+v", workers, again.Digest, first.Digest, again.Counts, first.Counts)
		}
	}
	if other := run(8, 1); other.Digest == first.Digest {
		t.Error("two seeds have one digest")
	}
}

// wrongDesigns are what systems of this kind get wrong, made by taking away the guards that prevent it. The simulator is
// worth as much as what it finds.
var wrongDesigns = []struct{ name, guard string }{
	{"no version guard on what is posted", "ledger APPLIED v equals, ledger APPLIED pk absent"},
	{"no version guard on orders", "orders ORDER v equals"},
	{"no version guard on profiles", "shop PROFILE v equals"},
	{"a balance without a posting that is put once", "ledger APPLIED v equals, ledger APPLIED pk absent, ledger POST pk absent, ledger FACT pk absent"},
	{"the effect record missing", "orders EFFECT pk absent"},
	{"the idempotency record of orders missing", "orders IDEMP pk absent"},
	{"the idempotency record of requests missing", "shop IDEMP pk absent"},
	{"a receipt of goods counted twice", "shop MOVE pk absent"},
	{"the available guard missing", "shop SKU available at-least"},
	{"stock of whoever has the SKU now", "shop SKU variant equals"},
	{"a variant renamed with the counts of before", "shop SKU available equals, shop SKU reserved equals, shop SKU sold equals"},
	{"statistics that count each fact", "shop TALLIED v equals"},
	{"rules that two editors publish", "shop V pk absent"},
	{"orders of one phone that do not see each other", "people PLACING v equals, people PLACING pk absent"},
}

func TestWrongDesignsAreFound(t *testing.T) {
	for _, d := range wrongDesigns {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			r := Many(Plan{Seed: 1, Events: 600_000, Workers: 1, Guard: d.guard})
			if r.Violation == nil {
				t.Fatalf("%d events without %s, and nothing was found", r.Events, d.guard)
			}
			t.Logf("found after %d events: %v", r.Events, r.Violation)
		})
	}
}

// A bad history becomes a short one, which can be written down and played again.
func TestShrink(t *testing.T) {
	r := Many(Plan{Seed: 1, Events: 150_000, Workers: 2, Guard: wrongDesigns[0].guard})
	if r.Violation == nil {
		t.Fatal("nothing to cut down")
	}
	h := Shrink(r.History, r.Violation.Number, 300_000)
	if len(h.Steps) > 25 || len(h.Steps) >= len(r.History.Steps) {
		t.Errorf("%d steps are left of %d", len(h.Steps), len(r.History.Steps))
	}
	var file bytes.Buffer
	if err := h.Write(&file); err != nil {
		t.Fatal(err)
	}
	again, err := ReadHistory(&file)
	if err != nil {
		t.Fatal(err)
	}
	if v := Replay(again, nil).Violation; v == nil || v.Number != r.Violation.Number {
		t.Errorf("played again: %v, was %v", v, r.Violation)
	}
}

func TestReadHistoryRefuses(t *testing.T) {
	for _, text := range []string{"seed x", "seed 1 world 2 guard \"\"\nplace 1 one"} {
		if _, err := ReadHistory(bytes.NewBufferString(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func BenchmarkWorlds(b *testing.B) {
	r := Many(Plan{Seed: 1, Events: b.N, Workers: 1})
	b.ReportMetric(float64(r.Events)/b.Elapsed().Seconds(), "events/s")
}
