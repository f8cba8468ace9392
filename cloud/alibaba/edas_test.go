package alibaba

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// edasCalls are the actions of EDAS among calls.
var edasCalls = []string{"GetCluster", "ListCluster", "ListClusterMembers", "ListConvertableEcu", "SynchronizeResource",
	"InstallAgent", "InsertClusterMember", "DeleteClusterMember"}

// inEDAS puts an answer's content between what every good answer of EDAS has.
func inEDAS(content string) string { return inBody(`"Code":200,"Message":"success",` + content) }

const fullEDASCluster = `{"ClusterId":"c-1","ClusterName":"n","ClusterType":2,"NetworkMode":2,"VpcId":"vpc-1",
	"RegionId":"cn-sim","NodeNum":3,"ClusterStatus":1,"ResourceGroupId":"rg-1"}`

var theEDASCluster = EDASCluster{ID: "c-1", Name: "n", VPC: "vpc-1", Region: "cn-sim", Type: EDASOfECS, NetworkMode: EDASInVPC}

func TestEDASCluster(t *testing.T) {
	client, asked := listening(t, 200, inEDAS(`"Cluster":`+fullEDASCluster))
	got, err := client.EDASCluster(t.Context(), "c-1")
	require.NoError(t, err)
	assert.Equal(t, theEDASCluster, got)
	assert.Equal(t, []seen{{"GetCluster", "2017-08-01", "GET", "/pop/v5/resource/cluster",
		url.Values{"ClusterId": {"c-1"}}, ""}}, *asked)

	_, err = client.EDASCluster(t.Context(), "c-2")
	assert.Equal(t, verdict.Transient, verdict.Of(err), "another one than was asked for")
}

func TestEDASClusters(t *testing.T) {
	client, asked := listening(t, 200, inEDAS(`"ClusterList":{"Cluster":[`+fullEDASCluster+`,
		{"ClusterId":"c-2","ClusterType":5}]}`))
	got, err := client.EDASClusters(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []EDASCluster{theEDASCluster, {ID: "c-2", Type: 5}}, got)
	assert.Equal(t, []seen{{"ListCluster", "2017-08-01", "POST", "/pop/v5/resource/cluster_list", url.Values{}, ""}}, *asked)
}

func TestEDASMembers(t *testing.T) {
	client, asked := listening(t, 200, inEDAS(`"ClusterMemberPage":{"CurrentPage":1,"PageSize":50,"TotalSize":1,
		"ClusterMemberList":{"ClusterMember":[
		{"ClusterMemberId":"m-1","ClusterId":"c-1","EcsId":"i-1","EcuId":"u","PrivateIp":"10.0.0.1","Status":1,"CreateTime":1},
		{"ClusterMemberId":"m-2","EcsId":"i-2","Status":0},{"ClusterMemberId":"m-3","EcsId":"i-3","Status":-1},
		{"ClusterMemberId":"m-4","EcsId":"i-4","Status":-2}]}}`))
	got, err := client.EDASMembers(t.Context(), "c-1")
	require.NoError(t, err)
	assert.Equal(t, []EDASMember{
		{ID: "m-1", Cluster: "c-1", Instance: "i-1", PrivateIP: "10.0.0.1", Status: EDASRunning},
		{ID: "m-2", Cluster: "c-1", Instance: "i-2", Status: EDASConverting},
		{ID: "m-3", Cluster: "c-1", Instance: "i-3", Status: EDASFailed},
		{ID: "m-4", Cluster: "c-1", Instance: "i-4", Status: EDASOffline},
	}, got)
	assert.Equal(t, []seen{{"ListClusterMembers", "2017-08-01", "GET", "/pop/v5/resource/cluster_member_list",
		url.Values{"ClusterId": {"c-1"}}, ""}}, *asked, "a page size would make it answer with a page")
}

// A member that is taken for absent may be imported a second time.
func TestMembersThatMayNotBeAll(t *testing.T) {
	const two = `"ClusterMemberList":{"ClusterMember":[{"EcsId":"i-1","Status":0},{"EcsId":"i-2","Status":0}]}`
	for what, c := range map[string]struct {
		page string
		fine bool
	}{
		"none":                    {`"TotalSize":0,"ClusterMemberList":{"ClusterMember":[]}`, true},
		"one page of none":        {`"TotalSize":1,"ClusterMemberList":{"ClusterMember":[]}`, true},
		"all, counted in pages":   {`"TotalSize":1,` + two, true},
		"all, counted in members": {`"TotalSize":2,` + two, true},
		"one of two":              {`"TotalSize":2,"ClusterMemberList":{"ClusterMember":[{"EcsId":"i-1","Status":0}]}`, false},
		"none of two":             {`"TotalSize":2,"ClusterMemberList":{"ClusterMember":[]}`, false},
		"no list":                 {`"TotalSize":0`, false},
		"null":                    {`"ClusterMemberList":{"ClusterMember":null}`, false},
		"null among them":         {`"ClusterMemberList":{"ClusterMember":[null]}`, false},
		"one without status":      {`"ClusterMemberList":{"ClusterMember":[{"EcsId":"i-1"}]}`, false},
		"one without instance":    {`"ClusterMemberList":{"ClusterMember":[{"Status":1}]}`, false},
	} {
		_, err := serve(t, answer(200, inEDAS(`"ClusterMemberPage":{`+c.page+`}`))).EDASMembers(t.Context(), "c-1")
		if c.fine {
			assert.NoError(t, err, what)
		} else {
			assert.Equal(t, verdict.Transient, verdict.Of(err), what)
		}
	}
}

