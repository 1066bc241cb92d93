package payout

import (
	"crypto/sha256"
	"encoding/base32"
	"reflect"
	"slices"
	"strings"
	"time"

	"yundian/shared/fail"
	"yundian/shared/money"
)

// Status is where a payout stands; it follows from its facts.
type Status string

// The statuses. Rejected, paid and failed are final.
const (
	Reserved Status = "reserved" // out of available; waits for a second person
	Approved Status = "approved" // waits to be sent
	Waiting  Status = "waiting"  // its KOC is suspended; waits for an operator's word
	Rejected Status = "rejected" // given back before anything was sent
	Sending  Status = "sending"  // given to the rail, or in a bank file
	Unknown  Status = "unknown"  // given to the rail, whose answer was lost
	Paid     Status = "paid"
	Failed   Status = "failed" // the rail says that the money never left; given back
)

// Statuses are all of them.
var Statuses = []Status{Reserved, Approved, Waiting, Rejected, Sending, Unknown, Paid, Failed}

// Cause is who wanted a payout.
type Cause string

// The causes.
const (
	Withdrawal Cause = "withdrawal" // the KOC
	Scheduled  Cause = "schedule"
	Manual     Cause = "operator"
)

// BySchedule is the maker of scheduled payouts; no login has this name.
const BySchedule = "schedule"

// Payout is money on its way to a KOC. Amounts are minor units of Currency, none negative.
type Payout struct {
	ID       string // also the idempotency key at the rail
	KOC      string
	Version  int64
	Currency money.Currency
	Cause    Cause
	By       string // the maker
	At       time.Time
	Day      string // local, of At

	Withdrawn int64
	Credit    int64 // of withdrawn, what the brand owed on the debt account; the rest leaves available
	Netted    int64 // of withdrawn, repays debt
	Gross     int64 // the rest of withdrawn
	Tax       int64 // of gross, withheld
	Fee       int64 // of gross, kept back
	Net       int64 // of gross, transferred; above zero

	Terms     int64  // version
	TaxPeriod string // in whose sum it counts; "" when nothing is withheld
	To        Target // as of the reservation

	Approvals []Approval
	Reopened  []Reopening // each takes the approval before it back
	Waits     []Wait      `json:",omitzero"` // one for each suspension of its KOC; the last maxWaits
	Rejected  *Rejection
	Export    *Export   // into a bank file
	Transfer  *Transfer // by a rail
	Outcome   *Outcome
	Disputed  []Outcome // what was said afterwards and contradicts the outcome; the first maxDisputed
}

// Target is a version of the KOC's method, and its rail.
type Target struct {
	Version int64
	Rail    string
}

// Approval is a second person's word that the payout may go to where the KOC's money then went.
type Approval struct {
	By        string
	At        time.Time
	To        Target
	NotBefore time.Time // a hold of the method that had not ended
}

// Reopening is why an approved payout has to be approved again.
type Reopening struct {
	At     time.Time
	Reason string // a code
}

// Wait keeps a payout back whose KOC is suspended, until an operator says that it may go on. A payout that was given to
// its rail or to the bank has left and does not wait.
type Wait struct {
	Since    time.Time // the suspension's beginning, which names it
	At       time.Time
	Released *Release
}

// Release is an operator's word that a payout may go on although its KOC is suspended.
type Release struct {
	By     string
	At     time.Time
	Reason string
}

// Rejection gives a payout back before it is sent.
type Rejection struct {
	By     string
	At     time.Time
	Reason string
}

// Export is the bank file that a payout stands in.
type Export struct {
	File string
	At   time.Time
	By   string
}

// Transfer is how far a rail is. The payout is sent again, under its own id, only after the rail said that it has never
// received it.
type Transfer struct {
	Sent       []time.Time // recorded before anything is sent; at most maxSends
	Asked      int         // answers that were not final, lost ones included
	Last       time.Time   // the last sending or answer
	Unclear    bool        // the last answer was lost
	Missing    bool        // the rail said that it has never received it, and it has not been sent since
	ProviderID string
}

// Outcome is how it ended: paid, or the money never left.
type Outcome struct {
	Paid      bool
	At        time.Time
	By        string // an operator, or the rail
	Reference string // the rail's or the bank's
	Reason    string // why it failed
}

