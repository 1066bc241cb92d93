package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// client speaks to the running store as a program outside it would.
type client struct {
	url  string
	http http.Client
}

func newClient(url string) *client {
	return &client{url: url, http: http.Client{Timeout: 30 * time.Second}}
}

// maxAnswer bounds an answer in bytes; the largest, a product's, has some 10 KB.
const maxAnswer = 1 << 20

// refused is an answer that says no.
type refused struct {
	what   string
	status int
	body   []byte
}

func (r *refused) Error() string {
	return fmt.Sprintf("%s was answered %d: %.400s", r.what, r.status, r.body)
}

// call is one request. Key makes a repeated one harmless; token and key may be empty.
type call struct {
	method, path string
	token, key   string
	body         any
}

// do sends a call and reads its answer into out, which may be nil.
func (c *client) do(ctx context.Context, q call, out any) error {
	what := q.method + " " + q.path
	var body io.Reader
	if q.body != nil {
		text, err := json.Marshal(q.body)
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, q.method, c.url+q.path, body)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	r.Header.Set("Accept", "application/json")
	if q.body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if q.token != "" {
		r.Header.Set("Authorization", "Bearer "+q.token)
	}
	if q.key != "" {
		r.Header.Set("Idempotency-Key", q.key)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return err // names method and address
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if resp.StatusCode/100 != 2 {
		return &refused{what: what, status: resp.StatusCode, body: text}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("read the answer of %s: %w", what, err)
	}
	return nil
}

// login is an access token of the local issuer.
func (c *client) login(ctx context.Context, user string) (string, error) {
	var answer struct{ Token string }
	err := c.do(ctx, call{method: http.MethodGet, path: "/_local/token?user=" + url.QueryEscape(user)}, &answer)
	return answer.Token, err
}
