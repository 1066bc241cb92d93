package catalogue

import (
	"slices"
	"strconv"
	"strings"
)

// Limits of what a product remembers of variants that were taken off it: with them and everything else at its own limit, a
// product stays below the 400 KB of one item.
const (
	MaxRemoved     = 100
	maxRemovedText = 16_000 // bytes of their SKUs, titles and option values
)

// Recognise finds out which variants of the product a list describes, as a file or a form has it: it returns the list with
// the ids of those that the product has or had. A variant is recognised by its SKU, then by its option values. What is not
// on the product any more is recognised in the same way. Last, the only one that is left on both sides is the same one.
//
// unclear are the SKUs of variants that may be new or may be renamed: nothing says which, because variants of the product
// are left too. complete is false for a list of which parts may be missing; then nothing is recognised by being left.
func (p Product) Recognise(described Product, complete bool) (known []Variant, unclear []string) {
	m := matching{known: slices.Clone(described.Variants)}
	for i := range m.known {
		m.known[i].ID = ""
	}
	left := slices.Clone(p.Variants)
	bySKU := func(v Variant) string { return FoldSKU(v.SKU) }
	byOptions := func(v Variant) string { return optionKey(v.Options, described.Options, described.Options) }
	byOldOptions := func(v Variant) string { return optionKey(v.Options, p.Options, described.Options) }
	left = m.pair(left, bySKU, bySKU)
	left = m.pair(left, byOldOptions, byOptions)
	removed := m.pair(p.Removed, bySKU, bySKU)
	m.pair(removed, something(byOldOptions), something(byOptions))
	if unknown := m.unknown(); complete && len(left) == 1 && len(unknown) == 1 {
		m.known[unknown[0]].ID = left[0].ID
		left = nil
	}
	if len(left) == 0 {
		return m.known, nil
	}
	for _, i := range m.unknown() {
		unclear = append(unclear, m.known[i].SKU)
	}
	return m.known, unclear
}

// matching is a list of variants, of which those that are recognised have ids.
type matching struct{ known []Variant }

func (m matching) unknown() []int {
	var out []int
	for i, v := range m.known {
		if v.ID == "" {
			out = append(out, i)
		}
	}
	return out
}

// pair recognises variants by a key that one of the candidates and one of the unknown have, and returns the candidates
// that are left. An empty key is none.
func (m matching) pair(candidates []Variant, old, new func(Variant) string) (left []Variant) {
	have, want := map[string][]int{}, map[string][]int{}
	for i, v := range candidates {
		have[old(v)] = append(have[old(v)], i)
	}
	for _, i := range m.unknown() {
		want[new(m.known[i])] = append(want[new(m.known[i])], i)
	}
	taken := map[int]bool{}
	for key, at := range want {
		if from := have[key]; key != "" && len(at) == 1 && len(from) == 1 {
			m.known[at[0]].ID = candidates[from[0]].ID
			taken[from[0]] = true
		}
	}
	for i, v := range candidates {
		if !taken[i] {
			left = append(left, v)
		}
	}
	return left
}

// something is a key of variants that have option values; without any, two variants have nothing in common.
func something(key func(Variant) string) func(Variant) string {
	return func(v Variant) string {
		if len(v.Options) == 0 {
			return ""
		}
		return key(v)
	}
}

// optionKey is a variant's option values as they are compared, in the order in which a list names the options. Names that
// are not the same ones leave the values in their order: an option may have been renamed.
func optionKey(values, names, order []string) string {
	var key strings.Builder
	key.WriteString(strconv.Itoa(len(values)))
	for i := range values {
		at := i
		if len(values) == len(names) && sameNames(names, order) {
			at = slices.IndexFunc(names, func(n string) bool { return fold(n) == fold(order[i]) })
		}
		key.WriteString("\x00" + fold(values[at]))
	}
	return key.String()
}

// sameNames reports whether two lists have the same names, each once.
func sameNames(a, b []string) bool {
	sorted := func(list []string) []string {
		out := make([]string, len(list))
		for i, s := range list {
			out[i] = fold(s)
		}
		slices.Sort(out)
		return out
	}
	x, y := sorted(a), sorted(b)
	return slices.Equal(x, y) && len(slices.Compact(x)) == len(a)
}

// Following is the product as what comes after before: variants that it has no more are remembered, without a SKU if
// another variant has taken it. Whoever comes back is known by its id, so what was sold of it stays sold.
func (p Product) Following(before Product) Product {
	has := map[string]bool{}
	skus := map[string]bool{}
	for _, v := range p.Variants {
		has[v.ID], skus[FoldSKU(v.SKU)] = true, true
	}
	p.Removed = nil
	for _, v := range slices.Concat(before.Removed, before.Variants) {
		if has[v.ID] {
			continue
		}
		if skus[FoldSKU(v.SKU)] {
			v.SKU = ""
		}
		p.Removed = append(p.Removed, Variant{ID: v.ID, SKU: v.SKU, Title: v.Title, Options: v.Options, StockPolicy: v.StockPolicy})
	}
	size := 0
	for i, v := range slices.Backward(p.Removed) {
		size += len(v.SKU) + len(v.Title) + len(strings.Join(v.Options, ""))
		if size > maxRemovedText || len(p.Removed)-i > MaxRemoved {
			p.Removed = p.Removed[i+1:]
			break
		}
	}
	return p
}

// WithID finds a variant by its id, also one that was taken off.
func (p Product) WithID(id string) (Variant, bool) {
	for _, v := range slices.Concat(p.Variants, p.Removed) {
		if v.ID == id && id != "" {
			return v, true
		}
	}
	return Variant{}, false
}
