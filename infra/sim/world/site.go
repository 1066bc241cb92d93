package world

import (
	"runtime"
	"slices"
	"strings"
	"sync"

	"yundian/shared/store"
)

// site is where the store is called: the public method, the operation, and what it is about. Worlds make millions of calls,
// so a site is found without building texts.
type site struct {
	method, op string
	kinds      uint64 // a bit for each kind of item
}

var tableNames = [...]string{"shop", "people", "orders", "ledger", "touches"}

// kindOf is what a key is of: the part of its sort key before the first #, or of its partition.
func kindOf(k store.Key) string {
	kind := k.SK
	if kind == "" {
		kind = k.PK
	}
	kind, _, _ = strings.Cut(kind, "#")
	return kind
}

// place is a kind of item, or of a partition that is queried.
type place struct {
	table       store.Table
	index, kind string
}

// What all worlds have seen so far, to find it again quickly. It has no influence on them.
var seen = struct {
	sync.RWMutex
	methods map[[callDepth]uintptr]string
	bits    map[place]int
	places  []place
}{methods: map[[callDepth]uintptr]string{}, bits: map[place]int{}}

// callDepth is how many functions lie between a call of the store and whoever made it, at most.
const callDepth = 14

func siteOf(c store.Call) site {
	s := site{method: methodOf(), op: c.Op}
	for _, p := range c.Places() {
		s.kinds |= 1 << bitOf(place{p.Table, p.Index, kindOf(p.Key)})
	}
	return s
}

func bitOf(p place) int {
	seen.RLock()
	bit, ok := seen.bits[p]
	seen.RUnlock()
	if ok {
		return bit
	}
	seen.Lock()
	defer seen.Unlock()
	if bit, ok := seen.bits[p]; ok {
		return bit
	}
	bit = min(len(seen.places), 63) // what comes after 63 kinds shares a bit
	seen.bits[p] = bit
	seen.places = append(seen.places, p)
	return bit
}

// String names a site: method, operation, and kinds of items in the order of their names.
func (s site) String() string {
	seen.RLock()
	defer seen.RUnlock()
	var kinds []string
	for bit, p := range seen.places {
		if s.kinds&(1<<min(bit, 63)) == 0 {
			continue
		}
		if p.index != "" {
			p.kind = "index " + p.index
		}
		kinds = append(kinds, tableNames[p.table]+" "+p.kind)
	}
	slices.Sort(kinds)
	return s.method + " " + s.op + " " + strings.Join(slices.Compact(kinds), ", ")
}

// methodOf is the public method of the store through which a call has come.
func methodOf() string {
	var pcs [callDepth]uintptr
	runtime.Callers(8, pcs[:]) // Callers, methodOf, siteOf, note, intercept, send, call, apply or get or page
	seen.RLock()
	name, ok := seen.methods[pcs]
	seen.RUnlock()
	if ok {
		return name
	}
	name = outermost(runtime.CallersFrames(pcs[:]))
	seen.Lock()
	seen.methods[pcs] = name
	seen.Unlock()
	return name
}

func outermost(frames *runtime.Frames) string {
	method := "?"
	for {
		f, more := frames.Next()
		name, ok := strings.CutPrefix(f.Function, "yundian/shared/store.(*Store).")
		switch {
		case ok && name[0] >= 'A' && name[0] <= 'Z':
			method, _, _ = strings.Cut(name, ".")
		case strings.HasPrefix(f.Function, "yundian/infra/"), !more:
			return method
		}
	}
}
