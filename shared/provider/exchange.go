package provider

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// callTimeout bounds one call to a provider, well inside the 30 s that a shopper's request may take.
	callTimeout = 8 * time.Second
	// maxAnswer bounds what is read of an answer; the longest real one has a few hundred bytes.
	maxAnswer = 64 << 10
)

// caller follows no redirects, so that a key is never sent anywhere else, and uses no proxy from the environment:
// the far side is on this machine.
var caller = &http.Client{
	Timeout:       callTimeout,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, ResponseHeaderTimeout: callTimeout, MaxResponseHeaderBytes: maxAnswer},
}

// exchange sends a request and reads the whole answer, up to maxAnswer.
func exchange(req *http.Request) (status int, body []byte, err error) {
	resp, err := caller.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("call provider: %w", err)
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return 0, nil, fmt.Errorf("read answer of provider: %w", err)
	}
	if len(body) > maxAnswer {
		return 0, nil, fmt.Errorf("answer of provider is longer than %d bytes", maxAnswer)
	}
	return resp.StatusCode, body, nil
}

func decode(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("read answer of provider: %w", err)
	}
	return nil
}
