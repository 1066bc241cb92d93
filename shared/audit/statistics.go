package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/store"
)

// Bounds of the statistics of one KOC that are looked at together.
const (
	statDays   = 92     // days: a few thousand sums
	ordersADay = 20_000 // orders of one KOC, or of all, around one day; beyond it a day cannot be added up in a slice
	seenADay   = 20_000 // touches of one link
	// touchesKept is for how many days single touches and their counted records are surely kept: they leave two days later.
	touchesKept = 33
)

// Local days of all zones lie within these of the same date in UTC.
const (
	dayBegins = -14 * time.Hour
	dayEnds   = (24 + 12) * time.Hour
)

// statistics holds the sums of every KOC's statistics against the facts that are counted, a stretch of days at a time, and
// against the touches that are kept. A KOC's list of orders says which facts to look for: whose they are, the facts say.
func (a *Auditor) statistics(ctx context.Context, at Place, r *Report) (Place, error) {
	left := a.perSlice()
	if at.KOC != "" {
		next, err := a.statisticsOf(ctx, at.KOC, at.Day, &left, r)
		if err != nil || next != "" {
			return Place{Part: at.Part, After: at.After, KOC: at.KOC, Day: next}, err
		}
		at = Place{Part: at.Part, After: at.KOC}
	}
	profiles, next, err := a.Store.ListKOCs(ctx, at.After, sliceKOCs)
	if err != nil {
		return at, err
	}
	for _, p := range profiles {
		if left <= 0 {
			return at, nil
		}
		day, err := a.statisticsOf(ctx, p.Handle, "", &left, r)
		if err != nil || day != "" {
			return Place{Part: at.Part, After: at.After, KOC: p.Handle, Day: day}, err
		}
		at.After = p.Handle
	}
	return at.then(next), nil
}

func (a *Auditor) perSlice() int {
	if a.Counted > 0 {
		return a.Counted
	}
	return sliceCounted
}

// statisticsOf checks a KOC's statistics from a day on, as long as orders are left for the slice, and says from which day on
// they are still to be checked; empty when none is.
func (a *Auditor) statisticsOf(ctx context.Context, handle, from string, left *int, r *Report) (string, error) {
	for {
		s, err := a.stretch(ctx, handle, from)
		if err != nil {
			return from, err
		}
		if s.from == "" {
			r.Checked++
			return "", nil
		}
		if _, err := time.Parse(time.DateOnly, s.from); err != nil { // what stands beyond it is checked once it is mended
			r.differ(Difference{Statistics, handle, "statistics of a day", "some of " + s.from})
			return "", nil
		}
		// An order that the list of all orders does not lead to is found here, by the list of its KOC.
		if err := a.filed(ctx, store.FiledOrder, s.orders, r); err != nil {
			return from, err
		}
		if s.tooMany {
			r.Left = append(r.Left, fmt.Sprintf("%s on %s", handle, s.from))
		} else if err := a.lookAtStatistics(ctx, s, r); err != nil {
			return from, err
		}
		*left -= max(len(s.orders), a.perSlice()/sliceKOCs)
		if from = dayAfter(s.to, 1); *left <= 0 {
			return from, nil
		}
	}
}

// stretch is some whole days of a KOC's statistics, with the orders of its list that may be counted on them.
type stretch struct {
	koc      string
	from, to string // both included; no from when there is nothing any more
	orders   []string
	tooMany  bool
	touches  bool // whether single touches of all its days are kept
}

// stretch is what comes from a day on: as many days as there are orders for one slice, one day at least.
func (a *Auditor) stretch(ctx context.Context, handle, from string) (stretch, error) {
	since := firstOrders
	if from != "" {
		since = dayStart(from).Add(dayBegins)
	}
	first, err := a.Store.FirstStatDay(ctx, handle, from)
	if err != nil {
		return stretch{}, err
	}
	places, more, err := a.Store.OrdersSince(ctx, handle, since, a.perSlice())
	if err != nil {
		return stretch{}, err
	}
	if len(places) > 0 {
		if day := max(from, places[0].At.Add(dayBegins).Format(time.DateOnly)); first == "" || day < first {
			first = day
		}
	}
	if _, err := time.Parse(time.DateOnly, first); err != nil {
		return stretch{koc: handle, from: first}, nil
	}
	if places, more, err = a.Store.OrdersSince(ctx, handle, dayStart(first).Add(dayBegins), a.perSlice()); err != nil {
		return stretch{}, err
	}
	s := stretch{koc: handle, from: first, to: dayAfter(first, statDays-1)}
	kept := a.Now().UTC().AddDate(0, 0, -touchesKept).Format(time.DateOnly)
	if s.touches = s.from >= kept; !s.touches && s.to >= kept {
		s.to = dayAfter(kept, -1)
	}
	if more {
		s.to = min(s.to, places[len(places)-1].At.Add(-dayEnds).Format(time.DateOnly))
		if s.to < s.from { // one day with the orders of a slice
			s.to = s.from
			span := store.Span{From: dayStart(s.from).Add(dayBegins), To: dayStart(s.to).Add(dayEnds)}
			if places, more, err = a.Store.OrdersSince(ctx, handle, span.From, ordersADay); err != nil {
				return stretch{}, err
			}
			s.tooMany = more && places[len(places)-1].At.Before(span.To)
		}
	}
	for _, p := range places {
		if p.At.Before(dayStart(s.to).Add(dayEnds)) {
			s.orders = append(s.orders, p.ID)
		}
	}
	return s, nil
}

