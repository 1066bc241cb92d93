package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/locale"
	"yundian/shared/web"
)

// scope is what a KOC's access token carries.
const scope = "yundian/koc"

// bindLogin is the one operation for logins that are not a KOC's yet.
const bindLogin = "bindLogin"

// visit is who calls and how the store was reached.
type visit struct {
	subject string      // the login
	koc     koc.Profile // the KOC of the login; zero in bindLogin
	base    string      // address of the store, without a slash at the end

	language locale.Language
}

func (v visit) locale() *locale.Locale { return locale.For(v.language) }

type visitKey struct{}

// visitOf is the visit that the guard let in.
func visitOf(ctx context.Context) visit {
	v, _ := ctx.Value(visitKey{}).(visit)
	return v
}

// guard lets in logins of approved KOCs, and of suspended ones who only read: what was earned stays theirs to see. The
// KOC is read on every request, so that a suspension works at once, whatever the token says.
func (p *portal) guard(c huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(c)
	v := visit{base: web.BaseURL(r, p.publicURL), language: web.Language(r)}
	caller, known := web.CallerOf(c.Context())
	if !known || !caller.May(scope) {
		web.WriteProblem(w, r, fail.New(fail.Denied, "scope_missing", "This login may not use the KOC portal.", nil))
		return
	}
	v.subject = caller.Subject
	if c.Operation().OperationID != bindLogin {
		var err error
		if v.koc, err = p.store.KOCByLogin(c.Context(), v.subject); err == nil {
			err = may(v.koc, r.Method, r.URL.Query()["koc"])
		}
		if err != nil {
			web.WriteProblem(w, r, err)
			return
		}
	}
	next(huma.WithValue(c, visitKey{}, v))
}

// may refuses KOCs who are not approved, apart from suspended ones who read, and those who ask for somebody else's data
// by name.
func may(p koc.Profile, method string, asked []string) error {
	reads := method == http.MethodGet || method == http.MethodHead
	if err := approved(p); err != nil && !(reads && p.Status() == koc.Suspended) {
		return err
	}
	if slices.ContainsFunc(asked, func(handle string) bool { return handle != p.Handle }) {
		return fail.New(fail.Denied, "koc_foreign", "You can see only what is your own.", nil)
	}
	return nil
}

func approved(p koc.Profile) error {
	switch p.Status() {
	case koc.Approved:
		return nil
	case koc.Suspended:
		return fail.New(fail.Denied, "koc_suspended", "This KOC account is suspended: what it has earned can be read, and nothing can be changed. Please talk to the shop.", nil)
	default:
		return fail.New(fail.Denied, "koc_not_approved", "The shop has not approved this KOC account yet.", nil)
	}
}

// randomText is the chance that main passes in.
func randomText() string { return rand.Text() }
