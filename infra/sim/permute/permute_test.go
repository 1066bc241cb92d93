package permute

import (
	"log/slog"
	"os"
	"testing"

	"yundian/shared/ordering"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // settling tells of every refusal, and there are many thousand
	os.Exit(m.Run())
}

// TestEveryWayEndsTheSame is invariant 10.
func TestEveryWayEndsTheSame(t *testing.T) {
	first := award(ordering.CausePlacement, "mei")
	for _, c := range []struct {
		name      string
		consumers []*consumer
		limits    Limits
		orders    [][]act
	}{
		{"refunded before the release", []*consumer{Settle}, Limits{2, 1, 0}, [][]act{{pay, first, refund("r", 2500), send, release}}},
		{"refunded after the release", []*consumer{Settle}, Limits{1, 1, 1}, [][]act{{first, pay, send, release, refund("r", 7777)}}},
		{"decided again before the release", []*consumer{Settle}, Limits{1, 1, 0}, [][]act{{pay, first, award("claim", "lin"), send, release}}},
		{"decided again after the release", []*consumer{Settle}, Limits{1, 1, 0}, [][]act{{pay, first, send, release, award("claim", "lin")}}},
		{"a refund that fails after the release", []*consumer{Settle}, Limits{1, 1, 0}, [][]act{{pay, first, send, refund("r", 2500), release, fails("r")}}},
		{"cancelled and paid once more", []*consumer{Settle}, Limits{1, 2, 0}, [][]act{{pay, first, cancel, fails("order1-cancel"), payAgain}}},
		{"expired and revived", []*consumer{Settle}, Limits{1, 1, 0}, [][]act{{first, expire, payLate, send, release}}},
		{"disputed and lost", []*consumer{Settle}, Limits{1, 1, 0}, [][]act{{pay, first, disputed(ordering.DisputeOpened), send, disputed(ordering.DisputeLost)}}},
		{"two orders of a month", []*consumer{Settle}, Limits{1, 0, 1}, [][]act{{pay, first}, {pay, first}}},
		{"facts are counted too", []*consumer{Settle, Tally}, Limits{1, 1, 1}, [][]act{{pay, first}}},
		{"from the placement to statistics", []*consumer{Attribute, Settle, Tally}, Limits{1, 1, 1}, [][]act{{pay}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := play(c.orders...)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Explore(s, c.consumers, c.limits)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d records can come in %d ways; they meet in %d states, walked in %d steps", len(s.Records), r.Ways, r.States, r.Steps)
			if r.Ways < 10_000 {
				t.Errorf("there are only %d ways", r.Ways)
			}
		})
	}
}

// Without the guards that make all ways end the same, some do not.
func TestWaysPartWithoutGuards(t *testing.T) {
	acts := []act{pay, award(ordering.CausePlacement, "mei"), send}
	for _, guard := range []string{"ledger APPLIED v equals", "shop TALLIED v equals"} {
		s, err := play(acts)
		if err != nil {
			t.Fatal(err)
		}
		s.Without = guard
		if r, err := Explore(s, []*consumer{Settle, Tally}, Limits{Interruptions: 1}); err == nil {
			t.Errorf("without %s all %d ways end the same", guard, r.Ways)
		}
	}
}
