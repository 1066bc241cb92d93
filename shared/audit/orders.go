package audit

import (
	"context"
	"fmt"
	"slices"
	"time"

	"yundian/shared/commission"
	"yundian/shared/ledger"
	"yundian/shared/ordering"
	"yundian/shared/store"
)

// firstOrders is when no shop of this software had an order yet; the store is asked month by month, back to here.
var firstOrders = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// orders holds what is posted for orders against what follows from their facts.
func (a *Auditor) orders(ctx context.Context, at Place, r *Report) (Place, error) {
	filter := store.OrderFilter{From: firstOrders, To: a.Now().Add(time.Hour)} // clocks of two functions may disagree
	page, next, err := a.Store.ListOrders(ctx, filter, at.After, sliceOrders)
	if err != nil {
		return at, err
	}
	ids := make([]string, len(page))
	for i, o := range page {
		ids[i] = o.ID
	}
	if err := a.filed(ctx, store.FiledOrder, ids, r); err != nil {
		return at, err
	}
	return at.then(next), a.lookAtOrders(ctx, page, r)
}

func (a *Auditor) lookAtOrders(ctx context.Context, page []ordering.Order, r *Report) error {
	r.Checked += len(page)
	for look := 1; len(page) > 0; look++ {
		evidence, err := a.evidence(ctx, page)
		if err != nil {
			return err
		}
		var again []string
		for _, e := range evidence {
			found := e.differences(a.Now())
			switch {
			case len(found) > 0 && look < looks:
				again = append(again, e.order.ID)
				continue
			case e.unsettled(a.Now()):
				r.wait(e.order.ID)
			}
			r.differ(found...)
		}
		if len(again) == 0 {
			return nil
		}
		if err := a.Wait(ctx, look); err != nil {
			return err
		}
		if page, err = a.ordersOf(ctx, again); err != nil {
			return err
		}
	}
	return nil
}

func (a *Auditor) ordersOf(ctx context.Context, ids []string) ([]ordering.Order, error) {
	found, err := a.Store.Orders(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]ordering.Order, 0, len(ids))
	for _, id := range ids {
		if o, ok := found[id]; ok {
			out = append(out, o)
		}
	}
	return out, nil
}

// evidence is everything about one order that has to agree. Facts and postings are those up to the applied version,
// which never change again.
type evidence struct {
	order    ordering.Order
	applied  ledger.Applied
	facts    map[int64]ledger.Fact
	postings []ledger.Posting
	counted  ledger.Fact // by statistics; zero when nothing is
}

// evidence reads in this order: orders and what is counted of them, what is applied, then facts and postings of what is
// applied. An order of which the ledger knows a later version is read again: an order is always written before it is
// settled, and settled before it is counted.
func (a *Auditor) evidence(ctx context.Context, page []ordering.Order) ([]*evidence, error) {
	ids := make([]string, len(page))
	for i, o := range page {
		ids[i] = o.ID
	}
	counted, err := a.Store.Tallied(ctx, ids)
	if err != nil {
		return nil, err
	}
	applied, err := a.Store.Applied(ctx, ids)
	if err != nil {
		return nil, err
	}
	if page, err = a.caughtUp(ctx, page, applied); err != nil {
		return nil, err
	}
	upTo := map[string]int64{}
	for id, x := range applied {
		upTo[id] = x.V
	}
	facts, err := a.Store.Facts(ctx, upTo)
	if err != nil {
		return nil, err
	}
	out := make([]*evidence, len(page))
	byID := map[string]*evidence{}
	var moments []store.Moment
	for i, o := range page {
		e := &evidence{order: o, applied: applied[o.ID], facts: facts[o.ID], counted: counted[o.ID]}
		out[i], byID[o.ID] = e, e
		moments = append(moments, e.moments()...)
	}
	postings, err := a.Store.PostingsAt(ctx, moments)
	if err != nil {
		return nil, err
	}
	for _, p := range postings {
		if e := byID[p.Order]; e != nil {
			e.postings = append(e.postings, p)
		}
	}
	return out, nil
}

func (a *Auditor) caughtUp(ctx context.Context, page []ordering.Order, applied map[string]ledger.Applied) ([]ordering.Order, error) {
	var late []string
	for _, o := range page {
		if applied[o.ID].V > o.Version {
			late = append(late, o.ID)
		}
	}
	if len(late) == 0 {
		return page, nil
	}
	found, err := a.Store.Orders(ctx, late)
	if err != nil {
		return nil, err
	}
	page = slices.Clone(page)
	for i, o := range page {
		if x, ok := found[o.ID]; ok {
			page[i] = x
		}
	}
	return page, nil
}

// moments are where postings of the order may be: under everybody who could earn by it, at each of its facts.
func (e *evidence) moments() []store.Moment {
	var out []store.Moment
	for _, handle := range e.earners() {
		for v, f := range e.facts {
			out = append(out, store.Moment{KOC: handle, Source: e.order.ID, V: v, At: f.At})
		}
	}
	return out
}

func (e *evidence) earners() []string {
	var handles []string
	add := func(handle string) {
		if handle != "" && !slices.Contains(handles, handle) {
			handles = append(handles, handle)
		}
	}
	for _, award := range e.order.Awards {
		for _, w := range award.Winners {
			add(w.KOC)
			add(w.Inviter)
		}
	}
	for _, p := range e.applied.Positions {
		add(p.KOC)
	}
	return handles
}

