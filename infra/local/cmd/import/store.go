package main

import (
	"context"
	"crypto/rand"
	"net/http"

	"yundian/infra/local/remote"
)

// imported is the store's answer to one request.
type imported struct {
	Created, Updated, Unchanged, Rows int
	Errors, Warnings                  []rowError
	Omitted                           int `json:"errorsOmitted"`
}

// rowError is what became of something in a row.
type rowError struct {
	Line    int
	Message string
}

// importPart sends one part until the store has answered. All tries have one idempotency key, so that the answer counts
// what this run did even when the first answer was lost.
func importPart(ctx context.Context, s *remote.Shop, body []byte) (imported, error) {
	var answer imported
	err := s.Ask(ctx, remote.Request{Method: http.MethodPost, Path: "/v1/admin/imports", Body: body,
		Header: map[string]string{"Content-Type": "text/csv; charset=utf-8", "Idempotency-Key": rand.Text()}}, &answer)
	return answer, err
}
