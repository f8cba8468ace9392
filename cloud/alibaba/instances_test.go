package alibaba

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

const fullInstance = `{"InstanceId":"i-1","InstanceName":"web-1","HostName":"web","Status":"Stopped",
	"StoppedMode":"KeepCharging","RegionId":"cn-sim","ZoneId":"cn-sim-a","InstanceType":"ecs.g7.large",
	"InstanceNetworkType":"vpc","VpcAttributes":{"VpcId":"vpc-1","VSwitchId":"vsw-1","NatIpAddress":"",
	"PrivateIpAddress":{"IpAddress":["10.0.0.1"]}},"SecurityGroupIds":{"SecurityGroupId":["sg-1","sg-2"]},
	"NetworkInterfaces":{"NetworkInterface":[{"NetworkInterfaceId":"eni-1","Type":"Primary","MacAddress":"x"},
	{"NetworkInterfaceId":"eni-2","Type":"Secondary"}]},"ResourceGroupId":"rg-1","OperationLocks":{"LockReason":[
	{"LockReason":"security"}]},"OSType":"linux","ImageId":"m-1","InstanceChargeType":"PostPaid","KeyPairName":"k",
	"DeletionProtection":true,"Cpu":2}`

// recorded records the parameters of requests and answers them all alike.
func recorded(t *testing.T, content string) (*Client, *[]url.Values) {
	var asked []url.Values
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := verify(r, "the-access-key", "the-secret-key")
		assert.NoError(t, err)
		q := r.URL.Query()
		q.Del("RegionId")
		q.Set("Action", r.Header.Get("X-Acs-Action"))
		asked = append(asked, q)
		answer(200, inBody(content))(w, r)
	})
	return client, &asked
}

func TestInstances(t *testing.T) {
	client, asked := recorded(t, `"Instances":{"Instance":[`+fullInstance+`,
		{"InstanceId":"i-2","Status":"Running","OperationLocks":{"LockReason":[]},"VpcAttributes":{}},
		{"InstanceId":"foreign"}]},"NextToken":""`)
	got, err := client.Instances(t.Context(), []string{"i-2", "i-1", "i-3", "i-1"})
	require.NoError(t, err)
	assert.Equal(t, map[string]Instance{
		"i-1": {ID: "i-1", Name: "web-1", HostName: "web", Status: "Stopped", StoppedMode: "KeepCharging", Region: "cn-sim",
			Zone: "cn-sim-a", Type: "ecs.g7.large", NetworkType: "vpc", VPC: "vpc-1", VSwitch: "vsw-1",
			SecurityGroups: []string{"sg-1", "sg-2"}, ResourceGroup: "rg-1", Locks: []string{"security"}, OSType: "linux",
			Interfaces: []InterfaceOf{{"eni-1", "Primary", 1}, {"eni-2", "Secondary", 1}}, Image: "m-1", ChargeType: "PostPaid",
			KeyPair: "k", DeletionProtection: true},
		"i-2": {ID: "i-2", Status: "Running"},
	}, got)
	assert.Equal(t, []url.Values{{"Action": {"DescribeInstances"}, "InstanceIds": {`["i-1","i-2","i-3"]`},
		"MaxResults": {"100"}}}, *asked)
}

func TestInstancesAreReadInChunksAndPages(t *testing.T) {
	var sizes []int
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		var ids []string
		assert.NoError(t, json.Unmarshal([]byte(q.Get("InstanceIds")), &ids))
		assert.Equal(t, "100", q.Get("MaxResults"), "a page has 10 by default")
		next := ""
		if len(ids) == 100 && q.Get("NextToken") == "" { // pages that are smaller than asked for
			ids, next = ids[:40], "more"
		} else if len(ids) == 100 {
			assert.Equal(t, "more", q.Get("NextToken"))
			ids = ids[40:]
		}
		sizes = append(sizes, len(ids))
		var found []string
		for _, id := range ids {
			found = append(found, fmt.Sprintf(`{"InstanceId":%q}`, id))
		}
		answer(200, inBody(`"Instances":{"Instance":[`+strings.Join(found, ",")+`]},"NextToken":"`+next+`"`))(w, r)
	})
	var ids []string
	for n := range 250 {
		ids = append(ids, fmt.Sprintf("i-%03d", n))
	}
	got, err := client.Instances(t.Context(), ids)
	require.NoError(t, err)
	assert.Len(t, got, 250)
	assert.Equal(t, []int{40, 60, 40, 60, 50}, sizes)
}

func TestPagesThatGoRoundInACircle(t *testing.T) {
	var hits atomic.Int32
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		answer(200, inBody(`"Instances":{"Instance":[]},"NextToken":"again"`))(w, r)
	})
	e := failure(t, client, "DescribeInstances")
	assert.Equal(t, verdict.Transient, e.Verdict)
	assert.Contains(t, e.Message, "circle")
	assert.Equal(t, int32(2), hits.Load())
}

func TestNoIDsNoCalls(t *testing.T) {
	client := dial(t, "http://127.0.0.1:1")
	got, err := client.Instances(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, got)
	assert.Empty(t, client.StartInstances(t.Context(), nil))
}

