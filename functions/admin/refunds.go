package main

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"log/slog"
	"strings"
	"time"

	"yundian/shared/money"
	"yundian/shared/once"
	"yundian/shared/ordering"
	"yundian/shared/typed"
	"yundian/shared/web/api"
)

// Refund is money going back to the shopper.
type Refund struct {
	ID       string       `json:"id"`
	State    string       `json:"state" enum:"pending,succeeded,failed" doc:"pending until the provider has said how it ended; it is asked again by itself"`
	Amount   money.Amount `json:"amount"`
	Shipping money.Amount `json:"shipping" doc:"Of that, shipping"`
	Lines    []RefundLine `json:"lines"`
	Reason   string       `json:"reason"`
	By       string       `json:"by"`
	At       time.Time    `json:"at"`
	Surplus  bool         `json:"surplus,omitempty" doc:"Gives back a second payment; touches no line and no commission"`

	Beyond  *money.Amount `json:"beyond,omitempty" doc:"What a lost dispute had taken already: the shop's loss, which takes no commission"`
	Failure string        `json:"failure,omitempty" doc:"Why it failed, where the provider is not the one to say: taken by a dispute"`
}

// RefundLine is the part of a refund that belongs to one line.
type RefundLine struct {
	SKU      string       `json:"sku"`
	Quantity int64        `json:"quantity"`
	Net      money.Amount `json:"net"`
	Tax      money.Amount `json:"tax"`
	Goods    string       `json:"goods,omitempty" enum:"restock,writeOff,keep" doc:"Where its pieces go"`
}

func viewRefund(o ordering.Order, r ordering.Refund) Refund {
	v := Refund{ID: r.ID, State: r.State(), Amount: r.Amount, Shipping: r.Shipping, Reason: r.Reason, By: r.By, At: r.At.UTC(), Surplus: r.Surplus, Lines: viewRefundLines(o, r.Lines)}
	if r.Beyond.Minor > 0 {
		v.Beyond = &r.Beyond
	}
	if r.Failed != nil {
		v.Failure = r.Failed.Reason
	}
	return v
}

func viewRefundLines(o ordering.Order, parts []ordering.LineRefund) []RefundLine {
	var out []RefundLine
	for _, l := range parts {
		out = append(out, RefundLine{SKU: o.Lines[l.Line].SKU, Quantity: l.Quantity, Net: l.Net, Tax: l.Tax, Goods: string(l.Goods)})
	}
	return out
}

type refundInput struct {
	api.KeyRequired
	ID   string `path:"id"`
	Body struct {
		RefundBody
		Reason string `json:"reason" minLength:"1" maxLength:"500"`
	}
}

// RefundBody is what goes back: lines and shipping, or an amount.
type RefundBody struct {
	Lines    []RefundItem  `json:"lines,omitempty" maxItems:"60"`
	Shipping *money.Amount `json:"shipping,omitempty" doc:"Of the shipping fee"`
	Amount   *money.Amount `json:"amount,omitempty" doc:"Alone: spread over what is left of the lines, then of shipping"`
	Goods    string        `json:"goods,omitempty" enum:"restock,writeOff,keep" doc:"Where the pieces go: back on sale, written off, or kept by the shopper. When absent, pieces that are not shipped, or that a return is about, go back on sale, and the shopper keeps the others"`
}

func (b RefundBody) request(id, by string) ordering.RefundRequest {
	q := ordering.RefundRequest{ID: id, By: by, Shipping: b.Shipping, Amount: b.Amount, Goods: ordering.Disposition(b.Goods)}
	for _, l := range b.Lines {
		q.Lines = append(q.Lines, ordering.RefundLine{SKU: l.SKU, Quantity: l.Quantity, Amount: l.Amount})
	}
	return q
}

// RefundItem asks to refund pieces of a line.
type RefundItem struct {
	SKU      string        `json:"sku"`
	Quantity int64         `json:"quantity,omitempty" minimum:"0" maximum:"999" doc:"0 with an amount is a price reduction"`
	Amount   *money.Amount `json:"amount,omitempty" doc:"The pieces' share of what was paid when absent"`
}

// refundOrder records the intent, then sends it. A crash or a lost answer in between leaves a refund that is pending
// on record; it is driven again later under the same id.
func (a *admin) refundOrder(ctx context.Context, in *refundInput) (*api.Reply[Refund], error) {
	if err := checkOrderID(in.ID); err != nil {
		return nil, err
	}
	q := in.Body.request(refundID(ctx, in.ID, in.Key), visitOf(ctx).subject)
	q.Reason = typed.TidyLines(in.Body.Reason)
	_, err := once.Do(ctx, a.store, wish(ctx, in.Key, in.Body), a.now(), func(record once.Record[done]) (done, error) {
		reply, err := record(done{})
		if err != nil {
			return done{}, err
		}
		o, err := a.store.UpdateOrder(ctx, in.ID, func(o *ordering.Order) error {
			_, err := o.RequestRefund(q, a.now())
			return err
		}, reply...)
		if err != nil {
			return done{}, err
		}
		if _, err := a.cashier.SendRefunds(ctx, o, a.now()); err != nil {
			slog.WarnContext(ctx, "refund recorded, outcome to be asked for again", "order", in.ID, "refund", q.ID, "error", err)
		}
		return done{}, nil
	})
	if err != nil {
		return nil, err
	}
	o, err := a.store.Order(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	r, ok := o.Refund(q.ID)
	if !ok {
		return nil, changedMeanwhile()
	}
	return &api.Reply[Refund]{Body: viewRefund(o, r)}, nil
}

// refundID names the intent by the order, the route and the request's key, so that sending the request again finds it, and
// a key that was also used to close a return does not find the refund of that. Providers know the refund by it.
func refundID(ctx context.Context, order, key string) string {
	v := visitOf(ctx)
	sum := sha256.Sum256([]byte(v.subject + "\x00" + v.route + "\x00" + key))
	return order + "-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:15]))
}
