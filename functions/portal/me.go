package main

import (
	"context"
	"slices"
	"time"

	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/once"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/web/api"
)

// Me is a KOC as they see themselves.
type Me struct {
	Handle    string    `json:"handle" doc:"Part of every link and address; never changes"`
	Name      string    `json:"name"`
	Email     string    `json:"email"`
	Pending   string    `json:"emailPending,omitempty" doc:"A new address, to which a letter was sent: it counts when its owner has confirmed it"`
	Phone     string    `json:"phone,omitempty" doc:"With its country code; absent until the KOC has said"`
	Story     string    `json:"story"`
	Portrait  string    `json:"portrait" doc:"Address of a picture, or empty"`
	Language  string    `json:"language" doc:"Of what the shop writes to the KOC; empty is the shop's first"`
	Status    string    `json:"status" enum:"applied,approved,suspended"`
	CreatedAt time.Time `json:"createdAt"`
	Code      string    `json:"code" doc:"The code that shoppers can type at checkout, and the code of the link that every KOC has"`
	URL       string    `json:"url" doc:"That link: the storefront"`
	Shop      Shop      `json:"shop"`

	Payout *PayoutMethod `json:"payout,omitempty" doc:"Where payouts go; absent until the KOC has said"`
}

// Shop is what the portal needs to know of the shop.
type Shop struct {
	Brand       string   `json:"brand"`
	Currency    string   `json:"currency"`
	Digits      int      `json:"digits" doc:"Minor digits of the currency"`
	TimeZone    string   `json:"timeZone" doc:"Days of statistics and forecasts begin at its midnights"`
	PayoutRails []string `json:"payoutRails" doc:"Ways to be paid out, the first one preselected"`
	DefaultRate int64    `json:"defaultRate" doc:"Commission on products that no rule is about, in hundredths of a percent"`
	Default     Earning  `json:"default" doc:"What those products earn this KOC, with everything there is to it"`
}

func (p *portal) view(ctx context.Context, k koc.Profile, s shop.Settings) (Me, error) {
	earns, err := p.tariff(ctx)
	if err != nil {
		return Me{}, err
	}
	method, err := p.payoutMethod(ctx, k.Handle)
	if err != nil {
		return Me{}, err
	}
	earns.who = k // binding a login has no visit yet
	standard := earns.earning("", nil)
	own, pending := koc.OwnLink(k.Handle), ""
	if c := k.Pending(p.now()); c != nil {
		pending = c.Email
	}
	return Me{Handle: k.Handle, Name: k.Name, Email: k.Email, Pending: pending, Phone: k.Phone, Story: k.Story, Portrait: k.Portrait, Language: k.Language, Status: string(k.Status()),
		CreatedAt: k.CreatedAt, Code: own.Code, URL: linkURL(visitOf(ctx).base, own.Code),
		Shop: Shop{Brand: s.Brand, Currency: string(s.Currency), Digits: s.Currency.Digits(), TimeZone: s.TimeZone, DefaultRate: standard.Rate, Default: standard,
			PayoutRails: p.rails.Names(ctx)}, Payout: method}, nil
}

func (p *portal) viewNow(ctx context.Context, k koc.Profile) (*api.Reply[Me], error) {
	settings, err := p.store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	me, err := p.view(ctx, k, settings)
	return &api.Reply[Me]{Body: me}, err
}

func (p *portal) me(ctx context.Context, _ *struct{}) (*api.Reply[Me], error) {
	return p.viewNow(ctx, visitOf(ctx).koc)
}

type bindInput struct {
	api.Keyed
	Body struct {
		Invite string `json:"invite" doc:"The invitation's code"`
	}
}

// bind ties the login to the KOC that an invitation was made for. Profile and login change in one transaction, so a
// login is bound to one KOC and an invitation used once, whatever races.
func (p *portal) bind(ctx context.Context, in *bindInput) (*api.Reply[Me], error) {
	handle, err := once.Do(ctx, p.store, wish(ctx, "POST /v1/me", in.Key, in.Body), p.now(), func(record once.Record[string]) (string, error) {
		return p.bindTo(ctx, in.Body.Invite, record)
	})
	if err != nil {
		return nil, err
	}
	bound, err := p.store.KOC(ctx, handle)
	if err == nil {
		err = approved(bound)
	}
	if err != nil {
		return nil, err
	}
	return p.viewNow(ctx, bound)
}

