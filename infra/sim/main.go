// Command sim proves by simulation that money cannot be wrong: worlds of shoppers, operators, a payment provider, streams and
// time act on the store's own code over maps, whose calls are lost, refused, repeated and interleaved, and every write is
// held against the invariants of the money. The same seed makes the same worlds. Its last line is one JSON object; an
// invariant that did not hold is cut down to a short history, which is printed before it, and makes the exit status 1.
//
//	SEED=7 EVENTS=10000000 go run ./infra/sim
//	HISTORY=.artifacts/sim-history.txt go run ./infra/sim     # plays a history again, and tells what happens
//	GUARDS=list go run ./infra/sim                            # names every kind of guard that the store's writes have
//	GUARD="ledger APPLIED v equals" go run ./infra/sim        # takes one away from every write: somebody should notice
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"yundian/infra/sim/world"
)

func main() {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // functions log what they do about faults, and there are millions
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "sim:", err)
		os.Exit(1)
	}
}

func run() error {
	if path := os.Getenv("HISTORY"); path != "" {
		return replay(path)
	}
	seed, err := number("SEED", time.Now().UnixNano()%1_000_000)
	if err != nil {
		return err
	}
	events, err := number("EVENTS", 10_000_000)
	if err != nil {
		return err
	}
	p := world.Plan{Seed: uint64(seed), Events: int(events), Workers: runtime.GOMAXPROCS(0), Guard: os.Getenv("GUARD")}
	if os.Getenv("GUARDS") == "list" {
		return listGuards(p)
	}
	return simulate(p)
}

func number(name string, or int64) (int64, error) {
	text := os.Getenv(name)
	if text == "" {
		return or, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s is %q, and should be a number", name, text)
	}
	return n, nil
}

// shrinkEvents bounds how much is played while a bad history is cut down: about a minute.
const shrinkEvents = 4_000_000

// summary is the last line.
type summary struct {
	Seed       uint64         `json:"seed"`
	Events     int            `json:"events"`
	Faulted    int            `json:"faulted"`
	Faults     map[string]int `json:"faults"`
	CallSites  int            `json:"callSites"`
	Violations int            `json:"violations"`
	Digest     string         `json:"digest"`
	Seconds    float64        `json:"seconds"`
	Worlds     int            `json:"worlds"`
	Folds      int            `json:"folds"`
	Commands   map[string]int `json:"commands"`
	Reached    map[string]int `json:"reached"`
	Guard      string         `json:"guard,omitempty"`
}

func simulate(p world.Plan) error {
	start, told := time.Now(), time.Now()
	p.Done = func(c world.Counts) {
		if time.Since(told) > 5*time.Second {
			told = time.Now()
			fmt.Fprintf(os.Stderr, "%9d events in %d worlds, %d faulted, %.0f a second\n", c.Events, c.Worlds, c.Faulted, float64(c.Events)/time.Since(start).Seconds())
		}
	}
	r := world.Many(p)
	s := summary{Seed: p.Seed, Events: r.Events, Faulted: r.Faulted, Faults: r.Faults, CallSites: len(r.Sites), Digest: r.Digest,
		Seconds: time.Since(start).Seconds(), Worlds: r.Worlds, Folds: r.Folds, Commands: r.Commands, Reached: r.Reached, Guard: p.Guard}
	for _, site := range slices.Sorted(maps.Keys(r.Sites)) {
		fmt.Fprintf(os.Stderr, "%9d  %s\n", r.Sites[site], site)
	}
	var failed error
	if r.Violation != nil {
		s.Violations = 1
		failed = explain(p, r)
	}
	line, err := json.Marshal(s)
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return failed
}

// explain cuts a bad history down and tells it.
func explain(p world.Plan, r world.Report) error {
	fmt.Fprintf(os.Stderr, "seed %d, world %d, step %d: %v\n", p.Seed, r.History.World, r.Violation.Step, r.Violation)
	h := world.Shrink(r.History, r.Violation.Number, shrinkEvents)
	path := filepath.Join(".artifacts", "sim-history.txt")
	if err := save(path, h); err != nil {
		return err
	}
	fmt.Printf("\nThe shortest history that does the same has %d steps. HISTORY=%s plays it again:\n\n", len(h.Steps), path)
	v := world.Replay(h, os.Stdout).Violation
	fmt.Printf("\n%v\n\n", v)
	return errors.New("an invariant does not hold")
}

func save(path string, h world.History) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(h.Write(f), f.Close())
}

func replay(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h, err := world.ReadHistory(f)
	if err != nil {
		return err
	}
	r := world.Replay(h, os.Stdout)
	if r.Violation != nil {
		return r.Violation
	}
	fmt.Printf("all invariants hold; the digest is %x\n", r.Digest)
	return nil
}

// guardEvents are enough to see every kind of guard.
const guardEvents = 300_000

func listGuards(p world.Plan) error {
	p.List, p.Events = true, guardEvents
	r := world.Many(p)
	for _, kind := range slices.Sorted(maps.Keys(r.Guards)) {
		fmt.Printf("%9d  %s\n", r.Guards[kind], kind)
	}
	if r.Violation != nil {
		return r.Violation
	}
	return nil
}
