package commission

import (
	"fmt"
	"strings"

	"yundian/shared/ordering"
)

// String names a sale in the words of the API: koc:mei product:tea; "everything else" is a star.
func (s Sale) String() string {
	var parts []string
	for _, x := range []struct{ name, value string }{{"koc", s.KOC}, {"product", s.Product}, {"tag", strings.Join(s.Tags, "+")}, {"tier", s.Tier}, {"customer", string(s.Customer)}} {
		if x.value != "" {
			parts = append(parts, x.name+":"+x.value)
		}
	}
	if len(parts) == 0 {
		return "*"
	}
	return strings.Join(parts, " ")
}

// String is what a promise says, in figures: "15% (tea)". Amounts are minor units.
func (p Promise) String() string {
	switch {
	case p.Rule == "" && p.MonthCap == 0 && len(p.Milestones) == 0:
		return "-"
	case p.MonthCap > 0:
		return fmt.Sprintf("≤ %d / month (%s)", p.MonthCap, p.Rule)
	case len(p.Milestones) > 0:
		return fmt.Sprintf("%s (%s)", steps(p.Milestones), p.Rule)
	}
	text := percent(int64(p.Rate))
	if p.PerUnit > 0 {
		text = fmt.Sprintf("%d × 1", p.PerUnit)
	}
	if p.LineCap > 0 {
		text += fmt.Sprintf(" ≤ %d / line", p.LineCap)
	}
	if p.OrderCap > 0 {
		text += fmt.Sprintf(" ≤ %d / order", p.OrderCap)
	}
	return text + " (" + p.Rule + ")"
}

func percent(basisPoints int64) string {
	text := fmt.Sprintf("%d.%02d", basisPoints/100, basisPoints%100)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "%"
}

func steps(milestones []ordering.Milestone) string {
	parts := make([]string, len(milestones))
	for i, m := range milestones {
		parts[i] = fmt.Sprintf("%d → %d", m.Sales, m.Bonus)
	}
	return strings.Join(parts, ", ")
}
