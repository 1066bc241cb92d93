// Package money counts a shop's money in whole minor units (fen, cents) and never loses one.
//
// There are no floats here. Amounts of different currencies never mix, an overflow is an error, and
// the only rounding is half away from zero, once, in Amount.Times.
package money

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"

	"yundian/shared/fail"
)

// Currency is an ISO 4217 code such as "CNY". The zero value is no currency.
type Currency string

// ParseCurrency accepts an ISO 4217 code that is in use today.
func ParseCurrency(code string) (Currency, error) {
	if _, known := lookUp(code); !known {
		return "", fail.New(fail.Invalid, "currency_unknown", "{currency} is not an ISO 4217 currency code.", fail.Args{"currency": code})
	}
	return Currency(code), nil
}

// Digits is the number of minor digits: 2 for CNY, 0 for JPY. Unknown currencies have 2.
func (c Currency) Digits() int {
	if d, ok := lookUp(string(c)); ok {
		return d
	}
	return 2
}

// Amount is money in minor units of one currency. The zero value is nothing, in no currency,
// and may be added to any amount.
type Amount struct {
	Minor    int64    `json:"amount"`
	Currency Currency `json:"currency"`
}

// Of makes an amount of minor units: Of(1230, "CNY") is 12.30 yuan.
func Of(minor int64, c Currency) Amount { return Amount{Minor: minor, Currency: c} }

// IsZero reports whether the amount is nothing.
func (a Amount) IsZero() bool { return a.Minor == 0 }

// Sign is -1, 0 or 1.
func (a Amount) Sign() int { return cmp.Compare(a.Minor, 0) }

// Neg is the amount taken the other way. The smallest int64 has no opposite and is an error.
func (a Amount) Neg() (Amount, error) {
	if a.Minor == math.MinInt64 {
		return Amount{}, overflow("negate")
	}
	return Amount{-a.Minor, a.Currency}, nil
}

// Add is a + b. Mixed currencies and overflow are errors.
func (a Amount) Add(b Amount) (Amount, error) {
	c, err := common(a, b)
	if err != nil {
		return Amount{}, err
	}
	sum := a.Minor + b.Minor
	if (b.Minor > 0 && sum < a.Minor) || (b.Minor < 0 && sum > a.Minor) {
		return Amount{}, overflow("add")
	}
	return Amount{sum, c}, nil
}

// Sub is a − b. Mixed currencies and overflow are errors.
func (a Amount) Sub(b Amount) (Amount, error) {
	n, err := b.Neg()
	if err != nil {
		return Amount{}, err
	}
	return a.Add(n)
}

// Multiply is the amount times a whole quantity, exactly.
func (a Amount) Multiply(quantity int64) (Amount, error) {
	hi, lo := bits.Mul64(magnitude(a.Minor), magnitude(quantity))
	if hi != 0 || lo > math.MaxInt64 {
		return Amount{}, overflow("multiply")
	}
	m := int64(lo)
	if (a.Minor < 0) != (quantity < 0) {
		m = -m
	}
	return Amount{m, a.Currency}, nil
}

// Ratio is Num ÷ Den; Den is positive.
type Ratio struct{ Num, Den int64 }

// BasisPoints is a rate in hundredths of a percent: 1,000 is 10 %. Range 0 to 10,000.
type BasisPoints int64

// Whole is 100 %.
const Whole BasisPoints = 10_000

// Ratio is the rate as a ratio.
func (b BasisPoints) Ratio() Ratio { return Ratio{int64(b), int64(Whole)} }

// Times is the amount times a ratio, rounded once, half away from zero.
// The intermediate product has 128 bits, so only the result can overflow.
func (a Amount) Times(r Ratio) (Amount, error) {
	if r.Den <= 0 {
		return Amount{}, fmt.Errorf("money: ratio %d/%d has no positive denominator", r.Num, r.Den)
	}
	den := uint64(r.Den)
	hi, lo := bits.Mul64(magnitude(a.Minor), magnitude(r.Num))
	if hi >= den {
		return Amount{}, overflow("take a share")
	}
	quo, rem := bits.Div64(hi, lo, den)
	if rem >= den-rem { // 2·rem ≥ den without overflow
		quo++
	}
	if quo > math.MaxInt64 {
		return Amount{}, overflow("take a share")
	}
	m := int64(quo)
	if (a.Minor < 0) != (r.Num < 0) {
		m = -m
	}
	return Amount{m, a.Currency}, nil
}

