// Package audit recomputes every figure of the shop from the facts it follows from, slice by slice, and lists what
// differs. It reads and changes nothing.
//
// The shop goes on meanwhile, so two items read one after the other may belong to different moments. Every check is
// therefore made on what cannot have changed in between:
//
//   - What is posted for an order is a function of the order's version. Facts and postings up to the applied version never
//     change, so they are read after it; an order is read again when the ledger knows a later version of it.
//   - Whatever changes of a KOC's ledger counts up its balance in the same transaction. The count is read before and
//     after everything else, and only what was read between two equal counts is compared.
//
// What differs is looked at again, from the beginning, before it is reported: a store that shows the items of one
// transaction one after the other has shown them all by then.
package audit

import (
	"context"
	"slices"
	"time"

	"yundian/shared/store"
)

// The kinds of differences, by what is wrong.
const (
	Order      = "order"      // the order's own sums, or its version
	Commission = "commission" // what the ledger says an order has earned
	Fact       = "fact"       // what the ledger tells statistics of an order
	Posting    = "posting"    // a posting that is missing, off balance, or follows from nothing
	Balance    = "balance"    // a balance that is not the sum of its postings, or has the wrong sign
	Forecast   = "forecast"   // pending commission by day
	Month      = "month"      // what caps and bonuses of a month are worked out from
	Statistics = "statistics" // what is counted of an order, and the sums of that by day, link and product
	Statement  = "statement"  // a closed month that is not what its postings add up to, or does not follow the one before
	Payout     = "payout"     // a payout, its postings, or what is in payout
	Tax        = "tax"        // what was paid in a tax period, and withheld of it
	Adjustment = "adjustment" // an approved one without its posting, or a posting of none
	Stock      = "stock"
	Filed      = "filed"     // what stands beside an item for indexes, lists and guards, and does not follow from the item
	BankFile   = "bank_file" // a file for the bank and the payouts that it holds
	Login      = "login"     // whose login a KOC's is
)

// Difference is a figure that is not what it should be.
type Difference struct{ Kind, ID, Expected, Found string }

// Report is what a slice found. Unsettled counts what is still on its way: Waiting names it.
type Report struct {
	Checked     int
	Unsettled   int
	Waiting     []string
	Differences []Difference
	Omitted     int      // differences beyond maxDifferences
	Left        []string // what is too large for a slice of this size: the daily run has larger ones
}

// maxDifferences bounds the answer of one slice. Whoever finds that many stops payouts and looks for the cause.
const maxDifferences = 1000

func (r *Report) differ(d ...Difference) {
	room := min(len(d), maxDifferences-len(r.Differences))
	r.Differences = append(r.Differences, d[:room]...)
	r.Omitted += len(d) - room
}

func (r *Report) wait(what string) {
	r.Unsettled++
	r.Waiting = append(r.Waiting, what)
}

// Place is where a run of slices has got to; the zero Place is its beginning.
type Place struct {
	Part    string    `json:"p"`           // one of parts
	After   string    `json:"a,omitempty"` // cursor of the list that is gone through
	KOC     string    `json:"k,omitempty"` // whose postings are being added up, when they need several slices
	Posting string    `json:"n,omitempty"` // the last one that was counted
	Sums    []sum     `json:"s,omitempty"` // of the postings so far
	Cut     time.Time `json:"c,omitzero"`  // postings before it were read once, later ones are read again
	Again   bool      `json:"g,omitempty"` // the sums differed once
	Day     string    `json:"d,omitempty"` // up to which the KOC's statistics are checked, and not itself
}

// The parts of a run, in order: what is owed first, and orders last, because there are most of them, newest first.
const (
	orders      = "orders"
	kocs        = "kocs"
	payouts     = "payouts"
	files       = "files"
	adjustments = "adjustments"
	stock       = "stock"
	statistics  = "statistics"
)

var parts = []string{kocs, payouts, files, adjustments, stock, statistics, orders}

// then is the place after a slice: further in this part, or the next part, or the end.
func (p Place) then(after string) Place {
	if after != "" {
		return Place{Part: p.Part, After: after}
	}
	if i := slices.Index(parts, p.Part) + 1; i < len(parts) {
		return Place{Part: parts[i]}
	}
	return Place{}
}

// Auditor checks one shop. Wait passes some time before a look at something again; try counts from 1.
type Auditor struct {
	Store *store.Store
	Now   func() time.Time
	Wait  func(ctx context.Context, try int) error
	// Postings is how many postings one slice reads. A KOC with more is checked in several slices, but only for its balance.
	Postings int
	// Counted is how many orders of one KOC a slice adds up for statistics; 0 is as many as answer well within a request.
	Counted int
}

// What one slice looks at, so that it answers well within a request.
const (
	sliceOrders   = 100
	sliceKOCs     = 20
	sliceProducts = 50

	slicePayouts     = 100
	sliceFiles       = 20
	sliceCounted     = 2000 // orders of one KOC whose statistics are added up
	sliceAdjustments = 50
)

// SlicePostings are the postings of a slice that answers well within a request.
const SlicePostings = 20_000

// looks is how often what differs is looked at before it is reported.
const looks = 3

// Pause is the Wait of a running shop: a twentieth of a second and more, far longer than the items of one transaction
// can be seen apart.
func Pause(ctx context.Context, try int) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(try) * 50 * time.Millisecond):
		return nil
	}
}

// Slice checks what comes next and says where the slice after it begins; the zero Place is the end.
func (a *Auditor) Slice(ctx context.Context, at Place) (Report, Place, error) {
	if !slices.Contains(parts, at.Part) {
		at = Place{Part: parts[0]}
	}
	var r Report
	var next Place
	var err error
	switch at.Part {
	case orders:
		next, err = a.orders(ctx, at, &r)
	case kocs:
		next, err = a.kocs(ctx, at, &r)
	case payouts:
		next, err = a.payouts(ctx, at, &r)
	case files:
		next, err = a.files(ctx, at, &r)
	case adjustments:
		next, err = a.adjustments(ctx, at, &r)
	case statistics:
		next, err = a.statistics(ctx, at, &r)
	default:
		next, err = a.stock(ctx, at, &r)
	}
	return r, next, err
}
