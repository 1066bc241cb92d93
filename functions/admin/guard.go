package main

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"yundian/shared/fail"
	"yundian/shared/locale"
	"yundian/shared/once"
	"yundian/shared/web"
)

// Who may do what: the scope comes with the login page, the groups say who it is.
const (
	scope    = "yundian/operator"
	operator = "operator" // reads and writes
	auditor  = "auditor"  // reads
)

// visit is who calls and how.
type visit struct {
	subject  string
	language locale.Language
	base     string // address of the store, without a slash at the end
	route    string // method and path
	writes   bool   // as an operator; auditors read, and see no accounts
}

type visitKey struct{}

// visitOf is the visit that the guard let in.
func visitOf(ctx context.Context) visit {
	v, _ := ctx.Value(visitKey{}).(visit)
	return v
}

// guard is the one place that decides who may call an operation.
func (a *admin) guard(c huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(c)
	caller, known := web.CallerOf(c.Context())
	if err := may(caller, known, r.Method); err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	next(huma.WithValue(c, visitKey{}, visit{subject: caller.Subject, language: web.Language(r), base: web.BaseURL(r, a.publicURL),
		route: r.Method + " " + r.URL.Path, writes: caller.In(operator)}))
}

func may(c web.Caller, known bool, method string) error {
	reads := method == http.MethodGet || method == http.MethodHead
	switch {
	case !known || !c.May(scope):
		return fail.New(fail.Denied, "operator_only", "Only the shop's operators may do this.", nil)
	case c.In(operator), reads && c.In(auditor):
		return nil
	case c.In(auditor):
		return fail.New(fail.Denied, "auditor_reads", "Auditors may look at everything here and change nothing.", nil)
	default:
		return fail.New(fail.Denied, "operator_only", "Only the shop's operators may do this.", nil)
	}
}

// done is the recorded answer of writes whose response is read back, so that nothing personal is kept with the key.
type done struct{}

// wish is what the caller asks for; body is the decoded request.
func wish(ctx context.Context, key string, body any) once.Wish {
	v := visitOf(ctx)
	return once.Wish{Owner: v.subject, Route: v.route, Key: key, Body: body}
}
