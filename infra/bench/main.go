// Command bench measures the whole store on this machine and prints one table, or with -json one JSON document:
// what a cold start costs, what each route costs in time, store calls and capacity units, how much the store takes at
// once, how long a payment takes to become visible earnings, and where the CPU time goes.
//
// The functions are their real bootstrap processes under the local runner, which is this process. The load comes from
// a process of its own (this program again, see load.go), so that making it is not counted as serving it. Every section
// runs on fresh store engines, so that none measures what another one has left behind; what a long history costs is a
// section of its own (growth.go).
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// limit ends a run that hangs; a whole one takes about five minutes on a quiet machine, the long curve
// half an hour on a busy one, most of it DynamoDB Local's.
const limit = time.Hour

func main() {
	if len(os.Args) == 2 && os.Args[1] == loadCommand {
		if err := serveLoad(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "bench load:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	asJSON := flag.Bool("json", false, "print one JSON document instead of the table")
	quick := flag.Bool("quick", false, "a smoke test in half a minute: few repetitions, rough numbers")
	growth := flag.Bool("growth", false, "only what one more order costs with 100, 1,000, 5,000 and 20,000 stored, on both engines")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("unknown argument %q", flag.Arg(0))
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	b, err := newBench(*quick)
	if err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	sections := b.sections()
	if *growth {
		b.Stored, sections = longHistory, b.growthAlone()
	}
	report, err := b.measure(ctx, sections)
	if err != nil {
		return err
	}
	if *growth {
		report.Routes = nil
	}
	if *asJSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(report)
	}
	return report.print(os.Stdout)
}

// effort is how much of everything is done; medians need odd repetitions.
type effort struct {
	Starts        int           // of each function
	Repeats       int           // of every load, each on a fresh store
	Latencies     int           // requests per route and repetition
	Counted       int           // requests per route whose store calls are counted
	PageTime      time.Duration // of one load of pages
	OrdersEach    int           // orders of one load of placements
	RoadOrders    int           // orders of one load of the full road
	SettledOrders int           // orders of one backlog to settle
	Entries       []int         // of the KOCs whose earnings are read
	LagOrders     int           // orders whose way to the earnings is timed, per repetition
	LagInterval   time.Duration // between them
	Stored        []int         // orders, at which one more is measured
	GrowthOrders  int           // measured there, twice
}

var (
	thorough = effort{Starts: 21, Repeats: 3, Latencies: 100, Counted: 10, PageTime: 2 * time.Second, OrdersEach: 150, RoadOrders: 150, SettledOrders: 2000, Entries: []int{100, 100_000}, LagOrders: 60, LagInterval: 100 * time.Millisecond, Stored: []int{100, 1000}, GrowthOrders: 30}
	smoke    = effort{Starts: 5, Repeats: 1, Latencies: 20, Counted: 3, PageTime: 500 * time.Millisecond, OrdersEach: 60, RoadOrders: 60, SettledOrders: 200, Entries: []int{100, 2000}, LagOrders: 15, LagInterval: 50 * time.Millisecond, Stored: []int{50, 150}, GrowthOrders: 5}
)

// longHistory is as far as the curve goes with -growth.
var longHistory = []int{100, 1000, 5000, 20_000}

// bench is one run of this program.
type bench struct {
	effort
	quick bool
	root  string // of the repository
	dir   string // for everything that is thrown away
	bins  string // of the functions' binaries, kept between runs
	peaks peaks
	// environments are what the template gives each function, from the last store that was opened.
	environments map[string]map[string]string
}

func newBench(quick bool) (*bench, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "yundian-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{effort: thorough, quick: quick, root: root, dir: dir, bins: filepath.Join(root, ".artifacts", "bin"), peaks: peaks{functions: map[string]int64{}}}
	if quick {
		b.effort = smoke
	}
	return b, nil
}

// section is a part of the report.
type section struct {
	name string
	run  func(context.Context, *Report) error
}

func (b *bench) sections() []section {
	return append([]section{
		{"latency of each route", b.latencies},
		{"store calls and capacity of each route", b.costs},
		{"start-up of each function", b.startups},
		{"pages and orders per second", b.throughputs},
		{"the full road", b.roads},
		{"settling a backlog", b.settlings},
		{"earnings by depth", b.depths},
	}, b.growthAlone()...)
}

func (b *bench) growthAlone() []section {
	return []section{{"one more order, by orders stored", b.growths}}
}

// measure runs the sections. What it says on the way goes to standard error.
func (b *bench) measure(ctx context.Context, sections []section) (Report, error) {
	began := time.Now()
	r := newReport(began)
	for _, section := range sections {
		start := time.Now()
		if err := section.run(ctx, &r); err != nil {
			return r, fmt.Errorf("measure %s: %w", section.name, err)
		}
		fmt.Fprintf(os.Stderr, "%-40s %5.1f s\n", section.name, time.Since(start).Seconds())
	}
	r.Memory = b.peaks.rows()
	r.Machine.Seconds = time.Since(began).Seconds()
	r.judge()
	return r, nil
}

// moduleRoot is the folder of go.mod, at or above the working folder.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod at or above the working folder")
		}
		dir = parent
	}
	return "", err
}
