// Package storm runs a shop in bad weather and checks its books afterwards.
//
// What a seed determines is what shoppers and operators want and which calls to the store are disturbed. How their
// requests interleave is up to the machine, so two runs of one seed differ in their orders but must both be right.
package storm

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"yundian/infra/local"
	"yundian/infra/local/engine"
	"yundian/infra/local/wire"
	"yundian/shared/store"
)

// Options say how big the storm is and where.
type Options struct {
	Root     string        // of the repository
	Dir      string        // for everything that is thrown away; functions.log is kept there
	BinDir   string        // for the functions' binaries
	Store    string        // engine; empty is Dynoxide
	Seed     uint64        // of wishes and faults
	Orders   int           // to be placed
	Workload time.Duration // after which nothing new is begun; no order in its last quarter
	Progress io.Writer
}

// Report is what a run did and found.
type Report struct {
	Seed        uint64           `json:"seed"`
	Orders      int              `json:"orders"` // that were placed
	Engine      string           `json:"engine"`
	StoreCalls  int64            `json:"storeCalls"` // while there were faults
	Faulted     int64            `json:"faulted"`
	ByKind      map[string]int64 `json:"byKind"`
	Kills       int64            `json:"kills"`   // processes ended in the middle of an event
	KillsOf     map[string]int64 `json:"killsOf"` // by function
	Retries     int64            `json:"retries"` // requests that clients sent again
	Replays     int              `json:"replays"` // of all streams, while new records came
	GivenUp     int              `json:"givenUp"` // batches of stream records that went to the on-failure folders
	Differences int              `json:"differences"`
	Digest      string           `json:"digest"`  // of all tables
	Reached     map[string]int   `json:"reached"` // orders to which something special happened
	Seconds     float64          `json:"seconds"`

	Found []string `json:"-"` // the differences
}

// storm is one run.
type storm struct {
	o      Options
	runner *local.Runner
	store  *store.Store // reads the facts, past every proxy
	client *client
	wires  map[string]*wire.Proxy // by function
	shop   shop

	operated atomic.Int64 // writes of the operator, each under a key of its own

	mu     sync.Mutex
	placed []*purchase // by shopper; nil for those who never began
	kills  map[string]int64
	stock  map[string]int64 // pieces received, by product
	off    map[string]int64 // pieces written off by hand, by product

	replays int            // of all streams in the storm
	crossed wire.Counts    // the wires while there were faults
	reached map[string]int // orders to which something special happened

	found []string
}

// Run lets it storm and checks. Differences are in the report; an error means that the run itself failed.
func Run(ctx context.Context, o Options) (Report, error) {
	began := time.Now()
	s := &storm{o: o, wires: map[string]*wire.Proxy{}, kills: map[string]int64{}, stock: map[string]int64{}, off: map[string]int64{}, reached: map[string]int{}, placed: make([]*purchase, o.Orders)}
	stop, err := s.start(ctx)
	if err != nil {
		return Report{}, err
	}
	defer stop()
	for _, phase := range []struct {
		name string
		run  func(context.Context) error
	}{{"open the shop", s.open}, {"storm", s.rage}, {"quiet", s.settle}, {"check", s.check}} {
		at := time.Now()
		if err := phase.run(ctx); err != nil {
			return Report{}, fmt.Errorf("%s: %w", phase.name, err)
		}
		fmt.Fprintf(o.Progress, "%-14s %6.1f s\n", phase.name, time.Since(at).Seconds())
	}
	r := s.report()
	if r.Digest, err = s.replay(ctx); err != nil {
		return Report{}, err
	}
	r.Found, r.Differences, r.Seconds = s.found, len(s.found), time.Since(began).Round(100*time.Millisecond).Seconds()
	return r, nil
}

// start runs the store with a proxy of its own between each function and the engine.
func (s *storm) start(ctx context.Context) (stop func(), err error) {
	log, err := os.Create(filepath.Join(s.o.Dir, "functions.log"))
	if err != nil {
		return nil, fmt.Errorf("make the functions' log: %w", err)
	}
	s.runner, err = local.Start(ctx, local.Options{Root: s.o.Root, DataDir: s.o.Dir, Store: s.o.Store, InMemory: true, BinDir: s.o.BinDir, Log: log,
		Parameters: map[string]string{"ThrottleRate": "1000000", "ThrottleBurst": "5000"}, // the store is under test, not its throttle
		Proxy: func(function, endpoint string) (string, error) {
			p, err := wire.New(endpoint)
			if err != nil {
				return "", err
			}
			s.wires[function] = p
			return p.URL, nil
		}})
	if err != nil {
		return nil, fmt.Errorf("start the store: %w", err)
	}
	stop = func() {
		if err := s.runner.Stop(); err != nil {
			fmt.Fprintln(s.o.Progress, "stop the store:", err)
		}
		for _, w := range s.wires {
			_ = w.Close() // it ends with this process at the latest
		}
		_ = log.Close()
	}
	environment, err := s.runner.Environment("admin")
	if err != nil {
		stop()
		return nil, err
	}
	s.store = store.Open(store.ConfigFrom(func(name string) string { return environment[name] }))
	s.client = newClient(s.runner.URL)
	return stop, nil
}

func (s *storm) report() Report {
	r := Report{Seed: s.o.Seed, Orders: s.count(), Engine: s.o.Store, ByKind: map[string]int64{}, KillsOf: s.kills, Replays: s.replays, Retries: s.client.retries.Load()}
	if r.Engine == "" {
		r.Engine = engine.Dynoxide
	}
	r.StoreCalls, r.Faulted, r.Reached = s.crossed.Total().Calls, s.crossed.Total().Faults, s.reached
	for kind, n := range s.crossed.Kinds {
		r.ByKind[kind.String()] = n
	}
	for _, n := range s.kills {
		r.Kills += n
	}
	kept, _ := filepath.Glob(filepath.Join(s.o.Dir, "failed", "*", "*")) // the pattern is well formed
	r.GivenUp = len(kept)
	return r
}

// counts sums what has crossed all wires.
func (s *storm) counts() wire.Counts {
	sum := wire.Counts{Ops: map[string]wire.Op{}, Kinds: map[wire.Kind]int64{}}
	for _, w := range s.wires {
		one := w.Snapshot()
		for name, op := range one.Ops {
			sum.Ops[name] = sum.Ops[name].Add(op)
		}
		for kind, n := range one.Kinds {
			sum.Kinds[kind] += n
		}
	}
	return sum
}

// count is how many orders were placed.
func (s *storm) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, p := range s.placed {
		if p != nil && p.id != "" {
			n++
		}
	}
	return n
}

// differ notes something that is wrong.
func (s *storm) differ(format string, args ...any) {
	s.found = append(s.found, fmt.Sprintf(format, args...))
}
