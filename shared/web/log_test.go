package web_test

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"

	"yundian/shared/telemetry"
)

// lines collects what is logged, from any goroutine.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// captureLog sends the log of one test to memory. Such a test cannot run in parallel with others.
func captureLog(t *testing.T) *lines {
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	l := &lines{}
	slog.SetDefault(slog.New(telemetry.NewHandler(l, "debug")))
	return l
}
