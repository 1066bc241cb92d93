package main

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"yundian/shared/cashier"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/once"
	"yundian/shared/payout"
	"yundian/shared/web/api"
)

// Payee is where a KOC's payouts go.
type Payee struct {
	Version   int64          `json:"version" doc:"Counts the KOC's changes"`
	Rail      string         `json:"rail"`
	Account   string         `json:"account" doc:"Auditors see its end only"`
	Name      string         `json:"name" doc:"Of the account's holder; auditors do not see it"`
	Phone     string         `json:"phone,omitempty" doc:"Of the account's holder, who may have given none; auditors do not see it"`
	Address   string         `json:"address,omitempty" doc:"Of the account's holder, who may have given none; auditors do not see it"`
	Verified  *PayoutVerdict `json:"verified,omitempty" doc:"Who has verified that the name is the KOC's"`
	ChangedAt time.Time      `json:"changedAt"`
	HeldUntil *time.Time     `json:"heldUntil,omitempty" doc:"Payouts wait until then, because the method was changed"`
}

type payeeInput struct {
	ID string `path:"id"`
}

// getPayee shows where a KOC's payouts go. Who has looked stands in the log, what was seen does not.
func (a *admin) getPayee(ctx context.Context, in *payeeInput) (*api.Reply[Payee], error) {
	if !koc.ValidHandle(in.ID) {
		return nil, unknownKOC(in.ID)
	}
	if _, err := a.store.KOC(ctx, in.ID); err != nil {
		return nil, err
	}
	return a.answerPayee(ctx, in.ID)
}

func (a *admin) answerPayee(ctx context.Context, handle string) (*api.Reply[Payee], error) {
	m, err := a.paymaster.Payee(ctx, handle)
	if err != nil {
		return nil, err
	}
	if m.Version == 0 {
		return nil, noPayee(handle)
	}
	v := Payee{Version: m.Version, Rail: m.Rail, Account: m.Mask, ChangedAt: m.At.UTC()}
	if visit := visitOf(ctx); visit.writes {
		d, err := cashier.OpenPayee(a.paymaster.Box, handle, m)
		if err != nil {
			return nil, err
		}
		v.Account, v.Name, v.Phone, v.Address = d.Account, d.Name, d.Contact.Phone, d.Contact.Address.Line()
		slog.InfoContext(ctx, "payout method shown", "koc", handle, "version", m.Version, "to", visit.subject)
	}
	if m.Verified != nil {
		v.Verified = &PayoutVerdict{By: m.Verified.By, At: m.Verified.At.UTC()}
	}
	if m.Held(a.now()) != nil {
		until := m.HeldUntil.UTC()
		v.HeldUntil = &until
	}
	return &api.Reply[Payee]{Body: v}, nil
}

func noPayee(handle string) error {
	return fail.New(fail.NotFound, "payee_none", "{koc} has not entered a payout method.", fail.Args{"koc": handle})
}

type verifyPayeeInput struct {
	api.Keyed
	ID   string `path:"id"`
	Body struct {
		Version int64 `json:"version" minimum:"1" doc:"Of the payee that was looked at: a name that was changed meanwhile is not verified"`
	}
}

// verifyPayee records that the name of the account's holder is the KOC's own. Nobody verifies their own.
func (a *admin) verifyPayee(ctx context.Context, in *verifyPayeeInput) (*api.Reply[Payee], error) {
	if !koc.ValidHandle(in.ID) {
		return nil, unknownKOC(in.ID)
	}
	profile, err := a.store.KOC(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	by := visitOf(ctx).subject
	if by == profile.Subject {
		return nil, payout.Own()
	}
	if m, err := a.store.Payee(ctx, in.ID); err != nil || m.Version == 0 {
		return nil, cmp.Or(err, noPayee(in.ID))
	}
	_, err = once.Do(ctx, a.store, wish(ctx, in.Key, in.Body), a.now(), func(record once.Record[done]) (done, error) {
		reply, err := record(done{})
		if err != nil {
			return done{}, err
		}
		_, err = a.store.VerifyPayee(ctx, in.ID, in.Body.Version, by, a.now(), reply...)
		if err == nil {
			slog.InfoContext(ctx, "payout method verified", "koc", in.ID, "version", in.Body.Version, "by", by)
		}
		return done{}, err
	})
	if err != nil {
		return nil, err
	}
	return a.answerPayee(ctx, in.ID)
}
