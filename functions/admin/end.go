package main

import (
	"cmp"
	"context"

	"yundian/shared/once"
	"yundian/shared/ordering"
	"yundian/shared/typed"
	"yundian/shared/web/api"
)

// byShop is the reason of a cancellation without one.
const byShop = "cancelled by the shop"

// cancelOrder ends an order that is not shipped, or one to be paid on delivery whose parcel came back. Stock goes back on
// the shelf and whatever was paid goes back to the shopper.
func (a *admin) cancelOrder(ctx context.Context, in *reasonInput) (*api.Reply[Order], error) {
	if err := checkOrderID(in.ID); err != nil {
		return nil, err
	}
	reason := cmp.Or(typed.TidyLines(in.Body.text()), byShop)
	_, err := once.Do(ctx, a.store, wish(ctx, in.Key, in.Body.text()), a.now(), func(record once.Record[done]) (done, error) {
		reply, err := record(done{})
		if err != nil {
			return done{}, err
		}
		o, err := a.cashier.End(ctx, in.ID, a.now(), func(o *ordering.Order) error { return o.ReturnToSender(reason, a.now()) }, reply...)
		if err != nil {
			return done{}, err
		}
		_, err = a.cashier.SendRefunds(ctx, o, a.now())
		return done{}, err
	})
	if err != nil {
		return nil, err
	}
	return a.answerOrder(ctx, in.ID)
}

// redriveOrder sends an order through the streams again, after something on the way had given up on it.
func (a *admin) redriveOrder(ctx context.Context, in *actInput) (*api.Reply[Order], error) {
	return a.update(ctx, in.ID, wish(ctx, in.Key, nil), func(o *ordering.Order) error { return o.Redrive(a.now()) })
}
