package main

import (
	"context"
	"fmt"
	"time"

	"yundian/shared/cashier"
	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/once"
	"yundian/shared/payout"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/web/api"
)

// Withdrawal is a payout as its KOC sees it, in minor units: amount = netted + gross, gross = tax + fee + net.
type Withdrawal struct {
	ID        string     `json:"id"`
	Status    string     `json:"status" enum:"reserved,approved,waiting,rejected,sending,unknown,paid,failed" doc:"reserved waits for the shop, waiting for its word because this account is suspended; rejected and failed ones are available again"`
	Amount    int64      `json:"amount" doc:"Withdrawn"`
	Currency  string     `json:"currency"`
	Netted    int64      `json:"netted" doc:"Of amount, repaid debt"`
	Gross     int64      `json:"gross" doc:"The rest of amount"`
	Tax       int64      `json:"tax" doc:"Of gross, withheld"`
	Fee       int64      `json:"fee" doc:"Of gross, kept back for the transfer"`
	Net       int64      `json:"net" doc:"Of gross, transferred"`
	Cause     string     `json:"cause" enum:"withdrawal,schedule,operator" doc:"Who wanted it"`
	CreatedAt time.Time  `json:"createdAt"`
	EndedAt   *time.Time `json:"endedAt,omitempty" doc:"When it was paid, failed or rejected"`
	Reference string     `json:"reference,omitempty" doc:"Of the transfer, to find it on the statement"`
	Reason    string     `json:"reason,omitempty" doc:"Why it was rejected, or failed as far as the shop has said"`
}

// WithdrawalPage is a page of payouts, newest first.
type WithdrawalPage struct {
	Items []Withdrawal `json:"items"`
	Next  string       `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one"`
}

func viewWithdrawal(p payout.Payout) Withdrawal {
	v := Withdrawal{ID: p.ID, Status: string(p.Status()), Amount: p.Withdrawn, Currency: string(p.Currency), Netted: p.Netted, Gross: p.Gross,
		Tax: p.Tax, Fee: p.Fee, Net: p.Net, Cause: string(p.Cause), CreatedAt: p.At.UTC()}
	end := func(at time.Time, reason string) {
		at = at.UTC()
		v.EndedAt, v.Reason = &at, reason
	}
	switch {
	case p.Outcome != nil:
		v.Reference = p.Outcome.Reference
		end(p.Outcome.At, p.Outcome.Reason)
		if p.Outcome.By == p.Target().Rail { // its own words speak to the shop, of the shop's account
			v.Reason = ""
		}
	case p.Rejected != nil:
		end(p.Rejected.At, p.Rejected.Reason)
	}
	return v
}

type withdrawInput struct {
	api.KeyRequired
	Body struct {
		Amount   int64  `json:"amount" minimum:"1" maximum:"1000000000000000" doc:"Minor units"`
		Currency string `json:"currency" minLength:"3" maxLength:"3"`
	}
}

// withdraw reserves a payout of what is available. It is one transaction with the recorded answer, so a refused request
// leaves no trace and a repeated one makes no second payout.
func (p *portal) withdraw(ctx context.Context, in *withdrawInput) (*api.Reply[Withdrawal], error) {
	id, err := once.Do(ctx, p.store, wish(ctx, "POST /v1/withdrawals", in.Key, in.Body), p.now(), func(record once.Record[string]) (string, error) {
		id := withdrawalID(visitOf(ctx).subject, in)
		reply, err := record(id)
		if err != nil {
			return "", err
		}
		return id, p.reserve(ctx, id, in, reply)
	})
	if err != nil {
		return nil, err
	}
	made, err := p.store.Payout(ctx, id)
	if err != nil {
		return nil, err
	}
	return &api.Reply[Withdrawal]{Body: viewWithdrawal(made)}, nil
}

// withdrawalID follows from the idempotency key and the wish, so that sending it again finds the same payout even after
// the recorded answer has expired.
func withdrawalID(subject string, in *withdrawInput) string {
	return payout.ID("withdrawal", subject, in.Key, fmt.Sprint(in.Body.Amount), in.Body.Currency)
}

