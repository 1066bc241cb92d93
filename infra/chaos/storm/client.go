package storm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// client sends requests as a patient app does: one that got no answer, or an answer that says "later", is sent again
// with the same idempotency key.
type client struct {
	base    string
	http    *http.Client
	retries atomic.Int64
}

func newClient(base string) *client {
	return &client{base: base, http: &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// attempts bounds how often one request is sent: with pauses up to a second it outlives every fault of the plan.
const attempts = 40

// ask is a request to send; only path is required.
type ask struct {
	method, path, token, key string
	json                     any
	form                     url.Values
	agent                    string
}

// answer is a final answer, whatever it says.
type answer struct {
	status   int
	location string
	body     []byte
}

// do sends a request until it has an answer below 500 that is not "too many requests".
func (c *client) do(ctx context.Context, q ask) (answer, error) {
	var last string
	for try := range attempts {
		if try > 0 {
			c.retries.Add(1)
			limit := min(20*time.Millisecond<<min(try, 10), time.Second)
			select {
			case <-ctx.Done():
				return answer{}, ctx.Err()
			case <-time.After(rand.N(limit)):
			}
		}
		a, err := c.once(ctx, q)
		switch {
		case err != nil:
			last = err.Error()
		case a.status >= 500 || a.status == http.StatusTooManyRequests:
			last = fmt.Sprintf("status %d: %.300s", a.status, a.body)
		default:
			return a, nil
		}
	}
	return answer{}, fmt.Errorf("%s %s got no answer in %d attempts, the last: %s", q.method, q.path, attempts, last)
}

func (c *client) once(ctx context.Context, q ask) (answer, error) {
	var body io.Reader
	contentType := "application/json"
	switch {
	case q.json != nil:
		text, err := json.Marshal(q.json)
		if err != nil {
			return answer{}, err
		}
		body = bytes.NewReader(text)
	case q.form != nil:
		body, contentType = strings.NewReader(q.form.Encode()), "application/x-www-form-urlencoded"
	}
	address := q.path
	if !strings.HasPrefix(address, "http") {
		address = c.base + q.path
	}
	r, err := http.NewRequestWithContext(ctx, q.method, address, body)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		r.Header.Set("Content-Type", contentType)
	}
	for name, value := range map[string]string{"Idempotency-Key": q.key, "User-Agent": q.agent} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	if q.token != "" {
		r.Header.Set("Authorization", "Bearer "+q.token)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{status: resp.StatusCode, location: resp.Header.Get("Location"), body: text}, err
}

// must sends a request whose answer has to have one of these statuses, and reads the answer into a value when one is given.
func (c *client) must(ctx context.Context, q ask, into any, statuses ...int) error {
	a, err := c.do(ctx, q)
	if err != nil {
		return err
	}
	for _, s := range statuses {
		if a.status != s {
			continue
		}
		if into == nil {
			return nil
		}
		if err := json.Unmarshal(a.body, into); err != nil {
			return fmt.Errorf("%s %s: %w", q.method, q.path, err)
		}
		return nil
	}
	return fmt.Errorf("%s %s answered %d: %.300s", q.method, q.path, a.status, a.body)
}
