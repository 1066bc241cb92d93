package store

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// document is a value that is kept as one attribute of JSON text. Nobody selects or guards by what is inside, and one
// text costs the functions and the store a fraction of what a tree of attributes does: an order has about 120 of them.
// Whatever an index, a guard or a stream filter needs is an attribute of its own beside it.
//
// A text of more than longText bytes is kept deflated. What makes a document long repeats itself: an order of 60 lines with
// 40 refunds of all of them has a megabyte of text, of which a tenth is left, and an item may have 400 KB.
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
	if len(b) > longText {
		return deflated(b)
	}
	return text(string(b)), nil
}

// UnmarshalDynamoDBAttributeValue implements attributevalue.Unmarshaler.
func (d *document[T]) UnmarshalDynamoDBAttributeValue(v types.AttributeValue) error {
	var b []byte
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		b = []byte(v.Value)
	case *types.AttributeValueMemberB:
		var err error
		if b, err = inflated(v.Value); err != nil {
			return fmt.Errorf("read document: %w", err)
		}
	default:
		return fmt.Errorf("read document: an attribute of type %T", v)
	}
	if err := json.Unmarshal(b, &d.Value, documentForm); err != nil {
		return fmt.Errorf("read document: %w", err)
	}
	return nil
}

const (
	// longText is from where on a document's text is deflated, in bytes. An order of a few lines and most products stay
	// below it, so that they are read in a moment, and by whoever looks at a table.
	longText = 8 << 10
	// mostText bounds what is inflated, in bytes: the largest document has less than half of it.
	mostText = 8 << 20
)

// deflated packs a text. The same text has the same bytes within one version of the program; nothing compares packed
// texts that different versions have written.
func deflated(b []byte) (types.AttributeValue, error) {
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.DefaultCompression)
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("write document: %w", err)
	}
	return &types.AttributeValueMemberB{Value: packed.Bytes()}, nil
}

func inflated(packed []byte) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), mostText+1))
	if err == nil && len(b) > mostText {
		err = errors.New("more text than any document has")
	}
	return b, err
}