func (p *portal) bindTo(ctx context.Context, invite string, record once.Record[string]) (string, error) {
	if invite == "" || len(invite) > koc.MaxInvite {
		return "", koc.InviteRefused()
	}
	hash := koc.InviteHash(invite)
	handle, err := p.store.InvitedKOC(ctx, hash)
	if err != nil {
		return "", err
	}
	if handle == "" {
		return "", koc.InviteRefused()
	}
	reply, err := record(handle)
	if err != nil {
		return "", err
	}
	subject := visitOf(ctx).subject
	_, err = p.store.UpdateKOC(ctx, handle,
		func(k *koc.Profile) error { return k.Bind(subject, hash, p.now()) },
		func(koc.Profile) []store.Write { return append(reply, store.LoginWrite(subject, handle)) })
	if !store.LoginTaken(err) {
		return handle, err
	}
	// The login is bound already: to this KOC, when the request is sent again, or to another one.
	bound, err := p.store.KOCByLogin(ctx, subject)
	if err == nil && bound.Handle != handle {
		err = fail.New(fail.Conflict, "login_bound", "This login already belongs to another KOC. Please log in with another account.", nil)
	}
	return handle, err
}

type editInput struct {
	api.Keyed
	Body struct {
		Name     *string `json:"name,omitempty" doc:"1 to 60 characters"`
		Email    *string `json:"email,omitempty" doc:"A new address has to be confirmed from there, is told to the old one, and then holds payouts for a while; the one in force withdraws another"`
		Phone    *string `json:"phone,omitempty" maxLength:"100" doc:"With its country code, such as +86 138 0000 0000; empty takes it away"`
		Story    *string `json:"story,omitempty" doc:"At most 2,000 characters of plain text"`
		Portrait *string `json:"portrait,omitempty" doc:"https address of a picture on a public site; empty takes it away"`
		Language *string `json:"language,omitempty" enum:",zh-Hans,zh-Hant,en"`

		Payout *PayoutEdit `json:"payout,omitempty" doc:"Where payouts go. A change holds payouts for a while, and another name has to be verified again"`
	}
}

func (p *portal) editMe(ctx context.Context, in *editInput) (*api.Reply[Me], error) {
	handle, now := visitOf(ctx).koc.Handle, p.now()
	_, err := once.Do(ctx, p.store, wish(ctx, "PATCH /v1/me", in.Key, p.told(in)), p.now(), func(record once.Record[string]) (string, error) {
		payee, own, err := p.payeeWrites(ctx, handle, in.Body.Payout)
		if err != nil {
			return "", err
		}
		reply, err := record(handle)
		if err != nil {
			return "", err
		}
		edit := koc.Edit{Name: in.Body.Name, Phone: in.Body.Phone, Story: in.Body.Story, Portrait: in.Body.Portrait, Language: in.Body.Language}
		_, err = p.store.UpdateKOC(ctx, handle,
			func(k *koc.Profile) error {
				if err := approved(*k); err != nil { // suspended since the guard looked
					return err
				}
				err := k.Edit(edit)
				if in.Body.Email != nil {
					err = fail.Join(err, k.AskEmail(*in.Body.Email, now))
				}
				if err != nil {
					return err
				}
				k.Recognise(p.identity, own)
				return nil
			},
			func(k koc.Profile) []store.Write { return slices.Concat(reply, payee, store.EmailWrites(k, now)) })
		if store.PayeeTaken(err) {
			return "", store.ChangedMeanwhile()
		}
		return handle, err
	})
	if err != nil {
		return nil, err
	}
	after, err := p.store.KOC(ctx, handle)
	if err != nil {
		return nil, err
	}
	return p.viewNow(ctx, after)
}

// told is what a key stands for. The payout method goes in under a keyed hash: the store keeps what is made of this for a
// month, and account numbers are short enough to be guessed.
func (p *portal) told(in *editInput) any {
	body := in.Body
	if body.Payout == nil {
		return body
	}
	mac := p.keys.MAC("payee told", body.Payout.Rail, body.Payout.Account, body.Payout.Name, body.Payout.Contact.told())
	body.Payout = nil
	return []any{body, mac}
}
