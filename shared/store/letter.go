package store

import (
	"context"
	"time"

	"yundian/shared/letter"
)

// LetterWrite records a letter for the first time, in the transaction of its cause, or replaces the version that was read.
func LetterWrite(l letter.Letter) Write {
	return outWrite(letterKey(l.ID), l.Version, outShard(lettersDue, l.ID), l.Progress, l.At, l)
}

// SaveLetter records a letter whose version is 0, or replaces the version that was read, like SaveDelivery.
func (s *Store) SaveLetter(ctx context.Context, l *letter.Letter) (bool, error) {
	return s.saveOut(ctx, LetterWrite(*l), &l.Version)
}

// WrittenLetters tells which of these letters are recorded, sent or not, by id, in one round.
func (s *Store) WrittenLetters(ctx context.Context, ids []string) (map[string]bool, error) {
	reads := make([]read, len(ids))
	for i, id := range ids {
		reads[i] = read{Shop, letterKey(id)}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	written := make(map[string]bool, len(found))
	for i, id := range ids {
		written[id] = found[reads[i]] != nil
	}
	return written, nil
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
