package demo

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"yundian/shared/seal"
	"yundian/shared/store"
)

// weeks is the time that the plan spans, in days.
const weeks = 28

// touches records who opened the share links: shoppers who did not buy, spread over the plan's weeks, and those who did,
// on the day they ordered. They are written as the beacon would have written them at the time.
func (s *seeding) touches(ctx context.Context) error {
	settings, err := s.Store.Settings(ctx)
	if err != nil {
		return err
	}
	zone, err := settings.Zone()
	if err != nil {
		return err
	}
	var seen []store.Touch
	add := func(link, visitor string, at time.Time) {
		l := s.links[link]
		day := at.In(zone).Format(time.DateOnly)
		seen = append(seen, store.Touch{Code: l.Code, KOC: l.KOC, Day: day, At: at,
			Visitor: seal.Hash(s.Identity, "visitor", day+"\ndemo\n"+visitor)})
	}
	for _, k := range KOCs {
		for _, l := range k.Links {
			for n := range l.Touches {
				visitor := fmt.Sprintf("%s %d", l.Name, n)
				daysAgo, minute := scatter(visitor)
				y, m, d := s.Now.In(zone).Date()
				add(l.Name, visitor, s.past(time.Date(y, m, d-daysAgo, 0, minute, 0, 0, zone)))
			}
		}
	}
	for i, o := range Orders {
		if o.Link == "" {
			continue
		}
		at, err := planned{o, i + 1}.placedAt(s.Now, zone)
		if err != nil {
			return err
		}
		add(o.Link, o.Shopper, at.Add(-seenBefore))
	}
	return sideBySide(seen, func(t store.Touch) error { return s.Store.SaveTouch(ctx, t) })
}

// scatter gives a visitor a day and a minute of it between 8 and 23 o'clock: irregular, and the same each time, so that a
// seeding that is repeated counts nobody twice.
func scatter(visitor string) (daysAgo, minute int) {
	h := sha256.Sum256([]byte(visitor))
	n := binary.BigEndian.Uint64(h[:])
	return int(n % weeks), 8*60 + int(n/weeks%(15*60))
}
