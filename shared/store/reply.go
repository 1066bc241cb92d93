package store

import (
	"context"
	"time"
)

// Reply is what a request with an idempotency key was answered, so that repeating it is answered the same.
type Reply struct {
	Hash string // of the request's body
	Body []byte // of the response, as JSON
}

type replyItem struct {
	Hash string `dynamodbav:"hash"`
	Body []byte `dynamodbav:"body"`
	TTL  int64  `dynamodbav:"ttl"`
}

// Reply is the recorded answer to an idempotency key, or false. id names owner, route and key.
func (s *Store) Reply(ctx context.Context, id string) (Reply, bool, error) {
	r := read{Shop, replyKey(id)}
	found, err := s.get(ctx, []read{r})
	if err != nil || found[r] == nil {
		return Reply{}, false, err
	}
	var x replyItem
	err = decode(found[r], &x)
	return Reply{Hash: x.Hash, Body: x.Body}, err == nil, err
}

// ReplyWrite records the answer to an idempotency key, for use in the transaction of its effect.
func ReplyWrite(id string, r Reply, now time.Time) Write {
	return Write{Table: Shop, Key: replyKey(id), Guards: once()}.
		put(replyItem{Hash: r.Hash, Body: r.Body, TTL: now.AddDate(0, 0, replyDays).Unix()})
}

// SaveReplies records answers whose effect repeats harmlessly by itself; none is no write.
func (s *Store) SaveReplies(ctx context.Context, replies []Write) error { return s.apply(ctx, replies) }

// RepliedMeanwhile reports whether a write was refused because its idempotency key was used meanwhile.
func RepliedMeanwhile(err error) bool {
	return refusedBy(err, func(k Key) bool { return k.SK == "IDEMP" })
}
