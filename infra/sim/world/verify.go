package world

import (
	"context"
	"strings"

	"yundian/shared/audit"
)

// verifies lets the shop recompute itself while everything goes on: what it finds would be a false alarm, because the
// simulator's own checks have found nothing.
func (w *World) verifies() {
	_, _ = w.run("verify", func() error {
		a := &audit.Auditor{Store: w.db(), Now: w.time, Wait: func(context.Context, int) error { return nil }, Postings: audit.SlicePostings}
		for at := (audit.Place{}); ; {
			r, next, err := a.Slice(w.ctx, at)
			if err != nil {
				return err
			}
			for _, d := range r.Differences {
				late := d.Kind == audit.Statistics || d.Kind == audit.Statement && strings.HasPrefix(d.Expected, "statements up to") ||
					d.Kind == audit.Order && strings.HasPrefix(d.Expected, "payment ")
				if !late || w.calm { // that something is late is true
					w.violate(4, "the shop reports a difference that there is not: %+v", d)
				}
			}
			if w.calm && r.Unsettled > 0 {
				w.violate(15, "the shop says that something is not settled: %s", strings.Join(r.Waiting, ", "))
			}
			if at = next; at.Part == "" {
				return nil
			}
		}
	})
}
