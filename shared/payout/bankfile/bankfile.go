// Package bankfile writes payouts as the file that a shop hands to its bank, and reads what the bank says became of them.
//
// The bank answers with a file of the same kind: the columns payout, amount, currency and outcome, and, if it likes,
// reference and reason; other columns do not matter. One line that cannot be right refuses the whole file, so that
// nothing is recorded from a file that belongs to other payouts or was damaged on its way.
package bankfile

import (
	"fmt"
	"unicode/utf8"

	"yundian/shared/money"
	"yundian/shared/sheet"
)

const (
	// MaxLines bounds a file either way. More would fit neither a person's eye nor, with the bank's words, MaxBytes.
	MaxLines = 5000
	// MaxBytes bounds a file of outcomes: 400 bytes for each of MaxLines, and well below the 6 MB that reach a function.
	MaxBytes = 2 << 20
)

// Line is one payout of a file. Only Payout and Amount matter to Reconcile.
type Line struct {
	Payout    string // its id: printable ASCII without spaces, at most 100 bytes
	Name      string // of the account's holder
	Account   string // in the bank's terms
	Amount    money.Amount
	Reference string // what the payee reads on the statement
}

// columns are what a file for the bank begins with.
var columns = []string{"payout", "name", "account", "amount", "currency", "reference"}

// Encode writes a file for the bank, in UTF-8 with a mark for Excel. Texts stand on one line and cannot be formulas;
// amounts are plain decimals with the currency's digits. Lines that Reconcile could not tell apart or that move no money
// are an error: whoever lists payouts has made a mistake.
func Encode(lines []Line) ([]byte, error) {
	if err := judge(lines); err != nil {
		return nil, err
	}
	file := sheet.Row([]byte(sheet.Mark), columns...)
	for _, l := range lines {
		file = sheet.Row(file, l.Payout, l.Name, l.Account, l.Amount.Decimal(), string(l.Amount.Currency), l.Reference)
	}
	return file, nil
}

func judge(lines []Line) error {
	if len(lines) > MaxLines {
		return fmt.Errorf("bank file: %d lines are more than %d", len(lines), MaxLines)
	}
	seen := make(map[string]bool, len(lines))
	for _, l := range lines {
		_, err := money.ParseCurrency(string(l.Amount.Currency))
		switch {
		case !plainID(l.Payout):
			return fmt.Errorf("bank file: %q cannot be a payout's id", l.Payout)
		case seen[l.Payout]:
			return fmt.Errorf("bank file: payout %s stands twice", l.Payout)
		case err != nil || l.Amount.Minor <= 0 || l.Amount.Minor > money.MaxMinor:
			return fmt.Errorf("bank file: payout %s of %s", l.Payout, l.Amount)
		}
		seen[l.Payout] = true
	}
	return nil
}

// plainID reports whether an id comes back from any spreadsheet and bank as it went there.
func plainID(id string) bool {
	for _, r := range id {
		if r <= ' ' || r >= utf8.RuneSelf-1 {
			return false
		}
	}
	return id != "" && len(id) <= 100
}
