package alibaba

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// What is no success although the SDK takes it for one, or fails over it in a way of its own.
func TestAnswersThatAreNone(t *testing.T) {
	for what, a := range map[string]struct {
		status int
		body   string
		want   verdict.Verdict // "": what is unclear
	}{
		"nothing":                      {200, ``, ""},
		"an object that says nothing":  {200, `{}`, ""},
		"an error without a status":    {200, body("IncorrectInstanceStatusX"), ""},
		"EDAS's way to say no":         {200, `{"Code":500,"Message":"no","RequestId":"req-1"}`, ""},
		"redirect":                     {307, ``, ""},
		"redirect with a page":         {302, `<a href="https://elsewhere/?token=hunter2">here</a>`, ""},
		"redirect with a good answer":  {301, inBody(``), ""},
		"a page of a proxy":            {200, `<html>please log in</html>`, ""},
		"half an answer":               {200, `{"RequestId":"req-1","Instances":{`, ""},
		"a list":                       {200, `[]`, ""},
		"null":                         {200, `null`, ""},
		"text":                         {200, `"OK"`, ""},
		"a request id that is none":    {200, `{"RequestId":{}}`, ""},
		"502 of a proxy":               {502, `<html>Bad Gateway</html>`, ""},
		"503 without a body":           {503, ``, ""},
		"500 with a number for a code": {500, `{"Code":500,"Message":7,"RequestId":1}`, ""},
		"500 with nonsense for a code": {500, `{"Code":{},"Message":[],"AccessDeniedDetail":7}`, ""},
		"504 in half":                  {504, `{"Code":`, ""},
		"429 in nobody's shape":        {429, `slow down`, verdict.Throttled},
		"429 without a body":           {429, ``, verdict.Throttled},
		"400 that is flow control":     {400, body("Throttling.User"), verdict.Throttled},
		"503 that is flow control":     {503, body("Throttling"), verdict.Throttled},
		"400 with a number for a code": {400, `{"Code":400,"Message":"no"}`, verdict.Unknown},
		"400 without a word":           {400, ``, verdict.Unknown},
	} {
		t.Run(what, func(t *testing.T) {
			client := serve(t, answer(a.status, a.body))
			for name := range calls {
				want := a.want
				if want == "" {
					want = unclear(name)
				}
				e := failure(t, client, name)
				assert.Equal(t, want, e.Verdict, name)
				assert.Equal(t, a.status, e.Status)
				assert.NotContains(t, e.Error(), "hunter2")
				assert.NotContains(t, e.Error(), "127.0.0.1")
			}
		})
	}
}

func TestAnswersThatLackTheirContent(t *testing.T) {
	for what, content := range map[string]string{
		"nothing": ``, "null": `"Instances":null,"ResourceGroup":null,"InstanceResponses":null`,
		"wrong types": `"Instances":7,"SecurityGroups":{"SecurityGroup":7},"NetworkInterfaceSets":"x","Disks":{"a":[],"b":[]},` +
			`"ResourceGroup":{"Id":"rg-2","Status":"OK"},"AssociatedTransferSetting":7,"InstanceResponses":{}`,
	} {
		client := serve(t, answer(200, inBody(content)))
		for name, c := range calls {
			if c.good == "" {
				assert.NoError(t, c.do(t.Context(), client), name)
				continue
			}
			assert.Equal(t, unclear(name), failure(t, client, name).Verdict, "%s: %s", what, name)
		}
	}
}

func TestShapesOfErrors(t *testing.T) {
	for what, c := range map[string]struct{ body, code, message, request string }{
		"ecs":       {`{"Code":"A.B","Message":"m","RequestId":"r-1","HostId":"h"}`, "A.B", "m", "r-1"},
		"container": {`{"code":"ErrorClusterNotFound","message":"m","requestId":"r-1"}`, "ErrorClusterNotFound", "m", "r-1"},
		"snake":     {`{"code":"A","message":"m","request_id":"r-1"}`, "A", "m", "r-1"},
		"number":    {`{"Code":400,"Message":"m"}`, "400", "m", ""},
		"denied": {`{"Code":"A","Message":"m","AccessDeniedDetail":{"AuthAction":"ecs:JoinSecurityGroup"}}`, "A",
			"m (it takes the permission ecs:JoinSecurityGroup)", ""},
		"no message":      {`{"Code":"A"}`, "A", `{"Code":"A"}`, ""},
		"message alone":   {`{"Message":"m"}`, "", "m", ""},
		"text":            {"upstream\nfailed", "", "upstream failed", ""},
		"nothing":         {"", "", "I'm a teapot", ""},
		"code of no sort": {`{"Code":"a b","Message":"m"}`, "", "m", ""},
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

func TestALastResortForTheRequestID(t *testing.T) {
	assert.Equal(t, "req-1", failure(t, serve(t, answer(500, "")), plainWrite).RequestID)
}

func TestMessagesHoldNoSecrets(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(400)
		_, _ = io.WriteString(w, "wrong key the-access-key in "+r.Header.Get("Authorization")+" of http://"+r.Host+r.URL.String())
	})
	e := failure(t, client, plainWrite)
	assert.Contains(t, e.Message, "wrong key")
	for _, secret := range []string{"the-access-key", "InstanceId", "?"} {
		assert.NotContains(t, e.Message, secret)
	}
	assert.Regexp(t, `Signature=…`, e.Message)
}

func TestWhatTwoHundredMeans(t *testing.T) {
	for _, code := range []string{`200`, `"200"`, `null`, `""`} {
		client := serve(t, answer(200, inBody(`"Code":`+code)))
		assert.NoError(t, calls[plainWrite].do(t.Context(), client), code)
	}
}

func TestRetryAfter(t *testing.T) {
	for header, want := range map[string][2]time.Duration{
		"7": {7 * time.Second, 7 * time.Millisecond}, "56.818": {56818 * time.Millisecond, 57 * time.Millisecond},
		"": {}, "0": {}, "-3": {}, "NaN": {}, "soon": {}, "Wed, 21 Oct 2026 07:28:00 GMT": {},
		"1e300": {time.Hour, time.Hour}, "Inf": {time.Hour, time.Hour},
	} {
		for i, name := range []string{"Retry-After", "x-acs-retry-after"} {
			client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set(name, header)
				w.WriteHeader(429)
			})
			assert.Equal(t, want[i], failure(t, client, plainRead).RetryAfter.Round(time.Millisecond), "%s: %q", name, header)
		}
	}
}

func TestLists(t *testing.T) {
	for text, want := range map[string]list[int]{
		`[1,2]`: {1, 2}, `{"X":[1,2]}`: {1, 2}, `[]`: {}, `{"X":[]}`: {}, `{}`: nil, `null`: nil, `{"X":null}`: nil,
	} {
		var got list[int]
		require.NoError(t, json.Unmarshal([]byte(text), &got), text)
		assert.Equal(t, want, got, text)
	}
	var got list[int]
	for _, text := range []string{`7`, `{"X":7}`, `{"X":[],"Y":[]}`, `"x"`} {
		assert.Error(t, json.Unmarshal([]byte(text), &got), text)
	}
}
