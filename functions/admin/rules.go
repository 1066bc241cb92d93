package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/commission"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/once"
	"yundian/shared/shop"
	"yundian/shared/web/api"
)

// RuleBooks are the rule book in force and those that were announced.
type RuleBooks struct {
	Version     int64      `json:"version" doc:"The latest version there is, which a draft has to name"`
	InForce     RuleBook   `json:"inForce"`
	Coming      []RuleBook `json:"coming" doc:"Books that were announced, by the time from which they count"`
	NoticeDays  int        `json:"noticeDays" doc:"How long before it counts a cut has to be announced: as long as a shared link is worth something. 0 while there is no KOC"`
	EarliestCut time.Time  `json:"earliestCut" doc:"When a cut that is announced now can begin to count"`
	Asked       *RuleBook  `json:"asked,omitempty" doc:"The version that was asked for"`
}

type rulesInput struct {
	Version int64 `query:"version" minimum:"1" doc:"Also shows this version"`
}

func (a *admin) getRules(ctx context.Context, in *rulesInput) (*api.Reply[RuleBooks], error) {
	settings, err := a.store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	v, err := a.viewRules(ctx, settings)
	if err != nil {
		return nil, err
	}
	if in.Version > 0 {
		b, err := a.store.BookVersion(ctx, in.Version)
		if err != nil {
			return nil, err
		}
		asked := viewBook(b)
		v.Asked = &asked
	}
	return &api.Reply[RuleBooks]{Body: v}, nil
}

func (a *admin) viewRules(ctx context.Context, settings shop.Settings) (RuleBooks, error) {
	now := a.now()
	plan, err := a.store.Plan(ctx, now)
	if err != nil {
		return RuleBooks{}, err
	}
	notice, err := a.notice(ctx, settings)
	if err != nil {
		return RuleBooks{}, err
	}
	v := RuleBooks{Version: plan.Latest, InForce: viewBook(plan.InForce()), Coming: []RuleBook{}, NoticeDays: notice.Days, EarliestCut: notice.Earliest(now)}
	for _, b := range plan.Coming() {
		v.Coming = append(v.Coming, viewBook(b))
	}
	return v, nil
}

// notice is how long before it counts a cut has to be announced. As long as a shop has no KOC, there is nobody who could
// have shared a link for what it earned.
func (a *admin) notice(ctx context.Context, settings shop.Settings) (commission.Notice, error) {
	zone, err := settings.Zone()
	if err != nil {
		return commission.Notice{}, err
	}
	kocs, _, err := a.store.ListKOCs(ctx, "", 1)
	n := commission.Notice{Days: settings.Windows.AttributionDays, Zone: zone}
	if len(kocs) == 0 {
		n.Days = 0
	}
	return n, err
}

// market is what the shop has that rules can tell apart. Without a notice nothing is a cut, and nobody asks.
func (a *admin) market(ctx context.Context, n commission.Notice) (commission.Market, error) {
	if n.Days == 0 {
		return commission.Market{}, nil
	}
	return a.store.Market(ctx)
}

// RuleDraft is a rule book that is to be published: all of it, as it is to count.
type RuleDraft struct {
	Version  int64      `json:"version" minimum:"1" doc:"The latest version when the draft was begun; refused if another one was published meanwhile"`
	From     *time.Time `json:"from,omitempty" doc:"From when it counts; at once when absent. A draft with a cut needs notice"`
	Withdraw bool       `json:"withdraw,omitempty" doc:"Withdraws every book that was to come after this one begins. Otherwise they stay, and change in what this draft changes"`
	RuleContent
}

type publishInput struct {
	api.Keyed
	Body RuleDraft
}

func (a *admin) publishRules(ctx context.Context, in *publishInput) (*api.Reply[RuleBooks], error) {
	_, err := once.Do(ctx, a.store, wish(ctx, in.Key, in.Body), a.now(), func(record once.Record[done]) (done, error) {
		reply, err := record(done{})
		if err != nil {
			return done{}, err
		}
		_, pub, err := a.draft(ctx, in.Body)
		if err != nil {
			return done{}, err
		}
		return done{}, a.store.Publish(ctx, pub, reply...)
	})
	if err != nil {
		return nil, err
	}
	return a.getRules(ctx, &rulesInput{})
}

