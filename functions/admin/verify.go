package main

import (
	"context"
	"encoding/json"
	"fmt"

	"yundian/shared/audit"
	"yundian/shared/seal"
	"yundian/shared/web/api"
)

// Verification is one slice of checking every figure against the facts it follows from.
type Verification struct {
	Checked     int          `json:"checked" doc:"Orders, KOCs, payouts, bank files, adjustments or SKUs in this slice"`
	Unsettled   int          `json:"unsettled" doc:"Orders that nobody has decided yet or whose last change has not reached the ledger, and KOCs whose ledger or statistics kept changing while it was read; a moment later they are settled"`
	Waiting     []string     `json:"waiting,omitempty" doc:"Their ids; an order that stays here can be redriven"`
	Differences []Difference `json:"differences"`
	Omitted     int          `json:"omitted,omitempty" doc:"Differences of this slice beyond the thousand that are listed"`
	Left        []string     `json:"left,omitempty" doc:"KOCs with so many postings that only their balances were checked; the daily run checks their orders, forecast and months too; and days with too many orders of one KOC to add up"`
	Next        string       `json:"next,omitempty" doc:"Cursor of the next slice; absent after the last one"`
}

// Difference is a figure that is not what it should be.
type Difference struct {
	Kind     string `json:"kind" enum:"order,commission,fact,posting,balance,forecast,month,statement,payout,tax,adjustment,statistics,stock,filed,bank_file,login"`
	ID       string `json:"id" doc:"Of the order, KOC, posting, month, payout, bank file, adjustment or SKU"`
	Expected string `json:"expected"`
	Found    string `json:"found"`
}

type verifyInput struct {
	Cursor string `query:"cursor" maxLength:"2048" doc:"next of the slice before"`
}

// verify reports what is wrong and nothing else: whatever differs is read again before it is reported, and an order
// whose last change is still on its way to the ledger is counted apart.
func (a *admin) verify(ctx context.Context, in *verifyInput) (*api.Reply[Verification], error) {
	bound := seal.Binding{Owner: visitOf(ctx).subject, Query: "verify"}
	text, err := a.keys.OpenCursor(bound, in.Cursor)
	if err != nil {
		return nil, err
	}
	var at audit.Place
	if text != "" {
		if err := json.Unmarshal([]byte(text), &at); err != nil {
			return nil, fmt.Errorf("read place of verification: %w", err)
		}
	}
	auditor := audit.Auditor{Store: a.store, Now: a.now, Wait: audit.Pause, Postings: audit.SlicePostings}
	report, next, err := auditor.Slice(ctx, at)
	if err != nil {
		return nil, err
	}
	v := Verification{Checked: report.Checked, Unsettled: report.Unsettled, Waiting: report.Waiting, Omitted: report.Omitted, Left: report.Left,
		Differences: []Difference{}}
	for _, d := range report.Differences {
		v.Differences = append(v.Differences, Difference(d))
	}
	if next.Part != "" {
		text, err := json.Marshal(next)
		if err != nil {
			return nil, fmt.Errorf("keep place of verification: %w", err)
		}
		v.Next = a.keys.Cursor(bound, string(text))
	}
	return &api.Reply[Verification]{Body: v}, nil
}
