package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"golang.org/x/sync/errgroup"

	"yundian/shared/koc"
	"yundian/shared/statement"
	"yundian/shared/store"
	"yundian/shared/telemetry"
)

// closer closes the months of KOCs.
type closer struct {
	store *store.Store
}

// Bounds of one run: KOCs read and closed at once, and the time kept back before the deadline in which none is begun, since
// a month of a million postings takes about that long.
const (
	page   = 100
	atOnce = 8
	margin = 2 * time.Minute
)

// run closes what has ended as of the event's own time, so that a run can be repeated or moved. A KOC whose months cannot be
// closed is reported and holds up no other. What does not fit comes with the next run, for which what is closed costs two
// reads.
func (c *closer) run(ctx context.Context, event events.CloudWatchEvent) error {
	settings, err := c.store.Settings(ctx)
	if err != nil {
		return err
	}
	zone, err := settings.Zone()
	if err != nil {
		return err
	}
	w := &work{closer: statement.Closer{Store: c.store, Zone: zone}, now: event.Time.UTC()}
	for after, more := "", true; more; more = after != "" {
		profiles, next, err := c.store.ListKOCs(ctx, after, page)
		if err != nil {
			return err
		}
		w.close(ctx, profiles)
		if after = next; after != "" && !left(ctx) {
			slog.WarnContext(ctx, "statements unfinished", "after", after)
			break
		}
	}
	telemetry.Count(ctx, "StatementsClosed", float64(w.closed))
	slog.InfoContext(ctx, "statements closed", "statements", w.closed)
	return errors.Join(w.failures[:min(4, len(w.failures))]...)
}

// work is one run.
type work struct {
	closer   statement.Closer
	now      time.Time
	mu       sync.Mutex
	closed   int
	failures []error
}

func (w *work) close(ctx context.Context, profiles []koc.Profile) {
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, p := range profiles {
		if !left(ctx) {
			break
		}
		group.Go(func() error {
			n, err := w.closer.Close(ctx, p.Handle, w.now)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.closed += n
			if err != nil {
				slog.ErrorContext(ctx, "month not closed", "koc", p.Handle, "error", err)
				w.failures = append(w.failures, fmt.Errorf("close months of %s: %w", p.Handle, err))
			}
			return nil
		})
	}
	_ = group.Wait() // failures are collected, none ends the run
}

// left reports whether there is time for another month.
func left(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > margin
}
