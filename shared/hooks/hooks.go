// Package hooks is the API with which KOCs and operators look after their webhooks: the same operations under both
// logins, each of which sees its own endpoints and nobody else's.
//
//	desk := hooks.Desk{Store: s, Box: box, Cursors: keys, Courier: courier.New(runtimeAPI), Now: time.Now, Random: rand.Text}
//	desk.Register(v1, hooks.API{Prefix: "/v1/webhooks", Name: "Webhook", Describe: operation, Who: who})
package hooks

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yundian/shared/courier"
	"yundian/shared/ledger"
	"yundian/shared/once"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/web/api"
	"yundian/shared/webhook"
)

// Desk answers the operations.
type Desk struct {
	Store   *store.Store
	Box     seal.Box  // seals secrets
	Cursors seal.Ring // seals positions in lists
	Courier *courier.Courier
	Now     func() time.Time
	Random  func() string // fresh random text of at least 128 bits
}

// Visitor is who asks: the login, and the owner that it speaks for.
type Visitor struct {
	Subject string
	Owner   webhook.Owner
}

// API is where the operations stand, and for whom.
type API struct {
	Prefix   string // /v1/webhooks
	Name     string // begins or is part of the operations' ids: Webhook gives listWebhooks
	Describe func(id, method, path, summary string) huma.Operation
	Who      func(context.Context) Visitor // the one that the function's own guard has let in
}

// desk is a Desk under one API.
type desk struct {
	Desk
	API
}

// Register adds the operations to a function's API.
func (d Desk) Register(to *api.Operations, a API) {
	x := desk{d, a}
	one := a.Prefix + "/{id}"
	api.Register(to, a.Describe("list"+a.Name+"s", "GET", a.Prefix, "Webhooks, oldest first"), x.list)
	add := status(http.StatusCreated, a.Describe("add"+a.Name, "POST", a.Prefix, "Add a webhook; its secret is shown here only"))
	add.Description = receiving
	api.Register(to, add, x.add)
	api.Register(to, a.Describe("get"+a.Name, "GET", one, "One webhook and how it fares"), x.get)
	api.Register(to, a.Describe("change"+a.Name, "PATCH", one, "Change a webhook, pause it, or switch it on again"), x.change)
	api.Register(to, status(http.StatusNoContent, a.Describe("remove"+a.Name, "DELETE", one, "Remove a webhook")), x.remove)
	api.Register(to, a.Describe("rotate"+a.Name, "POST", one+"/rotate", "Make a new secret; the one before goes on signing for 24 hours"), x.rotate)
	api.Register(to, status(http.StatusAccepted, a.Describe("test"+a.Name, "POST", one+"/test", "Send a test event within a minute")), x.test)
	api.Register(to, a.Describe("list"+a.Name+"Deliveries", "GET", one+"/deliveries", "What was recorded for a webhook in 30 days, newest event first"), x.listDeliveries)
	api.Register(to, a.Describe("redeliver"+a.Name, "POST", one+"/redeliver", "Send what was recorded since a time or after an event again"), x.redeliver)
}

// receiving is what whoever writes a receiver has to know.
const receiving = `Every entry is one event: POST {"id", "type", "at", "data"} with data as in the list of entries. Answer 2xx within five seconds.

Events are sent at least once and in no order: drop ids that you have seen, and sort by at. What is not answered well is sent again after 1, 5 and 30 minutes, 2, 6, 12 and 24 hours; redirects are not followed.

Check Yundian-Signature: t=<Unix seconds>,v1=<hex>, where one v1 must be the HMAC SHA-256 of t, a dot and the body as it came, under your secret; refuse it when t is more than five minutes from your clock. While a secret is being replaced there are several v1.`

func status(code int, o huma.Operation) huma.Operation {
	o.DefaultStatus = code
	return o
}

// Webhook is an endpoint as its owner sees it.
type Webhook struct {
	ID           string       `json:"id"`
	URL          string       `json:"url"`
	Kinds        []string     `json:"kinds" doc:"Entries that it hears of; empty for all"`
	Status       string       `json:"status" enum:"active,paused,dead" doc:"dead: it has answered nothing for three days; what happens is recorded and not sent"`
	CreatedAt    time.Time    `json:"createdAt"`
	FailingSince *time.Time   `json:"failingSince,omitempty" doc:"Of the first failure since the last success"`
	Secrets      []HookSecret `json:"secrets" doc:"Those that sign now, the current one first"`
}

// HookSecret is a secret without itself.
type HookSecret struct {
	ID     string     `json:"id"`
	MadeAt time.Time  `json:"madeAt"`
	Until  *time.Time `json:"until,omitempty" doc:"Of one that was replaced"`
}

