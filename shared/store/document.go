package store

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// document is a value that is kept as one attribute of JSON text. Nobody selects or guards by what is inside, and one
// text costs the functions and the store a fraction of what a tree of attributes does: an order has about 120 of them.
// Whatever an index, a guard or a stream filter needs is an attribute of its own beside it.
type document[T any] struct{ Value T }

// doc puts a value into a document.
func doc[T any](v T) document[T] { return document[T]{v} }

// documentForm keeps a missing list apart from an empty one: a shelf that nobody chose is not an empty shelf. Zero fields
// are written, because an amount of 0 still has its currency. Equal values have equal bytes, because a transaction is
// named by its content.
var documentForm = json.JoinOptions(json.FormatNilSliceAsNull(true), json.FormatNilMapAsNull(true), json.Deterministic(true), jsontext.AllowInvalidUTF8(true))

// MarshalDynamoDBAttributeValue implements attributevalue.Marshaler.
func (d document[T]) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	b, err := json.Marshal(d.Value, documentForm)
	if err != nil {
		return nil, fmt.Errorf("write document: %w", err)
	}
	return text(string(b)), nil
}

// UnmarshalDynamoDBAttributeValue implements attributevalue.Unmarshaler.
func (d *document[T]) UnmarshalDynamoDBAttributeValue(v types.AttributeValue) error {
	s, ok := v.(*types.AttributeValueMemberS)
	if !ok {
		return fmt.Errorf("read document: an attribute of type %T", v)
	}
	if err := json.Unmarshal([]byte(s.Value), &d.Value, documentForm); err != nil {
		return fmt.Errorf("read document: %w", err)
	}
	return nil
}
