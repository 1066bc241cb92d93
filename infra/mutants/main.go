// Command mutants takes the guards of the money away, one at a time, and asks the tests whether they notice.
//
//	mutants [-list] [-match TEXT] [-jobs N]
//
// A guard is the condition of a write value in shared/store, or a condition whose only consequence is a refusal in a
// package that decides about money. A mutant is the same program without that one guard: it is never written into the
// source, the go command reads it from an overlay. The tests go from the nearest to the farthest until one fails; that
// one is printed beside the guard. The last line counts both; the exit code is 1 when a mutant survived.
package main

import (
	"context"
	"encoding/json"
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
	var mu sync.Mutex
	var wg sync.WaitGroup
	next := make(chan int)
	for range max(1, jobs) {
		wg.Go(func() {
			for i := range next {
				caught, e := guards[i].test(ctx, filepath.Join(dir, fmt.Sprint(i)))
				mu.Lock()
				switch {
				case e != nil:
					err = e
					survivors++
					fmt.Printf("FAULTY    %s: %v\n", guards[i], e)
				case caught == "":
					survivors++
					fmt.Printf("SURVIVED  %s\n", guards[i])
				default:
					fmt.Printf("caught    %s  by %s\n", guards[i], caught)
				}
				mu.Unlock()
			}
		})
	}
	for i := range guards {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	fmt.Printf("%d guards, %d caught, %d survived\n", len(guards), len(guards)-survivors, survivors)
	if err == nil {
		err = ctx.Err()
	}
	return survivors, err
}

// test runs tests against the mutant, the nearest first, and names the one that failed; nothing when all passed.
func (g guard) test(ctx context.Context, dir string) (caught string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	mutant, overlay := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(mutant, g.mutant, 0o644); err != nil {
		return "", err
	}
	original, err := filepath.Abs(g.file)
	if err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {original: mutant}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(overlay, replace, 0o644); err != nil {
		return "", err
	}
	for _, packages := range append([][]string{{"./" + filepath.Dir(g.file)}}, far...) {
		if packages = existing(packages); len(packages) == 0 {
			continue
		}
		if caught, err = testWith(ctx, overlay, packages); caught != "" || err != nil {
			return caught, err
		}
	}
	return "", nil
}

var failedTest = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// testWith runs the tests of some packages with an overlay. A program that does not compile is a fault of this tool.
func testWith(ctx context.Context, overlay string, packages []string) (caught string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c := exec.CommandContext(ctx, "go", append([]string{"test", "-vet=off", "-count=1", "-failfast", "-overlay=" + overlay}, packages...)...)
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
