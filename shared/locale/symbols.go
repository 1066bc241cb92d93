package locale

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"yundian/shared/money"
)

// symbols are what currencies are called in each language where that is not their code. Source: CLDR, as
// github.com/bojanz/currency has it; a test compares every amount with it. Linking the library would cost every
// function a quarter of its start-up.
var symbols = map[Language]string{
	Hans:    everywhere + "AUD=AU$ CNY=¥ JPY=JP¥ KRW=₩ TWD=NT$ USD=US$ ",
	Hant:    everywhere + "AUD=AU$ CNY=CN¥ JPY=¥ KRW=￦ TWD=$ USD=US$ ",
	English: everywhere + "AUD=A$ CNY=CN¥ JPY=¥ KRW=₩ TWD=NT$ USD=$ ",
}

const everywhere = " BRL=R$ CAD=CA$ EUR=€ GBP=£ HKD=HK$ ILS=₪ INR=₹ MXN=MX$ NZD=NZ$ PHP=₱ VND=₫ XAF=FCFA XCD=EC$ XOF=F\u202fCFA XPF=CFPF "

// symbol is a currency as it stands before a number: letters keep a space from it.
func (l *Locale) symbol(c money.Currency) string {
	name := string(c)
	if _, rest, found := strings.Cut(symbols[l.language], " "+name+"="); found {
		name, _, _ = strings.Cut(rest, " ")
	}
	if last, _ := utf8.DecodeLastRuneInString(name); unicode.IsLetter(last) {
		name += "\u00a0"
	}
	return name
}

// Money is an amount as people of this language write it: ¥12.30 in zh-Hans, CN¥12.30 in English. All our languages
// put sign, currency and number in this order and group thousands by commas.
func (l *Locale) Money(a money.Amount) string {
	if _, err := money.ParseCurrency(string(a.Currency)); err != nil {
		// The zero amount has no currency; a number is better than nothing on a page.
		return strings.TrimSpace(a.String())
	}
	sign, number := "", a.Decimal()
	if number[0] == '-' {
		sign, number = "-", number[1:]
	}
	whole, fraction, fractional := strings.Cut(number, ".")
	var b strings.Builder
	b.WriteString(sign)
	b.WriteString(l.symbol(a.Currency))
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if fractional {
		b.WriteByte('.')
		b.WriteString(fraction)
	}
	return b.String()
}
