package commission

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/shop"
)

// Check lists everything wrong with a book of a shop that sells in a currency, located as in the body that publishes it.
// Whether KOCs and products exist is not known here. Of a book that passes, exactly one rule counts for every sale.
func (b Book) Check(c money.Currency) error {
	k := check{book: b, currency: c, ids: map[string]bool{RuleDefault: true, RuleInviter: true}}
	k.rate("body.defaultRate", b.Default)
	k.rate("body.inviterRate", b.InviterRate)
	k.most("body.products", len(b.Products), MaxProductRates)
	k.most("body.rules", len(b.Rules), MaxRules)
	k.most("body.campaigns", len(b.Campaigns), MaxCampaigns)
	k.most("body.monthRules", len(b.MonthRules), MaxMonthRules)
	if len(k.f) > 0 {
		return fail.NewFields(k.f) // the rest costs time in proportion to what it looks at
	}
	for _, id := range sortedKeys(b.Products) {
		k.rate("body.products."+clip(id), b.Products[id])
	}
	k.campaigns()
	for i, r := range b.Rules {
		k.rule(fmt.Sprintf("body.rules[%d]", i), r)
	}
	for i, r := range b.MonthRules {
		k.monthRule(fmt.Sprintf("body.monthRules[%d]", i), r)
	}
	k.ties()
	k.meetings()
	if text, err := json.Marshal(b); err != nil || len(text) > MaxBookSize {
		k.fault("body", "book_too_large", "This rule book has more than {limit} bytes. Rules about a tag or a tier need less room than one for each product or KOC.", fail.Args{"limit": MaxBookSize})
	}
	return fail.NewFields(k.f[:min(len(k.f), maxFaults)])
}

// maxFaults bounds how many faults are listed; nobody mends more at a time.
const maxFaults = 50

type check struct {
	book     Book
	currency money.Currency
	ids      map[string]bool
	f        []fail.Field
}

func (k *check) fault(location, code, text string, args fail.Args) {
	k.f = append(k.f, fail.At(location, code, text, args))
}

func (k *check) rate(where string, rate money.BasisPoints) {
	if rate < 0 || rate > money.Whole {
		k.fault(where, "out_of_range", "Between {low} and {high}.", fail.Args{"low": 0, "high": int64(money.Whole)})
	}
}

func (k *check) most(where string, n, limit int) {
	if n > limit {
		k.fault(where, "too_many", "At most {limit} entries.", fail.Args{"limit": limit})
	}
}

// amount takes what is given, which is never nothing: a cap of 0 would be a rate of 0.
func (k *check) amount(where string, a money.Amount) {
	switch {
	case a == money.Amount{}:
	case a.Currency != k.currency:
		k.fault(where, "currency_other", "This shop sells in {currency}.", fail.Args{"currency": k.currency})
	case a.Minor < 1 || a.Minor > money.MaxMinor:
		k.fault(where, "out_of_range", "Between {low} and {high}.", fail.Args{"low": 1, "high": int64(money.MaxMinor)})
	}
}

func (k *check) id(where, id string) {
	switch {
	case len(id) > MaxRuleID || !slug(id):
		k.fault(where+".id", "rule_id_form", "1–{limit} lower-case letters and digits, words joined by single hyphens.", fail.Args{"limit": MaxRuleID})
	case k.ids[id]:
		k.fault(where+".id", "rule_id_twice", "{rule} is taken by another rule of this book.", fail.Args{"rule": id})
	}
	k.ids[id] = true
}

func slug(id string) bool {
	return id != "" && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && !strings.HasPrefix(id, "-") &&
		!strings.HasSuffix(id, "-") && !strings.Contains(id, "--")
}

func (k *check) campaigns() {
	seen := map[string]bool{}
	for i, c := range k.book.Campaigns {
		where := fmt.Sprintf("body.campaigns[%d]", i)
		switch {
		case len(c.ID) > MaxRuleID || !slug(c.ID):
			k.fault(where+".id", "rule_id_form", "1–{limit} lower-case letters and digits, words joined by single hyphens.", fail.Args{"limit": MaxRuleID})
		case seen[c.ID]:
			k.fault(where+".id", "campaign_twice", "The campaign {campaign} stands twice in this book.", fail.Args{"campaign": c.ID})
		case !shop.Time(c.From):
			k.fault(where+".from", "field_date_time", "This must be a time such as 2026-03-01T08:30:00Z.", nil)
		case !shop.Time(c.To):
			k.fault(where+".to", "field_date_time", "This must be a time such as 2026-03-01T08:30:00Z.", nil)
		case !c.To.After(c.From):
			k.fault(where+".to", "campaign_ends_first", "A campaign ends after it begins.", nil)
		}
		seen[c.ID] = true
	}
}

func (k *check) match(where string, m Match) {
	if m.KOC != "" && !koc.ValidHandle(m.KOC) {
		k.fault(where+".koc", "koc_unknown", "There is no KOC {koc} here.", fail.Args{"koc": clip(m.KOC)})
	}
	if m.Product != "" && !catalogue.ValidID(m.Product) {
		k.fault(where+".product", "product_unknown", "There is no product {product} here.", fail.Args{"product": clip(m.Product)})
	}
	if len(m.Tag) > ordering.MaxFrozenTag {
		k.fault(where+".tag", "tag_long", "Rules know tags of at most {limit} bytes.", fail.Args{"limit": ordering.MaxFrozenTag})
	}
	if m.Tier != "" && !koc.ValidTier(m.Tier) {
		k.fault(where+".tier", "tier_form", "1–{limit} lower-case letters and digits, words joined by single hyphens.", fail.Args{"limit": koc.MaxTierName})
	}
	if m.Campaign != "" && !slices.ContainsFunc(k.book.Campaigns, func(c Campaign) bool { return c.ID == m.Campaign }) {
		k.fault(where+".campaign", "campaign_unknown", "There is no campaign {campaign} in this book.", fail.Args{"campaign": clip(m.Campaign)})
	}
	if m.Customer != "" && m.Customer != ordering.NewCustomer && m.Customer != ordering.Returning {
		k.fault(where+".customer", "customer_kind", "new or returning.", nil)
	}
}

