package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"mime"
	"strings"
	"time"

	"yundian/shared/cashier"
	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/once"
	"yundian/shared/payout"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/web"
	"yundian/shared/web/api"
)

// PayoutFile is a file for the bank.
type PayoutFile struct {
	ID        string       `json:"id"`
	Currency  string       `json:"currency"`
	CreatedAt time.Time    `json:"createdAt"`
	By        string       `json:"by"`
	Payouts   []string     `json:"payouts" doc:"Their ids, in the order of the lines"`
	Total     money.Amount `json:"total" doc:"To be transferred"`
}

// ListedPayoutFile is a file for the bank in a list.
type ListedPayoutFile struct {
	ID        string    `json:"id"`
	Currency  string    `json:"currency"`
	CreatedAt time.Time `json:"createdAt"`
	By        string    `json:"by"`
	Open      bool      `json:"open,omitempty" doc:"Still being filled: the next one that is made of the currency completes it"`
}

// PayoutFilePage is a page of files, newest first.
type PayoutFilePage struct {
	Items []ListedPayoutFile `json:"items"`
	Next  string             `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one"`
}

func (a *admin) listPayoutFiles(ctx context.Context, in *struct{ api.Paging }) (*api.Reply[PayoutFilePage], error) {
	bound := seal.Binding{Owner: visitOf(ctx).subject, Query: "payout files"}
	after, err := a.keys.OpenCursor(bound, in.Cursor)
	if err != nil {
		return nil, err
	}
	files, next, err := a.store.ListBankFiles(ctx, after, in.Limit.Size())
	if err != nil {
		return nil, err
	}
	page := PayoutFilePage{Items: make([]ListedPayoutFile, len(files)), Next: a.keys.Cursor(bound, next)}
	for i, f := range files {
		page.Items[i] = ListedPayoutFile{ID: f.ID, Currency: string(f.Currency), CreatedAt: f.At.UTC(), By: f.By, Open: !f.Closed}
	}
	return &api.Reply[PayoutFilePage]{Body: page}, nil
}

type makeFileInput struct {
	api.KeyRequired
	Body struct {
		Currency string `json:"currency" minLength:"3" maxLength:"3"`
	}
}

// makePayoutFile collects approved bank payouts into a file. Each comes into one file, once.
func (a *admin) makePayoutFile(ctx context.Context, in *makeFileInput) (*api.Reply[PayoutFile], error) {
	currency, err := money.ParseCurrency(in.Body.Currency)
	if err != nil {
		return nil, fail.NewFields([]fail.Field{fail.At("body.currency", "currency_unknown", "{currency} is not an ISO 4217 currency code.", fail.Args{"currency": clip(in.Body.Currency)})})
	}
	by := visitOf(ctx).subject
	id, err := once.Do(ctx, a.store, wish(ctx, in.Key, in.Body), a.now(), func(record once.Record[string]) (string, error) {
		wanted := payout.File{ID: cashier.FileID("file", by, in.Key, in.Body.Currency), Currency: currency, At: a.now(), By: by}
		made, err := a.paymaster.MakeFile(ctx, wanted, func(f payout.File) ([]store.Write, error) { return record(f.ID) })
		return made.ID, err
	})
	if err != nil {
		return nil, err
	}
	f, err := a.store.BankFile(ctx, id)
	if err != nil {
		return nil, err
	}
	payouts, err := a.paymaster.InFile(ctx, f)
	if err != nil {
		return nil, err
	}
	total, err := cashier.Sum(payouts, f.Currency)
	v := PayoutFile{ID: f.ID, Currency: string(f.Currency), CreatedAt: f.At.UTC(), By: f.By, Payouts: make([]string, len(payouts)), Total: total}
	for i, p := range payouts {
		v.Payouts[i] = p.ID
	}
	return &api.Reply[PayoutFile]{Body: v}, err
}

// fileOf answers an id that cannot be a file's like one that no file has.
func (a *admin) fileOf(ctx context.Context, id string) (payout.File, error) {
	if !cashier.ValidFileID(id) {
		return payout.File{}, store.BankFileUnknown(clip(id))
	}
	return a.store.BankFile(ctx, id)
}

// csvReply is an answer that is saved as a file.
type csvReply struct {
	Type        string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Cache       string `header:"Cache-Control"`
	Body        []byte
}

type fileInput struct {
	ID string `path:"id"`
}

// readPayoutFile gives the lines for the bank. They hold names and accounts, so auditors do not see them; who has read them
// stands in the log.
func (a *admin) readPayoutFile(ctx context.Context, in *fileInput) (*csvReply, error) {
	f, err := a.fileOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	v := visitOf(ctx)
	if !v.writes {
		return nil, fail.New(fail.Denied, "accounts_operator_only", "Only operators see names and accounts.", nil)
	}
	lines, err := a.paymaster.WriteFile(ctx, f)
	if err != nil {
		return nil, err
	}
	slog.InfoContext(ctx, "bank file read", "file", f.ID, "by", v.subject)
	return &csvReply{Type: "text/csv; charset=utf-8", Disposition: `attachment; filename="payouts-` + f.ID + `.csv"`, Cache: "no-store", Body: lines}, nil
}

// PayoutFileResult is what a bank's answer to a file says.
type PayoutFileResult struct {
	Paid   int      `json:"paid"`
	Failed int      `json:"failed"`
	Open   []string `json:"open" doc:"Payouts of which it says nothing yet"`
}

type fileResultInput struct {
	api.KeyRequired
	ID       string `path:"id"`
	Type     string `header:"Content-Type" hidden:"true"`
	Encoding string `header:"Content-Encoding" hidden:"true"`
	RawBody  []byte `contentType:"text/csv"`
}

// recordFileResult takes the bank's answer to a file: all of it, or nothing.
func (a *admin) recordFileResult(ctx context.Context, in *fileResultInput) (*api.Reply[PayoutFileResult], error) {
	media, _, err := mime.ParseMediaType(in.Type)
	if err != nil || media != "text/csv" || in.Encoding != "" && !strings.EqualFold(in.Encoding, "identity") {
		return nil, fail.New(fail.Invalid, web.CodeMediaType, "Send {type} without compression.", fail.Args{"type": "text/csv"})
	}
	f, err := a.fileOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(in.RawBody)
	answer, err := once.Do(ctx, a.store, wish(ctx, in.Key, hex.EncodeToString(digest[:])), a.now(), func(record once.Record[PayoutFileResult]) (PayoutFileResult, error) {
		r, err := a.paymaster.Reconcile(ctx, f, in.RawBody, visitOf(ctx).subject, a.now())
		v := PayoutFileResult{Paid: r.Paid, Failed: r.Failed, Open: r.Open}
		if err != nil {
			return v, err
		}
		slog.InfoContext(ctx, "bank file reconciled", "file", f.ID, "paid", r.Paid, "failed", r.Failed, "open", len(r.Open))
		reply, err := record(v)
		if err != nil {
			return v, err
		}
		return v, a.store.SaveReplies(ctx, reply)
	})
	return &api.Reply[PayoutFileResult]{Body: answer}, err
}
