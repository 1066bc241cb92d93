package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/ordering"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/web/api"
)

// Entry is one change of a KOC's balances with its reason: base × rate under a rule.
type Entry struct {
	ID          string     `json:"id"`
	At          time.Time  `json:"at"`
	OrderID     string     `json:"orderId" doc:"Empty for what is not about an order"`
	PayoutID    string     `json:"payoutId,omitempty" doc:"Of entries about a payout"`
	Reason      string     `json:"reason,omitempty" doc:"A code, of entries that no rule explains, or an operator's words. Of payouts: reserved, debt_repaid, credit, paid, returned"`
	SKU         string     `json:"sku"`
	Title       string     `json:"title" doc:"Of the product, as ordered"`
	Kind        string     `json:"kind" enum:"accrual,refund,release,payout,clawback,bonus,adjustment,tax,fee"`
	Amount      int64      `json:"amount" doc:"In minor units: positive earns or becomes available, negative takes back"`
	Currency    string     `json:"currency"`
	AvailableOn *time.Time `json:"availableOn" nullable:"true" doc:"When the order's commission becomes available, as things stand; null while nobody can know"`
	RuleID      string     `json:"ruleId"`
	RuleVersion int64      `json:"ruleVersion"`
	Rate        int64      `json:"rate" doc:"In hundredths of a percent; 0 where there was an amount for each piece instead"`
	PerUnit     int64      `json:"perUnit,omitempty" doc:"The fixed amount for each piece, in minor units"`
	Base        int64      `json:"base" doc:"What the line was sold for, in minor units"`
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
	items, end, more := cut(postings, from, in.Limit.Size())
	page := EntryPage{Items: items}
	if more || next != "" {
		page.Next = p.keys.Cursor(bound, end.String())
	}
	return &api.Reply[EntryPage]{Body: page}, p.complete(ctx, items)
}

// cut flattens postings to at most limit entries from a place on. It returns where they end, and whether these
// postings hold more.
func cut(postings []ledger.Posting, from place, limit int) (items []Entry, end place, more bool) {
	items, end = []Entry{}, from
	for _, posting := range postings {
		for i, e := range posting.Entries[min(end.skip, len(posting.Entries)):] {
			if len(items) == limit {
				end.skip += i
				return items, end, true
			}
			items = append(items, viewEntry(posting, e, end.skip+i))
		}
		end = place{after: store.PostingCursor(posting)}
	}
	return items, end, false
}

func viewEntry(p ledger.Posting, e ledger.Entry, n int) Entry {
	return Entry{ID: p.EntryID(n), At: p.At, OrderID: cmp.Or(p.Order, e.Order), PayoutID: p.Payout, Reason: e.Reason, SKU: e.SKU, Kind: string(e.Kind), Amount: e.Minor,
		Currency: string(p.Currency), RuleID: e.Rule, RuleVersion: e.RuleVersion, Rate: int64(e.Rate), PerUnit: e.PerUnit, Base: e.Base}
}

// complete adds what only the orders know, as they are now.
func (p *portal) complete(ctx context.Context, items []Entry) error {
	var ids []string
	for _, e := range items {
		if e.OrderID != "" {
			ids = append(ids, e.OrderID)
		}
	}
	orders, err := p.store.Orders(ctx, ids)
	if err != nil {
		return err
	}
	for i := range items {
		o, ok := orders[items[i].OrderID]
		if !ok {
			continue // orders are never deleted; if one were, its entries would still be right
		}
		items[i].Title = titleOf(o, items[i].SKU)
		if on := o.AvailableOn(); !on.IsZero() && items[i].Kind != string(ledger.Clawback) {
			items[i].AvailableOn = &on
		}
	}
	return nil
}

func titleOf(o ordering.Order, sku string) string {
	for _, l := range o.Lines {
		if l.SKU == sku {
			return strings.TrimSuffix(l.Title+" · "+l.Variant, " · ")
		}
	}
	return ""
}