// Limits of a payout, so that it stays one small item.
const (
	maxApprovals = 50 // a method that changes more often is a conversation, not a payout
	maxSends     = 50 // with the waits between them more than ten days
	maxDisputed  = 10
	maxWaits     = 10 // an older suspension no longer matters
)

// ID names a payout by its cause, so that the same cause makes one payout however often it is acted on: 25 letters and
// digits, which banks take as a reference.
func ID(cause ...string) string {
	h := sha256.Sum256([]byte(strings.Join(cause, "\x00")))
	return "p" + strings.ToLower(base32.StdEncoding.EncodeToString(h[:15]))
}

// ScheduledID is the id of the one payout that a schedule makes for a KOC on a day.
func ScheduledID(koc, day string, c money.Currency) string {
	return ID("schedule", koc, day, string(c))
}

var idForm = lazily(`^p[a-z2-7]{24}$`)

// ValidID reports whether a text can be a payout's id.
func ValidID(id string) bool { return idForm().MatchString(id) }

// UnknownID answers an id that no payout has.
func UnknownID(id string) error {
	return fail.New(fail.NotFound, "payout_unknown", "There is no payout {payout} here.", fail.Args{"payout": id})
}

// Status is where the payout stands.
func (p Payout) Status() Status {
	switch {
	case p.Outcome != nil && p.Outcome.Paid:
		return Paid
	case p.Outcome != nil:
		return Failed
	case p.Rejected != nil:
		return Rejected
	case p.Transfer != nil && (p.Transfer.Unclear || p.Transfer.Missing):
		return Unknown
	case p.Transfer != nil || p.Export != nil:
		return Sending
	case len(p.Waits) > 0 && p.Waits[len(p.Waits)-1].Released == nil:
		return Waiting
	case len(p.Approvals) > len(p.Reopened):
		return Approved
	default:
		return Reserved
	}
}

// Final reports whether nothing more can happen to the payout.
func (p Payout) Final() bool { return p.Outcome != nil || p.Rejected != nil }

// Target is where the payout goes: as approved, or as reserved while it is not.
func (p Payout) Target() Target {
	if len(p.Approvals) > 0 {
		return p.Approvals[len(p.Approvals)-1].To
	}
	return p.To
}

// Amount is what is transferred.
func (p Payout) Amount() money.Amount { return money.Of(p.Net, p.Currency) }

// Equal reports whether two payouts have the same facts.
func (p Payout) Equal(other Payout) bool { return reflect.DeepEqual(p, other) }

// Clone is a copy whose facts can grow without touching the original. What pointers lead to is replaced, never changed.
func (p Payout) Clone() Payout {
	p.Approvals, p.Reopened, p.Disputed, p.Waits = slices.Clone(p.Approvals), slices.Clone(p.Reopened), slices.Clone(p.Disputed), slices.Clone(p.Waits)
	return p
}

// wrongStatus refuses what a payout's status does not allow.
func (p Payout) wrongStatus() error {
	return fail.New(fail.Conflict, "payout_status", "This is not possible: the payout is {status}.", fail.Args{"status": p.Status()})
}

// Checker is who approves, and what the KOC's method and login are then.
type Checker struct {
	By        string
	Method    Method
	Subject   string    // the KOC's own login; empty when there is none
	Suspended time.Time // since when the KOC is; zero when they are not
}

// Approve lets the payout be sent to the KOC's method as it is now. Who made it, and whose it is, cannot approve it.
func (p *Payout) Approve(c Checker, now time.Time) error {
	if c.By == p.By {
		return fail.New(fail.Denied, "payout_maker", "Whoever made a payout cannot approve it or record its result.", nil)
	}
	if c.By == c.Subject {
		return Own()
	}
	if p.Status() == Waiting || p.Status() == Reserved && p.mustWait(c.Suspended) {
		return KOCSuspended(p.KOC)
	}
	if p.Status() != Reserved {
		return p.wrongStatus()
	}
	if err := c.Method.Ready(); err != nil {
		return err
	}
	if len(p.Approvals) >= maxApprovals {
		return fail.New(fail.TooMany, "payout_approvals", "This payout was approved too often. Please reject it.", nil)
	}
	p.Approvals = append(p.Approvals, Approval{By: c.By, At: now, To: Target{c.Method.Version, c.Method.Rail}, NotBefore: c.Method.HeldUntil})
	return nil
}

