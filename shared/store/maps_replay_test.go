package store

import (
	"context"
	"maps"
	"slices"
	"testing"
)

// Batch is a call that wrote, and what maps answered.
type Batch struct {
	Writes []Write
	Err    error
}

// Record keeps every batch that stores on maps write from now on, one call at a time.
func Record(m *Maps) *[]Batch {
	var batches []Batch
	m.Intercept = func(_ context.Context, c Call) Verdict {
		if c.Done && len(c.Writes) > 0 {
			b := Batch{slices.Clone(c.Writes), c.Err}
			for i, w := range b.Writes {
				b.Writes[i].Put, b.Writes[i].Set, b.Writes[i].Add = maps.Clone(w.Put), maps.Clone(w.Set), maps.Clone(w.Add)
			}
			batches = append(batches, b)
		}
		return Pass
	}
	return &batches
}

// Replay makes recorded batches on another engine and compares its answers, and every item that they were about, with maps.
func Replay(t *testing.T, engine *Store, m *Maps, batches []Batch) {
	t.Helper()
	a := &agreement{}
	seen := map[read]bool{}
	for i, b := range batches {
		onMaps := b.Err
		if onMaps != nil {
			_, onMaps = explain(b.Err, b.Writes)
		}
		if want, got := a.told(engine.apply(t.Context(), b.Writes)), a.told(onMaps); got != want {
			t.Fatalf("batch %d: maps %s, engine %s\n%s", i, got, want, a.show(b.Writes))
		}
		for _, w := range b.Writes {
			seen[read{w.Table, w.Key}] = true
		}
	}
	stored := map[read]Item{}
	for table := range tables {
		for k, it := range m.Items(table) {
			stored[read{table, k}] = it
			seen[read{table, k}] = true
		}
	}
	onEngine, err := engine.get(t.Context(), slices.Collect(maps.Keys(seen)))
	if err != nil {
		t.Fatal(err)
	}
	for r := range seen {
		if got := onEngine[r]; !equalItems(got, stored[r]) {
			t.Errorf("%d %s %s is\n%s on maps and\n%s on the engine", r.table, r.key.PK, r.key.SK, a.item(stored[r]), a.item(got))
		}
	}
}
