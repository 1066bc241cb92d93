package main

import (
	"context"
	"net/url"
	"slices"
	"time"

	"yundian/shared/fail"
	"yundian/shared/identity"
	"yundian/shared/koc"
	"yundian/shared/once"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/typed"
	"yundian/shared/web/api"
)

// KOC is a KOC as operators see one.
type KOC struct {
	ID        string        `json:"id" doc:"The handle"`
	Handle    string        `json:"handle"`
	Name      string        `json:"name"`
	Email     string        `json:"email"`
	Pending   string        `json:"emailPending,omitempty" doc:"A new address that its owner has not confirmed yet"`
	HeldUntil *time.Time    `json:"payoutsHeldUntil,omitempty" doc:"Payouts wait until then, because the e-mail address was changed"`
	Phone     string        `json:"phone,omitempty" doc:"With its country code"`
	Status    string        `json:"status" enum:"applied,approved,suspended"`
	Bound     bool          `json:"bound" doc:"Whether a login was bound with an invitation"`
	CreatedAt time.Time     `json:"createdAt"`
	Standings []KOCStanding `json:"standings" doc:"Every status and since when, oldest first"`
	Tier      string        `json:"tier,omitempty" doc:"The class that rules can name; absent for none"`
	Tiers     []KOCTier     `json:"tiers,omitempty" doc:"Every tier and since when, oldest first"`
	Inviter   string        `json:"inviter,omitempty" doc:"The KOC who brought this one in"`
}

// KOCTier is a tier and since when; an empty one is none.
type KOCTier struct {
	Tier string    `json:"tier"`
	From time.Time `json:"from"`
}

// KOCStanding is a status and since when.
type KOCStanding struct {
	Status string    `json:"status" enum:"applied,approved,suspended"`
	From   time.Time `json:"from"`
	Reason string    `json:"reason,omitempty"`
}

// KOCPage is a page of KOCs by handle.
type KOCPage struct {
	Items []KOC  `json:"items"`
	Next  string `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one"`
}

func viewKOC(p koc.Profile, now time.Time) KOC {
	v := KOC{ID: p.Handle, Handle: p.Handle, Name: p.Name, Email: p.Email, Phone: p.Phone, Status: string(p.Status()), Bound: p.Subject != "", CreatedAt: p.CreatedAt.UTC()}
	for _, s := range p.Standings {
		v.Standings = append(v.Standings, KOCStanding{Status: string(s.Status), From: s.From.UTC(), Reason: s.Reason})
	}
	if c := p.Pending(now); c != nil {
		v.Pending = c.Email
	}
	if until := p.HeldUntil().UTC(); until.After(now) {
		v.HeldUntil = &until
	}
	v.Tier = p.Tier()
	for _, t := range p.Tiers {
		v.Tiers = append(v.Tiers, KOCTier{t.Name, t.From.UTC()})
	}
	if p.Inviter != nil {
		v.Inviter = p.Inviter.KOC
	}
	return v
}

// filterPages bounds how many pages one request looks through for a status; the cursor goes on from there.
const filterPages = 10

type kocsInput struct {
	api.Paging
	Status string `query:"status" enum:"applied,approved,suspended" doc:"Only KOCs with this status"`
}

func (a *admin) listKOCs(ctx context.Context, in *kocsInput) (*api.Reply[KOCPage], error) {
	bound := seal.Binding{Owner: visitOf(ctx).subject, Query: "kocs?status=" + in.Status}
	after, err := a.keys.OpenCursor(bound, in.Cursor)
	if err != nil {
		return nil, err
	}
	page := KOCPage{Items: []KOC{}}
	for range filterPages {
		profiles, next, err := a.store.ListKOCs(ctx, after, in.Limit.Size()-len(page.Items))
		if err != nil {
			return nil, err
		}
		for _, p := range profiles {
			if in.Status == "" || in.Status == string(p.Status()) {
				page.Items = append(page.Items, viewKOC(p, a.now()))
			}
		}
		if after = next; next == "" || len(page.Items) == in.Limit.Size() {
			break
		}
	}
	page.Next = a.keys.Cursor(bound, after)
	return &api.Reply[KOCPage]{Body: page}, nil
}

type kocInput struct {
	api.Keyed
	Body struct {
		Handle  string `json:"handle" doc:"3 to 30 lower-case letters and digits, words joined by hyphens; never changes"`
		Name    string `json:"name"`
		Email   string `json:"email"`
		Phone   string `json:"phone,omitempty" maxLength:"100" doc:"With its country code, such as +86 138 0000 0000"`
		Inviter string `json:"inviter,omitempty" maxLength:"30" doc:"The approved KOC who brought this one in; never changes"`
	}
}

