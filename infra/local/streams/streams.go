// Package streams does on one machine what Lambda's event source mappings do in a deployment: it reads DynamoDB
// streams and delivers their records to functions in order, in batches, filtered, and retried by the rules that the
// mapping declares.
//
// Every mapping reads its stream by itself, so a function that fails holds up nobody else. A reader collects the
// records of one shard; as many lanes as the parallelization factor says deliver them, records of one item always in the
// same lane. A checkpoint per shard is the last record before the first unfinished one.
package streams

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
)

// Where a mapping without a checkpoint begins.
const (
	TrimHorizon = "TRIM_HORIZON" // at the oldest record that is kept
	Latest      = "LATEST"       // after the newest record at its first start
)

// Mapping is one event source mapping as the template declares it.
type Mapping struct {
	Table                   string        // the table whose stream is read
	StreamARN               string        // empty: the table's current stream
	Function                string        // what Invoke is called with
	BatchSize               int           // most records per invocation, 1 to 10,000; 0 means Lambda's default of 100
	BatchingWindow          time.Duration // longest wait for a full batch, at most 5 min; 0 delivers at once
	Filters                 []string      // JSON patterns, any of which admits a record; none admits all
	ReportBatchItemFailures bool          // the function names the records that failed
	BisectOnError           bool          // a failed batch is split in two
	MaxRetries              int           // further tries before a batch is given up; -1 means no limit
	MaxAge                  time.Duration // records older than this are given up; 0 or negative means no limit
	ParallelizationFactor   int           // batches in flight per shard, 1 to 10; 0 means 1
	OnFailure               string        // folder below Options.OnFailureDir for records given up; empty keeps none
	StartingPosition        string        // TrimHorizon or Latest
}

// Options are what Start needs. Client, StreamsClient and Invoke are required.
type Options struct {
	Client        *dynamodb.Client
	StreamsClient *dynamodbstreams.Client
	Mappings      []Mapping

	// Invoke runs a function on one event and returns its answer. functionError means that it ran and failed, a killed
	// process included: that counts as a try. err means that it could not run at all (throttled, runner stopping): that
	// is repeated until the records are too old and counts for nothing else.
	Invoke func(ctx context.Context, function string, payload []byte) (out []byte, functionError bool, err error)

	CheckpointFile string           // what has been delivered, so that a restart resumes; empty forgets it
	OnFailureDir   string           // holds the on-failure folders; required when a mapping names one
	Region         string           // what events say; empty means us-east-1
	Now            func() time.Time // nil means time.Now; ages and names of on-failure files are read from it
	Log            *slog.Logger     // nil discards

	RetryFirst time.Duration // pause before the first retry, doubled for each further one; 0 means 50 ms
	RetryLast  time.Duration // longest pause between retries; 0 means 2 s
}

// stopGrace is what invocations in flight get to end when the poller stops; cut short they would only be repeated.
const stopGrace = 5 * time.Second

// Poller delivers the records of all mappings until Stop.
type Poller struct {
	o        Options
	mappings []*mapping
	saved    *checkpoints
	started  time.Time

	reading, invoking       context.Context // Stop ends the first at once and the second after a grace
	endReading, endInvoking context.CancelFunc
	workers                 sync.WaitGroup

	// mu guards everything below and all run and lane state; cond is broadcast at every change of it. One lock keeps
	// Quiet exact, and the work under it is a few pointer moves per batch.
	mu           sync.Mutex
	cond         *sync.Cond
	generation   int64     // raised by every Quiet round; a read begun later has seen all earlier writes
	hurried      int       // Quiet calls under way: batching windows are cut short for them
	begun, ended int64     // invocations
	lastActive   time.Time // when a record was last read or a function last ran
	stopped      bool
}

type mapping struct {
	Mapping
	poller   *Poller
	id, uuid string
	arn      string // as functions see it
	storeARN string // as the engine knows it
	match    pattern
	runs     map[string]*run // by shard
	stats    Stats
}

// Stats count what one mapping has done since Start.
type Stats struct {
	Read, Filtered, Delivered, Discarded int64 // records
	Invocations, Failures                int64 // failures include partial ones
}

// Start begins to deliver. Errors: a mapping that Lambda would refuse, a filter form that is not known, a table without
// a stream, a checkpoint file that cannot be read. Every record written after Start has returned is delivered, for
// Latest as well.
func Start(ctx context.Context, o Options) (*Poller, error) {
	p, err := prepare(o)
	if err != nil {
		return nil, err
	}
	shards := make([][]shardState, len(p.mappings))
	for i, m := range p.mappings {
		if shards[i], err = m.locate(ctx); err != nil {
			p.endReading()
			p.endInvoking()
			return nil, fmt.Errorf("mapping %s: %w", m.id, err)
		}
	}
	for i, m := range p.mappings {
		m.startReady(shards[i])
	}
	p.workers.Go(p.saved.keep)
	return p, nil
}

