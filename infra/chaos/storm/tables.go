package storm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"yundian/shared/store"
)

// replay delivers every stream record once more and gives the digest of all tables, which may not change by it.
func (s *storm) replay(ctx context.Context) (string, error) {
	before, err := s.digest(ctx)
	if err != nil {
		return "", err
	}
	if err := s.runner.Replay(ctx); err != nil {
		return "", fmt.Errorf("replay the streams: %w", err)
	}
	if err := s.runner.Quiet(ctx); err != nil {
		return "", err
	}
	after, err := s.digest(ctx)
	if err == nil && after != before {
		s.differ("replaying all streams changed the digest from %s to %s", before, after)
	}
	return after, err
}

// scan reads a table to its end.
func (s *storm) scan(ctx context.Context, table string, each func(store.Item) error) error {
	pages := dynamodb.NewScanPaginator(s.runner.DB, &dynamodb.ScanInput{TableName: aws.String(table), ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("scan %s: %w", table, err)
		}
		for _, item := range page.Items {
			if err := each(item); err != nil {
				return err
			}
		}
	}
	return nil
}

// digest is a hash over every item of every table.
func (s *storm) digest(ctx context.Context) (string, error) {
	var all [][32]byte
	for _, t := range s.runner.Model.Tables {
		err := s.scan(ctx, t.Name, func(item store.Item) error {
			var plain map[string]any
			if err := attributevalue.UnmarshalMap(item, &plain); err != nil {
				return err
			}
			text, err := json.Marshal(plain)
			all = append(all, sha256.Sum256(append([]byte(t.LogicalID), text...)))
			return err
		})
		if err != nil {
			return "", err
		}
	}
	slices.SortFunc(all, func(a, b [32]byte) int { return slices.Compare(a[:], b[:]) })
	h := sha256.New()
	for _, one := range all {
		h.Write(one[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

type touch struct{ koc, code, day string }

// touches are all links really seen, as facts.
func (s *storm) touches(ctx context.Context) (all []touch, err error) {
	for _, t := range s.runner.Model.Tables {
		if t.LogicalID != "TouchesTable" {
			continue
		}
		err = s.scan(ctx, t.Name, func(item store.Item) error {
			if !strings.HasPrefix(store.KeyOf(item).SK, "TOUCH#") {
				return nil
			}
			seen, err := store.TouchFrom(item)
			all = append(all, touch{seen.KOC, seen.Code, seen.Day})
			return err
		})
	}
	return all, err
}
