package world

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"sync/atomic"
)

// Plan is a simulation of many worlds.
type Plan struct {
	Seed    uint64
	Events  int // at least so many, in as many worlds as that takes
	Workers int // worlds at once
	Guard   string
	Focus   []string
	List    bool         // whether kinds of guards are counted
	Done    func(Counts) // hears of the sum after each world; may be nil
}

// Report is what a simulation found.
type Report struct {
	Counts
	Digest    string
	Violation *Violation // the first one, by the number of its world
	History   History    // that leads to it
}

// ahead is how many worlds may be finished before the first one that is not: they wait in memory.
const ahead = 64

// Many makes worlds until there were enough events, or until an invariant did not hold. What it reports does not depend on
// how many worlds run at once.
func Many(p Plan) Report {
	var next atomic.Int64
	results, free, quit := make(chan numbered), make(chan struct{}, ahead), make(chan struct{})
	var workers sync.WaitGroup
	for range max(1, p.Workers) {
		workers.Go(func() {
			for {
				select {
				case free <- struct{}{}:
				case <-quit:
					return
				}
				i := int(next.Add(1)) - 1
				r := Run(Options{Seed: p.Seed, World: i, Events: lifetime(i), Guard: p.Guard, Focus: p.Focus, List: p.List})
				select {
				case results <- numbered{i, r}:
				case <-quit:
					return
				}
			}
		})
	}
	report := collect(p, results, free)
	close(quit)
	workers.Wait()
	return report
}

// lifetime is how many events a world lives through; short ones are many, long ones have more behind them.
func lifetime(world int) int { return 1000 + world%5*1000 }

type numbered struct {
	world  int
	result Result
}

// collect adds up worlds in the order of their numbers.
func collect(p Plan, results <-chan numbered, free <-chan struct{}) Report {
	var report Report
	digest := sha256.New()
	early := map[int]Result{}
	for n := 0; ; n++ {
		r, ok := early[n]
		for !ok {
			x := <-results
			early[x.world] = x.result
			r, ok = early[n]
		}
		delete(early, n)
		<-free
		report.Counts.Add(r.Counts)
		digest.Write(r.Digest[:])
		if p.Done != nil {
			p.Done(report.Counts)
		}
		if r.Violation != nil || report.Events >= p.Events {
			report.Violation, report.History = r.Violation, r.History
			report.Digest = hex.EncodeToString(digest.Sum(nil))
			return report
		}
	}
}
