package events_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	lambda "github.com/aws/aws-lambda-go/events"

	"yundian/events"
	"yundian/shared/store"
	"yundian/shared/stream"
)

// Every sample is read as the event that its name says, with the fields that the store relies on.
func TestSamplesAreRealEvents(t *testing.T) {
	names, err := events.Names()
	if err != nil || len(names) == 0 {
		t.Fatalf("%d samples, %v", len(names), err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			text, err := events.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case name == "trap-stream-malformed":
				if json.Unmarshal(text, &lambda.DynamoDBEvent{}) == nil {
					t.Error("is well-formed")
				}
			case strings.Contains(name, "stream-"):
				var e lambda.DynamoDBEvent
				decode(t, text, &e)
				for _, r := range e.Records {
					if r.EventSource != "aws:dynamodb" || r.Change.SequenceNumber == "" || len(r.Change.Keys) != 2 {
						t.Errorf("record %+v", r)
					}
				}
			case name == "schedule":
				var e lambda.CloudWatchEvent
				decode(t, text, &e)
				if e.DetailType != "Scheduled Event" || e.Time.Location() != time.UTC {
					t.Errorf("schedule %+v", e)
				}
			default:
				var e lambda.APIGatewayV2HTTPRequest
				decode(t, text, &e)
				if e.Version != "2.0" || e.RequestContext.RequestID == "" || e.RequestContext.HTTP.Method == "" || e.Headers["host"] == "" {
					t.Errorf("request %+v", e)
				}
			}
		})
	}
}

func decode(t *testing.T, text []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}

// The images of the stream samples are what the store writes today, so that they cannot rot.
func TestImagesAreTheStores(t *testing.T) {
	each := func(name string, check func(t *testing.T, r stream.Record)) {
		t.Run(name, func(t *testing.T) {
			text, err := events.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			seen := 0
			process := func(_ context.Context, records []stream.Record) (int, error) {
				for _, r := range records {
					seen++
					check(t, r)
				}
				return len(records), nil
			}
			if _, err := stream.New(process).Invoke(t.Context(), text); err != nil || seen == 0 {
				t.Errorf("%d records, %v", seen, err)
			}
		})
	}
	order := func(t *testing.T, r stream.Record) {
		if o, err := store.OrderFrom(r.New); err != nil || len(o.Lines) == 0 || o.Lines[0].Net.Minor != 12000 || o.PlacedAt.IsZero() {
			t.Errorf("order %+v, %v", o, err)
		}
	}
	each("stream-orders-insert", order)
	each("stream-orders-modify", order)
	each("stream-ledger-insert", func(t *testing.T, r stream.Record) {
		if f, err := store.FactFrom(r.New); err != nil || f.KOC == "" || len(f.Lines) == 0 || f.Lines[0].Commission == 0 {
			t.Errorf("fact %+v, %v", f, err)
		}
	})
	each("stream-touches-insert", func(t *testing.T, r stream.Record) {
		if touch, err := store.TouchFrom(r.New); err != nil || touch.KOC == "" || touch.Visitor == "" || touch.At.IsZero() {
			t.Errorf("touch %+v, %v", touch, err)
		}
	})
}
