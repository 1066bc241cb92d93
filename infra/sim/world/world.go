// Package world is a small shop in which everything that can go wrong does, one step after the other: shoppers, operators,
// a payment provider, consumers of streams and time act on a store of maps, whose calls are lost, refused, repeated and
// interleaved by chance. After every write, everything that it touched is held against the invariants of the money.
//
// A world is made by one goroutine from one number, reads no clock and ranges over no map where the order could show: the
// same number makes the same world.
package world

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"yundian/shared/cashier"
	"yundian/shared/payout"
	"yundian/shared/provider"
	"yundian/shared/store"
)

// Options say which world is made, and how.
type Options struct {
	Seed   uint64
	World  int
	Events int       // after so many the faults stop and the world comes to rest
	Guard  string    // the kind of guard that is taken away from every write, to see whether anybody notices
	List   bool      // whether the kinds of guards that go by are counted
	Focus  []string  // commands that are half of all steps; none for the usual mixture
	Tell   io.Writer // what happens, line by line; nil for silence
}

// World is one shop with everybody who acts on it.
type World struct {
	dice
	options Options
	names   []string // commands so far, one per step
	tell    io.Writer
	depth   string // indentation of what is told

	ctx     context.Context
	maps    *store.Maps
	warm    [2]*store.Store // of processes that remember what they have read before
	bank    *bank
	rail    *rail
	now     time.Time
	expired time.Time // when transactions were last forgotten

	shop      setting
	calm      bool // the faults have stopped
	stack     []*frame
	found     *Violation
	calls     int // within this step
	lastFold  int
	consumers []*consumer
	paused    map[string]int  // consumers that are late, until this event
	asked     []ask           // what operators asked for, to ask again
	atBank    map[string]bool // whether the bank paid a payout
	wanted    []want          // what shoppers asked for, to ask again
	made      int             // ids given out
	fitting   []string        // orders among which one is chosen

	watch  *watch
	sites  map[site]int
	Counts Counts
}

// Violation is an invariant that did not hold. Number is that of the invariant in the design of the money; 0 is a panic.
type Violation struct {
	Number int
	Text   string
	Step   int
}

// Error implements error.
func (v *Violation) Error() string { return fmt.Sprintf("invariant %d: %s", v.Number, v.Text) }

// epoch is when worlds begin: two weeks before a month ends, and a few hours before a night on which clocks change in New
// York.
var epoch = time.Date(2026, 3, 7, 20, 0, 0, 0, time.UTC)

func newWorld(o Options) *World {
	w := &World{options: o, tell: o.Tell, ctx: context.Background(), maps: store.NewMaps(), now: epoch, expired: epoch,
		paused: map[string]int{}, sites: map[site]int{}, atBank: map[string]bool{}, Counts: newCounts()}
	w.maps.Intercept = w.intercept
	w.warm = [2]*store.Store{store.OpenMaps(w.maps), store.OpenMaps(w.maps)}
	w.bank, w.rail = newBank(w), newRail(w)
	w.watch = newWatch(w)
	w.consumers = consumers(w)
	return w
}

// Result is what became of a world.
type Result struct {
	Violation *Violation
	Digest    [32]byte
	Counts    Counts
	History   History
}

// Run makes a world by chance and lets it come to rest.
func Run(o Options) Result {
	w := newWorld(o)
	w.rng = rand.New(rand.NewPCG(o.Seed, uint64(o.World)))
	w.step("setup", nil)
	for w.found == nil && w.Counts.Events < o.Events {
		w.step(w.chooseCommand(), nil)
	}
	if w.found == nil {
		w.step("rest", nil)
	}
	return w.result()
}

// Replay makes the world of a history again. Any part of a history is one: a world that has no setup gets the simplest.
func Replay(h History, tell io.Writer) Result {
	w := newWorld(Options{Seed: h.Seed, World: h.World, Guard: h.Guard, Tell: tell})
	if len(h.Steps) == 0 || h.Steps[0].Command != "setup" {
		w.step("setup", []uint32{})
	}
	for _, s := range h.Steps {
		if w.found != nil {
			break
		}
		w.step(s.Command, s.Choices)
	}
	if w.found == nil {
		w.lastFold = -foldEvery // a part of a history ends with a fold, or none could be shorter than the time between two
		w.step("nothing", []uint32{})
	}
	return w.result()
}

