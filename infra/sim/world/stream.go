package world

import (
	"context"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/ordering"
	"yundian/shared/store"
	"yundian/shared/stream"
)

// shards is how many ways a table's stream is divided. Changes of one item stay in their order; others overtake each other.
const shards = 2

// consumer is a function on the stream of a table.
type consumer struct {
	name    string
	table   store.Table
	wants   func(store.Change) bool // what its filter lets through
	process stream.Process
	lasting bool        // its records are never dropped: nothing would bring them again
	next    [shards]int // where it goes on, in each shard
	failed  [shards]int // how often it failed there in a row
}

func consumers(w *World) []*consumer {
	order := func(c store.Change) bool { return c.New != nil && c.Key.SK == "ORDER" }
	return []*consumer{
		{name: "attribute", table: store.Orders, process: stream.Batch(w.attribute),
			wants: func(c store.Change) bool { return order(c) && c.New["undecided"] != nil }},
		{name: "settle", table: store.Orders, process: stream.Batch(w.settle), wants: order},
		{name: "tally", table: store.Ledger, process: stream.Batch(w.tally),
			wants: func(c store.Change) bool { return c.Old == nil && strings.HasPrefix(c.Key.SK, "FACT#") }},
		{name: "tally touches", table: store.Touches, process: stream.Batch(w.tally), lasting: true,
			wants: func(c store.Change) bool { return c.Old == nil && strings.HasPrefix(c.Key.SK, "TOUCH#") }},
	}
}

// The following are what the functions of the same names do with a batch.

func (w *World) attribute(ctx context.Context, records []stream.Record) (int, error) {
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = strings.TrimPrefix(store.KeyOf(r.Keys).PK, "ORDER#")
	}
	return 0, w.db().AttributeOrders(ctx, ids, w.time)
}

func (w *World) settle(ctx context.Context, records []stream.Record) (int, error) {
	orders := make([]ordering.Order, len(records))
	for i, r := range records {
		var err error
		if orders[i], err = store.OrderFrom(r.New); err != nil {
			return i, err
		}
	}
	_, err := w.db().SettleOrders(ctx, orders, w.time)
	return 0, err
}

func (w *World) tally(ctx context.Context, records []stream.Record) (int, error) {
	var facts []ledger.Fact
	for i, r := range records {
		if strings.HasPrefix(store.KeyOf(r.Keys).SK, "TOUCH#") {
			t, err := store.TouchFrom(r.New)
			if err != nil {
				return i, err
			}
			if err := w.db().CountTouch(ctx, t); err != nil {
				return i, err
			}
			continue
		}
		f, err := store.FactFrom(r.New)
		if err != nil {
			return i, err
		}
		facts = append(facts, f)
	}
	return 0, w.db().CountFacts(ctx, facts)
}

// shardOf is the shard of an item.
func shardOf(k store.Key) int {
	h := fnv.New32a()
	h.Write([]byte(k.PK))
	return int(h.Sum32() % shards)
}

// record is a change as a function is given it.
func (c *consumer) record(x store.Change) stream.Record {
	r := stream.Record{Sequence: strconv.Itoa(x.Seq), Change: stream.Modify, Keys: store.Item{"pk": x.New["pk"], "sk": x.New["sk"]}, New: x.New}
	if x.Old == nil {
		r.Change = stream.Insert
	}
	if c.table == store.Orders {
		r.Old = x.Old
	}
	return r
}

// Limits of one delivery: Lambda gives hundreds of records at once, but has not so many here.
const (
	maxBatch  = 10
	maxReplay = 25
	giveUp    = 12 // failures in a row after which Lambda drops the record
)

// batches are how many records come at once: few, so that there is something left to overtake them.
var batches = [...]int{1, 1, 2, 3, maxBatch}

// consumes gives a consumer what comes next in its stream, or what it should not be given any more.
func (w *World) consumes() {
	c := w.consumers[w.pick(len(w.consumers))]
	w.consume(c, w.pick(shards))
}

// delivery is a batch on its way to a consumer.
type delivery struct {
	consumer   *consumer
	shard      int
	fault      string
	from, upTo int // positions in the shard
	records    []stream.Record
}

var streamFaults = [...]string{"checkpoint lost", "old records", "old records", "twice in a batch", "answer lost", "late", "dropped"}

func (w *World) consume(c *consumer, shard int) {
	d := delivery{consumer: c, shard: shard, from: c.next[shard]}
	if w.paused[c.name] > w.Counts.Events {
		w.Counts.fault("late")
		return
	}
	if w.chance(w.shop.weather) {
		d.fault = streamFaults[w.pick(len(streamFaults))]
	}
	n := batches[w.pick(len(batches))]
	switch d.fault {
	case "late":
		w.paused[c.name] = w.Counts.Events + w.between(20, 400)
		return
	case "checkpoint lost":
		d.from = max(0, d.from-w.between(1, maxReplay))
		c.next[shard] = d.from
	case "old records":
		d.from = max(0, d.from-w.between(1, maxReplay))
	case "dropped":
		n = 1
	}
	if d.records, d.upTo = w.batch(c, shard, d.from, n); len(d.records) == 0 {
		c.next[shard] = max(c.next[shard], d.upTo)
		return
	}
	w.hand(d)
}

