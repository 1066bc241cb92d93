// Package stripe sends payouts to KOCs through Stripe Connect: a transfer moves money from the shop's balance at Stripe to
// the KOC's connected account there.
//
// It is apart from package provider so that only the function that sends payouts links Stripe's library.
package stripe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	stripego "github.com/stripe/stripe-go/v85"

	"yundian/shared/money"
	"yundian/shared/payout"
	"yundian/shared/provider"
)

const (
	// patience bounds what is asked of Stripe for one payout, both calls together. Longer than with shoppers, because a
	// lost answer costs a look-up and a slow one nothing; still less than the sender keeps of its own time for the record.
	patience = 10 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes; a list of two transfers has about four thousand.
	maxAnswer = 256 << 10
	// maxReason bounds what is kept of a refusal, in characters.
	maxReason = 300
)

// Rail sends transfers. It implements provider.Rail.
type Rail struct {
	api   *stripego.Client
	shop  string
	limit time.Duration // patience
}

// Shop is who pays.
type Shop struct {
	// Key is the secret key of the shop's Stripe account: as Secrets Manager keeps it, {"key": "sk_live_…"}, or alone.
	Key string
	// Name is this deployment's own, for as long as it has payouts. Ids of payouts are the same in every shop that has
	// a KOC of that name: what another shop has sent from the same account must not pass for this shop's.
	Name string
}

