// Package stream runs functions on DynamoDB streams: records in order, stop at the first that fails, and tell Lambda
// which one that was, so that everything before it is done with and everything from it on comes again.
//
//	func main() {
//		stream.Start(stream.Batch(settle.batch))                      // many records at once, then one by one if that fails
//		stream.Start(stream.Each(attribute.one))                      // one by one
//	}
//
//	func (s *settle) batch(ctx context.Context, records []stream.Record) (failed int, err error) { … }
//
// Streams deliver at least once: whatever a function does with a record, it must be able to do again.
package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"yundian/shared/telemetry"
)

// Margin is how long before the invocation's deadline no further record is begun, so that there is time to say
// which are done: without an answer Lambda repeats the whole batch.
const Margin = time.Second

// Item is one item's attributes.
type Item = map[string]types.AttributeValue

// Change is what happened to an item.
type Change string

// The changes that a stream reports.
const (
	Insert Change = "INSERT"
	Modify Change = "MODIFY"
	Remove Change = "REMOVE"
)

// Record is one change of one item. New and Old are nil where the stream's view type leaves them out.
type Record struct {
	Sequence string // SequenceNumber: what Lambda wants to hear of a failure
	Change   Change
	Keys     Item
	New, Old Item
	At       time.Time // when it changed, to the second
}

// Process handles records in order. It returns nil when all are done; otherwise the error and the index of the
// first record that is not done, all before it being done.
type Process func(ctx context.Context, records []Record) (failed int, err error)

// Each makes a Process that handles one record after the other. A panic fails its record.
func Each(one func(ctx context.Context, r Record) error) Process {
	return func(ctx context.Context, records []Record) (int, error) {
		for i, r := range records {
			if err := ctx.Err(); err != nil {
				return i, fmt.Errorf("no time left to begin: %w", err)
			}
			if err := guard(ctx, func() error { return one(ctx, r) }); err != nil {
				return i, err
			}
		}
		return len(records), nil
	}
}

// Batch makes a Process that first gives all records to many at once. If that fails with more than one record, they are
// given to it again one by one, so that one bad record does not hold back those before it.
func Batch(many Process) Process {
	each := Each(func(ctx context.Context, r Record) error {
		_, err := many(ctx, []Record{r})
		return err
	})
	return func(ctx context.Context, records []Record) (int, error) {
		err := guard(ctx, func() error {
			_, err := many(ctx, records)
			return err
		})
		if err == nil {
			return len(records), nil
		}
		if len(records) <= 1 {
			return 0, err
		}
		slog.WarnContext(ctx, "batch failed, going record by record", "records", len(records), "error", err)
		return each(ctx, records)
	}
}

// guard turns a panic into an error, after logging where it was.
func guard(ctx context.Context, f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			slog.ErrorContext(ctx, "record panicked", "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	return f()
}

// Function is a Lambda function on a stream. Make one with New.
type Function struct {
	process Process
	margin  time.Duration
}

// New makes a function of a Process.
func New(p Process) *Function { return &Function{process: p, margin: Margin} }

// Start answers events for ever: the last line of a function's main. It does not return.
func Start(p Process) { lambda.Start(New(p)) }

// Invoke implements lambda.Handler. It returns an error, which makes Lambda repeat the whole batch, only when a
// failed record has no sequence number to name it by.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var event struct{ Records []json.RawMessage }
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, fmt.Errorf("read stream event: %w", err)
	}
	response, err := f.handle(ctx, event.Records)
	if err != nil {
		return nil, err
	}
	return json.Marshal(response)
}

func (f *Function) handle(ctx context.Context, raw []json.RawMessage) (events.DynamoDBEventResponse, error) {
	done := events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{}}
	if deadline, ok := ctx.Deadline(); ok {
		// A function with a very short timeout still gets half of it.
		margin := min(f.margin, time.Until(deadline)/2)
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-margin))
		defer cancel()
	}
	records, bad, cause := decode(raw)
	failed, err := f.run(ctx, records)
	switch {
	case err != nil:
		bad, cause = records[failed], err
	case cause == nil:
		return done, nil
	}
	slog.ErrorContext(ctx, "record failed", "sequence", bad.Sequence, "keys", names(bad.Keys), "change", bad.Change, "error", cause)
	telemetry.Count(ctx, "RecordsFailed", 1)
	if bad.Sequence == "" {
		return done, fmt.Errorf("record without a sequence number: %w", cause)
	}
	done.BatchItemFailures = append(done.BatchItemFailures, events.DynamoDBBatchItemFailure{ItemIdentifier: bad.Sequence})
	return done, nil
}

