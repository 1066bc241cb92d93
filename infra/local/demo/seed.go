package demo

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"yundian/shared/identity"
	"yundian/shared/koc"
	"yundian/shared/provider"
	"yundian/shared/seal"
	"yundian/shared/store"
)

// Target is a running store to fill.
type Target struct {
	URL      string // http://127.0.0.1:8080
	Store    *store.Store
	Keys     seal.Ring
	Identity identity.Key
	Now      time.Time
	// Quiet waits until every stream is drained.
	Quiet func(context.Context) error
	// Paid enters a payment of an earlier day into the books of the sandbox and gives its id.
	Paid func(provider.SandboxCheckout) (string, error)
}

// writers is how many calls and writes are made at the same time: enough to keep a small machine busy.
const writers = 4

// Seed fills a store with the demo shop: what a person can do today is done over HTTP, and what happened in the weeks
// before is written by the rules of that time. A store that has the demo shop, or another one, is left alone. A
// seeding that was interrupted goes on where it stopped.
func Seed(ctx context.Context, t Target, out io.Writer) error {
	// The last applicant is the last thing that is seeded.
	last := Applicants[len(Applicants)-1].Handle
	known, err := t.Store.KOCs(ctx, []string{last})
	if err != nil {
		return fmt.Errorf("look for the demo shop: %w", err)
	}
	if _, seeded := known[last]; seeded {
		return nil
	}
	settings, err := t.Store.Settings(ctx)
	if err != nil {
		return fmt.Errorf("look for another shop: %w", err)
	}
	if settings.Version > 0 && settings.Brand != House.Brand {
		fmt.Fprintf(out, "this store belongs to %s: no demo shop\n", settings.Brand)
		return nil
	}
	return (&seeding{Target: t, client: newClient(t.URL), out: out}).run(ctx)
}

// seeding is one run.
type seeding struct {
	Target
	client   *client
	out      io.Writer
	operator string // token

	mu    sync.Mutex
	links map[string]koc.Link // by the plan's names
}

func (s *seeding) run(ctx context.Context) error {
	s.links = map[string]koc.Link{}
	var err error
	if s.operator, err = s.client.login(ctx, operator); err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		do   func(context.Context) error
	}{
		{fmt.Sprintf("%d products and the shop's rules", len(Products)), s.openShop},
		{fmt.Sprintf("%d KOCs with shelves and links", len(KOCs)), s.welcomeKOCs},
		{"visits of four weeks", s.touches},
		{fmt.Sprintf("%d orders of four weeks", len(Orders)), s.history},
		{fmt.Sprintf("%d withdrawals", len(Withdrawals)), s.withdrawals},
		{fmt.Sprintf("%d applicants", len(Applicants)), s.applicants},
	} {
		began := time.Now()
		if err := part.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		fmt.Fprintf(s.out, "demo: %-32s %6.2f s\n", part.name, time.Since(began).Seconds())
	}
	return nil
}

// sideBySide does something with every item, a few at a time, and gives the first error.
func sideBySide[T any](items []T, do func(T) error) error {
	var (
		group sync.WaitGroup
		once  sync.Once
		first error
		queue = make(chan T, len(items))
	)
	for _, it := range items {
		queue <- it
	}
	close(queue)
	for range min(writers, len(items)) {
		group.Go(func() {
			for it := range queue {
				if err := do(it); err != nil {
					once.Do(func() { first = err })
					return
				}
			}
		})
	}
	group.Wait()
	return first
}
