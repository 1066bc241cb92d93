package streams

import "encoding/json"

// failedFrom reads the answer of a function that reports failures per record. It returns the index of the first record
// to deliver again, len(records) when all are done. ok is false when the answer must be taken as a failure of the whole
// batch: not a JSON object, a list of another shape, an identifier that is empty, null, missing or not of this batch.
// An empty answer, null, {} and an empty or null list are complete success.
//
// Source: Lambda developer guide, "Configuring partial batch response with DynamoDB and Lambda".
func failedFrom(answer []byte, records []*record) (first int, ok bool) {
	if len(answer) == 0 {
		return len(records), true
	}
	var response *map[string]json.RawMessage
	if json.Unmarshal(answer, &response) != nil {
		return 0, false
	}
	if response == nil {
		return len(records), true
	}
	var failures []map[string]any
	if list, present := (*response)["batchItemFailures"]; present && json.Unmarshal(list, &failures) != nil {
		return 0, false
	}
	place := make(map[string]int, len(records))
	for i, r := range records {
		place[r.seq] = i
	}
	first = len(records)
	for _, f := range failures {
		id, isText := f["itemIdentifier"].(string)
		i, known := place[id]
		if !isText || !known {
			return 0, false
		}
		// Records of a batch are in the order of their sequence numbers, so the lowest index is the lowest number.
		first = min(first, i)
	}
	return first, true
}
