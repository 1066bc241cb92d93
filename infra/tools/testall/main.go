// Command testall runs the project's tests part by part and counts them.
//
//	testall [part…]    all parts when none is named; "store" names store-dynoxide and store-dynamodb-local
//
// It prints what failed, then one line per part with its counts and time, and at the very end
// "N passed, N failed" over everything. A skipped test counts as failed, and so does a part that ran
// no test at all: silence is not success. A test with subtests counts once itself and once per subtest.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// part is one group of tests with a line of its own in the summary.
type part struct {
	name  string
	under []string // package patterns
	not   []string // import path prefixes left out, because another part runs them
	env   []string
	flags []string
	// before is a command that makes what the tests need; when it fails, so does the part.
	before []string
}

// long are packages whose tests take tens of seconds because they simulate, storm or measure. They are a part of their
// own, so that whoever changes a line waits for the unit part alone.
var long = []string{"yundian/infra/sim", "yundian/infra/bench", "yundian/infra/chaos", "yundian/infra/mutants", "yundian/infra/local/cmd"}

func longPatterns() []string {
	var patterns []string
	for _, path := range long {
		patterns = append(patterns, "."+strings.TrimPrefix(path, "yundian")+"/...")
	}
	return patterns
}

// The store and journey tests run once per engine: what both engines accept is the contract.
var parts = []part{
	{name: "unit", under: []string{"./..."}, not: append([]string{"yundian/shared/store", "yundian/infra/e2e", "yundian/infra/rules"}, long...)},
	{name: "tools", under: longPatterns()},
	{name: "template", under: []string{"./infra/rules/..."}},
	{name: "store-dynoxide", under: []string{"./shared/store/..."}, env: []string{"STORE=dynoxide"}},
	{name: "store-dynamodb-local", under: []string{"./shared/store/..."}, env: []string{"STORE=dynamodb-local"}},
	{name: "e2e-dynoxide", under: []string{"./infra/e2e/..."}, not: []string{"yundian/infra/e2e/browser"}, env: []string{"STORE=dynoxide"},
		before: []string{"make", "sam-build"}},
	{name: "e2e-dynamodb-local", under: []string{"./infra/e2e"}, env: []string{"STORE=dynamodb-local"}, flags: []string{"-run", "Journey"}},
	{name: "browser", under: []string{"./infra/e2e/browser/..."}, env: []string{"STORE=dynoxide"}},
}

func main() {
	chosen, err := choose(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "testall:", err)
		os.Exit(2)
	}
	var total counts
	var summary []string
	for _, p := range chosen {
		fmt.Printf("== %s\n", p.name)
		start := time.Now()
		c := p.run()
		summary = append(summary, fmt.Sprintf("%-22s %5d passed  %3d failed  %6.1f s", p.name, c.passed, c.failed, time.Since(start).Seconds()))
		total.passed += c.passed
		total.failed += c.failed
	}
	fmt.Println()
	for _, line := range summary {
		fmt.Println(line)
	}
	fmt.Printf("%d passed, %d failed\n", total.passed, total.failed)
	if total.failed > 0 {
		os.Exit(1)
	}
}

// choose returns the parts that the arguments name, in their fixed order; all of them without arguments.
func choose(names []string) ([]part, error) {
	if len(names) == 0 {
		return parts, nil
	}
	var chosen []part
	matched := map[string]bool{}
	for _, p := range parts {
		for _, name := range names {
			if p.name == name || strings.HasPrefix(p.name, name+"-") {
				matched[name] = true
				if !slices.ContainsFunc(chosen, func(c part) bool { return c.name == p.name }) {
					chosen = append(chosen, p)
				}
			}
		}
	}
	for _, name := range names {
		if !matched[name] {
			return nil, fmt.Errorf("no part is called %q", name)
		}
	}
	return chosen, nil
}

// run runs one part and prints its failures as they happen.
func (p part) run() counts {
	packages, err := p.packages()
	if err != nil {
		fmt.Println(err)
		return counts{failed: 1}
	}
	if len(packages) == 0 {
		fmt.Println("FAIL: this part has no packages")
		return counts{failed: 1}
	}
	if len(p.before) > 0 {
		if out, err := exec.Command(p.before[0], p.before[1:]...).CombinedOutput(); err != nil {
			fmt.Printf("FAIL: %s: %v\n%s\n", strings.Join(p.before, " "), err, out)
			return counts{failed: 1}
		}
	}
	// -count=1: a cached result would hide what changed outside Go's sight, such as an engine or the template.
	args := append([]string{"test", "-json", "-count=1", "-timeout=10m"}, p.flags...)
	command := exec.Command("go", append(args, packages...)...)
	command.Env = append(os.Environ(), p.env...)
	command.Stderr = os.Stderr
	events, err := command.StdoutPipe()
	if err != nil {
		fmt.Println("FAIL: read the output of go test:", err)
		return counts{failed: 1}
	}
	if err := command.Start(); err != nil {
		fmt.Println("FAIL: start go test:", err)
		return counts{failed: 1}
	}
	c := newReader(os.Stdout).read(events)
	if err := command.Wait(); err != nil && c.failed == 0 {
		fmt.Println("FAIL: go test:", err)
		c.failed++
	}
	if c.passed+c.failed == 0 {
		fmt.Println("FAIL: this part ran no test")
		c.failed++
	}
	return c
}

// packages lists the import paths of this part that have tests.
func (p part) packages() ([]string, error) {
	const withTests = `{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}`
	command := exec.Command("go", append([]string{"list", "-e", "-f", withTests}, p.under...)...)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("FAIL: list packages of %s: %w\n%s", p.name, err, complaints.String())
	}
	var packages []string
	for _, path := range strings.Fields(string(out)) {
		left := slices.ContainsFunc(p.not, func(prefix string) bool {
			return path == prefix || strings.HasPrefix(path, prefix+"/")
		})
		if !left {
			packages = append(packages, path)
		}
	}
	return packages, nil
}
