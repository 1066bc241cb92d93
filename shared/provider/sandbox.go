package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"yundian/shared/fail"
)

// sandboxHTTP talks to the sandbox of the local runner. It implements Provider and Rail.
type sandboxHTTP struct {
	key  string
	base string // http://127.0.0.1:8080/_local/sandbox
}

func (s *sandboxHTTP) Name() string { return Sandbox }

func (s *sandboxHTTP) Open(ctx context.Context, c Checkout) (Session, error) {
	body := SandboxCheckout{Key: c.Key, OrderID: c.OrderID, Amount: c.Amount, ReturnURL: c.ReturnURL,
		Description: c.Description, ExpiresAt: c.ExpiresAt}
	var answer SandboxSession
	status, err := s.call(ctx, http.MethodPost, "/sessions", body, &answer)
	if err != nil {
		return Session{}, fmt.Errorf("open sandbox payment of order %s: %w", c.OrderID, err)
	}
	if (status != http.StatusOK && status != http.StatusCreated) || answer.ID == "" {
		return Session{}, fmt.Errorf("open sandbox payment of order %s: status %d", c.OrderID, status)
	}
	return Session{ID: answer.ID, URL: s.base + "/pay/" + url.PathEscape(answer.ID)}, nil
}

func (s *sandboxHTTP) Close(ctx context.Context, sessionID string) (Closed, error) {
	var answer SandboxClosed
	status, err := s.call(ctx, http.MethodPost, "/sessions/"+url.PathEscape(sessionID)+"/close", struct{}{}, &answer)
	if err != nil {
		return Closed{}, fmt.Errorf("close sandbox session %s: %w", sessionID, err)
	}
	if status == http.StatusNotFound {
		// Nothing can be paid in a session that does not exist: its stock may go.
		return Closed{}, nil
	}
	if status != http.StatusOK {
		return Closed{}, fmt.Errorf("close sandbox session %s: status %d", sessionID, status)
	}
	switch {
	case answer.State == "closed":
		return Closed{}, nil
	case answer.State == "paid" && answer.PaymentID != "": // without its id its event would count as another payment
		return Closed{AlreadyPaid: true, PaymentID: answer.PaymentID, Amount: answer.Amount}, nil
	default: // an answer that does not say so is no leave to release stock
		return Closed{}, fmt.Errorf("close sandbox session %s: answered the state %q", sessionID, answer.State)
	}
}

func (s *sandboxHTTP) Refund(ctx context.Context, r RefundRequest) (RefundResult, error) {
	var answer SandboxRefunded
	body := SandboxRefund{IntentID: r.ID, PaymentID: r.PaymentID, Amount: r.Amount, Reason: r.Reason}
	status, err := s.call(ctx, http.MethodPost, "/refunds", body, &answer)
	switch {
	case err != nil:
		return RefundResult{}, fmt.Errorf("send refund %s to the sandbox: %w", r.ID, err)
	case status == http.StatusOK, status == http.StatusCreated:
		return answer.result(r.ID)
	case status == http.StatusUnprocessableEntity: // heard, understood and refused: nothing was given back
		return RefundResult{State: RefundFailed, Reason: answer.Reason}, nil
	default:
		return RefundResult{}, fmt.Errorf("send refund %s to the sandbox: status %d", r.ID, status)
	}
}

func (s *sandboxHTTP) LookupRefund(ctx context.Context, intentID string) (RefundResult, error) {
	var answer SandboxRefunded
	status, err := s.call(ctx, http.MethodGet, "/refunds/"+url.PathEscape(intentID), nil, &answer)
	switch {
	case err != nil:
		return RefundResult{}, fmt.Errorf("look up refund %s in the sandbox: %w", intentID, err)
	case status == http.StatusNotFound:
		return RefundResult{}, fail.New(fail.NotFound, "refund_unknown", "The payment provider has not received this refund.", nil)
	case status != http.StatusOK:
		return RefundResult{}, fmt.Errorf("look up refund %s in the sandbox: status %d", intentID, status)
	}
	return answer.result(intentID)
}

func (a SandboxRefunded) result(intentID string) (RefundResult, error) {
	switch {
	case a.State == RefundFailed, (a.State == RefundSucceeded || a.State == RefundPending) && a.ID != "": // its events may name nothing else
		return RefundResult{State: a.State, ProviderID: a.ID, Reason: a.Reason}, nil
	default:
		return RefundResult{}, fmt.Errorf("refund %s: the sandbox answered the state %q and the id %q", intentID, a.State, a.ID)
	}
}

// call sends one request with the key and reads a JSON answer of a status below 500.
func (s *sandboxHTTP) call(ctx context.Context, method, path string, body, answer any) (int, error) {
	var payload []byte
	if body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return 0, fmt.Errorf("encode: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, bytes.NewReader(payload))
	if err != nil {
		return 0, fmt.Errorf("build request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	req.Header.Set("Content-Type", "application/json")
	status, text, err := exchange(req)
	if err != nil {
		return 0, err
	}
	if status == http.StatusOK || status == http.StatusCreated || status == http.StatusUnprocessableEntity {
		if err := decode(text, answer); err != nil {
			return 0, err
		}
	}
	return status, nil
}
