package stream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"yundian/events"
	"yundian/shared/telemetry"
)

// invoke sends a payload to a function and gives the sequence numbers that failed.
func invoke(t *testing.T, ctx context.Context, p Process, payload []byte) []string {
	t.Helper()
	text, err := New(p).Invoke(ctx, payload)
	if err != nil {
		t.Fatal(err)
	}
	var response struct {
		BatchItemFailures []struct{ ItemIdentifier string } `json:"batchItemFailures"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&response); err != nil || !strings.Contains(string(text), `"batchItemFailures":[`) {
		t.Fatalf("answer %s: %v", text, err)
	}
	var failed []string
	for _, f := range response.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}

func sample(t *testing.T, name string) []byte {
	t.Helper()
	text, err := events.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// batch makes an event of n touches with sequence numbers "1" to "n".
func batch(t *testing.T, n int) []byte {
	t.Helper()
	var event struct{ Records []map[string]any }
	if err := json.Unmarshal(sample(t, "stream-touches-insert"), &event); err != nil {
		t.Fatal(err)
	}
	first := event.Records[0]
	var records []any
	for i := range n {
		change := map[string]any{}
		for name, value := range first["dynamodb"].(map[string]any) {
			change[name] = value
		}
		change["SequenceNumber"] = fmt.Sprint(i + 1)
		record := map[string]any{"eventName": "INSERT", "dynamodb": change}
		records = append(records, record)
	}
	text, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func capture(t *testing.T) *bytes.Buffer {
	var log bytes.Buffer
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	slog.SetDefault(slog.New(telemetry.NewHandler(&log, "debug")))
	return &log
}

func TestRecordsAreDecoded(t *testing.T) {
	var got []Record
	keep := func(_ context.Context, records []Record) (int, error) {
		got = append(got, records...)
		return len(records), nil
	}
	if failed := invoke(t, t.Context(), keep, sample(t, "stream-orders-modify")); failed != nil {
		t.Fatal(failed)
	}
	if len(got) != 2 {
		t.Fatalf("%d records, want 2", len(got))
	}
	r := got[0]
	if r.Change != Modify || r.Sequence == "" || !r.At.Equal(time.Date(2026, 3, 1, 8, 31, 0, 0, time.UTC)) {
		t.Errorf("record %+v", r)
	}
	if key, ok := r.Keys["sk"].(*types.AttributeValueMemberS); !ok || key.Value != "ORDER" {
		t.Errorf("keys %v", r.Keys)
	}
	before, _ := r.Old["v"].(*types.AttributeValueMemberN)
	after, _ := r.New["v"].(*types.AttributeValueMemberN)
	if before == nil || after == nil || before.Value != "1" || after.Value != "2" {
		t.Errorf("versions %v, %v", before, after)
	}
	if order, ok := r.New["order"].(*types.AttributeValueMemberS); !ok || !strings.Contains(order.Value, `"Lines":[{`) {
		t.Errorf("what the order is made of is lost: %v", r.New["order"])
	}
}

func TestExpiredItemsAreNoFacts(t *testing.T) {
	var got []Record
	keep := func(_ context.Context, records []Record) (int, error) {
		got = append(got, records...)
		return len(records), nil
	}
	if failed := invoke(t, t.Context(), keep, sample(t, "trap-stream-expired")); failed != nil || len(got) != 1 || got[0].Change != Insert {
		t.Errorf("failed %v, got %+v", failed, got)
	}
}

func TestMalformedRecordFailsAlone(t *testing.T) {
	log := capture(t)
	var done []string
	failed := invoke(t, t.Context(), Each(func(_ context.Context, r Record) error { done = append(done, r.Sequence); return nil }),
		sample(t, "trap-stream-malformed"))
	if len(done) != 1 || len(failed) != 1 || failed[0] == done[0] {
		t.Errorf("done %v, failed %v", done, failed)
	}
	if !strings.Contains(log.String(), "LINK#Qm7kX2") {
		t.Errorf("the log does not name the record's keys: %s", log)
	}
}

func TestWhatFailsIsNamed(t *testing.T) {
	boom := errors.New("boom")
	cases := map[string]struct {
		process Process
		want    []string
	}{
		"all done":        {Each(func(context.Context, Record) error { return nil }), nil},
		"third fails":     {Each(at("3", func() error { return boom })), []string{"3"}},
		"first fails":     {Each(at("1", func() error { return boom })), []string{"1"}},
		"last fails":      {Each(at("5", func() error { return boom })), []string{"5"}},
		"third panics":    {Each(at("3", func() error { panic("no order") })), []string{"3"}},
		"own index":       {func(context.Context, []Record) (int, error) { return 3, boom }, []string{"4"}},
		"index too large": {func(context.Context, []Record) (int, error) { return 5, boom }, []string{"1"}},
		"index negative":  {func(context.Context, []Record) (int, error) { return -1, boom }, []string{"1"}},
		"process panics":  {func(context.Context, []Record) (int, error) { panic("no map") }, []string{"1"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			capture(t)
			if got := invoke(t, t.Context(), c.process, batch(t, 5)); !slices.Equal(got, c.want) {
				t.Errorf("failed %v, want %v", got, c.want)
			}
		})
	}
}

// at does something at one record and nothing at the others.
func at(sequence string, do func() error) func(context.Context, Record) error {
	return func(_ context.Context, r Record) error {
		if r.Sequence == sequence {
			return do()
		}
		return nil
	}
}

func TestNothingIsBegunAfterAFailure(t *testing.T) {
	capture(t)
	var begun []string
	invoke(t, t.Context(), Each(func(_ context.Context, r Record) error {
		begun = append(begun, r.Sequence)
		if r.Sequence == "2" {
			return errors.New("boom")
		}
		return nil
	}), batch(t, 4))
	if !slices.Equal(begun, []string{"1", "2"}) {
		t.Errorf("began %v", begun)
	}
}

func TestBatchGoesOneByOneOnlyWhenItMust(t *testing.T) {
	cases := map[string]struct {
		bad    string // record that makes any batch with it fail
		panics bool
		calls  []int // sizes of the batches tried
		want   []string
	}{
		"all well":             {calls: []int{4}},
		"third bad":            {bad: "3", calls: []int{4, 1, 1, 1}, want: []string{"3"}},
		"third bad, panicking": {bad: "3", panics: true, calls: []int{4, 1, 1, 1}, want: []string{"3"}},
		"together only":        {bad: "together", calls: []int{4, 1, 1, 1, 1}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			capture(t)
			var calls []int
			p := Batch(func(_ context.Context, records []Record) (int, error) {
				calls = append(calls, len(records))
				bad := c.bad == "together" && len(records) > 1 ||
					slices.ContainsFunc(records, func(r Record) bool { return r.Sequence == c.bad })
				if bad && c.panics {
					panic("poison")
				}
				if bad {
					return 0, errors.New("cancelled")
				}
				return 0, nil
			})
			if got := invoke(t, t.Context(), p, batch(t, 4)); !slices.Equal(got, c.want) || !slices.Equal(calls, c.calls) {
				t.Errorf("failed %v after batches of %v, want %v after %v", got, calls, c.want, c.calls)
			}
		})
	}
}

func TestSingleRecordIsNotTriedTwice(t *testing.T) {
	capture(t)
	calls := 0
	invoke(t, t.Context(), Batch(func(context.Context, []Record) (int, error) { calls++; return 0, errors.New("boom") }), batch(t, 1))
	if calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

func TestDeadlineLeavesTimeToAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		capture(t)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		failed := invoke(t, ctx, Each(func(context.Context, Record) error { time.Sleep(4 * time.Second); return nil }), batch(t, 10))
		// The third is begun at 8 s, before the margin at 9 s, and ends at 12 s; the fourth is not begun.
		if took := time.Since(start); !slices.Equal(failed, []string{"4"}) || took != 12*time.Second {
			t.Errorf("failed %v after %v", failed, took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		capture(t)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		failed := invoke(t, ctx, Each(func(ctx context.Context, _ Record) error { <-ctx.Done(); return ctx.Err() }), batch(t, 3))
		if took := time.Since(start); !slices.Equal(failed, []string{"1"}) || took != 10*time.Second-Margin {
			t.Errorf("failed %v after %v", failed, took)
		}
	})
}

func TestEventsThatAreNone(t *testing.T) {
	capture(t)
	never := func(context.Context, []Record) (int, error) { t.Error("called"); return 0, nil }
	for _, payload := range []string{``, `[]`, `{`, `{"Records": 5}`, `{"Records": [{"eventName": "INSERT"}]}`, `{"Records": [5]}`} {
		if answer, err := New(never).Invoke(t.Context(), []byte(payload)); err == nil {
			t.Errorf("%q is answered %s; without a sequence number only an error repeats it", payload, answer)
		}
	}
	if failed := invoke(t, t.Context(), never, []byte(`{"Records": []}`)); failed != nil {
		t.Error(failed)
	}
	noKeys := `{"Records": [{"eventName": "INSERT", "dynamodb": {"SequenceNumber": "7"}}]}`
	if failed := invoke(t, t.Context(), never, []byte(noKeys)); !slices.Equal(failed, []string{"7"}) {
		t.Error(failed)
	}
}

func TestLogHasNoImages(t *testing.T) {
	log := capture(t)
	invoke(t, t.Context(), Each(func(context.Context, Record) error { return errors.New("boom") }), sample(t, "stream-orders-insert"))
	if text := log.String(); !strings.Contains(text, "ORDER#") || strings.Contains(text, "pu5_ari3") || strings.Contains(text, "Varsity") {
		t.Errorf("log: %s", text)
	}
}
