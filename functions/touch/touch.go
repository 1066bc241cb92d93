package main

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"yundian/shared/attribution"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/telemetry"
	"yundian/shared/web"
)

// maxBody bounds the beacon's body in bytes: one token and the words around it.
const maxBody = 1 << 10

// seenWithin is how old the token of a page that is being seen can be. Pages are cached for a minute and kept open
// for hours; an older token is one that somebody kept to count again every day.
const seenWithin = 24 * time.Hour

type beacon struct {
	Token string `json:"token"`
}

// touch counts a page of a share link that a browser shows. What must not count is answered the same as what does,
// so that nobody can find out by trying what would.
func (t *touch) touch(w http.ResponseWriter, r *http.Request) {
	if err := web.SameSite(r, t.publicURL); err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	var b beacon
	err := web.Decode(r, &b, maxBody)
	if err == nil && b.Token == "" {
		err = fail.NewFields([]fail.Field{web.Fault("body.token", "field_required", "")})
	}
	if err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	now := t.now()
	code, at, genuine := attribution.TokenCode(t.keys, b.Token, now)
	handle, known := koc.HandleOf(code)
	if genuine && known && now.Sub(at) <= seenWithin && fromBrowser(r) {
		if err := t.record(r, store.Touch{Code: code, KOC: handle, At: now}); err != nil {
			web.WriteProblem(w, r, err)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

func (t *touch) record(r *http.Request, seen store.Touch) error {
	zone, err := t.zone.of(r.Context(), t.store, seen.At)
	if err != nil {
		return fmt.Errorf("touch %s: %w", seen.Code, err)
	}
	seen.Day = seen.At.In(zone).Format(time.DateOnly)
	seen.Visitor = visitor(t.identity, seen.Day, r)
	seen.Network = seal.Hash(t.identity, "network", seen.Day+"\n"+network(r.RemoteAddr))
	if err := t.store.SaveTouch(r.Context(), seen); err != nil {
		return fmt.Errorf("touch %s: %w", seen.Code, err)
	}
	telemetry.Count(r.Context(), "Touches", 1)
	return nil
}

// visitor names who looks, for one day only: a keyed hash of day, address and browser, which cannot be undone and
// cannot be linked to another day's.
func visitor(identity []byte, day string, r *http.Request) string {
	return seal.Hash(identity, "visitor", day+"\n"+network(r.RemoteAddr)+"\n"+r.UserAgent())
}

// network is the address, or the /64 network of an IPv6 address: devices change the rest of theirs every few hours.
func network(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if address = address.Unmap(); address.Is4() {
		return address.String()
	}
	prefix, err := address.WithZone("").Prefix(64)
	if err != nil {
		return host
	}
	return prefix.String()
}
