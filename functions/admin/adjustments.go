package main

import (
	"context"
	"regexp"
	"strings"
	"time"

	"yundian/shared/fail"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/once"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/typed"
	"yundian/shared/web/api"
)

// Adjustment is a correction of a KOC's balance by hand, which two people make.
type Adjustment struct {
	ID       string              `json:"id"`
	State    string              `json:"state" enum:"requested,approved,rejected"`
	KOC      string              `json:"koc"`
	Amount   money.Amount        `json:"amount" doc:"Above zero gives, below zero takes"`
	Order    string              `json:"orderId,omitempty" doc:"That it is about"`
	Reason   string              `json:"reason" doc:"The KOC reads it"`
	By       string              `json:"requestedBy"`
	At       time.Time           `json:"requestedAt"`
	Approved *AdjustmentApproval `json:"approved,omitempty"`
	Rejected *AdjustmentVerdict  `json:"rejected,omitempty"`
}

// AdjustmentVerdict is what somebody said about an adjustment.
type AdjustmentVerdict struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
}

// AdjustmentApproval is a second person's yes, and what it moved.
type AdjustmentApproval struct {
	By        string       `json:"by"`
	At        time.Time    `json:"at"`
	Available money.Amount `json:"available" doc:"How available changed"`
	Debt      money.Amount `json:"debt" doc:"What is owed since, because it was not available"`
}

func viewAdjustment(a ledger.Adjustment) Adjustment {
	v := Adjustment{ID: a.ID, State: string(a.State()), KOC: a.KOC, Amount: a.Amount, Order: a.Order, Reason: a.Reason, By: a.By, At: a.At.UTC()}
	if x := a.Approved; x != nil {
		v.Approved = &AdjustmentApproval{By: x.By, At: x.At.UTC(), Available: money.Of(x.Available, a.Amount.Currency), Debt: money.Of(-x.Debt, a.Amount.Currency)}
	}
	if x := a.Rejected; x != nil {
		v.Rejected = &AdjustmentVerdict{By: x.By, At: x.At.UTC(), Reason: x.Reason}
	}
	return v
}

type adjustInput struct {
	api.KeyRequired
	Body struct {
		KOC    string       `json:"koc" maxLength:"30"`
		Amount money.Amount `json:"amount" doc:"Above zero gives, below zero takes what is available and makes the rest debt; at most 100,000,000 minor units either way"`
		Order  string       `json:"orderId,omitempty" maxLength:"64" doc:"That it is about, if any"`
		Reason string       `json:"reason" minLength:"1" maxLength:"500" doc:"The KOC reads it"`
	}
}

// adjusted is the recorded answer of a wish for an adjustment; the rest is read back.
type adjusted struct {
	ID string `json:"id"`
}

func (a *admin) requestAdjustment(ctx context.Context, in *adjustInput) (*api.Reply[Adjustment], error) {
	wanted := ledger.Adjustment{KOC: in.Body.KOC, Amount: in.Body.Amount, Order: in.Body.Order, Reason: typed.TidyLines(in.Body.Reason), By: visitOf(ctx).subject}
	made, err := once.Do(ctx, a.store, wish(ctx, in.Key, in.Body), a.now(), func(record once.Record[adjusted]) (adjusted, error) {
		if err := a.checkAdjustment(ctx, wanted); err != nil {
			return adjusted{}, err
		}
		wanted.ID, wanted.At = "a"+strings.ToLower(a.random()), a.now()
		answer := adjusted{ID: wanted.ID}
		reply, err := record(answer)
		if err != nil {
			return adjusted{}, err
		}
		return answer, a.store.RequestAdjustment(ctx, wanted, reply...)
	})
	if err != nil {
		return nil, err
	}
	return a.answerAdjustment(ctx, made.ID)
}

// checkAdjustment holds a wish against the KOC, the shop and the order that it names.
func (a *admin) checkAdjustment(ctx context.Context, wanted ledger.Adjustment) error {
	found, err := a.store.KOCs(ctx, []string{wanted.KOC})
	if err != nil {
		return err
	}
	if _, known := found[wanted.KOC]; !known {
		return fail.NewFields([]fail.Field{fail.At("body.koc", "koc_unknown", "There is no KOC {koc} here.", fail.Args{"koc": clip(wanted.KOC)})})
	}
	if wanted.Order != "" {
		if err := a.checkOrderNamed(ctx, wanted.Order); err != nil {
			return err
		}
	}
	settings, err := a.store.Settings(ctx)
	if err != nil {
		return err
	}
	books, err := a.store.Books(ctx, wanted.KOC)
	if err != nil {
		return err
	}
	currencies := []money.Currency{settings.Currency}
	for _, b := range books {
		currencies = append(currencies, b.Currency)
	}
	return wanted.Check(currencies)
}

