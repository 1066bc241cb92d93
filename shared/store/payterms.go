package store

import (
	"context"
	"time"

	"yundian/shared/payout"
)

type payTermsItem struct {
	V     int64                  `dynamodbav:"v"`
	From  time.Time              `dynamodbav:"from"`
	Terms document[payout.Terms] `dynamodbav:"terms"`
}

func payTermsFrom(it Item) (payout.Terms, error) {
	var x payTermsItem
	err := decode(it, &x)
	return x.Terms.Value, err
}

// PayoutTerms are the latest terms, whether they are in force already or not.
func (s *Store) PayoutTerms(ctx context.Context) (payout.Terms, error) {
	items, _, err := s.page(ctx, query{table: Shop, pk: payTermsKey(0).PK, prefix: "V#", limit: 1, descending: true})
	if err != nil || len(items) == 0 {
		return payout.FirstTerms(), err
	}
	return payTermsFrom(items[0])
}

// PayoutTermsVersion is one version of the terms, those of a new shop when nobody has published it.
func (s *Store) PayoutTermsVersion(ctx context.Context, version int64) (payout.Terms, error) {
	r := read{Shop, payTermsKey(version)}
	found, err := s.get(ctx, []read{r})
	if err != nil || found[r] == nil {
		return payout.FirstTerms(), err
	}
	return payTermsFrom(found[r])
}

// PayoutTermsAt are the terms in force at a moment: the latest that had begun. The first terms of every shop end the walk.
func (s *Store) PayoutTermsAt(ctx context.Context, at time.Time) (payout.Terms, error) {
	q := query{table: Shop, pk: payTermsKey(0).PK, prefix: "V#", limit: 1, descending: true}
	for {
		items, next, err := s.page(ctx, q)
		if err != nil {
			return payout.Terms{}, err
		}
		for _, it := range items {
			t, err := payTermsFrom(it)
			if err != nil {
				return payout.Terms{}, err
			}
			if !t.From.After(at) {
				return t, nil
			}
		}
		if next == nil {
			return payout.FirstTerms(), nil
		}
		q.after = next
	}
}

// PublishPayoutTerms adds a version of the terms; a Conflict if another one was published meanwhile.
func (s *Store) PublishPayoutTerms(ctx context.Context, t payout.Terms, extra ...Write) error {
	w := Write{Table: Shop, Key: payTermsKey(t.Version), Guards: once()}.
		put(payTermsItem{V: t.Version, From: t.From, Terms: doc(t)})
	err := s.putAlone(ctx, w, extra)
	if refusedBy(err, func(k Key) bool { return k == w.Key }) {
		return changedMeanwhile()
	}
	return err
}
