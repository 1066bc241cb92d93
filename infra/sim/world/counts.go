package world

import (
	"maps"

	"yundian/shared/store"
)

// Counts are what happened in a world. An event is one call of the store or of a provider, one record given to a consumer,
// or one command; a fault is counted where it reached code, on the event that it happened to.
type Counts struct {
	Events   int            `json:"events"`
	Faulted  int            `json:"faulted"`
	Faults   map[string]int `json:"faults"`
	Commands map[string]int `json:"commands"`
	Sites    map[string]int `json:"callSites"` // methods of the store × operation × kinds of keys
	Reached  map[string]int `json:"reached"`   // what orders went through by the end
	Guards   map[string]int `json:"-"`         // kinds of guards that went by
	Worlds   int            `json:"worlds"`
	Folds    int            `json:"folds"`
}

func newCounts() Counts {
	return Counts{Faults: map[string]int{}, Commands: map[string]int{}, Sites: map[string]int{}, Reached: map[string]int{}, Guards: map[string]int{}, Worlds: 1}
}

func (c *Counts) fault(name string) {
	c.Faulted++
	c.Faults[name]++
}

// Add adds the counts of another world.
func (c *Counts) Add(o Counts) {
	if c.Faults == nil {
		*c = newCounts()
		c.Worlds = 0
	}
	c.Events += o.Events
	c.Faulted += o.Faulted
	c.Worlds += o.Worlds
	c.Folds += o.Folds
	for to, from := range map[*map[string]int]map[string]int{&c.Faults: o.Faults, &c.Commands: o.Commands, &c.Sites: o.Sites, &c.Reached: o.Reached, &c.Guards: o.Guards} {
		for name, n := range from {
			(*to)[name] += n
		}
	}
}

// Clone is a copy that can grow by itself.
func (c Counts) Clone() Counts {
	c.Faults, c.Commands, c.Sites, c.Reached, c.Guards = maps.Clone(c.Faults), maps.Clone(c.Commands), maps.Clone(c.Sites), maps.Clone(c.Reached), maps.Clone(c.Guards)
	return c
}

// note counts which method of the store makes a call about what, and lists and strips guards.
func (w *World) note(c store.Call) {
	for i := range c.Writes {
		w.strip(&c.Writes[i])
	}
	if c.Try == 1 {
		w.sites[siteOf(c)]++
	}
}

func (c *Counts) faults(name string, n int) {
	c.Faulted += n
	c.Faults[name] += n
}
