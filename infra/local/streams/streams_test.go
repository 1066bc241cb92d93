package streams

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"yundian/infra/local/engine"
	"yundian/infra/local/engine/enginetest"
)

// table is a new table with a stream on the test engine.
type table struct {
	t    *testing.T
	name string
	c    *dynamodb.Client
}

func newTable(t *testing.T) *table {
	t.Helper()
	x := &table{t: t, name: enginetest.Name("stream"), c: enginetest.Client(t)}
	if err := engine.CreateTables(t.Context(), x.c, []engine.Table{{Name: x.name, StreamView: "NEW_AND_OLD_IMAGES"}}); err != nil {
		t.Fatal(err)
	}
	return x
}

// put writes one item per key, in this order; the value makes every write a change.
func (x *table) put(keys ...string) {
	x.t.Helper()
	for _, k := range keys {
		if err := x.write(x.t.Context(), k, "ORDER", "1"); err != nil {
			x.t.Fatal(err)
		}
	}
}

func (x *table) write(ctx context.Context, pk, sk, value string) error {
	_, err := x.c.PutItem(ctx, &dynamodb.PutItemInput{TableName: &x.name, Item: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: sk},
		"value": &types.AttributeValueMemberS{Value: value},
	}})
	return err
}

// event is what the tests read of Lambda's document.
type event struct {
	Records []struct {
		EventName      string `json:"eventName"`
		EventSourceARN string `json:"eventSourceARN"`
		Change         struct {
			Keys     map[string]struct{ S string }
			NewImage map[string]struct{ S string }
			Sequence string `json:"SequenceNumber"`
		} `json:"dynamodb"`
	}
}

// far is a function on the far side: it notes every batch and answers as the test says.
type far struct {
	mu      sync.Mutex
	batches []string // keys of each invocation, joined by blanks
	changed chan struct{}
	answer  func(call int, e event) (any, bool, error)
}

func newFar(answer func(call int, e event) (any, bool, error)) *far {
	return &far{changed: make(chan struct{}, 1000), answer: answer}
}

func succeed(int, event) (any, bool, error) { return nil, false, nil }

func (f *far) invoke(ctx context.Context, _ string, payload []byte) ([]byte, bool, error) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, false, fmt.Errorf("event is not JSON: %w", err)
	}
	f.mu.Lock()
	call := len(f.batches)
	f.batches = append(f.batches, keysOf(e))
	f.mu.Unlock()
	answer, functionError, err := f.answer(call, e)
	f.changed <- struct{}{}
	if raw, ok := answer.(string); ok {
		return []byte(raw), functionError, err
	}
	out, _ := json.Marshal(answer)
	return out, functionError, err
}

func keysOf(e event) string {
	var keys []string
	for _, r := range e.Records {
		keys = append(keys, r.Change.Keys["pk"].S)
	}
	return strings.Join(keys, " ")
}

func (f *far) seen() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.batches)
}

func failures(sequences ...string) any {
	list := []map[string]string{}
	for _, s := range sequences {
		list = append(list, map[string]string{"itemIdentifier": s})
	}
	return map[string]any{"batchItemFailures": list}
}

func at(e event, key string) string {
	for _, r := range e.Records {
		if r.Change.Keys["pk"].S == key {
			return r.Change.Sequence
		}
	}
	return ""
}

func options(t *testing.T, f *far, m ...Mapping) Options {
	return Options{Client: enginetest.Client(t), StreamsClient: enginetest.StreamsClient(t), Mappings: m, Invoke: f.invoke,
		RetryFirst: time.Millisecond, RetryLast: 4 * time.Millisecond, OnFailureDir: t.TempDir()}
}

func begin(t *testing.T, o Options) *Poller {
	t.Helper()
	p, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func quiet(t *testing.T, p *Poller) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := p.Quiet(ctx); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, f *far, want ...string) {
	t.Helper()
	if got := f.seen(); !slices.Equal(got, want) {
		t.Errorf("invocations %q, want %q", got, want)
	}
}

