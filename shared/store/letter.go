package store

import (
	"context"
	"time"

	"yundian/shared/koc"
	"yundian/shared/letter"
	"yundian/shared/webhook"
)

// LetterWrite records a letter for the first time, in the transaction of its cause, or replaces the version that was read.
func LetterWrite(l letter.Letter) Write {
	return outWrite(letterKey(l.ID), l.Version, outShard(lettersDue, l.ID), l.Progress, l.At, l)
}

// SaveLetter records a letter whose version is 0, or replaces the version that was read, like SaveDelivery.
func (s *Store) SaveLetter(ctx context.Context, l *letter.Letter) (bool, error) {
	return s.saveOut(ctx, LetterWrite(*l), &l.Version)
}

// Outlets are where a batch of news goes.
type Outlets struct {
	Webhooks map[webhook.Owner]webhook.Endpoints
	Written  map[string]bool // letters that are recorded already, sent or not, by id
}

// Outlets reads the endpoints of owners that hear of news, and which letters are recorded, in one round. Those of a
// suspended KOC hear of nothing: they are left out.
func (s *Store) Outlets(ctx context.Context, owners []webhook.Owner, letters []string) (Outlets, error) {
	out := Outlets{Webhooks: make(map[webhook.Owner]webhook.Endpoints, len(owners)), Written: make(map[string]bool, len(letters))}
	var reads []read
	for _, o := range owners {
		reads = append(reads, read{Shop, hooksKey(o)})
		if o != webhook.Operators {
			reads = append(reads, read{Shop, kocKey(string(o))})
		}
	}
	for _, id := range letters {
		reads = append(reads, read{Shop, letterKey(id)})
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return Outlets{}, err
	}
	for _, o := range owners {
		if out.Webhooks[o], err = hooksFrom(o, found[read{Shop, hooksKey(o)}]); err != nil {
			return Outlets{}, err
		}
		it, ok := found[read{Shop, kocKey(string(o))}]
		if !ok {
			continue
		}
		p, err := KOCFrom(it)
		if err != nil {
			return Outlets{}, err
		}
		if p.Status() == koc.Suspended {
			out.Webhooks[o] = webhook.Endpoints{Owner: o}
		}
	}
	for _, id := range letters {
		out.Written[id] = found[read{Shop, letterKey(id)}] != nil
	}
	return out, nil
}

// DueLetters are the letters that are due by now, at most limit in each shard of the list.
func (s *Store) DueLetters(ctx context.Context, now time.Time, limit int) ([]letter.Letter, error) {
	items, err := s.dueOut(ctx, lettersDue, now, limit)
	if err != nil {
		return nil, err
	}
	due := make([]letter.Letter, 0, len(items))
	for _, it := range items {
		l, version, err := outFrom[letter.Letter](it)
		if err != nil {
			return nil, err
		}
		if l.Version = version; l.IsDue(now) {
			due = append(due, l)
		}
	}
	return due, nil
}