func dayStart(day string) time.Time {
	at, _ := time.Parse(time.DateOnly, day) // a day of a list, or one that was looked at before
	return at
}

func dayAfter(day string, n int) string { return dayStart(day).AddDate(0, 0, n).Format(time.DateOnly) }

// lookAtStatistics looks at a stretch until it agrees, or differs for the last time. Orders are placed and decided again after
// a KOC's list was read: so before a difference is reported, all orders of its days are looked for, whoever's they are.
func (a *Auditor) lookAtStatistics(ctx context.Context, s stretch, r *Report) error {
	var days []string
	for look := 1; ; look++ {
		found, differ, steady, err := a.statisticsDiffer(ctx, s, days)
		switch {
		case err != nil:
			return err
		case !steady:
			r.wait(s.koc)
			return nil
		case len(found) == 0:
			return nil
		case look == looks:
			r.differ(found...)
			return nil
		}
		days = differ
		if err := a.Wait(ctx, look); err != nil {
			return err
		}
	}
}

// daysAgain bounds how many days all orders are looked for again; when more differ, something else is wrong.
const daysAgain = 10

// ordersAround adds to orders all that were placed around some days.
func (a *Auditor) ordersAround(ctx context.Context, orders, days []string) ([]string, error) {
	known := make(map[string]bool, len(orders))
	for _, id := range orders {
		known[id] = true
	}
	orders = slices.Clone(orders)
	for _, day := range days[:min(len(days), daysAgain)] {
		places, _, err := a.Store.OrdersPlaced(ctx, store.Span{From: dayStart(day).Add(dayBegins), To: dayStart(day).Add(dayEnds)}, ordersADay)
		if err != nil {
			return nil, err
		}
		for _, p := range places {
			if !known[p.ID] {
				known[p.ID] = true
				orders = append(orders, p.ID)
			}
		}
	}
	return orders, nil
}

// statisticsDiffer compares the sums of a stretch with what is counted, between two equal counts of their changes, and names
// the days that differ. All orders around the given days are looked at, beside those that the stretch knows.
func (a *Auditor) statisticsDiffer(ctx context.Context, s stretch, around []string) (found []Difference, days []string, steady bool, err error) {
	for range steadyTries {
		have, err := a.Store.StatRows(ctx, s.koc, s.from, s.to)
		if err != nil {
			return nil, nil, false, err
		}
		orders, err := a.ordersAround(ctx, s.orders, around)
		if err != nil {
			return nil, nil, false, err
		}
		want, err := a.counted(ctx, s, orders)
		if err != nil {
			return nil, nil, false, err
		}
		if err := a.touched(ctx, s, have, want); err != nil {
			return nil, nil, false, err
		}
		after, err := a.Store.StatRows(ctx, s.koc, s.from, s.to)
		if err != nil {
			return nil, nil, false, err
		}
		if !sameRows(have, after) {
			continue
		}
		for _, heading := range keysOf(want, tallies(have)) {
			if x, y := tallyText(want[heading]), tallyText(have[heading].Tally); x != y {
				found = append(found, Difference{Statistics, s.koc, heading + ": " + x, heading + ": " + y})
				_, rest, _ := strings.Cut(heading, "#")
				day, _, _ := strings.Cut(rest, "#")
				days = append(days, day)
			}
		}
		slices.Sort(days)
		return found, slices.Compact(days), true, nil
	}
	return nil, nil, false, nil
}