// run gives the records to the process, and keeps the index that it returns inside the batch.
func (f *Function) run(ctx context.Context, records []Record) (failed int, err error) {
	if len(records) == 0 {
		return 0, nil
	}
	err = guard(ctx, func() error {
		var e error
		failed, e = f.process(ctx, records)
		return e
	})
	if err != nil && (failed < 0 || failed >= len(records)) {
		// Lambda repeats from the record named: with a wrong index, only the first is safe.
		failed = 0
	}
	return failed, err
}

// expired is the principal of deletions by time to live. They are no facts: the time had come before.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
const expired = "dynamodb.amazonaws.com"

// wire is a record as Lambda sends it, its items unread: a malformed one must not hide the rest of the batch.
type wire struct {
	EventName    string
	UserIdentity *struct{ Type, PrincipalID string }
	DynamoDB     struct {
		ApproximateCreationDateTime float64 // seconds
		SequenceNumber              string
		Keys, NewImage, OldImage    json.RawMessage
	}
}

// decode reads records up to the first malformed one, which it returns with what could be read of it and why.
func decode(raw []json.RawMessage) (records []Record, bad Record, cause error) {
	for _, text := range raw {
		var w wire
		if err := json.Unmarshal(text, &w); err != nil {
			return records, Record{Sequence: w.DynamoDB.SequenceNumber}, fmt.Errorf("read record: %w", err)
		}
		if u := w.UserIdentity; u != nil && u.Type == "Service" && u.PrincipalID == expired {
			continue
		}
		r := Record{
			Sequence: w.DynamoDB.SequenceNumber,
			Change:   Change(w.EventName),
			At:       time.Unix(int64(w.DynamoDB.ApproximateCreationDateTime), 0).UTC(),
		}
		for _, image := range []struct {
			name string
			from json.RawMessage
			to   *Item
		}{{"keys", w.DynamoDB.Keys, &r.Keys}, {"new image", w.DynamoDB.NewImage, &r.New}, {"old image", w.DynamoDB.OldImage, &r.Old}} {
			if len(image.from) == 0 {
				continue
			}
			item, err := attributevalue.UnmarshalMapJSON(image.from)
			if err == nil && !whole(&types.AttributeValueMemberM{Value: item}) {
				err = errors.New("a value has no known type")
			}
			if err != nil {
				return records, r, fmt.Errorf("read %s: %w", image.name, err)
			}
			*image.to = item
		}
		if r.Sequence == "" || len(r.Keys) == 0 || !slices.Contains([]Change{Insert, Modify, Remove}, r.Change) {
			return records, r, fmt.Errorf("read record: no sequence number, no keys or unknown change %q", w.EventName)
		}
		records = append(records, r)
	}
	return records, Record{}, nil
}

// whole reports whether a value was read completely: the decoder lets types pass that it does not know.
func whole(v types.AttributeValue) bool {
	switch v := v.(type) {
	case nil, *types.UnknownUnionMember:
		return false
	case *types.AttributeValueMemberM:
		for _, inner := range v.Value {
			if !whole(inner) {
				return false
			}
		}
	case *types.AttributeValueMemberL:
		return !slices.ContainsFunc(v.Value, func(inner types.AttributeValue) bool { return !whole(inner) })
	}
	return true
}

// names are an item's keys for the log. Keys hold ids only; the rest of an item may be personal.
func names(keys Item) map[string]string {
	out := make(map[string]string, len(keys))
	for name, value := range keys {
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			out[name] = v.Value
		case *types.AttributeValueMemberN:
			out[name] = v.Value
		}
	}
	return out
}
