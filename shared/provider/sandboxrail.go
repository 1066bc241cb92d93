package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// Send implements Rail.
func (s *sandboxHTTP) Send(ctx context.Context, t Transfer) (TransferResult, error) {
	var answer SandboxTransferred
	body := SandboxTransfer{ID: t.ID, Amount: t.Amount, Account: t.Account, Name: t.Name, Description: t.Description}
	status, err := s.call(ctx, http.MethodPost, "/transfers", body, &answer)
	switch {
	case err != nil:
		return TransferResult{}, fmt.Errorf("send transfer %s to the sandbox: %w", t.ID, err)
	case status == http.StatusOK, status == http.StatusCreated:
		return answer.result(t.ID)
	case status == http.StatusUnprocessableEntity: // heard, understood and refused: nothing was sent
		return TransferResult{State: TransferFailed, Reason: answer.Reason}, nil
	default:
		return TransferResult{}, fmt.Errorf("send transfer %s to the sandbox: status %d", t.ID, status)
	}
}

// Lookup implements Rail.
func (s *sandboxHTTP) Lookup(ctx context.Context, id string) (TransferResult, error) {
	var answer SandboxTransferred
	status, err := s.call(ctx, http.MethodGet, "/transfers/"+url.PathEscape(id), nil, &answer)
	switch {
	case err != nil:
		return TransferResult{}, fmt.Errorf("look up transfer %s in the sandbox: %w", id, err)
	case status == http.StatusNotFound:
		return TransferResult{}, TransferUnknown()
	case status != http.StatusOK:
		return TransferResult{}, fmt.Errorf("look up transfer %s in the sandbox: status %d", id, status)
	}
	return answer.result(id)
}

func (a SandboxTransferred) result(id string) (TransferResult, error) {
	switch a.State {
	case TransferPaid, TransferPending, TransferFailed:
		return TransferResult{State: a.State, ProviderID: a.ID, Reason: a.Reason}, nil
	default:
		return TransferResult{}, fmt.Errorf("transfer %s: the sandbox answered the state %q", id, a.State)
	}
}