func (a *admin) createKOC(ctx context.Context, in *kocInput) (*api.Reply[KOC], error) {
	p, err := koc.NewProfile(in.Body.Handle, in.Body.Name, in.Body.Email, a.now())
	if err = fail.Join(err, p.Edit(koc.Edit{Phone: &in.Body.Phone})); err != nil {
		return nil, err
	}
	p.Recognise(a.identity, nil)
	inviter, err := a.inviter(ctx, in.Body.Inviter)
	if err == nil && inviter.Handle != "" {
		err = p.InvitedBy(inviter, a.now())
	}
	if err != nil {
		return nil, err
	}
	_, err = once.Do(ctx, a.store, wish(ctx, in.Key, in.Body), a.now(), func(record once.Record[done]) (done, error) {
		reply, err := record(done{})
		if err != nil {
			return done{}, err
		}
		return done{}, a.store.CreateKOC(ctx, p, reply...)
	})
	if err != nil {
		return nil, err
	}
	return a.answerKOC(ctx, p.Handle)
}

func (a *admin) answerKOC(ctx context.Context, handle string) (*api.Reply[KOC], error) {
	p, err := a.store.KOC(ctx, handle)
	if err != nil {
		return nil, err
	}
	return &api.Reply[KOC]{Body: viewKOC(p, a.now())}, nil
}

// Approval is an approved KOC with the invitation to hand over. It is shown here only: the shop keeps its hash.
type Approval struct {
	Invite    string     `json:"invite,omitempty" doc:"Binds one login, once; absent when the KOC has bound a login already"`
	InviteURL string     `json:"inviteUrl,omitempty" doc:"The portal with the invitation behind #, where no log sees it"`
	ExpiresAt *time.Time `json:"expiresAt,omitempty"`
	KOC
}

type approveInput struct {
	api.Keyed
	ID   string `path:"id"`
	Body *ApprovalWish
}

// ApprovalWish is what an operator can say with an approval.
type ApprovalWish struct {
	Inviter string `json:"inviter,omitempty" maxLength:"30" doc:"The approved KOC who brought this one in; never changes"`
}

func (w *ApprovalWish) inviter() string {
	if w == nil {
		return ""
	}
	return w.Inviter
}

// inviter is the KOC who is said to have brought another one in; its handle is empty when nobody is.
func (a *admin) inviter(ctx context.Context, handle string) (koc.Profile, error) {
	if handle == "" {
		return koc.Profile{}, nil
	}
	if koc.ValidHandle(handle) {
		found, err := a.store.KOCs(ctx, []string{handle})
		if err != nil {
			return koc.Profile{}, err
		}
		if p, ok := found[handle]; ok {
			return p, nil
		}
	}
	return koc.Profile{}, fail.NewFields([]fail.Field{fail.At("body.inviter", "koc_unknown", "There is no KOC {koc} here.", fail.Args{"koc": clip(handle)})})
}

// approval is what an approval is recorded under: without an inviter the KOC alone, as it always was.
func (in *approveInput) approval() any {
	if in.Body.inviter() == "" {
		return in.ID
	}
	return []string{in.ID, in.Body.Inviter}
}

// invitation is what is recorded of an approval.
type invitation struct {
	Hash string `json:"hash"`
}

