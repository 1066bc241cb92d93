package store

import (
	"context"
	"fmt"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
)

// maxRenames bounds the variants that get another SKU in one transaction, and renameActions what each of them takes at most,
// with one that it may push aside. The rest of the hundred is for the product and what the caller writes along; where that
// is much, such as a book of rules with all that is coming after it, fewer are renamed together.
const (
	maxRenames    = 16
	renameActions = 5
)

// SaveProduct creates or replaces a product: after.Version is the version the editor saw, 0 for a new one. Variants are
// known by their ids; one without an id is what stands under its SKU in this product, or else it is new and gets an id and
// its first receipt. Stock of variants that exist is left alone, and goes along when a variant gets another SKU: in one
// transaction with the product, or in several, each with a product that is complete, if more than fit one do.
//
// A SKU that belongs to another product, and a product changed meanwhile, are Conflicts. More than batchActions SKUs
// are written ahead of the product in transactions of their own, each while the product is still the one that the editor
// saw; repeating the save completes it.
func (s *Store) SaveProduct(ctx context.Context, before, after catalogue.Product, received map[string]int64, extra ...Write) error {
	most := min(maxRenames, (maxActions-1-len(extra))/renameActions)
	for {
		step, last, err := renameStep(before, after, most)
		if err != nil {
			return err
		}
		if last {
			return s.saveStep(ctx, before, after, received, extra)
		}
		if err := s.saveStep(ctx, before, step, nil, nil); err != nil {
			return err
		}
		before = step.Following(before)
		before.Version++
		after.Version = before.Version
	}
}

// saveTries bounds how often a save begins again because pieces were sold of a variant that it renames.
const saveTries = 12

func (s *Store) saveStep(ctx context.Context, before, after catalogue.Product, received map[string]int64, extra []Write) error {
	for try := 1; ; try++ {
		p, err := s.prepare(ctx, before, after)
		if err != nil {
			return err
		}
		ahead, together, err := p.writes(received)
		if err != nil {
			return err
		}
		asSeen := Write{Table: Shop, Key: productKey(after.ID), Guards: replaces(after.Version)}
		err = s.applyAhead(ctx, asSeen, ahead, append(together, extra...))
		if !refusedBy(err, isSKU) || refusedBy(err, func(k Key) bool { return k == productKey(after.ID) }) || try == saveTries {
			return productRefused(err, after.ID)
		}
		if err := s.wait(ctx, try); err != nil {
			return err
		}
	}
}

// applyAhead makes writes that belong together in one transaction, and as many of those ahead as fit into it. The others are
// made before, as long as check holds.
func (s *Store) applyAhead(ctx context.Context, check Write, ahead, together []Write) error {
	for len(ahead) > 0 && len(ahead)+len(together) > maxActions {
		first := min(batchActions, len(ahead), len(ahead)+len(together)-maxActions)
		if err := s.apply(ctx, append([]Write{check}, ahead[:first]...)); err != nil {
			return err
		}
		ahead = ahead[first:]
	}
	return s.apply(ctx, append(ahead, together...))
}

// saving is a product as it is to be saved, and what stands at the places of its variants.
type saving struct {
	before, after catalogue.Product
	fresh         map[string]bool // ids that were given for this
	found         map[Key]skuItem // what stands at the places where variants are or will be
	at            map[string]Key  // where variants are, by id
}

// prepare gives new variants their ids and finds out where the others are.
func (s *Store) prepare(ctx context.Context, before, after catalogue.Product) (saving, error) {
	p := saving{before: before, after: after, fresh: map[string]bool{}, found: map[Key]skuItem{}, at: map[string]Key{}}
	p.after.Variants = append([]catalogue.Variant(nil), after.Variants...)
	var reads []read
	for _, v := range after.Variants {
		reads = append(reads, read{Shop, skuKey(v.SKU)})
		if old, known := before.WithID(v.ID); known && v.ID != "" {
			reads = append(reads, read{Shop, placeOf(old)})
		}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return p, err
	}
	for r, it := range found {
		var x skuItem
		if err := decode(it, &x); err != nil {
			return p, err
		}
		p.found[r.key] = x
		p.at[x.Variant] = r.key
	}
	if err := s.identify(ctx, &p); err != nil {
		return p, err
	}
	p.after = p.after.Following(before)
	return p, nil
}

