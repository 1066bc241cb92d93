package streams

import (
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// maxPayload is Lambda's limit for one event, bytes; a batch is cut short before it.
const maxPayload = 6 << 20

// lane delivers one batch at a time. Its fields are guarded by Poller.mu.
type lane struct {
	run   *run
	queue []queuedRecord
}

type queuedRecord struct {
	*record
	at time.Time
}

func (l *lane) add(r *record, at time.Time) { l.queue = append(l.queue, queuedRecord{r, at}) }

func (l *lane) work() {
	for batch := l.next(); batch != nil; batch = l.next() {
		l.run.deliver(batch)
	}
}

// next waits for a batch; nil means that there will be none any more.
func (l *lane) next() []*record {
	r, p := l.run, l.run.mapping.poller
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.stopped && r.reading.Err() == nil {
		n, full := l.batch()
		wait := time.Duration(0)
		if n > 0 {
			wait = r.mapping.BatchingWindow - time.Since(l.queue[0].at)
		}
		switch {
		case n == 0 && r.draining:
			return nil
		case n > 0 && (full || wait <= 0 || p.hurried > 0 || r.draining):
			return l.take(n)
		case n > 0:
			wake := time.AfterFunc(wait, p.broadcast)
			p.cond.Wait()
			wake.Stop()
		default:
			p.cond.Wait()
		}
	}
	return nil
}

// batch is how many records the next batch takes, and whether waiting longer could not add to it.
func (l *lane) batch() (n int, full bool) {
	size := len(envelopeHead) + len(envelopeTail)
	for _, q := range l.queue {
		size += len(q.body) + 1
		if n == l.run.mapping.BatchSize || (n > 0 && size > maxPayload) {
			return n, true
		}
		n++
	}
	return n, n == l.run.mapping.BatchSize
}

func (l *lane) take(n int) []*record {
	batch := make([]*record, n)
	for i, q := range l.queue[:n] {
		batch[i] = q.record
	}
	l.queue = append([]queuedRecord(nil), l.queue[n:]...)
	return batch
}

func (p *Poller) broadcast() {
	p.mu.Lock()
	p.cond.Broadcast()
	p.mu.Unlock()
}

// piece is a batch or what is left of one.
type piece struct {
	records       []*record
	tries         int  // failed tries that count against the retry limit
	invokes       int  // all invocations these records have been part of
	notRun        int  // how often in a row the function could not run
	functionError bool // the last invocation failed outright
}

// deliver brings a batch to its end: every record is delivered or given up, in order. It leaves early, with the rest
// unfinished, only when the poller stops.
//
// The rules are Lambda's. A partial failure moves the checkpoint to the first failed record and repeats from there. A
// failure without progress is split in two when the mapping bisects; a split costs no try. Otherwise a failure costs a
// try, and when none is left the records are given up. A function that could not run costs nothing.
func (r *run) deliver(batch []*record) {
	m := r.mapping
	todo := []piece{{records: batch}}
	for len(todo) > 0 && r.reading.Err() == nil {
		head := &todo[0]
		if n := r.expired(head.records); n > 0 {
			r.giveUp(head, n, ageExceeded)
		} else {
			switch result, firstFailed := r.invoke(head); {
			case result == notRun:
				head.notRun++
				r.sleep(r.backOff(head.notRun))
			case result == delivered:
				r.finish(head.records, true)
				head.records = nil
			case firstFailed > 0:
				r.finish(head.records[:firstFailed], true)
				head.records = head.records[firstFailed:]
				if !m.BisectOnError {
					r.failed(head)
				}
			case m.BisectOnError && len(head.records) > 1:
				todo = bisect(todo)
			default:
				r.failed(head)
			}
		}
		if len(todo[0].records) == 0 {
			todo = todo[1:]
		}
	}
}

// bisect replaces the first piece by its halves.
func bisect(todo []piece) []piece {
	head := todo[0]
	middle := (len(head.records) + 1) / 2
	halves := []piece{
		{records: head.records[:middle], invokes: head.invokes, functionError: head.functionError},
		{records: head.records[middle:], invokes: head.invokes, functionError: head.functionError},
	}
	return append(halves, todo[1:]...)
}

// failed counts a try that cost one: it waits for the next or gives the records up.
func (r *run) failed(p *piece) {
	p.tries++
	if limit := r.mapping.MaxRetries; limit >= 0 && p.tries > limit {
		r.giveUp(p, len(p.records), retriesExhausted)
		return
	}
	r.sleep(r.backOff(p.tries))
}

// giveUp keeps the first n records where the mapping says and takes them off the piece. When they cannot be kept they
// stay: losing them silently would be worse than a shard that waits.
func (r *run) giveUp(p *piece, n int, condition string) {
	log := r.mapping.poller.o.Log
	gone := *p
	gone.records = p.records[:n]
	if r.mapping.OnFailure != "" {
		if err := r.keep(&gone, condition); err != nil {
			log.Error("failed stream records not kept, trying again", "mapping", r.mapping.id, "error", err)
			r.sleep(r.backOff(p.tries + 1))
			return
		}
	}
	log.Error("stream records given up", "mapping", r.mapping.id, "condition", condition, "records", n,
		"first", gone.records[0].seq, "last", gone.records[n-1].seq, "invocations", p.invokes)
	r.finish(gone.records, false)
	p.records = p.records[n:]
}

// expired is how many records at the head are older than the mapping allows. Time in which nothing was polling does
// not count: Lambda never stops, a shop on one machine does every evening.
func (r *run) expired(records []*record) int {
	p, limit := r.mapping.poller, r.mapping.MaxAge
	if limit <= 0 || r.replay {
		return 0
	}
	oldest := p.o.Now().Add(-limit)
	if p.started.After(oldest) {
		return 0
	}
	n := 0
	for n < len(records) && records[n].arrived.Before(oldest) {
		n++
	}
	return n
}

func (r *run) backOff(tries int) time.Duration {
	o := r.mapping.poller.o
	pause := o.RetryFirst
	for range min(tries-1, 20) {
		pause *= 2
	}
	return min(pause, o.RetryLast)
}

type result int

const (
	delivered result = iota // all records are done
	failing                 // some are not; the index says from where on
	notRun                  // the function did not run
)

// invoke runs the function on a piece. Its end wakes every reader: it has probably written something.
func (r *run) invoke(head *piece) (result, int) {
	m, p := r.mapping, r.mapping.poller
	p.mu.Lock()
	p.begun++
	p.mu.Unlock()
	out, functionError, err := p.o.Invoke(r.invoking, m.Function, envelope(head.records))
	outcome, first := delivered, 0
	switch {
	case err != nil:
		outcome = notRun
		if r.reading.Err() == nil {
			p.o.Log.Warn("function did not run on stream records, trying again", "mapping", m.id, "error", err)
		}
	case functionError:
		outcome = failing
	case m.ReportBatchItemFailures:
		var valid bool
		if first, valid = failedFrom(out, head.records); !valid {
			p.o.Log.Warn("answer is no list of failures of this batch: all of it counts as failed", "mapping", m.id, "answer", short(out))
		}
		if !valid || first < len(head.records) {
			outcome = failing
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended++
	p.lastActive = time.Now()
	if outcome != notRun {
		head.notRun = 0
		head.invokes++
		head.functionError = functionError
		m.stats.Invocations++
	}
	if outcome == failing {
		m.stats.Failures++
	}
	p.wake()
	p.cond.Broadcast()
	return outcome, first
}

// short is the beginning of an answer for the log.
func short(out []byte) string { return string(out[:min(len(out), 200)]) }

// isTrimmed reports whether the place asked for lies before the oldest record that is kept.
func isTrimmed(err error) bool {
	var trimmed *types.TrimmedDataAccessException
	return errors.As(err, &trimmed)
}