func (a *admin) approveKOC(ctx context.Context, in *approveInput) (*api.Reply[Approval], error) {
	if !koc.ValidHandle(in.ID) {
		return nil, unknownKOC(in.ID)
	}
	inviter, err := a.inviter(ctx, in.Body.inviter())
	if err != nil {
		return nil, err
	}
	invite := a.newInvite(ctx, in)
	recorded, err := once.Do(ctx, a.store, wish(ctx, in.Key, in.approval()), a.now(), func(record once.Record[invitation]) (invitation, error) {
		i := invitation{Hash: koc.InviteHash(invite)}
		reply, err := record(i)
		if err != nil {
			return i, err
		}
		_, err = a.store.UpdateKOC(ctx, in.ID,
			func(p *koc.Profile) error {
				if inviter.Handle != "" {
					if err := p.InvitedBy(inviter, a.now()); err != nil {
						return err
					}
				}
				return p.Approve(i.Hash, a.now())
			},
			func(p koc.Profile) []store.Write {
				if p.Invite != i.Hash { // approved again after a suspension, with a login
					return reply
				}
				return append(reply, store.InviteWrite(i.Hash, p.Handle))
			})
		return i, err
	})
	if err != nil {
		return nil, err
	}
	p, err := a.store.KOC(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := Approval{KOC: viewKOC(p, a.now())}
	if p.Invite == recorded.Hash && recorded.Hash == koc.InviteHash(invite) {
		until := p.InvitedAt.AddDate(0, 0, koc.InviteDays).UTC()
		out.Invite, out.ExpiresAt = invite, &until
		out.InviteURL = visitOf(ctx).base + "/portal#invite=" + url.QueryEscape(invite)
	}
	return &api.Reply[Approval]{Body: out}, nil
}

type kocID struct {
	ID string `path:"id"`
}

func (a *admin) getKOC(ctx context.Context, in *kocID) (*api.Reply[KOC], error) {
	if !koc.ValidHandle(in.ID) {
		return nil, unknownKOC(in.ID)
	}
	return a.answerKOC(ctx, in.ID)
}

type changeKOCInput struct {
	api.Keyed
	ID   string `path:"id"`
	Body KOCChange
}

// KOCChange is some of a KOC; what is absent stays.
type KOCChange struct {
	Tier  *string `json:"tier,omitempty" maxLength:"30" doc:"From now on: lower-case letters, digits and hyphens; empty for none"`
	Email *string `json:"email,omitempty" doc:"As when the KOC enters a new one: it has to be confirmed from there, is told to the old one, and then holds payouts for a while"`
	Phone *string `json:"phone,omitempty" maxLength:"100" doc:"With its country code; empty takes it away"`
}

// apply changes a KOC in everything that is named, or says all that is wrong.
func (c KOCChange) apply(p *koc.Profile, key identity.Key, now time.Time) error {
	err := p.Edit(koc.Edit{Phone: c.Phone})
	if c.Tier != nil {
		err = fail.Join(err, p.SetTier(*c.Tier, now))
	}
	if c.Email != nil {
		err = fail.Join(err, p.AskEmail(*c.Email, now))
	}
	p.Recognise(key, nil)
	return err
}

func (a *admin) changeKOC(ctx context.Context, in *changeKOCInput) (*api.Reply[KOC], error) {
	if !koc.ValidHandle(in.ID) {
		return nil, unknownKOC(in.ID)
	}
	now := a.now()
	_, err := once.Do(ctx, a.store, wish(ctx, in.Key, in.Body), now, func(record once.Record[done]) (done, error) {
		reply, err := record(done{})
		if err != nil {
			return done{}, err
		}
		_, err = a.store.UpdateKOC(ctx, in.ID,
			func(p *koc.Profile) error {
				if p.Status() == koc.Suspended && in.Body.Email != nil {
					return fail.New(fail.Conflict, "koc_suspended_email", "{koc} is suspended; the e-mail address stays as it is until the suspension ends.", fail.Args{"koc": p.Handle})
				}
				return in.Body.apply(p, a.identity, now)
			},
			func(p koc.Profile) []store.Write { return slices.Concat(reply, store.EmailWrites(p, now)) })
		return done{}, err
	})
	if err != nil {
		return nil, err
	}
	return a.answerKOC(ctx, in.ID)
}

// newInvite is a fresh random invitation. With an idempotency key it follows from the key instead, because the same
// key has to be answered with the same invitation and the shop keeps only its hash.
func (a *admin) newInvite(ctx context.Context, in *approveInput) string {
	if in.Key == "" {
		return a.random()
	}
	return a.keys.MAC("invite", visitOf(ctx).subject, in.ID, in.Key)
}

func (a *admin) suspendKOC(ctx context.Context, in *reasonInput) (*api.Reply[KOC], error) {
	if !koc.ValidHandle(in.ID) {
		return nil, unknownKOC(in.ID)
	}
	reason := typed.TidyLine(in.Body.text())
	_, err := once.Do(ctx, a.store, wish(ctx, in.Key, in.Body.text()), a.now(), func(record once.Record[done]) (done, error) {
		reply, err := record(done{})
		if err != nil {
			return done{}, err
		}
		_, err = a.store.UpdateKOC(ctx, in.ID,
			func(p *koc.Profile) error { return p.Suspend(reason, a.now()) },
			func(koc.Profile) []store.Write { return reply })
		return done{}, err
	})
	if err != nil {
		return nil, err
	}
	p, err := a.store.KOC(ctx, in.ID)
	if err == nil { // also when the request is sent again, because the first one may have ended before this
		err = a.paymaster.KeepBack(ctx, p, a.now())
	}
	return &api.Reply[KOC]{Body: viewKOC(p, a.now())}, err
}

// unknownKOC answers an id that cannot be a handle like one that nobody has.
func unknownKOC(id string) error {
	return fail.New(fail.NotFound, "koc_unknown", "There is no KOC {koc} here.", fail.Args{"koc": clip(id)})
}