func (w *World) result() Result {
	for s, n := range w.sites {
		w.Counts.Sites[s.String()] += n
	}
	r := Result{Violation: w.found, Counts: w.Counts}
	if w.found != nil {
		r.History = w.history()
		return r
	}
	r.Digest = w.digest()
	return r
}

func (w *World) history() History {
	h := History{Seed: w.options.Seed, World: w.options.World, Guard: w.options.Guard}
	for i, name := range w.names {
		h.Steps = append(h.Steps, Step{Command: name, Choices: w.choices(i)})
	}
	return h
}

// halt is the panic that ends a world whose invariants did not hold.
var halt = errors.New("world: an invariant does not hold")

// violate ends the world.
func (w *World) violate(number int, format string, args ...any) {
	if w.found == nil {
		w.found = &Violation{Number: number, Text: fmt.Sprintf(format, args...), Step: len(w.names) - 1}
		w.say("VIOLATION %s", w.found)
	}
	panic(halt)
}

func (w *World) say(format string, args ...any) {
	if w.tell != nil {
		fmt.Fprintf(w.tell, w.depth+format+"\n", args...)
	}
}

// step plays one command. A world that was halted stays so.
func (w *World) step(name string, old []uint32) {
	w.names = append(w.names, name)
	w.begin(old)
	w.calls = 0
	w.say("%d %s  (%s)", len(w.names)-1, name, w.now.Format(time.DateTime))
	w.depth = "    "
	defer func() {
		w.depth, w.stack = "", w.stack[:0]
		if cause := recover(); cause != nil && w.found == nil {
			w.found = &Violation{Text: fmt.Sprintf("panic: %v\n%s", cause, debug.Stack()), Step: len(w.names) - 1}
		}
	}()
	switch name {
	case "setup":
		w.setup()
	case "rest":
		w.rest()
	default:
		w.command(name)
	}
	if w.found != nil {
		panic(halt) // somebody between here and there has swallowed it
	}
	if w.Counts.Events-w.lastFold >= foldEvery {
		w.fold()
	}
}

// foldEvery is how many events pass between two whole folds.
const foldEvery = 1000

func (w *World) command(name string) {
	c, ok := commandNamed(name)
	if !ok {
		w.violate(0, "there is no command %q", name)
	}
	w.Counts.Events++
	w.Counts.Commands[name]++
	c.do(w)
}

// id makes a name that nobody has.
func (w *World) id(prefix string) string {
	w.made++
	return fmt.Sprintf("%s%04d", prefix, w.made)
}

// db is the store of whoever acts now.
func (w *World) db() *store.Store { return w.stack[len(w.stack)-1].db }

// till is the cashier of whoever acts now.
func (w *World) till() cashier.Cashier {
	return cashier.Cashier{Store: w.db(), Providers: provider.Of(w.bank)}
}

// payer is the paymaster of whoever acts now.
func (w *World) payer() cashier.Paymaster {
	rails, err := provider.NewRails([]string{payout.Bank, payout.Stripe}, "", w.rail)
	w.must(err)
	return cashier.Paymaster{Store: w.db(), Rails: rails, Box: w.shop.box, OneByOne: true}
}

// peek reads the tables as nobody in the world does: nothing is counted, and nothing happens to it.
func (w *World) peek() (context.Context, *store.Store) {
	return context.WithValue(w.ctx, peeking{}, true), store.OpenMaps(w.maps)
}

type peeking struct{}

// time is what the clock of whoever acts now shows.
func (w *World) time() time.Time {
	if n := len(w.stack); n > 0 {
		return w.now.Add(w.stack[n-1].skew)
	}
	return w.now
}

// pass lets time pass.
func (w *World) pass(d time.Duration) {
	w.now = w.now.Add(d)
	if w.now.Sub(w.expired) > 10*time.Minute { // for so long a repeated transaction is recognised
		w.expired = w.now
		w.maps.ExpireTokens()
	}
}
