// Command mutants takes the guards of the money away, one at a time, and asks the tests whether they notice.
//
//	mutants [-list] [-match TEXT] [-near] [-jobs N]
//
// A guard is the condition of a write value in shared/store, or a refusal in a package that decides about money: what it
// refuses, alternative by alternative. The tests are built once, from source in which a switch stands at each guard, and
// run with one guard away: those that asked the guard while it was there, the nearest and quickest first, one at a time.
// The first that fails, and fails again, is printed beside the guard. The last line counts; the exit code is 1 when a
// mutant survived.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
)

// guarded are the packages whose guards are taken away.
var guarded = []string{"shared/money", "shared/ordering", "shared/commission", "shared/ledger", "shared/payout", "shared/payout/bankfile",
	"shared/attribution", "shared/store", "shared/cashier"}

// far are packages whose tests a mutant meets after those of its own package.
var far = []string{"shared/ordering", "shared/commission", "shared/ledger", "shared/payout", "shared/cashier", "functions/admin", "functions/checkout",
	"functions/payments", "functions/mature", "functions/settle", "functions/payout", "functions/portal", "functions/touch", "shared/store", "infra/sim/world"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	list := flag.Bool("list", false, "print the guards and run nothing")
	match := flag.String("match", "", "only guards whose line holds this text")
	near := flag.Bool("near", false, "only the tests of the guard's own package")
	jobs := flag.Int("jobs", 2, "mutants at a time")
	flag.Parse()
	s := &search{root: ".", out: os.Stdout, far: far, jobs: *jobs}
	if *near {
		s.far = nil
	}
	survivors, err := s.run(ctx, guarded, *match, *list)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2)
	}
	if survivors > 0 {
		os.Exit(1)
	}
}

// search is one run over the guards of some packages.
type search struct {
	root string
	out  io.Writer
	far  []string
	jobs int

	dir      string // for what is built
	programs map[string]func() (*program, error)
}

func (s *search) run(ctx context.Context, dirs []string, match string, list bool) (survivors int, err error) {
	f, err := find(s.root, dirs)
	if err != nil {
		return 0, err
	}
	var guards []guard
	for _, g := range f.guards {
		if strings.Contains(g.String(), match) {
			guards = append(guards, g)
		}
	}
	if list {
		for _, g := range guards {
			fmt.Fprintln(s.out, g)
		}
		return 0, nil
	}
	if s.dir, err = os.MkdirTemp("", "yundian-mutants-"); err != nil {
		return 0, err
	}
	defer os.RemoveAll(s.dir)
	if err := s.prepare(ctx, f, dirs); err != nil {
		return 0, err
	}
	survivors, err = s.all(ctx, guards)
	if err != nil {
		return 0, err
	}
	for _, dir := range dirs {
		n := 0
		for _, g := range guards {
			if g.dir() == dir {
				n++
			}
		}
		if n > 0 {
			fmt.Fprintf(s.out, "%4d guards in %s\n", n, dir)
		}
	}
	fmt.Fprintf(s.out, "%d guards, %d caught, %d survived\n", len(guards), len(guards)-survivors, survivors)
	return survivors, nil
}

// all takes each guard away and prints what became of it, in the order of the guards.
func (s *search) all(ctx context.Context, guards []guard) (survivors int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	caught := make([]chan string, len(guards))
	for i := range caught {
		caught[i] = make(chan string, 1)
	}
	next := make(chan int)
	var wg sync.WaitGroup
	for range max(1, s.jobs) {
		wg.Go(func() {
			for i := range next {
				by, err := s.catch(ctx, guards[i])
				if err != nil {
					cancel(fmt.Errorf("%s: %w", guards[i], err))
				}
				caught[i] <- by
			}
		})
	}
	wg.Go(func() {
		defer close(next)
		for i := range guards {
			if ctx.Err() != nil {
				return
			}
			next <- i
		}
	})
	defer wg.Wait()
	for i, g := range guards {
		select {
		case <-ctx.Done():
			return survivors, context.Cause(ctx)
		case by := <-caught[i]:
			if by == "" {
				survivors++
				fmt.Fprintf(s.out, "SURVIVED  %s\n", g)
			} else {
				fmt.Fprintf(s.out, "caught    %s  by %s\n", g, by)
			}
		}
	}
	return survivors, nil
}

// catch runs tests without a guard, the nearest first, and names the one that failed; nothing when all passed.
func (s *search) catch(ctx context.Context, g guard) (string, error) {
	tried := map[string]bool{}
	for _, dir := range append([]string{g.dir()}, s.far...) {
		if tried[dir] {
			continue
		}
		tried[dir] = true
		p, err := s.programs[dir]()
		if err != nil {
			return "", err
		}
		for _, t := range p.asking(g.id) {
			if ctx.Err() != nil {
				return "", ctx.Err()
			}
			if p.fails(ctx, t, g.id) && p.fails(ctx, t, g.id) { // once may be chance
				return t.name + " of " + dir, nil
			}
		}
	}
	return "", nil
}
