package statement

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/seal"
	"yundian/shared/shop"
	"yundian/shared/store"
)

// Accounts are balances or changes of them, in minor units.
type Accounts struct {
	Pending     int64 `json:"pending"`
	Available   int64 `json:"available"`
	Debt        int64 `json:"debt" doc:"To be given back; negative when the shop owes it"`
	InPayout    int64 `json:"inPayout"`
	Paid        int64 `json:"paid"`
	TaxWithheld int64 `json:"taxWithheld"`
	Fees        int64 `json:"fees"`
}

func accounts(b ledger.Balances) Accounts {
	return Accounts{Pending: b.Pending, Available: b.Available, Debt: -b.Debt, InPayout: b.InPayout, Paid: b.Paid, TaxWithheld: b.TaxWithheld, Fees: b.Fees}
}

// Month is a month in one currency.
type Month struct {
	Period   string       `json:"period" doc:"Month of the shop's time zone, such as 2026-03"`
	Currency string       `json:"currency"`
	From     time.Time    `json:"from" doc:"First instant of the month; where the statement before ends"`
	To       *time.Time   `json:"to" nullable:"true" doc:"Not included; null for the current month"`
	Closed   bool         `json:"closed" doc:"Whether everything is in it for ever; what is posted later belongs to the next month"`
	Opening  Accounts     `json:"opening"`
	Closing  Accounts     `json:"closing" doc:"Of a month that goes on: as of now"`
	Totals   []MonthTotal `json:"totals,omitempty" doc:"By kind of entry; absent for the current month"`
	ClosedAt *time.Time   `json:"closedAt,omitempty"`
	PrevHash string       `json:"prevHash,omitempty" doc:"Hash of the statement before in this currency; absent for the first one and before closing"`
	Hash     string       `json:"hash,omitempty" doc:"SHA-256 over everything in the statement and the hash before it"`
}

// MonthTotal is what the entries of one kind add up to.
type MonthTotal struct {
	Kind   string `json:"kind"`
	Count  int64  `json:"count"`
	Amount int64  `json:"amount" doc:"In minor units"`
}

// Months is a page of statements, newest first. The first page begins with those that are not closed.
type Months struct {
	Items []Month `json:"items"`
	Next  string  `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one"`
}

// MonthEntries is a statement with a page of its entries, oldest first.
type MonthEntries struct {
	Month
	Items []MonthEntry `json:"items"`
	Next  string       `json:"next,omitempty" doc:"Cursor of the next page of entries; absent on the last one"`
}

// MonthEntry is one change of the balances with its reason.
type MonthEntry struct {
	ID           string    `json:"id"`
	At           time.Time `json:"at"`
	Kind         string    `json:"kind" enum:"accrual,refund,release,payout,clawback,bonus,adjustment,tax,fee"`
	OrderID      string    `json:"orderId,omitempty"`
	PayoutID     string    `json:"payoutId,omitempty"`
	AdjustmentID string    `json:"adjustmentId,omitempty"`
	SKU          string    `json:"sku,omitempty"`
	Product      string    `json:"product,omitempty"`
	Amount       int64     `json:"amount" doc:"In minor units: positive earns or becomes available, negative takes back"`
	Currency     string    `json:"currency"`
	Base         int64     `json:"base" doc:"What the line was sold for, in minor units"`
	Rate         int64     `json:"rate" doc:"In hundredths of a percent"`
	PerUnit      int64     `json:"perUnit,omitempty" doc:"Minor units for each piece, instead of the rate"`
	RuleID       string    `json:"ruleId,omitempty"`
	RuleVersion  int64     `json:"ruleVersion,omitempty"`
	Reason       string    `json:"reason,omitempty"`
	Changes      Accounts  `json:"changes" doc:"Of the accounts"`

	changes ledger.Balances
}

func summary(f Found) Month {
	s := Month{Period: string(f.Period), Currency: string(f.Currency), From: f.From, Closed: !f.Open, Opening: accounts(f.Opening),
		Closing: accounts(f.Closing), PrevHash: f.PrevHash, Hash: f.Hash}
	if !f.To.IsZero() {
		s.To = &f.To
	}
	if !f.Open {
		s.ClosedAt = &f.ClosedAt
	}
	for _, t := range f.Totals {
		s.Totals = append(s.Totals, MonthTotal{Kind: string(t.Kind), Count: t.Count, Amount: t.Minor})
	}
	return s
}

func entry(p ledger.Posting, n int) MonthEntry {
	e := p.Entries[n]
	var changes ledger.Balances
	for _, l := range e.Legs {
		changes.Add(l)
	}
	return MonthEntry{ID: p.EntryID(n), At: p.At, Kind: string(e.Kind), OrderID: cmp.Or(p.Order, e.Order), PayoutID: p.Payout, AdjustmentID: p.Adjustment,
		SKU: e.SKU, Product: e.Product, Amount: e.Minor, Currency: string(p.Currency), Base: e.Base, Rate: int64(e.Rate), PerUnit: e.PerUnit,
		RuleID: e.Rule, RuleVersion: e.RuleVersion, Reason: e.Reason, Changes: accounts(changes), changes: changes}
}

