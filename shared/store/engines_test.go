package store_test

import (
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
