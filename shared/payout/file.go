package payout

import (
	"time"

	"yundian/shared/money"
)

// MaxFile is how many payouts one bank file takes; what is left comes into the next one.
const MaxFile = 500

// File is a bank file. While it is open, payouts are being marked with it; what stands in a closed one never changes.
type File struct {
	ID       string
	Version  int64
	Currency money.Currency
	At       time.Time
	By       string
	Payouts  []string // that may come in; those stand in it that are marked with it
	Closed   bool
}

// Holds reports whether a payout stands in the file.
func (f File) Holds(p Payout) bool { return p.Export != nil && p.Export.File == f.ID }

// Run is a pass over all KOCs that makes the payouts of one day and currency.
type Run struct {
	Currency money.Currency
	Day      string
	Version  int64
	After    string // the last KOC looked at in this pass
	Failed   int    // KOCs of this pass whose payout could not be decided
	Passes   int    // finished, with failures or without
	Done     bool
}

// maxPasses bounds how often KOCs are looked at again because something failed for one of them.
const maxPasses = 10

// Advance moves the run on behind a page of KOCs; next is empty at the end of the list. A pass in which something failed
// is made again: ids follow from the cause, so no payout is made twice.
func (r *Run) Advance(next string, failed int) {
	r.After, r.Failed = next, r.Failed+failed
	if next != "" {
		return
	}
	r.Passes++
	r.Done = r.Failed == 0 || r.Passes >= maxPasses
	r.Failed = 0
}