func (k *check) rule(where string, r Rule) {
	k.id(where, r.ID)
	k.match(where+".match", r.Match)
	if r.Match == (Match{}) {
		k.fault(where+".match", "rule_about_nothing", "Say what this rule is about. What holds for every sale is the default rate.", nil)
	}
	if r.Rate != 0 && r.PerUnit != (money.Amount{}) {
		k.fault(where+".perUnit", "rule_earns_twice", "Give a rate or an amount for each piece, not both.", nil)
	}
	k.rate(where+".rate", r.Rate)
	k.amount(where+".perUnit", r.PerUnit)
	k.amount(where+".lineCap", r.LineCap)
	k.amount(where+".orderCap", r.OrderCap)
}

func (k *check) monthRule(where string, r MonthRule) {
	k.id(where, r.ID)
	k.match(where+".match", r.Match)
	if r.Match.Customer != "" {
		k.fault(where+".match.customer", "month_rule_customer", "A rule about months looks at all customers.", nil)
	}
	if (r.Cap != money.Amount{}) == (len(r.Milestones) > 0) {
		k.fault(where, "month_rule_terms", "Give either a cap or milestones.", nil)
	}
	k.amount(where+".cap", r.Cap)
	k.most(where+".milestones", len(r.Milestones), MaxMilestones)
	for i, m := range r.Milestones[:min(len(r.Milestones), MaxMilestones)] {
		at := fmt.Sprintf("%s.milestones[%d]", where, i)
		if m.Sales == (money.Amount{}) || m.Bonus == (money.Amount{}) {
			k.fault(at, "required", "This is required.", nil)
		}
		k.amount(at+".sales", m.Sales)
		k.amount(at+".bonus", m.Bonus)
		if i > 0 && (m.Sales.Minor <= r.Milestones[i-1].Sales.Minor || m.Bonus.Minor <= r.Milestones[i-1].Bonus.Minor) {
			k.fault(at, "milestones_fall", "Each milestone has more sales and a higher bonus than the one before.", nil)
		}
	}
}

// ties refuses rules that would both be the most specific one about some sale.
func (k *check) ties() {
	for j, r := range k.book.Rules {
		where := fmt.Sprintf("body.rules[%d]", j)
		if _, own := k.book.Products[r.Match.Product]; own && r.Match.rank() == rankProduct {
			k.tie(where, r.ID, ruleProduct+r.Match.Product)
		}
		for _, earlier := range k.book.Rules[:j] {
			if k.book.tie(earlier.Match, r.Match) {
				k.tie(where, r.ID, earlier.ID)
			}
		}
	}
	for j, r := range k.book.MonthRules {
		for _, earlier := range k.book.MonthRules[:j] {
			if r.Cap.Minor > 0 && earlier.Cap.Minor > 0 && k.book.tie(earlier.Match, r.Match) {
				k.tie(fmt.Sprintf("body.monthRules[%d]", j), r.ID, earlier.ID)
			}
		}
	}
}

func (k *check) tie(where, rule, other string) {
	k.fault(where, "rules_tie", "{rule} and {other} can be about the same sale, and neither is more specific. Change one of them or take it out.", fail.Args{"rule": rule, "other": other})
}

// tie reports whether two rules can both be the most specific one about a sale: they name the same kinds of things, the
// same things, and campaigns that run at the same time. Rules with different tags are ordered by their place instead.
func (b Book) tie(one, other Match) bool {
	if one.rank() != other.rank() || !one.wider(other) {
		return false
	}
	return one.Campaign == other.Campaign || b.overlap(one.Campaign, other.Campaign)
}

func (b Book) overlap(one, other string) bool {
	x, y := b.campaign(one), b.campaign(other)
	return x.From.Before(y.To) && y.From.Before(x.To)
}

func (b Book) campaign(id string) Campaign {
	if i := slices.IndexFunc(b.Campaigns, func(c Campaign) bool { return c.ID == id }); i >= 0 {
		return b.Campaigns[i]
	}
	return Campaign{}
}

// meetings refuses more rules about months than one award can carry: those that can all be about the lines of one
// order, which has one KOC, one tier and one moment, but many products.
func (k *check) meetings() {
	kocs, tiers, moments := []string{""}, []string{""}, []time.Time{{}}
	for _, r := range k.book.MonthRules {
		kocs, tiers = append(kocs, r.Match.KOC), append(tiers, r.Match.Tier)
		if r.Match.Campaign != "" {
			moments = append(moments, k.book.campaign(r.Match.Campaign).From)
		}
	}
	most := 0
	for _, handle := range kocs {
		for _, tier := range tiers {
			for _, at := range moments {
				most = max(most, k.meeting(handle, tier, at))
			}
		}
	}
	if most > ordering.MaxMonths {
		k.fault("body.monthRules", "month_rules_meet", "{count} of these rules can be about one order. At most {limit} may.", fail.Args{"count": most, "limit": ordering.MaxMonths})
	}
}

func (k *check) meeting(handle, tier string, at time.Time) int {
	n := 0
	for _, r := range k.book.MonthRules {
		m := r.Match
		if (m.KOC == "" || m.KOC == handle) && (m.Tier == "" || m.Tier == tier) && (m.Campaign == "" || k.book.running(m.Campaign, at)) {
			n++
		}
	}
	return n
}

func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
