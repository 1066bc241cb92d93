// Package once lets a client send a write again without doing it again: the same Idempotency-Key is answered as it was
// the first time, and refused for anything else.
package once

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"yundian/shared/fail"
	"yundian/shared/store"
	"yundian/shared/web"
)

// Wish is one write that a client may send again.
type Wish struct {
	Owner string // who asks: keys of different owners never meet
	Route string // method and path, with what is in the path
	Key   string // as api.Keyed has checked it; empty when the client sends none
	Body  any    // what was asked for, as decoded
}

// Record gives the writes that belong into the transaction of the effect, from the answer that will be given. What it
// keeps is kept in the shop table for 30 days: no secret and no personal data may be in it.
type Record[A any] func(A) ([]store.Write, error)

// Do does a wish, unless its key was answered before.
func Do[A any](ctx context.Context, s *store.Store, w Wish, now time.Time, do func(Record[A]) (A, error)) (A, error) {
	var none A
	if w.Key == "" {
		return do(func(A) ([]store.Write, error) { return nil, nil })
	}
	hash, err := web.ValueHash(w.Body)
	if err != nil {
		return none, err
	}
	id, err := web.ValueHash([]string{w.Route, w.Owner, w.Key}) // a path may be longer than a key of the store
	if err != nil {
		return none, err
	}
	if answer, done, err := replay[A](ctx, s, id, hash); done || err != nil {
		return answer, err
	}
	answer, err := do(func(answer A) ([]store.Write, error) {
		body, err := json.Marshal(answer)
		if err != nil {
			return nil, fmt.Errorf("record answer of %s: %w", w.Route, err)
		}
		return []store.Write{store.ReplyWrite(id, store.Reply{Hash: hash, Body: body}, now)}, nil
	})
	if err == nil {
		return answer, nil
	}
	// The same request may have been faster, and its effect may be why this one was refused.
	if earlier, done, failed := replay[A](ctx, s, id, hash); done || failed != nil {
		return earlier, failed
	}
	return none, err
}

// replay is the answer that a key was given before.
func replay[A any](ctx context.Context, s *store.Store, id, hash string) (answer A, done bool, err error) {
	earlier, found, err := s.Reply(ctx, id)
	if err != nil || !found {
		return answer, false, err
	}
	if earlier.Hash != hash {
		return answer, false, fail.New(fail.Conflict, web.CodeIdempotency, "This key was used for something else before. Send a new key.", nil)
	}
	if err := json.Unmarshal(earlier.Body, &answer); err != nil {
		return answer, false, fmt.Errorf("read recorded answer %s: %w", id, err)
	}
	return answer, true, nil
}
