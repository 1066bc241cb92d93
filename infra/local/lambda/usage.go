package lambda

import (
	"os"
	"slices"
	"time"
)

// maxStarts bounds the start-up times kept per function; benchmarks take the median of far fewer.
const maxStarts = 1000

// Usage is what the processes of one function have used.
type Usage struct {
	Invocations int             // events handed to a process
	Failures    int             // of those, ended as a function error
	Started     int             // processes started
	Live        int             // processes alive
	CPU         time.Duration   // user and system time of all processes
	PeakRSS     int64           // bytes, of the largest process
	StartUps    []time.Duration // process start to first poll, the first 1,000
}

func (u *Usage) add(v Usage) {
	u.CPU += v.CPU
	u.PeakRSS = max(u.PeakRSS, v.PeakRSS)
}

func (u *Usage) addStart(d time.Duration) {
	if len(u.StartUps) < maxStarts {
		u.StartUps = append(u.StartUps, d)
	}
}

func (p *pool) usageNow() Usage {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.used
	u.StartUps = slices.Clone(u.StartUps)
	u.Live = len(p.processes)
	for child := range p.processes {
		if child.cmd != nil {
			u.add(liveUsage(child.cmd.Process.Pid))
		}
	}
	return u
}

func endUsage(s *os.ProcessState) Usage {
	if s == nil {
		return Usage{}
	}
	return Usage{CPU: s.UserTime() + s.SystemTime(), PeakRSS: peakRSS(s)}
}
