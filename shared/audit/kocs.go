package audit

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"yundian/shared/commission"
	"yundian/shared/koc"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/payout"
	"yundian/shared/store"
)

// settled is how long ago a posting is of which no other comes before it any more, unless a clock is far off; then the
// sums differ, and everything is read once more.
const settled = time.Hour

// steadyTries is how often a KOC's ledger is read again because it changed meanwhile.
const steadyTries = 8

// postingPage is how many postings are read at once.
const postingPage = 500

// kocs holds the ledger of every KOC against its postings and their orders.
func (a *Auditor) kocs(ctx context.Context, at Place, r *Report) (Place, error) {
	left := a.Postings
	if at.KOC != "" {
		rest, err := a.koc(ctx, at, &left, r)
		if err != nil || rest.KOC != "" {
			return rest, err
		}
		at = Place{Part: at.Part, After: at.KOC}
	}
	profiles, next, err := a.Store.ListKOCs(ctx, at.After, sliceKOCs)
	if err != nil {
		return at, err
	}
	if err := a.profiles(ctx, profiles, r); err != nil {
		return at, err
	}
	for _, p := range profiles {
		fresh := left == a.Postings
		begin := Place{Part: at.Part, After: at.After, KOC: p.Handle, Cut: a.Now().Add(-settled)}
		before := len(r.Differences)
		rest, err := a.koc(ctx, begin, &left, r)
		switch {
		case err != nil:
			return at, err
		case rest.KOC != "" && !fresh: // the next slice has more room for it
			r.Differences = r.Differences[:before]
			return at, nil
		case rest.KOC != "":
			return rest, nil
		}
		at.After = p.Handle
	}
	return at.then(next), nil
}

// profiles holds what leads to KOCs against them.
func (a *Auditor) profiles(ctx context.Context, profiles []koc.Profile, r *Report) error {
	var handles, logins []string
	for _, p := range profiles {
		handles = append(handles, p.Handle)
		if p.Subject != "" {
			logins = append(logins, p.Subject)
		}
	}
	if err := a.filed(ctx, store.FiledKOC, handles, r); err != nil {
		return err
	}
	bound, err := a.Store.Logins(ctx, logins)
	if err != nil {
		return err
	}
	for _, p := range profiles {
		if p.Subject != "" && bound[p.Subject] != p.Handle {
			r.differ(Difference{Login, p.Handle, "a login that leads to " + p.Handle, orNothing(bound[p.Subject])})
		}
	}
	return nil
}

// koc checks one KOC, from where the last slice stopped. The place it returns names the KOC again when the postings do
// not fit this slice either.
func (a *Auditor) koc(ctx context.Context, at Place, left *int, r *Report) (Place, error) {
	for look := 1; ; look++ {
		w := newWalk(at)
		rest, err := a.walk(ctx, w, left)
		if err != nil {
			return at, err
		}
		if rest.KOC != "" {
			r.differ(w.old.off...)
			return rest, nil
		}
		found := w.differences()
		switch {
		case len(found) > 0 && look < looks:
			if err := a.Wait(ctx, look); err != nil {
				return at, err
			}
			*left = a.Postings
			continue
		case len(found) > 0 && !w.whole && !at.Again: // what earlier slices read cannot be looked at again from here
			return Place{Part: at.Part, After: at.After, KOC: at.KOC, Cut: a.Now().Add(-settled), Again: true}, nil
		case !w.steady:
			r.wait(at.KOC)
		default:
			r.Checked++
		}
		if !w.whole {
			r.Left = append(r.Left, at.KOC)
		}
		r.differ(found...)
		return Place{}, nil
	}
}

// walk is one look at a KOC's ledger.
type walk struct {
	at     Place
	whole  bool // all postings were seen from the first one, so that orders can be added up too
	steady bool // nothing changed while it was read
	old    fold // postings before the cut
	recent fold
	stored store.Stored
	paid   []payout.Payout     // of the KOC
	by     []ledger.Adjustment // that postings name
	chains map[money.Currency]*chain
	closed []Difference    // about closed statements, once all postings have gone by
	parts  map[string]part // what is applied of the orders that the postings lead to
}

func newWalk(at Place) *walk {
	w := &walk{at: at, whole: at.Posting == "", old: newFold(), parts: map[string]part{}}
	for _, s := range at.Sums {
		w.old.sums[s.Currency] = s.balances()
	}
	return w
}