// NewWebhook is an endpoint with the secret that was just made.
type NewWebhook struct {
	Webhook
	Secret string `json:"secret,omitempty" doc:"Signs deliveries: Yundian-Signature: t=<Unix seconds>,v1=<hex HMAC SHA-256 of t.body>. Shown here only; asking again with the same Idempotency-Key shows it again while it signs"`
}

// WebhookPage is all endpoints of an owner.
type WebhookPage struct {
	Items []Webhook `json:"items"`
}

func (d Desk) view(x webhook.Endpoint) Webhook {
	v := Webhook{ID: x.ID, URL: x.URL, Kinds: []string{}, Status: "active", CreatedAt: x.CreatedAt.UTC(), Secrets: []HookSecret{}}
	for _, k := range x.Kinds {
		v.Kinds = append(v.Kinds, string(k))
	}
	switch {
	case x.Paused:
		v.Status = "paused"
	case !x.Dead.IsZero():
		v.Status = "dead"
	}
	if !x.FailingSince.IsZero() {
		since := x.FailingSince.UTC()
		v.FailingSince = &since
	}
	for _, s := range x.Signing(d.Now()) {
		h := HookSecret{ID: s.ID, MadeAt: s.MadeAt.UTC()}
		if !s.Until.IsZero() {
			until := s.Until.UTC()
			h.Until = &until
		}
		v.Secrets = append(v.Secrets, h)
	}
	return v
}

// maxID bounds the ids that are looked up, in bytes.
const maxID = 64

// find is one of the visitor's own endpoints.
func (d desk) find(ctx context.Context, id string) (webhook.Endpoint, error) {
	if len(id) > maxID {
		return webhook.Endpoint{}, webhook.Unknown()
	}
	owner := d.Who(ctx).Owner
	found, err := d.Store.Webhooks(ctx, []webhook.Owner{owner})
	if err != nil {
		return webhook.Endpoint{}, err
	}
	e := found[owner]
	x, err := e.Find(id)
	if err != nil {
		return webhook.Endpoint{}, err
	}
	return *x, nil
}

func (d desk) list(ctx context.Context, _ *struct{}) (*api.Reply[WebhookPage], error) {
	page, err := d.List(ctx, d.Who(ctx).Owner)
	return &api.Reply[WebhookPage]{Body: page}, err
}

// List is all endpoints of an owner, without secrets. Who may see them is for the caller to decide.
func (d Desk) List(ctx context.Context, owner webhook.Owner) (WebhookPage, error) {
	found, err := d.Store.Webhooks(ctx, []webhook.Owner{owner})
	page := WebhookPage{Items: []Webhook{}}
	for _, x := range found[owner].List {
		page.Items = append(page.Items, d.view(x))
	}
	return page, err
}

// OneWebhook is the input of operations on one endpoint.
type OneWebhook struct {
	ID string `path:"id"`
}

func (d desk) get(ctx context.Context, in *OneWebhook) (*api.Reply[Webhook], error) {
	x, err := d.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &api.Reply[Webhook]{Body: d.view(x)}, nil
}

// wish is a write that a client may send again; doing is its method and what follows the prefix in its path.
func (d desk) wish(ctx context.Context, key, method, path string, body any) once.Wish {
	return once.Wish{Owner: d.Who(ctx).Subject, Route: method + " " + d.Prefix + path, Key: key, Body: body}
}

type addInput struct {
	api.Keyed
	Body struct {
		URL   string   `json:"url" maxLength:"500" doc:"https address on a public host"`
		Kinds []string `json:"kinds,omitempty" enum:"accrual,refund,release,clawback,bonus,adjustment,payout,tax,fee" uniqueItems:"true" doc:"Entries to hear of; none for all"`
	}
}

func kinds(names []string) []ledger.Kind {
	out := make([]ledger.Kind, len(names))
	for i, name := range names {
		out[i] = ledger.Kind(name)
	}
	return out
}

// made is what is recorded of a request that made a secret: which one, and never the secret.
type made struct{ ID, Secret string }

// newSecret is a secret that receivers recognise as one of ours.
func (d desk) newSecret() string { return "whsec_" + d.Random() }

func (d desk) add(ctx context.Context, in *addInput) (*api.Reply[NewWebhook], error) {
	if err := d.Courier.Check(ctx, in.Body.URL); err != nil {
		return nil, err
	}
	owner, now := d.Who(ctx).Owner, d.Now()
	m, err := once.Do(ctx, d.Store, d.wish(ctx, in.Key, "POST", "", in.Body), now, func(record once.Record[made]) (made, error) {
		id := "wh_" + strings.ToLower(d.Random())
		x := webhook.NewEndpoint(id, in.Body.URL, kinds(in.Body.Kinds), d.Box.Seal(webhook.SecretBinding(owner, id), d.newSecret()), now)
		m := made{x.ID, x.Secrets[0].ID}
		return m, d.update(ctx, record, m, func(e *webhook.Endpoints) error { return e.Add(x) })
	})
	if err != nil {
		return nil, err
	}
	return d.answerNew(ctx, m)
}

