package engine

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process has cost so far.
type Usage struct {
	CPU     time.Duration // user and system time since its start
	RSS     int64         // resident memory now, bytes
	PeakRSS int64         // highest resident memory so far, bytes
}

// Usage reads the engine's own cost.
func (e *Engine) Usage() (Usage, error) { return ProcessUsage(e.PID) }

// clockTicks is the unit of CPU times in /proc: USER_HZ, 100 on every Linux architecture that Go supports.
const clockTicks = 100

// ProcessUsage reads the cost of any process of this user from /proc; it is how benchmarks split CPU time.
func ProcessUsage(pid int) (Usage, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return Usage{}, fmt.Errorf("read the cost of process %d: %w", pid, err)
	}
	// The name in parentheses may hold spaces, so fields are counted from the last parenthesis: 11 and 12 after it
	// are user and system time (proc_pid_stat(5), fields 14 and 15).
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return Usage{}, fmt.Errorf("read the cost of process %d: short stat line", pid)
	}
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return Usage{}, fmt.Errorf("read the cost of process %d: %w", pid, err)
		}
		ticks += n
	}
	u := Usage{CPU: time.Duration(ticks) * time.Second / clockTicks}
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return Usage{}, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	u.RSS, u.PeakRSS = kilobytes(status, "VmRSS:"), kilobytes(status, "VmHWM:")
	return u, nil
}

// kilobytes is the value of one line of /proc/<pid>/status in bytes, 0 when the line is absent (an ended process).
func kilobytes(status []byte, name string) int64 {
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return n * 1024
		}
	}
	return 0
}

// listens reports whether any process listens on the TCP port.
func listens(port int) bool { return len(listeningInodes(port)) > 0 }

// ownsPort reports whether process pid itself listens on the TCP port.
func ownsPort(pid, port int) bool {
	inodes := listeningInodes(port)
	if len(inodes) == 0 {
		return false
	}
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, entry := range entries {
		target, err := os.Readlink(filepath.Join(dir, entry.Name()))
		if err == nil && inodes[target] {
			return true
		}
	}
	return false
}

// listeningInodes is the set of "socket:[inode]" names that listen on port, over IPv4 and IPv6.
func listeningInodes(port int) map[string]bool {
	const listenState = "0A" // TCP_LISTEN in /proc/net/tcp
	suffix := fmt.Sprintf(":%04X", port)
	found := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(table)
		if err != nil {
			continue // no IPv6 on this machine
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			fields := strings.Fields(lines.Text())
			if len(fields) > 9 && fields[3] == listenState && strings.HasSuffix(fields[1], suffix) {
				found["socket:["+fields[9]+"]"] = true
			}
		}
		f.Close()
	}
	return found
}