// Allocate divides the amount in proportion to weights so that the parts sum to it exactly.
// Each part is rounded towards zero; what is left over goes one minor unit each to the largest
// remainders, the earlier part first among equals. Weights are not negative; if all are zero the
// amount must be zero too.
func (a Amount) Allocate(weights []int64) ([]Amount, error) {
	parts := make([]Amount, len(weights))
	total, err := sumWeights(weights)
	if err != nil {
		return nil, err
	}
	if total == 0 {
		if a.Minor != 0 {
			return nil, fmt.Errorf("money: cannot allocate %s to no weights", a)
		}
		for i := range parts {
			parts[i].Currency = a.Currency
		}
		return parts, nil
	}
	rems := make([]uint64, len(weights))
	left := magnitude(a.Minor)
	for i, w := range weights {
		hi, lo := bits.Mul64(magnitude(a.Minor), uint64(w))
		quo, rem := bits.Div64(hi, lo, uint64(total)) // hi < total because w ≤ total and |a| < 2^64
		rems[i], left = rem, left-quo
		parts[i] = Amount{int64(quo), a.Currency}
	}
	order := make([]int, len(weights))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(rems[j], rems[i]) })
	for _, i := range order[:left] {
		parts[i].Minor++
	}
	if a.Minor < 0 {
		for i := range parts {
			parts[i].Minor = -parts[i].Minor
		}
	}
	return parts, nil
}

// Sum adds amounts of one currency; the sum of none is the zero Amount.
func Sum(amounts ...Amount) (Amount, error) {
	var total Amount
	var err error
	for _, a := range amounts {
		if total, err = total.Add(a); err != nil {
			return Amount{}, err
		}
	}
	return total, nil
}

// Compare orders two amounts of one currency.
func (a Amount) Compare(b Amount) (int, error) {
	if _, err := common(a, b); err != nil {
		return 0, err
	}
	return cmp.Compare(a.Minor, b.Minor), nil
}

// Min is the smaller of two amounts of one currency.
func Min(a, b Amount) (Amount, error) {
	c, err := a.Compare(b)
	if err != nil {
		return Amount{}, err
	}
	if c <= 0 {
		return a, nil
	}
	return b, nil
}

// String is the amount in major units with its code, "12.30 CNY", for logs and errors.
func (a Amount) String() string { return a.Decimal() + " " + string(a.Currency) }

// Decimal is the amount in major units as plain digits, "12.30", as CSV files carry it.
func (a Amount) Decimal() string {
	digits := a.Currency.Digits()
	s := fmt.Sprintf("%0*d", digits+1, magnitude(a.Minor))
	if digits > 0 {
		s = s[:len(s)-digits] + "." + s[len(s)-digits:]
	}
	if a.Minor < 0 {
		return "-" + s
	}
	return s
}

// MaxMinor bounds every amount that comes from outside: a thousand million million minor units, far above
// any sale and far enough below 2^63 that sums of limited lists cannot overflow.
const MaxMinor = 1_000_000_000_000_000

// ParseDecimal reads major units, "12.3" or "12", with at most the currency's digits. It refuses
// signs, exponents, grouping and more digits than the currency has.
func ParseDecimal(s string, c Currency) (Amount, error) {
	refuse := func() (Amount, error) {
		return Amount{}, fail.New(fail.Invalid, "amount_malformed",
			"{value} is not an amount of {currency}. Write plain digits with at most {digits} decimals, such as {example}.",
			fail.Args{"value": clip(s), "currency": c, "digits": c.Digits(), "example": Of(1230, c).Decimal()})
	}
	whole, frac, dotted := strings.Cut(s, ".")
	if whole == "" || len(frac) > c.Digits() && strings.Trim(frac[c.Digits():], "0") != "" || dotted && frac == "" {
		return refuse()
	}
	frac = (frac + strings.Repeat("0", c.Digits()))[:c.Digits()]
	var minor int64
	for _, r := range whole + frac {
		if r < '0' || r > '9' {
			return refuse()
		}
		minor = minor*10 + int64(r-'0')
		if minor > MaxMinor {
			return refuse()
		}
	}
	return Of(minor, c), nil
}

func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

func common(a, b Amount) (Currency, error) {
	switch {
	case a.Currency == b.Currency, b == Amount{}:
		return a.Currency, nil
	case a == Amount{}:
		return b.Currency, nil
	default:
		return "", fail.New(fail.Invalid, "currency_mixed", "{a} and {b} are different currencies.",
			fail.Args{"a": a.Currency, "b": b.Currency})
	}
}

func sumWeights(weights []int64) (int64, error) {
	var total int64
	for _, w := range weights {
		before := total
		if total += w; total < before { // an overflow wraps, and falls like a negative weight
			return 0, fmt.Errorf("money: weight %d is negative or the weights overflow", w)
		}
	}
	return total, nil
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-(n + 1)) + 1
	}
	return uint64(n)
}

func overflow(doing string) error {
	return fail.New(fail.Invalid, "amount_too_large", "This amount is too large to {doing}.", fail.Args{"doing": doing})
}
