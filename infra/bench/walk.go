package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"yundian/shared/provider"
)

// road is what clients that walk whole orders need: place, open the payment, press pay, and with Interval wait for the
// earnings.
type road struct {
	Orders     []call        `json:"orders"` // taken in turn
	Login      string        `json:"login"`  // of the KOC who earns
	Commission int64         `json:"commission"`
	Before     int64         `json:"before"`             // pending already
	Interval   time.Duration `json:"interval,omitempty"` // between the beginnings of two orders; only with one client
}

// pollPause is between two looks at the earnings: short against what is measured, long enough to leave the machine free.
const pollPause = 2 * time.Millisecond

// walk is the way of one order up to its payment, or up to the earnings.
func (w *worker) walk(n int) error {
	r, began := w.plan.Road, time.Now()
	placed, err := w.line.send(r.Orders[n%len(r.Orders)])
	if err != nil {
		return err
	}
	w.Placings = append(w.Placings, time.Since(began))
	var order struct{ PayURL string }
	if err := json.Unmarshal(placed.body, &order); err != nil {
		return fmt.Errorf("read the placed order: %w", err)
	}
	opened, err := w.line.send(call{Method: "GET", Path: w.path(order.PayURL), Status: 303})
	if err != nil {
		return err
	}
	if !strings.Contains(opened.location, provider.SandboxPath+"/pay/") {
		return fmt.Errorf("the payment opens %s, which is no page of the sandbox", opened.location)
	}
	pressed := time.Now()
	if _, err := w.line.send(call{Method: "POST", Path: w.path(opened.location), Status: 303, Body: "outcome=pay",
		Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}); err != nil {
		return err
	}
	paid := time.Now()
	w.Latencies = append(w.Latencies, paid.Sub(began))
	if r.Interval == 0 {
		return nil
	}
	if err := w.await(r.Before + int64(n+1)*r.Commission); err != nil {
		return err
	}
	w.Lags, w.Presses = append(w.Lags, time.Since(paid)), append(w.Presses, time.Since(pressed))
	time.Sleep(time.Until(began.Add(r.Interval)))
	return nil
}

// await asks for the KOC's earnings until this much is pending.
func (w *worker) await(pending int64) error {
	ask := call{Method: "GET", Path: "/v1/earnings", Status: 200, Header: map[string]string{"Authorization": "Bearer " + w.plan.Road.Login}}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(pollPause) {
		answer, err := w.line.send(ask)
		if err != nil {
			return err
		}
		now, err := pendingIn(answer.body)
		if err != nil {
			return err
		}
		if now > pending {
			return fmt.Errorf("%d is pending, more than was earned (%d)", now, pending)
		}
		if now == pending {
			return nil
		}
	}
	return fmt.Errorf("the earnings did not reach %d within %s", pending, patience)
}

// pendingIn is what an answer of GET /v1/earnings says is pending, in minor units of the shop's one currency.
func pendingIn(body []byte) (int64, error) {
	var earnings struct{ Balances []struct{ Pending int64 } }
	if err := json.Unmarshal(body, &earnings); err != nil {
		return 0, fmt.Errorf("read the earnings: %w", err)
	}
	if len(earnings.Balances) == 0 {
		return 0, nil
	}
	return earnings.Balances[0].Pending, nil
}

func (w *worker) path(address string) string { return strings.TrimPrefix(address, w.plan.Base) }
