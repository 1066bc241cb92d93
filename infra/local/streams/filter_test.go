package streams

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestFilters(t *testing.T) {
	const order = `{"eventName":"MODIFY","dynamodb":{"SizeBytes":120,"Keys":{"pk":{"S":"ORDER#1"},"sk":{"S":"ORDER"}},
		"NewImage":{"status":{"S":"Paid"},"undecided":{"BOOL":true},"koc":{"NULL":true},"total":{"N":"300"},
		"tags":{"SS":["red","new"]},"note":{"S":""},"gone":null}}}`
	cases := []struct {
		name, pattern string
		want          bool
	}{
		{"no condition", `{}`, true},
		{"exact text", `{"dynamodb":{"Keys":{"sk":{"S":["ORDER"]}}}}`, true},
		{"other text", `{"dynamodb":{"Keys":{"sk":{"S":["LINE"]}}}}`, false},
		{"one of several", `{"eventName":["INSERT","MODIFY"]}`, true},
		{"none of several", `{"eventName":["INSERT","REMOVE"]}`, false},
		{"every field must match", `{"eventName":["MODIFY"],"dynamodb":{"Keys":{"sk":{"S":["LINE"]}}}}`, false},
		{"true", `{"dynamodb":{"NewImage":{"undecided":{"BOOL":[true]}}}}`, true},
		{"false", `{"dynamodb":{"NewImage":{"undecided":{"BOOL":[false]}}}}`, false},
		{"true is not text", `{"dynamodb":{"NewImage":{"undecided":{"BOOL":["true"]}}}}`, false},
		{"null", `{"dynamodb":{"NewImage":{"gone":[null]}}}`, true},
		{"null is not absent", `{"dynamodb":{"NewImage":{"never":[null]}}}`, false},
		{"empty text", `{"dynamodb":{"NewImage":{"note":{"S":[""]}}}}`, true},
		{"a DynamoDB number is text", `{"dynamodb":{"NewImage":{"total":{"N":["300"]}}}}`, true},
		{"a DynamoDB number is not a number", `{"dynamodb":{"NewImage":{"total":{"N":[300]}}}}`, false},
		{"number", `{"dynamodb":{"SizeBytes":[120.0]}}`, true},
		{"prefix", `{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"ORDER#"}]}}}}`, true},
		{"other prefix", `{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"FACT#"}]}}}}`, false},
		{"suffix", `{"dynamodb":{"Keys":{"pk":{"S":[{"suffix":"#1"}]}}}}`, true},
		{"other suffix", `{"dynamodb":{"Keys":{"pk":{"S":[{"suffix":"#2"}]}}}}`, false},
		{"case ignored", `{"dynamodb":{"NewImage":{"status":{"S":[{"equals-ignore-case":"pAID"}]}}}}`, true},
		{"case kept", `{"dynamodb":{"NewImage":{"status":{"S":["paid"]}}}}`, false},
		{"exists", `{"dynamodb":{"NewImage":{"status":{"S":[{"exists":true}]}}}}`, true},
		{"exists not", `{"dynamodb":{"OldImage":{"status":{"S":[{"exists":true}]}}}}`, false},
		{"absent", `{"dynamodb":{"OldImage":{"status":{"S":[{"exists":false}]}}}}`, true},
		{"not absent", `{"dynamodb":{"NewImage":{"status":{"S":[{"exists":false}]}}}}`, false},
		{"an object is no leaf", `{"dynamodb":{"NewImage":{"status":[{"exists":true}]}}}`, false},
		{"anything but one", `{"dynamodb":{"NewImage":{"status":{"S":[{"anything-but":"Paid"}]}}}}`, false},
		{"anything but others", `{"dynamodb":{"NewImage":{"status":{"S":[{"anything-but":["Placed","Expired"]}]}}}}`, true},
		{"anything but needs a value", `{"dynamodb":{"NewImage":{"never":{"S":[{"anything-but":"x"}]}}}}`, false},
		{"numeric equal", `{"dynamodb":{"SizeBytes":[{"numeric":["=",120]}]}}`, true},
		{"numeric range", `{"dynamodb":{"SizeBytes":[{"numeric":[">",100,"<=",120]}]}}`, true},
		{"outside the range", `{"dynamodb":{"SizeBytes":[{"numeric":[">",100,"<",120]}]}}`, false},
		{"numeric needs a number", `{"dynamodb":{"NewImage":{"total":{"N":[{"numeric":["=",300]}]}}}}`, false},
		{"member of a set", `{"dynamodb":{"NewImage":{"tags":{"SS":["new"]}}}}`, true},
		{"not of a set", `{"dynamodb":{"NewImage":{"tags":{"SS":["old"]}}}}`, false},
		{"or, second", `{"$or":[{"eventName":["REMOVE"]},{"dynamodb":{"Keys":{"sk":{"S":["ORDER"]}}}}]}`, true},
		{"or, none", `{"$or":[{"eventName":["REMOVE"]},{"eventName":["INSERT"]}]}`, false},
		{"or beside and", `{"eventName":["INSERT"],"$or":[{"eventName":["MODIFY"]},{"eventName":["INSERT"]}]}`, false},
	}
	event := generic(t, order)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, err := compile(c.pattern)
			if err != nil {
				t.Fatal(err)
			}
			if got := p(event); got != c.want {
				t.Errorf("matches = %v, want %v", got, c.want)
			}
		})
	}
}

func TestUnknownFiltersAreRefused(t *testing.T) {
	for pattern, says := range map[string]string{
		`{"a":["x"]`:                                  "not JSON",
		`{"a":["x"]} {}`:                              "text after its end",
		`["a"]`:                                       "not a JSON object",
		`{"a":"x"}`:                                   "must stand in a list",
		`{"a":[]}`:                                    "empty list",
		`{"a":[["x"]]}`:                               "list inside a list",
		`{"a":[{"wildcard":"x*"}]}`:                   "filter.a[0].wildcard: not a known form",
		`{"a":[{"cidr":"10.0.0.0/8"}]}`:               "not a known form",
		`{"a":[{"prefix":3}]}`:                        "wants a string",
		`{"a":[{"prefix":"x","suffix":"y"}]}`:         "exactly one comparison",
		`{"a":[{"exists":"yes"}]}`:                    "wants true or false",
		`{"a":[{"numeric":["=="]}]}`:                  "wants [",
		`{"a":[{"numeric":["~",1]}]}`:                 "not a comparison",
		`{"a":[{"anything-but":{"prefix":"x"}}]}`:     "wants strings or numbers",
		`{"a":[{"anything-but":[]}]}`:                 "excludes nothing",
		`{"$or":[{"a":["x"]}]}`:                       "at least two",
		`{"$or":["a","b"]}`:                           "pattern object",
		`{"a":["` + strings.Repeat("x", 5000) + `"]}`: "the limit is 4096",
		strings.Repeat(`{"a":`, 40) + `["x"]` + strings.Repeat("}", 40): "nested deeper",
	} {
		if _, err := compile(pattern); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.80s: error %v, want %q", pattern, err, says)
		}
	}
}

// generic is JSON as eventDocument builds it: whole numbers are int64.
func generic(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	var integers func(any) any
	integers = func(v any) any {
		switch x := v.(type) {
		case map[string]any:
			for k := range x {
				x[k] = integers(x[k])
			}
		case []any:
			for i := range x {
				x[i] = integers(x[i])
			}
		case json.Number:
			n, err := x.Int64()
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		return v
	}
	return integers(v)
}
