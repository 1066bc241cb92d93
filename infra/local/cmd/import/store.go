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
	Errors                            []struct {
		Line    int
		Message string
	}
	Omitted int `json:"errorsOmitted"`
}

// importPart sends one part until the store has answered. All tries have one idempotency key, so that the answer counts
// what this run did even when the first answer was lost.
func importPart(ctx context.Context, s *remote.Shop, body []byte) (imported, error) {
	var answer imported
	err := s.Ask(ctx, remote.Request{Method: http.MethodPost, Path: "/v1/admin/imports", Body: body,
		Header: map[string]string{"Content-Type": "text/csv; charset=utf-8", "Idempotency-Key": rand.Text()}}, &answer)
	return answer, err
}
