package streams

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

const (
	pageRecords   = 1000 // most records that GetRecords returns at once
	maxShardPages = 1000 // of 100 shards each: more than a day of any table has
)

// How often a shard is read. Writes are announced by Notify or follow an invocation, which wakes the readers, so the
// regular pace only has to find writes that came another way; it slows down while nothing happens. A store of the caller's
// may be far away or busy, so the pauses grow with what a read has cost: reading one shard takes at most a twentieth of
// the store's time.
const (
	paceBusy, busyFor     = 20 * time.Millisecond, time.Second
	paceQuiet, quietFor   = 50 * time.Millisecond, 10 * time.Second
	paceAsleep            = 100 * time.Millisecond
	slowestPace           = 500 * time.Millisecond
	gapShort, gapLong     = 4 * time.Millisecond, 200 * time.Millisecond
	pauseAfterReadFailure = 100 * time.Millisecond
	pauseForChildShards   = time.Second
)

// shardState is one shard of a stream and how far it has been delivered.
type shardState struct {
	id, parent string
	closed     bool
	place      shardPlace
}

// locate finds the mapping's stream and where to begin in each of its shards.
func (m *mapping) locate(ctx context.Context) ([]shardState, error) {
	if err := m.resolve(ctx); err != nil {
		return nil, err
	}
	shards, err := m.describe(ctx)
	if err != nil {
		return nil, err
	}
	saved, found := m.poller.saved.of(m.id, m.storeARN)
	places := map[string]shardPlace{}
	for i := range shards {
		s := &shards[i]
		s.place = saved[s.id]
		if !found && m.StartingPosition == Latest {
			// The end is written down as a place: a restart before the first delivery must not begin later than this.
			if s.place.After, err = m.lastSequence(ctx, s.id); err != nil {
				return nil, err
			}
			s.place.Ended = s.closed
		}
		places[s.id] = s.place
	}
	m.poller.saved.begin(m.id, m.storeARN, places)
	return shards, nil
}

// describe lists the shards of the stream, without places.
func (m *mapping) describe(ctx context.Context) ([]shardState, error) {
	var shards []shardState
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(m.storeARN)}
	for range maxShardPages {
		out, err := m.poller.o.StreamsClient.DescribeStream(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list the shards of table %s: %w", m.Table, err)
		}
		for _, s := range out.StreamDescription.Shards {
			// Only the number of children tells whether a shard is closed: Dynoxide fills in the ending number of
			// an open one.
			shards = append(shards, shardState{id: aws.ToString(s.ShardId), parent: aws.ToString(s.ParentShardId)})
		}
		in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId
		if in.ExclusiveStartShardId == nil {
			break
		}
	}
	for i := range shards {
		for j := range shards {
			if shards[j].parent == shards[i].id {
				shards[i].closed = true
			}
		}
	}
	return shards, nil
}

// lastSequence reads a shard to its end and returns the last sequence number, empty when it has no record.
func (m *mapping) lastSequence(ctx context.Context, shard string) (string, error) {
	r := &run{mapping: m, shard: shard}
	last := ""
	for {
		records, closed, err := r.fetch(ctx)
		if err != nil {
			return "", err
		}
		if n := len(records); n > 0 {
			last = aws.ToString(records[n-1].Dynamodb.SequenceNumber)
		}
		if closed || len(records) == 0 {
			return last, nil
		}
	}
}

// startReady starts every shard that is not finished or running and whose parent, if it is still listed, is finished:
// the children of a shard hold later changes of the same items.
func (m *mapping) startReady(shards []shardState) (started int) {
	p := m.poller
	p.mu.Lock()
	defer p.mu.Unlock()
	unfinished := map[string]bool{}
	for _, s := range shards {
		unfinished[s.id] = !s.place.Ended
	}
	for _, s := range shards {
		if s.place.Ended || unfinished[s.parent] || m.runs[s.id] != nil {
			continue
		}
		r := newRun(m, s, p.reading, p.invoking)
		m.runs[s.id] = r
		r.start()
		started++
	}
	return started
}

