package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"yundian/shared/fail"
	"yundian/shared/koc"
)

// Application is somebody's wish to become a KOC. Source names, by a keyed hash, the address it came from, and Day
// is the local day.
type Application struct {
	KOC    koc.Profile
	Source string
	Day    string
	At     time.Time
}

// applyDays is how long applications are counted by source; then the records expire.
const applyDays = 2

// Apply adds an applicant unless their source has already sent limit applications that day, which is TooMany. Each
// application takes a numbered place, so that no race can exceed the limit. A handle that is taken, or that looks like one
// that is, is a Conflict.
func (s *Store) Apply(ctx context.Context, a Application, limit int) error {
	taken, _, err := s.page(ctx, query{table: Shop, pk: applyKey(a.Source, a.Day, 0).PK, prefix: "0", limit: limit})
	if err != nil {
		return err
	}
	for n := len(taken); n < limit; n++ {
		place := Write{Table: Shop, Key: applyKey(a.Source, a.Day, n), Guards: once()}.put(struct {
			TTL int64 `dynamodbav:"ttl"`
		}{a.At.AddDate(0, 0, applyDays).Unix()})
		shape := shapeWrite(a.KOC)
		shape.Guards = once()
		err := s.createKOC(ctx, a.KOC, shape, []Write{place})
		if _, refused := errors.AsType[*Refused](err); !refused {
			return err
		}
		if !refusedBy(err, func(k Key) bool { return strings.HasPrefix(k.PK, "APPLY#") }) {
			return err
		}
	}
	return fail.New(fail.TooMany, "applications_too_many", "Too many applications came from here today. Please try again tomorrow.", nil)
}
