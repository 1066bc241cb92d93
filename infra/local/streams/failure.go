package streams

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Why records were given up, in Lambda's words.
const (
	retriesExhausted = "RetryAttemptsExhausted"
	ageExceeded      = "RecordAgeExceeded"
)

// invocationRecord is what Lambda puts into an on-failure bucket: where the records stand in the stream and, for
// buckets only, the whole event.
type invocationRecord struct {
	RequestContext struct {
		RequestID              string `json:"requestId"`
		FunctionARN            string `json:"functionArn"`
		Condition              string `json:"condition"`
		ApproximateInvokeCount int    `json:"approximateInvokeCount"`
	} `json:"requestContext"`
	ResponseContext *responseContext `json:"responseContext,omitempty"`
	Version         string           `json:"version"`
	Timestamp       string           `json:"timestamp"`
	Batch           batchInfo        `json:"DDBStreamBatchInfo"`
	Payload         string           `json:"payload"`
}

type responseContext struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError,omitempty"`
}

type batchInfo struct {
	ShardID       string `json:"shardId"`
	StartSequence string `json:"startSequenceNumber"`
	EndSequence   string `json:"endSequenceNumber"`
	FirstArrival  string `json:"approximateArrivalOfFirstRecord"`
	LastArrival   string `json:"approximateArrivalOfLastRecord"`
	BatchSize     int    `json:"batchSize"`
	StreamARN     string `json:"streamArn"`
}

// keep writes the records that are given up to the mapping's on-failure folder, under the key that Lambda uses in a
// bucket: aws/lambda/<mapping>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<random>.
func (r *run) keep(p *piece, condition string) error {
	m := r.mapping
	now := m.poller.o.Now().UTC()
	first, last := p.records[0], p.records[len(p.records)-1]
	out := invocationRecord{Version: "1.0", Timestamp: now.Format("2006-01-02T15:04:05.000Z"), Payload: string(envelope(p.records))}
	out.RequestContext.RequestID = randomUUID()
	out.RequestContext.FunctionARN = "arn:aws:lambda:" + m.poller.o.Region + ":000000000000:function:" + m.Function
	out.RequestContext.Condition = condition
	out.RequestContext.ApproximateInvokeCount = p.invokes
	if p.invokes > 0 {
		out.ResponseContext = &responseContext{StatusCode: 200, ExecutedVersion: "$LATEST"}
		if p.functionError {
			out.ResponseContext.FunctionError = "Unhandled"
		}
	}
	out.Batch = batchInfo{
		ShardID: r.shard, StartSequence: first.seq, EndSequence: last.seq, BatchSize: len(p.records), StreamARN: m.arn,
		FirstArrival: first.arrived.UTC().Format(time.RFC3339), LastArrival: last.arrived.UTC().Format(time.RFC3339),
	}
	body, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the on-failure record of %s: %w", m.id, err)
	}
	dir := filepath.Join(m.poller.o.OnFailureDir, m.OnFailure, "aws", "lambda", m.uuid, r.shard, now.Format("2006/01/02"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("keep the failed records of %s: %w", m.id, err)
	}
	file := filepath.Join(dir, now.Format("2006-01-02T15.04.05")+"-"+randomUUID())
	if err := os.WriteFile(file, body, 0o644); err != nil {
		return fmt.Errorf("keep the failed records of %s: %w", m.id, err)
	}
	return nil
}

func randomUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return formatUUID(b)
}

// mappingUUID stands for the id that Lambda gives a mapping; it is the same at every start.
func mappingUUID(id string) string {
	sum := sha256.Sum256([]byte(id))
	return formatUUID([16]byte(sum[:16]))
}

func formatUUID(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
