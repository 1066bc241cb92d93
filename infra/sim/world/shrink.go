package world

import "slices"

// Shrink cuts a history that violates an invariant down to one that still violates the same one: first whole commands, then
// the choices made during them, because a choice of 0 is the quietest. It plays histories with at most so many events
// together.
func Shrink(h History, number, events int) History {
	s := &shrinker{best: h, number: number, events: events}
	s.cutSteps()
	for before := -1; before != s.size() && s.events > 0; {
		before = s.size()
		s.calmSteps()
		s.cutSteps()
	}
	return s.best
}

type shrinker struct {
	best   History
	number int
	events int // left
}

// size is what is to become small: commands, choices, and how far choices are from the quietest.
func (s *shrinker) size() (n int) {
	for _, step := range s.best.Steps {
		n += 1000 + len(step.Choices)
		for _, c := range step.Choices {
			n += int(min(c, 100))
		}
	}
	return n
}

// try plays other steps, and keeps them if the same invariant does not hold.
func (s *shrinker) try(steps []Step) bool {
	if s.events <= 0 {
		return false
	}
	h := s.best
	h.Steps = steps
	r := Replay(h, nil)
	s.events -= r.Counts.Events
	if r.Violation == nil || r.Violation.Number != s.number {
		return false
	}
	s.best.Steps = clipped(r.History.Steps, steps)
	return true
}

// clipped are the steps that were played of those that were asked for, with the choices that were made.
func clipped(played, asked []Step) []Step {
	if len(asked) == 0 || asked[0].Command != "setup" {
		played = played[1:] // the setup that a history without one is given
	}
	steps := played[:min(len(played), len(asked))]
	out := make([]Step, len(steps))
	for i, s := range steps {
		out[i] = Step{Command: s.Command, Choices: trim(slices.Clone(s.Choices))}
	}
	return out
}

// trim drops what a replay adds by itself.
func trim(choices []uint32) []uint32 {
	for len(choices) > 0 && choices[len(choices)-1] == 0 {
		choices = choices[:len(choices)-1]
	}
	return choices
}

// cutSteps leaves out commands, many at once as long as that goes.
func (s *shrinker) cutSteps() {
	for size := len(s.best.Steps) / 2; size > 0; size /= 2 {
		for at := len(s.best.Steps) - size; at >= 0 && s.events > 0; at -= size {
			at = min(at, len(s.best.Steps)-size)
			if at < 0 {
				break
			}
			s.try(slices.Delete(slices.Clone(s.best.Steps), at, at+size))
		}
	}
}

// calmSteps makes the choices of each command quiet: all of them, halves, single ones, then smaller.
func (s *shrinker) calmSteps() {
	for i := 0; i < len(s.best.Steps) && s.events > 0; i++ {
		if len(s.best.Steps[i].Choices) == 0 || s.replace(i, nil) {
			continue
		}
		for size := len(s.best.Steps[i].Choices) / 2; size > 0; size /= 2 {
			for at := 0; i < len(s.best.Steps) && at < len(s.best.Steps[i].Choices) && s.events > 0; at += size {
				s.calm(i, at, min(at+size, len(s.best.Steps[i].Choices)))
			}
		}
	}
}

func (s *shrinker) calm(step, from, to int) {
	choices := s.best.Steps[step].Choices
	if !slices.ContainsFunc(choices[from:to], func(c uint32) bool { return c != 0 }) {
		return
	}
	quiet := slices.Clone(choices)
	clear(quiet[from:to])
	if s.replace(step, trim(quiet)) || to-from > 1 {
		return
	}
	quiet = slices.Clone(choices)
	if quiet[from] /= 2; quiet[from] > 0 {
		s.replace(step, quiet)
	}
}

func (s *shrinker) replace(step int, choices []uint32) bool {
	steps := slices.Clone(s.best.Steps)
	steps[step].Choices = choices
	return s.try(steps)
}
