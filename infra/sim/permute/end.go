package permute

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"

	"yundian/shared/commission"
	"yundian/shared/ledger"
	"yundian/shared/store"
)

var allTables = []store.Table{store.Shop, store.People, store.Orders, store.Ledger, store.Touches}

// describe writes an item down.
func describe(it store.Item) string {
	var b strings.Builder
	for _, attr := range slices.Sorted(maps.Keys(it)) {
		b.WriteString(attr)
		b.WriteByte('=')
		b.WriteString(value(it[attr]))
		b.WriteByte(' ')
	}
	return b.String()
}

func value(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberM:
		return "{" + describe(v.Value) + "}"
	default:
		return fmt.Sprint(v)
	}
}

// endOf is where everything stands: orders, what is posted for them, balances, months, forecast and statistics. Postings
// and versions that count how often something changed may differ from way to way; that postings fold to the balances may
// not.
func endOf(m *store.Maps) (string, error) {
	var b strings.Builder
	folded, stored := map[string]int64{}, map[string]int64{}
	for _, t := range allTables {
		for k, it := range m.Items(t) {
			kind, _, _ := strings.Cut(k.SK, "#")
			switch {
			case t == store.Ledger && kind == "POST":
				if err := fold(it, folded); err != nil {
					return "", err
				}
			case t == store.Ledger && kind == "BAL":
				for attr, v := range it {
					if _, isNumber := v.(*types.AttributeValueMemberN); isNumber && attr != "changes" {
						stored[k.PK+" "+attr] = number(v)
					}
				}
			case t == store.Ledger && kind == "MONTH":
				var month ledger.Month
				if err := json.Unmarshal([]byte(value(it["month"])), &month); err != nil {
					return "", err
				}
				if month.V = 0; month.Sums != (commission.MonthSums{}) || month.Posted != (commission.Adjustment{}) { // an empty one is as good as none
					fmt.Fprintln(&b, k.PK, k.SK, month)
				}
			case t == store.Ledger && kind == "FACT":
			case t == store.Ledger && kind == "DUE" && value(it["minor"]) == "0":
			case t == store.Shop && strings.HasPrefix(k.PK, "STAT#"):
				it = maps.Clone(it)
				delete(it, "changes") // counts how often something changed
				fmt.Fprintln(&b, k.PK, k.SK, describe(it))
			case t == store.Ledger, kind == "ORDER" && t == store.Orders:
				fmt.Fprintln(&b, k.PK, k.SK, describe(it))
			}
		}
	}
	for _, at := range slices.Sorted(maps.Keys(stored)) {
		if stored[at] != 0 {
			fmt.Fprintln(&b, at, stored[at])
		}
		if stored[at] != folded[at] {
			return "", fmt.Errorf("%s is stored as %d, its postings fold to %d", at, stored[at], folded[at])
		}
	}
	return b.String(), nil
}

func fold(it store.Item, into map[string]int64) error {
	p, err := store.PostingFrom(it)
	if err != nil {
		return err
	}
	for _, l := range p.Legs() {
		into["KOC#"+p.KOC+" "+string(l.Account)] += l.Minor
	}
	return nil
}

func number(v types.AttributeValue) (n int64) {
	_, _ = fmt.Sscan(value(v), &n)
	return n
}