// draft is what publishing a draft adds to the plan, or why it cannot be published.
func (a *admin) draft(ctx context.Context, d RuleDraft) (commission.Plan, commission.Publication, error) {
	none := commission.Publication{}
	book, err := d.book()
	if err != nil {
		return commission.Plan{}, none, err
	}
	settings, err := a.store.Settings(ctx)
	if err != nil {
		return commission.Plan{}, none, err
	}
	now := a.now()
	plan, err := a.store.Plan(ctx, now)
	if err != nil {
		return plan, none, err
	}
	notice, err := a.notice(ctx, settings)
	if err != nil {
		return plan, none, err
	}
	draft := commission.Draft{Book: book, Seen: d.Version, Withdraw: d.Withdraw}
	if d.From != nil {
		draft.From = *d.From
	}
	if err := book.Check(settings.Currency); err != nil {
		return plan, none, err
	}
	if err := a.checkNamed(ctx, plan, book); err != nil {
		return plan, none, err
	}
	market, err := a.market(ctx, notice)
	if err != nil {
		return plan, none, err
	}
	pub, err := plan.Publish(draft, settings.Currency, notice, market, now)
	return plan, pub, err
}

// named are the KOCs and products that a book names, each with the first place where it does.
func named(b commission.Book) (kocs, products map[string]string) {
	kocs, products = map[string]string{}, map[string]string{}
	note := func(in map[string]string, name, where string) {
		if _, known := in[name]; name != "" && !known {
			in[name] = where
		}
	}
	for i, r := range b.Rules {
		note(kocs, r.Match.KOC, fmt.Sprintf("body.rules[%d].match.koc", i))
		note(products, r.Match.Product, fmt.Sprintf("body.rules[%d].match.product", i))
	}
	for i, r := range b.MonthRules {
		note(kocs, r.Match.KOC, fmt.Sprintf("body.monthRules[%d].match.koc", i))
		note(products, r.Match.Product, fmt.Sprintf("body.monthRules[%d].match.product", i))
	}
	for id := range b.Products {
		note(products, id, "body.products."+clip(id))
	}
	return kocs, products
}

// checkNamed refuses KOCs and products that do not exist. Those that the plan names already were looked up when they
// came into it, and neither is ever deleted.
func (a *admin) checkNamed(ctx context.Context, plan commission.Plan, book commission.Book) error {
	kocs, products := named(book)
	for _, b := range plan.Books {
		knownKOCs, knownProducts := named(b)
		maps.DeleteFunc(kocs, func(name, _ string) bool { return knownKOCs[name] != "" })
		maps.DeleteFunc(products, func(name, _ string) bool { return knownProducts[name] != "" })
	}
	handles := slices.DeleteFunc(slices.Sorted(maps.Keys(kocs)), func(h string) bool { return !koc.ValidHandle(h) })
	foundKOCs, err := a.store.KOCs(ctx, handles)
	if err != nil {
		return err
	}
	ids := slices.DeleteFunc(slices.Sorted(maps.Keys(products)), func(id string) bool { return !catalogue.ValidID(id) })
	foundProducts, err := a.store.Products(ctx, ids)
	if err != nil {
		return err
	}
	var f []fail.Field
	for _, handle := range slices.Sorted(maps.Keys(kocs)) {
		if _, ok := foundKOCs[handle]; !ok {
			f = append(f, fail.At(kocs[handle], "koc_unknown", "There is no KOC {koc} here.", fail.Args{"koc": clip(handle)}))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(products)) {
		if _, ok := foundProducts[id]; !ok {
			f = append(f, fail.At(products[id], "product_unknown", "There is no product {product} here.", fail.Args{"product": clip(id)}))
		}
	}
	return fail.NewFields(f[:min(len(f), maxUnknown)])
}

// maxUnknown bounds how many unknown names one answer lists.
const maxUnknown = 50