func (p *portal) reserve(ctx context.Context, id string, in *withdrawInput, extra []store.Write) error {
	currency, err := money.ParseCurrency(in.Body.Currency)
	if err != nil {
		return fail.NewFields([]fail.Field{fail.At("body.currency", "currency_unknown", "{currency} is not an ISO 4217 currency code.", fail.Args{"currency": in.Body.Currency})})
	}
	v := visitOf(ctx)
	_, err = cashier.Paymaster{Store: p.store}.Reserve(ctx, payout.Ask{ID: id, KOC: v.koc.Handle, Currency: currency, Minor: in.Body.Amount,
		Cause: payout.Withdrawal, By: v.subject}, p.now(), extra...)
	return err
}

func (p *portal) listWithdrawals(ctx context.Context, in *struct{ api.Paging }) (*api.Reply[WithdrawalPage], error) {
	handle := visitOf(ctx).koc.Handle
	bound := seal.Binding{Owner: handle, Query: "withdrawals"}
	after, err := p.keys.OpenCursor(bound, in.Cursor)
	if err != nil {
		return nil, err
	}
	payouts, next, err := p.store.ListPayouts(ctx, store.PayoutFilter{KOC: handle}, after, in.Limit.Size())
	if err != nil {
		return nil, err
	}
	page := WithdrawalPage{Items: make([]Withdrawal, len(payouts)), Next: p.keys.Cursor(bound, next)}
	for i, x := range payouts {
		page.Items[i] = viewWithdrawal(x)
	}
	return &api.Reply[WithdrawalPage]{Body: page}, nil
}

// WithdrawalTerms are the conditions of payouts in one currency.
type WithdrawalTerms struct {
	Currency string   `json:"currency"`
	Minimum  int64    `json:"minimum" doc:"Least amount that can be withdrawn, in minor units"`
	Cycle    string   `json:"cycle" enum:"none,weekly,monthly" doc:"How often the shop pays out by itself what is available"`
	NextDate string   `json:"nextDate,omitempty" doc:"Local date of the next such payout"`
	Fee      FeeTerms `json:"fee"`
	DebtCap  int64    `json:"debtCap" doc:"Most of a withdrawal that repays debt, in hundredths of a percent"`
	Tax      *TaxNote `json:"tax,omitempty" doc:"Absent while nothing is withheld"`
}

// FeeTerms are what is kept back for a transfer: both together, at most the gross amount.
type FeeTerms struct {
	Fixed int64 `json:"fixed" doc:"Minor units"`
	Rate  int64 `json:"rate" doc:"Of the gross amount, in hundredths of a percent"`
}

// TaxNote says how tax is withheld: on everything paid in a period together, less what was withheld before.
type TaxNote struct {
	Period   string       `json:"period" enum:"month,year"`
	From     string       `json:"from" doc:"Local date from which payments count"`
	Brackets []TaxBracket `json:"brackets"`
	Source   string       `json:"source" doc:"Where the brackets are published"`
}

// TaxBracket is the tax on a cumulative amount above over: rate × amount − deduction.
type TaxBracket struct {
	Over      int64 `json:"over" doc:"Minor units"`
	Rate      int64 `json:"rate" doc:"Hundredths of a percent"`
	Deduction int64 `json:"deduction" doc:"Minor units"`
}

func viewTerms(c payout.CurrencyTerms, today string) WithdrawalTerms {
	v := WithdrawalTerms{Currency: string(c.Currency), Minimum: c.Minimum, Cycle: "none", NextDate: c.Schedule.Next(today),
		Fee: FeeTerms{Fixed: c.Fee.Fixed, Rate: int64(c.Fee.Rate)}, DebtCap: int64(c.DebtCap)}
	if c.Schedule.Every != payout.Never {
		v.Cycle = string(c.Schedule.Every)
	}
	if t, ok := c.TableOn(today); ok {
		v.Tax = &TaxNote{Period: string(t.Period), From: t.From, Source: t.Source}
		for _, b := range t.Brackets {
			v.Tax.Brackets = append(v.Tax.Brackets, TaxBracket{Over: b.Over, Rate: int64(b.Rate), Deduction: b.Deduction})
		}
	}
	return v
}