// walk reads a KOC's ledger until it has seen it whole without a change in between. When the postings before the cut are
// more than left, it returns the place to go on from.
func (a *Auditor) walk(ctx context.Context, w *walk, left *int) (Place, error) {
	handle := w.at.KOC
	var err error
	if w.whole {
		if w.chains, err = a.chains(ctx, handle); err != nil {
			return w.at, err
		}
	}
	rest, err := a.readOld(ctx, w, left)
	if err != nil || rest.KOC != "" {
		return rest, err
	}
	for try := 1; ; try++ {
		if w.stored, err = a.Store.Stored(ctx, handle); err != nil {
			return w.at, err
		}
		if err := a.readRecent(ctx, w); err != nil {
			return w.at, err
		}
		w.finishChains(a.Now())
		if err := a.readSources(ctx, w); err != nil {
			return w.at, err
		}
		after, err := a.Store.Books(ctx, handle)
		if err != nil {
			return w.at, err
		}
		if w.steady = sameChanges(w.stored.Books, after); w.steady || try == steadyTries {
			return Place{}, nil
		}
	}
}

// readOld adds up what was posted before the cut, from where the last slice stopped.
func (a *Auditor) readOld(ctx context.Context, w *walk, left *int) (Place, error) {
	for after := w.at.Posting; ; {
		postings, next, err := a.Store.PostingsIn(ctx, w.at.KOC, store.Span{To: w.at.Cut}, after, min(postingPage, max(1, *left)))
		if err != nil {
			return w.at, err
		}
		for _, p := range postings {
			w.old.add(p, w.whole)
			w.pass(p)
		}
		*left -= len(postings)
		if after = next; next == "" {
			return Place{}, nil
		}
		if *left <= 0 {
			rest := w.at
			rest.Posting, rest.Sums = next, w.old.keep()
			return rest, nil
		}
	}
}

// readRecent adds up what was posted since the cut, anew.
func (a *Auditor) readRecent(ctx context.Context, w *walk) error {
	w.recent = newFold()
	for after := ""; ; {
		postings, next, err := a.Store.PostingsIn(ctx, w.at.KOC, store.Span{From: w.at.Cut}, after, postingPage)
		if err != nil {
			return err
		}
		for _, p := range postings {
			w.recent.add(p, w.whole)
			w.pass(p)
		}
		if after = next; next == "" {
			return nil
		}
	}
}

// pass shows a posting to the closed statements in its currency. They see every posting once.
func (w *walk) pass(p ledger.Posting) {
	if !w.whole || w.closed != nil {
		return
	}
	if w.chains[p.Currency] == nil {
		w.chains[p.Currency] = &chain{}
	}
	w.chains[p.Currency].add(p)
}

// finishChains ends the closed statements when all postings have gone by for the first time.
func (w *walk) finishChains(now time.Time) {
	if !w.whole || w.closed != nil {
		return
	}
	w.closed = []Difference{}
	for _, c := range keysOf(w.chains, nil) {
		i := slices.IndexFunc(w.stored.Books, func(b ledger.Book) bool { return b.Currency == c })
		book := ledger.Book{Balances: ledger.Balances{Currency: c}}
		if i >= 0 {
			book = w.stored.Books[i]
		}
		w.closed = append(w.closed, w.chains[c].finish(book, w.at.KOC, now)...)
	}
}

// readSources reads what the postings follow from: what is applied of their orders, all payouts of the KOC, adjustments.
func (a *Auditor) readSources(ctx context.Context, w *walk) error {
	if !w.whole {
		return nil
	}
	if err := a.readOrders(ctx, w); err != nil {
		return err
	}
	var err error
	if w.paid, err = a.Store.Payouts(ctx, w.stored.Payouts); err != nil {
		return err
	}
	var named []string
	for _, f := range []fold{w.old, w.recent} {
		for id, s := range f.sources {
			if !s.payout {
				named = append(named, id)
			}
		}
	}
	w.by, err = a.Store.Adjustments(ctx, named)
	return err
}

// readOrders reads what is applied of the orders that the postings lead to. Once read, an order's part in the KOC's ledger
// changes by a recent posting, or by another day on which what is pending becomes available.
func (a *Auditor) readOrders(ctx context.Context, w *walk) error {
	due := map[string]bool{}
	for id := range w.old.orders {
		if x, known := w.parts[id]; !known || x.stands.Pending != 0 {
			due[id] = true
		}
	}
	for id := range w.recent.orders {
		due[id] = true
	}
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(due)), appliedChunk) {
		found, err := a.Store.Applied(ctx, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			w.parts[id] = partOf(found[id], w.at.KOC)
		}
	}
	return nil
}

// appliedChunk is how many orders are held in memory at once as they are stored.
const appliedChunk = 1000

// part is what is applied of an order for one KOC.
type part struct {
	due    string
	stands ledger.Balances
	months []commission.MonthPart
}

func partOf(x ledger.Applied, handle string) part {
	out := part{due: x.Due}
	for _, p := range x.Positions {
		if p.KOC == handle {
			out.stands = out.stands.Plus(ledger.Balances{Pending: p.Pending(), Available: p.Available(), Debt: -p.Debt()})
		}
	}
	for _, m := range x.Months {
		if m.Key.KOC == handle {
			out.months = append(out.months, m)
		}
	}
	return out
}

