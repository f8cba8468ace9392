package alibaba

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

func TestAttachInstances(t *testing.T) {
	password, err := json.Marshal(thePassword)
	require.NoError(t, err)
	for want, a := range map[string]Attach{
		`{"instances":["i-1","i-2"],"nodepool_id":"np1","format_disk":false,"keep_instance_name":true}`: {
			Cluster: "c1", Pool: "np1", Instances: []string{"i-2", "i-1"}},
		`{"instances":["i-1","i-2"],"nodepool_id":"np1","format_disk":true,"keep_instance_name":true,"password":` +
			string(password) + `}`: {Cluster: "c1", Pool: "np1", Instances: []string{"i-1", "i-2", "i-1"}, FormatDisk: true,
			Password: &goodPassword},
	} {
		client, asked := listening(t, 202, `{"task_id":"T-1","list":[{"code":"200","instanceId":"i-1","message":"successful"},
			{"code":200,"instanceId":"i-2","message":"successful"}]}`)
		task, refused, err := client.AttachInstances(t.Context(), a)
		require.NoError(t, err)
		assert.Equal(t, "T-1", task)
		assert.Empty(t, refused)
		require.Len(t, *asked, 1)
		got := (*asked)[0]
		assert.JSONEq(t, want, got.body)
		got.body = ""
		assert.Equal(t, seen{"AttachInstances", "2015-12-15", "POST", "/clusters/c1/attach", url.Values{}, ""}, got)
	}
}

// The call is accepted, and some of its instances are not.
func TestAttachInstancesInPart(t *testing.T) {
	client := serve(t, answer(202, `{"task_id":"T-1","request_id":"r-1","list":[
		{"code":"200","instanceId":"i-1","message":"successful"},
		{"code":"400","instanceId":"i-2","message":"ErrorInstanceState: it is stopped"},
		{"code":404,"instanceId":"i-3","message":"no"},
		{"code":"InvalidInstanceId.NotFound","instanceId":"i-4","message":"no"},
		{"code":"500","instanceId":"i-5","message":"try again"},
		{"instanceId":"i-6"},
		{"code":"200","instanceId":"foreign"}]}`))
	task, refused, err := client.AttachInstances(t.Context(), Attach{Cluster: "c1", Pool: "np1",
		Instances: []string{"i-1", "i-2", "i-3", "i-4", "i-5", "i-6", "i-7"}})
	require.NoError(t, err)
	assert.Equal(t, "T-1", task)
	item := func(v verdict.Verdict, code, message string) *verdict.Error {
		return &verdict.Error{Verdict: v, Op: "AttachInstances", Status: 202, Code: code, Message: message, RequestID: "r-1"}
	}
	assert.Equal(t, map[string]*verdict.Error{
		"i-2": item(rejected, "400", "ErrorInstanceState: it is stopped"),
		"i-3": item(rejected, "404", "no"),
		"i-4": item(rejected, "InvalidInstanceId.NotFound", "no"),
		"i-5": item(unknown, "500", "try again"),
		"i-6": item(unknown, "", "no text"),
		"i-7": item(unknown, "", "the answer says nothing of this instance"),
	}, refused)
}

func TestAttachInstancesAllRefused(t *testing.T) {
	client := serve(t, answer(202, `{"list":[{"code":"409","instanceId":"i-1","message":"a node already"}]}`))
	task, refused, err := client.AttachInstances(t.Context(), Attach{Cluster: "c1", Pool: "np1", Instances: []string{"i-1"}})
	require.NoError(t, err)
	assert.Empty(t, task)
	assert.Equal(t, verdict.Rejected, refused["i-1"].Verdict)
}

func TestRemoveNodes(t *testing.T) {
	for drain, want := range map[bool]string{true: "true", false: "false"} {
		client, asked := listening(t, 200, `{"task_id":"T-1","request_id":"r-1"}`)
		task, err := client.RemoveNodes(t.Context(), "c1", "np1", []string{"i-2", "i-1"}, drain)
		require.NoError(t, err)
		assert.Equal(t, "T-1", task)
		assert.Equal(t, []seen{{"RemoveNodePoolNodes", "2015-12-15", "DELETE", "/clusters/c1/nodepools/np1/nodes", url.Values{
			"instance_ids": {`["i-1","i-2"]`}, "drain_node": {want}, "release_node": {"false"}}, ""}}, *asked)
	}
}

func TestContainerTask(t *testing.T) {
	for says, want := range map[string]Task{
		`"state":"running"`: {State: TaskRunning},
		`"state":"success","task_result":[{"data":"i-1","status":"success"},{"data":"i-2","status":"initial"}],"stages":[]`: {
			State: TaskSuccess, Results: map[string]string{"i-1": "success", "i-2": "initial"}},
		`"state":"fail","task_result":[{"data":"i-1","status":"fail"},null,{"data":""}]`: {
			State: TaskFailed, Results: map[string]string{"i-1": TaskFailed}},
		`"state":"failed","error":{"code":"E","message":"no: password=hunter2"}`: {State: TaskFailed, Error: "E: no: password=…"},
		`"state":"failed","error":{"message":"no"}`:                              {State: TaskFailed, Error: "no"},
		`"state":"failed","error":"no"`:                                          {State: TaskFailed, Error: "no"},
		`"state":"failed","error":null`:                                          {State: TaskFailed},
		`"state":"paused","error":[7]`:                                           {State: "paused"},
	} {
		client, asked := listening(t, 200, `{"task_id":"T-1","cluster_id":"c1","task_type":"cluster_scaleout",`+says+`}`)
		got, err := client.ContainerTask(t.Context(), "T-1")
		require.NoError(t, err)
		if want.ID = "T-1"; want.Results == nil {
			want.Results = map[string]string{}
		}
		assert.Equal(t, want, got, says)
		assert.Equal(t, []seen{{"DescribeTaskInfo", "2015-12-15", "GET", "/tasks/T-1", url.Values{}, ""}}, *asked)

		_, err = client.ContainerTask(t.Context(), "T-2")
		assert.Equal(t, verdict.Transient, verdict.Of(err), "another one than was asked for")
	}
}
