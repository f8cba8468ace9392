package huawei

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
	"github.com/fleetjoin/fleetjoin/cloud/wire/wiretest"
)

// FuzzDecode gives every action arbitrary answers: none may panic, and every error must be classified and clean.
func FuzzDecode(f *testing.F) {
	for _, c := range calls {
		f.Add(200, []byte(c.good), "")
	}
	for _, rule := range rules {
		f.Add(rule.Status, []byte(body(rule.Code)), "56.818")
	}
	f.Add(200, []byte(`{"servers":[`+fullRow+`]}`), "")
	f.Add(200, []byte(`{"servers":[{"id":"s1","metadata":{"lockScene":7},"addresses":[],"flavor":{"ram":4}}]}`), "")
	f.Add(200, []byte(`{"job_id":"j1","status":"FAIL","entities":{"sub_jobs":[null,{}]}}`), "")
	f.Add(200, []byte(`{"server_group":{"id":"g1","members":null},"server_groups":[null],"page_info":null}`), "")
	f.Add(200, []byte(`null`), "NaN")
	f.Add(-7, []byte("\xff\xfe\x00"), "1e309")
	f.Fuzz(func(t *testing.T, status int, content []byte, retryAfter string) {
		client := dial(t, "http://127.0.0.1:1", func(c *Config) {
			c.Transport = wiretest.RoundTripper(func(r *http.Request) (*http.Response, error) {
				return &http.Response{
					StatusCode: status,
					Header:     http.Header{"Retry-After": {retryAfter}},
					Body:       io.NopCloser(bytes.NewReader(content)),
					Request:    r,
				}, nil
			})
		})
		everything := maps.Clone(calls)
		maps.Copy(everything, vpcCalls)
		for name, c := range everything {
			err := c.do(t.Context(), client)
			if err == nil {
				assert.True(t, status >= 200 && status < 300, "%s succeeded with status %d", name, status)
				continue
			}
			e, ok := err.(*verdict.Error)
			if !assert.True(t, ok, "%s: %T", name, err) {
				continue
			}
			assert.Contains(t, []verdict.Verdict{transient, throttled, busy, done, rejected, unknown}, e.Verdict)
			assert.Equal(t, name, e.Op)
			assert.NotEmpty(t, e.Message)
			assert.True(t, utf8.ValidString(e.Error()), "%s: %q", name, e.Error())
			assert.GreaterOrEqual(t, e.RetryAfter.Nanoseconds(), int64(0))
		}
	})
}
