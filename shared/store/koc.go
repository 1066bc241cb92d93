package store

import (
	"context"
	"fmt"
	"strings"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/shop"
)

type kocItem struct {
	V       int64                 `dynamodbav:"v"`
	ListPk  string                `dynamodbav:"listPk"`
	ListSk  string                `dynamodbav:"listSk"`
	Tier    string                `dynamodbav:"tier,omitempty"` // for Market
	Profile document[koc.Profile] `dynamodbav:"profile"`
}

type linkItem struct {
	Link document[koc.Link] `dynamodbav:"link"`
}

// loginItem and inviteItem lead from a login, or from the hash of an invitation, to a KOC.
type loginItem struct {
	KOC string `dynamodbav:"koc"`
}

const kocList = "KOC"

// KOCFrom decodes a KOC from a stored item.
func KOCFrom(it Item) (koc.Profile, error) {
	var x kocItem
	if err := decode(it, &x); err != nil {
		return koc.Profile{}, err
	}
	p := x.Profile.Value
	p.Version = x.V
	return p, nil
}

func kocWrite(p koc.Profile) Write {
	seen := p.Version
	p.Version++
	return Write{Table: Shop, Key: kocKey(p.Handle), Guards: replaces(seen)}.
		put(kocItem{V: p.Version, ListPk: kocList, ListSk: p.Handle, Tier: p.Tier(), Profile: doc(p)})
}

// KOC is a profile by handle, or NotFound.
func (s *Store) KOC(ctx context.Context, handle string) (koc.Profile, error) {
	found, err := s.KOCs(ctx, []string{handle})
	if err != nil {
		return koc.Profile{}, err
	}
	p, ok := found[handle]
	if !ok {
		return koc.Profile{}, kocUnknown(handle)
	}
	return p, nil
}

func kocUnknown(handle string) error {
	return fail.New(fail.NotFound, "koc_unknown", "There is no KOC {koc} here.", fail.Args{"koc": handle})
}

