package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain lets the test binary be the load process that the bench starts.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == loadCommand {
		if err := serveLoad(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// What a request asks of the store is a promise: these numbers change only on purpose.
func TestWhatRequestsAskOfTheStore(t *testing.T) {
	b, err := newBench(true)
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(b.dir)
	b.Counted = 2
	wanted := map[string]string{
		"storefront by share link": "2 rounds: BatchGetItem 2",
		"product by share link":    "2 rounds: BatchGetItem 2", // the process remembers where the link leads
		"storefront":               "2 rounds: BatchGetItem 2",
		"product page":             "2 rounds: BatchGetItem 2",
		"basket page, 2 lines":     "1 rounds: BatchGetItem 1",
		"style sheet":              "0 rounds: ",
		"POST /touch":              "1 rounds: TransactWriteItems 1",
		"POST /quotes":             "1 rounds: BatchGetItem 1",
		"POST /orders, 1 line":     "2 rounds: BatchGetItem 1, TransactWriteItems 1",
		"POST /orders, 5 lines":    "2 rounds: BatchGetItem 1, TransactWriteItems 1",
		"POST /orders, returning":  "3 rounds: BatchGetItem 2, TransactWriteItems 1", // what became of their earlier orders
		"GET /orders/{id}, JSON":   "1 rounds: GetItem 1",
		"GET /orders/{id}/pay":     "2 rounds: GetItem 1, PutItem 1",
		"webhook: paid":            "2 rounds: GetItem 1, TransactWriteItems 1",
	}
	// A call that a busy machine answers late is sent again and counted twice. What a request needs is what it took in one
	// of three counts; a request that really asks for more does so in all of them.
	names := slices.Collect(maps.Keys(wanted))
	var r Report
	for range 3 {
		r = newReport(time.Now())
		if err := b.costs(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
		for name, want := range wanted {
			if x := r.route(name); short(x.Rounds)+" rounds: "+operations(x.Ops) == want {
				delete(wanted, name)
			}
		}
		if len(wanted) == 0 {
			break
		}
	}
	for name, want := range wanted {
		x := r.route(name)
		t.Errorf("%s takes %s rounds: %s, want %s", name, short(x.Rounds), operations(x.Ops), want)
	}
	for _, name := range names {
		if x := r.route(name); x.Calls > 0 && x.ReadUnits+x.WriteUnits == 0 && name != "POST /touch" { // the same touch again writes nothing
			t.Errorf("%s consumed nothing: the calls do not ask for their capacity", name)
		}
	}
	if whole := r.route("an order from placing to earnings"); whole.Calls > 24 || whole.WriteUnits > 60 {
		t.Errorf("an order takes %s calls and %s write units", short(whole.Calls), short(whole.WriteUnits))
	}
}

// The whole road is walked by the load process and ends in the right earnings, or the bench fails.
func TestRoad(t *testing.T) {
	b, err := newBench(true)
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(b.dir)
	b.LagOrders, b.RoadOrders, b.LagInterval = 3, 8, time.Millisecond
	r := newReport(time.Now())
	if err := b.roads(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	if r.Road.PerSecond <= 0 || r.Road.LagP95MS <= 0 || r.Road.PressP95 < r.Road.LagP95MS || r.Road.CPU.Load <= 0 {
		t.Errorf("measured %+v", r.Road)
	}
	if err := b.startups(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	r.Memory = b.peaks.rows()
	r.judge()
	var out bytes.Buffer
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"FUNCTION", "storefront by share link", "PAYMENT TO VISIBLE EARNINGS", "AIM"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
	if text, err := json.Marshal(r); err != nil || !bytes.Contains(text, []byte(`"lagP95Ms":`)) {
		t.Errorf("JSON %v %.200s", err, text)
	}
	for _, m := range r.Memory {
		if slices.Contains([]string{"runner", "checkout", "settle"}, m.Process) && m.PeakMB <= 1 {
			t.Errorf("%s used %v MB", m.Process, m.PeakMB)
		}
	}
}

// A backlog is settled to the right balances, or the bench fails; a KOC with more entries is read as well.
func TestSettlingAndDepth(t *testing.T) {
	b, err := newBench(true)
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(b.dir)
	b.SettledOrders, b.Entries, b.Latencies = 60, []int{100, 300}, 5
	r := newReport(time.Now())
	if err := b.settlings(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	if err := b.depths(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	if s := r.Settling; s.PerSecond <= 0 || s.AllCPUMS <= 0 || len(r.Depths) != 2 || r.depthRatio() <= 0 {
		t.Errorf("measured %+v %+v", s, r.Depths)
	}
}

// One more order is measured on both engines at every step, and the orders stored before are settled to the right balances,
// or the bench fails.
func TestGrowth(t *testing.T) {
	b, err := newBench(true)
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(b.dir)
	b.Stored, b.GrowthOrders, b.LagInterval = []int{8, 20}, 2, time.Millisecond
	r, err := b.measure(t.Context(), b.growthAlone())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"dynoxide, 8 stored", "dynoxide, 20 stored", "dynamodb-local, 8 stored", "dynamodb-local, 20 stored"} {
		if g := r.Growth[i]; g.PlaceP50MS <= 0 || g.LagP95MS <= 0 || g.EngineMS < 0 || !strings.Contains(out.String(), want) {
			t.Errorf("%s: measured %+v, printed\n%s", want, g, out.String())
		}
	}
}

// The curve is judged by the engine whose cost grows most.
func TestGrowthRatio(t *testing.T) {
	r := Report{Growth: []Growth{{Engine: "a", Stored: 100, PlaceP50MS: 5, EngineMS: 4}, {Engine: "a", Stored: 1000, PlaceP50MS: 7, EngineMS: 4},
		{Engine: "b", Stored: 100, PlaceP50MS: 10, EngineMS: 8}, {Engine: "b", Stored: 1000, PlaceP50MS: 12, EngineMS: 40}}}
	r.judge()
	if fmt.Sprint(r.Aims) != "[{placing p50, most stored to fewest 1.4 2 false true times, a} {engine CPU per order, the same 5 2 false false times, b}]" {
		t.Errorf("aims %v", r.Aims)
	}
}

// service counts what a load sends.
type service struct {
	mu    sync.Mutex
	paths map[string]int
	keys  map[string]bool
}

func (s *service) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths[q.Method+" "+q.URL.Path+" "+string(body)]++
	if key := q.Header.Get("Idempotency-Key"); key != "" {
		s.keys[key] = true
	}
	if q.URL.Path == "/missing" {
		w.WriteHeader(http.StatusNotFound)
	}
}

func serve(t *testing.T) (*service, string) {
	s := &service{paths: map[string]int{}, keys: map[string]bool{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server.URL
}

func TestLoadTakesCallsInTurn(t *testing.T) {
	s, address := serve(t)
	o, err := load(t.Context(), plan{Base: address, Clients: 3, Most: 8, WarmUp: 2, Calls: []call{
		{Method: "GET", Path: "/a", Status: 200}, {Method: "POST", Path: "/b", Body: "云", Fresh: true, Status: 200}}})
	if err != nil {
		t.Fatal(err)
	}
	// Four of each, and three of each to warm up.
	if len(o.Latencies) != 8 || s.paths["GET /a "] != 7 || s.paths["POST /b 云"] != 7 || len(s.keys) != 7 {
		t.Errorf("%d measured, sent %v with %d keys", len(o.Latencies), s.paths, len(s.keys))
	}
	if o.Elapsed <= 0 || o.CPU <= 0 || o.perSecond() <= 0 {
		t.Errorf("outcome %+v", o)
	}
}

func TestLoadEndsInTime(t *testing.T) {
	_, address := serve(t)
	o, err := load(t.Context(), plan{Base: address, Clients: 2, Most: 1 << 30, For: 50 * time.Millisecond, Calls: []call{{Method: "GET", Path: "/", Status: 200}}})
	if err != nil || o.Elapsed < 50*time.Millisecond || o.Elapsed > 10*time.Second {
		t.Errorf("%v after %v", err, o.Elapsed)
	}
}

func TestLoadRefusesWrongAnswers(t *testing.T) {
	_, address := serve(t)
	_, err := load(t.Context(), plan{Base: address, Clients: 2, Most: 10, Calls: []call{{Method: "GET", Path: "/missing", Status: 200}}})
	if err == nil || !strings.Contains(err.Error(), "GET /missing answered 404, not 200") {
		t.Errorf("error %v", err)
	}
}

func TestPercentiles(t *testing.T) {
	var d []time.Duration
	for i := range 100 {
		d = append(d, time.Duration(100-i))
	}
	for p, want := range map[int]time.Duration{0: 1, 50: 51, 95: 96, 99: 100, 100: 100} {
		if got := percentile(d, p); got != want {
			t.Errorf("p%d is %d, want %d", p, got, want)
		}
	}
	if percentile(nil, 50) != 0 || middle(nil) != 0 || middle([]float64{3, 1, 2}) != 2 || d[0] != 100 {
		t.Error("the median of nothing, of three, or a list that was sorted in place")
	}
}

func TestJudge(t *testing.T) {
	r := Report{Startups: []Startup{{Function: "a", Bytes: 9e6, Ratio: 1}, {Function: "b", Bytes: 11e6, Ratio: 2.4}},
		Routes: []Route{{Name: "storefront by share link", Rounds: 2}}, Throughput: []Throughput{{What: "storefront page", Clients: 8, PerSecond: 999}}}
	r.judge()
	var met []string
	for _, a := range r.Aims {
		if a.Met {
			met = append(met, a.Aim)
		}
	}
	// What was not measured is not met.
	if fmt.Sprint(met) != "[start-up, times hello's storefront, store rounds in sequence]" || r.Aims[1].Note != "b" {
		t.Errorf("met %q, %+v", met, r.Aims)
	}
}