func sameRows(a, b map[string]store.StatRow) bool {
	if len(a) != len(b) {
		return false
	}
	for heading, x := range a {
		if y, ok := b[heading]; !ok || x.Changes != y.Changes {
			return false
		}
	}
	return true
}

func tallies(rows map[string]store.StatRow) map[string]ledger.Tally {
	out := make(map[string]ledger.Tally, len(rows))
	for heading, row := range rows {
		out[heading] = row.Tally
	}
	return out
}

func tallyText(t ledger.Tally) string {
	if t.Touches == 0 && t.Orders == 0 && t.Sales == 0 && t.Commission == 0 {
		return nothing
	}
	currency := ""
	if t.Currency != "" {
		currency = " " + t.Currency
	}
	return fmt.Sprintf("touches %d, orders %d, sales %d%s, commission %d", t.Touches, t.Orders, t.Sales, currency, t.Commission)
}

// counted adds up what is counted of orders for the KOC on the days of a stretch.
func (a *Auditor) counted(ctx context.Context, s stretch, orders []string) (map[string]ledger.Tally, error) {
	want := map[string]ledger.Tally{}
	for ids := range slices.Chunk(orders, appliedChunk) {
		facts, err := a.Store.Tallied(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, f := range facts {
			if f.KOC != s.koc || f.Day < s.from || f.Day > s.to {
				continue
			}
			for _, t := range ledger.Tallies(ledger.Fact{}, f) {
				w := want[t.Heading]
				w.Orders, w.Sales, w.Commission, w.Currency = w.Orders+t.Orders, w.Sales+t.Sales, w.Commission+t.Commission, t.Currency
				want[t.Heading] = w
			}
		}
	}
	return want, nil
}

// touched adds what is known of touches. Of days whose touches are kept, each link has as many as there are counted records.
// Of earlier ones only this is left to prove: a day has as many touches as its links have together.
func (a *Auditor) touched(ctx context.Context, s stretch, have map[string]store.StatRow, want map[string]ledger.Tally) error {
	links := map[string]int64{} // by heading
	for heading, row := range have {
		if strings.HasPrefix(heading, "LINK#") {
			links[heading] = row.Touches
		}
	}
	if s.touches {
		codes, err := a.codes(ctx, s.koc, have)
		if err != nil {
			return err
		}
		for _, code := range codes {
			if err := a.touchesOf(ctx, s, code, links); err != nil {
				return err
			}
		}
	}
	for heading, n := range links {
		_, rest, _ := strings.Cut(heading, "#")
		day, _, _ := strings.Cut(rest, "#")
		for _, h := range []string{heading, ledger.DayHeading(day)} {
			w := want[h]
			w.Touches += n
			if w.Currency == "" {
				w.Currency = have[h].Currency
			}
			want[h] = w
		}
	}
	return nil
}

// codes are the KOC's links, and those that statistics know.
func (a *Auditor) codes(ctx context.Context, handle string, have map[string]store.StatRow) ([]string, error) {
	codes := []string{handle}
	for after, more := "", true; more; more = after != "" {
		links, next, err := a.Store.Links(ctx, handle, after, postingPage)
		if err != nil {
			return nil, err
		}
		for _, l := range links {
			codes = append(codes, l.Code)
		}
		after = next
	}
	for heading := range have {
		if parts := strings.SplitN(heading, "#", 3); parts[0] == "LINK" && len(parts) == 3 {
			codes = append(codes, parts[2])
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes), nil
}

// touchesOf counts the touches of a link on each day of a stretch. Whether each of them is counted is asked only when there
// are not as many as statistics have.
func (a *Auditor) touchesOf(ctx context.Context, s stretch, code string, links map[string]int64) error {
	seen, more, err := a.Store.Seen(ctx, code, s.from, s.to, seenADay*touchesKept)
	if err != nil || more { // more than half a million touches of one link in a month: what they add up to is left as it is
		return err
	}
	said := map[string]int64{}
	for heading, n := range links {
		if parts := strings.SplitN(heading, "#", 3); parts[2] == code {
			said[parts[1]] = n
		}
	}
	for _, day := range keysOf(said, nil) {
		if n := int64(len(seen[day])); n == said[day] {
			delete(seen, day)
		} else if n == 0 {
			links[ledger.LinkHeading(code, day)] = 0
		}
	}
	for _, day := range keysOf(seen, nil) {
		n, err := a.Store.TouchesCounted(ctx, code, day, seen[day])
		if err != nil {
			return err
		}
		if n > 0 || said[day] > 0 {
			links[ledger.LinkHeading(code, day)] = n
		}
	}
	return nil
}