func sameChanges(a, b []ledger.Book) bool {
	return slices.EqualFunc(a, b, func(x, y ledger.Book) bool { return x.Currency == y.Currency && x.Changes == y.Changes })
}

// differences are what does not agree. Of a ledger that kept changing only what is wrong in itself is told.
func (w *walk) differences() []Difference {
	found := slices.Concat(w.old.off, w.recent.off, w.closed)
	for _, b := range w.stored.Books {
		if signs := wrongSigns(b.Balances); signs != "" {
			found = append(found, Difference{Balance, w.at.KOC, "no account on the wrong side of 0", signs})
		}
	}
	if !w.steady {
		return found
	}
	total := w.old.with(w.recent)
	found = append(found, w.balances(total)...)
	if !w.whole {
		return found
	}
	found = append(found, total.twice...)
	found = append(found, w.orders(total)...)
	found = append(found, w.forecast(total)...)
	found = append(found, w.months(total)...)
	found = append(found, w.payouts(total)...)
	return append(found, w.adjustments(total)...)
}

func (w *walk) balances(total fold) []Difference {
	var found []Difference
	have := map[string]string{}
	for _, b := range w.stored.Books {
		have[string(b.Currency)] = accountsText(b.Balances)
	}
	want := map[string]string{}
	for c, b := range total.sums {
		want[string(c)] = accountsText(b)
	}
	for _, c := range keysOf(want, have) {
		if x, y := orNothing(want[c]), orNothing(have[c]); x != y {
			found = append(found, Difference{Balance, w.at.KOC, c + " " + x, c + " " + y})
		}
	}
	return found
}

func orNothing(text string) string {
	if text == "" {
		return nothing
	}
	return text
}

// wrongSigns names accounts that can never stand where they do.
func wrongSigns(b ledger.Balances) string {
	if min(b.Pending, b.Available, b.InPayout, b.Paid, b.TaxWithheld, b.Fees) >= 0 {
		return ""
	}
	return string(b.Currency) + " " + accountsText(b)
}

// orders holds what an order's postings for the KOC add up to against where the ledger says that it stands. That every
// order has its postings is checked order by order; here a posting is found that no order has.
func (w *walk) orders(total fold) []Difference {
	var found []Difference
	for _, id := range keysOf(total.orders, nil) {
		if want, have := w.parts[id].stands, total.orders[id].lines; want != have {
			found = append(found, Difference{Posting, id, w.at.KOC + ": " + accountsText(want), w.at.KOC + ": " + accountsText(have)})
		}
	}
	return found
}

// forecast holds what is expected by day against what the orders have pending on their days.
func (w *walk) forecast(total fold) []Difference {
	want, have := map[string]int64{}, map[string]int64{}
	for id, o := range total.orders {
		if x := w.parts[id]; x.due != "" {
			want[x.due+" "+string(o.currency)] += x.stands.Pending
		}
	}
	for _, e := range w.stored.Expected {
		have[e.Day+" "+string(e.Currency)] += e.Minor
	}
	var found []Difference
	for _, k := range keysOf(want, have) {
		if want[k] != have[k] {
			found = append(found, Difference{Forecast, w.at.KOC, fmt.Sprintf("%s: %d", k, want[k]), fmt.Sprintf("%s: %d", k, have[k])})
		}
	}
	return found
}

// months holds what is kept of months against the parts that orders have in them, and what is posted for them against
// their terms.
func (w *walk) months(total fold) []Difference {
	want := map[commission.MonthKey]commission.MonthSums{}
	for id := range total.orders {
		for _, p := range w.parts[id].months {
			want[p.Key] = want[p.Key].Plus(p.Sums)
		}
	}
	have := map[commission.MonthKey]commission.MonthSums{}
	for k, m := range w.stored.Months {
		have[k] = m.Sums
	}
	var found []Difference
	for _, k := range keysOf(want, have) {
		if want[k] != have[k] {
			found = append(found, Difference{Month, monthText(k), sumsText(want[k]), sumsText(have[k])})
		}
	}
	for _, k := range keysOf(w.stored.Months, nil) {
		m := w.stored.Months[k]
		due := adjustmentText(m.Terms.Adjust(m.Sums))
		if said := adjustmentText(m.Posted); said != due {
			found = append(found, Difference{Month, monthText(k), due, said})
		}
		if done := adjustmentText(total.months[k]); done != due {
			found = append(found, Difference{Month, monthText(k), "postings of " + due, "postings of " + done})
		}
	}
	for _, k := range keysOf(total.months, nil) {
		if _, kept := w.stored.Months[k]; !kept && total.months[k] != (commission.Adjustment{}) {
			found = append(found, Difference{Month, monthText(k), "postings of " + nothing, "postings of " + adjustmentText(total.months[k])})
		}
	}
	return found
}
