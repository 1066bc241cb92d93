package streams

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"yundian/infra/local/engine"
)

// service answers like DynamoDB Streams where the local engines never go within a test: shards that close and have
// children, iterators that expire, records that have been removed.
type service struct {
	mu      sync.Mutex
	shards  []*serviceShard
	expired bool // every iterator given out so far is too old
	asked   []string
}

type serviceShard struct {
	id, parent string
	closed     bool
	records    []string // keys; the sequence number is the place plus first
	first      int
}

func (s *service) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var in struct{ ShardId, ShardIteratorType, SequenceNumber, ShardIterator string }
	if err := json.NewDecoder(q.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, operation, _ := strings.Cut(q.Header.Get("X-Amz-Target"), ".")
	switch operation {
	case "DescribeStream":
		var list []any
		for _, shard := range s.shards {
			list = append(list, map[string]any{"ShardId": shard.id, "ParentShardId": shard.parent})
		}
		answer(w, 200, map[string]any{"StreamDescription": map[string]any{"Shards": list}})
	case "GetShardIterator":
		s.asked = append(s.asked, in.ShardId+" "+in.ShardIteratorType+" "+in.SequenceNumber)
		shard, place := s.shard(in.ShardId), 0
		if in.SequenceNumber != "" {
			var seq int
			fmt.Sscan(in.SequenceNumber, &seq)
			if place = seq + 1 - shard.first; place < 0 {
				answer(w, 400, map[string]any{"__type": "com.amazonaws.dynamodb.v20120810#TrimmedDataAccessException", "message": "gone"})
				return
			}
		}
		s.expired = false
		answer(w, 200, map[string]any{"ShardIterator": fmt.Sprintf("%s %d", in.ShardId, place)})
	case "GetRecords":
		s.getRecords(w, in.ShardIterator)
	default:
		http.Error(w, operation, http.StatusBadRequest)
	}
}

func (s *service) getRecords(w http.ResponseWriter, iterator string) {
	if s.expired {
		answer(w, 400, map[string]any{"__type": "com.amazonaws.dynamodb.v20120810#ExpiredIteratorException", "message": "old"})
		return
	}
	var id string
	var place int
	fmt.Sscan(iterator, &id, &place)
	shard := s.shard(id)
	list := []any{}
	for i := place; i < len(shard.records); i++ {
		key := map[string]any{"pk": map[string]string{"S": shard.records[i]}, "sk": map[string]string{"S": "ORDER"}}
		list = append(list, map[string]any{"eventName": "INSERT", "dynamodb": map[string]any{
			"SequenceNumber": fmt.Sprint(shard.first + i), "Keys": key, "NewImage": key}})
	}
	out := map[string]any{"Records": list}
	if !shard.closed {
		out["NextShardIterator"] = fmt.Sprintf("%s %d", id, len(shard.records))
	}
	answer(w, 200, out)
}

func (s *service) shard(id string) *serviceShard {
	return s.shards[slices.IndexFunc(s.shards, func(x *serviceShard) bool { return x.id == id })]
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (s *service) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *service) options(t *testing.T, f *far, start string) Options {
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return Options{StreamsClient: engine.StreamsClient(server.URL), Invoke: f.invoke, Mappings: []Mapping{
		{Table: "orders", StreamARN: exampleARN, Function: "settle", StartingPosition: start}}}
}

func TestChildrenFollowTheirParent(t *testing.T) {
	s := &service{shards: []*serviceShard{{id: "old", records: []string{"a", "b"}, first: 1}}}
	f := newFar(succeed)
	o := s.options(t, f, TrimHorizon)
	o.CheckpointFile = filepath.Join(t.TempDir(), "checkpoints.json")
	p := begin(t, o)
	quiet(t, p)
	expect(t, f, "a b")
	s.change(func() {
		s.shards[0].records, s.shards[0].closed = []string{"a", "b", "c"}, true
	})
	quiet(t, p) // closed, and no child listed yet
	s.change(func() {
		s.shards = append(s.shards, &serviceShard{id: "new", parent: "old", records: []string{"d"}, first: 10})
	})
	quiet(t, p)
	expect(t, f, "a b", "c", "d")
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	s.change(func() { s.shards[1].records = []string{"d", "e"} })
	again := newFar(succeed)
	o.Invoke = again.invoke
	p = begin(t, o)
	quiet(t, p) // the finished parent stays finished
	expect(t, again, "e")
	if err := p.Replay(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, again, "e", "a b c", "d e")
}

