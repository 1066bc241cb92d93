package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"yundian/shared/fail"
)

// Registry knows the providers that this deployment may use.
type Registry struct {
	names   []string
	sandbox *sandboxAccess
	given   []Provider // by Of
}

// Of makes a registry of providers that exist already, for simulations.
func Of(given ...Provider) *Registry {
	r := &Registry{sandbox: &sandboxAccess{}, given: given}
	for _, p := range given {
		r.names = append(r.names, p.Name())
	}
	return r
}

// known are the providers that can be listed, in no order.
var known = []string{OnDelivery, Sandbox}

// New makes a registry of the listed providers, in the order in which shoppers are offered them. Blank names are
// ignored; a name that no provider has is an error.
//
// Listing the sandbox does not switch it on. It exists only where runtimeAPI (the value of AWS_LAMBDA_RUNTIME_API,
// which Lambda sets and no template can) is a local runner that hands out a key; everywhere else it is refused
// like a name nobody has.
func New(names []string, runtimeAPI string) (*Registry, error) {
	r := &Registry{sandbox: &sandboxAccess{runtimeAPI: runtimeAPI}}
	for _, name := range names {
		name = strings.TrimSpace(name)
		switch {
		case name == "" || slices.Contains(r.names, name):
			continue
		case !slices.Contains(known, name):
			return nil, fmt.Errorf("provider: %q is not a payment provider; known are %s", name, strings.Join(known, ", "))
		}
		r.names = append(r.names, name)
	}
	return r, nil
}

// Names are the payments a shopper can choose now, in the order they are offered.
func (r *Registry) Names(ctx context.Context) []string {
	out := make([]string, 0, len(r.names))
	for _, name := range r.names {
		if _, err := r.Offered(ctx, name); err == nil {
			out = append(out, name)
		}
	}
	return out
}

// Offered is the provider for a new order. A provider that is not offered is Invalid, code payment_unknown.
func (r *Registry) Offered(ctx context.Context, name string) (Provider, error) {
	if !slices.Contains(r.names, name) {
		return nil, unknown(name)
	}
	return r.Get(ctx, name)
}

// Get is the provider of an order that already exists, or of a webhook. Payment on delivery needs nothing, so
// its old orders live on when it is no longer offered. An unusable provider is Invalid, code payment_unknown.
func (r *Registry) Get(ctx context.Context, name string) (Provider, error) {
	if i := slices.IndexFunc(r.given, func(p Provider) bool { return p.Name() == name }); i >= 0 {
		return r.given[i], nil
	}
	switch {
	case name == OnDelivery:
		return onDelivery{}, nil
	case name == Sandbox && slices.Contains(r.names, Sandbox): // not listed: production never even asks for a key
		if s, granted := r.sandbox.client(ctx); granted {
			return s, nil
		}
	}
	return nil, unknown(name)
}

func unknown(name string) error {
	if len(name) > 40 {
		name = name[:40]
	}
	return fail.New(fail.Invalid, "payment_unknown", "{payment} is not a payment that this shop offers.",
		fail.Args{"payment": strings.ToValidUTF8(name, "")})
}
