package statement

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/sheet"
	"yundian/shared/web"
)

// Limits of one CSV file: an answer of Lambda has at most 6 MB, and a row of the longest texts some kilobytes. What comes
// after them is another file, which the header Link names.
const (
	fileEntries = 10_000
	fileBytes   = 3 << 20
)

// columns of a CSV file. Money is decimal text made of integers, in the currency of the row; debt is what has to be given
// back, so it is positive.
var columns = []string{"posted_at", "entry", "kind", "order", "payout", "adjustment", "sku", "product", "base", "rate_bp", "per_unit", "rule", "rule_version",
	"reason", "amount", "currency", "pending", "available", "debt", "in_payout", "paid", "tax_withheld", "fees"}

// file is a statement as CSV, or one part of it.
type file struct {
	name string
	body []byte
	next string // cursor of the next part; empty for the last one
}

// CSV answers with a statement as a file for spreadsheets: a row with what it opens with, one for each entry, and one with
// what it closes with. The accounts' columns of the entries are changes, so each of them adds up to the last row. What does
// not fit one answer is another file, at the same address with another cursor, which the header Link gives.
func (d Desk) CSV(w http.ResponseWriter, r *http.Request, a Asked) {
	f, err := d.file(r.Context(), a)
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", `attachment; filename="`+f.name+`"`)
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept")
	if f.next != "" {
		q := r.URL.Query()
		q.Set("cursor", f.next)
		next := url.URL{Path: r.URL.Path, RawQuery: q.Encode()}
		h.Set("Link", "<"+next.String()+`>; rel="next"`)
	}
	_, _ = w.Write(f.body) // nobody is left to be told
}

func (d Desk) file(ctx context.Context, a Asked) (file, error) {
	r, f, err := d.find(ctx, a)
	if err != nil {
		return file{}, err
	}
	from, err := open(d.Keys, binding(a, f), a.Cursor)
	if err != nil {
		return file{}, err
	}
	out := file{name: "statement-" + f.KOC + "-" + string(f.Period) + "-" + string(f.Currency) + ".csv"}
	out.body = sheet.Row([]byte(sheet.Mark), columns...)
	if a.Cursor == "" {
		out.body = r.balanceRow(out.body, f, f.From, "opening", f.Opening)
	}
	rows, closing := 0, f.Opening
	end, more, err := r.entries(ctx, f, from, func(e MonthEntry) bool {
		if rows == fileEntries || len(out.body) > fileBytes {
			return false
		}
		rows++
		closing = closing.Plus(e.changes)
		out.body = r.entryRow(out.body, e)
		return true
	})
	switch {
	case err != nil:
		return file{}, err
	case more:
		out.next = d.Keys.Cursor(binding(a, f), end.String())
	case f.To.IsZero() && a.Cursor == "": // more may have been posted since the accounts were read
		out.body = r.balanceRow(out.body, f, r.Now, "closing", closing)
	case f.To.IsZero():
		out.body = r.balanceRow(out.body, f, r.Now, "closing", f.Closing)
	default:
		out.body = r.balanceRow(out.body, f, f.To, "closing", f.Closing)
	}
	return out, nil
}

func (r Reader) entryRow(file []byte, e MonthEntry) []byte {
	c := money.Currency(e.Currency)
	return sheet.Row(file, append([]string{e.At.In(r.Zone).Format(time.RFC3339), e.ID, e.Kind, e.OrderID, e.PayoutID, e.AdjustmentID, e.SKU, e.Product,
		money.Of(e.Base, c).Decimal(), strconv.FormatInt(e.Rate, 10), money.Of(e.PerUnit, c).Decimal(), e.RuleID, strconv.FormatInt(e.RuleVersion, 10),
		e.Reason, money.Of(e.Amount, c).Decimal(), e.Currency}, cells(e.Changes, c)...)...)
}

func (r Reader) balanceRow(file []byte, f Found, at time.Time, kind string, b ledger.Balances) []byte {
	row := make([]string, len(columns)-7)
	row[0], row[2], row[len(row)-1] = at.In(r.Zone).Format(time.RFC3339), kind, string(f.Currency)
	return sheet.Row(file, append(row, cells(accounts(b), f.Currency)...)...)
}

func cells(a Accounts, c money.Currency) []string {
	var out []string
	for _, minor := range []int64{a.Pending, a.Available, a.Debt, a.InPayout, a.Paid, a.TaxWithheld, a.Fees} {
		out = append(out, money.Of(minor, c).Decimal())
	}
	return out
}