// keyForm is what secret and restricted keys look like. Anything else that is pasted there would be sent to Stripe, and
// payouts would stay unknown.
var keyForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[sr]k_(test|live)_[A-Za-z0-9_]+$`) })

// New makes the rail. While the secret holds no key there is none: the list is empty. Errors do not repeat the secret.
func New(s Shop) ([]provider.Rail, error) {
	s.Key = strings.TrimSpace(s.Key)
	if strings.HasPrefix(s.Key, "{") {
		var secret struct {
			Key string `json:"key"`
		}
		if err := json.Unmarshal([]byte(s.Key), &secret); err != nil {
			return nil, errors.New(`stripe: the secret is not JSON such as {"key": "sk_live_…"}`)
		}
		s.Key = strings.TrimSpace(secret.Key)
	}
	switch {
	case s.Key == "":
		return nil, nil
	case !keyForm().MatchString(s.Key):
		return nil, errors.New("stripe: this is not a secret key, sk_… or rk_…")
	case s.Name == "":
		return nil, errors.New("stripe: the shop has no name")
	}
	return []provider.Rail{NewAt(s, stripego.APIURL)}, nil
}

// NewAt is for tests, which bring a key and a Stripe of their own; a rule holds functions to New.
func NewAt(s Shop, address string) *Rail {
	client := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the key goes nowhere else
		Transport:     bounded{&http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: maxAnswer}},
	}
	return &Rail{shop: s.Name, limit: patience, api: stripego.NewClient(s.Key, stripego.WithBackends(stripego.NewBackendsWithConfig(&stripego.BackendConfig{
		URL:             stripego.String(address),
		HTTPClient:      client,
		EnableTelemetry: stripego.Bool(false),
		LeveledLogger:   &stripego.LeveledLogger{Level: stripego.LevelNull}, // what is worth a line is logged by whoever sends payouts
		// The library would repeat a request under the same key, which is safe; looking the transfer up tells more.
		MaxNetworkRetries: stripego.Int64(0),
	})))}
}

// Name implements provider.Rail.
func (r *Rail) Name() string { return payout.Stripe }

// Send implements provider.Rail. Stripe knows an idempotency key for a day at least, not for ever, so it is asked for the
// transfer first: sent again at any time, a payout's money moves once.
func (r *Rail) Send(ctx context.Context, t provider.Transfer) (provider.TransferResult, error) {
	if t.ID == "" || t.Account == "" || t.Amount.Minor <= 0 {
		return provider.TransferResult{}, fmt.Errorf("send transfer %q of %s: nothing to send", t.ID, t.Amount)
	}
	if slices.Contains(otherUnits, t.Amount.Currency) {
		return provider.TransferResult{State: provider.TransferFailed, Reason: "Stripe counts " + string(t.Amount.Currency) + " in other units than this shop"}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	made, err := r.find(ctx, t.ID)
	if !provider.IsTransferUnknown(err) {
		if err == nil {
			err = differs(made, t)
		}
		return paid(made, err)
	}
	made, err = r.api.V1Transfers.Create(ctx, r.request(t))
	if reason, refused := refusal(err); refused {
		return provider.TransferResult{State: provider.TransferFailed, Reason: reason}, nil
	}
	if err == nil {
		err = differs(made, t)
	} else {
		err = unclear("send transfer "+t.ID, err)
	}
	return paid(made, err)
}

// Lookup implements provider.Rail. Transfers are at once or never, so there are no pending ones.
func (r *Rail) Lookup(ctx context.Context, id string) (provider.TransferResult, error) {
	ctx, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	made, err := r.find(ctx, id)
	return paid(made, err)
}

func paid(made *stripego.Transfer, err error) (provider.TransferResult, error) {
	if err != nil {
		return provider.TransferResult{}, err
	}
	return provider.TransferResult{State: provider.TransferPaid, ProviderID: made.ID}, nil
}

// What a transfer says about itself, so that a look-up can tell whether it is the one that was sent.
const (
	metaShop   = "shop"
	metaPayout = "payout"
	metaAmount = "amount"
	metaTo     = "account"
)

func (r *Rail) request(t provider.Transfer) *stripego.TransferCreateParams {
	p := &stripego.TransferCreateParams{
		Amount:        stripego.Int64(t.Amount.Minor),
		Currency:      stripego.String(strings.ToLower(string(t.Amount.Currency))),
		Destination:   stripego.String(t.Account),
		Description:   stripego.String(t.Description),
		TransferGroup: stripego.String(t.ID),
		Metadata: map[string]string{metaShop: r.shop, metaPayout: t.ID, metaTo: t.Account,
			metaAmount: amount(t.Amount.Minor, string(t.Amount.Currency))},
	}
	p.SetIdempotencyKey(t.ID)
	return p
}

func amount(minor int64, currency string) string {
	return strconv.FormatInt(minor, 10) + " " + strings.ToLower(currency)
}

// listPath is what every list of transfers says about itself; without it an answer is no list, and silent about transfers.
const listPath = "/v1/transfers"

// find is the transfer of a payout. What cannot be ours alone is an error: money has moved, and a person has to look.
func (r *Rail) find(ctx context.Context, id string) (*stripego.Transfer, error) {
	if id == "" {
		return nil, errors.New("look up a transfer without an id")
	}
	p := &stripego.TransferListParams{TransferGroup: stripego.String(id)}
	p.Limit = stripego.Int64(2) // a second one is one too many
	list := r.api.V1Transfers.List(ctx, p)
	switch {
	case list.Err() != nil:
		return nil, unclear("look up transfer "+id, list.Err())
	case list.Meta().URL != listPath:
		return nil, fmt.Errorf("look up transfer %s: the answer is no list of transfers", id)
	case len(list.Data()) > 1 || list.Meta().HasMore:
		return nil, fmt.Errorf("look up transfer %s: Stripe has several for this payout", id)
	case len(list.Data()) == 0:
		return nil, provider.TransferUnknown()
	}
	made := list.Data()[0]
	switch told := made.Metadata; {
	case told[metaShop] != r.shop || told[metaPayout] != id || told[metaAmount] != amount(made.Amount, string(made.Currency)) ||
		made.Destination == nil || made.Destination.ID != told[metaTo]:
		return nil, fmt.Errorf("look up transfer %s: %s at Stripe was not made by this shop, or changed", id, made.ID)
	case made.Reversed || made.AmountReversed != 0:
		return nil, fmt.Errorf("look up transfer %s: %s at Stripe has been reversed", id, made.ID)
	}
	return made, nil
}

// differs is an error when a transfer is not the one that was to be sent.
func differs(made *stripego.Transfer, t provider.Transfer) error {
	if made.ID != "" && made.TransferGroup == t.ID && amount(made.Amount, string(made.Currency)) == amount(t.Amount.Minor, string(t.Amount.Currency)) &&
		made.Destination != nil && made.Destination.ID == t.Account {
		return nil
	}
	return fmt.Errorf("send transfer %s: what Stripe has is not %s to the account of this payout", t.ID, t.Amount)
}

// refusal is why Stripe will not make a transfer, if that is what an error says. Only an answer to this very request
// counts: 409 and 429 speak of other requests, a reused key of another content, 401 and 403 of our key, and 5xx is kept
// by Stripe for the key whether the transfer was made or not.
func refusal(err error) (reason string, refused bool) {
	e, ok := errors.AsType[*stripego.Error](err)
	if !ok || e.Type != stripego.ErrorTypeInvalidRequest || !slices.Contains([]int{http.StatusBadRequest, http.StatusPaymentRequired, http.StatusNotFound}, e.HTTPStatusCode) {
		return "", false
	}
	reason = strings.Join(strings.Fields(string(e.Code)+" "+e.Msg), " ")
	if runes := []rune(reason); len(runes) > maxReason {
		reason = string(runes[:maxReason])
	}
	return reason, true
}

// unclear is an error whose text holds nothing of an answer's body, which may be anybody's and of any length.
func unclear(doing string, err error) error {
	if e, ok := errors.AsType[*stripego.Error](err); ok {
		return fmt.Errorf("%s: Stripe answered %d %s %.60s (request %.60s)", doing, e.HTTPStatusCode, e.Type, e.Code, e.RequestID)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("%s: call Stripe: %w", doing, e.Err)
	}
	return fmt.Errorf("%s: Stripe's answer cannot be read", doing)
}

// otherUnits are currencies that Stripe counts in units of its own, other than ISO's. A transfer of them would be a
// hundred times too much or too little. Source: https://docs.stripe.com/currencies, zero-decimal currencies and special cases.
var otherUnits = []money.Currency{"ISK", "MGA", "UGX"}

// bounded cuts answers off behind maxAnswer, which leaves JSON that cannot be read.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(req)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}