func TestLatestSkipsClosedShards(t *testing.T) {
	s := &service{shards: []*serviceShard{{id: "old", closed: true, records: []string{"a"}, first: 1},
		{id: "new", parent: "old", records: []string{"b"}, first: 10}}}
	f := newFar(succeed)
	p := begin(t, s.options(t, f, Latest))
	s.change(func() { s.shards[1].records = []string{"b", "c"} })
	quiet(t, p)
	expect(t, f, "c")
}

func TestExpiredIteratorIsReplaced(t *testing.T) {
	s := &service{shards: []*serviceShard{{id: "only", records: []string{"a"}, first: 1}}}
	f := newFar(succeed)
	p := begin(t, s.options(t, f, TrimHorizon))
	quiet(t, p)
	s.change(func() { s.expired, s.shards[0].records = true, []string{"a", "b"} })
	quiet(t, p)
	expect(t, f, "a", "b")
	if want := []string{"only TRIM_HORIZON ", "only AFTER_SEQUENCE_NUMBER 1"}; !slices.Equal(s.asked, want) {
		t.Errorf("iterators asked for: %q, want %q", s.asked, want)
	}
}

func TestRemovedRecordsDoNotStopAShard(t *testing.T) {
	s := &service{shards: []*serviceShard{{id: "only", records: []string{"a"}, first: 1}}}
	f := newFar(succeed)
	o := s.options(t, f, TrimHorizon)
	o.CheckpointFile = filepath.Join(t.TempDir(), "checkpoints.json")
	p := begin(t, o)
	quiet(t, p)
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	s.change(func() { s.shards[0].records, s.shards[0].first = []string{"z"}, 50 })
	quiet(t, begin(t, o))
	expect(t, f, "a", "z")
}

func TestTwoRootsAreReadTogether(t *testing.T) {
	s := &service{shards: []*serviceShard{{id: "left", records: []string{"a"}, first: 1}, {id: "right", records: []string{"b"}, first: 1}}}
	f := newFar(succeed)
	p := begin(t, s.options(t, f, TrimHorizon))
	quiet(t, p)
	got := f.seen()
	slices.Sort(got)
	if !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("delivered %q", got)
	}
}

func TestChildWaitsForItsParent(t *testing.T) {
	s := &service{shards: []*serviceShard{{id: "old", closed: true, records: []string{"a"}, first: 1},
		{id: "new", parent: "old", records: []string{"b"}, first: 10}}}
	f := newFar(func(call int, _ event) (any, bool, error) { return nil, call < 3, nil })
	o := s.options(t, f, TrimHorizon)
	o.Mappings[0].MaxRetries = -1
	quiet(t, begin(t, o))
	expect(t, f, "a", "a", "a", "a", "b")
}

// A table that was removed and made again has a new stream, about which the old checkpoint says nothing.
func TestCheckpointOfAnotherStreamIsIgnored(t *testing.T) {
	s := &service{shards: []*serviceShard{{id: "only", records: []string{"a", "b"}, first: 1}}}
	f := newFar(succeed)
	o := s.options(t, f, TrimHorizon)
	o.CheckpointFile = filepath.Join(t.TempDir(), "checkpoints.json")
	p := begin(t, o)
	quiet(t, p)
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	o.Mappings[0].StreamARN += "5"
	quiet(t, begin(t, o))
	expect(t, f, "a b", "a b")
}