// Own refuses somebody who decides about money for themselves.
func Own() error {
	return fail.New(fail.Denied, "payout_own", "Nobody can approve a payout to themselves, record its result, or verify their own payout method.", nil)
}

// KOCSuspended refuses payouts to a KOC whom the shop has suspended.
func KOCSuspended(koc string) error {
	return fail.New(fail.Conflict, "payee_suspended", "{koc} is suspended: payouts wait until an operator releases them.", fail.Args{"koc": koc})
}

// mustWait reports whether a suspension keeps the payout back: nobody has said that it may go on in spite of this one.
// since is the suspension's beginning, zero for none.
func (p Payout) mustWait(since time.Time) bool {
	return !since.IsZero() && !slices.ContainsFunc(p.Waits, func(w Wait) bool { return w.Released != nil && w.Since.Equal(since) })
}

// Wait keeps the payout back because its KOC has been suspended since then. It changes nothing when the payout is under
// way or ended, waits already, or may go on in spite of this suspension.
func (p *Payout) Wait(since, now time.Time) {
	if s := p.Status(); s != Reserved && s != Approved || !p.mustWait(since) {
		return
	}
	p.Waits = append(p.Waits, Wait{Since: since, At: now})
	p.Waits = p.Waits[max(0, len(p.Waits)-maxWaits):]
}

// Release lets a waiting payout go on as it stood before. Who made it, and whose it is, cannot say so.
func (p *Payout) Release(r Release, subject string) error {
	if r.By == p.By {
		return fail.New(fail.Denied, "payout_maker", "Whoever made a payout cannot approve it or record its result.", nil)
	}
	if r.By == subject {
		return Own()
	}
	if p.Status() != Waiting {
		return p.wrongStatus()
	}
	p.Waits[len(p.Waits)-1].Released = &r
	return nil
}

// Reopen takes the approval back, because what was approved is no longer so.
func (p *Payout) Reopen(reason string, now time.Time) error {
	if p.Status() != Approved {
		return p.wrongStatus()
	}
	p.Reopened = append(p.Reopened, Reopening{At: now, Reason: reason})
	return nil
}

// Reject gives the money back before it is sent. Rejecting a rejected payout changes nothing.
func (p *Payout) Reject(by, reason string, now time.Time) error {
	switch p.Status() {
	case Rejected:
		return nil
	case Reserved, Approved, Waiting:
		p.Rejected = &Rejection{By: by, At: now, Reason: reason}
		return nil
	default:
		return p.wrongStatus()
	}
}

// Sendable says whether an approved payout may leave now, given the KOC's method as it is: outdated means that it has
// to be approved again, because the money would go elsewhere than was approved, or because payouts have been held since.
func (p Payout) Sendable(m Method, now time.Time) (outdated bool, err error) {
	if p.Status() != Approved {
		return false, p.wrongStatus()
	}
	a := p.Approvals[len(p.Approvals)-1]
	if m.Version != a.To.Version || m.Verified == nil || m.HeldUntil.After(a.NotBefore) && m.Held(now) != nil {
		return true, nil
	}
	return false, m.Held(now)
}

// ReasonMethod is why a payout is reopened whose KOC has changed the method, or the e-mail address, since it was approved.
const ReasonMethod = "method_changed"

// ToFile records the bank file that an approved payout stands in, once.
func (p *Payout) ToFile(e Export) error {
	switch {
	case p.Export != nil && p.Export.File == e.File:
		return nil
	case p.Status() != Approved || p.Target().Rail != Bank:
		return p.wrongStatus()
	}
	p.Export = &e
	return nil
}

// Send records that the payout is about to be given to the rail: the first time when it is approved, again only after
// the rail has never received it.
func (p *Payout) Send(now time.Time) error {
	switch {
	case p.Target().Rail == Bank:
		return p.wrongStatus()
	case p.Status() == Approved:
		p.Transfer = &Transfer{Sent: []time.Time{now}, Last: now}
	case p.Status() == Unknown && p.Transfer.Missing && len(p.Transfer.Sent) < maxSends:
		t := *p.Transfer
		t.Sent = append(slices.Clone(t.Sent), now)
		t.Last, t.Unclear, t.Missing = now, false, false
		p.Transfer = &t
	default:
		return p.wrongStatus()
	}
	return nil
}

// Answer is what a rail said that is not final.
type Answer struct {
	Unclear    bool // nothing, or nothing that can be read
	Missing    bool // it has never received the payout
	Sent       int  // of Missing: how often the payout had been sent when the rail was asked
	ProviderID string
}

