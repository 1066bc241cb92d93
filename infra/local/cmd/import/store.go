package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// store is the running store that a file is sent to.
type store struct {
	base  *url.URL
	token string
	local bool // hands out tokens itself
	http  *http.Client
	wait  time.Duration // before the second try
}

// imported is the store's answer to one request.
type imported struct {
	Created, Updated, Unchanged, Rows int
	Errors                            []struct {
		Line    int
		Message string
	}
	Omitted int `json:"errorsOmitted"`
}

func newStore(address, token string) (*store, error) {
	if address == "" {
		address = "http://127.0.0.1:8080"
	}
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("URL=%s is no address of a store", address)
	}
	s := &store{base: base, token: token, local: token == "", http: &http.Client{Timeout: 40 * time.Second}, wait: time.Second}
	loopback := isLoopback(base.Hostname())
	switch {
	case s.local && !loopback:
		return nil, errors.New("TOKEN= is needed: only the local runner hands out tokens")
	case base.Scheme == "http" && !loopback:
		return nil, errors.New("URL= must be https: a token is not sent where others can read it")
	}
	return s, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// tries bounds how often one part is sent; the waits between them are 1, 2, 4 and 8 seconds.
const tries = 5

// importPart sends one part until the store has answered. All tries have one idempotency key, so that the answer counts
// what this run did even when the first answer was lost.
func (s *store) importPart(ctx context.Context, body []byte) (imported, error) {
	key := rand.Text()
	wait := s.wait
	for try := 1; ; try++ {
		answer, again, err := s.post(ctx, body, key)
		if err == nil || !again || try == tries || ctx.Err() != nil {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return answer, ctx.Err()
		case <-time.After(wait):
			wait *= 2
		}
	}
}

// post sends a part once, and says whether sending it again can help.
func (s *store) post(ctx context.Context, body []byte, key string) (answer imported, again bool, err error) {
	if s.token == "" {
		if s.token, err = s.localToken(ctx); err != nil {
			return answer, true, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base.JoinPath("/v1/admin/imports").String(), bytes.NewReader(body))
	if err != nil {
		return answer, false, err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("Content-Type", "text/csv; charset=utf-8")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Idempotency-Key", key)
	status, text, err := s.do(req)
	switch {
	case err != nil:
		return answer, true, err
	case status == http.StatusOK:
		if err := json.Unmarshal(text, &answer); err != nil {
			return answer, false, fmt.Errorf("read the store's answer: %w", err)
		}
		return answer, false, nil
	case status == http.StatusUnauthorized && s.local:
		s.token = "" // expired during a long import
		return answer, true, refused(status, text)
	default:
		return answer, status >= 500 || status == http.StatusTooManyRequests, refused(status, text)
	}
}

func (s *store) localToken(ctx context.Context) (string, error) {
	at := s.base.JoinPath("/_local/token")
	at.RawQuery = "user=operator:import"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return "", err
	}
	status, text, err := s.do(req)
	if err != nil {
		return "", fmt.Errorf("no store answers at %s; start it with make run: %w", s.base, err)
	}
	var answer struct{ Token string }
	if err := json.Unmarshal(text, &answer); status != http.StatusOK || err != nil || answer.Token == "" {
		return "", refused(status, text)
	}
	return answer.Token, nil
}

// maxAnswer bounds what is read of an answer: 1,000 rows with their reasons are far below.
const maxAnswer = 8 << 20

func (s *store) do(req *http.Request) (status int, text []byte, err error) {
	resp, err := s.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	text, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, text, err
}

// refused says what the store said.
func refused(status int, text []byte) error {
	var problem struct{ Detail, Message string }
	_ = json.Unmarshal(text, &problem) // whatever it is, the status is shown
	said := strings.TrimSpace(problem.Detail + " " + problem.Message)
	return fmt.Errorf("the store answered %d %s: %s", status, http.StatusText(status), said)
}
