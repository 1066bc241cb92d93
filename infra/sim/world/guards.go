package world

import (
	"slices"
	"strings"

	"yundian/shared/store"
)

// A kind of guard is what a mutation takes away: one test of one attribute on one kind of item. Its name is table, kind of
// sort key, attribute and test, such as "ledger APPLIED v equals".

// GuardOf names the kind of a guard on a write.
func GuardOf(w store.Write, g store.Guard) string {
	return tableNames[w.Table] + " " + kindOf(w.Key) + " " + g.Attr + " " + strings.ReplaceAll(string(g.Is), " ", "-")
}

// strip notes the guards of a write, and takes away those that this world has to do without.
func (w *World) strip(x *store.Write) {
	if !w.options.List && w.options.Guard == "" {
		return
	}
	for _, g := range x.Guards {
		w.Counts.Guards[GuardOf(*x, g)]++
	}
	if w.options.Guard == "" {
		return
	}
	lacks := func(g store.Guard) bool { return w.strips(GuardOf(*x, g)) }
	if !slices.ContainsFunc(x.Guards, lacks) {
		return
	}
	x.Guards = slices.DeleteFunc(slices.Clone(x.Guards), lacks)
}

// strips reports whether a kind of guard is among those that this world lacks; several are joined by commas.
func (w *World) strips(kind string) bool {
	for name := range strings.SplitSeq(w.options.Guard, ",") {
		if strings.TrimSpace(name) == kind {
			return true
		}
	}
	return false
}
