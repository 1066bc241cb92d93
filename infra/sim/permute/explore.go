// Package permute walks every way in which an order's records can come: in any order, some of them twice, with a process that
// ends before or after any of its calls, and with another one that runs between what a process has read and what it writes.
// All ways have to end in the same place. Ways that meet in one state are walked on together, so that millions of them cost
// what some thousand states do.
package permute

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"yundian/infra/sim/world"
	"yundian/shared/store"
)

// Limits are how much goes wrong on one way, at most.
type Limits struct {
	Duplicates    int // records that come once more after they were done with
	Crashes       int // processes that end before or after one of their calls; their record comes again
	Interruptions int // processes between whose reading and writing another record is done with
}

// Report is what was walked.
type Report struct {
	Ways   uint64 // from the start to an end, each a different order, duplicate, crash or interruption
	States int    // in which they met
	Steps  int    // records that were given to a process
	End    string // where all of them ended
}

// letter is a record on its way to a consumer.
type letter struct {
	consumer *consumer
	change   store.Change
	name     mark // of what it says
	process  func(*store.Store) error
}

// mark names something by its content.
type mark [sha256.Size]byte

// plus joins marks, in any order; the same mark twice is none.
func (a mark) plus(b mark) mark {
	for i := range a {
		a[i] ^= b[i]
	}
	return a
}

func markOf(t store.Table, k store.Key, it store.Item) mark {
	if it == nil {
		return mark{}
	}
	return sha256.Sum256(fmt.Appendf(nil, "%d %s %s %s", t, k.PK, k.SK, describe(it)))
}

// tables are what is stored, with its mark, so that a step need not look at all of it.
type tables struct {
	*store.Maps
	mark mark
}

// short is for people.
func (l letter) short() string {
	return l.consumer.name + " " + strings.TrimPrefix(l.change.Key.PK, "ORDER#") + " " + l.change.Key.SK + " v" + value(l.change.New["v"])
}

// explorer walks.
type explorer struct {
	consumers []*consumer
	without   string
	report    Report
	met       map[mark]uint64 // ways from a state to an end
}

// Explore walks all ways from the records of a script, for some consumers.
func Explore(s Script, consumers []*consumer, limits Limits) (Report, error) {
	x := &explorer{consumers: consumers, without: s.Without, met: map[mark]uint64{}}
	var pool []letter
	for _, c := range s.Records {
		letters, err := x.letters(store.Orders, c)
		if err != nil {
			return x.report, err
		}
		pool = append(pool, letters...)
	}
	start := tables{Maps: s.Tables}
	for _, t := range allTables {
		for k, it := range s.Tables.Items(t) {
			start.mark = start.mark.plus(markOf(t, k, it))
		}
	}
	ways, err := x.walk(start, pool, limits)
	x.report.Ways, x.report.States = ways, len(x.met)
	return x.report, err
}

// letters are a change on its way to everybody who wants to hear of it.
func (x *explorer) letters(t store.Table, c store.Change) (out []letter, err error) {
	for _, consumer := range x.consumers {
		if consumer.table != t || !consumer.wants(c) {
			continue
		}
		process, err := consumer.read(c)
		if err != nil {
			return nil, err
		}
		name := markOf(t, c.Key, c.New)
		out = append(out, letter{consumer, c, sha256.Sum256(append(name[:], consumer.name...)), process})
	}
	return out, nil
}

// walk counts the ways from a state to an end.
func (x *explorer) walk(m tables, pool []letter, left Limits) (uint64, error) {
	state := stateOf(m.mark, pool, left)
	if ways, ok := x.met[state]; ok {
		return ways, nil
	}
	if len(pool) == 0 {
		end, err := endOf(m.Maps)
		if err == nil && x.report.End == "" {
			x.report.End = end
		}
		if err == nil && end != x.report.End {
			err = fmt.Errorf("one way ends in\n%s\nand another one in\n%s", x.report.End, end)
		}
		x.met[state] = 1
		return 1, err
	}
	var ways uint64
	for i := range pool {
		if i > 0 && pool[i].name == pool[i-1].name {
			continue // the same record twice: it does not matter which comes first
		}
		n, err := x.next(m, pool, i, left)
		if err != nil {
			return 0, fmt.Errorf("%s, then %w", pool[i].short(), err)
		}
		ways += n
	}
	x.met[state] = ways
	return ways, nil
}

