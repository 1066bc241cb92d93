package attribution

import (
	"slices"
	"time"

	"yundian/shared/identity"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

// Known is what the shop knows about the KOCs whom an order's evidence names, by handle.
type Known map[string]koc.Profile

// Reasons of candidates and decisions. Package locale has a sentence for each.
const (
	WonByCode       = "code_typed"        // the shopper typed this KOC's code
	WonByLink       = "last_link"         // the link seen last before the order
	NoEvidence      = "no_evidence"       // the order named no KOC
	NoneEligible    = "none_eligible"     // it named some, but none could earn
	SelfPurchase    = "self_purchase"     // the KOC ordered: phone, e-mail or address is the KOC's own
	LostToCode      = "code_goes_first"   // another KOC's code was typed
	LostToLaterLink = "later_link"        // another KOC's link was seen later
	LostSameKOC     = "same_koc_again"    // the same KOC already won by stronger evidence
	LostForged      = "token_forged"      // the token was not signed by this shop
	LostExpired     = "token_expired"     // seen longer ago than the window
	LostFuture      = "token_from_future" // dated after the order
	LostMalformed   = "token_malformed"   // could not be read at all
	LostUnknown     = "koc_unknown"       // nobody has this handle
	LostNotApproved = "koc_not_approved"  // not approved yet when the order was placed
	LostSuspended   = "koc_suspended"     // suspended when the order was placed
)

// Decide turns an order's evidence into a decision: who won, why, and why each other candidate lost. A typed code goes
// before any link, among links the last one wins, and one winner gets the whole commission. Standing is
// judged as of the order's placement, so a later suspension takes nothing back. KOCs earn nothing by what they order
// themselves; whoever else stands on the order is considered as if they did not.
func Decide(o ordering.Order, known Known, now time.Time) ordering.Award {
	a := ordering.Award{DecidedAt: now, PolicyVersion: o.Terms.PolicyVersion, Cause: ordering.CausePlacement}
	for _, e := range ranked(o.Evidence) {
		c := ordering.Candidate{Evidence: e.Kind, Code: e.Code, At: e.At, Outcome: "lost"}
		c.KOC, _ = koc.HandleOf(e.Code)
		c.Reason = unfit(e, known, c.KOC, o)
		switch {
		case c.Reason != "":
		case len(a.Winners) == 0:
			c.Outcome, c.Reason = "won", WonByLink
			if e.Kind == ordering.ByCode {
				c.Reason = WonByCode
			}
			a.Winners = []ordering.Winner{{KOC: c.KOC, Code: e.Code, Share: money.Whole}}
			a.Reason = c.Reason
		case c.KOC == a.Winners[0].KOC:
			c.Reason = LostSameKOC
		case a.Reason == WonByCode:
			c.Reason = LostToCode
		default:
			c.Reason = LostToLaterLink
		}
		a.Candidates = append(a.Candidates, c)
	}
	switch {
	case len(a.Candidates) == 0:
		a.Reason = NoEvidence
	case len(a.Winners) > 0:
	case slices.ContainsFunc(a.Candidates, func(c ordering.Candidate) bool { return c.Reason == SelfPurchase }):
		a.Reason = SelfPurchase
	default:
		a.Reason = NoneEligible
	}
	return a
}

// ranked is the evidence in the order the policy considers it: codes, then links, the latest first. Links of the
// same second keep the order of the page: later ones were added later.
func ranked(evidence []ordering.Evidence) []ordering.Evidence {
	out := slices.Clone(evidence)
	slices.Reverse(out)
	slices.SortStableFunc(out, func(a, b ordering.Evidence) int {
		if a.Kind != b.Kind {
			if a.Kind == ordering.ByCode {
				return -1
			}
			return 1
		}
		return b.At.Compare(a.At)
	})
	return out
}

// unfit is the reason why evidence cannot count, or nothing when it can.
func unfit(e ordering.Evidence, known Known, handle string, o ordering.Order) string {
	switch e.Problem {
	case "":
	case "forged":
		return LostForged
	case "expired":
		return LostExpired
	case "from_the_future":
		return LostFuture
	default:
		return LostMalformed
	}
	profile, ok := known[handle]
	if !ok {
		return LostUnknown
	}
	switch status := profile.StatusAt(o.PlacedAt); {
	case status == koc.Suspended:
		return LostSuspended
	case status != koc.Approved:
		return LostNotApproved
	case profile.Identity.Meet(o.Identity):
		return SelfPurchase
	default:
		return ""
	}
}

// Handles are the KOCs whom an order's evidence names, each once.
func Handles(o ordering.Order) []string {
	var out []string
	for _, e := range o.Evidence {
		if handle, ok := koc.HandleOf(e.Code); ok && e.Problem == "" && !slices.Contains(out, handle) {
			out = append(out, handle)
		}
	}
	return out
}

// TellsSelf reports whether whoever orders with an e-mail address can be told that it is their own link or code that they
// came by, and earns nothing. email is its hash.
//
// A quote is answered to everybody, so it must not become a way to find out who a KOC is. It speaks only of the KOC who
// would earn the order, and only of the e-mail address, which has to be guessed as a whole: phones could be tried one
// after the other, and an address names a home.
func TellsSelf(evidence []ordering.Evidence, email identity.Hashes, known Known, now time.Time) bool {
	a := Decide(ordering.Order{PlacedAt: now, Evidence: evidence}, known, now)
	return len(a.Winners) > 0 && known[a.Winners[0].KOC].Identity.Meet(email)
}
