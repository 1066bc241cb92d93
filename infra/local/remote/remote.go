// Package remote speaks to a running shop as an operator, for commands: with a token that is given, or with one of the local
// runner's, which hands them out itself.
package remote

import (
	"bytes"
	"context"
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

// Shop is a running shop.
type Shop struct {
	Wait time.Duration // before the second try; each one after it waits twice as long

	base  *url.URL
	user  string // of the local runner
	token string
	local bool
	http  *http.Client
}

// New is the shop at an address, the local runner's own when it is empty. Without a token the shop has to be the local
// runner, which is asked for one of this operator's.
func New(address, token, operator string) (*Shop, error) {
	if address == "" {
		address = "http://127.0.0.1:8080"
	}
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("URL=%s is no address of a store", address)
	}
	s := &Shop{base: base, user: "operator:" + operator, token: token, local: token == "", http: &http.Client{Timeout: 40 * time.Second}, Wait: time.Second}
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

// Local reports whether the shop hands out tokens itself.
func (s *Shop) Local() bool { return s.local }

// Request is what the shop is asked for.
type Request struct {
	Method, Path string
	Query        url.Values
	Header       map[string]string
	Body         []byte
}

// tries bounds how often one request is sent; the waits between them are 1, 2, 4 and 8 seconds.
const tries = 5

// Ask sends a request until the shop has answered, and reads the answer. A request that writes carries an idempotency key,
// so that all tries are one.
func (s *Shop) Ask(ctx context.Context, q Request, into any) error {
	wait := s.Wait
	for try := 1; ; try++ {
		again, err := s.send(ctx, q, into)
		if err == nil || !again || try == tries || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
			wait *= 2
		}
	}
}

// send asks once, and says whether asking again can help.
func (s *Shop) send(ctx context.Context, q Request, into any) (again bool, err error) {
	if s.token == "" {
		if s.token, err = s.localToken(ctx); err != nil {
			return true, err
		}
	}
	at := s.base.JoinPath(q.Path)
	at.RawQuery = q.Query.Encode()
	req, err := http.NewRequestWithContext(ctx, q.Method, at.String(), bytes.NewReader(q.Body))
	if err != nil {
		return false, err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("Accept", "application/json")
	for name, value := range q.Header {
		req.Header.Set(name, value)
	}
	status, text, err := s.do(req)
	switch {
	case err != nil:
		return true, err
	case status == http.StatusOK:
		if err := json.Unmarshal(text, into); err != nil {
			return false, fmt.Errorf("read the store's answer: %w", err)
		}
		return false, nil
	case status == http.StatusUnauthorized && s.local:
		s.token = "" // expired meanwhile
		return true, refused(status, text)
	default:
		return status >= 500 || status == http.StatusTooManyRequests, refused(status, text)
	}
}

func (s *Shop) localToken(ctx context.Context) (string, error) {
	at := s.base.JoinPath("/_local/token")
	at.RawQuery = "user=" + s.user
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

// maxAnswer bounds what is read of an answer: Lambda gives 6 MB at most.
const maxAnswer = 8 << 20

func (s *Shop) do(req *http.Request) (status int, text []byte, err error) {
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
