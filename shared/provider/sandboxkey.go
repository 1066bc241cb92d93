package provider

import (
	"context"
	"encoding/hex"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// sandboxAccess asks the local runner for the sandbox's key when it is first needed.
type sandboxAccess struct {
	runtimeAPI string // host:port

	mu      sync.Mutex
	settled bool         // an answer has been given; it holds for the life of the process
	granted *sandboxHTTP // nil when refused
}

// client is the sandbox, if this machine's runner grants it. Only a definite answer is remembered: a runner that was too
// busy to answer once is asked again by the next order.
func (a *sandboxAccess) client(ctx context.Context) (s *sandboxHTTP, granted bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.settled {
		a.granted, a.settled = a.ask(ctx)
	}
	return a.granted, a.granted != nil
}

// keyPath is what the runner's Runtime API answers beyond Lambda's own; Lambda answers 404.
const keyPath = "/yundian/sandbox"

func (a *sandboxAccess) ask(ctx context.Context) (granted *sandboxHTTP, settled bool) {
	if a.runtimeAPI == "" {
		return nil, true
	}
	// Not the caller's deadline: one impatient request must not decide for those after it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.runtimeAPI+keyPath, nil)
	if err != nil {
		return nil, true
	}
	status, body, err := exchange(req)
	if err != nil || status >= 500 {
		return nil, false
	}
	var answer struct {
		Key string `json:"key"`
		URL string `json:"url"`
	}
	if status != http.StatusOK || decode(body, &answer) != nil || !validKey(answer.Key) || !loopback(answer.URL) {
		return nil, true
	}
	return &sandboxHTTP{key: answer.Key, base: answer.URL + SandboxPath}, true
}

// validKey wants at least 128 random bits, in hexadecimal.
func validKey(key string) bool {
	b, err := hex.DecodeString(key)
	return err == nil && len(b) >= 16
}

// loopback reports whether an address is a plain http address of this machine: the sandbox is never elsewhere.
func loopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.Path != "" || u.RawQuery != "" || u.User != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return ip != nil && ip.IsLoopback()
}
