package wire

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"time"
)

// Kind is what a fault does to a call.
type Kind int

// The kinds of faults.
const (
	None         Kind = iota // nothing but the delay
	LostRequest              // the connection breaks before the store has seen the request
	LostResponse             // the store does the work, then the connection breaks
	Throttle                 // refused with ProvisionedThroughputExceededException; the store sees nothing
	Conflict                 // refused because of another transaction; the store sees nothing
	ServerError              // refused with status 500; the store sees nothing
	Delay                    // the request waits before it goes to the store
)

var kindNames = [...]string{"none", "lost_request", "lost_response", "throttle", "conflict", "server_error", "delay"}

// String names a kind for reports.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "unknown"
	}
	return kindNames[k]
}

// Fault is one disturbance.
type Fault struct {
	Kind  Kind
	Delay time.Duration // with Kind Delay
}

// Rule says which calls are disturbed, and how.
type Rule struct {
	Op     string  // operation; empty means every operation
	Fault  Fault   // what happens
	Chance float64 // share of the calls, 0 to 1
	Skip   int     // calls at the beginning that are left alone
	Limit  int     // most calls that are disturbed; 0 means no limit
}

// Plan is a reproducible sequence of faults: whether the n-th call that a rule applies to is disturbed depends on the
// seed, the rule's place and n alone. The first rule that strikes wins.
type Plan struct {
	Seed  uint64
	Rules []Rule
}

// Faults disturbs calls from now on; an empty plan ends that. It returns an error, and changes nothing, when a rule
// makes no sense.
func (p *Proxy) Faults(plan Plan) error {
	for i, r := range plan.Rules {
		if r.Fault.Kind <= None || r.Fault.Kind > Delay {
			return fmt.Errorf("fault rule %d: unknown kind %d", i, r.Fault.Kind)
		}
		if r.Chance < 0 || r.Chance > 1 || r.Skip < 0 || r.Limit < 0 || (r.Fault.Kind == Delay) != (r.Fault.Delay > 0) {
			return fmt.Errorf("fault rule %d: %+v is out of range", i, r)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan = nil
	if len(plan.Rules) > 0 {
		p.plan = &running{plan: plan, seen: make([]uint64, len(plan.Rules)), struck: make([]int, len(plan.Rules))}
	}
	return nil
}

// running is a plan with what has happened so far, by rule.
type running struct {
	plan   Plan
	seen   []uint64
	struck []int
}

// next decides about one call. Every rule that applies counts it, also behind one that strikes, so that a rule's
// decisions do not depend on the others.
func (r *running) next(op string) (fault Fault) {
	for i, rule := range r.plan.Rules {
		if rule.Op != "" && rule.Op != op {
			continue
		}
		n := r.seen[i]
		r.seen[i]++
		if n < uint64(rule.Skip) || (rule.Limit > 0 && r.struck[i] >= rule.Limit) || draw(r.plan.Seed, uint64(i), n) >= rule.Chance {
			continue
		}
		if fault.Kind == None {
			r.struck[i]++
			fault = rule.Fault
		}
	}
	return fault
}

// draw is a number from 0 up to but not including 1 that its arguments determine.
func draw(seed, rule, n uint64) float64 {
	h := fnv.New64a()
	var b [24]byte
	binary.LittleEndian.PutUint64(b[0:], seed)
	binary.LittleEndian.PutUint64(b[8:], rule)
	binary.LittleEndian.PutUint64(b[16:], n)
	h.Write(b[:])
	x := h.Sum64()
	// FNV leaves its high bits poorly mixed for inputs that differ at the end only: finish as SplitMix64 does.
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	return float64(x>>11) / (1 << 53)
}

// refusal is DynamoDB's own answer for a fault that keeps the request from the store.
func (f Fault) refusal(op string, body []byte) answer {
	status, name := http.StatusBadRequest, "ProvisionedThroughputExceededException"
	content := map[string]any{"message": "The level of configured provisioned throughput for the table was exceeded."}
	switch {
	case f.Kind == ServerError:
		status, name = http.StatusInternalServerError, "InternalServerError"
		content["message"] = "Internal server error"
	case f.Kind == Conflict && op == "TransactWriteItems" || f.Kind == Conflict && op == "TransactGetItems":
		name = "TransactionCanceledException"
		reasons := conflictReasons(body)
		content = map[string]any{"Message": "Transaction cancelled, please refer cancellation reasons for specific reasons " +
			codes(reasons), "CancellationReasons": reasons}
	case f.Kind == Conflict:
		name = "TransactionConflictException"
		content["message"] = "Transaction is ongoing for the item"
	}
	content["__type"] = "com.amazonaws.dynamodb.v20120810#" + name
	out, _ := json.Marshal(content) // strings only: cannot fail
	return answer{status: status, header: jsonHeader(), body: out}
}

// conflictReasons has one entry per action of the transaction, in order: the first one met the conflict.
func conflictReasons(body []byte) []map[string]string {
	var transaction struct{ TransactItems []json.RawMessage }
	_ = json.Unmarshal(body, &transaction) // what is no transaction gets one reason
	reasons := make([]map[string]string, max(1, len(transaction.TransactItems)))
	for i := range reasons {
		reasons[i] = map[string]string{"Code": "None"}
	}
	reasons[0] = map[string]string{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
	return reasons
}

func codes(reasons []map[string]string) string {
	out := "["
	for i, r := range reasons {
		if i > 0 {
			out += ", "
		}
		out += r["Code"]
	}
	return out + "]"
}
