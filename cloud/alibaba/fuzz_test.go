package alibaba

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
	"github.com/fleetjoin/fleetjoin/cloud/wire/wiretest"
)

// FuzzDecode gives every action arbitrary answers: none may panic, and every error must be classified and clean.
func FuzzDecode(f *testing.F) {
	for _, c := range calls {
		f.Add(200, []byte(inBody(c.good)), "")
	}
	for _, rule := range rules {
		f.Add(rule.Status, []byte(body(rule.Code)), "56.818")
	}
	f.Add(200, []byte(inBody(`"Instances":{"Instance":[`+fullInstance+`]}`)), "")
	f.Add(200, []byte(inBody(`"Instances":{"Instance":[null,{"OperationLocks":7}]},"NextToken":"again"`)), "")
	f.Add(200, []byte(inBody(`"InstanceResponses":{"InstanceResponse":[null,{"InstanceId":"i-1","Code":403}]}`)), "")
	f.Add(200, []byte(inBody(`"Disks":{"Disk":[null,{"DiskId":7}]},"KeyPairs":[{"KeyPairName":"x-1"}]`)), "")
	f.Add(200, []byte(inBody(`"Disks":{"Disk":[`+fullDisk+`,{"Attachments":[null]}]},"Images":{"Image":[null]},"TotalCount":9`)), "")
	f.Add(200, []byte(inBody(`"Snapshots":{"Snapshot":[{"Tags":{"Tag":[null,`+markRow+`]}}]},"SnapshotId":"`+thePassword+`"`)), "")
	f.Add(200, []byte(inEDAS(`"Cluster":`+fullEDASCluster+`,"ClusterList":[null]`)), "")
	f.Add(200, []byte(inEDAS(`"ClusterMemberPage":{"TotalSize":-1,"ClusterMemberList":[{"EcsId":"i-1","Status":-2},null]}`)), "")
	f.Add(200, []byte(inEDAS(`"InstanceList":[null],"ExecutionResultList":[null,{"InstanceId":"i-1"}],"Data":false`)), "")
	f.Add(200, []byte(`{"Code":500,"Message":"weak: `+thePassword+`","RequestId":"req-1"}`), "")
	f.Add(200, []byte(fullContainerCluster), "")
	f.Add(200, []byte(`{"clusters":[null],"page_info":{"total_count":7},"nodes":[null],"page":{"total_count":7}}`), "")
	f.Add(200, []byte(`{"nodepool_info":{"nodepool_id":"np1"},"status":{"state":"x"},"scaling_group":{"desired_size":0}}`), "")
	f.Add(200, []byte(`{"task_id":"T-1","state":"fail","error":{"code":"`+thePassword+`"},"task_result":[null]}`), "")
	f.Add(202, []byte(`{"task_id":"T-1","list":[null,{"code":400,"instanceId":"i-1","message":"`+thePassword+`"}]}`), "")
	f.Add(404, []byte(`{"code":"`+thePassword+`","message":"`+thePassword+`","requestId":"r-1"}`), "")
	f.Add(500, []byte(`{"Code":500,"Message":{},"RequestId":7,"AccessDeniedDetail":"x"}`), "")
	f.Add(403, []byte(`{"Code":"NoPermission","Message":"","AccessDeniedDetail":{"AuthAction":"ecs:X"}}`), "")
	f.Add(200, []byte(`null`), "NaN")
	f.Add(-7, []byte("\xff\xfe\x00"), "1e309")
	f.Fuzz(func(t *testing.T, status int, content []byte, retryAfter string) {
		client := dial(t, "http://127.0.0.1:1", func(c *Config) {
			c.Transport = wiretest.RoundTripper(func(r *http.Request) (*http.Response, error) {
				return &http.Response{
					StatusCode: status,
					Header:     http.Header{"Retry-After": {retryAfter}, "X-Acs-Retry-After": {retryAfter}},
					Body:       io.NopCloser(bytes.NewReader(content)),
					Request:    r,
				}, nil
			})
		})
		for name, c := range calls {
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
			if e.Op != listResources.name { // the second step of some
				assert.Equal(t, name, e.Op)
			}
			assert.True(t, utf8.ValidString(e.Error()), "%s: %q", name, e.Error())
			if slices.Contains(sendPassword, name) {
				assert.NotContains(t, e.Error(), thePassword, name)
			}
			assert.GreaterOrEqual(t, e.RetryAfter.Nanoseconds(), int64(0))
		}
	})
}
