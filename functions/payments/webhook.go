package main

import (
	"io"
	"log/slog"
	"net/http"

	"yundian/shared/fail"
	"yundian/shared/telemetry"
	"yundian/shared/web"
)

// maxWebhook bounds a webhook's body; Stripe's largest events stay below it.
const maxWebhook = 256 << 10

// webhook verifies an event byte for byte as it arrived and records it once. 204 tells the provider to forget it,
// 4xx that it will never be accepted, 5xx to send it again. An event that contradicts its order raises an alarm.
func (p *payments) webhook(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("provider")
	source, err := p.providers.Get(r.Context(), name)
	if err != nil {
		if fail.KindOf(err) != fail.Internal {
			err = fail.New(fail.NotFound, "provider_unknown", "This store has no such payment provider.", nil)
		}
		web.WriteProblem(w, r, err)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxWebhook+1))
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	if len(body) > maxWebhook {
		web.WriteProblem(w, r, fail.New(fail.Invalid, web.CodeTooLarge, "What was sent is larger than {limit} bytes.", fail.Args{"limit": maxWebhook}))
		return
	}
	event, err := source.Event(r.Header, body, p.now())
	if err != nil {
		web.WriteProblem(w, r, err) // not provably from the provider: no news, and no alarm that anybody could raise
		return
	}
	if err := p.cashier.Record(r.Context(), name, event, p.now()); err != nil {
		if fail.KindOf(err) != fail.Internal {
			telemetry.Count(r.Context(), "WebhookRefused", 1)
			slog.ErrorContext(r.Context(), "webhook contradicts its order", "provider", name, "event", event.ID, "order", event.OrderID, "error", err)
		}
		web.WriteProblem(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
