package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"yundian/shared/fail"
	"yundian/shared/payout"
)

// Rails knows the ways in which this deployment pays KOCs.
type Rails struct {
	names   []string
	senders []Rail
	sandbox *sandboxAccess
}

// knownRails can be listed, in no order.
var knownRails = []string{payout.Bank, payout.Stripe, payout.Sandbox}

// NewRails lists the rails that KOCs may choose, in the order in which they are offered, and takes those that send by
// themselves; functions that send nothing give none. Blank names are ignored; a name that no rail has is an error. Listing
// the sandbox does not switch it on: as with payments, only the local runner does, behind its runtimeAPI.
func NewRails(names []string, runtimeAPI string, senders ...Rail) (*Rails, error) {
	r := &Rails{senders: senders, sandbox: &sandboxAccess{runtimeAPI: runtimeAPI}}
	for _, name := range names {
		name = strings.TrimSpace(name)
		switch {
		case name == "" || slices.Contains(r.names, name):
			continue
		case !slices.Contains(knownRails, name):
			return nil, fmt.Errorf("provider: %q is no way to pay KOCs; known are %s", name, strings.Join(knownRails, ", "))
		}
		r.names = append(r.names, name)
	}
	return r, nil
}

// Names are the rails that a KOC can choose now, in the order they are offered.
func (r *Rails) Names(ctx context.Context) []string {
	out := make([]string, 0, len(r.names))
	for _, name := range r.names {
		if name == payout.Sandbox {
			if _, granted := r.sandbox.client(ctx); !granted {
				continue
			}
		}
		out = append(out, name)
	}
	return out
}

// Offered refuses a rail that a KOC cannot choose now: Invalid, rail_unknown.
func (r *Rails) Offered(ctx context.Context, name string) error {
	if slices.Contains(r.Names(ctx), name) {
		return nil
	}
	return payout.RailUnknown()
}

// Sender is the rail of a payout that exists, also when it is no longer listed: what was sent has to be looked up. A rail
// that nobody can send by here is an error that concerns whoever runs the shop; so is the bank's, which is a file.
func (r *Rails) Sender(ctx context.Context, name string) (Rail, error) {
	for _, s := range r.senders {
		if s.Name() == name {
			return s, nil
		}
	}
	if name == payout.Sandbox && slices.Contains(r.names, name) { // not listed: production never even asks for a key
		if s, granted := r.sandbox.client(ctx); granted {
			return s, nil
		}
	}
	return nil, fmt.Errorf("provider: nothing sends payouts by %.40q here", name)
}

// TransferUnknown is Lookup's answer about a transfer that the rail never received.
func TransferUnknown() error {
	return fail.New(fail.NotFound, "transfer_unknown", "The rail has not received this transfer.", nil)
}

// IsTransferUnknown reports whether an error is TransferUnknown.
func IsTransferUnknown(err error) bool { return fail.Is(err, "transfer_unknown") }
