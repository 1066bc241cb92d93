package storm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"yundian/infra/local/wire"
)

// shoppers is how many orders are being lived through at once.
const shoppers = 24

// strengths of the wind: drizzle is what the SDK's own retries mostly hide, a gust outlasts them, so that functions see
// calls fail in the middle of their work.
const (
	drizzle = 1
	gust    = 5
)

// plan disturbs about one call in seven, or more in a gust. Conflicts meet writes only, as in DynamoDB.
func plan(seed uint64, strength float64) wire.Plan {
	p := wire.Plan{Seed: seed, Rules: []wire.Rule{
		{Fault: wire.Fault{Kind: wire.LostResponse}, Chance: 0.05 * strength},
		{Fault: wire.Fault{Kind: wire.LostRequest}, Chance: 0.02 * strength},
		{Fault: wire.Fault{Kind: wire.Throttle}, Chance: 0.02 * strength},
		{Fault: wire.Fault{Kind: wire.ServerError}, Chance: 0.02 * strength},
		{Fault: wire.Fault{Kind: wire.Delay, Delay: 30 * time.Millisecond}, Chance: 0.02 * strength},
		{Fault: wire.Fault{Kind: wire.Delay, Delay: 300 * time.Millisecond}, Chance: 0.01 * strength}, // others overtake this one
	}}
	for _, op := range []string{"TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem"} {
		p.Rules = append(p.Rules, wire.Rule{Op: op, Fault: wire.Fault{Kind: wire.Conflict}, Chance: 0.06 * strength})
	}
	return p
}

// rage is the storm: faults, kills and moved time beside the workload, in two waves, so that refunds also meet
// commission that has been released.
func (s *storm) rage(ctx context.Context) error {
	for i, f := range s.runner.Model.Functions { // in the template's order, which gives each function its own seed
		s.wires[f.Name].Reset()
		if err := s.wires[f.Name].Faults(plan(s.o.Seed<<16+uint64(i), drizzle)); err != nil {
			return err
		}
	}
	weather, calm := context.WithCancel(ctx)
	var around sync.WaitGroup
	around.Go(func() { s.kill(weather) })
	around.Go(func() { s.moveTime(weather) })
	around.Go(func() { s.blow(weather) })
	var echoed error
	around.Go(func() { echoed = s.echo(weather, ctx) })
	began := time.Now()
	err := s.wave(ctx, began.Add(s.o.Workload*3/4), s.live)
	if err == nil {
		s.mature(ctx, 30*24*time.Hour)
		err = s.wave(ctx, began.Add(s.o.Workload), s.regret)
	}
	calm()
	around.Wait()
	err = errors.Join(err, echoed)
	s.crossed = s.counts()
	for _, w := range s.wires {
		if err := w.Faults(wire.Plan{}); err != nil {
			return err
		}
	}
	return err
}

// told is after how many orders a line of progress is printed.
const told = 500