// run is the delivery of one shard to one function.
type run struct {
	mapping           *mapping
	shard             string
	replay            bool // once from the oldest record to the newest, without checkpoints or an age limit
	reading, invoking context.Context
	woken             chan struct{} // holds one token when there may be something to read
	finished          chan struct{} // closed when reader and lanes have ended

	// Used by the reader alone.
	iterator *string
	cost     time.Duration // of the last read
	failing  bool          // the last read failed

	// Guarded by Poller.mu.
	lanes     []*lane
	pending   []*record // read and not finished, and finished ones behind an unfinished one, in order
	open      int       // read and not finished
	last      string    // sequence number read last
	saved     string    // sequence number written down last
	emptySeen int64     // highest generation in which a read found nothing more
	draining  bool      // nothing more will be read; lanes end when they are empty
}

func newRun(m *mapping, s shardState, reading, invoking context.Context) *run {
	r := &run{mapping: m, shard: s.id, reading: reading, invoking: invoking, last: s.place.After, saved: s.place.After,
		woken: make(chan struct{}, 1), finished: make(chan struct{})}
	for range m.ParallelizationFactor {
		r.lanes = append(r.lanes, &lane{run: r})
	}
	return r
}

func (r *run) start() {
	workers := &r.mapping.poller.workers
	lanesDone := make(chan struct{}, len(r.lanes))
	for _, l := range r.lanes {
		workers.Go(func() { l.work(); lanesDone <- struct{}{} })
	}
	workers.Go(func() {
		defer close(r.finished)
		r.read()
		r.drain()
		for range r.lanes {
			<-lanesDone
		}
	})
}

// read follows the shard until it is closed and done, or until the poller stops.
func (r *run) read() {
	for r.awaitRoom() {
		generation := r.generation()
		began := time.Now()
		records, closed, err := r.fetch(r.reading)
		if err == nil {
			err = r.accept(records, generation)
		}
		if err != nil {
			r.readFailed(err)
			continue
		}
		r.cost, r.failing = time.Since(began), false
		switch {
		case closed:
			r.followChildren()
			return
		case len(records) == pageRecords:
		case r.replay && len(records) == 0:
			return
		case !r.replay:
			r.pause()
		}
	}
}

// awaitRoom waits until the lanes need more records; false means that the poller stops. The bound is what all lanes
// can deliver at once, so memory holds that and one page.
func (r *run) awaitRoom() bool {
	p, room := r.mapping.poller, r.mapping.BatchSize*r.mapping.ParallelizationFactor
	p.mu.Lock()
	defer p.mu.Unlock()
	for r.open >= room && !p.stopped && r.reading.Err() == nil {
		p.cond.Wait()
	}
	return !p.stopped && r.reading.Err() == nil
}

func (r *run) generation() int64 {
	p := r.mapping.poller
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.generation
}

func (r *run) readFailed(err error) {
	r.iterator = nil // it may have expired; the next read begins after the last record
	if !r.failing && r.reading.Err() == nil {
		r.mapping.poller.o.Log.Warn("stream not read, trying again", "mapping", r.mapping.id, "shard", r.shard, "error", err)
	}
	r.failing = true
	r.sleep(pauseAfterReadFailure)
}

// fetch reads the next page. closed means that the shard will never have more than these records.
func (r *run) fetch(ctx context.Context) (records []types.Record, closed bool, err error) {
	c := r.mapping.poller.o.StreamsClient
	if r.iterator == nil {
		if r.iterator, err = r.position(ctx, c); err != nil {
			return nil, false, fmt.Errorf("find the place in shard %s: %w", r.shard, err)
		}
	}
	out, err := c.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: r.iterator, Limit: aws.Int32(pageRecords)})
	if err != nil {
		return nil, false, fmt.Errorf("read shard %s: %w", r.shard, err)
	}
	r.iterator = out.NextShardIterator
	return out.Records, out.NextShardIterator == nil, nil
}

// position is an iterator behind the last record read. Only the reader changes r.last, so it reads it without the lock.
func (r *run) position(ctx context.Context, c *dynamodbstreams.Client) (*string, error) {
	in := &dynamodbstreams.GetShardIteratorInput{StreamArn: aws.String(r.mapping.storeARN), ShardId: aws.String(r.shard),
		ShardIteratorType: types.ShardIteratorTypeTrimHorizon}
	if r.last != "" {
		in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, aws.String(r.last)
	}
	out, err := c.GetShardIterator(ctx, in)
	if isTrimmed(err) {
		r.mapping.poller.o.Log.Warn("stream records were removed before they were read", "mapping", r.mapping.id, "after", r.last)
		in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeTrimHorizon, nil
		out, err = c.GetShardIterator(ctx, in)
	}
	if err != nil {
		return nil, err
	}
	return out.ShardIterator, nil
}

