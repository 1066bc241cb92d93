package streams

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// record is one change of one item on its way to a function.
type record struct {
	seq, prev string    // its sequence number and that of the record read before it in the shard
	arrived   time.Time // when it was written, as far as the engine says
	key       uint64    // hash of the item's key: equal keys stay in order
	body      []byte    // the record as Lambda writes it; nil when the filters dropped it
	done      bool      // delivered or given up
}

// decode turns a stream record into the document that Lambda would send and matches it against the filters. The body
// is built only for a match; most records of a busy stream are somebody else's.
func decode(r types.Record, arn, region string, match pattern, seen time.Time) (*record, error) {
	change := r.Dynamodb
	if change == nil || change.SequenceNumber == nil {
		return nil, fmt.Errorf("stream record %s has no sequence number", aws.ToString(r.EventID))
	}
	document, err := eventDocument(r, arn, region)
	if err != nil {
		return nil, err
	}
	out := &record{seq: *change.SequenceNumber, arrived: arrival(change.ApproximateCreationDateTime, seen)}
	if !match(document) {
		return out, nil
	}
	if out.body, err = json.Marshal(document); err != nil {
		return nil, fmt.Errorf("encode stream record %s: %w", out.seq, err)
	}
	keys, err := json.Marshal(document["dynamodb"].(map[string]any)["Keys"])
	if err != nil {
		return nil, fmt.Errorf("encode the key of stream record %s: %w", out.seq, err)
	}
	h := fnv.New64a()
	h.Write(keys)
	out.key = h.Sum64()
	return out, nil
}

// arrival is the time that a record's age is counted from. DynamoDB Local rounds it down to the minute, which would
// make records up to a minute older than they are: a time on a full minute is read as that minute's end, but never
// later than the record was seen.
func arrival(created *time.Time, seen time.Time) time.Time {
	if created == nil || created.After(seen) {
		return seen
	}
	if created.Second() != 0 || created.Nanosecond() != 0 {
		return *created
	}
	if end := created.Add(time.Minute - time.Second); end.Before(seen) {
		return end
	}
	return seen
}

// eventDocument is one element of "Records" in Lambda's DynamoDB event.
func eventDocument(r types.Record, arn, region string) (map[string]any, error) {
	change := r.Dynamodb
	inner := map[string]any{
		"SequenceNumber": aws.ToString(change.SequenceNumber),
		"StreamViewType": string(change.StreamViewType),
		"SizeBytes":      aws.ToInt64(change.SizeBytes),
	}
	// Whole seconds, as Lambda sends them; its Go event type refuses a fraction.
	if change.ApproximateCreationDateTime != nil {
		inner["ApproximateCreationDateTime"] = change.ApproximateCreationDateTime.Unix()
	}
	for name, image := range map[string]map[string]types.AttributeValue{
		"Keys": change.Keys, "NewImage": change.NewImage, "OldImage": change.OldImage,
	} {
		if image == nil {
			continue
		}
		attributes, err := attributeMap(image)
		if err != nil {
			return nil, fmt.Errorf("stream record %s: %s: %w", aws.ToString(change.SequenceNumber), name, err)
		}
		inner[name] = attributes
	}
	document := map[string]any{
		"eventID": eventID(arn, aws.ToString(change.SequenceNumber)), "eventName": string(r.EventName),
		"eventVersion": "1.1", "eventSource": "aws:dynamodb", "awsRegion": region,
		"dynamodb": inner, "eventSourceARN": arn,
	}
	// Only deletions made by the service itself (expiry) carry an identity.
	if r.UserIdentity != nil {
		document["userIdentity"] = map[string]any{
			"type": aws.ToString(r.UserIdentity.Type), "principalId": aws.ToString(r.UserIdentity.PrincipalId),
		}
	}
	return document, nil
}

// eventID is unique over all streams and the same at every delivery; the engines' own ids are neither.
func eventID(arn, seq string) string {
	sum := sha256.Sum256([]byte(arn + "\x00" + seq))
	return hex.EncodeToString(sum[:16])
}

func attributeMap(m map[string]types.AttributeValue) (map[string]any, error) {
	out := make(map[string]any, len(m))
	for name, value := range m {
		v, err := attribute(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = v
	}
	return out, nil
}

// attribute is one value in DynamoDB's JSON. Its depth is bounded by DynamoDB's own limit of 32 levels.
func attribute(value types.AttributeValue) (map[string]any, error) {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return map[string]any{"S": v.Value}, nil
	case *types.AttributeValueMemberN:
		return map[string]any{"N": v.Value}, nil
	case *types.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": v.Value}, nil
	case *types.AttributeValueMemberNULL:
		return map[string]any{"NULL": v.Value}, nil
	case *types.AttributeValueMemberB:
		return map[string]any{"B": base64.StdEncoding.EncodeToString(v.Value)}, nil
	case *types.AttributeValueMemberSS:
		return map[string]any{"SS": anyList(v.Value)}, nil
	case *types.AttributeValueMemberNS:
		return map[string]any{"NS": anyList(v.Value)}, nil
	case *types.AttributeValueMemberBS:
		list := make([]any, len(v.Value))
		for i, b := range v.Value {
			list[i] = base64.StdEncoding.EncodeToString(b)
		}
		return map[string]any{"BS": list}, nil
	case *types.AttributeValueMemberM:
		m, err := attributeMap(v.Value)
		return map[string]any{"M": m}, err
	case *types.AttributeValueMemberL:
		list := make([]any, len(v.Value))
		for i, entry := range v.Value {
			e, err := attribute(entry)
			if err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
			list[i] = e
		}
		return map[string]any{"L": list}, nil
	default:
		return nil, fmt.Errorf("unknown attribute type %T", value)
	}
}

func anyList(values []string) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}

// envelope is the event with these records.
func envelope(records []*record) []byte {
	size := len(envelopeHead) + len(envelopeTail)
	for _, r := range records {
		size += len(r.body) + 1
	}
	event := make([]byte, 0, size)
	event = append(event, envelopeHead...)
	for i, r := range records {
		if i > 0 {
			event = append(event, ',')
		}
		event = append(event, r.body...)
	}
	return append(event, envelopeTail...)
}

const envelopeHead, envelopeTail = `{"Records":[`, `]}`

// lambdaARN is the stream's name as a function sees it: the engines put their own word where the region belongs.
func lambdaARN(arn, region string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 {
		return arn
	}
	parts[3] = region
	return strings.Join(parts, ":")
}
