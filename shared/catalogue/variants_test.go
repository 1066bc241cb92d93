package catalogue

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFoldSKU(t *testing.T) {
	for _, pair := range [][2]string{{"TEE-S", "tee-s"}, {"ｔｅｅ１", "TEE1"}, {"\u212a1", "k1"}, {"É", "e\u0301"}, {"ẞ", "ß"}} {
		if !SameSKU(pair[0], pair[1]) {
			t.Errorf("%q and %q are two", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"C", "C#"}, {"AM3", "AM3+"}, {"红", "洪"}, {"0", "O"}} {
		if SameSKU(pair[0], pair[1]) {
			t.Errorf("%q and %q are one", pair[0], pair[1])
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		sku := rapid.String().Draw(t, "sku")
		folded := FoldSKU(sku)
		if FoldSKU(folded) != folded {
			t.Errorf("%q folds to %q and then to %q", sku, folded, FoldSKU(folded))
		}
		if ascii := isPlain(sku); ascii && folded != strings.ToLower(sku) {
			t.Errorf("%q folds to %q", sku, folded)
		}
	})
}

func TestVariantIDs(t *testing.T) {
	seen := map[string]bool{}
	for _, product := range []string{"a", "b"} {
		for _, sku := range []string{"x", "y"} {
			for n := range 3 {
				id := VariantID(product, sku, n)
				if seen[id] || len(id) != 16 || id != VariantID(product, strings.ToUpper(sku), n) {
					t.Errorf("%s %s %d: %s", product, sku, n, id)
				}
				seen[id] = true
			}
		}
	}
}

// A product never forgets a variant whose SKU another one has taken, keeps each once, and stays small.
func TestFollowing(t *testing.T) {
	variant := func(id, sku string) Variant { return Variant{ID: id, SKU: sku, Options: []string{id}} }
	before := Product{Variants: []Variant{variant("1", "a"), variant("2", "b")}, Removed: []Variant{variant("3", "c"), variant("4", "")}}
	after := Product{Variants: []Variant{variant("1", "B"), variant("3", "c")}}.Following(before)
	if got := fmt.Sprint(after.Removed); got != fmt.Sprint([]Variant{variant("4", ""), variant("2", "")}) {
		t.Errorf("%s", got)
	}
	for range 2 * MaxRemoved {
		before.Variants = append(before.Variants, variant(fmt.Sprint(len(before.Variants)+10), "s"+fmt.Sprint(len(before.Variants))))
	}
	if after = after.Following(before); len(after.Removed) != MaxRemoved || after.Removed[MaxRemoved-1].ID != before.Variants[len(before.Variants)-1].ID {
		t.Errorf("%d remembered", len(after.Removed))
	}
	for i := range before.Variants {
		before.Variants[i].Title = strings.Repeat("t", 1000)
	}
	if after = after.Following(before); len(after.Removed) != maxRemovedText/1010 {
		t.Errorf("%d large ones remembered", len(after.Removed))
	}
}

// Whatever is renamed, no id is given to two variants, and what has neither SKU nor options of any other stays unknown.
func TestRecogniseGivesEachIdOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"a", "A", "b", "c", "d", "ｄ", "e", "f"})
		list := func(label string, ids bool) (out []Variant) {
			skus, options := map[string]bool{}, map[string]bool{}
			for i := range rapid.IntRange(0, 5).Draw(t, label) {
				v := Variant{SKU: name.Draw(t, "sku"), Options: []string{name.Draw(t, "option")}}
				if skus[FoldSKU(v.SKU)] || options[fold(v.Options[0])] {
					continue
				}
				skus[FoldSKU(v.SKU)], options[fold(v.Options[0])] = true, true
				if ids {
					v.ID = label + fmt.Sprint(i)
				}
				out = append(out, v)
			}
			return out
		}
		p := Product{Options: []string{"Size"}, Variants: list("on", true), Removed: list("off", true)}
		q := Product{Options: []string{"Size"}, Variants: list("new", false)}
		complete := rapid.Bool().Draw(t, "complete")
		known, unclear := p.Recognise(q, complete)
		seen := map[string]bool{}
		matched := 0
		for i, v := range known {
			if v.SKU != q.Variants[i].SKU || v.ID != "" && seen[v.ID] {
				t.Fatalf("%+v", known)
			}
			seen[v.ID] = true
			if strings.HasPrefix(v.ID, "on") {
				matched++
			}
			if same, ok := p.Variant(v.SKU); ok && v.ID != same.ID {
				t.Fatalf("%s was not known by its SKU", v.SKU)
			}
			if (v.ID == "") != slices.Contains(unclear, v.SKU) && matched < len(p.Variants) && v.ID != "" {
				t.Fatalf("%s is known and unclear", v.SKU)
			}
		}
		if matched == len(p.Variants) && len(unclear) > 0 {
			t.Fatalf("%v is unclear although no variant is left", unclear)
		}
	})
}
