package lambda

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"time"
)

// invocation is one event on its way through a pool.
type invocation struct {
	id      string
	payload []byte
	done    chan Result // buffered: a caller that gave up must not block the process
}

// pool keeps the processes of one function. Idle processes receive from work, so an event goes to whoever is free.
type pool struct {
	runtime  *Runtime
	function Function
	work     chan *invocation
	stopping chan struct{}

	mu        sync.Mutex
	processes map[*process]bool
	waiting   int // events that found nobody idle
	starting  int // processes that have not asked for an event yet
	returning int // processes that have answered and are about to ask again
	running   int // events that a process holds
	stopped   bool
	kill      *time.Duration // see armKill
	used      Usage          // of processes that ended, and counters
}

func newPool(r *Runtime, f Function) *pool {
	return &pool{runtime: r, function: f, work: make(chan *invocation), stopping: make(chan struct{}),
		processes: map[*process]bool{}}
}

func (p *pool) invoke(ctx context.Context, payload []byte) (Result, error) {
	inv := &invocation{id: requestID(), payload: payload, done: make(chan Result, 1)}
	select {
	case p.work <- inv:
	default:
		if err := p.queue(ctx, inv); err != nil {
			return Result{}, err
		}
	}
	select {
	case result := <-inv.done:
		return result, nil
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// queue waits until a process takes inv, and starts one when those under way are not enough.
func (p *pool) queue(ctx context.Context, inv *invocation) error {
	p.mu.Lock()
	if p.stopped {
		p.mu.Unlock()
		return ErrStopped
	}
	if p.waiting >= maxWaiting {
		p.mu.Unlock()
		return ErrThrottled
	}
	p.waiting++
	p.grow()
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.waiting--
		p.mu.Unlock()
	}()
	select {
	case p.work <- inv:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-p.stopping:
		return ErrStopped
	}
}

// grow starts processes for the events that nobody is about to take. The caller holds mu.
func (p *pool) grow() {
	for !p.stopped && p.waiting > p.starting+p.returning && len(p.processes) < p.function.MaxProcesses {
		child := newProcess(p)
		p.processes[child] = true
		p.starting++
		p.used.Started++
		go child.run()
	}
}

// ready moves a process that asks for an event out of the states that grow counts.
func (p *pool) ready(child *process) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch child.state {
	case stateStarting:
		p.starting--
		p.used.addStart(time.Since(child.began))
	case stateReturning:
		p.returning--
	default:
		return fmt.Errorf("asked for an event while %s", child.state)
	}
	child.state = stateIdle
	return nil
}

// begin gives inv to child, unless child died while it was waiting.
func (p *pool) begin(child *process, inv *invocation, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if child.state != stateIdle {
		return false
	}
	child.state = stateBusy
	child.current = inv
	child.deadline = now.Add(p.function.Timeout)
	child.timer = time.AfterFunc(p.function.Timeout, func() { p.overrun(child, inv) })
	p.running++
	p.used.Invocations++
	if p.kill != nil {
		after := *p.kill
		p.kill = nil
		if after <= 0 {
			child.kill() // before it has seen the event, so that no answer can be faster
		} else {
			time.AfterFunc(after, func() { p.killIf(child, inv) })
		}
	}
	return true
}

// finish ends the invocation that child holds, if its id is the one that the process names.
func (p *pool) finish(child *process, id string, result Result) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if child.state != stateBusy || child.current.id != id {
		return false
	}
	p.settle(child, result)
	child.state = stateReturning
	p.returning++
	return true
}

// settle answers the caller. The caller holds mu and child is busy.
func (p *pool) settle(child *process, result Result) {
	child.timer.Stop()
	if result.FunctionError {
		p.used.Failures++
	}
	child.current.done <- result
	child.current = nil
	p.running--
}

// overrun fails an invocation that reached its deadline; like Lambda, it gives the process up with it.
func (p *pool) overrun(child *process, inv *invocation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if child.current != inv {
		return
	}
	p.settle(child, failure("Sandbox.Timedout", fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds",
		inv.id, p.function.Timeout.Seconds())))
	child.state = stateDead
	child.kill()
}

// ended fails what the process left undone and makes room for a fresh one.
func (p *pool) ended(child *process, how string, used Usage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.processes, child)
	p.used.add(used)
	was := child.state
	switch was {
	case stateStarting:
		p.starting--
	case stateReturning:
		p.returning--
	case stateBusy:
		p.settle(child, failure("Runtime.ExitError",
			fmt.Sprintf("RequestId: %s Error: Runtime exited with error: %s", child.current.id, how)))
	}
	child.state = stateDead
	if was == stateStarting && !p.stopped {
		p.failWaiting(child, how)
	}
	p.grow()
}

// failWaiting answers one waiting event when a process could not start: Lambda reports a failed start to the event
// that caused it, and without this a broken bootstrap would be restarted for ever.
func (p *pool) failWaiting(child *process, how string) {
	result := failure("Runtime.ExitError", "Error: Runtime exited with error: "+how)
	if child.initError != nil {
		result = Result{Payload: child.initError, FunctionError: true}
	}
	select {
	case inv := <-p.work:
		p.used.Failures++
		inv.done <- result
	default:
	}
}

func (p *pool) killBusy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for child := range p.processes {
		if child.state == stateBusy {
			child.kill()
			return true
		}
	}
	return false
}

func (p *pool) armKill(after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kill = &after
}

func (p *pool) killIf(child *process, inv *invocation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if child.current == inv {
		child.kill()
	}
}

// stop waits for running events until ctx ends, then kills every process and waits for the last.
func (p *pool) stop(ctx context.Context) {
	p.mu.Lock()
	if !p.stopped {
		p.stopped = true
		close(p.stopping)
	}
	p.mu.Unlock()
	p.await(ctx, func() bool { return p.running == 0 })
	p.mu.Lock()
	for child := range p.processes {
		child.kill()
	}
	p.mu.Unlock()
	p.await(context.Background(), func() bool { return len(p.processes) == 0 })
}

// await polls a condition under mu: it runs once, at the end, where a condition variable would burden every event.
func (p *pool) await(ctx context.Context, reached func() bool) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		p.mu.Lock()
		done := reached()
		p.mu.Unlock()
		if done {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// requestID returns a random UUID (version 4), the form that Lambda uses.
func requestID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var s [36]byte
	hex.Encode(s[0:8], b[0:4])
	hex.Encode(s[9:13], b[4:6])
	hex.Encode(s[14:18], b[6:8])
	hex.Encode(s[19:23], b[8:10])
	hex.Encode(s[24:36], b[10:16])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}
