package world

import (
	"context"
	"errors"
	"slices"
	"time"

	"yundian/shared/fail"
	"yundian/shared/store"
)

// frame is a process at work: one request, one batch, one run of the schedule.
type frame struct {
	name  string
	db    *store.Store
	skew  time.Duration // how far its clock is off
	dead  bool          // it has ended in the middle of its work: nothing of it reaches the store any more
	dies  bool          // it will end when the call that is under way is done
	wrote int           // writes that were made for it
	begun int           // how many events had happened when it began
	fate  store.Verdict // of the following calls
	left  int           // how many of them
	twin  func()        // does the same in another process
}

// errCrashed is the outcome of a process that ended in the middle of its work.
var errCrashed = errors.New("world: the process ended")

// run lets a process do something, to its end or to a sudden one. Whoever it interrupts goes on afterwards.
func (w *World) run(name string, do func() error) (err error, wrote int) {
	return w.runBeside(name, do, func() { _, _ = w.run(name, do) })
}

// runBeside is run for a process that is most often interrupted by what twin does.
func (w *World) runBeside(name string, do func() error, twin func()) (err error, wrote int) {
	f := &frame{name: name, twin: twin, begun: w.Counts.Events, db: w.warm[0]}
	if !w.calm {
		f.skew = skews[w.pick(len(skews))]
		switch w.pick(8) {
		case 6:
			f.db = w.warm[1]
		case 7:
			f.db = store.OpenMaps(w.maps) // a process that has just started
		}
	}
	w.stack = append(w.stack, f)
	depth, at := w.depth, len(w.stack)-1
	defer func() {
		cause := recover()
		w.stack, w.depth, wrote = w.stack[:at], depth, f.wrote
		switch {
		case w.found != nil:
			panic(halt)
		case f.dead:
			err = errCrashed
			w.say("%s ended in the middle", name)
		case cause != nil:
			panic(cause)
		case err != nil:
			w.say("%s: %v", name, err)
		}
	}()
	w.say("%s", name)
	return do(), 0
}

// skews are how far clocks are off; those of Lambda agree within milliseconds, which nothing may depend on.
var skews = [...]time.Duration{0, 0, 0, 0, 0, time.Millisecond, -time.Millisecond, 3 * time.Second, -3 * time.Second}

// refused reports whether an outcome is a refusal that is told to whoever asked.
func refused(err error) bool { return err != nil && fail.KindOf(err) != fail.Internal }

// act runs a process that a person waits for: what is refused has left no trace.
func (w *World) act(name string, do func() error) error { return w.actBeside(name, do, nil) }

// actBeside is act for a process that is most often interrupted by what twin does, if it is given.
func (w *World) actBeside(name string, do func() error, twin func()) error {
	if twin == nil {
		twin = func() { _, _ = w.run(name, do) }
	}
	err, wrote := w.runBeside(name, do, twin)
	// A word against what is on record is kept for people to look at, and looking for payouts that can go finds some that have
	// to be approved again.
	kept := fail.Is(err, "payout_contradicted") || fail.Is(err, "bank_file_empty")
	if refused(err) && wrote > 0 && !kept {
		w.violate(12, "%s was refused (%v), but %d writes of it stay", name, err, wrote)
	}
	return err
}

// fault is something that can happen to a call.
type fault struct {
	name    string
	weight  int
	verdict store.Verdict
	fits    func(store.Call) bool
}

func anyCall(store.Call) bool         { return true }
func writes(c store.Call) bool        { return len(c.Writes) > 0 }
func isTransaction(c store.Call) bool { return c.Op == "TransactWriteItems" }
func readsSeveral(c store.Call) bool  { return c.Op == "BatchGetItem" }
func isFirstTry(c store.Call) bool    { return c.Try == 1 }

// What can happen to a call. Crashes and interruptions have no verdict.
var callFaults = []fault{
	{name: "request lost", weight: 10, verdict: store.LoseRequest, fits: anyCall},
	{name: "response lost", weight: 20, verdict: store.LoseResponse, fits: anyCall},
	{name: "throttled", weight: 8, verdict: store.Throttle, fits: anyCall},
	{name: "server error", weight: 8, verdict: store.ServerError, fits: anyCall},
	{name: "conflict", weight: 10, verdict: store.Collide, fits: writes},
	{name: "still running", weight: 4, verdict: store.StillRunning, fits: isTransaction},
	{name: "part unread", weight: 6, verdict: store.ReadPart, fits: readsSeveral},
	{name: "crash before", weight: 5, fits: anyCall},
	{name: "crash after", weight: 8, fits: anyCall},
	{name: "another between", weight: 45, fits: isFirstTry},
}

// How often the same happens to the calls that follow: once, until the SDK nearly gives up, until it does, until the
// store does.
var persistence = [...]int{0, 0, 0, 0, 0, 1, 4, 6, 60}

// maxCalls bounds the calls of one step: whatever retries must end.
const maxCalls = 20_000

// maxDepth bounds how many processes stand interrupted at once.
const maxDepth = 3

// intercept is where the world decides what becomes of each call of the store.
func (w *World) intercept(ctx context.Context, c store.Call) store.Verdict {
	if ctx.Value(peeking{}) != nil {
		return store.Pass
	}
	f := w.stack[len(w.stack)-1]
	if w.found != nil {
		panic(halt)
	}
	if f.dead {
		panic(errCrashed)
	}
	if c.Done {
		return w.after(f, c)
	}
	w.calls++
	w.Counts.Events++
	if w.calls > maxCalls {
		w.violate(15, "%s does not end", f.name)
	}
	w.now = w.now.Add(time.Millisecond)
	w.note(c)
	if w.calm {
		return store.Pass
	}
	if f.left > 0 && fitsVerdict(f.fate, c) {
		f.left--
		w.Counts.fault(faultNamed(f.fate))
		return f.fate
	}
	return w.strike(f, c)
}

// strike decides by chance whether something happens to a call.
func (w *World) strike(f *frame, c store.Call) store.Verdict {
	if !w.chance(w.shop.weather) {
		return store.Pass
	}
	total := 0
	for i := range callFaults {
		if callFaults[i].fits(c) {
			total += callFaults[i].weight
		}
	}
	at := w.pick(total)
	for i := range callFaults {
		x := &callFaults[i]
		if !x.fits(c) {
			continue
		}
		if at -= x.weight; at < 0 {
			return w.hit(f, c, x)
		}
	}
	return store.Pass
}

// hit lets a fault happen.
func (w *World) hit(f *frame, c store.Call, x *fault) store.Verdict {
	w.say("! %s: %s of %s", x.name, c.Op, f.name)
	switch x.name {
	case "crash before":
		w.Counts.fault(x.name)
		f.dead = true
		panic(errCrashed)
	case "crash after":
		w.Counts.fault(x.name)
		f.dies = true
	case "another between":
		if len(w.stack) < maxDepth {
			w.interrupt(f, x.name)
		}
	default:
		w.Counts.fault(x.name)
		f.fate, f.left = x.verdict, persistence[w.pick(len(persistence))]
	}
	return x.verdict
}

// interrupt lets somebody else act between what a process has read and what it reads or writes next: most often a process that does the
// same, as when a request or a batch is on its way twice.
func (w *World) interrupt(f *frame, kind string) {
	before, depth := w.Counts.Events, w.depth
	w.depth += "    "
	if w.pick(3) == 0 {
		w.command(w.pickCommand())
	} else {
		w.Counts.Events++
		f.twin()
	}
	w.depth = depth
	if w.Counts.Events > before+1 { // more than the command itself: it reached the store
		w.Counts.fault(kind)
	}
}

// after sees what a call has done.
func (w *World) after(f *frame, c store.Call) store.Verdict {
	if c.Err == nil && len(c.Writes) > 0 {
		if w.watch.observe() {
			f.wrote++
		}
	}
	if f.dies {
		f.dead = true
		panic(errCrashed)
	}
	return store.Pass
}

func faultNamed(v store.Verdict) string {
	i := slices.IndexFunc(callFaults, func(x fault) bool { return x.verdict == v })
	return callFaults[i].name
}

func fitsVerdict(v store.Verdict, c store.Call) bool {
	i := slices.IndexFunc(callFaults, func(x fault) bool { return x.verdict == v })
	return callFaults[i].fits(c)
}
