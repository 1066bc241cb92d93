package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"yundian/shared/courier"
	"yundian/shared/mail"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/stream"
)

// notify records what has to be told, and tells it. Recording follows from the stream and is done once; telling is at
// least once and in no order.
type notify struct {
	store     *store.Store
	keys      seal.Ring // open order pages
	box       seal.Box  // opens the secrets of webhooks
	courier   *courier.Courier
	sender    *mail.Sender
	publicURL string // of the store, empty when e-mails cannot lead to it
	firstTry  time.Duration
	now       func() time.Time // when something is signed: receivers compare it with their clock
}

// Invoke implements lambda.Handler for both triggers: batches of the ledger's stream, and the schedule.
func (n *notify) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var event struct {
		Records json.RawMessage
		events.CloudWatchEvent
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, fmt.Errorf("read event: %w", err)
	}
	switch {
	case event.Records != nil:
		return stream.New(stream.Batch(n.batch)).Invoke(ctx, payload)
	case event.Time.IsZero():
		return nil, errors.New("read event: neither records of a stream nor a schedule's time")
	}
	return []byte("null"), n.sweep(ctx, event.Time.UTC())
}
