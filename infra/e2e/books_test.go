package e2e

import (
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"yundian/infra/e2e/drive"
)

// TestBooksAreClosedAndVerified sells, closes the month on its schedule, sells on, and verifies by schedule, by the API and
// by the command; then one figure is altered, and all three find it.
func TestBooksAreClosedAndVerified(t *testing.T) {
	store := drive.Start(t)
	s := drive.Open(t, store.URL)
	tea := s.Product(10000, 20)
	sell := func() {
		t.Helper()
		s.Choose(s.Order(s.PageToken("/k/"+s.Handle), tea, 1, "sandbox").Text("payUrl"), "pay")
		s.Quiet()
	}
	sell()
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().In(shanghai)
	month, next := now.Format("2006-01"), time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, shanghai)
	open := s.Get("/v1/statements/"+month, s.KOC).Is(200).Object()
	open.Want(t, false, "closed")
	open.Want(t, 1000, "closing", "pending")

	fire := func(function string, at time.Time) {
		t.Helper()
		s.Do(drive.Call{Method: http.MethodPost, Path: "/_local/run/" + function + "?at=" + url.QueryEscape(at.UTC().Format(time.RFC3339))}).Is(200)
		s.Quiet()
	}
	fire("statement", next.Add(59*time.Minute))
	s.Get("/v1/statements/"+month, s.KOC).Is(200).Object().Want(t, false, "closed")
	fire("statement", next.Add(2*time.Hour))
	sell() // comes after the month, by whatever clock
	s.Earns(s.KOC, 2000, 0, 0)
	closed := s.Get("/v1/statements/"+month, s.KOC).Is(200).Object()
	closed.Want(t, true, "closed")
	closed.Want(t, 1000, "closing", "pending")
	closed.Want(t, "accrual", "items", 0, "kind")
	if len(closed.Text("hash")) != 64 || closed.Len("items") != 1 {
		t.Errorf("%v", closed)
	}
	s.Get("/v1/admin/kocs/"+s.Handle+"/statements", s.Auditor).Is(200).Object().Want(t, closed.Text("hash"), "items", 1, "hash")
	file := s.Do(drive.Call{Path: "/v1/statements/" + month, Token: s.KOC, Header: map[string]string{"Accept": "text/csv"}}).Is(200)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(file.Body), "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 4 || rows[1][2] != "opening" || rows[2][2] != "accrual" || rows[3][2] != "closing" {
		t.Errorf("%q, %v", file.Body, err)
	}

	s.Verify()
	fire("verify", time.Now())
	if log := functionsLog(t, store); !strings.Contains(log, `"LedgerVerified"`) || strings.Contains(log, "ledger difference") {
		t.Error("the daily run did not come to its end, or found something")
	}
	if out, code := runVerify(t, store.URL); code != 0 || !strings.Contains(out, " 0 differences, 0 still on their way") {
		t.Errorf("exit %d: %s", code, out)
	}

	alter(t, store, "KOC#"+s.Handle, "BAL#CNY", "pending", "2001")
	fire("verify", time.Now())
	if log := functionsLog(t, store); !strings.Contains(log, `"kind":"balance","id":"`+s.Handle+`","expected":"CNY pending 2000","found":"CNY pending 2001"`) {
		t.Error("the daily run did not find it")
	}
	if out, code := runVerify(t, store.URL); code != 1 || !strings.Contains(out, "balance "+s.Handle+"\n  expected  CNY pending 2000\n  found     CNY pending 2001\n") || !strings.Contains(out, " 1 differences") {
		t.Errorf("exit %d: %s", code, out)
	}
}

func functionsLog(t *testing.T, store *drive.Running) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(store.Folder(), "functions.log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// runVerify is `make verify`, and what it exits with.
func runVerify(t *testing.T, address string) (string, int) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "verify")
	build := exec.Command("go", "build", "-o", program, "./infra/local/cmd/verify")
	build.Dir = drive.Root()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	command := exec.Command(program)
	command.Env = append(os.Environ(), "URL="+address, "TOKEN=")
	out, err := command.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(out), exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out), 0
}

// alter sets a number of the ledger behind the store's back.
func alter(t *testing.T, store *drive.Running, pk, sk, attr, to string) {
	t.Helper()
	for _, table := range store.Model.Tables {
		if table.LogicalID != "LedgerTable" {
			continue
		}
		_, err := store.DB.UpdateItem(context.Background(), &dynamodb.UpdateItemInput{TableName: aws.String(table.Name),
			Key:              map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: sk}},
			UpdateExpression: aws.String("SET #a = :v"), ExpressionAttributeNames: map[string]string{"#a": attr},
			ExpressionAttributeValues: map[string]types.AttributeValue{":v": &types.AttributeValueMemberN{Value: to}}})
		if err != nil {
			t.Fatal(err)
		}
	}
}
