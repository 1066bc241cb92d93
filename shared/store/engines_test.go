package store_test

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"yundian/shared/store"
	"yundian/shared/store/storetest"
)

// TestMapsAgreeWithTheEngine: whatever is written, refused, read and queried, maps answer as the engine under test does.
func TestMapsAgreeWithTheEngine(t *testing.T) {
	engine := storetest.Open(t)
	rapid.Check(t, func(t *rapid.T) { store.Agree(t, engine) })
}

func TestMapsAgreeOnSizes(t *testing.T) { store.AgreeOnSizes(t, storetest.Open(t)) }

// TestTheStoresWritesAgree runs the store's own methods on maps, makes the same writes on the engine under test, and
// compares answers, items and what the store reads from both.
func TestTheStoresWritesAgree(t *testing.T) {
	engine, m := storetest.Open(t), store.NewMaps()
	onMaps := store.OpenMaps(m)
	batches := store.Record(m)
	for _, x := range scenarios {
		t.Run(x.name, func(t *testing.T) {
			*batches = nil
			x.run(t, onMaps)
			store.Replay(t, engine, m, *batches)
			if x.look == nil {
				return
			}
			if got, want := x.look(t, onMaps), x.look(t, engine); !reflect.DeepEqual(got, want) {
				t.Errorf("maps show\n%+v\nthe engine\n%+v", got, want)
			}
		})
	}
}
