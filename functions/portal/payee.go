package main

import (
	"context"
	"time"

	"yundian/shared/cashier"
	"yundian/shared/payout"
	"yundian/shared/store"
)

// PayoutMethod is where a KOC's payouts go, as the KOC sees it.
type PayoutMethod struct {
	Rail      string     `json:"rail" doc:"One of shop.payoutRails, or one that the shop has stopped offering"`
	Account   string     `json:"account" doc:"Its end only"`
	Name      string     `json:"name" doc:"Of the account's holder"`
	Verified  bool       `json:"verified" doc:"Whether the shop has verified the name; nothing is paid out before"`
	ChangedAt time.Time  `json:"changedAt"`
	HeldUntil *time.Time `json:"heldUntil,omitempty" doc:"Payouts wait until then, because the method was changed"`
}

// payoutMethod is the KOC's method as it is now; nil when there is none.
func (p *portal) payoutMethod(ctx context.Context, handle string) (*PayoutMethod, error) {
	m, err := p.store.Payee(ctx, handle)
	if err != nil || m.Version == 0 {
		return nil, err
	}
	d, err := cashier.OpenPayee(p.box, handle, m)
	if err != nil {
		return nil, err
	}
	v := PayoutMethod{Rail: m.Rail, Account: m.Mask, Name: d.Name, Verified: m.Verified != nil, ChangedAt: m.At.UTC()}
	if m.Held(p.now()) != nil {
		until := m.HeldUntil.UTC()
		v.HeldUntil = &until
	}
	return &v, nil
}

// PayoutEdit is a payout method to be had from now on.
type PayoutEdit struct {
	Rail    string `json:"rail" maxLength:"30" doc:"One of shop.payoutRails"`
	Account string `json:"account" maxLength:"80" doc:"Card number or IBAN for bank"`
	Name    string `json:"name" maxLength:"400" doc:"Of the account's holder, 1 to 80 characters; verified by the shop"`
}

// payeeWrites are the writes of a KOC's new payout method; none when it is the one that there is.
func (p *portal) payeeWrites(ctx context.Context, handle string, e *PayoutEdit) ([]store.Write, error) {
	if e == nil {
		return nil, nil
	}
	if err := p.rails.Offered(ctx, e.Rail); err != nil {
		return nil, err
	}
	wanted, err := payout.NewDestination(e.Rail, e.Account, e.Name)
	if err != nil {
		return nil, err
	}
	return cashier.Paymaster{Store: p.store, Box: p.box}.PayeeWrites(ctx, handle, e.Rail, wanted, p.now())
}