// placeOf is where a variant that its product knows is kept.
func placeOf(v catalogue.Variant) Key {
	if v.SKU == "" {
		return asideKey(v.ID)
	}
	return skuKey(v.SKU)
}

// maxNames bounds how often a SKU can be passed on to a new variant of the same product.
const maxNames = 100

// identify gives every variant without an id the one that stands under its SKU in this product, unless that one gets
// another SKU now, or else a new id. An id is free when nothing says that its variant has been renamed: one that has not
// been still stands under the SKU that the id was made of.
func (s *Store) identify(ctx context.Context, p *saving) error {
	kept := map[string]bool{}
	for _, v := range p.after.Variants {
		kept[v.ID] = true
	}
	var unnamed []int // new variants, by index
	for i, v := range p.after.Variants {
		there, occupied := p.found[skuKey(v.SKU)]
		switch {
		case v.ID != "":
		case occupied && there.Product == p.after.ID && !kept[there.Variant]:
			p.after.Variants[i].ID = there.Variant
		default:
			unnamed = append(unnamed, i)
		}
	}
	for try := 1; len(unnamed) > 0; try++ {
		if try > maxNames {
			return fmt.Errorf("save product %s: a SKU was passed on too often", p.after.ID)
		}
		reads := make([]read, len(unnamed))
		for n, i := range unnamed {
			reads[n] = read{Shop, renamedKey(catalogue.VariantID(p.after.ID, p.after.Variants[i].SKU, try))}
		}
		renamed, err := s.get(ctx, reads)
		if err != nil {
			return err
		}
		var taken []int
		for n, i := range unnamed {
			id := catalogue.VariantID(p.after.ID, p.after.Variants[i].SKU, try)
			if _, used := renamed[reads[n]]; used || kept[id] {
				taken = append(taken, i)
				continue
			}
			p.after.Variants[i].ID, p.fresh[id] = id, true
		}
		unnamed = taken
	}
	return nil
}

// writes are what a product's variants need: what can be made ahead of the product, and what belongs together with it.
func (p saving) writes(received map[string]int64) (ahead, together []Write, err error) {
	leaving := map[Key]bool{} // places that a variant of this product gives up
	var moving []catalogue.Sellable
	for _, it := range p.after.Sellables() {
		from, exists := p.at[it.VariantID]
		switch to := skuKey(it.SKU); {
		case exists && from == to:
			ahead = append(ahead, skuWrite(it))
			continue
		case exists:
			leaving[from] = true
		case !p.fresh[it.VariantID]:
			return nil, nil, changedMeanwhile() // somebody has renamed it since the product was read
		}
		moving = append(moving, it)
	}
	filled := map[Key]bool{}
	for _, it := range moving {
		w, aside, err := p.move(it, received[it.SKU], leaving)
		if err != nil {
			return nil, nil, err
		}
		filled[w.Key] = true
		if _, occupied := p.found[w.Key]; p.fresh[it.VariantID] && !occupied {
			ahead = append(ahead, w)
			continue
		}
		together = append(append(together, w), aside...)
		if !p.fresh[it.VariantID] {
			together = append(together, renamedWrite(it.VariantID, w.Key))
		}
	}
	for _, it := range moving {
		if from, exists := p.at[it.VariantID]; exists && !filled[from] {
			together = append(together, Write{Table: Shop, Key: from, Guards: asRead(p.found[from]), Delete: true})
		}
	}
	return append(ahead, p.archived()...), append(together, productWrite(p.after)), nil
}

// move puts a variant with all its counts under its SKU. Whatever variant of the product stands there and does not leave
// was taken off: it is set aside, where its earlier orders find it.
func (p saving) move(it catalogue.Sellable, received int64, leaving map[Key]bool) (w Write, aside []Write, err error) {
	x := newSKUItem(it, received)
	if from, exists := p.at[it.VariantID]; exists {
		x = p.found[from]
		x.SKU, x.About = it.SKU, aboutOf(it)
	}
	w = Write{Table: Shop, Key: skuKey(it.SKU), Guards: once()}.put(x)
	there, occupied := p.found[w.Key]
	switch {
	case !occupied:
		return w, nil, nil
	case there.Product != p.after.ID:
		return w, nil, skuTaken(it.SKU, there.Product)
	}
	w.Guards = asRead(there)
	if leaving[w.Key] {
		return w, nil, nil
	}
	there.About.Value.Status = catalogue.Archived
	key := asideKey(there.Variant)
	return w, []Write{Write{Table: Shop, Key: key, Guards: once()}.put(there), renamedWrite(there.Variant, key)}, nil
}

