// Package commission works out what a sale earns its KOC: at which rate, and what is left of it after refunds.
package commission

import (
	"time"

	"yundian/shared/money"
	"yundian/shared/ordering"
)

// Book is one version of the brand's commission rules. Versions are never edited: a change is a new version that
// is in force from a moment on, and an order keeps the terms of its placement.
type Book struct {
	Version int64
	From    time.Time
	Default money.BasisPoints // of sales that no rule is about
	// Products are rates of their own by product id, at most MaxProductRates: rules about one product, in a form that
	// stays small. Their rule ids are product:<id>.
	Products map[string]money.BasisPoints
	// Rules in the order in which the operator wrote them: it decides only between rules that differ in their tag.
	Rules     []Rule
	Campaigns []Campaign
	// MonthRules look at everything that a KOC sells in a month.
	MonthRules []MonthRule
	// InviterRate is what the brand pays a KOC's inviter on top, as a part of the KOC's commission; 0 is off.
	InviterRate money.BasisPoints
}

// Rule says what the sales that it is about earn: a rate, or a fixed amount for each piece.
type Rule struct {
	ID       string            `json:"id"`
	Match    Match             `json:"match"`
	Rate     money.BasisPoints `json:"rate,omitzero"`
	PerUnit  money.Amount      `json:"perUnit,omitzero"`  // instead of the rate
	LineCap  money.Amount      `json:"lineCap,omitzero"`  // the most that one line earns
	OrderCap money.Amount      `json:"orderCap,omitzero"` // the most that all lines of an order under this rule earn together
}

// Match names the sales that a rule is about. What is empty, every sale has.
type Match struct {
	KOC      string            `json:"koc,omitzero"`
	Product  string            `json:"product,omitzero"`
	Tag      string            `json:"tag,omitzero"` // one of the product's tags
	Tier     string            `json:"tier,omitzero"`
	Campaign string            `json:"campaign,omitzero"`
	Customer ordering.Customer `json:"customer,omitzero"`
}

// Campaign is a time in which rules that name it count: from its beginning until just before its end.
type Campaign struct {
	ID   string    `json:"id"`
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// MonthRule is a cap on a month's commission, or bonuses for a month's sales. Of the caps that are about a sale the most
// specific one counts; bonuses all count.
type MonthRule struct {
	ID         string       `json:"id"`
	Match      Match        `json:"match"`
	Cap        money.Amount `json:"cap,omitzero"`
	Milestones []Milestone  `json:"milestones,omitzero"` // rising; the highest one reached is paid
}

// Milestone is a bonus for a month's sales, net of refunds.
type Milestone struct {
	Sales money.Amount `json:"sales"`
	Bonus money.Amount `json:"bonus"`
}

// Limits of a book. With them it stays one item of the store, and a few versions one transaction.
const (
	MaxProductRates = 2000
	MaxRules        = 500
	MaxCampaigns    = 20
	MaxMonthRules   = 20
	MaxMilestones   = 10
	MaxBookSize     = 300_000 // bytes
	MaxRuleID       = 40
)

// DefaultRate is the rate of a shop that has not chosen one: 10 %.
const DefaultRate money.BasisPoints = 1000

// RuleDefault is the rule of sales that no other one is about; ruleProduct begins the rules of product rates.
const (
	RuleDefault = "default"
	ruleProduct = "product:"
)

// RuleInviter is the rule of what somebody earns for having invited the winner.
const RuleInviter = "inviter"

// FirstBook is the rule book of a new shop, in force since ever.
func FirstBook() Book {
	return Book{Version: 1, Default: DefaultRate, Products: map[string]money.BasisPoints{}}
}

// Sale is what rules look at: who sells what to whom, and when.
type Sale struct {
	KOC      string
	Tier     string // of the KOC; empty for none
	Product  string
	Tags     []string // of the product
	Customer ordering.Customer
	At       time.Time
}

// Rate is what a sale earns and the rule that says so: the most specific one that is about it.
func (b Book) Rate(s Sale) ordering.LineRate { return b.at(s.At).find(s) }

// running reports whether a campaign of this book runs at a moment.
func (b Book) running(campaign string, at time.Time) bool {
	for _, c := range b.Campaigns {
		if c.ID == campaign {
			return !at.Before(c.From) && at.Before(c.To)
		}
	}
	return false
}
