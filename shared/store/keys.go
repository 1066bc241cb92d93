package store

import (
	"hash/fnv"
	"strconv"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/commission"
	"yundian/shared/koc"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/payout"
	"yundian/shared/webhook"
)

// All keys of all tables stand here and nowhere else; README.md explains them.

// shop
func settingsKey() Key           { return Key{"SETTINGS", "SETTINGS"} }
func bookKey(version int64) Key  { return Key{"RULES", "V#" + padded(version)} }
func lineKey(from time.Time) Key { return Key{"RULES", linePrefix + sortable(from)} }
func productKey(id string) Key   { return Key{"PRODUCT#" + id, "PRODUCT"} }
func skuKey(sku string) Key      { return Key{"SKU#" + catalogue.FoldSKU(sku), "SKU"} }

// asideKey is where a variant is kept that was taken off its product and whose SKU has become another variant's.
func asideKey(variant string) Key            { return Key{"VARIANT#" + variant, "SKU"} }
func renamedKey(variant string) Key          { return Key{"VARIANT#" + variant, "RENAMED"} }
func stockMoveKey(variant, cause string) Key { return Key{"VARIANT#" + variant, "MOVE#" + cause} }
func kocKey(handle string) Key               { return Key{"KOC#" + handle, "PROFILE"} }
func shapeKey(handle string) Key             { return Key{"HANDLE#" + koc.HandleShape(handle), "HANDLE"} }
func linkKey(handle, code string) Key        { return Key{"KOC#" + handle, "LINK#" + code} }
func loginKey(subject string) Key            { return Key{"LOGIN#" + subject, "LOGIN"} }
func applyKey(source, day string, n int) Key {
	return Key{"APPLY#" + day + "#" + source, padded(int64(n))}
}
func inviteKey(hash string) Key          { return Key{"INVITE#" + hash, "INVITE"} }
func replyKey(id string) Key             { return Key{"IDEMP#" + id, "IDEMP"} }
func payTermsKey(version int64) Key      { return Key{"PAYTERMS", "V#" + padded(version)} }
func statKey(handle, heading string) Key { return Key{"STAT#" + handle, heading} }
func talliedKey(order string) Key        { return Key{"STAT#ORDER#" + order, "TALLIED"} }
func talliedTouchKey(id string) Key      { return Key{"STAT#TOUCH#" + id, "TALLIED"} }
func hooksKey(o webhook.Owner) Key {
	if o == webhook.Operators {
		return Key{"HOOK#OPERATORS", "ENDPOINTS"}
	}
	return Key{"HOOK#KOC#" + string(o), "ENDPOINTS"}
}
func deliveryKey(endpoint, sk string) Key { return Key{"DELIVERY#" + endpoint, deliveryPrefix + sk} }
func letterKey(id string) Key             { return Key{"LETTER#" + id, "LETTER"} }

// linePrefix begins what says which version of the rule book counts from when.
const linePrefix = "FROM#"

// people
func placingKey(contact string) Key          { return Key{"PERSON#" + contact, "PLACING"} }
func returnNoteKey(person, order string) Key { return Key{"PERSON#" + person, "RETURN#" + order} }
func contactKey(person, order string) Key    { return Key{"PERSON#" + person, "ORDER#" + order} }
func payeeKey(handle string, version int64) Key {
	return Key{"PAYEE#" + handle, "V#" + padded(version)}
}

// orders
func orderKey(id string) Key      { return Key{"ORDER#" + id, "ORDER"} }
func placementKey(key string) Key { return Key{"IDEMP#orders#" + key, "IDEMP"} }
func effectKey(cause string) Key  { return Key{"EFFECT#" + cause, "EFFECT"} }

