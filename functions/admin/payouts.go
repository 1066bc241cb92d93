package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/once"
	"yundian/shared/payout"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/typed"
	"yundian/shared/web/api"
)

// Payout is a payout as operators see it, in minor units: amount = netted + gross, gross = tax + fee + net.
type Payout struct {
	ID        string           `json:"id" doc:"Also what the rail knows it by"`
	KOC       string           `json:"koc"`
	Status    string           `json:"status" enum:"reserved,approved,waiting,rejected,sending,unknown,paid,failed" doc:"waiting: its KOC is suspended; release it or reject it"`
	Amount    int64            `json:"amount" doc:"Withdrawn"`
	Currency  string           `json:"currency"`
	Netted    int64            `json:"netted" doc:"Of amount, repaid debt"`
	Gross     int64            `json:"gross" doc:"The rest of amount"`
	Tax       int64            `json:"tax" doc:"Of gross, withheld"`
	TaxPeriod string           `json:"taxPeriod,omitempty" doc:"In whose sum it counts"`
	Fee       int64            `json:"fee" doc:"Of gross, kept back"`
	Net       int64            `json:"net" doc:"Of gross, transferred"`
	Cause     string           `json:"cause" enum:"withdrawal,schedule,operator"`
	By        string           `json:"by" doc:"Who made it and can therefore neither approve it nor record its result"`
	CreatedAt time.Time        `json:"createdAt"`
	Terms     int64            `json:"termsVersion"`
	Rail      string           `json:"rail"`
	Approvals []PayoutApproval `json:"approvals,omitempty"`
	Reopened  []PayoutVerdict  `json:"reopened,omitempty" doc:"Why it had to be approved again"`
	Waits     []PayoutWait     `json:"waits,omitempty" doc:"Suspensions of its KOC that kept it back"`
	Rejected  *PayoutVerdict   `json:"rejected,omitempty"`
	File      string           `json:"file,omitempty" doc:"The bank file that it stands in"`
	Transfer  *PayoutTransfer  `json:"transfer,omitempty" doc:"How far its rail is"`
	Outcome   *PayoutOutcome   `json:"outcome,omitempty"`
	Disputed  []PayoutOutcome  `json:"disputed,omitempty" doc:"What was said against the outcome afterwards; nothing was posted for it"`
}

// PayoutApproval is a second person's yes.
type PayoutApproval struct {
	By        string     `json:"by"`
	At        time.Time  `json:"at"`
	NotBefore *time.Time `json:"notBefore,omitempty" doc:"It waits until then, because the payout method was changed"`
}

// PayoutVerdict is what somebody, or nobody, decided.
type PayoutVerdict struct {
	By     string    `json:"by,omitempty"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
}

// PayoutWait is a suspension of the KOC that keeps a payout back until somebody releases it.
type PayoutWait struct {
	Since    time.Time      `json:"since" doc:"When the KOC was suspended"`
	Released *PayoutVerdict `json:"released,omitempty" doc:"Who let it go on nevertheless; absent while it waits"`
}

// PayoutTransfer is what a rail was given, and how often it was asked.
type PayoutTransfer struct {
	Sent       []time.Time `json:"sent" doc:"Again only after the rail said that it had never received it"`
	Asked      int         `json:"asked" doc:"Answers that were not final"`
	NextAt     *time.Time  `json:"nextAt,omitempty" doc:"When it is asked again"`
	ProviderID string      `json:"providerId,omitempty"`
}

// PayoutOutcome is how it ended.
type PayoutOutcome struct {
	Outcome   string    `json:"outcome" enum:"paid,failed"`
	At        time.Time `json:"at"`
	By        string    `json:"by" doc:"An operator, or the rail"`
	Reference string    `json:"reference,omitempty"`
	Reason    string    `json:"reason,omitempty"`
}

// PayoutPage is a page of payouts, newest first. It may hold fewer than asked for although there is a next one.
type PayoutPage struct {
	Items []Payout `json:"items"`
	Next  string   `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one"`
}

