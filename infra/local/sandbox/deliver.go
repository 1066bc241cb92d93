package sandbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"yundian/shared/provider"
)

const (
	// maxAttempts at one webhook: with doubling pauses from 200 ms the last comes after half a minute, when
	// a store that is restarting is back.
	maxAttempts = 8
	// maxUnderWay bounds webhooks sent at the same time.
	maxUnderWay = 16
	// webhookTimeout bounds one attempt.
	webhookTimeout = 15 * time.Second
)

func webhookClient() *http.Client {
	return &http.Client{
		Timeout:       webhookTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{MaxIdleConnsPerHost: maxUnderWay, IdleConnTimeout: 30 * time.Second},
	}
}

// newJob plans the delivery of events, one after the other.
func (s *Sandbox) newJob(ses *session, from time.Time, events ...string) *job {
	return &job{ID: rand.Text(), Session: ses.ID, Events: events, NotBefore: from}
}

// run starts a recorded job and gives a channel that closes when it is finished. The caller holds the lock.
func (s *Sandbox) run(j job) <-chan struct{} {
	done := make(chan struct{})
	s.active++
	s.jobs.Go(func() {
		defer close(done)
		finished := s.deliver(j)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.active--
		if !finished {
			return // stopped: the next start goes on with it
		}
		delete(s.books.Jobs, j.ID)
		if err := s.journal.append(entry{Done: j.ID}); err != nil {
			s.options.Log.Error("sandbox books not written", "error", err)
		}
	})
	return done
}

// deliver sends a job's events. It reports false when the sandbox was stopped first.
func (s *Sandbox) deliver(j job) bool {
	if !s.pause(j.NotBefore.Sub(s.options.Now())) {
		return false
	}
	for _, id := range j.Events {
		s.mu.Lock()
		_, event, ok := s.books.event(id)
		s.mu.Unlock()
		if ok && !s.deliverEvent(event) {
			return false
		}
	}
	return true
}

// deliverEvent sends one event until the store has taken or refused it, or attempts run out. It reports false
// when the sandbox was stopped first.
func (s *Sandbox) deliverEvent(e provider.SandboxEvent) bool {
	body, err := json.Marshal(e)
	if err != nil {
		s.options.Log.Error("webhook not encoded", "event", e.ID, "error", err)
		return true
	}
	wait := s.options.RetryDelay
	for attempt := 1; ; attempt++ {
		status, err := s.send(body)
		if s.ctx.Err() != nil {
			return false
		}
		switch {
		case err == nil && status < 300:
			s.options.Log.Info("webhook delivered", "event", e.ID, "type", e.Type, "order", e.OrderID, "attempt", attempt)
			return true
		case err == nil && status < 500 && status != http.StatusTooManyRequests:
			// The store understood and will not have it; asking again would get the same answer.
			s.options.Log.Warn("webhook refused", "event", e.ID, "type", e.Type, "order", e.OrderID, "status", status)
			return true
		case attempt == maxAttempts:
			s.options.Log.Error("webhook given up", "event", e.ID, "type", e.Type, "order", e.OrderID, "status", status, "error", err)
			return true
		}
		if !s.pause(wait) {
			return false
		}
		wait *= 2
	}
}

// send posts one webhook, signed as of now: a retry is not an old event.
func (s *Sandbox) send(body []byte) (status int, err error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	}
	ctx, cancel := context.WithTimeout(s.ctx, webhookTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.options.WebhookURL, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("build webhook: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(provider.SandboxSignatureHeader, provider.SandboxSignature(s.options.Key, body, s.options.Now()))
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("send webhook: %w", err)
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // read so that the connection can be used again
	return resp.StatusCode, nil
}

// pause waits; it reports false when the sandbox is stopped.
func (s *Sandbox) pause(d time.Duration) bool {
	if d <= 0 {
		return s.ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// await waits for a job, but not for ever: the shopper is waiting too.
func await(done <-chan struct{}, atMost time.Duration) bool {
	t := time.NewTimer(atMost)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}
