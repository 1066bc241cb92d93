package commission

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
)

// merge is a book that is coming, changed in what a draft changes of the book it is based on. What the draft leaves as it
// was stays as it was announced; what both changed becomes as in the draft, which is the later word.
func merge(base, draft, coming Book) Book {
	if draft.Default != base.Default {
		coming.Default = draft.Default
	}
	if draft.InviterRate != base.InviterRate {
		coming.InviterRate = draft.InviterRate
	}
	coming.Products = maps.Clone(coming.Products)
	for _, id := range sortedKeys(base.Products, draft.Products) {
		was, had := base.Products[id]
		is, has := draft.Products[id]
		switch {
		case had && !has:
			delete(coming.Products, id)
		case has && (!had || was != is):
			coming.Products[id] = is
		}
	}
	coming.Rules = mergeList(base.Rules, draft.Rules, coming.Rules, func(r Rule) string { return r.ID })
	coming.Campaigns = mergeList(base.Campaigns, draft.Campaigns, coming.Campaigns, func(c Campaign) string { return c.ID })
	coming.MonthRules = mergeList(base.MonthRules, draft.MonthRules, coming.MonthRules, func(r MonthRule) string { return r.ID })
	return coming
}

// mergeList does the same to a list of things with ids.
func mergeList[T any](base, draft, coming []T, id func(T) string) []T {
	was, is := byID(base, id), byID(draft, id)
	changed := func(x T) bool {
		b, known := was[id(x)]
		return !known || !reflect.DeepEqual(b, x)
	}
	var out []T
	for _, x := range coming {
		now, stays := is[id(x)]
		_, known := was[id(x)]
		switch {
		case stays && changed(now):
			out = append(out, now)
		case stays || !known:
			out = append(out, x)
		}
	}
	for i, x := range draft {
		if at := indexOf(out, id, id(x)); at < 0 && changed(x) {
			after := 0
			if i > 0 {
				after = indexOf(out, id, id(draft[i-1])) + 1
			}
			out = slices.Insert(out, after, x)
		}
	}
	if !sameOrder(base, draft, id) {
		arrange(out, draft, id)
	}
	return out
}

func byID[T any](list []T, id func(T) string) map[string]T {
	m := make(map[string]T, len(list))
	for _, x := range list {
		m[id(x)] = x
	}
	return m
}

func indexOf[T any](list []T, id func(T) string, wanted string) int {
	return slices.IndexFunc(list, func(x T) bool { return id(x) == wanted })
}

// sameOrder reports whether what two lists have in common stands in the same order.
func sameOrder[T any](one, other []T, id func(T) string) bool {
	common := func(list, with []T) []string {
		in := byID(with, id)
		var out []string
		for _, x := range list {
			if _, ok := in[id(x)]; ok {
				out = append(out, id(x))
			}
		}
		return out
	}
	return slices.Equal(common(one, other), common(other, one))
}

// arrange brings what a list has in common with an order into that order; the rest keeps its places.
func arrange[T any](list, order []T, id func(T) string) {
	place := map[string]int{}
	for i, x := range order {
		place[id(x)] = i
	}
	var at []int
	var common []T
	for i, x := range list {
		if _, ok := place[id(x)]; ok {
			at, common = append(at, i), append(common, x)
		}
	}
	slices.SortStableFunc(common, func(a, b T) int { return cmp.Compare(place[id(a)], place[id(b)]) })
	for k, i := range at {
		list[i] = common[k]
	}
}
