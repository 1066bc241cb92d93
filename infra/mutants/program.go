package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// program holds the tests of one package, built with a switch at each guard.
type program struct {
	file, dir string
	flags     []string
	tests     []test
}

// test is one test function, how long it takes, and the guards that it asks.
type test struct {
	name string
	took time.Duration
	asks map[string]bool
}

// prepare writes the switched source and says where the compiler finds it in place of the real one. A package's tests are
// built when the first mutant needs them.
func (s *search) prepare(ctx context.Context, f *finder, dirs []string) error {
	root, err := filepath.Abs(s.root)
	if err != nil {
		return err
	}
	replace := map[string]string{}
	write := func(file string, text []byte) error {
		to := filepath.Join(s.dir, fmt.Sprintf("%d.go", len(replace)))
		replace[filepath.Join(root, file)] = to
		return os.WriteFile(to, text, 0o600)
	}
	done := map[string]bool{}
	for _, x := range f.sources {
		if len(x.inserts) == 0 {
			continue
		}
		if err := write(x.file, x.switched()); err != nil {
			return err
		}
		dir := filepath.Dir(x.file)
		if done[dir] {
			continue
		}
		done[dir] = true
		text := fmt.Sprintf(switches, x.parsed.Name.Name)
		if x.parsed.Name.Name == writing {
			text += guardSwitch
		}
		if err := write(filepath.Join(dir, "mutant_switches.go"), []byte(text)); err != nil {
			return err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "overlay.json"), overlay, 0o600); err != nil {
		return err
	}
	s.programs = map[string]func() (*program, error){}
	for _, dir := range slices.Concat(dirs, s.far) {
		s.programs[dir] = sync.OnceValues(func() (*program, error) { return s.build(ctx, filepath.Join(root, dir), dir) })
	}
	return nil
}

// build compiles the tests of a package and runs each by itself with every guard in place.
func (s *search) build(ctx context.Context, path, dir string) (*program, error) {
	p := &program{dir: path, file: filepath.Join(s.dir, strings.ReplaceAll(dir, "/", "-")+".test")}
	c := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", filepath.Join(s.dir, "overlay.json"), "-o", p.file, ".")
	c.Dir = path
	if out, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the tests of %s with switches: %w\n%.4000s", dir, err, out)
	}
	if _, err := os.Stat(p.file); errors.Is(err, fs.ErrNotExist) {
		return p, nil // it has no tests
	}
	help, _ := exec.CommandContext(ctx, p.file, "-help").CombinedOutput() // it ends with an error, as help does
	if strings.Contains(string(help), "-rapid.nofailfile") {
		p.flags = []string{"-rapid.nofailfile", "-rapid.seed=1"} // the same mutants are caught every time, and leave nothing behind
	}
	c = exec.CommandContext(ctx, p.file, "-test.list", "^Test")
	c.Dir = path
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("list the tests of %s: %w", dir, err)
	}
	for name := range strings.FieldsSeq(string(out)) {
		seen := p.file + ".seen"
		if err := os.RemoveAll(seen); err != nil {
			return nil, err
		}
		began := time.Now()
		if out, err := p.run(ctx, name, patience, "MUTANT_SEEN="+seen); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			fmt.Fprintf(os.Stderr, "%s of %s fails although nothing is missing, so it can catch nothing: %v\n%.4000s\n", name, dir, err, out)
			continue
		}
		t := test{name: name, took: time.Since(began), asks: map[string]bool{}}
		ids, err := os.ReadFile(seen)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for id := range strings.FieldsSeq(string(ids)) {
			t.asks[id] = true
		}
		p.tests = append(p.tests, t)
	}
	slices.SortStableFunc(p.tests, func(a, b test) int { return cmp.Compare(a.took, b.took) })
	return p, nil
}

// patience bounds one test with every guard in place. Without one it gets a multiple of what it took then, and half a
// minute for a machine that is busy; a mutant that makes it hang is caught.
const patience = 10 * time.Minute

// asking are the tests that asked a guard, the quickest first.
func (p *program) asking(id string) []test {
	var out []test
	for _, t := range p.tests {
		if t.asks[id] {
			out = append(out, t)
		}
	}
	return out
}

func (p *program) fails(ctx context.Context, t test, away string) bool {
	_, err := p.run(ctx, t.name, 30*time.Second+5*t.took, "MUTANT="+away)
	return err != nil && ctx.Err() == nil
}

func (p *program) run(ctx context.Context, name string, limit time.Duration, env string) (out []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	c := exec.CommandContext(ctx, p.file, append([]string{"-test.run", "^" + regexp.QuoteMeta(name) + "$", "-test.failfast"}, p.flags...)...)
	c.Dir = p.dir
	c.Env = append(os.Environ(), "STORE=dynoxide", env)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the tests' own children end with them
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	return c.CombinedOutput()
}
