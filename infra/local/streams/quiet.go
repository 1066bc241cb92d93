package streams

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Quiet returns when every record of every write that had returned before the call, and every record that these caused
// through the functions, has been delivered, filtered out or given up. It cuts batching windows short. It is exact on
// engines that show a record as soon as its write has returned; both local engines do.
//
// It works in rounds. A round is over when every shard has been read to its end by a read that began in the round and
// nothing read is unfinished. A round in which no function ran, not even at its start, has found everything: nothing
// has been written on behalf of a record since the round began, and all earlier writes have been read.
func (p *Poller) Quiet(ctx context.Context) error {
	defer context.AfterFunc(ctx, p.broadcast)()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hurried++
	defer func() { p.hurried-- }()
	for {
		p.generation++
		round, begun, idle := p.generation, p.begun, p.begun == p.ended
		p.wake()
		p.cond.Broadcast()
		for busy := p.unfinished(round); busy != ""; busy = p.unfinished(round) {
			if p.stopped {
				return errors.New("wait for the streams: the poller has been stopped")
			}
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("wait for the streams (%s): %w", busy, err)
			}
			p.cond.Wait()
		}
		if idle && p.begun == begun {
			return nil
		}
	}
}

// unfinished names the shards that are not read to their end in this round or have records in delivery.
func (p *Poller) unfinished(round int64) string {
	var busy []string
	for _, m := range p.mappings {
		for _, r := range m.runs {
			if r.emptySeen < round || r.open > 0 {
				busy = append(busy, fmt.Sprintf("%s %s: %d records in delivery", m.id, r.shard, r.open))
			}
		}
	}
	return strings.Join(busy, "; ")
}

// Replay delivers every record that the streams still hold to every function again, from the oldest on, by the same
// rules but for the maximum age, and returns when the last one is done. Call Quiet after it for what the functions
// wrote meanwhile. Checkpoints stay as they are.
func (p *Poller) Replay(ctx context.Context) error {
	if p.reading.Err() != nil {
		return errors.New("replay the streams: the poller has been stopped")
	}
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.reading, cancel)()
	defer context.AfterFunc(reading, p.broadcast)()
	ends := make(chan error, len(p.mappings))
	for _, m := range p.mappings {
		go func() { ends <- m.replay(reading) }()
	}
	var errs []error
	for range p.mappings {
		errs = append(errs, <-ends)
	}
	return errors.Join(errs...)
}

// replay goes through the shards of one stream, parents first: an engine lists them in the order of their creation.
func (m *mapping) replay(ctx context.Context) error {
	shards, err := m.describe(ctx)
	if err != nil {
		return err
	}
	for _, s := range shards {
		r := newRun(m, s, ctx, ctx)
		r.replay = true
		r.start()
		<-r.finished
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("replay of table %s to %s: %w", m.Table, m.Function, err)
		}
	}
	return nil
}
