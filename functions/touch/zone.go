package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"yundian/shared/store"
)

// zoneKept is for how long a process counts by the time zone it knows before it looks again.
const zoneKept = 5 * time.Minute

// zone is the shop's time zone, whose midnights divide the days of touches. It is the only thing this function reads:
// one item, once per process and five minutes, because a day that differs from the one of orders would put a touch
// and the order it led to into different columns.
type zone struct {
	mu     sync.Mutex
	zone   *time.Location
	readAt time.Time
}

// of is the zone as of now. While the settings cannot be read, the one known before goes on.
func (z *zone) of(ctx context.Context, s *store.Store, now time.Time) (*time.Location, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.zone != nil && now.Sub(z.readAt) < zoneKept {
		return z.zone, nil
	}
	settings, err := s.Settings(ctx)
	var fresh *time.Location
	if err == nil {
		fresh, err = settings.Zone()
	}
	switch {
	case err == nil:
		z.zone, z.readAt = fresh, now
	case z.zone == nil:
		return nil, err
	default:
		slog.WarnContext(ctx, "settings unread, zone kept", "error", err)
		z.readAt = now
	}
	return z.zone, nil
}
