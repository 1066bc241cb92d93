package webhook

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"yundian/shared/fail"
	"yundian/shared/ledger"
	"yundian/shared/seal"
	"yundian/shared/shop"
)

// Limits of an owner's endpoints.
const (
	MaxEndpoints = 5   // each is one more delivery for every entry
	MaxURL       = 500 // bytes
	maxSecrets   = 3   // signing at the same time
)

// Overlap is how long a replaced secret goes on signing beside the new one, so that receivers can change it at their
// own time.
const Overlap = 24 * time.Hour

// An endpoint that answers nothing well for so long and so often is given up until its owner says that it works again.
const (
	deadAfter    = 3 * 24 * time.Hour
	deadFailures = 20
)

// Endpoints are everything that one owner wants to hear at. They are one item of the store, so that a batch of events
// finds all of its receivers in one round, and a limit on their number holds whatever races.
type Endpoints struct {
	Owner   Owner
	Version int64
	List    []Endpoint
}

// Endpoint is one receiver.
type Endpoint struct {
	ID        string
	URL       string
	Kinds     []ledger.Kind // which entries it hears of; empty for all
	Secrets   []Secret      // the current one first
	CreatedAt time.Time
	Paused    bool `json:",omitzero"` // by its owner: nothing is recorded for it

	// How it fares. A success forgets every failure before it.
	FailingSince time.Time `json:",omitzero"`
	Failures     int       `json:",omitzero"` // attempts since then
	Dead         time.Time `json:",omitzero"` // given up; what happens is still recorded, and can be sent once it works
}

// Secret signs deliveries. It is kept encrypted and shown to its owner once.
type Secret struct {
	ID     string
	Sealed string
	MadeAt time.Time
	Until  time.Time `json:",omitzero"` // of one that was replaced
}

// SecretBinding is what a secret is sealed for: one put into another endpoint does not open.
func SecretBinding(owner Owner, endpoint string) seal.Binding {
	return seal.Binding{Owner: string(owner), Query: "webhook/" + endpoint}
}

// NewEndpoint is an endpoint for a checked address.
func NewEndpoint(id, address string, kinds []ledger.Kind, sealed string, now time.Time) Endpoint {
	return Endpoint{ID: id, URL: address, Kinds: kinds, CreatedAt: now.UTC(), Secrets: []Secret{{ID: "1", Sealed: sealed, MadeAt: now.UTC()}}}
}

// Find is where an endpoint stands in the list; NotFound when the owner has none of this id.
func (e Endpoints) Find(id string) (*Endpoint, error) {
	i := slices.IndexFunc(e.List, func(x Endpoint) bool { return x.ID == id })
	if i < 0 {
		return nil, Unknown()
	}
	return &e.List[i], nil
}

// Unknown answers an id that the owner has no endpoint of, whoever else may have one.
func Unknown() error {
	return fail.New(fail.NotFound, "endpoint_unknown", "There is no such webhook here.", nil)
}

// Add adds an endpoint.
func (e *Endpoints) Add(x Endpoint) error {
	if len(e.List) >= MaxEndpoints {
		return fail.New(fail.TooMany, "webhooks_too_many", "There are {limit} webhooks here, which is as many as there can be. Remove one first.", fail.Args{"limit": MaxEndpoints})
	}
	e.List = append(slices.Clone(e.List), x)
	return nil
}

// Remove takes an endpoint away; what is recorded for it expires.
func (e *Endpoints) Remove(id string) error {
	if _, err := e.Find(id); err != nil {
		return err
	}
	e.List = slices.DeleteFunc(slices.Clone(e.List), func(x Endpoint) bool { return x.ID == id })
	return nil
}

// Resume makes a paused endpoint, or one that was given up, hear again.
func (x *Endpoint) Resume() { x.Paused = false; x.forget() }

func (x *Endpoint) forget() { x.FailingSince, x.Failures, x.Dead = time.Time{}, 0, time.Time{} }

