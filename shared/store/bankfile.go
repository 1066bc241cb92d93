package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/payout"
)

type bankFileItem struct {
	V      int64                 `dynamodbav:"v"`
	ListPk string                `dynamodbav:"listPk"`
	ListSk string                `dynamodbav:"listSk"`
	File   document[payout.File] `dynamodbav:"file"`
}

// bankSeriesItem names the file of a currency that is being filled: there is one at a time, so that what a crash has left
// half done is found and completed before the next one begins.
type bankSeriesItem struct {
	V    int64  `dynamodbav:"v"`
	Open string `dynamodbav:"open,omitempty"`
}

const bankFileList = "PAYFILES"

func bankFileSort(f payout.File) string { return sortable(f.At) + "#" + f.ID }

func bankFileFrom(it Item) (payout.File, error) {
	var x bankFileItem
	err := decode(it, &x)
	f := x.File.Value
	f.Version = x.V
	return f, err
}

func bankFileWrite(f payout.File) Write {
	seen := f.Version
	f.Version++
	return Write{Table: Ledger, Key: bankFileKey(f.ID), Guards: replaces(seen)}.
		put(bankFileItem{V: f.Version, ListPk: bankFileList, ListSk: bankFileSort(f), File: doc(f)})
}

func bankSeriesWrite(c money.Currency, seen int64, open string) Write {
	return Write{Table: Ledger, Key: bankSeriesKey(c), Guards: replaces(seen)}.
		put(bankSeriesItem{V: seen + 1, Open: open})
}

// BankFile is a bank file by id, or NotFound.
func (s *Store) BankFile(ctx context.Context, id string) (payout.File, error) {
	files, err := s.bankFiles(ctx, []string{id})
	if err != nil {
		return payout.File{}, err
	}
	if len(files) == 0 {
		return payout.File{}, BankFileUnknown(id)
	}
	return files[0], nil
}

// BankFiles are the bank files with these ids that exist.
func (s *Store) BankFiles(ctx context.Context, ids []string) (map[string]payout.File, error) {
	files, err := s.bankFiles(ctx, ids)
	out := make(map[string]payout.File, len(files))
	for _, f := range files {
		out[f.ID] = f
	}
	return out, err
}

// BankFileUnknown answers an id that no bank file has.
func BankFileUnknown(id string) error {
	return fail.New(fail.NotFound, "bank_file_unknown", "There is no bank file {file} here.", fail.Args{"file": id})
}

func (s *Store) bankFiles(ctx context.Context, ids []string) ([]payout.File, error) {
	reads := make([]read, len(ids))
	for i, id := range ids {
		reads[i] = read{Ledger, bankFileKey(id)}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	var files []payout.File
	for _, r := range reads {
		if it, ok := found[r]; ok {
			f, err := bankFileFrom(it)
			if err != nil {
				return nil, err
			}
			files = append(files, f)
		}
	}
	return files, nil
}

// ListBankFiles is a page of bank files, newest first; after is the cursor of the page before.
func (s *Store) ListBankFiles(ctx context.Context, after string, limit int) (files []payout.File, next string, err error) {
	l := listing{table: Ledger, partition: bankFileList, key: func(sk string) Key { return bankFileKey(afterHash(sk)) }, descending: true}
	sks, next, err := s.listIDs(ctx, l, after, limit)
	if err != nil {
		return nil, "", err
	}
	for i := range sks {
		sks[i] = afterHash(sks[i])
	}
	files, err = s.bankFiles(ctx, sks)
	return files, next, err
}

// OpenFile is the file of a currency that is being filled, if any.
func (s *Store) OpenFile(ctx context.Context, c money.Currency) (payout.File, bool, error) {
	series, err := s.bankSeries(ctx, c)
	if err != nil || series.Open == "" {
		return payout.File{}, false, err
	}
	f, err := s.BankFile(ctx, series.Open)
	return f, err == nil, err
}

func (s *Store) bankSeries(ctx context.Context, c money.Currency) (bankSeriesItem, error) {
	r := read{Ledger, bankSeriesKey(c)}
	found, err := s.get(ctx, []read{r})
	var x bankSeriesItem
	if err == nil && found[r] != nil {
		err = decode(found[r], &x)
	}
	return x, err
}

// BankPayouts are at most limit approved payouts of a currency that wait for a bank file and whose hold has ended.
func (s *Store) BankPayouts(ctx context.Context, c money.Currency, now time.Time, limit int) ([]payout.Payout, error) {
	ids, err := s.duePayouts(ctx, bankPayouts(c), now, limit)
	if err != nil {
		return nil, err
	}
	return s.Payouts(ctx, ids)
}

// BeginFile opens a bank file; a Conflict when another one of the currency is open.
func (s *Store) BeginFile(ctx context.Context, f payout.File) error {
	series, err := s.bankSeries(ctx, f.Currency)
	if err != nil {
		return err
	}
	if series.Open != "" {
		return changedMeanwhile()
	}
	writes := []Write{bankFileWrite(f), bankSeriesWrite(f.Currency, series.V, f.ID)}
	err = s.apply(ctx, writes)
	if refusedBy(err, func(k Key) bool { return k == writes[0].Key || k == writes[1].Key }) {
		return changedMeanwhile()
	}
	return err
}

// OpenFileCheck goes beside the marking of a payout with an open file, which is refused once the file is closed.
func OpenFileCheck(f payout.File) Write {
	return Write{Table: Ledger, Key: bankFileKey(f.ID), Guards: replaces(f.Version)}
}

// FileClosed reports whether a payout was not marked because its file was closed meanwhile.
func FileClosed(err error) bool {
	return refusedBy(err, func(k Key) bool { return strings.HasPrefix(k.PK, "PAYFILE#") })
}

// CloseFile ends the filling of an open file, which then stays as it is; a Conflict when somebody else has closed it.
func (s *Store) CloseFile(ctx context.Context, f payout.File, extra ...Write) error {
	series, err := s.bankSeries(ctx, f.Currency)
	if err != nil {
		return err
	}
	if series.Open != f.ID {
		return changedMeanwhile()
	}
	f.Closed = true
	writes := []Write{bankFileWrite(f), bankSeriesWrite(f.Currency, series.V, "")}
	err = s.apply(ctx, append(writes, extra...))
	switch {
	case refusedBy(err, func(k Key) bool { return k == writes[0].Key || k == writes[1].Key }):
		return changedMeanwhile()
	case err != nil:
		return fmt.Errorf("close bank file %s: %w", f.ID, err)
	}
	return nil
}