// Desk shows statements to those who may see them, in the shop's time zone.
type Desk struct {
	Store *store.Store
	Keys  seal.Ring
	Now   func() time.Time
}

// Asked is what somebody wants to see: a KOC's own, or any KOC's for an operator.
type Asked struct {
	Owner    string // who may use the cursors
	KOC      string
	Period   string // as it was sent
	Currency string // as it was sent; the shop's own when empty
	Cursor   string
	Limit    int // of what is listed in JSON
}

func (d Desk) reader(ctx context.Context) (Reader, shop.Settings, error) {
	settings, err := d.Store.Settings(ctx)
	if err != nil {
		return Reader{}, settings, err
	}
	zone, err := settings.Zone()
	return Reader{Closer: Closer{Store: d.Store, Zone: zone}, Now: d.Now()}, settings, err
}

// find is the statement that is asked for. Only its name is checked before: a currency that is none is refused, one that
// the KOC has nothing in is not found.
func (d Desk) find(ctx context.Context, a Asked) (Reader, Found, error) {
	r, settings, err := d.reader(ctx)
	if err != nil {
		return r, Found{}, err
	}
	period, err := ledger.ParsePeriod(a.Period)
	if err != nil {
		return r, Found{}, err
	}
	currency, err := money.ParseCurrency(cmp.Or(a.Currency, string(settings.Currency)))
	if err != nil {
		return r, Found{}, err
	}
	f, err := r.Find(ctx, a.KOC, period, currency)
	return r, f, err
}

// List is a page of a KOC's statements in all currencies.
func (d Desk) List(ctx context.Context, a Asked) (Months, error) {
	bound := seal.Binding{Owner: a.Owner, Query: "statements of " + a.KOC}
	after, err := d.Keys.OpenCursor(bound, a.Cursor)
	if err != nil {
		return Months{}, err
	}
	r, _, err := d.reader(ctx)
	if err != nil {
		return Months{}, err
	}
	page := Months{Items: []Month{}}
	if after == "" {
		open, err := r.Open(ctx, a.KOC)
		if err != nil {
			return Months{}, err
		}
		for i := range open {
			page.Items = append(page.Items, summary(open[len(open)-1-i]))
		}
	}
	closed, next, err := r.Store.Statements(ctx, a.KOC, after, a.Limit)
	if err != nil {
		return Months{}, err
	}
	for _, st := range closed {
		page.Items = append(page.Items, summary(Found{st, false}))
	}
	page.Next = d.Keys.Cursor(bound, next)
	return page, nil
}

// Of is a statement with a page of its entries.
func (d Desk) Of(ctx context.Context, a Asked) (MonthEntries, error) {
	r, f, err := d.find(ctx, a)
	if err != nil {
		return MonthEntries{}, err
	}
	from, err := open(d.Keys, binding(a, f), a.Cursor)
	if err != nil {
		return MonthEntries{}, err
	}
	out := MonthEntries{Month: summary(f), Items: []MonthEntry{}}
	end, more, err := r.entries(ctx, f, from, func(e MonthEntry) bool {
		if len(out.Items) == a.Limit {
			return false
		}
		out.Items = append(out.Items, e)
		return true
	})
	if more {
		out.Next = d.Keys.Cursor(binding(a, f), end.String())
	}
	return out, err
}

// binding is what the cursors of a statement's entries belong to. JSON and CSV share them.
func binding(a Asked, f Found) seal.Binding {
	return seal.Binding{Owner: a.Owner, Query: fmt.Sprintf("statement of %s %s %s", a.KOC, f.Period, f.Currency)}
}

// place is where a page of entries ends: after the posting with a cursor, and skip entries of the one after it.
type place struct {
	after string
	skip  int
}

func (p place) String() string { return strconv.Itoa(p.skip) + "|" + p.after }

func open(keys seal.Ring, bound seal.Binding, cursor string) (place, error) {
	text, err := keys.OpenCursor(bound, cursor)
	if err != nil || text == "" {
		return place{}, err
	}
	skip, after, ok := strings.Cut(text, "|")
	n, err := strconv.Atoi(skip)
	if !ok || err != nil || n < 0 {
		return place{}, fmt.Errorf("cursor of a statement holds %q", text) // only our own cursors open
	}
	return place{after, n}, nil
}

// entries gives the entries of a statement one by one from a place on, until take refuses one or there are no more. It
// returns where it stopped, and whether something was refused.
func (r Reader) entries(ctx context.Context, f Found, from place, take func(MonthEntry) bool) (end place, more bool, err error) {
	for end = from; ; {
		postings, next, err := r.Store.PostingsIn(ctx, f.KOC, f.span(), end.after, page)
		if err != nil {
			return end, false, err
		}
		for _, p := range postings {
			if p.Currency == f.Currency {
				for n := end.skip; n < len(p.Entries); n++ {
					if !take(entry(p, n)) {
						return place{end.after, n}, true, nil
					}
				}
			}
			end = place{after: store.PostingCursor(p)}
		}
		if next == "" {
			return end, false, nil
		}
	}
}