// unsettled reports whether something about the order is still on its way: nobody has decided it, the ledger has not seen
// its last change, or its payment has not been told yet although refunds of it were.
// What waits longer than a payment's event can take is a difference.
func (e *evidence) unsettled(now time.Time) bool {
	return e.applied.V < e.order.Version || len(e.order.Awards) == 0 || paymentLate(e.order) && len(strangers(e.order, now)) == 0
}

func (e *evidence) differences(now time.Time) []Difference {
	found := append(sums(e.order), strangers(e.order, now)...)
	found = append(found, e.history()...)
	if e.applied.V > e.order.Version {
		found = append(found, Difference{Order, e.order.ID, fmt.Sprintf("version %d", e.applied.V), fmt.Sprintf("version %d", e.order.Version)})
	}
	if _, ok := e.facts[e.applied.V]; !ok && e.applied.V > 0 {
		found = append(found, Difference{Fact, e.order.ID, fmt.Sprintf("a fact of version %d", e.applied.V), nothing})
	}
	if e.applied.V > 0 && e.applied.V <= e.order.Version {
		found = append(found, e.standing()...)
	}
	return append(found, e.statistics(now)...)
}

// standing holds what the ledger says of the version that it has settled last against what follows from it.
func (e *evidence) standing() []Difference {
	s, _, err := ledger.Settle(e.order.AsOf(e.applied.V), ledger.Applied{}, ledger.Months{}, e.facts[e.applied.V].At)
	if err != nil {
		return []Difference{{Commission, e.order.ID, "an order that can be settled", err.Error()}}
	}
	var found []Difference
	if want, have := positionsText(s.Applied.Positions), positionsText(e.applied.Positions); want != have {
		found = append(found, Difference{Commission, e.order.ID, want, have})
	}
	if want, have := partsText(s.Applied.Months), partsText(e.applied.Months); want != have {
		found = append(found, Difference{Commission, e.order.ID, want, have})
	}
	if s.Applied.Due != e.applied.Due {
		found = append(found, Difference{Commission, e.order.ID, "due " + dayText(s.Applied.Due), "due " + dayText(e.applied.Due)})
	}
	if f, ok := e.facts[e.applied.V]; ok && factText(s.Fact) != factText(f) {
		found = append(found, Difference{Fact, e.order.ID, factText(s.Fact), factText(f)})
	}
	return found
}

// statisticsAge is how old a fact is that nobody will count any more: its record has left the stream.
const statisticsAge = 25 * time.Hour

// statistics holds what is counted of the order against the fact of the same version; a later fact is on its way.
func (e *evidence) statistics(now time.Time) []Difference {
	last, known := e.facts[e.applied.V]
	if was, ok := e.facts[e.counted.V]; ok && factText(was) != factText(e.counted) {
		return []Difference{{Statistics, e.order.ID, factText(was), factText(e.counted)}}
	}
	if e.counted.V > e.applied.V {
		return []Difference{{Statistics, e.order.ID, fmt.Sprintf("at most version %d", e.applied.V), fmt.Sprintf("version %d", e.counted.V)}}
	}
	if known && e.counted.V < e.applied.V && (e.counted.V > 0 || last.Counted) && last.At.Before(now.Add(-statisticsAge)) {
		return []Difference{{Statistics, e.order.ID, fmt.Sprintf("version %d", e.applied.V), fmt.Sprintf("version %d", e.counted.V)}}
	}
	return nil
}

// lineKey is one KOC's part of a line.
type lineKey struct {
	koc  string
	line int
}

// lineSums is what entries of a line add up to: as the KOC reads them, and on the accounts.
type lineSums struct {
	accrued, reversed, released, clawed int64
	accounts                            ledger.Balances
}

// posted holds the sum of the order's postings, KOC by KOC and line by line, against where the ledger says it stands.
func (e *evidence) posted() []Difference {
	found, want := map[lineKey]lineSums{}, map[lineKey]lineSums{}
	for _, p := range e.postings {
		for _, x := range p.Entries {
			if x.SKU != "" { // caps and bonuses of a month depend on other orders
				k := lineKey{p.KOC, x.Line}
				found[k] = found[k].entry(x)
			}
		}
	}
	for _, p := range e.applied.Positions {
		k := lineKey{p.KOC, p.Line}
		want[k] = want[k].position(p)
	}
	var out []Difference
	for _, k := range keysOf(want, found) {
		if w, f := want[k], found[k]; w != f {
			who := fmt.Sprintf("%s line %d: ", k.koc, k.line)
			out = append(out, Difference{Posting, e.order.ID, who + w.String(), who + f.String()})
		}
	}
	return out
}

func (s lineSums) entry(x ledger.Entry) lineSums {
	switch x.Kind {
	case ledger.Accrual:
		s.accrued += x.Minor
	case ledger.Refunded:
		s.reversed -= x.Minor
	case ledger.Release:
		s.released += x.Minor
	case ledger.Clawback:
		s.clawed -= x.Minor
	}
	for _, l := range x.Legs {
		s.accounts.Add(l)
	}
	return s
}

func (s lineSums) position(p commission.Position) lineSums {
	s.accrued, s.reversed = s.accrued+p.Accrued, s.reversed+p.Reversed
	s.released, s.clawed = s.released+p.Released, s.clawed+p.Clawed
	s.accounts = s.accounts.Plus(ledger.Balances{Pending: p.Pending(), Available: p.Available(), Debt: -p.Debt()})
	return s
}

// String is what the entries say, and what they do when that is another thing.
func (s lineSums) String() string {
	return fmt.Sprintf("accrued %d, reversed %d, released %d, clawed back %d (%s)", s.accrued, s.reversed, s.released, s.clawed, accountsText(s.accounts))
}
