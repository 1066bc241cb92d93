package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"
)

// agreement makes one random history on maps and on another engine, and compares every answer.
type agreement struct {
	t       *rapid.T
	space   string // begins every partition of this history, so that histories share the engine's tables
	maps    *Store
	engine  *Store
	batches [][]Write
}

var histories atomic.Int64

// Agree draws a random history of writes and reads and makes it on maps and on the engine.
func Agree(t *rapid.T, engine *Store) {
	a := &agreement{t: t, space: fmt.Sprintf("h%d/", histories.Add(1)), maps: OpenMaps(NewMaps()), engine: engine}
	for range rapid.IntRange(1, 30).Draw(t, "steps") {
		switch rapid.IntRange(0, 9).Draw(t, "step") {
		case 0, 1:
			a.query()
		case 2:
			a.read(rapid.SliceOfN(rapid.Custom(a.place), 1, 6).Draw(t, "reads"))
		case 3:
			if len(a.batches) > 0 { // the same bytes again, as after a lost answer
				a.apply(rapid.SampledFrom(a.batches).Draw(t, "again"))
			}
		default:
			batch := rapid.SliceOfN(rapid.Custom(a.write), 1, 8).Draw(t, "writes")
			a.batches = append(a.batches, batch)
			a.apply(batch)
		}
	}
	a.everything()
}

// AgreeOnSizes writes items that have exactly as many bytes as one may have, and one more.
func AgreeOnSizes(t *testing.T, engine *Store) {
	n := func(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }
	a := &agreement{}
	for _, v := range []types.AttributeValue{n("0"), n("1000"), n("123"), n("-12"), n("-9223372036854775808"), n("1772337600"), text("茶"),
		&types.AttributeValueMemberBOOL{}, &types.AttributeValueMemberNULL{Value: true}, &types.AttributeValueMemberB{Value: []byte("abc")},
		&types.AttributeValueMemberL{Value: []types.AttributeValue{n("12"), text("d")}}, &types.AttributeValueMemberM{Value: Item{"k": n("1"), "kk": text("")}}} {
		w := Write{Table: People, Key: Key{"size", "s"}, Put: Item{"a": v, "d": text("")}}
		room := maxItem - w.Key.size() - sizeOfItem(w.Put)
		for more, want := range []string{"done", "error"} {
			w.Put["d"] = text(strings.Repeat("x", room+more))
			for name, s := range map[string]*Store{"maps": OpenMaps(NewMaps()), "engine": engine} {
				if got := a.told(s.apply(t.Context(), []Write{w})); got != want {
					t.Errorf("%T with %d bytes more than fit: %s on %s, want %s", v, more, got, name, want)
				}
			}
		}
	}
}

var (
	agreeTables = []Table{Shop, Shop, Orders, Orders, Ledger, Ledger, People, Touches}
	agreePKs    = []string{"a", "b", "茶"}
	agreeSKs    = []string{"s", "s#", "s#1", "s#12", "s#2", "s~", "t", "茶"}
	agreeAttrs  = []string{"n", "n", "m", "s", "b", "x", "status", "koc", "v"}
	agreeParts  = []string{"X", "Y"}
)

func (a *agreement) place(t *rapid.T) read {
	return read{rapid.SampledFrom(agreeTables).Draw(t, "table"),
		Key{a.space + rapid.SampledFrom(agreePKs).Draw(t, "pk"), rapid.SampledFrom(agreeSKs).Draw(t, "sk")}}
}