// Rotate makes a sealed secret the current one. Those before it go on signing for the Overlap, and a fourth at once is
// refused. It returns the new secret's id.
func (x *Endpoint) Rotate(sealed string, now time.Time) (string, error) {
	kept := slices.DeleteFunc(slices.Clone(x.Secrets), func(s Secret) bool { return !s.signs(now) })
	if len(kept) >= maxSecrets {
		return "", fail.New(fail.TooMany, "webhook_secrets", "{limit} secrets sign already. Wait until the oldest one stops.", fail.Args{"limit": maxSecrets})
	}
	n, err := strconv.Atoi(x.Secrets[0].ID)
	if err != nil {
		return "", fmt.Errorf("webhook: secret %q of endpoint %s", x.Secrets[0].ID, x.ID)
	}
	for i := range kept {
		if kept[i].Until.IsZero() {
			kept[i].Until = now.UTC().Add(Overlap)
		}
	}
	id := strconv.Itoa(n + 1)
	x.Secrets = append([]Secret{{ID: id, Sealed: sealed, MadeAt: now.UTC()}}, kept...)
	return id, nil
}

func (s Secret) signs(now time.Time) bool { return s.Until.IsZero() || now.Before(s.Until) }

// Signing are the secrets that sign now, the current one first.
func (x Endpoint) Signing(now time.Time) []Secret {
	return slices.DeleteFunc(slices.Clone(x.Secrets), func(s Secret) bool { return !s.signs(now) })
}

// Hears reports whether an event is recorded for the endpoint: not while its owner has paused it, and nothing from
// before it was made, so that a stream read again records nothing new.
func (x Endpoint) Hears(e Event) bool {
	return !x.Paused && !e.At.Before(x.CreatedAt) && (len(x.Kinds) == 0 || slices.Contains(x.Kinds, e.Data.Kind))
}

// Called reports whether anything is sent to the endpoint.
func (x Endpoint) Called() bool { return !x.Paused && x.Dead.IsZero() }

// Fares notes the attempts of one run: how many succeeded and failed. It reports whether the endpoint changed by that,
// and gives up one that has failed for too long.
func (x *Endpoint) Fares(succeeded, failed int, now time.Time) (changed bool) {
	switch {
	case succeeded > 0:
		changed = x.Failures > 0 || !x.Dead.IsZero()
		x.forget()
		return changed
	case failed == 0:
		return false
	case x.Failures == 0:
		x.FailingSince = now.UTC()
	}
	x.Failures += failed
	if x.Dead.IsZero() && x.Failures >= deadFailures && now.Sub(x.FailingSince) >= deadAfter {
		x.Dead = now.UTC()
	}
	return true
}

// Wait is how long to leave a failing endpoint alone, at most half an hour: whatever else is due for it waits with what
// it refused, so that a dead receiver costs one attempt and not one for each event.
func (x Endpoint) Wait() time.Duration {
	return min(waits[min(max(x.Failures, 1), len(waits))-1], 30*time.Minute)
}

// CheckURL refuses an address to which nothing may be sent: anything but https, credentials, fragments, addresses in
// digits, and names that only a local network knows. What a name resolves to is checked when it is called.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || len(address) > MaxURL || !shop.PlainAddress(address) || u.Scheme != "https" || u.Opaque != "" || u.User != nil ||
		u.Fragment != "" || strings.Contains(address, "#") || !publicName(u.Hostname()) || !openPort(u.Port()) {
		return fail.NewFields([]fail.Field{fail.At("body.url", "webhook_url", "An https address on a public host, without credentials, at most {limit} bytes.", fail.Args{"limit": MaxURL})})
	}
	return nil
}

// publicName reports whether a host is a name of ASCII letters, digits, hyphens and dots that anybody can look up. Names in
// other scripts are sent as what DNS knows them by, xn--….
func publicName(host string) bool {
	plain := strings.Trim(strings.ToLower(host), "abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
	return len(host) <= 253 && plain && !strings.Contains(host, "..") && strings.Trim(host, ".") == host && shop.PublicHost(host)
}

// openPort reports whether a port is one that receivers listen on: none, 443, or one that needs no privilege. It keeps
// the shop from knocking on other services of the receiver's machine.
func openPort(port string) bool {
	n, err := strconv.Atoi(port)
	return port == "" || err == nil && (n == 443 || n >= 1024 && n <= 65535)
}
