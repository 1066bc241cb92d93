package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"yundian/shared/audit"
	"yundian/shared/telemetry"
)

// verify goes through the whole shop.
type verify struct {
	auditor audit.Auditor
}

// Bounds of one run: postings of one KOC that are added up in memory at once, about 60 MB; the time kept back
// before the deadline in which no further slice is begun, since one takes half a minute at most; and the differences that
// are logged one by one.
const (
	perKOC = 200_000
	margin = time.Minute
	logged = 200
)

// run goes through as many slices as a run has time for, which is all of them in a shop of half a million orders. What is
// owed comes first and orders last, newest first: when the time is up, the oldest orders are left, whose figures are the
// ones that change least. A run that does not come to the end says so and does not count as one.
func (v *verify) run(ctx context.Context, _ events.CloudWatchEvent) error {
	var sum audit.Report
	at := audit.Place{}
	for begun := false; !begun || at.Part != ""; begun = true {
		if begun && !left(ctx) {
			slog.WarnContext(ctx, "verification unfinished", "part", at.Part, "after", at.After, "checked", sum.Checked)
			break
		}
		r, next, err := v.auditor.Slice(ctx, at)
		if err != nil {
			return fmt.Errorf("verify %s after %q: %w", at.Part, at.After, err)
		}
		v.tell(ctx, r, len(sum.Differences))
		sum.Checked += r.Checked
		sum.Unsettled += r.Unsettled
		sum.Differences = append(sum.Differences, r.Differences...)
		sum.Omitted += r.Omitted
		at = next
	}
	found := len(sum.Differences) + sum.Omitted
	slog.InfoContext(ctx, "verified", "checked", sum.Checked, "unsettled", sum.Unsettled, "differences", found, "complete", at.Part == "")
	telemetry.Count(ctx, "LedgerDifferences", float64(found))
	telemetry.Count(ctx, "LedgerUnsettled", float64(sum.Unsettled))
	if at.Part == "" {
		telemetry.Count(ctx, "LedgerVerified", float64(sum.Checked))
	}
	return nil
}

// tell logs what a slice found, after so many differences before it.
func (v *verify) tell(ctx context.Context, r audit.Report, before int) {
	for i, d := range r.Differences {
		if before+i < logged {
			slog.ErrorContext(ctx, "ledger difference", "kind", d.Kind, "id", d.ID, "expected", d.Expected, "found", d.Found)
		}
	}
	for _, handle := range r.Left {
		slog.WarnContext(ctx, "too many postings to check more than the balance", "koc", handle)
	}
}

// left reports whether there is time for another slice.
func left(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > margin
}
