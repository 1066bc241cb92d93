// Package wire stands between functions and the store as a plain HTTP proxy. It counts what really crosses the wire,
// so that costs per request are measured and not assumed, it says when a table has been written, and it can break
// things on purpose by a plan that is the same at every run.
package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// DynamoDB's limit for one request, bytes, and one that no answer of it reaches: pages end at 1 MB, batches at 16 MB.
const maxRequest, maxResponse = 16 << 20, 64 << 20

// Proxy forwards requests to one store. A process that is to be measured by itself gets a Proxy by itself; they are
// cheap. Its methods are safe for concurrent use.
type Proxy struct {
	URL string // http://127.0.0.1:<port>, what clients use as their endpoint

	target string // scheme and host of the store
	client *http.Client
	server *http.Server

	mu     sync.Mutex
	counts Counts
	round  int64
	plan   *running
	tables [][]byte
	names  []string
	notify func(tables ...string)
}

// Counts is what has crossed the wire since New or Reset.
type Counts struct {
	Ops map[string]Op // by operation: GetItem, TransactWriteItems, …

	Kinds map[Kind]int64 // calls that a fault was applied to, by kind

	// Rounds is the longest chain of calls of which each began after the one before had ended: how many times a caller
	// had to wait for the store, however many calls it made at once. It means something for one request at a time, or
	// as a sum over requests made one after the other.
	Rounds int64
}

// Op counts one operation.
type Op struct {
	Calls         int64
	Refused       int64 // answered with a status of 400 or more, by the store or by a fault
	Faults        int64 // calls that a fault was applied to
	RequestBytes  int64 // bodies only
	ResponseBytes int64
	ReadUnits     float64 // consumed capacity, where the request asked for it
	WriteUnits    float64
	Time          time.Duration // summed over calls, as the client sees it
}

// Add sums two counts.
func (o Op) Add(x Op) Op {
	return Op{
		Calls: o.Calls + x.Calls, Refused: o.Refused + x.Refused, Faults: o.Faults + x.Faults,
		RequestBytes: o.RequestBytes + x.RequestBytes, ResponseBytes: o.ResponseBytes + x.ResponseBytes,
		ReadUnits: o.ReadUnits + x.ReadUnits, WriteUnits: o.WriteUnits + x.WriteUnits, Time: o.Time + x.Time,
	}
}

// Total is the sum over all operations.
func (c Counts) Total() Op {
	var sum Op
	for _, op := range c.Ops {
		sum = sum.Add(op)
	}
	return sum
}

func emptyCounts() Counts { return Counts{Ops: map[string]Op{}, Kinds: map[Kind]int64{}} }

// transport is shared by all proxies of a process: their connections all lead to the same store.
var transport = &http.Transport{
	DialContext:  (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
	MaxIdleConns: 512, MaxIdleConnsPerHost: 512, IdleConnTimeout: 90 * time.Second,
	DisableCompression: true, // the store's bytes pass as they are
}

// New listens on a loopback port that the kernel chooses and forwards to target, the store's endpoint.
func New(target string) (*Proxy, error) {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("store proxy: %q is not an endpoint", target)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("store proxy: %w", err)
	}
	p := &Proxy{URL: "http://" + l.Addr().String(), target: u.Scheme + "://" + u.Host,
		client: &http.Client{Transport: transport}, counts: emptyCounts()}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0)} // clients that are killed in mid-request are nothing to report
	go func() { _ = p.server.Serve(l) }()
	return p, nil
}

// Close stops listening and cuts the connections.
func (p *Proxy) Close() error {
	if err := p.server.Close(); err != nil {
		return fmt.Errorf("close store proxy: %w", err)
	}
	return nil
}

// Snapshot is a copy of the counts.
func (p *Proxy) Snapshot() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Counts{Ops: maps.Clone(p.counts.Ops), Kinds: maps.Clone(p.counts.Kinds), Rounds: p.counts.Rounds}
}

// Reset starts the counts anew and returns what they were.
func (p *Proxy) Reset() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.counts
	p.counts = emptyCounts()
	return out
}

