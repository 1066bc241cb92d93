//go:build unix && !linux

package lambda

import (
	"os"
	"syscall"
)

// childAttributes: only Linux can tie a child's life to its parent's; elsewhere Stop ends the children.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

func peakRSS(*os.ProcessState) int64 { return 0 }

func liveUsage(int) Usage { return Usage{} }