func viewPayout(p payout.Payout) Payout {
	v := Payout{ID: p.ID, KOC: p.KOC, Status: string(p.Status()), Amount: p.Withdrawn, Currency: string(p.Currency), Netted: p.Netted, Gross: p.Gross,
		Tax: p.Tax, TaxPeriod: p.TaxPeriod, Fee: p.Fee, Net: p.Net, Cause: string(p.Cause), By: p.By, CreatedAt: p.At.UTC(), Terms: p.Terms, Rail: p.Target().Rail}
	for _, a := range p.Approvals {
		x := PayoutApproval{By: a.By, At: a.At.UTC()}
		if a.NotBefore.After(a.At) {
			until := a.NotBefore.UTC()
			x.NotBefore = &until
		}
		v.Approvals = append(v.Approvals, x)
	}
	for _, r := range p.Reopened {
		v.Reopened = append(v.Reopened, PayoutVerdict{At: r.At.UTC(), Reason: r.Reason})
	}
	for _, w := range p.Waits {
		x := PayoutWait{Since: w.Since.UTC()}
		if r := w.Released; r != nil {
			x.Released = &PayoutVerdict{By: r.By, At: r.At.UTC(), Reason: r.Reason}
		}
		v.Waits = append(v.Waits, x)
	}
	if r := p.Rejected; r != nil {
		v.Rejected = &PayoutVerdict{By: r.By, At: r.At.UTC(), Reason: r.Reason}
	}
	if p.Export != nil {
		v.File = p.Export.File
	}
	if t := p.Transfer; t != nil {
		v.Transfer = &PayoutTransfer{Sent: t.Sent, Asked: t.Asked, ProviderID: t.ProviderID}
		if due := p.DueAt().UTC(); !due.IsZero() {
			v.Transfer.NextAt = &due
		}
	}
	if o := p.Outcome; o != nil {
		x := viewOutcome(*o)
		v.Outcome = &x
	}
	for _, o := range p.Disputed {
		v.Disputed = append(v.Disputed, viewOutcome(o))
	}
	return v
}

func viewOutcome(o payout.Outcome) PayoutOutcome {
	v := PayoutOutcome{Outcome: string(payout.Failed), At: o.At.UTC(), By: o.By, Reference: o.Reference, Reason: o.Reason}
	if o.Paid {
		v.Outcome = string(payout.Paid)
	}
	return v
}

type payoutsInput struct {
	api.Paging
	Status string `query:"status" enum:"reserved,approved,waiting,rejected,sending,unknown,paid,failed" doc:"Only payouts with this status"`
	KOC    string `query:"koc" maxLength:"30" doc:"Only payouts to this KOC"`
}

func (a *admin) listPayouts(ctx context.Context, in *payoutsInput) (*api.Reply[PayoutPage], error) {
	if in.KOC != "" && !koc.ValidHandle(in.KOC) {
		return nil, fail.NewFields([]fail.Field{fail.At("query.koc", "handle_form", "3–30 lower-case letters and digits, words joined by single hyphens.", nil)})
	}
	bound := seal.Binding{Owner: visitOf(ctx).subject, Query: strings.Join([]string{"payouts", in.Status, in.KOC}, "&")}
	after, err := a.keys.OpenCursor(bound, in.Cursor)
	if err != nil {
		return nil, err
	}
	payouts, next, err := a.store.ListPayouts(ctx, store.PayoutFilter{Status: payout.Status(in.Status), KOC: in.KOC}, after, in.Limit.Size())
	if err != nil {
		return nil, err
	}
	page := PayoutPage{Items: make([]Payout, len(payouts)), Next: a.keys.Cursor(bound, next)}
	for i, p := range payouts {
		page.Items[i] = viewPayout(p)
	}
	return &api.Reply[PayoutPage]{Body: page}, nil
}

func (a *admin) getPayout(ctx context.Context, in *struct {
	ID string `path:"id"`
}) (*api.Reply[Payout], error) {
	return a.answerPayout(ctx, in.ID)
}

func (a *admin) answerPayout(ctx context.Context, id string) (*api.Reply[Payout], error) {
	p, err := a.payoutOf(ctx, id)
	return &api.Reply[Payout]{Body: viewPayout(p)}, err
}

// payoutOf answers an id that cannot be a payout's like one that no payout has.
func (a *admin) payoutOf(ctx context.Context, id string) (payout.Payout, error) {
	if !payout.ValidID(id) {
		return payout.Payout{}, payout.UnknownID(clip(id))
	}
	return a.store.Payout(ctx, id)
}

type makePayoutInput struct {
	api.KeyRequired
	Body struct {
		KOC      string `json:"koc" maxLength:"30"`
		Amount   int64  `json:"amount,omitempty" minimum:"1" maximum:"1000000000000000" doc:"Minor units to withdraw; everything available when absent"`
		Currency string `json:"currency" minLength:"3" maxLength:"3"`

		Suspended bool `json:"suspended,omitempty" doc:"true makes it although the KOC is suspended, which is refused otherwise"`
	}
}

// makePayout reserves a payout for a KOC. Somebody else has to approve it.
func (a *admin) makePayout(ctx context.Context, in *makePayoutInput) (*api.Reply[Payout], error) {
	id, err := once.Do(ctx, a.store, wish(ctx, in.Key, in.Body), a.now(), func(record once.Record[string]) (string, error) {
		id := a.payoutID(ctx, in)
		reply, err := record(id)
		if err != nil {
			return "", err
		}
		return id, a.reserve(ctx, id, in, reply)
	})
	if err != nil {
		return nil, err
	}
	return a.answerPayout(ctx, id)
}

// payoutID follows from the idempotency key and the wish, as a withdrawal's does.
func (a *admin) payoutID(ctx context.Context, in *makePayoutInput) string {
	return payout.ID("operator", visitOf(ctx).subject, in.Key, in.Body.KOC, fmt.Sprint(in.Body.Amount), in.Body.Currency)
}