// OnWrite calls notify after each write that the store has answered with those of the named tables that the request
// mentions, and not at all when it mentions none. It must return quickly: the client waits for it.
func (p *Proxy) OnWrite(tables []string, notify func(tables ...string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.names, p.notify, p.tables = tables, notify, nil
	for _, t := range tables {
		p.tables = append(p.tables, []byte(`"`+t+`"`))
	}
}

// ServeHTTP forwards one request.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	_, name, _ := strings.Cut(q.Header.Get("X-Amz-Target"), ".")
	body, err := readBody(q.Body, q.ContentLength, maxRequest)
	if err != nil {
		http.Error(w, "request could not be read", http.StatusBadRequest)
		return
	}
	began := time.Now()
	round, fault := p.begin(name)
	a := p.answer(q, name, body, fault)
	p.end(name, round, Op{Calls: 1, Refused: count(a.status >= 400), Faults: count(fault.Kind != None),
		RequestBytes: int64(len(body)), ResponseBytes: int64(len(a.body)), ReadUnits: a.read, WriteUnits: a.write, Time: time.Since(began)})
	if a.lost {
		// The server cuts the connection without a word: what a client sees when the network fails.
		panic(http.ErrAbortHandler)
	}
	header := w.Header()
	for k, v := range a.header {
		header[k] = v
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// readBody reads a body whose length is usually announced.
func readBody(r io.Reader, announced, limit int64) ([]byte, error) {
	if announced > limit {
		return nil, fmt.Errorf("body of %d bytes; the limit is %d", announced, limit)
	}
	if announced >= 0 {
		body := make([]byte, announced)
		_, err := io.ReadFull(r, body)
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = fmt.Errorf("body of more than %d bytes", limit)
	}
	return body, err
}

func count(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// begin gives a call its round and its fault.
func (p *Proxy) begin(name string) (round int64, fault Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.plan != nil {
		fault = p.plan.next(name)
	}
	if fault.Kind != None {
		p.counts.Kinds[fault.Kind]++
	}
	return p.round, fault
}

// end counts a call. The first call of a round that ends closes it: whatever begins from now on may depend on it. This
// picks the longest chain of calls that do not overlap.
func (p *Proxy) end(name string, round int64, call Op) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if round == p.round {
		p.round++
		p.counts.Rounds++
	}
	p.counts.Ops[name] = p.counts.Ops[name].Add(call)
}

// answer is what goes back to the client.
type answer struct {
	status      int
	header      http.Header
	body        []byte
	read, write float64
	lost        bool
}

// answer applies the fault and asks the store where the fault lets it.
func (p *Proxy) answer(q *http.Request, name string, body []byte, fault Fault) answer {
	switch fault.Kind {
	case LostRequest:
		return answer{lost: true}
	case Throttle, Conflict, ServerError:
		return fault.refusal(name, body)
	}
	if fault.Delay > 0 {
		timer := time.NewTimer(fault.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-q.Context().Done():
		}
	}
	a := p.forward(q, name, body)
	if fault.Kind == LostResponse {
		a.lost = true
	}
	return a
}

// forward asks the store. A client that goes away does not take its request back: what has been sent counts, as it
// would over a real network.
func (p *Proxy) forward(q *http.Request, name string, body []byte) answer {
	ctx := context.WithoutCancel(q.Context())
	out, err := http.NewRequestWithContext(ctx, q.Method, p.target+q.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return unreachable(err)
	}
	out.Header = q.Header.Clone()
	for _, hop := range []string{"Connection", "Keep-Alive", "Transfer-Encoding", "Te", "Trailer", "Upgrade"} {
		out.Header.Del(hop)
	}
	out.Host = q.Host // the signature covers it
	res, err := p.client.Do(out)
	if err != nil {
		return unreachable(err)
	}
	defer res.Body.Close()
	a := answer{status: res.StatusCode, header: res.Header}
	if a.body, err = readBody(res.Body, res.ContentLength, maxResponse); err != nil {
		return unreachable(err)
	}
	a.header.Del("Connection")
	a.header.Del("Transfer-Encoding")
	if res.StatusCode < 300 {
		if reads[name] {
			a.read = consumed(a.body)
		} else {
			a.write = consumed(a.body)
			p.announce(body)
		}
	}
	return a
}

// unreachable answers for a store that does not: the SDK repeats a 503.
func unreachable(err error) answer {
	body, _ := json.Marshal(map[string]string{"__type": "com.amazonaws.dynamodb.v20120810#ServiceUnavailable",
		"message": "the store does not answer: " + err.Error()})
	return answer{status: http.StatusServiceUnavailable, header: jsonHeader(), body: body}
}

func jsonHeader() http.Header { return http.Header{"Content-Type": {"application/x-amz-json-1.0"}} }

// reads are the operations that change nothing.
var reads = map[string]bool{
	"GetItem": true, "BatchGetItem": true, "TransactGetItems": true, "Query": true, "Scan": true,
	"DescribeTable": true, "ListTables": true, "DescribeTimeToLive": true,
}

// announce names the written tables. A table's name in quotes is looked for in the request as it is: a false hit costs
// one early poll, parsing every request would cost more.
func (p *Proxy) announce(body []byte) {
	p.mu.Lock()
	names, tables, notify := p.names, p.tables, p.notify
	p.mu.Unlock()
	if notify == nil {
		return
	}
	var written []string
	for i, quoted := range tables {
		if bytes.Contains(body, quoted) {
			written = append(written, names[i])
		}
	}
	if len(written) > 0 {
		notify(written...)
	}
}

// consumed is the capacity that an answer reports, summed over its tables. Only that part of the answer is parsed. The
// key cannot come from inside a text, where its quotes would be escaped; an attribute of that name has no units.
func consumed(body []byte) (units float64) {
	const key = `"ConsumedCapacity":`
	for rest := body; ; {
		i := bytes.Index(rest, []byte(key))
		if i < 0 {
			return units
		}
		rest = rest[i+len(key):]
		var part json.RawMessage
		if json.NewDecoder(bytes.NewReader(rest)).Decode(&part) != nil {
			return units
		}
		type capacity struct{ CapacityUnits float64 }
		var one capacity
		var several []capacity
		switch {
		case json.Unmarshal(part, &one) == nil:
			units += one.CapacityUnits
		case json.Unmarshal(part, &several) == nil:
			for _, c := range several {
				units += c.CapacityUnits
			}
		}
	}
}