// kept is every on-failure document below dir, by its path.
func kept(t *testing.T, dir string) map[string]invocationRecord {
	t.Helper()
	docs := map[string]invocationRecord{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var doc invocationRecord
		if err := json.Unmarshal(body, &doc); err != nil {
			return err
		}
		docs[path] = doc
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

// deliveries are the rules of a mapping with no timing in them: what the function answers, what it is called with and
// what is given up.
var deliveries = []struct {
	name    string
	mapping Mapping
	answer  func(call int, e event) (any, bool, error)
	want    []string
	gone    []string // keys given up, per document
	invokes int      // that the document reports
}{
	{"batch size and order", Mapping{BatchSize: 3}, succeed, []string{"a b c", "d e f", "g h"}, nil, 0},
	{"filtered records do not reach the function", Mapping{Filters: []string{
		`{"dynamodb":{"Keys":{"pk":{"S":["b"]}}}}`, `{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"g"}]}}}}`}},
		succeed, []string{"b g"}, nil, 0},
	{"nothing passes the filter", Mapping{Filters: []string{`{"eventName":["REMOVE"]}`}}, succeed, nil, nil, 0},
	{"a failure repeats the whole batch", Mapping{BatchSize: 4, MaxRetries: -1},
		func(call int, _ event) (any, bool, error) { return nil, call < 2, nil },
		[]string{"a b c d", "a b c d", "a b c d", "e f g h"}, nil, 0},
	{"without the setting an answer says nothing", Mapping{BatchSize: 8},
		func(_ int, e event) (any, bool, error) { return failures(at(e, "c")), false, nil },
		[]string{"a b c d e f g h"}, nil, 0},
	{"a partial failure repeats from the lowest", Mapping{BatchSize: 8, MaxRetries: -1, ReportBatchItemFailures: true},
		func(call int, e event) (any, bool, error) {
			return []any{failures(at(e, "f"), at(e, "c")), failures(at(e, "d")), failures()}[call], false, nil
		},
		[]string{"a b c d e f g h", "c d e f g h", "d e f g h"}, nil, 0},
	{"a wrong identifier repeats the whole batch", Mapping{BatchSize: 8, MaxRetries: -1, ReportBatchItemFailures: true},
		func(call int, e event) (any, bool, error) {
			return []any{failures("12345678901234567890123"), failures(""), `{"batchItemFailures":[{"itemIdentifier":null}]}`, `"done"`, `null`}[call], false, nil
		},
		[]string{"a b c d e f g h", "a b c d e f g h", "a b c d e f g h", "a b c d e f g h", "a b c d e f g h"}, nil, 0},
	{"retries end", Mapping{BatchSize: 4, MaxRetries: 2},
		func(_ int, e event) (any, bool, error) { return nil, has(e, "b"), nil },
		[]string{"a b c d", "a b c d", "a b c d", "e f g h"}, []string{"a b c d"}, 3},
	{"no retries", Mapping{BatchSize: 4},
		func(_ int, e event) (any, bool, error) { return nil, has(e, "b"), nil },
		[]string{"a b c d", "e f g h"}, []string{"a b c d"}, 1},
	{"partial failures use up the retries", Mapping{BatchSize: 4, MaxRetries: 2, ReportBatchItemFailures: true},
		func(_ int, e event) (any, bool, error) {
			return failures(slices.DeleteFunc([]string{at(e, "b")}, empty)...), false, nil
		},
		[]string{"a b c d", "b c d", "b c d", "e f g h"}, []string{"b c d"}, 3},
	{"a split isolates the poison and costs no retry", Mapping{BatchSize: 8, MaxRetries: 1, BisectOnError: true},
		func(_ int, e event) (any, bool, error) { return nil, has(e, "c"), nil },
		[]string{"a b c d e f g h", "a b c d", "a b", "c d", "c", "c", "d", "e f g h"}, []string{"c"}, 5},
	{"a split at the returned sequence number", Mapping{BatchSize: 8, MaxRetries: 1, BisectOnError: true, ReportBatchItemFailures: true},
		func(_ int, e event) (any, bool, error) {
			return failures(slices.DeleteFunc([]string{at(e, "c")}, empty)...), false, nil
		},
		[]string{"a b c d e f g h", "c d e f g h", "c d e", "c d", "c", "c", "d", "e", "f g h"}, []string{"c"}, 6},
	{"a function that cannot run costs no retry", Mapping{BatchSize: 8, MaxRetries: 0},
		func(call int, _ event) (any, bool, error) {
			if call < 5 {
				return nil, false, errors.New("throttled")
			}
			return nil, false, nil
		},
		slices.Repeat([]string{"a b c d e f g h"}, 6), nil, 0},
}

func has(e event, key string) bool { return at(e, key) != "" }

func TestDelivery(t *testing.T) {
	for _, c := range deliveries {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newTable(t)
			x.put("a", "b", "c", "d", "e", "f", "g", "h")
			f := newFar(c.answer)
			c.mapping.Table, c.mapping.Function, c.mapping.StartingPosition, c.mapping.OnFailure = x.name, "settle", TrimHorizon, "failed"
			o := options(t, f, c.mapping)
			p := begin(t, o)
			quiet(t, p)
			expect(t, f, c.want...)
			var gone []string
			for path, doc := range kept(t, o.OnFailureDir) {
				gone = append(gone, payloadKeys(t, doc))
				checkInvocationRecord(t, doc, strings.TrimPrefix(path, o.OnFailureDir), x.name, c.invokes)
			}
			if !slices.Equal(gone, c.gone) {
				t.Errorf("given up %q, want %q", gone, c.gone)
			}
		})
	}
}