// wave runs the lives of all shoppers, a few at a time, and begins none after its end.
func (s *storm) wave(ctx context.Context, end time.Time, life func(context.Context, int, *rand.Rand) error) error {
	next := make(chan int)
	var group sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range shoppers {
		group.Go(func() {
			for i := range next {
				if err := life(ctx, i, rand.New(rand.NewPCG(s.o.Seed, uint64(i)))); err != nil {
					mu.Lock()
					failed = errors.Join(failed, fmt.Errorf("shopper %d: %w", i, err))
					mu.Unlock()
				}
			}
		})
	}
	for i := range s.o.Orders {
		if i > 0 && i%told == 0 {
			fmt.Fprintf(s.o.Progress, "  %d shoppers\n", i)
		}
		mu.Lock()
		stop := failed != nil
		mu.Unlock()
		if stop || time.Now().After(end) || ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	group.Wait()
	return failed
}

// blow lets a gust go over one function after the other.
func (s *storm) blow(ctx context.Context) {
	r := rand.New(rand.NewPCG(s.o.Seed, 1<<42))
	for n := uint64(1); ctx.Err() == nil; n++ {
		i := r.IntN(len(s.runner.Model.Functions))
		w := s.wires[s.runner.Model.Functions[i].Name]
		for m, strength := range []float64{gust, drizzle} {
			if err := w.Faults(plan(s.o.Seed<<16+n<<6+uint64(m)<<5+uint64(i), strength)); err != nil {
				panic(err) // the plan is ours
			}
			if strength == gust {
				select {
				case <-ctx.Done():
				case <-time.After(time.Duration(1000+r.IntN(2500)) * time.Millisecond):
				}
			}
		}
	}
}

// longestEcho is how long one replay may take for another to follow; the streams of a long storm take minutes.
const longestEcho = 30 * time.Second

// echo delivers all stream records again while new ones come, so that two processes work on one order at the same time:
// one may write between the other's read and its transaction. Each replay ends before the quiet begins.
func (s *storm) echo(weather, run context.Context) error {
	var took time.Duration
	for took < longestEcho {
		select {
		case <-weather.Done():
			return nil
		case <-time.After(max(500*time.Millisecond, took)):
		}
		began := time.Now()
		if err := s.runner.Replay(run); err != nil {
			return fmt.Errorf("replay the streams in the storm: %w", err)
		}
		took = time.Since(began)
		s.replays++
	}
	return nil
}

// kill ends a process of one function after the other while it works, every few hundred milliseconds.
func (s *storm) kill(ctx context.Context) {
	victims := []string{"attribute", "settle", "tally", "payments", "checkout", "mature", "admin", "portal", "payout", "notify"}
	r := rand.New(rand.NewPCG(s.o.Seed, 1<<40))
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(100+r.IntN(300)) * time.Millisecond):
		}
		victim := victims[r.IntN(len(victims))]
		wait := time.After(200 * time.Millisecond) // for it to be busy
		for !s.runner.Kill(victim) {
			select {
			case <-ctx.Done():
				return
			case <-wait:
				victim = victims[r.IntN(len(victims))]
				wait = time.After(200 * time.Millisecond)
			case <-time.After(time.Duration(r.IntN(3000)) * time.Microsecond):
			}
		}
		s.mu.Lock()
		s.kills[victim]++
		s.mu.Unlock()
	}
}

// moveTime fires the schedules as of later and later, and earlier again.
func (s *storm) moveTime(ctx context.Context) {
	r := rand.New(rand.NewPCG(s.o.Seed, 1<<41))
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(300+r.IntN(900)) * time.Millisecond):
		}
		ahead := 3 * time.Minute // refunds are driven again
		switch p := r.IntN(10); {
		case p == 0:
			ahead = 31 * time.Minute // unpaid orders expire
		case p < 4:
			ahead = 8 * 24 * time.Hour // delivered orders are released
		case p == 4:
			ahead = 16 * 24 * time.Hour // shipped orders count as received
		}
		s.mature(ctx, ahead)
		if _, err := s.runner.RunSchedule(ctx, "payout", time.Now().Add(time.Duration(r.IntN(120))*time.Minute)); err != nil {
			s.client.retries.Add(1)
		}
	}
}

// mature fires the schedule as of so much later. It may fail in the storm; the next one goes on.
func (s *storm) mature(ctx context.Context, ahead time.Duration) {
	if _, err := s.runner.RunSchedule(ctx, "mature", time.Now().Add(ahead)); err != nil {
		s.client.retries.Add(1)
	}
}

// sandbox asks the payment provider of this machine for something. It is past the faults.
func (s *storm) sandbox(ctx context.Context, path string, body any) error {
	a, err := s.client.do(ctx, ask{method: http.MethodPost, path: "/_local/sandbox" + path, json: body})
	if err == nil && a.status >= 300 {
		err = fmt.Errorf("sandbox %s answered %d: %.200s", path, a.status, a.body)
	}
	return err
}
