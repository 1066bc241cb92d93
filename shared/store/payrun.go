package store

import (
	"context"

	"yundian/shared/money"
	"yundian/shared/payout"
)

type payRunItem struct {
	V   int64                `dynamodbav:"v"`
	Run document[payout.Run] `dynamodbav:"run"`
}

// PayRun is how far the payouts of a day and currency are; a run that has not begun has version 0.
func (s *Store) PayRun(ctx context.Context, c money.Currency, day string) (payout.Run, error) {
	r := read{Ledger, payRunKey(c, day)}
	found, err := s.get(ctx, []read{r})
	if err != nil || found[r] == nil {
		return payout.Run{Currency: c, Day: day}, err
	}
	var x payRunItem
	err = decode(found[r], &x)
	run := x.Run.Value
	run.Version = x.V
	return run, err
}

// SavePayRun records how far a run is, over the version that it was read with; a Conflict when another process has moved
// it on.
func (s *Store) SavePayRun(ctx context.Context, run payout.Run) error {
	seen := run.Version
	run.Version++
	w := Write{Table: Ledger, Key: payRunKey(run.Currency, run.Day), Guards: replaces(seen)}.
		put(payRunItem{V: run.Version, Run: doc(run)})
	err := s.apply(ctx, []Write{w})
	if refusedBy(err, func(k Key) bool { return k == w.Key }) {
		return changedMeanwhile()
	}
	return err
}
