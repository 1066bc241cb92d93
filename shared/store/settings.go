package store

import (
	"context"
	"errors"
	"fmt"

	"yundian/shared/fail"
	"yundian/shared/shop"
)

type settingsItem struct {
	V        int64                   `dynamodbav:"v"`
	Settings document[shop.Settings] `dynamodbav:"settings"`
}

// Settings are the shop's settings; the defaults until the operator changes them.
func (s *Store) Settings(ctx context.Context) (shop.Settings, error) {
	found, err := s.get(ctx, []read{{Shop, settingsKey()}})
	if err != nil {
		return shop.Settings{}, err
	}
	return settingsFrom(found[read{Shop, settingsKey()}])
}

func settingsFrom(it Item) (shop.Settings, error) {
	if it == nil {
		return shop.Default(), nil
	}
	var x settingsItem
	if err := decode(it, &x); err != nil {
		return shop.Settings{}, err
	}
	n := x.Settings.Value
	n.Version = x.V
	return n, nil
}

func settingsWrite(n shop.Settings) Write {
	seen := n.Version
	n.Version++
	return Write{Table: Shop, Key: settingsKey(), Guards: replaces(seen)}.
		put(settingsItem{V: n.Version, Settings: doc(n)})
}

// SaveSettings replaces the settings whose version the editor saw; a Conflict if somebody was faster.
func (s *Store) SaveSettings(ctx context.Context, n shop.Settings, extra ...Write) error {
	err := s.putAlone(ctx, settingsWrite(n), extra)
	if refusedBy(err, func(k Key) bool { return k == settingsKey() }) {
		return changedMeanwhile()
	}
	return err
}

// changedMeanwhile answers an edit of something that another edit has replaced.
func changedMeanwhile() error {
	return fail.New(fail.Conflict, "changed_meanwhile", "Somebody else has changed this meanwhile. Please load it again and repeat your change.", nil)
}

// updateTries bounds how often load, decide, save is repeated when others write the same item.
const updateTries = 10

// retryChanged repeats an update whose version was outdated; any other answer is final. An item that keeps changing is no
// refusal but an error: whoever asked, a payment provider for one, has to ask again.
func (s *Store) retryChanged(ctx context.Context, update func() error) error {
	for try := 1; ; try++ {
		err := update()
		if !errors.Is(err, errOutdated) {
			return err
		}
		if try == updateTries {
			return fmt.Errorf("after %d tries: %w", try, err)
		}
		if err := s.wait(ctx, try); err != nil {
			return err
		}
	}
}

var errOutdated = errors.New("store: the version read is outdated")
