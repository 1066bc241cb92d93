package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"yundian/shared/koc"
	"yundian/shared/payout"
)

// payeeItem is one version of where a KOC's payouts go; v counts the changes of this version, which verifying is.
type payeeItem struct {
	V      int64                   `dynamodbav:"v"`
	Method document[payout.Method] `dynamodbav:"method"`
}

func payeeFrom(it Item) (payout.Method, int64, error) {
	var x payeeItem
	err := decode(it, &x)
	return x.Method.Value, x.V, err
}

// Payee is where a KOC's payouts go now; version 0 when the KOC has not said.
func (s *Store) Payee(ctx context.Context, handle string) (payout.Method, error) {
	m, _, err := s.payee(ctx, handle)
	return m, err
}

func (s *Store) payee(ctx context.Context, handle string) (payout.Method, int64, error) {
	items, _, err := s.page(ctx, query{table: People, pk: payeeKey(handle, 0).PK, prefix: "V#", limit: 1, descending: true})
	if err != nil || len(items) == 0 {
		return payout.Method{}, 0, err
	}
	return payeeFrom(items[0])
}

// PayeeVersion says which version of a KOC's payout method is meant.
type PayeeVersion struct {
	KOC     string
	Version int64
}

// Payees are versions of payout methods, those that still exist, in one round per hundred. A payout under way keeps the
// version that it was approved for.
func (s *Store) Payees(ctx context.Context, versions []PayeeVersion) (map[PayeeVersion]payout.Method, error) {
	reads := make([]read, len(versions))
	for i, v := range versions {
		reads[i] = read{People, payeeKey(v.KOC, v.Version)}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	out := make(map[PayeeVersion]payout.Method, len(found))
	for i, r := range reads {
		it, ok := found[r]
		if !ok {
			continue
		}
		if out[versions[i]], _, err = payeeFrom(it); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PayeeWrites add the next version of a KOC's payout method, and the notice that the KOC is told, for use beside another
// write. It is refused when another version was added meanwhile.
func PayeeWrites(handle string, m payout.Method) []Write {
	return []Write{
		Write{Table: People, Key: payeeKey(handle, m.Version), Guards: once()}.put(payeeItem{V: 1, Method: doc(m)}),
		noticeWrite(Notice{KOC: handle, At: m.At, Kind: NoticePayee, N: m.Version, Until: m.HeldUntil}),
	}
}

// PayeeTaken reports whether a write was refused because the payout method was changed meanwhile.
func PayeeTaken(err error) bool {
	return refusedBy(err, func(k Key) bool { return strings.HasPrefix(k.PK, "PAYEE#") })
}

// ChangedMeanwhile answers an edit of something that another edit has replaced.
func ChangedMeanwhile() error { return changedMeanwhile() }

// VerifyPayee records an operator's word on the name of a KOC's payout method as it is now, which is version seen; a
// Conflict when the KOC has changed it since.
func (s *Store) VerifyPayee(ctx context.Context, handle string, seen int64, by string, now time.Time, extra ...Write) (payout.Method, error) {
	var after payout.Method
	err := s.retryChanged(ctx, func() error {
		m, v, err := s.payee(ctx, handle)
		if err != nil {
			return err
		}
		if m.Version != seen || seen == 0 {
			return changedMeanwhile()
		}
		m.Verify(by, now)
		after = m
		w := Write{Table: People, Key: payeeKey(handle, m.Version), Guards: replaces(v)}.
			put(payeeItem{V: v + 1, Method: doc(m)})
		err = s.apply(ctx, append([]Write{w}, extra...))
		switch {
		case refusedBy(err, func(k Key) bool { return k == w.Key }):
			return errOutdated
		case err != nil:
			return fmt.Errorf("verify the payout method of %s: %w", handle, err)
		}
		return nil
	})
	return after, err
}

// Notice is something that a KOC has to be told although no posting says it. It names nothing that is secret.
type Notice struct {
	KOC   string
	At    time.Time
	Kind  string
	N     int64     // tells notices of a kind apart: the version of the method, or the change of the e-mail address
	Until time.Time // until when payouts wait; zero when they do not
}

// What KOCs are told about.
const (
	NoticePayee      = "payee_changed" // the payout method was changed
	NoticeEmailAsked = "email_asked"   // a new e-mail address waits to be confirmed
	NoticeEmail      = "email_changed" // it is in force
)

// EmailWrites are the notices about the e-mail address of a profile that is saved, if it has just been asked for or confirmed.
func EmailWrites(p koc.Profile, now time.Time) []Write {
	var writes []Write
	if c := p.EmailChange; c != nil && c.At.Equal(now) {
		writes = append(writes, noticeWrite(Notice{KOC: p.Handle, At: now, Kind: NoticeEmailAsked, N: c.N}))
	}
	if n := len(p.Emails); n > 0 && p.Emails[n-1].Until.Equal(now) {
		writes = append(writes, noticeWrite(Notice{KOC: p.Handle, At: now, Kind: NoticeEmail, N: p.Emails[n-1].N, Until: p.Emails[n-1].Held}))
	}
	return writes
}

type noticeItem struct {
	KOC   string    `dynamodbav:"koc"`
	At    time.Time `dynamodbav:"at"`
	Kind  string    `dynamodbav:"kind"`
	N     int64     `dynamodbav:"n"`
	Until time.Time `dynamodbav:"until"`
}

func noticeWrite(n Notice) Write {
	return Write{Table: Ledger, Key: noticeKey(n), Guards: once()}.put(noticeItem(n))
}

// NoticeFrom decodes a notice from a stream image.
func NoticeFrom(it Item) (Notice, error) {
	var x noticeItem
	if err := decode(it, &x); err != nil {
		return Notice{}, err
	}
	if x.KOC == "" || x.Kind == "" {
		return Notice{}, fmt.Errorf("store: %s %s is not a notice", str(it["pk"]), str(it["sk"]))
	}
	return Notice(x), nil
}
