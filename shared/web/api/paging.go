package api

import (
	"github.com/danielgtaylor/huma/v2"

	"yundian/shared/web"
)

// Paging is the input of every list: embed it in an operation's input. The cursor is opened with seal.Ring.OpenCursor.
type Paging struct {
	Limit  Limit  `query:"limit" doc:"How many items, 1 to 100; more counts as 100"`
	Cursor string `query:"cursor" maxLength:"2048" doc:"next of the page before"`
}

// Limit is a page size as sent. Size is what it means.
type Limit struct{ n int }

// Size is the page size: 1 to 100, 20 when none was sent.
func (l Limit) Size() int {
	if l.n == 0 {
		return web.DefaultLimit
	}
	return l.n
}

// UnmarshalText reads a page size as ParseLimit does.
func (l *Limit) UnmarshalText(text []byte) error {
	n, err := web.ParseLimit(string(text))
	l.n = n
	if err != nil {
		return carry(err)
	}
	return nil
}

// Schema implements huma.SchemaProvider. The type is left open for the check, because 1e9 is no integer and still
// means "as many as possible".
func (Limit) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{{Type: "integer"}, {Type: "string"}}, Examples: []any{web.DefaultLimit}}
}