// Answered records an answer that is not final. The rail will be asked again later, each time after twice as long. That a
// payout is missing is old news once it was sent again: what was sent since may still be on its way, so that changes nothing.
func (p *Payout) Answered(a Answer, now time.Time) error {
	if s := p.Status(); s != Sending && s != Unknown || p.Transfer == nil {
		return p.wrongStatus()
	}
	t := *p.Transfer
	if a.Missing && a.Sent != len(t.Sent) {
		return nil
	}
	t.Asked, t.Last, t.Unclear, t.Missing = t.Asked+1, now, a.Unclear, a.Missing
	if a.ProviderID != "" {
		t.ProviderID = a.ProviderID
	}
	p.Transfer = &t
	return nil
}

// Waits between questions to a rail: the first is longer than a function may run, so that whoever recorded the sending
// has sent or will never; the longest keeps an answer from being half a day late.
const (
	firstWait   = 2 * time.Minute
	longestWait = 6 * time.Hour
)

// DueAt is when something has to be done about the payout by itself; zero when never.
func (p Payout) DueAt() time.Time {
	switch p.Status() {
	case Approved:
		a := p.Approvals[len(p.Approvals)-1]
		if a.NotBefore.After(a.At) {
			return a.NotBefore
		}
		return a.At
	case Sending, Unknown:
		switch t := p.Transfer; {
		case t == nil:
			return time.Time{} // in a bank file: somebody brings the bank's answer
		case t.Missing && len(t.Sent) < maxSends:
			return t.Last
		default:
			return t.Last.Add(min(firstWait<<min(t.Asked, 10), longestWait))
		}
	default:
		return time.Time{}
	}
}

// stuck is how long a rail is asked before an operator may say how it ended.
const stuck = 24 * time.Hour

// Said is an operator's word how a payout ended.
type Said struct {
	Outcome
	Method  Method // the KOC's, now
	Subject string // the KOC's own login; empty when there is none
}

// Record takes an operator's word for the outcome: of a bank payout, in a file or transferred by hand, or of one about
// which its rail has not answered for a day. Who made the payout, and whose it is, cannot say it. The same word again
// changes nothing.
func (p *Payout) Record(s Said) error {
	if s.By == p.By {
		return fail.New(fail.Denied, "payout_maker", "Whoever made a payout cannot approve it or record its result.", nil)
	}
	if s.By == s.Subject {
		return Own()
	}
	if p.Outcome == nil {
		switch rail, status := p.Target().Rail, p.Status(); {
		case status == Approved && rail == Bank:
			outdated, err := p.Sendable(s.Method, s.At)
			if err != nil {
				return err
			}
			if outdated {
				return fail.New(fail.Conflict, "payee_changed", "The payout method or the e-mail address has changed since the approval.", nil)
			}
		case status == Sending && rail == Bank:
		case status == Unknown && s.At.Sub(p.Transfer.Sent[0]) >= stuck:
		case status == Unknown || status == Sending:
			return fail.New(fail.Conflict, "payout_rail_asked", "The rail is being asked how this payout ended.", nil)
		default:
			return p.wrongStatus()
		}
	}
	return p.Conclude(s.Outcome)
}

// Conclude records how the payout ended. The same outcome again changes nothing; another one is a Conflict with code
// payout_contradicted, and nothing is posted twice.
func (p *Payout) Conclude(o Outcome) error {
	switch {
	case p.Outcome != nil && p.Outcome.Paid == o.Paid:
		return nil
	case p.Outcome != nil:
		return Contradicted(p.Status())
	case p.Transfer == nil && p.Export == nil && p.Status() != Approved: // a rejected one was never given to anybody
		return p.wrongStatus()
	}
	p.Outcome = &o
	return nil
}

// Contradicted is the answer to an outcome of a payout that ended the other way.
func Contradicted(s Status) error {
	return fail.New(fail.Conflict, "payout_contradicted", "This payout is already recorded as {status}. If that is wrong, correct it with an adjustment.",
		fail.Args{"status": s})
}

// Dispute keeps what was said against the outcome, for operators; the first few times.
func (p *Payout) Dispute(o Outcome) {
	if len(p.Disputed) < maxDisputed {
		p.Disputed = append(p.Disputed, o)
	}
}
