package lambda

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// startLimit is how long a bootstrap may take until it asks for its first event (Lambda's init phase).
const startLimit = 10 * time.Second

type state string

const (
	stateStarting  state = "starting"
	stateIdle      state = "idle"
	stateBusy      state = "busy"
	stateReturning state = "returning"
	stateDead      state = "dead"
)

// process is one bootstrap with a Runtime API of its own: the port it was given tells who is asking.
type process struct {
	pool      *pool
	began     time.Time
	cmd       *exec.Cmd
	initError []byte        // what it posted to /runtime/init/error
	gone      chan struct{} // closed when it has ended

	// Under pool.mu.
	state    state
	current  *invocation
	deadline time.Time
	timer    *time.Timer
	doomed   bool // killed before it was started
}

func newProcess(p *pool) *process {
	return &process{pool: p, state: stateStarting, gone: make(chan struct{})}
}

// run starts the process and stays with it until it ends.
func (c *process) run() {
	how, used := "failed to start", Usage{}
	defer func() { c.pool.ended(c, how, used) }()
	defer close(c.gone)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		how = fmt.Sprintf("listen for the Runtime API: %v", err)
		return
	}
	api := &server{listener: listener, answerTo: c.answerTo, open: map[net.Conn]bool{}}
	go api.serve()
	defer api.close()
	out := c.pool.runtime.output(c.pool.function.Name)
	defer out.flush()
	if err := c.start(listener.Addr().String(), out); err != nil {
		how = err.Error()
		return
	}
	slow := time.AfterFunc(startLimit, c.killUnready)
	err = c.cmd.Wait()
	slow.Stop()
	how = "exit status 0"
	if err != nil {
		how = err.Error()
	}
	used = endUsage(c.cmd.ProcessState)
}

func (c *process) start(address string, out *lineWriter) error {
	f := c.pool.function
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	if c.doomed {
		return fmt.Errorf("killed before it started")
	}
	cmd := exec.Command(f.Binary)
	cmd.Dir = filepath.Dir(f.Binary)
	cmd.Env = c.environment(address)
	if out.to != nil {
		cmd.Stdout, cmd.Stderr = out, out
	}
	cmd.WaitDelay = time.Second // a grandchild that keeps the pipe open must not keep the pool waiting
	cmd.SysProcAttr = childAttributes()
	c.began = time.Now()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", f.Binary, err)
	}
	c.cmd = cmd
	return nil
}

// environment is what Lambda gives a provided.al2023 function, and nothing of the runner's own environment.
func (c *process) environment(address string) []string {
	f, o := c.pool.function, c.pool.runtime.options
	env := []string{
		"_HANDLER=bootstrap",
		"AWS_ACCESS_KEY_ID=local",
		"AWS_SECRET_ACCESS_KEY=local",
		"AWS_SESSION_TOKEN=local",
		"AWS_REGION=" + o.Region,
		"AWS_DEFAULT_REGION=" + o.Region,
		"AWS_LAMBDA_FUNCTION_NAME=" + f.FunctionName,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(f.MemoryMB),
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + f.FunctionName,
		"AWS_LAMBDA_LOG_STREAM_NAME=local",
		"AWS_LAMBDA_RUNTIME_API=" + address,
		"LAMBDA_TASK_ROOT=" + filepath.Dir(f.Binary),
		"LAMBDA_RUNTIME_DIR=/var/runtime",
		"LANG=en_US.UTF-8",
		"PATH=/usr/local/bin:/usr/bin:/bin",
		"TZ=:UTC",
	}
	if endpoint := cmp.Or(f.Endpoint, o.Endpoint); endpoint != "" {
		env = append(env, "AWS_ENDPOINT_URL_DYNAMODB="+endpoint)
	}
	if o.Mail != "" {
		env = append(env, "AWS_ENDPOINT_URL_SESV2="+o.Mail)
	}
	for name, value := range f.Environment {
		env = append(env, name+"="+value)
	}
	return env
}

// kill ends the process at once, as Lambda does. The caller holds pool.mu.
func (c *process) kill() {
	if c.cmd == nil {
		c.doomed = true
		return
	}
	if err := c.cmd.Process.Kill(); err != nil && err != os.ErrProcessDone {
		c.pool.runtime.output(c.pool.function.Name).note("kill: %v", err)
	}
}

func (c *process) killUnready() {
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	if c.state == stateStarting {
		c.kill()
	}
}

// take waits for an event; false means that the process is gone.
func (c *process) take() (*invocation, bool) {
	select {
	case inv := <-c.pool.work:
		if c.pool.begin(c, inv, time.Now()) {
			return inv, true
		}
		// It died between two events: nobody has seen this one, so another process takes it.
		go c.pool.requeue(inv)
		return nil, false
	case <-c.gone:
	}
	return nil, false
}

// requeue hands an event that a dead process took on to a living one.
func (p *pool) requeue(inv *invocation) {
	ctx, cancel := context.WithTimeout(context.Background(), p.function.Timeout)
	defer cancel()
	if err := p.queue(ctx, inv); err != nil {
		inv.done <- failure("Runtime.ExitError", fmt.Sprintf("RequestId: %s Error: %v", inv.id, err))
	}
}
