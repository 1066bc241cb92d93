package webhook

import "time"

// State is where a delivery stands.
type State string

// The states of a delivery.
const (
	Due       State = "due"       // will be attempted
	Delivered State = "delivered" // the receiver answered 2xx
	Failed    State = "failed"    // given up after the last attempt
	Kept      State = "kept"      // recorded while its endpoint could not be called: waits to be sent again by its owner
)

// waits are the pauses after each failed attempt; after the attempt that follows the last pause a delivery is given up.
// Together they are 45 hours: a receiver that breaks on one evening is still heard of on the second morning after it.
var waits = []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour}

// KeepDays is how long deliveries are kept, and can be sent again.
const KeepDays = 30

// Progress is how far something has come on its way out, attempt by attempt.
type Progress struct {
	State    State
	Attempts int       `json:",omitzero"`
	Due      time.Time `json:",omitzero"` // the next attempt
	Tried    time.Time `json:",omitzero"` // when the last attempt was made
	Status   int       `json:",omitzero"` // HTTP status of its answer, 0 without one
	Problem  string    `json:",omitzero"` // code of why it failed; empty after a success
}

// Begin is the progress of something new. Whoever records it attempts it at once; if that never comes to an end, it is
// due a minute later.
func Begin(now time.Time) Progress { return Progress{State: Due, Due: now.UTC().Add(waits[0])} }

// Succeed notes an attempt that was answered well.
func (p *Progress) Succeed(status int, now time.Time) {
	*p = Progress{State: Delivered, Attempts: p.Attempts + 1, Tried: now.UTC(), Status: status}
}

// Fail notes an attempt that failed, and when the next one is due, if there is one.
func (p *Progress) Fail(status int, problem string, now time.Time) {
	next := Progress{State: Failed, Attempts: p.Attempts + 1, Tried: now.UTC(), Status: status, Problem: problem}
	if p.Attempts < len(waits) {
		next.State, next.Due = Due, now.UTC().Add(waits[p.Attempts])
	}
	*p = next
}

// IsDue reports whether an attempt should be made by now.
func (p Progress) IsDue(now time.Time) bool { return p.State == Due && !p.Due.After(now) }

// Postpone makes it due later without an attempt.
func (p *Progress) Postpone(until time.Time) { p.Due = until.UTC() }

// Keep puts it aside: nobody can be called.
func (p *Progress) Keep() { p.State, p.Due = Kept, time.Time{} }

// Again makes it due now, as if it had never been attempted.
func (p *Progress) Again(now time.Time) { p.State, p.Due, p.Attempts = Due, now.UTC(), 0 }

// Delivery is one event for one endpoint.
type Delivery struct {
	Owner    Owner
	Endpoint string // id
	Event    Event
	Progress
	Version int64 `json:"-"`
}

// NewDelivery records an event for an endpoint. For one that fails it waits until the endpoint is tried again; for one
// that was given up it is kept.
func NewDelivery(owner Owner, x Endpoint, e Event, now time.Time) Delivery {
	d := Delivery{Owner: owner, Endpoint: x.ID, Event: e, Progress: Begin(now)}
	switch {
	case !x.Dead.IsZero():
		d.Keep()
	case x.Failures > 0:
		d.Postpone(now.Add(x.Wait()))
	}
	return d
}
