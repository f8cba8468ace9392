package huawei

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// expected is what the facts say, written down a second time: action, status and code to the verdicts of a read and of a
// write. A rule for one action has a verdict only on its side.
var expected = map[string][2]verdict.Verdict{
	" 429 APIGW.0308":  {throttled, throttled},
	" 202 Common.0024": {throttled, unknown},
	" 429 Common.1503": {throttled, throttled},
	" 503 Common.1503": {throttled, throttled},

	" 401 APIGW.0301":  {rejected, rejected},
	" 401 APIGW.0303":  {rejected, rejected},
	" 401 APIGW.0305":  {rejected, rejected},
	" 401 Common.0013": {rejected, rejected},
	" 403 APIGW.0302":  {rejected, rejected},
	" 403 Pdp.0001":    {rejected, rejected},
	" 403 Ecs.0003":    {rejected, rejected},
	" 403 Ecs.0110":    {rejected, rejected},
	" 403 Ecs.0066":    {rejected, rejected},
	" 403 Ecs.0067":    {rejected, rejected},
	" 403 Ecs.0068":    {rejected, rejected},
	" 403 Ecs.0069":    {rejected, rejected},
	" 403 Ecs.0070":    {rejected, rejected},
	" 403 Ecs.0071":    {rejected, rejected},
	" 401 EPS.0003":    {rejected, rejected},

	" 404 APIGW.0101":  {rejected, rejected},
	" 0 APIGW.0106":    {rejected, rejected},
	" 400 Ecs.0023":    {rejected, rejected},
	" 400 Common.0018": {rejected, rejected},

	"DeleteServerGroupMember 404 Ecs.0114":  {"", done},
	"DeleteServerGroupMember 404 Ecs.0614":  {"", done},
	" 404 Ecs.0114":                         {rejected, rejected},
	" 404 Ecs.0614":                         {rejected, rejected},
	"AddServerGroupMember 404 itemNotFound": {"", rejected},
	"AddServerGroupMember 404 ":             {"", rejected},
	"AddServerGroupMember 400 Ecs.0313":     {"", rejected},
	" 404 itemNotFound":                     {rejected, unknown},
	" 404 ":                                 {rejected, unknown},
	" 400 Ecs.0313":                         {rejected, unknown},

	"NovaAssociateSecurityGroup 404 itemNotFound":    {"", rejected},
	"NovaAssociateSecurityGroup 400 badRequest":      {"", unknown},
	"NovaAssociateSecurityGroup 403 forbidden":       {"", rejected},
	"NovaDisassociateSecurityGroup 404 itemNotFound": {"", done},
	"NovaDisassociateSecurityGroup 400 badRequest":   {"", rejected},

	" 501 Ecs.0603": {busy, busy},
	" 400 Ecs.0100": {busy, busy},
	" 400 Ecs.0605": {busy, busy},

	" 400 Ecs.0022": {rejected, rejected},
	" 400 Ecs.0118": {rejected, rejected},
	" 400 Ecs.0226": {transient, unknown},
	" 400 Ecs.0319": {transient, unknown},

	" 400 Ecs.0000":    {rejected, unknown},
	" 400 Ecs.0005":    {rejected, unknown},
	" 400 Common.0002": {rejected, unknown},
	" 400 Ecs.1000":    {transient, unknown},
	" 400 Ecs.1001":    {transient, unknown},
	" 400 Ecs.1002":    {transient, unknown},
	" 400 Ecs.1100":    {transient, unknown},
	" 400 Ecs.1200":    {transient, unknown},
	" 400 Ecs.1201":    {transient, unknown},
	" 400 Ecs.0002":    {transient, unknown},
	" 400 Ecs.0301":    {transient, unknown},

	"ShowJob 0 Common.0011": {rejected, ""},
	"ShowJob 0 Common.0021": {transient, ""},
	"ShowJob 0 Common.0025": {transient, ""},
	"ShowJob 0 Common.0026": {transient, ""},

	" 500 Common.0001": {transient, unknown},
	" 500 Ecs.0615":    {transient, unknown},
	" 502 ":            {transient, unknown},
	" 503 ":            {transient, unknown},
	" 504 APIGW.0201":  {transient, unknown},
	" 504 ":            {transient, unknown},
}

func TestEveryRuleThroughTheSDK(t *testing.T) {
	var status int
	var said string
	client := serve(t, func(w http.ResponseWriter, r *http.Request) { answer(status, said)(w, r) })
	tested := map[string]bool{}
	for _, rule := range rules {
		name := fmt.Sprintf("%s %d %s", rule.Op, rule.Status, rule.Code)
		t.Run(name, func(t *testing.T) {
			want, ok := expected[name]
			if !assert.True(t, ok, "a rule that nobody expects") {
				return
			}
			assert.False(t, tested[name], "a rule that an earlier one hides")
			tested[name] = true
			assert.NotEmpty(t, rule.Why)
			if status = rule.Status; status == 0 {
				status = 400
			}
			said = body(rule.Code)
			for side, call := range []string{plainRead, plainWrite} {
				if want[side] == "" {
					continue
				}
				if rule.Op != "" {
					call = rule.Op
				}
				e := failure(t, client, call)
				assert.Equal(t, want[side], e.Verdict, call)
				assert.Equal(t, rule.Code, e.Code)
				assert.Equal(t, status, e.Status)
				assert.Equal(t, "req-1", e.RequestID)
			}
		})
	}
	for name := range expected {
		assert.True(t, tested[name], "no rule for %q", name)
	}
}

func TestWhatNoRuleNames(t *testing.T) {
	for _, status := range []int{400, 403, 409, 418, 500, 501, 599} {
		client := serve(t, answer(status, body("Ecs.9999")))
		assert.Equal(t, verdict.Unknown, failure(t, client, plainWrite).Verdict, "write, %d", status)
	}
}
