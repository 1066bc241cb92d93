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

// Strip takes guards away from a write: those of kinds that are named, joined by commas.
func Strip(w *store.Write, kinds string) {
	if kinds == "" {
		return
	}
	lacks := func(g store.Guard) bool {
		kind := GuardOf(*w, g)
		for name := range strings.SplitSeq(kinds, ",") {
			if strings.TrimSpace(name) == kind {
				return true
			}
		}
		return false
	}
	if slices.ContainsFunc(w.Guards, lacks) {
		w.Guards = slices.DeleteFunc(slices.Clone(w.Guards), lacks)
	}
}

// strip counts the guards of a write, and takes away those that this world has to do without.
func (w *World) strip(x *store.Write) {
	if w.options.List {
		for _, g := range x.Guards {
			w.Counts.Guards[GuardOf(*x, g)]++
		}
	}
	Strip(x, w.options.Guard)
}