func (a *admin) checkOrderNamed(ctx context.Context, id string) error {
	unknown := fail.NewFields([]fail.Field{fail.At("body.orderId", "order_unknown", "There is no order {order} here.", fail.Args{"order": clip(id)})})
	if checkOrderID(id) != nil {
		return unknown
	}
	if _, err := a.store.Order(ctx, id); fail.KindOf(err) == fail.NotFound {
		return unknown
	} else if err != nil {
		return err
	}
	return nil
}

// adjustmentForm is what an adjustment's id can look like.
var adjustmentForm = regexp.MustCompile(`^a[a-z0-9]{1,63}$`)

func (a *admin) answerAdjustment(ctx context.Context, id string) (*api.Reply[Adjustment], error) {
	if !adjustmentForm.MatchString(id) {
		return nil, ledger.AdjustmentUnknown(clip(id))
	}
	found, err := a.store.Adjustment(ctx, id)
	if err != nil {
		return nil, err
	}
	return &api.Reply[Adjustment]{Body: viewAdjustment(found)}, nil
}

type adjustmentInput struct {
	ID string `path:"id" maxLength:"200"`
}

func (a *admin) getAdjustment(ctx context.Context, in *adjustmentInput) (*api.Reply[Adjustment], error) {
	return a.answerAdjustment(ctx, in.ID)
}

type approvalInput struct {
	api.KeyRequired
	ID   string `path:"id" maxLength:"200"`
	Body *struct{}
}

func (a *admin) approveAdjustment(ctx context.Context, in *approvalInput) (*api.Reply[Adjustment], error) {
	return a.decideAdjustment(ctx, in.ID, wish(ctx, in.Key, nil), func(found ledger.Adjustment, extra []store.Write) error {
		p, err := a.store.KOC(ctx, found.KOC)
		if err != nil {
			return err
		}
		_, err = a.store.ApproveAdjustment(ctx, found.ID, ledger.Approver{By: visitOf(ctx).subject, Subject: p.Subject}, a.now(), extra...)
		return err
	})
}

type rejectionInput struct {
	api.KeyRequired
	ID   string `path:"id" maxLength:"200"`
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500"`
	}
}

func (a *admin) rejectAdjustment(ctx context.Context, in *rejectionInput) (*api.Reply[Adjustment], error) {
	return a.decideAdjustment(ctx, in.ID, wish(ctx, in.Key, in.Body), func(found ledger.Adjustment, extra []store.Write) error {
		_, err := a.store.RejectAdjustment(ctx, found.ID, visitOf(ctx).subject, typed.TidyLines(in.Body.Reason), a.now(), extra...)
		return err
	})
}

// decideAdjustment lets decide act on an adjustment, once per key, and answers with the adjustment as it then is.
func (a *admin) decideAdjustment(ctx context.Context, id string, w once.Wish, decide func(ledger.Adjustment, []store.Write) error) (*api.Reply[Adjustment], error) {
	if !adjustmentForm.MatchString(id) {
		return nil, ledger.AdjustmentUnknown(clip(id))
	}
	_, err := once.Do(ctx, a.store, w, a.now(), func(record once.Record[done]) (done, error) {
		reply, err := record(done{})
		if err != nil {
			return done{}, err
		}
		found, err := a.store.Adjustment(ctx, id)
		if err != nil {
			return done{}, err
		}
		return done{}, decide(found, reply)
	})
	if err != nil {
		return nil, err
	}
	return a.answerAdjustment(ctx, id)
}

// AdjustmentPage is a page of adjustments, newest first. It may hold fewer than asked for although there is a next one.
type AdjustmentPage struct {
	Items []Adjustment `json:"items"`
	Next  string       `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one"`
}

type adjustmentsInput struct {
	api.Paging
	State string `query:"state" enum:"requested,approved,rejected" doc:"Only adjustments in this state"`
	KOC   string `query:"koc" maxLength:"30" doc:"Only adjustments of this KOC"`
}

func (a *admin) listAdjustments(ctx context.Context, in *adjustmentsInput) (*api.Reply[AdjustmentPage], error) {
	bound := seal.Binding{Owner: visitOf(ctx).subject, Query: strings.Join([]string{"adjustments", in.State, in.KOC}, "&")}
	after, err := a.keys.OpenCursor(bound, in.Cursor)
	if err != nil {
		return nil, err
	}
	found, next, err := a.store.ListAdjustments(ctx, store.AdjustmentFilter{State: ledger.AdjustmentState(in.State), KOC: in.KOC}, after, in.Limit.Size())
	if err != nil {
		return nil, err
	}
	page := AdjustmentPage{Items: make([]Adjustment, len(found)), Next: a.keys.Cursor(bound, next)}
	for i, x := range found {
		page.Items[i] = viewAdjustment(x)
	}
	return &api.Reply[AdjustmentPage]{Body: page}, nil
}