func empty(s string) bool { return s == "" }

func payloadKeys(t *testing.T, doc invocationRecord) string {
	t.Helper()
	var e event
	if err := json.Unmarshal([]byte(doc.Payload), &e); err != nil {
		t.Fatal(err)
	}
	return keysOf(e)
}

func checkInvocationRecord(t *testing.T, doc invocationRecord, path, table string, invokes int) {
	t.Helper()
	var e event
	if err := json.Unmarshal([]byte(doc.Payload), &e); err != nil {
		t.Fatal(err)
	}
	r, b := doc.RequestContext, doc.Batch
	if r.Condition != "RetryAttemptsExhausted" || r.ApproximateInvokeCount != invokes || r.RequestID == "" ||
		!strings.HasSuffix(r.FunctionARN, ":function:settle") || doc.Version != "1.0" || doc.ResponseContext.StatusCode != 200 {
		t.Errorf("on-failure record %+v", doc)
	}
	if b.BatchSize != len(e.Records) || b.StartSequence != e.Records[0].Change.Sequence ||
		b.EndSequence != e.Records[len(e.Records)-1].Change.Sequence || !strings.Contains(b.StreamARN, "table/"+table) ||
		b.ShardID == "" || b.FirstArrival == "" || b.LastArrival == "" {
		t.Errorf("batch %+v", b)
	}
	if !strings.HasPrefix(path, "/failed/aws/lambda/") || !strings.Contains(path, "/"+b.ShardID+"/") {
		t.Errorf("kept at %s", path)
	}
}

