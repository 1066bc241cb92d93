package once_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"yundian/shared/fail"
	"yundian/shared/once"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
	"yundian/shared/web"
)

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

func TestDo(t *testing.T) {
	ctx, s := context.Background(), storetest.Open(t)
	done := 0
	ask := func(w once.Wish) (string, error) {
		return once.Do(ctx, s, w, noon, func(record once.Record[string]) (string, error) {
			done++
			answer := w.Owner + " " + w.Route
			writes, err := record(answer)
			if err != nil {
				return "", err
			}
			return answer, s.SaveReplies(ctx, writes)
		})
	}
	first := once.Wish{Owner: "mei", Route: "POST /v1/links", Key: "0123456789abcdef", Body: map[string]int{"n": 1}}
	steps := []struct {
		name    string
		change  func(*once.Wish)
		refused bool
		done    int
	}{
		{"first", func(*once.Wish) {}, false, 1},
		{"again", func(*once.Wish) {}, false, 1},
		{"another body", func(w *once.Wish) { w.Body = map[string]int{"n": 2} }, true, 1},
		{"another owner", func(w *once.Wish) { w.Owner = "bob" }, false, 2},
		{"another route", func(w *once.Wish) { w.Route = "PUT /v1/shelf" }, false, 3},
		{"another key", func(w *once.Wish) { w.Key = "fedcba9876543210" }, false, 4},
		{"no key", func(w *once.Wish) { w.Key = "" }, false, 5},
		{"no key again", func(w *once.Wish) { w.Key = "" }, false, 6},
	}
	for _, step := range steps {
		w := first
		step.change(&w)
		answer, err := ask(w)
		if step.refused != fail.Is(err, web.CodeIdempotency) || !step.refused && (err != nil || answer != w.Owner+" "+w.Route) {
			t.Errorf("%s: %q, %v", step.name, answer, err)
		}
		if done != step.done {
			t.Errorf("%s: done %d times, want %d", step.name, done, step.done)
		}
	}
}

// TestDoAgainAfterRefusal: what was refused is not recorded, so the same key can be tried again.
func TestDoAgainAfterRefusal(t *testing.T) {
	ctx, s := context.Background(), storetest.Open(t)
	w := once.Wish{Owner: "mei", Route: "POST /v1/links", Key: "0123456789abcdef"}
	refused := errors.New("not now")
	if _, err := once.Do(ctx, s, w, noon, func(once.Record[int]) (int, error) { return 0, refused }); !errors.Is(err, refused) {
		t.Fatal(err)
	}
	if n, err := once.Do(ctx, s, w, noon, func(once.Record[int]) (int, error) { return 7, nil }); n != 7 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

// TestDoBesideAnother: who was slower answers what the faster one recorded, whatever its own effect was refused for.
func TestDoBesideAnother(t *testing.T) {
	ctx, s := context.Background(), storetest.Open(t)
	w := once.Wish{Owner: "mei", Route: "POST /v1/links", Key: "0123456789abcdef"}
	slower := func() (int, error) {
		return once.Do(ctx, s, w, noon, func(record once.Record[int]) (int, error) {
			mine, err := record(2)
			if err != nil {
				return 0, err
			}
			if _, err := once.Do(ctx, s, w, noon, func(record once.Record[int]) (int, error) {
				writes, err := record(1)
				if err != nil {
					return 0, err
				}
				return 1, s.SaveReplies(ctx, writes)
			}); err != nil {
				t.Fatal(err)
			}
			return 2, s.SaveReplies(ctx, mine)
		})
	}
	if n, err := slower(); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	var none []store.Write
	if err := s.SaveReplies(ctx, none); err != nil {
		t.Errorf("no replies: %v", err)
	}
}
