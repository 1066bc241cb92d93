package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// counts are test results; a skip is a failure.
type counts struct{ passed, failed int }

// event is one line of `go test -json` (go doc test2json).
type event struct {
	Action     string
	Package    string
	ImportPath string // set instead of Package while a package is being built
	Test       string
	Output     string
	Elapsed    float64 // seconds
}

// outputLimit bounds what is kept of one test's output, in bytes: a test that floods its log must not fill the memory.
const outputLimit = 256 << 10

// reader turns go test's events into counts and prints the output of what failed.
type reader struct {
	to      io.Writer
	counts  counts
	output  map[string][]byte // by package and test, of those still running
	results map[string]counts // by package
}

func newReader(to io.Writer) *reader {
	return &reader{to: to, output: map[string][]byte{}, results: map[string]counts{}}
}

// read consumes events until the end of the stream.
func (r *reader) read(events io.Reader) counts {
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil {
				r.take(e)
			} else {
				r.to.Write(line) // go itself complains in plain text
			}
		}
		if err != nil {
			return r.counts
		}
	}
}

func (r *reader) take(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		if len(r.output[key]) < outputLimit {
			r.output[key] = append(r.output[key], e.Output...)
		}
	case "build-output":
		fmt.Fprint(r.to, e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endPackage(e, key)
		} else {
			r.endTest(e, key)
		}
		delete(r.output, key)
	}
}

func (r *reader) endTest(e event, key string) {
	result := r.results[e.Package]
	if e.Action == "pass" {
		r.counts.passed++
		result.passed++
	} else {
		r.counts.failed++
		result.failed++
		fmt.Fprintf(r.to, "FAIL %s %s (%s)\n%s", e.Package, e.Test, e.Action, r.output[key])
	}
	r.results[e.Package] = result
}

// endPackage prints one line of progress. A package that failed without a failed test did not build, crashed or ran
// out of time, and counts as one failure.
func (r *reader) endPackage(e event, key string) {
	result := r.results[e.Package]
	if e.Action == "fail" && result.failed == 0 {
		r.counts.failed++
		result.failed++
		fmt.Fprintf(r.to, "FAIL %s\n%s", e.Package, r.output[key])
	}
	fmt.Fprintf(r.to, "%-44s %5d passed  %3d failed  %6.1f s\n", e.Package, result.passed, result.failed, e.Elapsed)
}
