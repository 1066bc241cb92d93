package main

import (
	"context"

	"yundian/shared/hooks"
	"yundian/shared/koc"
	"yundian/shared/once"
	"yundian/shared/store"
	"yundian/shared/web/api"
	"yundian/shared/webhook"
)

// listKOCWebhooks shows where a KOC's events go. Operators see the addresses, and never a secret.
func (a *admin) listKOCWebhooks(ctx context.Context, in *kocID) (*api.Reply[hooks.WebhookPage], error) {
	if !koc.ValidHandle(in.ID) {
		return nil, unknownKOC(in.ID)
	}
	if _, err := a.store.KOC(ctx, in.ID); err != nil {
		return nil, err
	}
	page, err := a.hooks.List(ctx, webhook.OwnerOf(in.ID))
	return &api.Reply[hooks.WebhookPage]{Body: page}, err
}

type kocWebhookInput struct {
	api.Keyed
	ID      string `path:"id"`
	Webhook string `path:"webhook" maxLength:"64"`
}

// removeKOCWebhook takes an endpoint away from a KOC: one that belongs to somebody else meanwhile, or does harm.
func (a *admin) removeKOCWebhook(ctx context.Context, in *kocWebhookInput) (*struct{}, error) {
	if !koc.ValidHandle(in.ID) {
		return nil, unknownKOC(in.ID)
	}
	_, err := once.Do(ctx, a.store, wish(ctx, in.Key, nil), a.now(), func(record once.Record[done]) (done, error) {
		reply, err := record(done{})
		if err != nil {
			return done{}, err
		}
		_, err = a.store.UpdateWebhooks(ctx, webhook.OwnerOf(in.ID),
			func(e *webhook.Endpoints) (bool, error) { return true, e.Remove(in.Webhook) },
			func(webhook.Endpoints) []store.Write { return reply })
		return done{}, err
	})
	return nil, err
}
