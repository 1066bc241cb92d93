// Command mutants takes the guards of the money away, one at a time, and asks the tests whether they notice.
//
//	mutants [-list] [-match TEXT] [-jobs N]
//
// A guard is the condition of a write value in shared/store, or a condition whose only consequence is a refusal in a
// package that decides about money. A mutant is the same program without that one guard, in a copy of the source that is
// thrown away. The tests go from the nearest to the farthest until one fails; that
// one is printed beside the guard. The last line counts both; the exit code is 1 when a mutant survived.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// guarded are the packages whose guards are taken away.
var guarded = []string{"shared/money", "shared/ordering", "shared/commission", "shared/ledger", "shared/payout", "shared/payout/bankfile",
	"shared/attribution", "shared/store", "shared/cashier"}

// far are the tests that a mutant meets after those of its own package, from the cheapest to the most thorough.
var far = [][]string{
	{"./shared/ordering", "./shared/commission", "./shared/ledger", "./shared/payout/..."},
	{"./shared/store"},
	{"./infra/sim/..."},
	{"./shared/cashier", "./shared/audit", "./functions/..."},
	{"./infra/e2e"},
}

// patience bounds the tests of one step; a mutant that makes them hang is caught.
const patience = 5 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	list := flag.Bool("list", false, "print the guards and run nothing")
	match := flag.String("match", "", "only guards whose line holds this text")
	jobs := flag.Int("jobs", 2, "mutants at a time")
	flag.Parse()
	survivors, err := run(ctx, *list, *match, *jobs)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2)
	}
	if survivors > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, list bool, match string, jobs int) (survivors int, err error) {
	var guards []guard
	for _, dir := range guarded {
		found, err := guardsIn(dir)
		if err != nil {
			return 0, err
		}
		for _, g := range found {
			if strings.Contains(g.String(), match) {
				guards = append(guards, g)
			}
		}
	}
	if list {
		for _, g := range guards {
			fmt.Println(g)
		}
		return 0, nil
	}
	dir, err := os.MkdirTemp("", "yundian-mutants-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	var copies []string
	for i := range max(1, jobs) {
		tree := filepath.Join(dir, fmt.Sprint(i))
		if err := copyTree(tree); err != nil {
			return 0, err
		}
		copies = append(copies, tree)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	next := make(chan guard)
	for _, tree := range copies {
		wg.Go(func() {
			for g := range next {
				caught, e := g.test(ctx, tree)
				mu.Lock()
				switch {
				case ctx.Err() != nil:
				case e != nil:
					survivors++
					fmt.Printf("FAULTY    %s: %v\n", g, e)
				case caught == "":
					survivors++
					fmt.Printf("SURVIVED  %s\n", g)
				default:
					fmt.Printf("caught    %s  by %s\n", g, caught)
				}
				mu.Unlock()
			}
		})
	}
	for _, g := range guards {
		if ctx.Err() != nil {
			break
		}
		next <- g
	}
	close(next)
	wg.Wait()
	if ctx.Err() != nil {
		return survivors, ctx.Err()
	}
	fmt.Printf("%d guards, %d caught, %d survived\n", len(guards), len(guards)-survivors, survivors)
	return survivors, nil
}

// copyTree copies what the tests need. The programs that they start are shared.
func copyTree(to string) error {
	for _, part := range []string{"functions", "shared", "infra", "events"} {
		if err := os.CopyFS(filepath.Join(to, part), os.DirFS(part)); err != nil {
			return fmt.Errorf("copy the source: %w", err)
		}
	}
	for _, file := range []string{"go.mod", "go.sum", "Makefile", "README.md"} {
		text, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, file), text, 0o644)
		}
		if err != nil {
			return fmt.Errorf("copy the source: %w", err)
		}
	}
	tools, err := filepath.Abs(".tools")
	if err != nil {
		return err
	}
	return os.Symlink(tools, filepath.Join(to, ".tools"))
}

// test puts the mutant into a copy of the source and runs tests against it, the nearest first. It names the one that
// failed; nothing when all passed.
func (g guard) test(ctx context.Context, tree string) (caught string, err error) {
	file := filepath.Join(tree, g.file)
	original, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(file, g.mutant, 0o644); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.WriteFile(file, original, 0o644)) }()
	for _, packages := range append([][]string{{"./" + filepath.Dir(g.file)}}, far...) {
		if packages = existing(packages); len(packages) == 0 {
			continue
		}
		if caught, err = testIn(ctx, tree, packages); caught != "" || err != nil {
			return caught, err
		}
	}
	return "", nil
}

var failedTest = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// testIn runs the tests of some packages. A program that does not compile is a fault of this tool.
func testIn(ctx context.Context, tree string, packages []string) (caught string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c := exec.CommandContext(ctx, "go", append([]string{"test", "-vet=off", "-trimpath", "-count=1", "-failfast"}, packages...)...)
	c.Dir = tree
	c.Env = append(os.Environ(), "STORE=dynoxide")
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the tests' own children end with them
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	out, failure := c.CombinedOutput()
	switch found := failedTest.FindAllSubmatch(out, -1); {
	case failure == nil:
		return "", nil
	case ctx.Err() == context.DeadlineExceeded:
		return fmt.Sprintf("tests of %s that did not end", strings.Join(packages, " ")), nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case len(found) > 0:
		return string(found[len(found)-1][1]), nil
	case strings.Contains(string(out), "panic:"):
		return "a panic in " + strings.Join(packages, " "), nil
	default:
		return "", fmt.Errorf("the mutant does not run: %.2000s", out)
	}
}

// existing leaves out packages that this version of the project does not have.
func existing(packages []string) []string {
	var out []string
	for _, p := range packages {
		if _, err := os.Stat(strings.TrimSuffix(p, "/...")); err == nil {
			out = append(out, p)
		}
	}
	return out
}