// value is any kind of value that is written somewhere, from so few that guards hold now and then.
func (a *agreement) value(t *rapid.T) types.AttributeValue {
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0, 1, 2, 3:
		return number(rapid.Int64Range(-2, 2).Draw(t, "n"))
	case 4:
		return &types.AttributeValueMemberN{Value: rapid.SampledFrom([]string{"9223372036854775807", "-9223372036854775808", "9223372036854775808",
			"99999999999999999999999999999999999999"}).Draw(t, "n")}
	case 5, 6:
		return text(rapid.SampledFrom([]string{"", "a", "b", "茶\x00\"", "1"}).Draw(t, "s"))
	case 7:
		if rapid.IntRange(0, 2).Draw(t, "null") == 0 {
			return &types.AttributeValueMemberNULL{Value: true}
		}
		return &types.AttributeValueMemberBOOL{Value: rapid.Bool().Draw(t, "b")}
	case 8:
		return &types.AttributeValueMemberB{Value: []byte(rapid.SampledFrom([]string{"", "a"}).Draw(t, "bytes"))}
	}
	return &types.AttributeValueMemberM{Value: Item{"l": &types.AttributeValueMemberL{Value: []types.AttributeValue{
		number(rapid.Int64Range(0, 1).Draw(t, "l")), text("e")}}, "m": &types.AttributeValueMemberM{Value: Item{}}}}
}

// attributes are some of an item's own, and some of its indexes' keys.
func (a *agreement) attributes(t *rapid.T, w Write, most int) Item {
	it := Item{}
	for range rapid.IntRange(0, most).Draw(t, "attributes") {
		it[rapid.SampledFrom(agreeAttrs).Draw(t, "attr")] = a.value(t)
	}
	for _, x := range Indexes[w.Table] {
		switch rapid.IntRange(0, 5).Draw(t, x.Name) {
		case 0, 1, 2: // its sort key is its own: which of two equal ones comes first is the engine's affair
			it[x.PK] = text(a.space + rapid.SampledFrom(agreeParts).Draw(t, "part"))
			it[x.SK] = text(rapid.SampledFrom(agreeSKs).Draw(t, "sort") + w.Key.PK + w.Key.SK)
		case 3:
			if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
				it[rapid.SampledFrom([]string{x.PK, x.SK}).Draw(t, "which")] = a.value(t)
			} else {
				it[x.PK] = text(a.space + "X")
			}
		}
	}
	return it
}

func (a *agreement) guard(t *rapid.T) Guard {
	g := Guard{Attr: rapid.SampledFrom(append([]string{"pk", "pk"}, agreeAttrs...)).Draw(t, "attr"),
		Is: rapid.SampledFrom([]Test{Absent, Present, Present, Equals, AtLeast, AtMost}).Draw(t, "is")}
	switch g.Is {
	case Equals:
		g.Value = a.value(t)
	case AtLeast, AtMost:
		g.Value = number(rapid.Int64Range(-3, 3).Draw(t, "bound"))
	}
	return g
}

func (a *agreement) write(t *rapid.T) Write {
	p := a.place(t)
	w := Write{Table: p.table, Key: p.key, Guards: rapid.SliceOfN(rapid.Custom(a.guard), 0, 2).Draw(t, "guards")}
	if rapid.IntRange(0, 2).Draw(t, "loose") > 0 {
		w.Guards = nil // or most transactions of several writes would be refused
	}
	switch rapid.IntRange(0, 9).Draw(t, "change") {
	case 0, 1, 2:
		w.Put = a.attributes(t, w, 4)
	case 3, 4:
		w.Set = a.attributes(t, w, 3)
	case 5, 6, 7:
		w.Add = map[string]int64{rapid.SampledFrom(agreeAttrs).Draw(t, "attr"): rapid.SampledFrom([]int64{-1, 0, 1, 2, 1<<63 - 1}).Draw(t, "by")}
		if rapid.Bool().Draw(t, "too") {
			w.Set = a.attributes(t, w, 1)
			maps.DeleteFunc(w.Set, func(attr string, _ types.AttributeValue) bool { _, both := w.Add[attr]; return both }) // Dynoxide takes both
		}
	case 8:
		w.Delete = true
	}
	return w
}

// told is what a caller can tell errors apart by: none, a refusal by these writes, or something else.
func (a *agreement) told(err error) string {
	if err == nil {
		return "done"
	}
	refused, ok := errors.AsType[*Refused](err)
	if !ok {
		return "error"
	}
	out := "refused by"
	for _, w := range refused.Writes {
		out += fmt.Sprintf(" %d %s %s", w.Table, strings.TrimPrefix(w.Key.PK, a.space), w.Key.SK)
	}
	return out
}

