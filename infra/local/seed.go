package local

import (
	"context"
	"io"
	"maps"
	"time"

	"yundian/infra/local/demo"
	"yundian/shared/seal"
	"yundian/shared/store"
)

// Seed fills the store with the demo shop as of a moment; see demo.Seed.
func (r *Runner) Seed(ctx context.Context, now time.Time, out io.Writer) error {
	env, err := r.Environment("checkout")
	if err != nil {
		return err
	}
	touch, err := r.Environment("touch") // names the one table that checkout does not use
	if err != nil {
		return err
	}
	maps.Copy(env, touch)
	keys, err := seal.Parse(env["SIGNING_KEYS"])
	if err != nil {
		return err
	}
	return demo.Seed(ctx, demo.Target{URL: r.URL, Store: store.Open(store.ConfigFrom(func(name string) string { return env[name] })), Keys: keys,
		Identity: []byte(env["IDENTITY_KEY"]), Now: now, Quiet: r.Quiet, Paid: r.sandbox.Enter}, out)
}