func (a *admin) reserve(ctx context.Context, id string, in *makePayoutInput, extra []store.Write) error {
	currency, err := money.ParseCurrency(in.Body.Currency)
	if err != nil {
		return fail.NewFields([]fail.Field{fail.At("body.currency", "currency_unknown", "{currency} is not an ISO 4217 currency code.", fail.Args{"currency": clip(in.Body.Currency)})})
	}
	if !koc.ValidHandle(in.Body.KOC) {
		return unknownKOC(in.Body.KOC)
	}
	profile, err := a.store.KOC(ctx, in.Body.KOC)
	if err != nil {
		return err
	}
	since := profile.SuspendedSince()
	if !since.IsZero() && !in.Body.Suspended {
		return payout.KOCSuspended(profile.Handle)
	}
	_, err = a.paymaster.Reserve(ctx, payout.Ask{ID: id, KOC: profile.Handle, Currency: currency, Minor: in.Body.Amount, Cause: payout.Manual,
		By: visitOf(ctx).subject, Suspended: since}, a.now(), extra...)
	return err
}

// changePayout changes a payout once per key and answers with it as it then is.
func (a *admin) changePayout(ctx context.Context, id string, w once.Wish, change func(payout.Payout, []store.Write) error) (*api.Reply[Payout], error) {
	p, err := a.payoutOf(ctx, id)
	if err != nil {
		return nil, err
	}
	_, err = once.Do(ctx, a.store, w, a.now(), func(record once.Record[done]) (done, error) {
		reply, err := record(done{})
		if err != nil {
			return done{}, err
		}
		return done{}, change(p, reply)
	})
	if err != nil {
		return nil, err
	}
	return a.answerPayout(ctx, id)
}

// payoutActInput is a decision about a payout that says everything in its address.
type payoutActInput struct {
	api.KeyRequired
	ID   string `path:"id"`
	Body *struct{}
}

// payoutReasonInput is a decision about a payout that may say why.
type payoutReasonInput struct {
	api.KeyRequired
	ID   string `path:"id"`
	Body *Why
}

func (a *admin) approvePayout(ctx context.Context, in *payoutActInput) (*api.Reply[Payout], error) {
	return a.changePayout(ctx, in.ID, wish(ctx, in.Key, nil), func(p payout.Payout, extra []store.Write) error {
		_, err := a.paymaster.Approve(ctx, p, visitOf(ctx).subject, a.now(), extra...)
		return err
	})
}

// releasePayout lets a payout go on that waits because its KOC is suspended.
func (a *admin) releasePayout(ctx context.Context, in *payoutReasonInput) (*api.Reply[Payout], error) {
	by, reason := visitOf(ctx).subject, typed.TidyLines(in.Body.text())
	return a.changePayout(ctx, in.ID, wish(ctx, in.Key, in.Body.text()), func(p payout.Payout, extra []store.Write) error {
		_, err := a.paymaster.Release(ctx, p, payout.Release{By: by, At: a.now(), Reason: reason}, extra...)
		return err
	})
}

func (a *admin) rejectPayout(ctx context.Context, in *payoutReasonInput) (*api.Reply[Payout], error) {
	by, reason := visitOf(ctx).subject, typed.TidyLines(in.Body.text())
	return a.changePayout(ctx, in.ID, wish(ctx, in.Key, in.Body.text()), func(p payout.Payout, extra []store.Write) error {
		now := a.now()
		_, err := a.store.UpdatePayout(ctx, p.ID, now, func(p *payout.Payout) error { return p.Reject(by, reason, now) }, extra...)
		return err
	})
}

type payoutResultInput struct {
	api.KeyRequired
	ID   string `path:"id"`
	Body struct {
		Outcome   string `json:"outcome" enum:"paid,failed" doc:"failed: the money never left, and becomes available again"`
		Reference string `json:"reference,omitempty" maxLength:"200" doc:"The bank's"`
		Reason    string `json:"reason,omitempty" maxLength:"500" doc:"Why it failed; the KOC reads it"`
	}
}

// recordResult takes an operator's word for how a bank payout ended, or one about which its rail has not answered for a day.
func (a *admin) recordResult(ctx context.Context, in *payoutResultInput) (*api.Reply[Payout], error) {
	o := payout.Outcome{Paid: in.Body.Outcome == string(payout.Paid), By: visitOf(ctx).subject, Reference: typed.TidyLine(in.Body.Reference), Reason: typed.TidyLines(in.Body.Reason)}
	return a.changePayout(ctx, in.ID, wish(ctx, in.Key, in.Body), func(p payout.Payout, extra []store.Write) error {
		profile, err := a.store.KOC(ctx, p.KOC)
		if err != nil {
			return err
		}
		method, err := a.paymaster.Payee(ctx, p.KOC)
		if err != nil {
			return err
		}
		o.At = a.now()
		_, err = a.paymaster.Record(ctx, p.ID, payout.Said{Outcome: o, Method: method, Subject: profile.Subject}, extra...)
		return err
	})
}