// A killed process is a failed invocation: the batch is delivered again.
func TestKilledProcessIsRetried(t *testing.T) {
	x := newTable(t)
	x.put("a", "b")
	f := newFar(func(call int, _ event) (any, bool, error) {
		script := "exit 0"
		if call == 0 {
			script = "kill -KILL $$"
		}
		err := exec.Command("sh", "-c", script).Run()
		return nil, err != nil, nil
	})
	p := begin(t, options(t, f, Mapping{Table: x.name, Function: "settle", MaxRetries: 1, StartingPosition: TrimHorizon}))
	quiet(t, p)
	expect(t, f, "a b", "a b")
	if s := p.Stats()["settle/"+x.name]; s.Delivered != 2 || s.Invocations != 2 || s.Failures != 1 || s.Discarded != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestOldRecordsAreGivenUp(t *testing.T) {
	x := newTable(t)
	clock := &clock{offset: 0}
	f := newFar(func(call int, _ event) (any, bool, error) {
		clock.forward(2 * time.Hour) // the batch ages while it fails
		return nil, true, nil
	})
	o := options(t, f, Mapping{Table: x.name, Function: "settle", MaxRetries: -1, MaxAge: 5 * time.Hour,
		OnFailure: "failed", StartingPosition: TrimHorizon})
	o.Now = clock.now
	p := begin(t, o)
	x.put("a")
	quiet(t, p)
	expect(t, f, "a", "a", "a")
	docs := kept(t, o.OnFailureDir)
	if len(docs) != 1 {
		t.Fatalf("%d on-failure records", len(docs))
	}
	for _, doc := range docs {
		if doc.RequestContext.Condition != "RecordAgeExceeded" || doc.RequestContext.ApproximateInvokeCount != 3 ||
			doc.ResponseContext.FunctionError != "Unhandled" || payloadKeys(t, doc) != "a" {
			t.Errorf("on-failure record %+v", doc)
		}
	}
}

// Time in which nothing polled must not age a record: a shop that was off over night still settles its orders.
func TestTimeOffDoesNotAge(t *testing.T) {
	x := newTable(t)
	x.put("a")
	f := newFar(succeed)
	o := options(t, f, Mapping{Table: x.name, Function: "settle", MaxAge: time.Hour, StartingPosition: TrimHorizon})
	o.Now = (&clock{offset: 12 * time.Hour}).now
	quiet(t, begin(t, o))
	expect(t, f, "a")
}

type clock struct {
	mu     sync.Mutex
	offset time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	c.offset += d
	c.mu.Unlock()
}

func TestRecordsThatCannotBeKeptAreNotLost(t *testing.T) {
	x := newTable(t)
	x.put("a")
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	f := newFar(func(call int, _ event) (any, bool, error) {
		if call == 3 { // the disk has room again
			if err := os.Remove(blocked); err != nil {
				return nil, false, err
			}
		}
		return nil, true, nil
	})
	o := options(t, f, Mapping{Table: x.name, Function: "settle", OnFailure: "failed", StartingPosition: TrimHorizon})
	o.OnFailureDir = blocked
	quiet(t, begin(t, o))
	if docs := kept(t, blocked); len(docs) != 1 || len(f.seen()) != 4 {
		t.Errorf("%d kept after %q", len(docs), f.seen())
	}
}

// With four lanes different items run at the same time, and each item's changes stay in order.
func TestParallelLanesKeepTheOrderOfAnItem(t *testing.T) {
	const items, versions = 16, 5
	x := newTable(t)
	var mu sync.Mutex
	last, running, most := map[string]string{}, 0, 0
	together := make(chan struct{}) // closed when two invocations have met
	f := newFar(func(_ int, e event) (any, bool, error) {
		mu.Lock()
		if running++; running == 2 && most < 2 {
			close(together)
		}
		most = max(most, running)
		mu.Unlock()
		<-together
		mu.Lock()
		defer mu.Unlock()
		running--
		for _, r := range e.Records {
			key, version := r.Change.Keys["pk"].S, r.Change.NewImage["value"].S
			if version <= last[key] {
				t.Errorf("item %s: version %s after %s", key, version, last[key])
			}
			last[key] = version
		}
		return nil, false, nil
	})
	for v := range versions {
		for i := range items {
			if err := x.write(t.Context(), fmt.Sprint("item", i), "ORDER", fmt.Sprint(v+1)); err != nil {
				t.Fatal(err)
			}
		}
	}
	p := begin(t, options(t, f, Mapping{Table: x.name, Function: "settle", BatchSize: 2, ParallelizationFactor: 4, StartingPosition: TrimHorizon}))
	quiet(t, p)
	for i := range items {
		if got := last[fmt.Sprint("item", i)]; got != fmt.Sprint(versions) {
			t.Errorf("item %d ended at version %q", i, got)
		}
	}
	if most < 2 || most > 4 {
		t.Errorf("%d invocations at the same time", most)
	}
}

func TestBatchingWindow(t *testing.T) {
	x := newTable(t)
	f := newFar(succeed)
	p := begin(t, options(t, f, Mapping{Table: x.name, Function: "tally", BatchSize: 3, BatchingWindow: 5 * time.Minute, StartingPosition: TrimHorizon}))
	x.put("a", "b")
	p.Notify(x.name)
	x.put("c")
	p.Notify(x.name)
	<-f.changed // a full batch does not wait
	expect(t, f, "a b c")
	x.put("d")
	quiet(t, p) // and Quiet does not either
	expect(t, f, "a b c", "d")
}

func TestBatchingWindowEnds(t *testing.T) {
	x := newTable(t)
	f := newFar(succeed)
	begin(t, options(t, f, Mapping{Table: x.name, Function: "tally", BatchSize: 100, BatchingWindow: 100 * time.Millisecond, StartingPosition: TrimHorizon}))
	x.put("a")
	<-f.changed
	expect(t, f, "a")
}

func TestBatchesStayBelowSixMegabytes(t *testing.T) {
	x := newTable(t)
	big := strings.Repeat("x", 350_000)
	for i := range 20 {
		if err := x.write(t.Context(), fmt.Sprintf("k%02d", i), "ORDER", big); err != nil {
			t.Fatal(err)
		}
	}
	most := 0
	f := newFar(succeed)
	o := options(t, f, Mapping{Table: x.name, Function: "tally", StartingPosition: TrimHorizon})
	o.Invoke = func(ctx context.Context, name string, payload []byte) ([]byte, bool, error) {
		most = max(most, len(payload))
		return f.invoke(ctx, name, payload)
	}
	quiet(t, begin(t, o))
	if most > 6<<20 || len(f.seen()) != 2 {
		t.Errorf("largest event %d bytes in %d invocations", most, len(f.seen()))
	}
}

func TestRestartResumes(t *testing.T) {
	x := newTable(t)
	file := filepath.Join(t.TempDir(), "deep", "checkpoints.json")
	run := func(f *far) {
		o := options(t, f, Mapping{Table: x.name, Function: "settle", StartingPosition: TrimHorizon,
			Filters: []string{`{"dynamodb":{"Keys":{"pk":{"S":[{"anything-but":"c"}]}}}}`}})
		o.CheckpointFile = file
		p := begin(t, o)
		quiet(t, p)
		if err := p.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	x.put("a", "b", "c")
	first, second, third := newFar(succeed), newFar(succeed), newFar(succeed)
	run(first)
	expect(t, first, "a b")
	x.put("d")
	run(second)
	expect(t, second, "d")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	run(third) // a lost checkpoint repeats, it never skips
	expect(t, third, "a b d")
}

// A batch that was cut short by a stop comes again, and so does everything after it, although lanes beside it were
// further on.
func TestStopLeavesUnfinishedRecordsForTheNextStart(t *testing.T) {
	x := newTable(t)
	x.put("a", "b", "c", "d")
	file := filepath.Join(t.TempDir(), "checkpoints.json")
	f := newFar(func(_ int, e event) (any, bool, error) { return nil, at(e, "b") != "", nil })
	o := options(t, f, Mapping{Table: x.name, Function: "settle", BatchSize: 1, MaxRetries: -1, StartingPosition: TrimHorizon})
	o.CheckpointFile = file
	p := begin(t, o)
	for range 5 { // a, then b again and again
		<-f.changed
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	again := newFar(succeed)
	o.Invoke = again.invoke
	quiet(t, begin(t, o))
	expect(t, again, "b", "c", "d")
}

func TestLatestBeginsAtTheFirstStart(t *testing.T) {
	x := newTable(t)
	x.put("before")
	f := newFar(succeed)
	o := options(t, f, Mapping{Table: x.name, Function: "tally", StartingPosition: Latest})
	o.CheckpointFile = filepath.Join(t.TempDir(), "checkpoints.json")
	p := begin(t, o)
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	x.put("between")
	quiet(t, begin(t, o))
	expect(t, f, "between")
}

func TestReplayDeliversEverythingAgain(t *testing.T) {
	x := newTable(t)
	x.put("a", "b", "c")
	f := newFar(succeed)
	o := options(t, f, Mapping{Table: x.name, Function: "settle", BatchSize: 2, MaxAge: time.Hour, StartingPosition: Latest})
	clock := &clock{}
	o.Now = clock.now
	p := begin(t, o)
	x.put("d")
	quiet(t, p)
	expect(t, f, "d")
	clock.forward(2 * time.Hour) // replay is about records of any age
	if err := p.Replay(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, f, "d", "a b", "c d")
	clock.forward(-2 * time.Hour)
	x.put("e")
	quiet(t, p)
	expect(t, f, "d", "a b", "c d", "e")
}

// Quiet must not return before what a write caused is done, over three tables and back to the first.
func TestQuietIsExact(t *testing.T) {
	orders, ledger, counts := newTable(t), newTable(t), newTable(t)
	var mu sync.Mutex
	done := map[string]bool{}
	p := begin(t, Options{Client: orders.c, StreamsClient: enginetest.StreamsClient(t), Mappings: []Mapping{
		{Table: orders.name, Function: "attribute", StartingPosition: TrimHorizon, ParallelizationFactor: 2},
		{Table: orders.name, Function: "settle", StartingPosition: TrimHorizon},
		{Table: ledger.name, Function: "tally", StartingPosition: TrimHorizon, BatchingWindow: time.Minute},
		{Table: counts.name, Function: "seen", StartingPosition: TrimHorizon},
	}, Invoke: func(ctx context.Context, function string, payload []byte) ([]byte, bool, error) {
		var e event
		if err := json.Unmarshal(payload, &e); err != nil {
			return nil, false, err
		}
		for _, r := range e.Records {
			pk, sk := r.Change.Keys["pk"].S, r.Change.Keys["sk"].S
			var err error
			switch {
			case function == "attribute" && sk == "ORDER":
				err = orders.write(ctx, pk, "AWARD", "1")
			case function == "settle" && sk == "AWARD":
				err = ledger.write(ctx, pk, "FACT", "1")
			case function == "tally":
				err = counts.write(ctx, pk, "COUNT", "1")
			case function == "seen":
				mu.Lock()
				done[pk] = true
				mu.Unlock()
			}
			if err != nil {
				return nil, true, nil
			}
		}
		return nil, false, nil
	}})
	for i := range 40 {
		key := fmt.Sprint("order", i)
		orders.put(key)
		quiet(t, p)
		mu.Lock()
		if !done[key] {
			t.Errorf("%s is not through when the streams are quiet", key)
		}
		mu.Unlock()
	}
}

func TestQuietEndsWithItsContext(t *testing.T) {
	x := newTable(t)
	x.put("a")
	f := newFar(func(int, event) (any, bool, error) { return nil, true, nil })
	p := begin(t, options(t, f, Mapping{Table: x.name, Function: "settle", MaxRetries: -1, StartingPosition: TrimHorizon}))
	<-f.changed
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-f.changed; cancel() }()
	err := p.Quiet(ctx)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "1 records in delivery") {
		t.Errorf("error %v", err)
	}
}

func TestMappingsThatLambdaWouldRefuse(t *testing.T) {
	x := newTable(t)
	good := Mapping{Table: x.name, Function: "settle", StartingPosition: TrimHorizon}
	plain := enginetest.Name("plain")
	if err := engine.CreateTables(t.Context(), x.c, []engine.Table{{Name: plain}}); err != nil {
		t.Fatal(err)
	}
	for says, change := range map[string]func(m *Mapping){
		"batch size 10001":       func(m *Mapping) { m.BatchSize = 10_001 },
		"parallelization factor": func(m *Mapping) { m.ParallelizationFactor = 11 },
		"batching window":        func(m *Mapping) { m.BatchingWindow = time.Hour },
		"retry limit":            func(m *Mapping) { m.MaxRetries = -2 },
		"starting position":      func(m *Mapping) { m.StartingPosition = "EARLIEST" },
		"no folder for them":     func(m *Mapping) { m.OnFailure = "failed" },
		"not a known form":       func(m *Mapping) { m.Filters = []string{`{"a":[{"regex":"x"}]}`} },
		"has no stream":          func(m *Mapping) { m.Table = plain },
		"find the stream":        func(m *Mapping) { m.Table = "missing" },
		"needs a function":       func(m *Mapping) { m.Function = "" },
	} {
		m := good
		change(&m)
		_, err := Start(t.Context(), Options{Client: x.c, StreamsClient: enginetest.StreamsClient(t), Mappings: []Mapping{m}})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %q", err, says)
		}
	}
	_, err := Start(t.Context(), Options{Client: x.c, StreamsClient: enginetest.StreamsClient(t), Mappings: []Mapping{good, good}})
	if err == nil || !strings.Contains(err.Error(), "declared twice") {
		t.Errorf("twice: %v", err)
	}
}

func TestRecordsGivenUpAreLogged(t *testing.T) {
	x := newTable(t)
	x.put("a")
	var log bytes.Buffer
	o := options(t, newFar(func(int, event) (any, bool, error) { return nil, true, nil }),
		Mapping{Table: x.name, Function: "settle", StartingPosition: TrimHorizon})
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	p := begin(t, o)
	quiet(t, p)
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "stream records given up") || !strings.Contains(log.String(), "RetryAttemptsExhausted") {
		t.Errorf("log %s", log.String())
	}
}