// archived are the variants that this save takes off the product and that keep their SKUs.
func (p saving) archived() []Write {
	kept := map[string]bool{}
	for _, v := range p.after.Variants {
		kept[v.ID] = true
	}
	var writes []Write
	for _, it := range p.before.Sellables() {
		if _, taken := p.after.Variant(it.SKU); kept[it.VariantID] || taken {
			continue
		}
		it.Status = catalogue.Archived
		writes = append(writes, skuWrite(it))
	}
	return writes
}

// renamedItem says where a variant is now. It is written when a variant leaves the SKU that its id was made of, and replaced
// ever after, so that orders from before find it.
type renamedItem struct {
	To Key `dynamodbav:"to"`
}

func renamedWrite(variant string, to Key) Write {
	return Write{Table: Shop, Key: renamedKey(variant)}.put(renamedItem{To: to})
}

// asRead guards a variant that leaves its place: it is still the one that was read, and nothing was sold of it meanwhile.
func asRead(x skuItem) []Guard {
	guards := []Guard{isVariant(x.Variant)}
	for i, count := range []int64{x.Available, x.Reserved, x.Sold, x.Received, x.WrittenOff} {
		guards = append(guards, Guard{Attr: stockCounts[i], Is: Equals, Value: number(count)})
	}
	return guards
}

// renameStep is how far one transaction can go from before to after: to after itself if no more than most variants
// get another SKU. Otherwise it is before with some of them renamed, whose new SKUs are free by then, and without those
// that are taken off.
func renameStep(before, after catalogue.Product, most int) (step catalogue.Product, last bool, err error) {
	type rename struct {
		variant  catalogue.Variant
		from, to string
	}
	var renames []rename
	at := map[string]rename{} // what has still to leave a SKU
	for _, v := range after.Variants {
		old, known := before.WithID(v.ID)
		if v.ID == "" || !known || catalogue.SameSKU(old.SKU, v.SKU) {
			continue
		}
		r := rename{v, catalogue.FoldSKU(old.SKU), catalogue.FoldSKU(v.SKU)}
		renames = append(renames, r)
		if r.from != "" {
			at[r.from] = r
		}
	}
	if len(renames) <= most {
		return after, true, nil
	}
	picked := map[string]catalogue.Variant{}
	for more := true; more && len(picked) < most; {
		more = false
		for _, r := range renames {
			_, waits := at[r.to]
			if _, done := picked[r.variant.ID]; done || waits || len(picked) == most {
				continue
			}
			picked[r.variant.ID], more = r.variant, true
			delete(at, r.from)
		}
	}
	if len(picked) == 0 { // only circles are left: each has to change places at once
		for r := renames[0]; picked[r.variant.ID].ID == ""; r = at[r.to] {
			picked[r.variant.ID] = r.variant
		}
		if len(picked) > most {
			return step, false, fail.New(fail.Conflict, "sku_circle", "More than {limit} SKUs of {product} would change places with each other. Rename them in two steps.",
				fail.Args{"limit": most, "product": after.ID})
		}
	}
	return withRenamed(before, after, picked), false, nil
}

// withRenamed is a product without the variants that after lacks, and with some of after's variants under their new SKUs.
func withRenamed(before, after catalogue.Product, renamed map[string]catalogue.Variant) catalogue.Product {
	step := before
	step.Variants = nil
	for _, v := range before.Variants {
		if _, kept := after.WithID(v.ID); !kept {
			continue
		}
		if r, ok := renamed[v.ID]; ok {
			v.SKU = r.SKU
			delete(renamed, v.ID)
		}
		step.Variants = append(step.Variants, v)
	}
	for _, v := range after.Variants {
		if _, back := renamed[v.ID]; back { // one that was taken off earlier
			step.Variants = append(step.Variants, v)
		}
	}
	return step
}

func productRefused(err error, id string) error {
	if err == nil {
		return nil
	}
	if refusedBy(err, func(k Key) bool { return k == productKey(id) || isSKU(k) }) {
		return changedMeanwhile()
	}
	return fmt.Errorf("save product %s: %w", id, err)
}

func skuTaken(sku, product string) error {
	return fail.New(fail.Conflict, "sku_taken", "{sku} already belongs to {product}.", fail.Args{"sku": sku, "product": product})
}
