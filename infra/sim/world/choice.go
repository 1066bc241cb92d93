package world

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
)

// A history is everything that chance decided in a world: which command came when, and every choice that was made during
// it, faults included. The same history makes the same world, so a bad one can be cut down to what matters.

// Step is one command and the choices made during it.
type Step struct {
	Command string
	Choices []uint32
}

// dice makes choices: fresh ones by chance, or those of a step that is played again. A step that has run out of choices
// goes on with 0, which is always the quietest one: no fault, nothing in between, the oldest, the smallest.
type dice struct {
	rng  *rand.Rand // nil when a history is played again
	made []uint32   // of all steps of this world, one after the other
	from []int      // where each step begins
	old  []uint32   // what the step that is played again chose
	at   int
}

// begin starts a step; old are its choices when it is played again.
func (d *dice) begin(old []uint32) {
	d.from = append(d.from, len(d.made))
	d.old, d.at = old, 0
}

// pick chooses one of n, from 0.
func (d *dice) pick(n int) int {
	var v uint32
	switch {
	case n <= 1:
		return 0
	case d.rng != nil:
		v = uint32(d.rng.IntN(n))
	case d.at < len(d.old):
		v = d.old[d.at] % uint32(n)
		d.at++
	}
	d.made = append(d.made, v)
	return int(v)
}

// chance is true with a probability in thousandths. No chance is choice 0.
func (d *dice) chance(thousandths int) bool { return d.pick(1000) >= 1000-thousandths }

// between chooses a number of a range, both ends included, the lowest first.
func (d *dice) between(low, high int) int { return low + d.pick(high-low+1) }

// choices are those of the step with this index.
func (d *dice) choices(step int) []uint32 {
	to := len(d.made)
	if step+1 < len(d.from) {
		to = d.from[step+1]
	}
	return d.made[d.from[step]:to:to]
}

// History is a world's steps and what it is played with.
type History struct {
	Seed  uint64
	World int
	Guard string // the kind of guard that is taken away; empty for none
	Steps []Step
}

// Write prints a history as text: a line of settings, then one line per step.
func (h History) Write(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "seed %d world %d guard %q\n", h.Seed, h.World, h.Guard)
	for _, s := range h.Steps {
		b.WriteString(s.Command)
		for _, c := range s.Choices {
			fmt.Fprintf(b, " %d", c)
		}
		b.WriteByte('\n')
	}
	return b.Flush()
}

// maxLine bounds a line of a history: one step makes some hundred choices.
const maxLine = 1 << 20

// ReadHistory reads what Write has written. Lines that begin with # are remarks.
func ReadHistory(r io.Reader) (History, error) {
	var h History
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	settings := false
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case !settings:
			if _, err := fmt.Sscanf(line, "seed %d world %d guard %q", &h.Seed, &h.World, &h.Guard); err != nil {
				return h, fmt.Errorf("history, line %d: %w", n, err)
			}
			settings = true
		default:
			s, err := readStep(line)
			if err != nil {
				return h, fmt.Errorf("history, line %d: %w", n, err)
			}
			h.Steps = append(h.Steps, s)
		}
	}
	return h, lines.Err()
}

// readStep reads the words of a command, and after them its choices.
func readStep(line string) (Step, error) {
	var s Step
	for _, word := range strings.Fields(line) {
		v, err := strconv.ParseUint(word, 10, 32)
		switch {
		case err == nil:
			s.Choices = append(s.Choices, uint32(v))
		case len(s.Choices) > 0:
			return s, err
		default:
			s.Command = strings.TrimSpace(s.Command + " " + word)
		}
	}
	return s, nil
}
