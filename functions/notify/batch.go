package main

import (
	"context"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"yundian/shared/ledger"
	"yundian/shared/letter"
	"yundian/shared/store"
	"yundian/shared/stream"
	"yundian/shared/webhook"
)

// firstTry is how long the first attempts of a batch may take together, however many receivers hang: what was not answered
// by then is due a minute later, and the batch is done.
const firstTry = 2 * time.Second

// Calls of one batch at once.
const (
	writesAtOnce  = 16
	lettersAtOnce = 8
)

// batch records everything that has to be told because of these records, and makes a first attempt at what was not
// recorded before. Only the store can fail it: receivers never do.
func (n *notify) batch(ctx context.Context, records []stream.Record) (failed int, err error) {
	postings, letters, failed, err := n.read(records)
	if err != nil {
		return failed, err
	}
	outlets, err := n.store.Outlets(ctx, ownersOf(postings), ids(letters))
	if err != nil {
		return 0, err
	}
	deliveries, err := n.record(ctx, deliveriesFor(postings, outlets.Webhooks, n.now()))
	if err != nil {
		return 0, err
	}
	fresh, known, err := n.recordLetters(ctx, letters, outlets.Written)
	if err != nil {
		return 0, err
	}
	attempts, cancel := context.WithTimeout(ctx, n.firstTry)
	defer cancel()
	var all sync.WaitGroup
	all.Go(func() { n.sendLetters(ctx, attempts, fresh, known, n.now()) })
	queues := group(deliveries, outlets.Webhooks)
	requests := max(1, min(atOnce, connections/max(1, len(queues))))
	for _, q := range queues {
		if q.endpoint.Failures == 0 { // one that fails is tried by the schedule alone
			all.Go(func() { n.attempt(ctx, attempts, q, requests, n.now()) })
		}
	}
	all.Wait()
	return 0, nil
}

// read takes postings, and letters where the shop writes any, from a batch, up to the first record that is none of what the stream is filtered for.
func (n *notify) read(records []stream.Record) (postings []ledger.Posting, letters []letter.Letter, failed int, err error) {
	for i, r := range records {
		kind, _, _ := strings.Cut(store.KeyOf(r.Keys).SK, "#")
		switch kind {
		case "FACT":
			f, err := store.FactFrom(r.New)
			if err != nil {
				return nil, nil, i, err
			}
			if l, ok := letter.ForOrder(f); ok {
				letters = append(letters, l)
			}
		case "NOTICE":
			x, err := store.NoticeFrom(r.New)
			if err != nil {
				return nil, nil, i, err
			}
			letters = append(letters, lettersAbout(x)...)
		default:
			p, err := store.PostingFrom(r.New)
			if err != nil {
				return nil, nil, i, err
			}
			postings = append(postings, p)
			if l, ok := letter.ForPayout(p); ok {
				letters = append(letters, l)
			}
		}
	}
	if !n.sender.On() {
		letters = nil
	}
	return postings, letters, 0, nil
}

// lettersAbout are the letters that follow from a notice.
func lettersAbout(x store.Notice) []letter.Letter {
	switch x.Kind {
	case store.NoticePayee:
		return letter.ForPayee(x.KOC, x.N, x.At, x.Until)
	case store.NoticeEmailAsked:
		return letter.ForEmailAsked(x.KOC, x.N, x.At)
	case store.NoticeEmail:
		return []letter.Letter{letter.ForEmailChanged(x.KOC, x.N, x.At, x.Until)}
	default: // written by a later version of the store
		return nil
	}
}

func ids(letters []letter.Letter) []string {
	var out []string
	for _, l := range letters {
		out = append(out, l.ID)
	}
	return out
}

// ownersOf are who may hear of postings: their KOCs, and operators of all.
func ownersOf(postings []ledger.Posting) []webhook.Owner {
	if len(postings) == 0 {
		return nil
	}
	owners := []webhook.Owner{webhook.Operators}
	for _, p := range postings {
		owners = append(owners, webhook.OwnerOf(p.KOC))
	}
	return owners
}

// deliveriesFor are the deliveries of every entry of postings to whoever hears of it.
func deliveriesFor(postings []ledger.Posting, hooks map[webhook.Owner]webhook.Endpoints, now time.Time) []webhook.Delivery {
	var out []webhook.Delivery
	for _, p := range postings {
		for _, owner := range []webhook.Owner{webhook.OwnerOf(p.KOC), webhook.Operators} {
			for _, x := range hooks[owner].List {
				for _, e := range webhook.Events(p) {
					if x.Hears(e) {
						out = append(out, webhook.NewDelivery(owner, x, e, now))
					}
				}
			}
		}
	}
	return out
}

// record puts deliveries into the store, side by side, and returns those that were not there before.
func (n *notify) record(ctx context.Context, deliveries []webhook.Delivery) ([]webhook.Delivery, error) {
	fresh := make([]bool, len(deliveries))
	var group errgroup.Group
	group.SetLimit(writesAtOnce)
	for i := range deliveries {
		group.Go(func() (err error) {
			fresh[i], err = n.store.SaveDelivery(ctx, &deliveries[i])
			return err
		})
	}
	err := group.Wait()
	var out []webhook.Delivery
	for i, d := range deliveries {
		if fresh[i] && d.State == webhook.Due {
			out = append(out, d)
		}
	}
	return out, err
}