// KOCs are the profiles with these handles that exist.
func (s *Store) KOCs(ctx context.Context, handles []string) (map[string]koc.Profile, error) {
	reads := make([]read, len(handles))
	for i, h := range handles {
		reads[i] = read{Shop, kocKey(h)}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	out := make(map[string]koc.Profile, len(found))
	for _, it := range found {
		p, err := KOCFrom(it)
		if err != nil {
			return nil, err
		}
		out[p.Handle] = p
	}
	return out, nil
}

// ListKOCs is a page of KOCs by handle, like ListProducts.
func (s *Store) ListKOCs(ctx context.Context, after string, limit int) (profiles []koc.Profile, next string, err error) {
	handles, next, err := s.listIDs(ctx, listing{table: Shop, partition: kocList, key: kocKey}, after, limit)
	if err != nil {
		return nil, "", err
	}
	found, err := s.KOCs(ctx, handles)
	if err != nil {
		return nil, "", err
	}
	for _, h := range handles {
		if p, ok := found[h]; ok {
			profiles = append(profiles, p)
		}
	}
	return profiles, next, nil
}

// CreateKOC adds a KOC by an operator's word, also under a handle that looks like another one; a Conflict if the handle
// is taken.
func (s *Store) CreateKOC(ctx context.Context, p koc.Profile, extra ...Write) error {
	return s.createKOC(ctx, p, shapeWrite(p), extra)
}

// shapeWrite remembers what a handle looks like, so that no applicant takes one that is mistaken for it.
func shapeWrite(p koc.Profile) Write {
	return Write{Table: Shop, Key: shapeKey(p.Handle), Put: Item{"handle": text(p.Handle)}}
}

func (s *Store) createKOC(ctx context.Context, p koc.Profile, shape Write, extra []Write) error {
	err := s.apply(ctx, append([]Write{kocWrite(p), shape}, extra...))
	if refusedBy(err, func(k Key) bool { return k == kocKey(p.Handle) }) {
		return fail.New(fail.Conflict, "handle_taken", "The handle {handle} is taken. Please choose another one.", fail.Args{"handle": p.Handle})
	}
	if refusedBy(err, func(k Key) bool { return k == shape.Key }) {
		return fail.New(fail.Conflict, "handle_similar", "The handle {handle} looks like one that is taken. Please choose another one, or ask the shop for it.", fail.Args{"handle": p.Handle})
	}
	return err
}

// UpdateKOC loads a KOC, lets change decide, and saves, repeated while others write the same profile. extra makes
// the writes that belong into the same transaction from the profile as it will be; it may be nil.
func (s *Store) UpdateKOC(ctx context.Context, handle string, change func(*koc.Profile) error, extra func(koc.Profile) []Write) (koc.Profile, error) {
	var after koc.Profile
	err := s.retryChanged(ctx, func() error {
		p, err := s.KOC(ctx, handle)
		if err != nil {
			return err
		}
		if err := change(&p); err != nil {
			return err
		}
		writes := []Write{kocWrite(p)}
		if extra != nil {
			writes = append(writes, extra(p)...)
		}
		if err = s.apply(ctx, writes); refusedBy(err, func(k Key) bool { return k == kocKey(handle) }) {
			return errOutdated
		}
		after = p
		after.Version++
		return err
	})
	return after, err
}

// InviteWrite makes an invitation findable by its hash, for use beside the approval.
func InviteWrite(hash, handle string) Write {
	return Write{Table: Shop, Key: inviteKey(hash)}.put(loginItem{KOC: handle})
}

// LoginWrite binds a login to a KOC, for use beside the profile's own change. A login binds once.
func LoginWrite(subject, handle string) Write {
	return Write{Table: Shop, Key: loginKey(subject), Guards: once()}.put(loginItem{KOC: handle})
}

// LoginTaken reports whether a write was refused because the login is already bound to a KOC.
func LoginTaken(err error) bool {
	return refusedBy(err, func(k Key) bool { return strings.HasPrefix(k.PK, "LOGIN#") })
}

// InvitedKOC is the handle that an invitation's hash was made for; empty when there is none.
func (s *Store) InvitedKOC(ctx context.Context, hash string) (string, error) {
	return s.handleAt(ctx, inviteKey(hash))
}

// KOCByLogin is the KOC whose login this is, as it is now, so that a suspension works at once. A login that is not
// bound to a KOC is Denied.
func (s *Store) KOCByLogin(ctx context.Context, subject string) (koc.Profile, error) {
	handle, err := s.handleAt(ctx, loginKey(subject))
	if err != nil {
		return koc.Profile{}, err
	}
	if handle == "" {
		return koc.Profile{}, fail.New(fail.Denied, "login_unbound", "This login does not belong to a KOC yet. Open your invitation first.", nil)
	}
	return s.KOC(ctx, handle)
}

// Logins are the handles of the KOCs that these logins are bound to.
func (s *Store) Logins(ctx context.Context, subjects []string) (map[string]string, error) {
	reads := make([]read, len(subjects))
	for i, subject := range subjects {
		reads[i] = read{Shop, loginKey(subject)}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(found))
	for i, subject := range subjects {
		if it, ok := found[reads[i]]; ok {
			out[subject] = str(it["koc"])
		}
	}
	return out, nil
}

func (s *Store) handleAt(ctx context.Context, key Key) (string, error) {
	found, err := s.get(ctx, []read{{Shop, key}})
	if err != nil {
		return "", err
	}
	it, ok := found[read{Shop, key}]
	if !ok {
		return "", nil
	}
	var x loginItem
	err = decode(it, &x)
	return x.KOC, err
}

// CreateLink adds a share link to a KOC's partition. A code that exists already stays as it is, and extra are then written
// by themselves: they are what the wish was answered.
func (s *Store) CreateLink(ctx context.Context, l koc.Link, extra ...Write) error {
	w := Write{Table: Shop, Key: linkKey(l.KOC, l.Code), Guards: once()}.put(linkItem{Link: doc(l)})
	err := s.apply(ctx, append([]Write{w}, extra...))
	if refusedBy(err, func(k Key) bool { return k == w.Key }) {
		err = s.apply(ctx, extra)
	}
	if err != nil {
		return fmt.Errorf("create link %s: %w", l.Code, err)
	}
	return nil
}

// Links is a page of a KOC's links by code.
func (s *Store) Links(ctx context.Context, handle, after string, limit int) (links []koc.Link, next string, err error) {
	q := query{table: Shop, pk: kocKey(handle).PK, prefix: "LINK#", limit: limit}
	if after != "" {
		q.after = linkKey(handle, after).item()
	}
	items, last, err := s.page(ctx, q)
	if err != nil {
		return nil, "", err
	}
	for _, it := range items {
		l, err := linkFrom(it)
		if err != nil {
			return nil, "", err
		}
		links = append(links, l)
	}
	if last != nil {
		next = strings.TrimPrefix(str(last["sk"]), "LINK#")
	}
	return links, next, nil
}

func linkFrom(it Item) (koc.Link, error) {
	var x linkItem
	err := decode(it, &x)
	return x.Link.Value, err
}

// Landing is what a page of a KOC is rendered from.
type Landing struct {
	Link     koc.Link
	KOC      koc.Profile
	Settings shop.Settings
	Products map[string]catalogue.Product
	Stock    map[string]catalogue.Sellable // only for the pages that show stock
}

// Land reads what a share link's page begins with, in one round: link, KOC and settings, and the product when its id
// is known already. A code that is not stored, because its end was lost on the way or because it is the bare
// handle, leads to the KOC's own link. KOC is zero when nobody has this handle. The empty code is the brand itself.
func (s *Store) Land(ctx context.Context, code, product string) (Landing, error) {
	handle, ok := koc.HandleOf(code)
	if !ok && code != "" {
		return Landing{}, kocUnknown(code)
	}
	profile, settings := read{Shop, kocKey(handle)}, read{Shop, settingsKey()}
	reads := []read{settings}
	var codes []string
	if code != "" {
		reads, codes = append(reads, profile), koc.StoredCodes(koc.NormalCode(code))
	}
	for _, c := range codes {
		reads = append(reads, read{Shop, linkKey(handle, c)})
	}
	if product != "" {
		reads = append(reads, read{Shop, productKey(product)})
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return Landing{}, err
	}
	l := Landing{Products: map[string]catalogue.Product{}}
	if code != "" {
		l.Link = koc.OwnLink(handle)
	}
	if it, ok := found[profile]; ok {
		if l.KOC, err = KOCFrom(it); err != nil {
			return Landing{}, err
		}
	}
	if l.Settings, err = settingsFrom(found[settings]); err != nil {
		return Landing{}, err
	}
	for _, c := range codes {
		if it, ok := found[read{Shop, linkKey(handle, c)}]; ok {
			if l.Link, err = linkFrom(it); err != nil {
				return Landing{}, err
			}
			break
		}
	}
	if product != "" {
		if it, ok := found[read{Shop, productKey(product)}]; ok {
			if l.Products[product], err = productFrom(it); err != nil {
				return Landing{}, err
			}
		}
	}
	return l, nil
}
