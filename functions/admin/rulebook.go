package main

import (
	"fmt"
	"time"

	"yundian/shared/commission"
	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

// RuleContent is what a rule book says.
type RuleContent struct {
	DefaultRate int64            `json:"defaultRate" minimum:"0" maximum:"10000" doc:"Commission of sales that no rule is about, in hundredths of a percent"`
	Products    map[string]int64 `json:"products,omitempty" doc:"Products' own rates by id: a rule about one product each, with the id product:<id>; at most 2,000"`
	Rules       []Rule           `json:"rules,omitempty" maxItems:"500" doc:"The most specific rule about a sale counts: one that names a KOC goes before all that name none, then product, tag, tier, campaign, customer. Rules that differ only in their tag go by their place in this list"`
	Campaigns   []Campaign       `json:"campaigns,omitempty" maxItems:"20"`
	MonthRules  []MonthRule      `json:"monthRules,omitempty" maxItems:"20" doc:"A month goes by those that are in force when it begins; at most 8 may be about one order"`
	InviterRate int64            `json:"inviterRate,omitempty" minimum:"0" maximum:"10000" doc:"What the shop pays on top to the KOC who had invited the winner, as a part of the winner's commission; 0 is off. There is no further level"`
}

// Rule says what the sales that it is about earn.
type Rule struct {
	ID       string        `json:"id" minLength:"1" maxLength:"40" doc:"Lower-case letters, digits and hyphens; entries of the ledger name it"`
	Match    RuleMatch     `json:"match"`
	Rate     *int64        `json:"rate,omitempty" minimum:"0" maximum:"10000" doc:"In hundredths of a percent"`
	PerUnit  *money.Amount `json:"perUnit,omitempty" doc:"Instead of the rate: an amount for each piece, never more than it was sold for"`
	LineCap  *money.Amount `json:"lineCap,omitempty" doc:"The most that one line of an order earns"`
	OrderCap *money.Amount `json:"orderCap,omitempty" doc:"The most that all lines of an order under this rule earn together"`
}

// RuleMatch names the sales that a rule is about; what is left out, every sale has.
type RuleMatch struct {
	MonthMatch
	Customer string `json:"customer,omitempty" enum:"new,returning" doc:"Whether it is the shopper's first order"`
}

// MonthMatch names the sales that a rule about months looks at.
type MonthMatch struct {
	KOC      string `json:"koc,omitempty" maxLength:"30"`
	Product  string `json:"product,omitempty" maxLength:"120"`
	Tag      string `json:"tag,omitempty" maxLength:"48" doc:"One of the product's first 20 tags, exactly"`
	Tier     string `json:"tier,omitempty" maxLength:"30" doc:"Of the KOC, when the order was placed"`
	Campaign string `json:"campaign,omitempty" maxLength:"40" doc:"One of this book's"`
}

// Campaign is a time in which rules that name it count.
type Campaign struct {
	ID   string    `json:"id" minLength:"1" maxLength:"40"`
	From time.Time `json:"from"`
	To   time.Time `json:"to" doc:"It ends just before"`
}

// MonthRule is a cap on a month's commission, or bonuses for a month's sales: one of the two.
type MonthRule struct {
	ID         string        `json:"id" minLength:"1" maxLength:"40"`
	Match      MonthMatch    `json:"match,omitzero" doc:"Of several caps that are about a sale the most specific one counts; bonuses all count"`
	Cap        *money.Amount `json:"cap,omitempty" doc:"The most commission of a KOC's month"`
	Milestones []BonusStep   `json:"milestones,omitempty" maxItems:"10" doc:"Rising; the highest one that is reached is paid"`
}

// BonusStep is a bonus for a month's sales.
type BonusStep struct {
	Sales money.Amount `json:"sales" doc:"Net of refunds, without tax and shipping"`
	Bonus money.Amount `json:"bonus"`
}

// book is the content as a rule book, or what is wrong with its form.
func (c RuleContent) book() (commission.Book, error) {
	b := commission.Book{Default: money.BasisPoints(c.DefaultRate), InviterRate: money.BasisPoints(c.InviterRate), Products: map[string]money.BasisPoints{}}
	for id, rate := range c.Products {
		b.Products[id] = money.BasisPoints(rate)
	}
	var f []fail.Field
	for i, r := range c.Rules {
		where := fmt.Sprintf("body.rules[%d]", i)
		switch {
		case r.Rate == nil && r.PerUnit == nil:
			f = append(f, fail.At(where, "rule_earns_nothing", "Give a rate, or an amount for each piece.", nil))
		case r.Rate != nil && r.PerUnit != nil:
			f = append(f, fail.At(where+".perUnit", "rule_earns_twice", "Give a rate or an amount for each piece, not both.", nil))
		}
		m := r.Match.MonthMatch.match()
		m.Customer = ordering.Customer(r.Match.Customer)
		rule := commission.Rule{ID: r.ID, Match: m, PerUnit: value(r.PerUnit), LineCap: value(r.LineCap), OrderCap: value(r.OrderCap)}
		if r.Rate != nil {
			rule.Rate = money.BasisPoints(*r.Rate)
		}
		b.Rules = append(b.Rules, rule)
	}
	for _, x := range c.Campaigns {
		b.Campaigns = append(b.Campaigns, commission.Campaign{ID: x.ID, From: x.From.UTC(), To: x.To.UTC()})
	}
	for _, r := range c.MonthRules {
		rule := commission.MonthRule{ID: r.ID, Match: r.Match.match(), Cap: value(r.Cap)}
		for _, m := range r.Milestones {
			rule.Milestones = append(rule.Milestones, commission.Milestone(m))
		}
		b.MonthRules = append(b.MonthRules, rule)
	}
	return b, fail.NewFields(f)
}

func (m MonthMatch) match() commission.Match {
	return commission.Match{KOC: m.KOC, Product: m.Product, Tag: m.Tag, Tier: m.Tier, Campaign: m.Campaign}
}

func value(a *money.Amount) money.Amount {
	if a == nil {
		return money.Amount{}
	}
	return *a
}

// given is an amount that was given, or nil.
func given(a money.Amount) *money.Amount {
	if (a == money.Amount{}) {
		return nil
	}
	return &a
}

// RuleBook is one version of the rule book.
type RuleBook struct {
	Version int64      `json:"version"`
	From    *time.Time `json:"from,omitempty" doc:"In force since; absent for the book that every shop begins with"`
	RuleContent
}

func viewBook(b commission.Book) RuleBook {
	v := RuleBook{Version: b.Version, RuleContent: viewContent(b)}
	if !b.From.IsZero() {
		from := b.From.UTC()
		v.From = &from
	}
	return v
}

func viewContent(b commission.Book) RuleContent {
	c := RuleContent{DefaultRate: int64(b.Default), InviterRate: int64(b.InviterRate), Products: map[string]int64{}}
	for id, rate := range b.Products {
		c.Products[id] = int64(rate)
	}
	for _, r := range b.Rules {
		v := Rule{ID: r.ID, Match: RuleMatch{viewMatch(r.Match), string(r.Match.Customer)}, PerUnit: given(r.PerUnit), LineCap: given(r.LineCap), OrderCap: given(r.OrderCap)}
		if v.PerUnit == nil {
			rate := int64(r.Rate)
			v.Rate = &rate
		}
		c.Rules = append(c.Rules, v)
	}
	for _, x := range b.Campaigns {
		c.Campaigns = append(c.Campaigns, Campaign{ID: x.ID, From: x.From.UTC(), To: x.To.UTC()})
	}
	for _, r := range b.MonthRules {
		v := MonthRule{ID: r.ID, Match: viewMatch(r.Match), Cap: given(r.Cap)}
		for _, m := range r.Milestones {
			v.Milestones = append(v.Milestones, BonusStep(m))
		}
		c.MonthRules = append(c.MonthRules, v)
	}
	return c
}

func viewMatch(m commission.Match) MonthMatch {
	return MonthMatch{KOC: m.KOC, Product: m.Product, Tag: m.Tag, Tier: m.Tier, Campaign: m.Campaign}
}