// next counts the ways that begin with a letter.
func (x *explorer) next(m tables, pool []letter, i int, left Limits) (ways uint64, err error) {
	count := func(p plan, keep bool, left Limits) (calls int) {
		if err != nil {
			return 0
		}
		ran, calls, failed := x.run(m.Maps, pool[i], &p)
		switch {
		case failed != nil:
			err = failed
			return 0
		case p.between != nil && !p.done:
			return calls // it wrote nothing, so there was no between
		}
		rest := slices.Clone(pool)
		if p.between != nil {
			rest = slices.DeleteFunc(rest, func(l letter) bool { return l.name == p.between.name })
			rest = append(rest, duplicates(pool, *p.between)...)
		}
		if !keep {
			at := slices.IndexFunc(rest, func(l letter) bool { return l.name == pool[i].name })
			rest = slices.Delete(rest, at, at+1)
		}
		after, changes := changed(m, ran)
		if rest, err = x.more(changes, rest); err == nil {
			var n uint64
			n, err = x.walk(after, rest, left)
			ways += n
		}
		return calls
	}
	calls := count(plan{}, false, left)
	if left.Duplicates > 0 {
		count(plan{}, true, Limits{left.Duplicates - 1, left.Crashes, left.Interruptions})
	}
	for call := 1; call <= calls && left.Crashes > 0; call++ {
		for _, after := range []bool{false, true} {
			count(plan{crashAt: call, after: after}, true, Limits{left.Duplicates, left.Crashes - 1, left.Interruptions})
		}
	}
	for j := range pool {
		if j == i || left.Interruptions == 0 || calls == 0 {
			continue
		}
		count(plan{between: &pool[j]}, false, Limits{left.Duplicates, left.Crashes, left.Interruptions - 1})
	}
	return ways, err
}

// duplicates are the letters of a pool that say the same as one that is done with, but for that one.
func duplicates(pool []letter, done letter) (out []letter) {
	for _, l := range pool {
		if l.name == done.name {
			out = append(out, l)
		}
	}
	return out[1:]
}

// more adds the letters that a step has caused.
func (x *explorer) more(changes []change, pool []letter) ([]letter, error) {
	for _, c := range changes {
		letters, err := x.letters(c.table, c.Change)
		if err != nil {
			return nil, err
		}
		pool = append(pool, letters...)
	}
	slices.SortStableFunc(pool, func(a, b letter) int { return bytes.Compare(a.name[:], b.name[:]) })
	return pool, nil
}

// change is what a step has done to one item.
type change struct {
	table store.Table
	store.Change
}

// changed is what a step has done, and the tables as they are after it.
func changed(before tables, after *store.Maps) (tables, []change) {
	out := tables{Maps: after, mark: before.mark}
	var changes []change
	for _, t := range allTables {
		seen := 0
		if log := before.Changes(t, 0); len(log) > 0 {
			seen = log[len(log)-1].Seq
		}
		for _, c := range after.Changes(t, seen) {
			out.mark = out.mark.plus(markOf(t, c.Key, c.Old)).plus(markOf(t, c.Key, c.New))
			changes = append(changes, change{t, c})
		}
	}
	return out, changes
}

// plan is what happens to one process.
type plan struct {
	crashAt int     // the call before or after which it ends; 0 for none
	after   bool    // whether the call is made first
	between *letter // what is done with before the first write
	done    bool    // whether that has happened
}

var errCrashed = errors.New("permute: the process ended")

// run gives a letter to its consumer, on a copy of the tables, and counts the calls that it made.
func (x *explorer) run(m *store.Maps, l letter, p *plan) (after *store.Maps, calls int, err error) {
	x.report.Steps++
	after = m.Clone()
	after.ExpireTokens() // nothing is forgiven because it looks like what was done a moment ago
	s, nested := store.OpenMaps(after), false
	after.Intercept = func(_ context.Context, c store.Call) store.Verdict {
		for i := range c.Writes {
			world.Strip(&c.Writes[i], x.without)
		}
		switch {
		case nested:
		case c.Done:
			if calls == p.crashAt && p.after {
				panic(errCrashed)
			}
		default:
			calls++
			if calls == p.crashAt && !p.after {
				panic(errCrashed)
			}
			if len(c.Writes) > 0 && p.between != nil && !p.done {
				nested, p.done = true, true
				if err := p.between.process(s); err != nil {
					panic(err)
				}
				nested = false
			}
		}
		return store.Pass
	}
	defer func() {
		after.Intercept = nil
		if cause := recover(); cause != nil && cause != any(errCrashed) {
			panic(cause)
		}
	}()
	return after, calls, l.process(s)
}

// stateOf names a state: what is stored, what is on its way, and what may still go wrong.
func stateOf(stored mark, pool []letter, left Limits) mark {
	b := fmt.Appendf(stored[:], "%d %d %d ", left.Duplicates, left.Crashes, left.Interruptions)
	for _, l := range pool {
		b = append(b, l.name[:]...)
	}
	return sha256.Sum256(b)
}