func TestEDASConvertible(t *testing.T) {
	client, asked := listening(t, 200, inEDAS(`"InstanceList":{"Instance":[
		{"InstanceId":"i-1","Status":"Running","VpcId":"vpc-1","RegionId":"cn-sim","Expired":false,"PrivateIp":"10.0.0.1"},
		{"InstanceId":"i-2","Status":"Stopped","Expired":true}]}`))
	got, err := client.EDASConvertible(t.Context(), "c-1")
	require.NoError(t, err)
	assert.Equal(t, map[string]EDASInstance{"i-1": {ID: "i-1", Status: "Running", VPC: "vpc-1", Region: "cn-sim"},
		"i-2": {ID: "i-2", Status: "Stopped", Expired: true}}, got)
	assert.Equal(t, []seen{{"ListConvertableEcu", "2017-08-01", "GET", "/pop/v5/resource/convertable_ecu_list",
		url.Values{"clusterId": {"c-1"}}, ""}}, *asked, "this action has its parameter in lower case")
}

func TestSynchronizeEDAS(t *testing.T) {
	client, asked := listening(t, 200, inEDAS(`"Success":true,"Data":""`))
	require.NoError(t, client.SynchronizeEDAS(t.Context(), []string{"i-2", "i-1", "i-2"}))
	assert.Equal(t, []seen{{"SynchronizeResource", "2017-08-01", "GET", "/pop/v5/resource/pop_sync_resource",
		url.Values{"Type": {"ecs"}, "ResourceIds": {"i-1,i-2"}}, ""}}, *asked)

	err := serve(t, answer(200, inEDAS(`"Success":false`))).SynchronizeEDAS(t.Context(), []string{"i-1"})
	assert.Equal(t, verdict.Transient, verdict.Of(err))
}

func TestInstallEDASAgent(t *testing.T) {
	client, asked := listening(t, 200, inEDAS(`"ExecutionResultList":{"ExecutionResult":[
		{"InstanceId":"i-1","Success":true,"Status":"OK","InvokeRecordStatus":"Finished","FinishedTime":"2026-01-01T00:00:00Z"},
		{"InstanceId":"i-2","Success":false,"Status":"FAIL","InvokeRecordStatus":"Timeout"},
		{"InstanceId":"foreign","Success":false},null]}`))
	refused, err := client.InstallEDASAgent(t.Context(), "c-1", []string{"i-3", "i-1", "i-2"})
	require.NoError(t, err)
	want := verdict.Error{Op: "InstallAgent", Status: 200, RequestID: "req-1"}
	failed, unmentioned := want, want
	failed.Verdict, failed.Message = rejected, `the agent was not installed: status "FAIL", command "Timeout"`
	unmentioned.Verdict, unmentioned.Message = unknown, "the answer says nothing of this instance"
	assert.Equal(t, map[string]*verdict.Error{"i-2": &failed, "i-3": &unmentioned}, refused)
	assert.Equal(t, []seen{{"InstallAgent", "2017-08-01", "POST", "/pop/v5/ecss/install_agent",
		url.Values{"ClusterId": {"c-1"}, "InstanceIds": {"i-1,i-2,i-3"}}, ""}}, *asked)
}

func TestInsertEDASMembers(t *testing.T) {
	client, asked := listening(t, 200, inEDAS(`"Data":"Transform submit success!"`))
	require.NoError(t, client.InsertEDASMembers(t.Context(), "c-1", []string{"i-2", "i-1"}, goodPassword))
	assert.Equal(t, []seen{{"InsertClusterMember", "2017-08-01", "POST", "/pop/v5/resource/cluster_member",
		url.Values{"clusterId": {"c-1"}, "instanceIds": {"i-1,i-2"}, "password": {thePassword}}, ""}}, *asked)
}

