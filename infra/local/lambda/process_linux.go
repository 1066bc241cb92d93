package lambda

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// childAttributes makes a process die with the runner, and keeps a terminal's Ctrl-C from ending it before the
// runner has finished what is under way.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

func peakRSS(s *os.ProcessState) int64 {
	if r, ok := s.SysUsage().(*syscall.Rusage); ok {
		return r.Maxrss * 1024 // Linux counts in KB
	}
	return 0
}

// clockTick is the unit of /proc/<pid>/stat, fixed at 100 per second for programs (proc(5), USER_HZ).
const clockTick = 10 * time.Millisecond

// liveUsage reads /proc; a process that ended meanwhile has used nothing here, its end counts it.
func liveUsage(pid int) Usage {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Usage{}
	}
	var u Usage
	// The command name may hold spaces, so fields are counted from its closing parenthesis: state is field 3.
	if i := bytes.LastIndexByte(stat, ')'); i >= 0 {
		fields := bytes.Fields(stat[i+1:])
		if len(fields) > 12 {
			user, _ := strconv.ParseInt(string(fields[11]), 10, 64)   // the kernel writes numbers
			system, _ := strconv.ParseInt(string(fields[12]), 10, 64) // likewise
			u.CPU = time.Duration(user+system) * clockTick
		}
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u
	}
	if _, rest, ok := bytes.Cut(status, []byte("VmHWM:")); ok {
		if fields := bytes.Fields(rest); len(fields) > 0 {
			kb, _ := strconv.ParseInt(string(fields[0]), 10, 64) // the kernel writes numbers
			u.PeakRSS = kb * 1024
		}
	}
	return u
}
