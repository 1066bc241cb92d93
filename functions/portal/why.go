package main

import (
	"slices"
	"strconv"
	"strings"

	"yundian/shared/commission"
	"yundian/shared/locale"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

// Because is a reason as a code, and as a sentence in the language of the request.
type Because struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// because puts reasons of a line into words.
func because(l *locale.Locale, o ordering.Order, codes []commission.Why) []Because {
	out := []Because{}
	for _, code := range codes {
		text := l.T("portal.why_" + string(code))
		if hold := o.OnHold(); code == commission.OnHold && hold != nil {
			text = l.T("portal.why_on_hold", "reason", hold.Reason)
		}
		out = append(out, Because{Code: string(code), Text: text})
	}
	return out
}

// whyNot is why an order as a whole earns a KOC nothing: what all its lines have in common or, when somebody else won,
// what became of each piece of the KOC's own evidence.
func whyNot(l *locale.Locale, o ordering.Order, handle string, lines []commission.Explained) []Because {
	if len(lines) == 0 || len(lines[0].Why) != 1 {
		return []Because{}
	}
	common := lines[0].Why[0]
	if slices.ContainsFunc(lines, func(e commission.Explained) bool { return e.Net() > 0 || !slices.Equal(e.Why, lines[0].Why) }) {
		return []Because{}
	}
	award, _ := o.Award()
	var own []Because
	for _, c := range award.Candidates {
		if c.KOC == handle && c.Outcome != "won" && common == commission.Lost && !slices.ContainsFunc(own, func(w Because) bool { return w.Code == c.Reason }) {
			own = append(own, Because{Code: c.Reason, Text: l.T("portal.reason_" + c.Reason)})
		}
	}
	if len(own) > 0 {
		return own
	}
	return because(l, o, []commission.Why{common})
}

// masked hides who another KOC is: what they earn is between them and the shop. A KOC reads the own handle in full.
func masked(handle, own string) string {
	if handle == own || handle == "" {
		return handle
	}
	return handle[:1] + "···" // handles are ASCII
}

// percent writes hundredths of a percent: 1000 is 10%, 1250 is 12.5%.
func percent(b money.BasisPoints) string {
	text := strconv.FormatInt(int64(b)/100, 10)
	if rest := int64(b) % 100; rest != 0 {
		text += "." + strings.TrimRight(strconv.FormatInt(100+rest, 10)[1:], "0")
	}
	return text + "%"
}