// accept filters a page and hands it to the lanes.
func (r *run) accept(page []types.Record, generation int64) error {
	m, p := r.mapping, r.mapping.poller
	seen := p.o.Now()
	records := make([]*record, len(page))
	for i, raw := range page {
		var err error
		if records[i], err = decode(raw, m.arn, p.o.Region, m.match, seen); err != nil {
			return err
		}
	}
	queued := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	m.stats.Read += int64(len(records))
	for _, rec := range records {
		rec.prev, r.last = r.last, rec.seq
		if rec.body == nil {
			m.stats.Filtered++
			continue
		}
		r.pending = append(r.pending, rec)
		r.open++
		r.lanes[rec.key%uint64(len(r.lanes))].add(rec, queued)
	}
	if len(records) == 0 {
		r.emptySeen = generation
	} else {
		p.lastActive = queued
		r.savePlace()
	}
	p.cond.Broadcast()
	return nil
}

// finish marks records as done and moves the checkpoint.
func (r *run) finish(records []*record, delivered bool) {
	p := r.mapping.poller
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, rec := range records {
		rec.done, rec.body = true, nil
	}
	r.open -= len(records)
	if delivered {
		r.mapping.stats.Delivered += int64(len(records))
	} else {
		r.mapping.stats.Discarded += int64(len(records))
	}
	for len(r.pending) > 0 && r.pending[0].done {
		r.pending = r.pending[1:]
	}
	r.savePlace()
	p.cond.Broadcast()
}

// savePlace writes down the record before the first unfinished one.
func (r *run) savePlace() {
	place := r.last
	if len(r.pending) > 0 {
		place = r.pending[0].prev
	}
	if r.replay || place == r.saved {
		return
	}
	r.saved = place
	r.mapping.poller.saved.put(r.mapping.id, r.shard, shardPlace{After: place})
}

// pause waits for the next read: until something is announced, but not at once after a read, and not for ever.
func (r *run) pause() {
	p := r.mapping.poller
	p.mu.Lock()
	quiet, hurried := time.Since(p.lastActive), p.hurried > 0
	p.mu.Unlock()
	gap := min(max(20*r.cost, gapShort), gapLong)
	if hurried {
		gap = 0
	}
	pace := max(paceAsleep, 20*r.cost)
	switch {
	case quiet < busyFor:
		pace = max(paceBusy, 4*r.cost)
	case quiet < quietFor:
		pace = max(paceQuiet, 20*r.cost)
	}
	r.sleep(gap)
	timer := time.NewTimer(min(pace, slowestPace))
	defer timer.Stop()
	select {
	case <-r.reading.Done():
	case <-r.woken:
	case <-timer.C:
	}
}

func (r *run) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-r.reading.Done():
	case <-timer.C:
	}
}

// drain lets the lanes deliver what is queued and waits until nothing is open.
func (r *run) drain() {
	p := r.mapping.poller
	p.mu.Lock()
	defer p.mu.Unlock()
	r.draining = true
	p.cond.Broadcast()
	for r.open > 0 && !p.stopped && r.reading.Err() == nil {
		p.cond.Wait()
	}
}

// followChildren ends a closed shard: when all of it is done, the shards that continue it are started. Until the
// engine lists them this run stands in for them, so that Quiet keeps asking.
func (r *run) followChildren() {
	if r.drain(); r.replay || r.reading.Err() != nil {
		return
	}
	m, p := r.mapping, r.mapping.poller
	p.saved.put(m.id, r.shard, shardPlace{After: r.last, Ended: true})
	for r.reading.Err() == nil {
		generation := r.generation()
		shards, err := m.describe(r.reading)
		if err != nil {
			r.readFailed(err)
			continue
		}
		saved, _ := p.saved.of(m.id, m.storeARN)
		for i := range shards {
			shards[i].place = saved[shards[i].id]
		}
		started := m.startReady(shards)
		p.mu.Lock()
		if started > 0 {
			delete(m.runs, r.shard)
		}
		r.emptySeen = generation
		p.cond.Broadcast()
		p.mu.Unlock()
		if started > 0 {
			return
		}
		timer := time.NewTimer(pauseForChildShards)
		select {
		case <-r.reading.Done():
		case <-r.woken:
		case <-timer.C:
		}
		timer.Stop()
	}
}