// clean takes what differs between two runs of one history out of a message, or rapid takes them for two failures.
func (a *agreement) clean(err error) string {
	if err == nil {
		return "none"
	}
	text := strings.ReplaceAll(err.Error(), a.space, "")
	if i := strings.Index(text, "RequestID:"); i >= 0 {
		j := strings.Index(text[i:], ",")
		text = text[:i] + text[i+max(0, j):]
	}
	return text
}

func (a *agreement) apply(writes []Write) {
	ctx := context.Background()
	impossible := a.impossible(writes)
	onEngine, onMaps := a.engine.apply(ctx, writes), a.maps.apply(ctx, writes)
	want, got := a.told(onEngine), a.told(onMaps)
	if impossible && want != "done" && got != "done" {
		got = want // which is told first, a change that cannot be made or guards that do not hold, is each engine's affair
	}
	if got != want {
		a.t.Fatalf("maps: %s (%s)\nengine: %s (%s)\n%s", got, a.clean(onMaps), want, a.clean(onEngine), a.show(writes))
	}
	reads := make([]read, 0, len(writes))
	for _, w := range writes {
		reads = append(reads, read{w.Table, w.Key})
	}
	a.read(reads)
}

// impossible reports whether writes cannot be made whatever they are guarded by, such as an addition to a text.
func (a *agreement) impossible(writes []Write) bool {
	return twice(writes) || slices.ContainsFunc(writes, func(w Write) bool {
		w.Guards = nil
		t := &a.maps.engine.(*Maps).tables[w.Table]
		c, err := t.prepare(&w)
		return err == nil && c.decide(t) != nil
	})
}

func (a *agreement) read(reads []read) {
	ctx := context.Background()
	onEngine, err := a.engine.get(ctx, reads)
	if err != nil {
		a.t.Fatalf("engine: %s", a.clean(err))
	}
	onMaps, err := a.maps.get(ctx, reads)
	if err != nil {
		a.t.Fatalf("maps: %s", a.clean(err))
	}
	for _, r := range reads {
		if (onMaps[r] == nil) != (onEngine[r] == nil) || !equalItems(onMaps[r], onEngine[r]) {
			a.t.Fatalf("%d %s %s is\n%s on maps and\n%s on the engine", r.table, strings.TrimPrefix(r.key.PK, a.space), r.key.SK, a.item(onMaps[r]), a.item(onEngine[r]))
		}
	}
}

// query draws a query and follows it to its end, or fails on both.
func (a *agreement) query() {
	t := a.t
	q := query{table: rapid.SampledFrom(agreeTables).Draw(t, "table"), limit: rapid.IntRange(1, 5).Draw(t, "limit"), descending: rapid.Bool().Draw(t, "descending")}
	q.pk = a.space + rapid.SampledFrom(agreePKs).Draw(t, "pk")
	if indexes := Indexes[q.table]; len(indexes) > 0 && rapid.Bool().Draw(t, "indexed") {
		q.index = rapid.SampledFrom(indexes).Draw(t, "index").Name
		q.pk = a.space + rapid.SampledFrom(agreeParts).Draw(t, "part")
	}
	bound := func(label string) string { return rapid.SampledFrom(append([]string{""}, agreeSKs...)).Draw(t, label) }
	switch rapid.IntRange(0, 2).Draw(t, "bounds") {
	case 0:
		q.prefix = bound("prefix")
	case 1:
		q.from, q.to = bound("from"), bound("to")
	}
	if rapid.IntRange(0, 3).Draw(t, "begin") == 0 {
		if q.after = a.start(q); !q.covers(str(q.after[indexKeys[q.index][1]])) || q.atEnd(q.after) {
			q.after = nil // Dynoxide begins there, DynamoDB Local refuses to
		}
	}
	a.follow(q)
}

// start is a made-up key to begin after, as cursors are.
func (a *agreement) start(q query) Item {
	names := indexKeys[q.index]
	k := Key{q.pk, rapid.SampledFrom(agreeSKs).Draw(a.t, "start")}
	if q.index == "" {
		return k.item()
	}
	k.PK = a.space + rapid.SampledFrom(agreePKs).Draw(a.t, "start pk")
	after := k.item()
	after[names[0]], after[names[1]] = text(q.pk), text(rapid.SampledFrom(agreeSKs).Draw(a.t, "start sort")+k.PK+k.SK)
	return after
}