// ledger
func appliedKey(order string) Key            { return Key{"ORDER#" + order, "APPLIED"} }
func factKey(order string, v int64) Key      { return Key{"ORDER#" + order, "FACT#" + padded(v)} }
func balanceKey(handle, currency string) Key { return Key{"KOC#" + handle, balancePrefix + currency} }
func expectedKey(handle, day, currency string) Key {
	return Key{"KOC#" + handle, expectedPrefix + day + "#" + currency}
}
func postingKey(p ledger.Posting) Key {
	return Key{"KOC#" + p.KOC, postingPrefix + sortable(p.At) + "#" + p.Source() + "#" + padded(p.V)}
}
func statementKey(handle string, p ledger.Period, c money.Currency) Key {
	return Key{"KOC#" + handle, statementPrefix + string(p) + "#" + string(c)}
}
func monthKey(k commission.MonthKey) Key {
	return Key{"KOC#" + k.KOC, monthPrefix + k.Month + "#" + string(k.Currency) + "#" + k.Rule}
}

func adjustmentKey(id string) Key { return Key{"ADJUST#" + id, "ADJUSTMENT"} }

func payoutKey(id string) Key { return Key{"PAYOUT#" + id, "PAYOUT"} }
func payoutOfKey(p payout.Payout) Key {
	return Key{"KOC#" + p.KOC, payoutPrefix + payoutSort(p)}
}
func taxKey(handle string, c money.Currency, period string) Key {
	return Key{"KOC#" + handle, taxPrefix + string(c) + "#" + period}
}
func noticeKey(n Notice) Key {
	return Key{"KOC#" + n.KOC, "NOTICE#" + sortable(n.At) + "#" + n.Kind + "#" + padded(n.N)}
}
func payRunKey(c money.Currency, day string) Key { return Key{"PAYRUN#" + string(c), "DAY#" + day} }
func bankFileKey(id string) Key                  { return Key{"PAYFILE#" + id, "PAYFILE"} }
func bankSeriesKey(c money.Currency) Key         { return Key{"PAYFILE#" + string(c), "SERIES"} }

// touches
func touchKey(code, day, visitor string) Key {
	return Key{"LINK#" + code, "TOUCH#" + day + "#" + visitor}
}

func touchRateKey(network string, minute time.Time) Key {
	return Key{"RATE#" + network, "MINUTE#" + sortable(minute)}
}

// Parts of a KOC's ledger, by what their sort keys begin with.
const (
	balancePrefix   = "BAL#"
	expectedPrefix  = "DUE#" // the forecast
	payoutPrefix    = "PAYOUT#"
	monthPrefix     = "MONTH#"
	postingPrefix   = "POST#"
	statementPrefix = "STATEMENT#"
	taxPrefix       = "TAX#"
)

// deliveryPrefix begins the deliveries of an endpoint.
const deliveryPrefix = "EVENT#"

// outShards spreads what waits for its way out over partitions of the list index: by endpoint, so that one that answers
// nothing fills one of them at most, and letters by their id.
const outShards = 8

func outPartition(list string, n int) string { return list + "#" + strconv.Itoa(n) }

func outShard(list, by string) string { return outPartition(list, shardOf(by, outShards)) }

// shardOf is one of n shards, always the same for the same text.
func shardOf(by string, n uint32) int {
	h := fnv.New32a()
	h.Write([]byte(by))
	return int(h.Sum32() % n)
}

// padded is a version as a fixed-width sort key.
func padded(n int64) string {
	s := strconv.FormatInt(n, 10)
	return "0000000000"[:max(0, 10-len(s))] + s
}

// dueShards spreads the orders that wait for time over partitions of the due index.
const dueShards = 4

func dueShard(order string) string { return duePartition(shardOf(order, dueShards)) }

func duePartition(n int) string { return "DUE#" + strconv.Itoa(n) }

// payoutSort is a payout's place among others, oldest first.
func payoutSort(p payout.Payout) string { return sortable(p.At) + "#" + p.ID }

// duePayouts is the partition of the due index with the payouts that a function has to act on; bankPayouts has those of a
// currency that wait for a bank file.
const duePayouts = "PAYOUT#DUE"

func bankPayouts(c money.Currency) string { return "PAYOUT#BANK#" + string(c) }

// placedMonth is the partition of the index of all orders by time of placement.
func placedMonth(t time.Time) string { return "PLACED#" + t.UTC().Format("2006-01") }
