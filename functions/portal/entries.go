package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/ordering"
	"yundian/shared/payout"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/web/api"
)

// Entry is one change of a KOC's balances with its reason: base × rate under a rule.
type Entry struct {
	ID           string     `json:"id"`
	At           time.Time  `json:"at"`
	OrderID      string     `json:"orderId" doc:"Empty for what is not about an order"`
	PayoutID     string     `json:"payoutId,omitempty" doc:"Of entries about a payout"`
	AdjustmentID string     `json:"adjustmentId,omitempty" doc:"Of corrections by hand"`
	Line         int        `json:"line,omitempty" doc:"Of the order, counted from 1; absent for what is not about a line"`
	SKU          string     `json:"sku"`
	Title        string     `json:"title" doc:"Of the product, as ordered"`
	Kind         string     `json:"kind" enum:"accrual,refund,release,payout,clawback,bonus,adjustment,tax,fee"`
	Amount       int64      `json:"amount" doc:"In minor units: positive earns or becomes available, negative takes back"`
	Currency     string     `json:"currency"`
	State        string     `json:"state,omitempty" enum:"pending,available,reversed,debt,in_payout,paid" doc:"Where this money is now. What is available is one sum, from which payouts take whatever order it came from"`
	AvailableOn  *time.Time `json:"availableOn" nullable:"true" doc:"When the order's commission becomes available, as things stand; null while nobody can know"`
	RuleID       string     `json:"ruleId"`
	RuleVersion  int64      `json:"ruleVersion"`
	Rate         int64      `json:"rate" doc:"In hundredths of a percent; 0 where there was an amount for each piece instead"`
	PerUnit      int64      `json:"perUnit,omitempty" doc:"The fixed amount for each piece, in minor units"`
	Base         int64      `json:"base" doc:"What the line was sold for, in minor units"`
	Reason       string     `json:"reason,omitempty" doc:"A code, of entries that no rule explains, or an operator's words. Of payouts: reserved, debt_repaid, credit, paid, returned; of rules about a month: month:2026-03"`
	Text         string     `json:"text" doc:"Why, as a sentence in the language of the request"`
}

// EntryPage is a page of entries, newest first.
type EntryPage struct {
	Items []Entry `json:"items"`
	Next  string  `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one"`
}

// place is where a page of entries ends: after the posting with a cursor, and skip entries of the one after it. A
// posting has an entry per line and kind, so a page can end inside one.
type place struct {
	after string
	skip  int
}

func (pl place) String() string { return strconv.Itoa(pl.skip) + "|" + pl.after }

func parsePlace(text string) (place, error) {
	if text == "" {
		return place{}, nil
	}
	skip, after, ok := strings.Cut(text, "|")
	n, err := strconv.Atoi(skip)
	if !ok || err != nil || n < 0 {
		return place{}, fmt.Errorf("cursor of entries holds %q", text) // only our own cursors open
	}
	return place{after, n}, nil
}

func (p *portal) listEntries(ctx context.Context, in *struct{ api.Paging }) (*api.Reply[EntryPage], error) {
	handle := visitOf(ctx).koc.Handle
	bound := seal.Binding{Owner: handle, Query: "entries"}
	position, err := p.keys.OpenCursor(bound, in.Cursor)
	if err != nil {
		return nil, err
	}
	from, err := parsePlace(position)
	if err != nil {
		return nil, err
	}
	// Every posting has at least one entry, so one page of postings fills one page of entries, given one more for
	// the part that is skipped.
	postings, next, err := p.store.Postings(ctx, handle, from.after, in.Limit.Size()+1, true)
	if err != nil {
		return nil, err
	}
	rows, end, more := cut(postings, from, in.Limit.Size())
	page := EntryPage{}
	if more || next != "" {
		page.Next = p.keys.Cursor(bound, end.String())
	}
	page.Items, err = p.viewEntries(ctx, rows)
	return &api.Reply[EntryPage]{Body: page}, err
}

// row is an entry in its posting.
type row struct {
	ledger.Entry
	posting ledger.Posting
	n       int // of the entry in the posting
}

// orderID is the order that the entry is about, if any.
func (r row) orderID() string { return cmp.Or(r.posting.Order, r.Order) }

// cut flattens postings to at most limit entries from a place on. It returns where they end, and whether these
// postings hold more.
func cut(postings []ledger.Posting, from place, limit int) (rows []row, end place, more bool) {
	end = from
	for _, posting := range postings {
		for i, e := range posting.Entries[min(end.skip, len(posting.Entries)):] {
			if len(rows) == limit {
				end.skip += i
				return rows, end, true
			}
			rows = append(rows, row{e, posting, end.skip + i})
		}
		end = place{after: store.PostingCursor(posting)}
	}
	return rows, end, false
}

// viewEntries shows entries with what only their orders and payouts know, as they are now.
func (p *portal) viewEntries(ctx context.Context, rows []row) ([]Entry, error) {
	l, items := visitOf(ctx).locale(), make([]Entry, len(rows))
	orders, payouts, err := p.sources(ctx, rows)
	if err != nil {
		return nil, err
	}
	for i, r := range rows {
		e := Entry{ID: r.posting.EntryID(r.n), At: r.posting.At, OrderID: r.orderID(), PayoutID: r.posting.Payout, AdjustmentID: r.posting.Adjustment,
			SKU: r.SKU, Kind: string(r.Kind), Amount: r.Minor, Currency: string(r.posting.Currency), RuleID: r.Rule, RuleVersion: r.RuleVersion,
			Rate: int64(r.Rate), PerUnit: r.PerUnit, Base: r.Base, Reason: r.Reason}
		o, known := orders[r.orderID()] // orders are never deleted; if one were, its entries would still be right
		if r.SKU != "" {
			e.Line = r.Line + 1
		}
		if known {
			e.Title = titleOf(o, r.SKU)
		}
		if on := o.AvailableOn(); known && !on.IsZero() && r.posting.Order != "" && r.Kind != ledger.Clawback {
			e.AvailableOn = &on
		}
		if e.State, err = r.state(o, payouts[r.posting.Payout]); err != nil {
			return nil, err
		}
		e.Text = r.text(l, o)
		items[i] = e
	}
	return items, nil
}

// sources are the orders and payouts that entries are about.
func (p *portal) sources(ctx context.Context, rows []row) (map[string]ordering.Order, map[string]payout.Payout, error) {
	var orderIDs, payoutIDs []string
	for _, r := range rows {
		if id := r.orderID(); id != "" && !slices.Contains(orderIDs, id) {
			orderIDs = append(orderIDs, id)
		}
		if id := r.posting.Payout; id != "" && !slices.Contains(payoutIDs, id) {
			payoutIDs = append(payoutIDs, id)
		}
	}
	orders, err := p.store.Orders(ctx, orderIDs)
	if err != nil {
		return nil, nil, err
	}
	found, err := p.store.Payouts(ctx, payoutIDs)
	payouts := make(map[string]payout.Payout, len(found))
	for _, x := range found {
		payouts[x.ID] = x
	}
	return orders, payouts, err
}

func titleOf(o ordering.Order, sku string) string {
	for _, l := range o.Lines {
		if l.SKU == sku {
			return strings.TrimSuffix(l.Title+" · "+l.Variant, " · ")
		}
	}
	return ""
}