func TestInsertEDASMembersWithoutAPassword(t *testing.T) {
	client, asked := listening(t, 200, inEDAS(`"Data":""`))
	for _, from := range []account.Source{{}, {Env: "FLEETJOIN_PASSWORD_UNSET"}, {Env: "FLEETJOIN_TEST_SK"}} {
		e := verdict.As(client.InsertEDASMembers(t.Context(), "c-1", []string{"i-1"}, from))
		assert.Equal(t, verdict.Rejected, e.Verdict)
		assert.Equal(t, "InsertClusterMember", e.Op)
		assert.Contains(t, e.Message, "not sent: ")
		_, _, err := client.AttachInstances(t.Context(),
			Attach{Cluster: "c1", Pool: "np1", Instances: []string{"i-1"}, Password: &from})
		assert.Equal(t, verdict.Rejected, verdict.Of(err))
	}
	assert.Empty(t, *asked)
}

func TestDeleteEDASMember(t *testing.T) {
	client, asked := listening(t, 200, inEDAS(`"Data":true`))
	require.NoError(t, client.DeleteEDASMember(t.Context(), "c-1", "m-1"))
	assert.Equal(t, []seen{{"DeleteClusterMember", "2017-08-01", "DELETE", "/pop/v5/resource/cluster_member",
		url.Values{"ClusterId": {"c-1"}, "ClusterMemberId": {"m-1"}}, ""}}, *asked)
}

func TestMembersThatAreNotLetGo(t *testing.T) {
	const message = "There is a reason: there are still applications deployed in this cluster, please undeploy them"
	for what, c := range map[string]struct {
		status int
		body   string
		want   verdict.Verdict
	}{
		"applications":                {200, `{"Code":500,"RequestId":"r","Message":"` + message + `"}`, verdict.Busy},
		"something else":              {200, `{"Code":500,"RequestId":"r","Message":"no"}`, verdict.Unknown},
		"not said by EDAS":            {502, message, verdict.Unknown},
		"said with success":           {200, `{"Code":200,"RequestId":"r","Message":"` + message + `","Data":true}`, ""},
		"said with a success of none": {200, inEDAS(`"Data":false`), verdict.Unknown},
	} {
		err := serve(t, answer(c.status, c.body)).DeleteEDASMember(t.Context(), "c-1", "m-1")
		assert.Equal(t, c.want, verdict.Of(err), what)
	}
	err := serve(t, answer(200, `{"Code":500,"RequestId":"r","Message":"`+message+`"}`)).
		InsertEDASMembers(t.Context(), "c-1", []string{"i-1"}, goodPassword)
	assert.Equal(t, verdict.Unknown, verdict.Of(err), "it means something for one action only")
}

// EDAS says no with HTTP 200. Nobody knows what its codes mean for a write.
func TestWhatEDASSaysWith200(t *testing.T) {
	for says, c := range map[string]struct {
		code  string
		read  verdict.Verdict
		write verdict.Verdict
	}{
		`{"Code":500,"Message":"no","RequestId":"r-1"}`:       {"500", verdict.Transient, verdict.Unknown},
		`{"Code":"500","Message":"no","RequestId":"r-1"}`:     {"500", verdict.Transient, verdict.Unknown},
		`{"Code":0,"Message":"no","RequestId":"r-1"}`:         {"0", verdict.Transient, verdict.Unknown},
		`{"Code":400,"Message":"no","RequestId":"r-1"}`:       {"400", verdict.Transient, verdict.Unknown},
		`{"Code":404,"Message":"no","RequestId":"r-1"}`:       {"404", verdict.Rejected, verdict.Unknown},
		`{"Code":403,"Message":"no","RequestId":"r-1"}`:       {"403", verdict.Rejected, verdict.Unknown},
		`{"Code":"Unknown","Message":"no","RequestId":"r-1"}`: {"Unknown", verdict.Transient, verdict.Unknown},
	} {
		client := serve(t, answer(200, says))
		for _, name := range edasCalls {
			e := failure(t, client, name)
			want := c.read
			if isWrite(name) {
				want = c.write
			}
			assert.Equal(t, &verdict.Error{Verdict: want, Op: name, Status: http.StatusOK, Code: c.code, Message: "no",
				RequestID: "r-1"}, e, says)
		}
	}
}

// Whatever else an answer has: without its own word that it worked it is none.
func TestEDASMustSaySo(t *testing.T) {
	for _, name := range edasCalls {
		good := calls[name].good
		require.Contains(t, good, `"Code":200,`, name)
		content := good[len(`"Code":200,`):]
		for _, says := range []string{inBody(content), inBody(`"Code":null,` + content), inBody(`"Code":"",` + content),
			inBody(`"Code":[200],` + content)} {
			assert.Equal(t, unclear(name), failure(t, serve(t, answer(200, says)), name).Verdict, "%s: %s", name, says)
		}
		text := inBody(`"Code":"200",` + content)
		assert.NoError(t, calls[name].do(t.Context(), serve(t, answer(200, text))), text)
	}
}
