package main

import "sync"

// targets remembers which product a share link leads to, so that its page is read in two rounds instead of three. A
// link never changes, and what is remembered wrongly or not at all only costs a round.
type targets struct {
	mu      sync.Mutex
	product map[string]string // by link code
}

// maxTargets bounds the memory of one function process: 4,096 links of 200 bytes.
const maxTargets = 4096

func (t *targets) of(code string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.product[code]
}

func (t *targets) remember(code, product string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.product == nil || len(t.product) >= maxTargets {
		t.product = map[string]string{}
	}
	t.product[code] = product
}