// prepare fills in defaults and checks the mappings; it starts nothing.
func prepare(o Options) (*Poller, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Region = defaultTo(o.Region, "us-east-1")
	o.RetryFirst, o.RetryLast = defaultTo(o.RetryFirst, 50*time.Millisecond), defaultTo(o.RetryLast, 2*time.Second)
	saved, err := loadCheckpoints(o.CheckpointFile, o.Log)
	if err != nil {
		return nil, err
	}
	p := &Poller{o: o, saved: saved, started: o.Now()}
	p.cond = sync.NewCond(&p.mu)
	p.reading, p.endReading = context.WithCancel(context.Background())
	p.invoking, p.endInvoking = context.WithCancel(context.Background())
	seen := map[string]bool{}
	for _, declared := range o.Mappings {
		m, err := newMapping(p, declared)
		if err == nil && seen[m.id] {
			err = errors.New("declared twice")
		}
		if err != nil {
			return nil, fmt.Errorf("mapping of table %s to function %s: %w", declared.Table, declared.Function, err)
		}
		seen[m.id] = true
		p.mappings = append(p.mappings, m)
	}
	return p, nil
}

func newMapping(p *Poller, declared Mapping) (*mapping, error) {
	m := &mapping{Mapping: declared, poller: p, runs: map[string]*run{}}
	m.BatchSize, m.ParallelizationFactor = defaultTo(m.BatchSize, 100), defaultTo(m.ParallelizationFactor, 1)
	m.id = m.Function + "/" + m.Table
	m.uuid = mappingUUID(m.id)
	switch {
	case m.Function == "" || m.Table == "":
		return nil, errors.New("it needs a function and a table")
	case m.BatchSize < 1 || m.BatchSize > 10_000:
		return nil, fmt.Errorf("batch size %d is not 1 to 10000", m.BatchSize)
	case m.ParallelizationFactor < 1 || m.ParallelizationFactor > 10:
		return nil, fmt.Errorf("parallelization factor %d is not 1 to 10", m.ParallelizationFactor)
	case m.BatchingWindow < 0 || m.BatchingWindow > 5*time.Minute:
		return nil, fmt.Errorf("batching window %v is not 0 to 5 minutes", m.BatchingWindow)
	case m.MaxRetries < -1 || m.MaxRetries > 10_000:
		return nil, fmt.Errorf("retry limit %d is not -1 to 10000", m.MaxRetries)
	case m.StartingPosition != TrimHorizon && m.StartingPosition != Latest:
		return nil, fmt.Errorf("starting position %q is not %s or %s", m.StartingPosition, TrimHorizon, Latest)
	case m.OnFailure != "" && p.o.OnFailureDir == "":
		return nil, errors.New("it keeps failed records, but there is no folder for them")
	}
	var err error
	m.match, err = compileAll(m.Filters)
	return m, err
}

func defaultTo[T comparable](value, standard T) T {
	var zero T
	if value == zero {
		return standard
	}
	return value
}

// Stop ends the reading at once, gives invocations in flight five seconds and writes the checkpoints.
func (p *Poller) Stop() error {
	p.mu.Lock()
	p.stopped = true
	p.cond.Broadcast()
	p.mu.Unlock()
	p.endReading()
	cut := time.AfterFunc(stopGrace, p.endInvoking)
	defer cut.Stop()
	p.saved.stop()
	p.workers.Wait()
	p.endInvoking()
	return p.saved.write()
}

// Notify says that a table, or any table when none is named, has just been written, so that its stream is read now
// instead of at the next poll.
func (p *Poller) Notify(tables ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake(tables...)
}

// wake is Notify under the lock.
func (p *Poller) wake(tables ...string) {
	for _, m := range p.mappings {
		if len(tables) > 0 && !slices.Contains(tables, m.Table) {
			continue
		}
		for _, r := range m.runs {
			select {
			case r.woken <- struct{}{}:
			default: // a wake-up is pending already
			}
		}
	}
}

// Stats of every mapping, by "function/table".
func (p *Poller) Stats() map[string]Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[string]Stats{}
	for _, m := range p.mappings {
		out[m.id] = m.stats
	}
	return out
}

// resolve finds the mapping's stream.
func (m *mapping) resolve(ctx context.Context) error {
	m.storeARN = m.StreamARN
	if m.storeARN == "" {
		out, err := m.poller.o.Client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(m.Table)})
		if err != nil {
			return fmt.Errorf("find the stream of table %s: %w", m.Table, err)
		}
		if s := out.Table.StreamSpecification; s == nil || !aws.ToBool(s.StreamEnabled) || out.Table.LatestStreamArn == nil {
			return fmt.Errorf("table %s has no stream", m.Table)
		}
		m.storeARN = *out.Table.LatestStreamArn
	}
	m.arn = lambdaARN(m.storeARN, m.poller.o.Region)
	return nil
}
