package main

import (
	"context"
	"time"

	"yundian/shared/money"
	"yundian/shared/once"
	"yundian/shared/payout"
	"yundian/shared/web/api"
)

// PayoutTerms are one version of the conditions of payouts.
type PayoutTerms struct {
	Version    int64                 `json:"version"`
	From       time.Time             `json:"from" doc:"In force from then on"`
	HoldHours  int                   `json:"holdHours" doc:"How long payouts wait after a change of where they go"`
	Currencies []CurrencyPayoutTerms `json:"currencies" doc:"Others have a minimum of ten major units, no fee, no schedule and no tax; half of a withdrawal repays debt"`
}

// CurrencyPayoutTerms are the conditions in one currency. Amounts are minor units, rates hundredths of a percent.
type CurrencyPayoutTerms struct {
	Currency string           `json:"currency" minLength:"3" maxLength:"3"`
	Minimum  int64            `json:"minimum" minimum:"1" maximum:"1000000000000000" doc:"Least amount to be withdrawn"`
	Fee      PayoutFee        `json:"fee,omitzero"`
	DebtCap  int64            `json:"debtCap" minimum:"0" maximum:"10000" doc:"Most of a withdrawal that repays debt"`
	Schedule PayoutSchedule   `json:"schedule,omitzero"`
	Tax      []PayoutTaxTable `json:"tax,omitempty" maxItems:"20" doc:"By the day from which each applies, earliest first. Those that apply already stay as they are"`
}

// PayoutFee is kept back for a transfer: both together, at most the gross amount.
type PayoutFee struct {
	Fixed int64 `json:"fixed,omitempty" minimum:"0" maximum:"1000000000000000"`
	Rate  int64 `json:"rate,omitempty" minimum:"0" maximum:"10000"`
}

// PayoutSchedule is when everything available is paid out by itself.
type PayoutSchedule struct {
	Every string `json:"every,omitempty" enum:"none,weekly,monthly"`
	Day   int    `json:"day,omitempty" minimum:"0" maximum:"28" doc:"1 is Monday, 7 Sunday; or 1 to 28 of the month"`
}

// PayoutTaxTable says what is withheld from all payouts of a period together.
type PayoutTaxTable struct {
	From     string             `json:"from" format:"date" doc:"Local date from which payouts count"`
	Period   string             `json:"period" enum:"month,year"`
	Brackets []PayoutTaxBracket `json:"brackets" minItems:"1" maxItems:"20"`
	Source   string             `json:"source,omitempty" maxLength:"500" doc:"Where the brackets are published"`
}

// PayoutTaxBracket is the tax on a cumulative amount above over: rate × amount − deduction.
type PayoutTaxBracket struct {
	Over      int64 `json:"over" minimum:"0" maximum:"1000000000000000"`
	Rate      int64 `json:"rate" minimum:"0" maximum:"10000"`
	Deduction int64 `json:"deduction,omitempty" minimum:"0" maximum:"1000000000000000"`
}

func viewPayoutTerms(t payout.Terms) PayoutTerms {
	v := PayoutTerms{Version: t.Version, From: t.From.UTC(), HoldHours: t.HoldHours, Currencies: make([]CurrencyPayoutTerms, len(t.Currencies))}
	for i, c := range t.Currencies {
		x := CurrencyPayoutTerms{Currency: string(c.Currency), Minimum: c.Minimum, Fee: PayoutFee{Fixed: c.Fee.Fixed, Rate: int64(c.Fee.Rate)},
			DebtCap: int64(c.DebtCap), Schedule: PayoutSchedule{Every: "none", Day: c.Schedule.Day}}
		if c.Schedule.Every != payout.Never {
			x.Schedule.Every = string(c.Schedule.Every)
		}
		for _, t := range c.Tax {
			table := PayoutTaxTable{From: t.From, Period: string(t.Period), Source: t.Source}
			for _, b := range t.Brackets {
				table.Brackets = append(table.Brackets, PayoutTaxBracket{Over: b.Over, Rate: int64(b.Rate), Deduction: b.Deduction})
			}
			x.Tax = append(x.Tax, table)
		}
		v.Currencies[i] = x
	}
	return v
}

func (c CurrencyPayoutTerms) terms() payout.CurrencyTerms {
	t := payout.CurrencyTerms{Currency: money.Currency(c.Currency), Minimum: c.Minimum, Fee: payout.Fee{Fixed: c.Fee.Fixed, Rate: money.BasisPoints(c.Fee.Rate)},
		DebtCap: money.BasisPoints(c.DebtCap)}
	if c.Schedule.Every != "none" && c.Schedule.Every != "" {
		t.Schedule = payout.Schedule{Every: payout.Cycle(c.Schedule.Every), Day: c.Schedule.Day}
	}
	for _, x := range c.Tax {
		table := payout.TaxTable{From: x.From, Period: payout.Period(x.Period), Source: x.Source}
		for _, b := range x.Brackets {
			table.Brackets = append(table.Brackets, payout.Bracket{Over: b.Over, Rate: money.BasisPoints(b.Rate), Deduction: b.Deduction})
		}
		t.Tax = append(t.Tax, table)
	}
	return t
}

func (a *admin) getPayoutTerms(ctx context.Context, _ *struct{}) (*api.Reply[PayoutTerms], error) {
	t, err := a.store.PayoutTerms(ctx)
	return &api.Reply[PayoutTerms]{Body: viewPayoutTerms(t)}, err
}

type payoutTermsInput struct {
	api.Keyed
	Body struct {
		Version    int64                 `json:"version" minimum:"1" doc:"The version that was edited; refused if another one was published meanwhile"`
		From       time.Time             `json:"from,omitzero" doc:"In force from then on, not before now; now when absent"`
		HoldHours  *int                  `json:"holdHours,omitempty" minimum:"0" maximum:"720" doc:"As before when absent"`
		Currencies []CurrencyPayoutTerms `json:"currencies" maxItems:"20"`
	}
}

// publishPayoutTerms makes a new version of the terms out of the one that its editor saw.
func (a *admin) publishPayoutTerms(ctx context.Context, in *payoutTermsInput) (*api.Reply[PayoutTerms], error) {
	version, err := once.Do(ctx, a.store, wish(ctx, in.Key, in.Body), a.now(), func(record once.Record[int64]) (int64, error) {
		before, err := a.store.PayoutTerms(ctx)
		if err != nil {
			return 0, err
		}
		if before.Version != in.Body.Version {
			return 0, changedMeanwhile()
		}
		settings, err := a.store.Settings(ctx)
		if err != nil {
			return 0, err
		}
		wanted := payout.Terms{From: in.Body.From, HoldHours: before.HoldHours}
		set(&wanted.HoldHours, in.Body.HoldHours)
		for _, c := range in.Body.Currencies {
			wanted.Currencies = append(wanted.Currencies, c.terms())
		}
		now := a.now()
		today, err := settings.Day(now)
		if err != nil {
			return 0, err
		}
		next, err := before.Next(wanted, now, today)
		if err != nil {
			return 0, err
		}
		reply, err := record(next.Version)
		if err != nil {
			return 0, err
		}
		return next.Version, a.store.PublishPayoutTerms(ctx, next, reply...)
	})
	if err != nil {
		return nil, err
	}
	t, err := a.store.PayoutTermsVersion(ctx, version)
	return &api.Reply[PayoutTerms]{Body: viewPayoutTerms(t)}, err
}