// update changes the visitor's endpoints and records what the request is answered with, in one transaction.
func (d desk) update(ctx context.Context, record once.Record[made], m made, change func(*webhook.Endpoints) error) error {
	reply, err := record(m)
	if err != nil {
		return err
	}
	_, err = d.Store.UpdateWebhooks(ctx, d.Who(ctx).Owner,
		func(e *webhook.Endpoints) (bool, error) { return true, change(e) },
		func(webhook.Endpoints) []store.Write { return reply })
	return err
}

// answerNew shows an endpoint with the secret that a request made, while that one signs.
func (d desk) answerNew(ctx context.Context, m made) (*api.Reply[NewWebhook], error) {
	x, err := d.find(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	out := NewWebhook{Webhook: d.view(x)}
	for _, s := range x.Signing(d.Now()) {
		if s.ID != m.Secret {
			continue
		}
		if out.Secret, err = d.Box.Open(webhook.SecretBinding(d.Who(ctx).Owner, x.ID), s.Sealed); err != nil {
			return nil, err
		}
	}
	return &api.Reply[NewWebhook]{Body: out}, nil
}

type changeInput struct {
	api.Keyed
	OneWebhook
	Body struct {
		URL    *string  `json:"url,omitempty" maxLength:"500"`
		Kinds  []string `json:"kinds,omitempty" enum:"accrual,refund,release,clawback,bonus,adjustment,payout,tax,fee" uniqueItems:"true" doc:"An empty list for all"`
		Active *bool    `json:"active,omitempty" doc:"false pauses it: nothing is recorded; true switches it on again, also when it was given up"`
	}
}

func (d desk) change(ctx context.Context, in *changeInput) (*api.Reply[Webhook], error) {
	if in.Body.URL != nil {
		if err := d.Courier.Check(ctx, *in.Body.URL); err != nil {
			return nil, err
		}
	}
	err := d.edit(ctx, in.Key, "PATCH", in.ID, "", in.Body, func(x *webhook.Endpoint) error {
		if in.Body.URL != nil {
			x.URL = *in.Body.URL
		}
		if in.Body.Kinds != nil {
			x.Kinds = kinds(in.Body.Kinds)
		}
		switch {
		case in.Body.Active == nil:
		case *in.Body.Active:
			x.Resume()
		default:
			x.Paused = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return d.get(ctx, &in.OneWebhook)
}

// edit changes one endpoint, once for each key.
func (d desk) edit(ctx context.Context, key, method, id, act string, body any, change func(*webhook.Endpoint) error) error {
	if len(id) > maxID {
		return webhook.Unknown()
	}
	_, err := once.Do(ctx, d.Store, d.wish(ctx, key, method, "/"+id+act, body), d.Now(), func(record once.Record[made]) (made, error) {
		return made{}, d.update(ctx, record, made{}, func(e *webhook.Endpoints) error {
			x, err := e.Find(id)
			if err != nil {
				return err
			}
			return change(x)
		})
	})
	return err
}

type actInput struct {
	api.Keyed
	OneWebhook
	Body *struct{}
}

func (d desk) remove(ctx context.Context, in *struct {
	api.Keyed
	OneWebhook
}) (*struct{}, error) {
	if len(in.ID) > maxID {
		return nil, webhook.Unknown()
	}
	_, err := once.Do(ctx, d.Store, d.wish(ctx, in.Key, "DELETE", "/"+in.ID, nil), d.Now(), func(record once.Record[made]) (made, error) {
		return made{}, d.update(ctx, record, made{}, func(e *webhook.Endpoints) error { return e.Remove(in.ID) })
	})
	return nil, err
}

func (d desk) rotate(ctx context.Context, in *actInput) (*api.Reply[NewWebhook], error) {
	if len(in.ID) > maxID {
		return nil, webhook.Unknown()
	}
	owner, now := d.Who(ctx).Owner, d.Now()
	sealed := d.Box.Seal(webhook.SecretBinding(owner, in.ID), d.newSecret())
	m, err := once.Do(ctx, d.Store, d.wish(ctx, in.Key, "POST", "/"+in.ID+"/rotate", nil), now, func(record once.Record[made]) (made, error) {
		x, err := d.find(ctx, in.ID)
		if err != nil {
			return made{}, err
		}
		seen := x.Secrets[0].ID
		next, err := x.Rotate(sealed, now)
		if err != nil {
			return made{}, err
		}
		m := made{in.ID, next}
		return m, d.update(ctx, record, m, func(e *webhook.Endpoints) error {
			x, err := e.Find(in.ID)
			if err != nil {
				return err
			}
			if x.Secrets[0].ID != seen {
				return store.ChangedMeanwhile()
			}
			_, err = x.Rotate(sealed, now)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return d.answerNew(ctx, m)
}