func TestPowerOfEachInstance(t *testing.T) {
	client, asked := recorded(t, `"InstanceResponses":{"InstanceResponse":[
		{"InstanceId":"i-1","Code":"200","Message":"success","PreviousStatus":"Running","CurrentStatus":"Stopping"},
		{"InstanceId":"i-2","Code":"IncorrectInstanceStatus","Message":"see https://x/?token=1",
			"PreviousStatus":"Starting","CurrentStatus":"Starting"},
		{"InstanceId":"i-3","Code":403,"Message":"no"},
		{"InstanceId":"i-4","Code":200},
		{"InstanceId":"foreign","Code":"200"}]}`)
	refused := func(id string, v verdict.Verdict, code, message string) error {
		return &verdict.Error{Verdict: v, Op: "StopInstances", Status: 200, Code: code, Message: message, RequestID: "req-1"}
	}
	assert.Equal(t, map[string]Power{
		"i-1": {Before: "Running", After: "Stopping"},
		"i-2": {Before: "Starting", After: "Starting",
			Err: refused("i-2", verdict.Busy, "IncorrectInstanceStatus", "see https://x/…")},
		"i-3": {Err: refused("i-3", verdict.Unknown, "403", "no")},
		"i-4": {},
		"i-5": {Err: refused("i-5", verdict.Unknown, "", "the answer says nothing of this instance")},
	}, client.StopInstances(t.Context(), []string{"i-1", "i-2", "i-3", "i-4", "i-5"}, true))
	client.StartInstances(t.Context(), []string{"i-1"})
	assert.Equal(t, []url.Values{
		{"Action": {"StopInstances"}, "InstanceId.1": {"i-1"}, "InstanceId.2": {"i-2"}, "InstanceId.3": {"i-3"},
			"InstanceId.4": {"i-4"}, "InstanceId.5": {"i-5"}, "BatchOptimization": {"SuccessFirst"},
			"StoppedMode": {"KeepCharging"}, "ForceStop": {"true"}},
		{"Action": {"StartInstances"}, "InstanceId.1": {"i-1"}, "BatchOptimization": {"SuccessFirst"}},
	}, *asked)
}

// When one batch is lost, the others still have their results.
func TestPowerInChunks(t *testing.T) {
	var hits atomic.Int32
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if hits.Add(1) == 2 {
			panic(http.ErrAbortHandler)
		}
		var items []string
		for name, values := range r.URL.Query() {
			if strings.HasPrefix(name, "InstanceId.") {
				items = append(items, fmt.Sprintf(`{"InstanceId":%q,"Code":"200"}`, values[0]))
			}
		}
		answer(200, inBody(`"InstanceResponses":{"InstanceResponse":[`+strings.Join(items, ",")+`]}`))(w, r)
	})
	var ids []string
	for n := range 250 {
		ids = append(ids, fmt.Sprintf("i-%03d", n))
	}
	verdicts := map[verdict.Verdict]int{}
	for _, p := range client.StartInstances(t.Context(), ids) {
		verdicts[verdict.Of(p.Err)]++
	}
	assert.Equal(t, map[verdict.Verdict]int{"": 150, verdict.Unknown: 100}, verdicts)
}

func TestIDsThatWouldMeanSomethingElse(t *testing.T) {
	var hits atomic.Int32
	client := serve(t, func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	ctx := t.Context()
	for _, id := range []string{"", "a/b", "../x", ".", "a b", "a?b", "a,b", "*", `a"b`, "é", "a\n",
		strings.Repeat("a", 129)} {
		for name, try := range map[string]func() error{
			"DescribeInstances":         func() error { _, err := client.Instances(ctx, []string{"i-1", id}); return err },
			"DescribeNetworkInterfaces": func() error { _, err := client.NetworkInterfaces(ctx, []string{id}); return err },
			"DescribeSecurityGroups":    func() error { _, err := client.SecurityGroups(ctx, []string{id}); return err },
			"GetResourceGroup":          func() error { _, err := client.ResourceGroup(ctx, id); return err },
			"DescribeImages":            func() error { _, err := client.ResourceGroupOf(ctx, "image", []string{id}); return err },
			"StartInstances":            func() error { return client.StartInstances(ctx, []string{id})[id].Err },
			"StopInstances":             func() error { return client.StopInstances(ctx, []string{id}, true)[id].Err },
			"JoinSecurityGroup":         func() error { return client.JoinSecurityGroup(ctx, id, Target{Instance: "i-1"}) },
			"LeaveSecurityGroup":        func() error { return client.LeaveSecurityGroup(ctx, "sg-1", Target{Instance: id}) },
			"ModifyInstanceAttribute":   func() error { return client.SetInstanceSecurityGroups(ctx, "i-1", []string{id}) },
			"ModifyNetworkInterfaceAttribute": func() error {
				return client.SetInterfaceSecurityGroups(ctx, id, []string{"sg-1"})
			},
			"JoinResourceGroup": func() error { return client.JoinResourceGroup(ctx, "disk", id, "rg-1") },
		} {
			e := verdict.As(try())
			assert.Equal(t, verdict.Rejected, e.Verdict, "%s %q", name, id)
			assert.Equal(t, name, e.Op)
			assert.Contains(t, e.Message, "not sent")
		}
		_, err := client.GroupAddresses(ctx, id)
		assert.Equal(t, verdict.Rejected, verdict.Of(err))
		_, err = client.GroupInterfaces(ctx, id)
		assert.Equal(t, verdict.Rejected, verdict.Of(err))
		assert.Equal(t, verdict.Rejected, verdict.Of(client.JoinResourceGroup(ctx, "disk", "d-1", id)))
	}
	assert.Zero(t, hits.Load())
}
