package main

import (
	"context"
	"encoding/json"
	"fmt"

	"yundian/shared/fail"
	"yundian/shared/store"
	"yundian/shared/web"
)

// wish is one write that a client may send again.
type wish struct {
	route string // method and path
	key   string // "" when the client sends none
	body  any
}

// once does a wish so that sending it again with the same Idempotency-Key gives the first answer and has no further
// effect; the same key with another body is refused. do gets the writes that have to be made in the transaction of
// the effect, from the answer it is going to give.
func once[A any](ctx context.Context, p *portal, w wish, do func(record func(A) ([]store.Write, error)) (A, error)) (A, error) {
	var none A
	if w.key == "" {
		return do(func(A) ([]store.Write, error) { return nil, nil })
	}
	hash, err := web.ValueHash(w.body)
	if err != nil {
		return none, err
	}
	id := w.route + "#" + visitOf(ctx).subject + "#" + w.key
	if answer, done, err := replay[A](ctx, p, id, hash); done || err != nil {
		return answer, err
	}
	answer, err := do(func(answer A) ([]store.Write, error) {
		body, err := json.Marshal(answer)
		if err != nil {
			return nil, fmt.Errorf("record answer of %s: %w", w.route, err)
		}
		return []store.Write{store.ReplyWrite(id, store.Reply{Hash: hash, Body: body}, p.now())}, nil
	})
	if store.RepliedMeanwhile(err) {
		if answer, done, err := replay[A](ctx, p, id, hash); done || err != nil {
			return answer, err
		}
	}
	return answer, err
}

// replay is the answer that a key was given before.
func replay[A any](ctx context.Context, p *portal, id, hash string) (answer A, done bool, err error) {
	earlier, found, err := p.store.Reply(ctx, id)
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
