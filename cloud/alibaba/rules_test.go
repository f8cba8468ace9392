package alibaba

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// rows splits a table into the fields of its rows.
func rows(table string) [][]string {
	var all [][]string
	for line := range strings.Lines(table) {
		if fields := strings.Fields(line); len(fields) > 0 {
			all = append(all, fields)
		}
	}
	return all
}

func TestEveryRuleThroughTheSDK(t *testing.T) {
	want := map[string][2]verdict.Verdict{}
	for _, f := range rows(expected) {
		want[strings.Join(f[:3], " ")] = [2]verdict.Verdict{verdict.Verdict(f[3]), verdict.Verdict(f[4])}
	}
	var status int
	var says string
	client := serve(t, func(w http.ResponseWriter, r *http.Request) { answer(status, says)(w, r) })
	tested := map[string]bool{}
	for _, rule := range rules {
		op := rule.Op
		if op == "" {
			op = "-"
		}
		name := fmt.Sprintf("%s %d %s", op, rule.Status, rule.Code)
		t.Run(name, func(t *testing.T) {
			verdicts, ok := want[name]
			if !assert.True(t, ok, "a rule that nobody expects") {
				return
			}
			assert.False(t, tested[name], "a rule that an earlier one hides")
			tested[name] = true
			assert.NotEmpty(t, rule.Why)
			if status = rule.Status; status == 0 {
				status = 400
			}
			says = body(rule.Code)
			for side, call := range []string{plainRead, plainWrite} {
				if verdicts[side] == "-" {
					continue
				}
				if rule.Op != "" {
					call = rule.Op
				}
				e := failure(t, client, call)
				assert.Equal(t, verdicts[side], e.Verdict, call)
				assert.Equal(t, rule.Code, e.Code)
				assert.Equal(t, status, e.Status)
				assert.Equal(t, "req-1", e.RequestID)
				assert.Equal(t, "no", e.Message)
			}
		})
	}
	for name := range want {
		assert.True(t, tested[name], "no rule for %q", name)
	}
}

func TestEveryCodeOfThePagesHasARule(t *testing.T) {
	for action, page := range map[string]string{
		"JoinSecurityGroup": securityGroupPage, "JoinResourceGroup": resourceGroupPage,
		"CreateSnapshot": createSnapshotPage, "CreateImage": createImagePage, "ReplaceSystemDisk": replaceSystemDiskPage,
	} {
		open := []string{"InternalError", "CreateSnapshot.Failed", "InvalidImageName.Duplicated"}
		for _, f := range rows(page) {
			var status int
			_, err := fmt.Sscan(f[0], &status)
			assert.NoError(t, err)
			rule, ok := rules.Find(action, status, f[1])
			assert.True(t, ok, "%s %v", action, f)
			leaves := slices.Contains(open, f[1]) || f[0] == "500"
			assert.Equal(t, leaves, rule.Write == unknown, "%s %v leaves the effect open", action, f)
		}
	}
}

func TestRulesAreACopy(t *testing.T) {
	all := Rules()
	assert.Equal(t, rules, all)
	all[0].Code = "Changed"
	assert.NotEqual(t, "Changed", rules[0].Code)
}

func TestWhatNoRuleNames(t *testing.T) {
	for _, status := range []int{400, 403, 404, 409, 418, 500, 501, 599} {
		for _, code := range []string{"Nobody.Knows", "Throttling.", "NotFound", "InternalError2"} {
			client := serve(t, answer(status, body(code)))
			assert.Equal(t, verdict.Unknown, failure(t, client, plainWrite).Verdict, "write, %d %s", status, code)
		}
	}
}

// The codes of items in the answer to a batch come without a status.
func TestItemsOfABatch(t *testing.T) {
	for code, want := range map[string]verdict.Verdict{
		"IncorrectInstanceStatus": busy, "InvalidInstanceId.NotFound": rejected, "InternalError": unknown,
		"InvalidInstanceId.AlreadyExists": unknown, "Nobody.Knows": unknown, "": unknown,
	} {
		assert.Equal(t, want, ofItem(startInstances, code), code)
	}
}
