package local

import (
	"context"
	"io"
	"maps"
	"time"

	"yundian/infra/local/demo"
	"yundian/shared/identity"
	"yundian/shared/seal"
	"yundian/shared/store"
)

// Demo is this store as the demo shop's seeding sees it, as of a moment.
func (r *Runner) Demo(now time.Time) (demo.Target, error) {
	env, err := r.Environment("checkout")
	if err != nil {
		return demo.Target{}, err
	}
	touch, err := r.Environment("touch") // names the one table that checkout does not use
	if err != nil {
		return demo.Target{}, err
	}
	maps.Copy(env, touch)
	keys, err := seal.Parse(env["SIGNING_KEYS"])
	if err != nil {
		return demo.Target{}, err
	}
	return demo.Target{URL: r.URL, Store: store.Open(store.ConfigFrom(func(name string) string { return env[name] })), Keys: keys,
		Identity: identity.Key(env["IDENTITY_KEY"]), Now: now, Quiet: r.Quiet, Paid: r.sandbox.Enter}, nil
}

// Seed fills the store with the demo shop as of now; see demo.Seed.
func (r *Runner) Seed(ctx context.Context, out io.Writer) error {
	t, err := r.Demo(time.Now())
	if err != nil {
		return err
	}
	return demo.Seed(ctx, t, out)
}
