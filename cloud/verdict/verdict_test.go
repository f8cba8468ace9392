package verdict_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

func TestErrorShowsThePartsThatExist(t *testing.T) {
	for want, err := range map[string]*verdict.Error{
		"AddMember: unknown": {Verdict: verdict.Unknown, Op: "AddMember"},
		"AddMember: rejected: Ecs.0022 (HTTP 400): full [request r-1]": {
			Verdict: verdict.Rejected, Op: "AddMember", Code: "Ecs.0022", Status: 400, Message: "full", RequestID: "r-1",
		},
	} {
		assert.EqualError(t, err, want)
	}
}

func TestAsFindsTheClassifiedError(t *testing.T) {
	known := &verdict.Error{Verdict: verdict.Throttled, Op: "Show", RetryAfter: time.Second}
	assert.Same(t, known, verdict.As(fmt.Errorf("reading: %w", known)))
	assert.Equal(t, verdict.Throttled, verdict.Of(errors.Join(errors.New("other"), known)))
}

func TestAsOfWhatNobodyClassifiedIsUnknown(t *testing.T) {
	for _, err := range []error{
		errors.New("surprise"),
		context.Canceled,
		fmt.Errorf("waiting: %w", context.DeadlineExceeded),
	} {
		assert.Equal(t, verdict.Unknown, verdict.Of(err), "%v", err)
	}
	assert.NotContains(t, verdict.As(errors.New("failed with secretKey=hunter2")).Message, "hunter2")
	assert.Nil(t, verdict.As(nil))
	assert.Equal(t, verdict.Verdict(""), verdict.Of(nil))
}

var table = verdict.Table{
	{Op: "Remove", Status: 404, Code: "Gone", Read: verdict.Rejected, Write: verdict.Done},
	{Status: 404, Code: "Gone", Read: verdict.Rejected, Write: verdict.Rejected},
	{Code: "Busy", Read: verdict.Busy, Write: verdict.Busy},
	{Status: 503, Read: verdict.Throttled, Write: verdict.Throttled},
}

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		name        string
		op          string
		status      int
		code        string
		read, write verdict.Verdict
	}{
		{"the special rule stands before the general", "Remove", 404, "Gone", verdict.Rejected, verdict.Done},
		{"the general rule holds for other actions", "Add", 404, "Gone", verdict.Rejected, verdict.Rejected},
		{"a rule with a status wants it", "Add", 410, "Gone", verdict.Unknown, verdict.Unknown},
		{"a rule without a status takes any", "Add", 418, "Busy", verdict.Busy, verdict.Busy},
		{"a rule without a code is for answers without one", "Add", 503, "", verdict.Throttled, verdict.Throttled},
		{"a code is compared whole", "Add", 418, "Busy.Not", verdict.Unknown, verdict.Unknown},
		{"an unknown code does not fall to the rule without one", "Add", 503, "New", verdict.Transient, verdict.Unknown},
		{"429 is throttling whatever its code", "Add", 429, "New", verdict.Throttled, verdict.Throttled},
		{"no answer", "Add", 0, "", verdict.Transient, verdict.Unknown},
		{"a success that made no sense", "Add", 200, "", verdict.Transient, verdict.Unknown},
		{"a redirect", "Add", 307, "", verdict.Transient, verdict.Unknown},
		{"trouble of the server", "Add", 500, "New", verdict.Transient, verdict.Unknown},
		{"not allowed", "Add", 401, "", verdict.Rejected, verdict.Unknown},
		{"forbidden", "Add", 403, "New", verdict.Rejected, verdict.Unknown},
		{"not found", "Add", 404, "New", verdict.Rejected, verdict.Unknown},
		{"a bad request that nobody knows", "Add", 400, "New", verdict.Unknown, verdict.Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.read, verdict.Classify(c.op, false, c.status, c.code, table), "read")
			assert.Equal(t, c.write, verdict.Classify(c.op, true, c.status, c.code, table), "write")
		})
	}
}

func TestClassifyAsksTheTablesInOrder(t *testing.T) {
	first := verdict.Table{{Code: "Busy", Read: verdict.Transient, Write: verdict.Transient}}
	assert.Equal(t, verdict.Transient, verdict.Classify("Add", true, 400, "Busy", first, table))
	assert.Equal(t, verdict.Busy, verdict.Classify("Add", true, 400, "Busy", table, first))
	assert.Equal(t, verdict.Unknown, verdict.Classify("Add", true, 400, "Busy"))
}

func TestRedactHidesSecrets(t *testing.T) {
	for _, text := range []string{
		`Post "https://ecs.example.com/?AccessKeyId=hunter2&Signature=hunter2": EOF`,
		`Get http://user:hunter2@10.0.0.1:80/hunter2#hunter2`,
		`Authorization: SDK-HMAC-SHA256 Access=hunter2, SignedHeaders=a;b, Signature=hunter2`,
		`authorization: Bearer hunter2`,
		`Authorization: Basic hunter2`,
		`{"accessKeySecret":"hunter2","x":1}`,
		`{\"SecurityToken\":\"hunter2\"}`,
		`access_key=hunter2 access-key = hunter2`,
		`secret_access_key: 'hunter2'`,
		`X-Security-Token: hunter2`,
		`X-Auth-Token=hunter2`,
		`db_password=hunter2;userPasswd:hunter2`,
		`ak=hunter2, sk: hunter2`,
		strings.Repeat("x", 490) + " sk=hunter2",
	} {
		assert.NotContains(t, verdict.Redact(text), "hunter2", "%s", text)
	}
}

func TestRedactLeavesTheRest(t *testing.T) {
	for text, want := range map[string]string{
		"verify aksk signature fail, ak: A": "verify aksk signature fail, ak: …",
		"see https://support.example.com/x": "see https://support.example.com/…",
		"task: the server is locked":        "task: the server is locked",
		"quota of group 12 = 16, of 16":     "quota of group 12 = 16, of 16",
		"服务器已锁定":                            "服务器已锁定",
		"":                                  "",
	} {
		assert.Equal(t, want, verdict.Redact(text))
	}
}

func TestRedactMakesTextFitForAHistory(t *testing.T) {
	long := verdict.Redact(strings.Repeat("器", 10_000))
	assert.True(t, utf8.ValidString(long), "cut inside a rune")
	assert.LessOrEqual(t, len(long), 510)
	assert.True(t, strings.HasSuffix(long, "…"))
	assert.Equal(t, "a b \uFFFD c", verdict.Redact("a\nb\x00\xff\xfe\tc"))
}
