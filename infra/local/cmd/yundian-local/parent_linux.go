package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// endWithGoRun makes this program stop when `go run` does, which passes no SIGTERM on to what it runs. Started any
// other way it goes on without its parent, as programs in the background do.
func endWithGoRun() error {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", os.Getppid()))
	if err != nil || strings.TrimSpace(string(name)) != "go" {
		return nil // the parent is gone or another program
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGTERM), 0, 0, 0); err != nil {
		return fmt.Errorf("ask to be told when go run ends: %w", err)
	}
	return nil
}
