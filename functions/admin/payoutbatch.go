package main

import (
	"context"
	"errors"
	"slices"

	"yundian/shared/fail"
	"yundian/shared/locale"
	"yundian/shared/once"
	"yundian/shared/store"
	"yundian/shared/web/api"
)

// PayoutApprovals is what became of each of the payouts that somebody approved together.
type PayoutApprovals struct {
	Approved int           `json:"approved" doc:"How many were approved"`
	IDs      []string      `json:"ids" doc:"Which ones, in the order asked for"`
	Errors   []PayoutError `json:"errors" doc:"The others, with the reason of each; nothing was changed about them"`
}

// PayoutError says why one payout was not approved.
type PayoutError struct {
	ID      string `json:"id"`
	Code    string `json:"code" doc:"As in the type of a problem"`
	Message string `json:"message" doc:"For people"`
}

type approvePayoutsInput struct {
	api.KeyRequired
	// A hundred approvals are 400 reads and 100 transactions, about three seconds; the gateway waits for thirty.
	Body struct {
		IDs []string `json:"ids" minItems:"1" maxItems:"100" uniqueItems:"true" doc:"Payouts, at most 100"`
	}
}

// approvePayouts approves payouts one by one, each under the same checks as alone: not by who made it, not for oneself, and
// only where the money goes that the approver could see. One that is refused does not keep back the others. Every approval is
// recorded under the key and its payout's id, in its own transaction; so a request that was interrupted goes on where it
// stopped, and none is approved twice.
//
// The gateway prefers this path to that of a payout, and no payout is called "approve": their ids have 25 characters.
func (a *admin) approvePayouts(ctx context.Context, in *approvePayoutsInput) (*api.Reply[PayoutApprovals], error) {
	answer, err := once.Do(ctx, a.store, wish(ctx, in.Key, in.Body), a.now(), func(record once.Record[PayoutApprovals]) (PayoutApprovals, error) {
		out := PayoutApprovals{IDs: []string{}, Errors: []PayoutError{}}
		for _, id := range in.Body.IDs {
			refused, err := a.approveOne(ctx, in, id)
			if err != nil {
				return out, err
			}
			if refused == nil {
				out.IDs = append(out.IDs, id)
				continue
			}
			out.Errors = append(out.Errors, *refused)
		}
		out.Approved = len(out.IDs)
		reply, err := record(out)
		if err != nil {
			return out, err
		}
		return out, a.store.SaveReplies(ctx, reply)
	})
	return &api.Reply[PayoutApprovals]{Body: answer}, err
}

// approveOne approves one of several payouts, or says why not. An error is one of ours, after which the request can be sent
// again.
func (a *admin) approveOne(ctx context.Context, in *approvePayoutsInput, id string) (*PayoutError, error) {
	w := wish(ctx, in.Key, slices.Clone(in.Body.IDs))
	w.Route += " " + clip(id)
	_, err := once.Do(ctx, a.store, w, a.now(), func(record once.Record[done]) (done, error) {
		p, err := a.payoutOf(ctx, id)
		if err != nil {
			return done{}, err
		}
		var reply []store.Write
		if reply, err = record(done{}); err != nil {
			return done{}, err
		}
		_, err = a.paymaster.Approve(ctx, p, visitOf(ctx).subject, a.now(), reply...)
		return done{}, err
	})
	var refusal *fail.Error
	switch {
	case err == nil:
		return nil, nil
	case errors.As(err, &refusal) && refusal.Kind != fail.Internal:
		return &PayoutError{ID: clip(id), Code: refusal.Code, Message: locale.For(visitOf(ctx).language).Error(refusal)}, nil
	default:
		return nil, err
	}
}
