package main

import (
	"context"
	"fmt"
	"time"

	"yundian/shared/cashier"
	"yundian/shared/fail"
	"yundian/shared/identity"
	"yundian/shared/ordering"
	"yundian/shared/payout"
	"yundian/shared/store"
)

// PayoutMethod is where a KOC's payouts go, as the KOC sees it.
type PayoutMethod struct {
	Rail      string        `json:"rail" doc:"One of shop.payoutRails, or one that the shop has stopped offering"`
	Account   string        `json:"account" doc:"Its end only"`
	Name      string        `json:"name" doc:"Of the account's holder"`
	Contact   HolderContact `json:"contact,omitzero"`
	Verified  bool          `json:"verified" doc:"Whether the shop has verified the name; nothing is paid out before"`
	ChangedAt time.Time     `json:"changedAt"`
	HeldUntil *time.Time    `json:"heldUntil,omitempty" doc:"Payouts wait until then, because the method or the e-mail address was changed"`
}

// payoutMethod is the KOC's method as it is now; nil when there is none.
func (p *portal) payoutMethod(ctx context.Context, handle string) (*PayoutMethod, error) {
	m, err := cashier.Paymaster{Store: p.store}.Payee(ctx, handle)
	if err != nil || m.Version == 0 {
		return nil, err
	}
	d, err := cashier.OpenPayee(p.box, handle, m)
	if err != nil {
		return nil, err
	}
	v := PayoutMethod{Rail: m.Rail, Account: m.Mask, Name: d.Name, Contact: viewContact(d.Contact), Verified: m.Verified != nil, ChangedAt: m.At.UTC()}
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

	Contact *HolderContact `json:"contact,omitempty" doc:"Where the account's holder is reached; without it the one that there is stays"`
}

// HolderContact is where the holder of a payout account is reached, which some banks ask for.
type HolderContact struct {
	Phone   string        `json:"phone,omitempty" maxLength:"100" doc:"With its country code, such as +86 138 0000 0000"`
	Address HolderAddress `json:"address,omitzero"`
}

// HolderAddress is a postal address.
type HolderAddress struct {
	Country  string `json:"country,omitempty" maxLength:"100" doc:"Two letters, such as CN"`
	Region   string `json:"region,omitempty" maxLength:"300"`
	City     string `json:"city,omitempty" maxLength:"300"`
	District string `json:"district,omitempty" maxLength:"300"`
	Division string `json:"division,omitempty" maxLength:"100" doc:"Six-digit code of the district (GB/T 2260), for China"`
	Line1    string `json:"line1,omitempty" maxLength:"1000"`
	Postcode string `json:"postcode,omitempty" maxLength:"100"`
}

// told is a contact as one text; nothing of it is the empty one.
func (c *HolderContact) told() string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf("%q", []string{c.Phone, c.Address.Country, c.Address.Region, c.Address.City, c.Address.District, c.Address.Division, c.Address.Line1, c.Address.Postcode})
}

func viewContact(c payout.Contact) HolderContact {
	return HolderContact{Phone: c.Phone, Address: HolderAddress(c.Address)}
}

// payeeWrites are the writes of a KOC's new payout method, none when it is the one that there is; and the hashes of its
// contact, by which orders of the KOC's own are recognised.
func (p *portal) payeeWrites(ctx context.Context, handle string, e *PayoutEdit) ([]store.Write, identity.Hashes, error) {
	if e == nil {
		return nil, nil, nil
	}
	if err := p.rails.Offered(ctx, e.Rail); err != nil {
		return nil, nil, err
	}
	wanted, err := payout.NewDestination(e.Rail, e.Account, e.Name)
	var contact *payout.Contact
	var own identity.Hashes
	if e.Contact != nil {
		read, wrong := payout.ReadContact(payout.Contact{Phone: e.Contact.Phone, Address: ordering.Address(e.Contact.Address)})
		err = fail.Join(err, wrong)
		contact, own = &read, ordering.IdentityOf(p.identity, ordering.Contact{Phone: read.Phone}, read.Address)
	}
	if err != nil {
		return nil, nil, err
	}
	writes, err := cashier.Paymaster{Store: p.store, Box: p.box}.PayeeWrites(ctx, handle, e.Rail, wanted, contact, p.now())
	return writes, own, err
}