// hand gives a batch to its consumer and notes how far it has come.
func (w *World) hand(d delivery) {
	c := d.consumer
	switch d.fault {
	case "checkpoint lost", "old records":
		w.Counts.faults("record again", len(d.records))
	case "twice in a batch":
		i := w.pick(len(d.records))
		d.records = slices.Insert(d.records, i, d.records[i])
		w.Counts.fault("record twice")
	case "dropped":
		if !c.lasting {
			w.Counts.fault("record dropped")
			c.next[d.shard] = d.upTo
			return
		}
	}
	w.Counts.Events += len(d.records)
	failed := 0
	err, _ := w.runBeside(c.name+" "+w.describe(d.records), func() (err error) {
		failed, err = c.process(w.ctx, d.records)
		return err
	}, func() { w.beside(d) })
	w.checkpoint(d, failed, err)
}

// beside gives a consumer another batch of the same shard at the same time: what Lambda believes lost may still be at work.
func (w *World) beside(d delivery) {
	from := max(0, d.from-w.pick(4))
	records, _ := w.batch(d.consumer, d.shard, from, batches[w.pick(len(batches))]+d.from-from)
	if len(records) == 0 {
		return
	}
	w.Counts.Events += len(records)
	_, _ = w.run(d.consumer.name+" beside "+w.describe(records), func() error {
		_, err := d.consumer.process(w.ctx, records)
		return err
	})
}

// checkpoint notes how far a consumer has come.
func (w *World) checkpoint(d delivery, failed int, err error) {
	c, shard := d.consumer, d.shard
	switch {
	case d.fault == "old records", d.from > c.next[shard]:
		return // beside the stream
	case d.fault == "answer lost":
		w.Counts.fault("answer lost")
		return
	case err == nil:
		c.next[shard], c.failed[shard] = max(c.next[shard], d.upTo), 0
		return
	case err != errCrashed && failed > 0 && failed < len(d.records):
		c.next[shard] = max(c.next[shard], w.positionOf(c, shard, d.records[failed]))
	}
	if c.failed[shard]++; c.failed[shard] >= giveUp && !c.lasting {
		w.Counts.fault("record dropped")
		c.next[shard]++
		c.failed[shard] = 0
	}
}

// positionOf is where a record stands in its shard.
func (w *World) positionOf(c *consumer, shard int, r stream.Record) int {
	seq, _ := strconv.Atoi(r.Sequence)
	return max(0, slices.IndexFunc(w.watch.streams[c.table][shard], func(x store.Change) bool { return x.Seq >= seq }))
}

// batch are up to n records for a consumer, from a position of a shard on, and the position after them.
func (w *World) batch(c *consumer, shard, from, n int) (records []stream.Record, upTo int) {
	log := w.watch.streams[c.table][shard]
	for upTo = from; upTo < len(log) && len(records) < n; upTo++ {
		if c.wants(log[upTo]) {
			records = append(records, c.record(log[upTo]))
		}
	}
	return records, upTo
}

func (w *World) describe(records []stream.Record) string {
	if w.tell == nil {
		return ""
	}
	var text []string
	for _, r := range records {
		k := store.KeyOf(r.Keys)
		name := strings.TrimPrefix(k.PK, "ORDER#")
		if r.New["v"] != nil && k.SK == "ORDER" {
			o, _ := store.OrderFrom(r.New)
			name += " v" + strconv.FormatInt(o.Version, 10)
		} else if k.SK != "ORDER" {
			name += " " + k.SK
		}
		text = append(text, name)
	}
	return strings.Join(text, ", ")
}

// pauses are how much time passes at once. Most are short, or all orders would expire.
var pauses = [...]time.Duration{time.Minute, time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute,
	40 * time.Minute, 2 * time.Hour, 9 * time.Hour, 26 * time.Hour, 80 * time.Hour}

// timePasses lets the clock move on, by seconds or by weeks.
func (w *World) timePasses() {
	pause := pauses[w.pick(len(pauses))]
	if len(w.stack) > 0 {
		pause = min(pause, time.Minute) // whoever was interrupted has no quarter of an hour
	}
	w.pass(pause)
}

// dueAtOnce bounds how many orders of each shard of the index one run of the schedule works on.
const dueAtOnce = 4

// matures does what the schedule does: every order whose time has come, whatever becomes of the others.
func (w *World) matures() {
	first := w.pick(dueAtOnce)
	_, _ = w.run("mature", func() error {
		now := w.time()
		ids, err := w.db().DueOrders(w.ctx, now, dueAtOnce)
		if err != nil {
			return err
		}
		for i := range ids { // in no order
			if id := ids[(i+first)%len(ids)]; w.till().Mature(w.ctx, id, now) != nil {
				w.say("%s cannot be matured now", id)
			}
		}
		return nil
	})
}