func (a *agreement) follow(q query) {
	ctx := context.Background()
	for pages := 0; ; pages++ {
		want, wantNext, errEngine := a.engine.page(ctx, q)
		got, gotNext, errMaps := a.maps.page(ctx, q)
		if (errMaps == nil) != (errEngine == nil) {
			a.t.Fatalf("page %d of %s\nmaps: %s\nengine: %s", pages, a.asked(q), a.clean(errMaps), a.clean(errEngine))
		}
		if q.atEnd(gotNext) {
			wantNext = gotNext // DynamoDB Local says that there is no more
		}
		if !slices.EqualFunc(got, want, equalItems) || (gotNext == nil) != (wantNext == nil) || !equalItems(gotNext, wantNext) {
			a.t.Fatalf("page %d of %s\nmaps: %s\nnext %s\nengine: %s\nnext %s", pages, a.asked(q), a.items(got), a.item(gotNext), a.items(want), a.item(wantNext))
		}
		if gotNext == nil || q.atEnd(gotNext) {
			return
		}
		q.after = gotNext
	}
}

// atEnd reports whether a key is the last that a query between bounds can reach.
func (q query) atEnd(key Item) bool {
	last := q.to
	if q.descending {
		last = q.from
	}
	return q.prefix == "" && last != "" && str(key[indexKeys[q.index][1]]) == last
}

// everything compares all partitions of the history in all orders.
func (a *agreement) everything() {
	for t := range tables {
		for _, pk := range agreePKs {
			a.follow(query{table: t, pk: a.space + pk, limit: 3})
		}
		for _, x := range Indexes[t] {
			for _, part := range agreeParts {
				a.follow(query{table: t, index: x.Name, pk: a.space + part, limit: 3, descending: true})
			}
		}
	}
}

func (a *agreement) asked(q query) string {
	q.pk = strings.TrimPrefix(q.pk, a.space)
	return fmt.Sprintf("table %d index %q pk %s prefix %q from %q to %q after %s limit %d descending %v", q.table, q.index, q.pk, q.prefix, q.from, q.to,
		a.item(q.after), q.limit, q.descending)
}

func (a *agreement) show(writes []Write) string {
	var b strings.Builder
	for _, w := range writes {
		fmt.Fprintf(&b, "%d %s %s", w.Table, strings.TrimPrefix(w.Key.PK, a.space), w.Key.SK)
		for _, g := range w.Guards {
			fmt.Fprintf(&b, " if %s %s %s", g.Attr, g.Is, a.shown(g.Value))
		}
		fmt.Fprintf(&b, " put %s set %s add %v delete %v\n", a.item(w.Put), a.item(w.Set), w.Add, w.Delete)
	}
	return b.String()
}

func (a *agreement) items(items []Item) string {
	var out []string
	for _, it := range items {
		out = append(out, a.item(it))
	}
	return strings.Join(out, " ")
}

func (a *agreement) item(it Item) string {
	if it == nil {
		return "nothing"
	}
	var out []string
	for _, attr := range slices.Sorted(maps.Keys(it)) {
		out = append(out, attr+"="+a.shown(it[attr]))
	}
	return "{" + strings.Join(out, " ") + "}"
}

func (a *agreement) shown(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return fmt.Sprintf("%q", strings.ReplaceAll(v.Value, a.space, ""))
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberBOOL:
		return fmt.Sprint(v.Value)
	case *types.AttributeValueMemberNULL:
		return "null"
	case *types.AttributeValueMemberB:
		return fmt.Sprintf("bytes %q", v.Value)
	case *types.AttributeValueMemberM:
		return a.item(v.Value)
	case *types.AttributeValueMemberL:
		return "[" + a.items([]Item{{"0": v.Value[0], "1": v.Value[1]}}) + "]"
	}
	return "?"
}
