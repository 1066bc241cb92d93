// Package courier carries webhooks to their receivers: over https, to the public internet alone, within a few seconds,
// and no further than the address that was checked.
package courier

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"syscall"
	"time"

	"yundian/shared/webhook"
)

// Limits of one attempt.
const (
	Timeout     = 5 * time.Second // from the look-up of the name to the end of the answer
	dialTimeout = 3 * time.Second
	maxAnswer   = 4 << 10  // of the body: only the status counts
	maxHeader   = 16 << 10 // of the answer's headers
)

// Problems are the codes of why an attempt failed.
const (
	ProblemStatus      = "status"      // the answer was not 2xx
	ProblemRedirect    = "redirect"    // the answer leads elsewhere, where nothing is sent
	ProblemAddress     = "address"     // the name leads into a private network
	ProblemTimeout     = "timeout"     // no answer in time
	ProblemUnreachable = "unreachable" // no connection, or a broken one
)

// Courier carries webhooks. It is safe for concurrent use.
type Courier struct {
	public, loopback *http.Client
	runner           runner
}

// New makes a courier. runtimeAPI is the host and port of AWS_LAMBDA_RUNTIME_API.
func New(runtimeAPI string) *Courier {
	return &Courier{public: client(webhook.Public, nil, nil), loopback: client(netip.Addr.IsLoopback, nil, nil), runner: runner{runtimeAPI: runtimeAPI}}
}

// errAddress ends a connection before it is made.
var errAddress = errors.New("courier: an address that nothing is sent to")

// client calls only addresses that are allowed. They are checked when the connection is made, after the name was looked
// up: a name that was public a moment ago can lead elsewhere now. It follows no redirects and uses no proxy.
// Connections to a host are not counted: many owners may use one provider's host, and none of them waits for another.
func client(allow func(netip.Addr) bool, resolver *net.Resolver, secure *tls.Config) *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout, Resolver: resolver, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !allow(at.Addr().Unmap()) {
			return errAddress
		}
		return nil
	}}
	return &http.Client{
		Timeout:       Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: secure, MaxIdleConns: 64, MaxIdleConnsPerHost: 4,
			IdleConnTimeout: 30 * time.Second, TLSHandshakeTimeout: dialTimeout, MaxResponseHeaderBytes: maxHeader, DisableCompression: true},
	}
}

// Check refuses an address to which nothing may be sent: everything that webhook.CheckURL refuses, but for plain http to
// this very machine where the local runner says so.
func (c *Courier) Check(ctx context.Context, address string) error {
	if onThisMachine(address) && c.runner.permits(ctx) {
		return nil
	}
	return webhook.CheckURL(address)
}

// Carry makes one attempt: it posts a body with its signature. It returns the status of the answer, 0 without one, and
// why the attempt failed, empty when it did not.
func (c *Courier) Carry(ctx context.Context, address, signature string, body []byte) (status int, problem string) {
	if err := c.Check(ctx, address); err != nil {
		return 0, ProblemAddress
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, ProblemAddress
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Yundian-Webhooks/1")
	req.Header.Set(webhook.SignatureHeader, signature)
	by := c.public
	if onThisMachine(address) {
		by = c.loopback
	}
	resp, err := by.Do(req)
	if err != nil {
		return 0, problemOf(err)
	}
	defer resp.Body.Close()
	_, err = io.CopyN(io.Discard, resp.Body, maxAnswer)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return resp.StatusCode, problemOf(err)
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		return resp.StatusCode, ""
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return resp.StatusCode, ProblemRedirect
	default:
		return resp.StatusCode, ProblemStatus
	}
}

func problemOf(err error) string {
	timeout, ok := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, errAddress):
		return ProblemAddress
	case ok && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return ProblemTimeout
	default:
		return ProblemUnreachable
	}
}

// onThisMachine reports whether an address is plain http to a loopback address of this machine.
func onThisMachine(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.User != nil || u.Fragment != "" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.Unmap().IsLoopback()
}

// runner asks the local runner whether webhooks may go to this machine, when that is first needed. Lambda answers the same
// question with 404, and no template can set AWS_LAMBDA_RUNTIME_API: no deployed function can be made to send to itself.
type runner struct {
	runtimeAPI string

	mu        sync.Mutex
	settled   bool // an answer has been given; it holds for the life of the process
	permitted bool
}

// loopbackPath is what the runner's Runtime API answers beyond Lambda's own.
const loopbackPath = "/yundian/loopback"

func (r *runner) permits(ctx context.Context) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.settled && r.runtimeAPI != "" {
		status, err := r.ask(ctx)
		r.settled, r.permitted = err == nil && status < 500, status == http.StatusNoContent
	}
	return r.permitted
}

func (r *runner) ask(ctx context.Context) (int, error) {
	// Not the caller's deadline: one impatient request must not decide for those after it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.runtimeAPI+loopbackPath, nil)
	if err != nil {
		return 0, fmt.Errorf("ask the local runner: %w", err)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return 0, fmt.Errorf("ask the local runner: %w", err)
	}
	return resp.StatusCode, resp.Body.Close()
}
