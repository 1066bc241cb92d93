package store

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"yundian/shared/catalogue"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

type kept[T any] struct {
	Doc document[T] `dynamodbav:"doc"`
}

// again writes a value and reads it back.
func again[T any](t *testing.T, v T) T {
	t.Helper()
	it, err := encode(kept[T]{Doc: doc(v)})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := it["doc"].(*types.AttributeValueMemberS); !ok || len(it) != 1 {
		t.Fatalf("kept as %T", it["doc"])
	}
	var x kept[T]
	if err := decode(it, &x); err != nil {
		t.Fatal(err)
	}
	return x.Doc.Value
}

func TestDocumentsComeBackAsTheyWere(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	order := ordering.Order{ID: "o1", Version: 3, PlacedAt: at, Lines: []ordering.Line{{SKU: "a", Title: "<茶> \"'\\\n\u2028", Tags: []string{}, Quantity: 1 << 62,
		Net: money.Of(-5, "CNY")}}, Shipping: money.Of(0, "CNY"),
		Released: &ordering.Mark{V: 2}, Awards: []ordering.Award{{}}, Evidence: []ordering.Evidence{}}
	if got := again(t, order); !reflect.DeepEqual(got, order) {
		t.Errorf("order\n%+v\nwant\n%+v", got, order)
	}
	// A shelf that nobody chose shows the brand's; one that was emptied shows nothing.
	for _, shelf := range [][]koc.ShelfItem{nil, {}, {{Product: "tea", Note: "每天"}}} {
		p := koc.Profile{Handle: "mei", Shelf: shelf}
		if got := again(t, p); !reflect.DeepEqual(got, p) {
			t.Errorf("profile\n%+v\nwant\n%+v", got, p)
		}
	}
	rates := map[string]money.BasisPoints{"b": 1, "a": 0}
	if got := again(t, rates); !reflect.DeepEqual(got, rates) {
		t.Errorf("rates %v", got)
	}
	if got := again(t, catalogue.Product{}); !reflect.DeepEqual(got, catalogue.Product{}) {
		t.Errorf("product %+v", got)
	}
}

// A transaction is named by its content, so a document of the same value has to have the same bytes.
func TestDocumentsOfEqualValuesAreEqual(t *testing.T) {
	one, other := map[string]int{}, map[string]int{}
	for i := range 50 {
		one[strings.Repeat("k", i)], other[strings.Repeat("k", 49-i)] = 1, 1
	}
	for range 20 {
		a, err := encode(kept[map[string]int]{doc(one)})
		b, failed := encode(kept[map[string]int]{doc(other)})
		if err != nil || failed != nil || !reflect.DeepEqual(a, b) {
			t.Fatalf("equal values were written differently: %v, %v", err, failed)
		}
	}
}

// cutOff is a long document without its end.
func cutOff(t *testing.T) types.AttributeValue {
	t.Helper()
	v, err := doc(ordering.Order{ID: strings.Repeat("long", 10_000)}).MarshalDynamoDBAttributeValue()
	packed, ok := v.(*types.AttributeValueMemberB)
	if err != nil || !ok {
		t.Fatalf("a long document is kept as %T, %v", v, err)
	}
	return &types.AttributeValueMemberB{Value: packed.Value[:len(packed.Value)-3]}
}

func TestDamagedDocumentsAreRefused(t *testing.T) {
	for name, v := range map[string]types.AttributeValue{
		"no text":      &types.AttributeValueMemberL{},
		"not deflated": &types.AttributeValueMemberB{Value: []byte(`{"ID":"a"}`)},
		"cut off":      cutOff(t),
		"no JSON":      text("{"),
		"another kind": text("[]"),
		"twice":        text(`{"ID":"a","ID":"b"}`),
	} {
		var x kept[ordering.Order]
		if err := decode(Item{"doc": v}, &x); err == nil {
			t.Errorf("%s was read as %+v", name, x.Doc.Value)
		}
	}
}
