package main

import (
	"context"
	"log/slog"
	"time"

	"yundian/shared/once"
	"yundian/shared/ordering"
	"yundian/shared/typed"
	"yundian/shared/web/api"
)

// OrderReturn is a shopper's wish to give goods back.
type OrderReturn struct {
	ID     string            `json:"id"`
	At     time.Time         `json:"at"`
	Lines  []OrderReturnLine `json:"lines"`
	Reason string            `json:"reason" doc:"The shopper's words, of the latest return"`
	Closed *OrderReturnEnd   `json:"closed,omitempty"`
}

// OrderReturnLine is how many pieces of a SKU come back.
type OrderReturnLine struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// OrderReturnEnd is how a return ended.
type OrderReturnEnd struct {
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Outcome string    `json:"outcome" enum:"accepted,declined"`
	Reason  string    `json:"reason,omitempty" doc:"The answer that the shopper reads"`
	Address string    `json:"address,omitempty" doc:"Where the goods go, when it is not the shop's usual address"`
	Refund  string    `json:"refund,omitempty" doc:"The id of the refund that was recorded with it"`
}

func viewReturn(x ordering.Return) OrderReturn {
	r := OrderReturn{ID: x.ID, At: x.At.UTC()}
	for _, l := range x.Lines {
		r.Lines = append(r.Lines, OrderReturnLine{SKU: l.SKU, Quantity: l.Quantity})
	}
	if c := x.Closed; c != nil {
		r.Closed = &OrderReturnEnd{At: c.At.UTC(), By: c.By, Outcome: string(c.Outcome), Reason: c.Note, Address: c.Address, Refund: c.Refund}
	}
	return r
}

// OrderGoods are pieces that came back.
type OrderGoods struct {
	SKU      string    `json:"sku"`
	Quantity int64     `json:"quantity"`
	To       string    `json:"to" enum:"restock,writeOff"`
	Cause    string    `json:"cause" doc:"The refund or return that they came back with"`
	At       time.Time `json:"at"`
}

type returnInput struct {
	api.KeyRequired
	ID     string `path:"id"`
	Return string `path:"return"`
	Body   struct {
		Outcome string `json:"outcome" enum:"accepted,declined"`
		Note    string `json:"note,omitempty" maxLength:"500" doc:"The answer that the shopper reads"`
		Address string `json:"address,omitempty" maxLength:"500" doc:"Where the goods are to go; the shop's returnAddress when absent"`
		RefundBody
	}
}

// closeReturn ends a return. The refund of an accepted one, and where its goods go, are recorded in the same write, so that
// no commission is released in between; then the refund is sent. What names neither lines nor an amount gives back what was
// asked for; an amount of 0 gives nothing back.
func (a *admin) closeReturn(ctx context.Context, in *returnInput) (*api.Reply[Order], error) {
	if err := checkOrderID(in.ID); err != nil {
		return nil, err
	}
	by := visitOf(ctx).subject
	d := ordering.ReturnDecision{Outcome: ordering.ReturnOutcome(in.Body.Outcome), By: by, Note: typed.TidyLines(in.Body.Note), Address: typed.TidyLines(in.Body.Address),
		Refund: in.Body.request(refundID(ctx, in.ID, in.Key), by)}
	_, err := once.Do(ctx, a.store, wish(ctx, in.Key, in.Body), a.now(), func(record once.Record[done]) (done, error) {
		reply, err := record(done{})
		if err != nil {
			return done{}, err
		}
		o, err := a.store.UpdateOrder(ctx, in.ID, func(o *ordering.Order) error { return o.CloseReturn(clip(in.Return), d, a.now()) }, reply...)
		if err != nil {
			return done{}, err
		}
		if _, err := a.cashier.SendRefunds(ctx, o, a.now()); err != nil {
			slog.WarnContext(ctx, "return closed, outcome of its refund to be asked for again", "order", in.ID, "return", in.Return, "error", err)
		}
		return done{}, nil
	})
	if err != nil {
		return nil, err
	}
	return a.answerOrder(ctx, in.ID)
}
