package huawei

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// What is no success although the SDK takes it for one, or dies of it.
func TestAnswersThatAreNone(t *testing.T) {
	for what, a := range map[string]struct {
		status int
		body   string
		want   verdict.Verdict // "": what is unclear
	}{
		"202 of flow control":          {202, body("Common.0024"), ""},
		"202 that says nothing":        {202, `{}`, ""},
		"202 without a body":           {202, ``, ""},
		"redirect":                     {307, ``, ""},
		"redirect with a page":         {302, `<a href="https://elsewhere/?token=hunter2">here</a>`, ""},
		"redirect with a good answer":  {301, `{"job_id":"j1","status":"RUNNING","servers":[],"server_groups":[]}`, ""},
		"a page of a proxy":            {200, `<html>please log in</html>`, ""},
		"half an answer":               {200, `{"servers":[{"id":`, ""},
		"a list":                       {200, `[]`, ""},
		"null, which panics in theirs": {200, `null`, ""},
		"text":                         {200, `"OK"`, ""},
		"an error with status 200":     {200, body("Ecs.0100"), ""},
		"an error of the gateway, 200": {200, body("APIGW.0301"), ""},
		"wrong types": {200, `{"job_id":{},"status":7,"servers":7,"server_group":7,"server_groups":7,` +
			`"absolute":7,"extra_specs":7,"code":"x","message":"y"}`, ""},
		"502 of a proxy":            {502, `<html>Bad Gateway</html>`, ""},
		"503 without a body":        {503, ``, ""},
		"504 after who knows what":  {504, body("APIGW.0201"), ""},
		"500 in OpenStack's shape":  {500, `{"computeFault":{"message":"boom","code":500}}`, ""},
		"429 in nobody's shape":     {429, `slow down`, verdict.Throttled},
		"429 without a body":        {429, ``, verdict.Throttled},
		"401 in the gateway's form": {401, body("APIGW.0301"), verdict.Rejected},
	} {
		t.Run(what, func(t *testing.T) {
			client := serve(t, answer(a.status, a.body))
			for name := range calls {
				if ofNova(name) && a.status == 202 && blank([]byte(a.body)) {
					assert.NoError(t, calls[name].do(t.Context(), client), name)
					continue
				}
				e := failure(t, client, name)
				if want := a.want; want != "" {
					assert.Equal(t, want, e.Verdict, name)
				} else if a.status == 202 && strings.Contains(a.body, "0024") && !isWrite(name) {
					assert.Equal(t, verdict.Throttled, e.Verdict, name)
				} else {
					assert.Equal(t, unclear(name), e.Verdict, name)
				}
				assert.Equal(t, a.status, e.Status)
				assert.Equal(t, "req-1", e.RequestID)
				assert.NotContains(t, e.Error(), "hunter2")
			}
		})
	}
}

func TestEmptyBodyWhereOneIsDue(t *testing.T) {
	client := serve(t, answer(200, ""))
	for name := range calls {
		if calls[name].good != "" {
			assert.Equal(t, unclear(name), failure(t, client, name).Verdict, name)
		}
	}
}

func TestShapesOfErrors(t *testing.T) {
	for what, c := range map[string]struct{ body, code, message, request string }{
		"gateway":         {`{"error_msg":"m","error_code":"APIGW.0308","request_id":"b-1"}`, "APIGW.0308", "m", "b-1"},
		"gateway, short":  {`{"error_code":"APIGW.0308"}`, "APIGW.0308", `{"error_code":"APIGW.0308"}`, ""},
		"ecs":             {`{"error":{"code":"Ecs.0022","message":"m"}}`, "Ecs.0022", "m", ""},
		"flat":            {`{"code":"Common.0011","message":"m"}`, "Common.0011", "m", ""},
		"openstack":       {`{"badRequest":{"message":"m","code":400}}`, "badRequest", "m", ""},
		"two at once":     {`{"z":{"code":"Z","message":"z"},"a":{"code":"A","message":"a"}}`, "A", "a", ""},
		"message alone":   {`{"message":"m"}`, "", "m", ""},
		"number for code": {`{"code":400,"message":"m"}`, "", "m", ""},
		"text":            {"upstream\nfailed", "", "upstream failed", ""},
		"nothing":         {"", "", "I'm a teapot", ""},
		"code of no sort": {`{"error":{"code":"a b\n","message":"m"}}`, "", `{"error":{"code":"a b\n","message":"m"}}`, ""},
	} {
		t.Run(what, func(t *testing.T) {
			client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(418)
				_, _ = io.WriteString(w, c.body)
			})
			e := failure(t, client, plainRead)
			assert.Equal(t, &verdict.Error{Verdict: verdict.Unknown, Op: plainRead, Status: 418,
				Code: c.code, Message: c.message, RequestID: c.request}, e)
		})
	}
}

func TestMessagesHoldNoSecrets(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(401)
		_, _ = io.WriteString(w, "wrong key the-access-key in "+r.Header.Get("Authorization"))
	})
	e := failure(t, client, plainWrite)
	assert.Contains(t, e.Message, "wrong key")
	assert.NotContains(t, e.Message, "the-access-key")
	assert.Regexp(t, `Signature=…`, e.Message)
}

func TestRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"7": 7 * time.Second, "56.818": 56818 * time.Millisecond, "": 0, "0": 0, "-3": 0, "NaN": 0, "soon": 0,
		"Wed, 21 Oct 2026 07:28:00 GMT": 0, "1e300": time.Hour, "Inf": time.Hour,
	} {
		client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(429)
		})
		assert.Equal(t, want, failure(t, client, plainRead).RetryAfter.Round(time.Millisecond), "%q", header)
	}
}
