package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"syscall"
	"time"

	"yundian/infra/local"
	"yundian/infra/local/engine"
)

// CPU is processor time by who spent it, in milliseconds per request or order.
type CPU struct {
	Functions float64 `json:"functions"` // all of them, those behind streams included
	Runner    float64 `json:"runner"`    // gateway, streams, sandbox: what AWS does instead
	Engine    float64 `json:"engine"`
	Load      float64 `json:"load"` // making the load, apart from everything above

	byFunction map[string]float64
}

// used is processor time since the processes began.
type used struct {
	functions      map[string]time.Duration
	runner, engine time.Duration
}

// usedBy reads what a store's processes have used so far. This process is the runner.
func usedBy(r *local.Runner) (used, error) {
	u := used{functions: map[string]time.Duration{}}
	for name, f := range r.Usage() {
		u.functions[name] = f.CPU
	}
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return u, fmt.Errorf("read own CPU time: %w", err)
	}
	u.runner = time.Duration(own.Utime.Nano() + own.Stime.Nano())
	if r.Engine != nil {
		e, err := r.Engine.Usage()
		if err != nil {
			return u, fmt.Errorf("read the engine's CPU time: %w", err)
		}
		u.engine = e.CPU
	}
	return u, nil
}

// since is the difference, with what the load process used.
func (u used) since(before used, load time.Duration) CPU {
	c := CPU{Runner: milliseconds(u.runner - before.runner), Engine: milliseconds(u.engine - before.engine), Load: milliseconds(load), byFunction: map[string]float64{}}
	for name, now := range u.functions {
		if spent := milliseconds(now - before.functions[name]); spent > 0 {
			c.byFunction[name] = spent
			c.Functions += spent
		}
	}
	return c
}

func (c CPU) per(n int) CPU {
	by := float64(max(1, n))
	out := CPU{Functions: c.Functions / by, Runner: c.Runner / by, Engine: c.Engine / by, Load: c.Load / by, byFunction: map[string]float64{}}
	for name, ms := range c.byFunction {
		out.byFunction[name] = ms / by
	}
	return out
}

// middleCPU is the median of each part.
func middleCPU(all []CPU) CPU {
	of := func(value func(CPU) float64) float64 {
		var values []float64
		for _, c := range all {
			values = append(values, value(c))
		}
		return middle(values)
	}
	out := CPU{Functions: of(func(c CPU) float64 { return c.Functions }), Runner: of(func(c CPU) float64 { return c.Runner }),
		Engine: of(func(c CPU) float64 { return c.Engine }), Load: of(func(c CPU) float64 { return c.Load }), byFunction: map[string]float64{}}
	for name := range all[0].byFunction {
		out.byFunction[name] = of(func(c CPU) float64 { return c.byFunction[name] })
	}
	return out
}

// middle is the median of some numbers.
func middle(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	return s[len(s)/2]
}

// Memory is the highest resident memory of a process, in MB.
type Memory struct {
	Process string  `json:"process"`
	PeakMB  float64 `json:"peakMb"`
}

// peaks are the highest values over all stores of a run.
type peaks struct {
	functions      map[string]int64 // of the largest process of each
	engine, runner int64
}

func (p *peaks) note(r *local.Runner) {
	for name, u := range r.Usage() {
		p.functions[name] = max(p.functions[name], u.PeakRSS)
	}
	if r.Engine != nil {
		if u, err := r.Engine.Usage(); err == nil { // an engine that has ended fails the run elsewhere
			p.engine = max(p.engine, u.PeakRSS)
		}
	}
	if u, err := engine.ProcessUsage(os.Getpid()); err == nil { // its own entry is there
		p.runner = max(p.runner, u.PeakRSS)
	}
}

func (p *peaks) rows() []Memory {
	rows := []Memory{{"runner", megabytes(p.runner)}, {"engine", megabytes(p.engine)}}
	for _, name := range slices.Sorted(maps.Keys(p.functions)) {
		rows = append(rows, Memory{name, megabytes(p.functions[name])})
	}
	return rows
}

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }
