package lambda

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// maxLine bounds a log line before it is broken up; CloudWatch's own limit for an event is 256 KB.
const maxLine = 256 * 1024

// lineWriter puts the function's name before each line that its process prints.
type lineWriter struct {
	to     io.Writer
	lock   *sync.Mutex // of to
	prefix string
	mu     sync.Mutex
	rest   []byte // an unfinished line
}

func (r *Runtime) output(function string) *lineWriter {
	return &lineWriter{to: r.options.Log, lock: &r.logLock, prefix: "[" + function + "] "}
}

// Write never fails: a log that cannot be written must not end the function.
func (w *lineWriter) Write(p []byte) (int, error) {
	if w.to == nil {
		return len(p), nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, p...)
	for {
		i := bytes.IndexByte(w.rest, '\n')
		if i < 0 && len(w.rest) < maxLine {
			return len(p), nil
		}
		if i < 0 {
			i = len(w.rest) - 1
		}
		w.line(w.rest[:i+1])
		w.rest = w.rest[i+1:]
	}
}

// line writes one line in one call, so that lines of several processes do not mix.
func (w *lineWriter) line(b []byte) {
	out := make([]byte, 0, len(w.prefix)+len(b)+1)
	out = append(append(out, w.prefix...), b...)
	if out[len(out)-1] != '\n' {
		out = append(out, '\n')
	}
	w.lock.Lock()
	defer w.lock.Unlock()
	w.to.Write(out) // see Write
}

func (w *lineWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 && w.to != nil {
		w.line(w.rest)
		w.rest = nil
	}
}

func (w *lineWriter) note(format string, args ...any) {
	if w.to != nil {
		w.line(fmt.Appendf(nil, format, args...))
	}
}
