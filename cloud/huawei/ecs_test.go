package huawei

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

const fullRow = `{"id":"s1","name":"web-1","status":"SHUTOFF","tenant_id":"p1","OS-EXT-STS:task_state":"powering-on",
	"OS-EXT-STS:vm_state":"stopped","OS-EXT-STS:power_state":4,"OS-EXT-AZ:availability_zone":"az-1","hostId":"h-1",
	"flavor":{"id":"s6.large.2","name":"s6.large.2","disk":"0","vcpus":"2","ram":"4096","gpus":[],"asic_accelerators":[]},
	"image":{"id":"img-1"},"locked":true,"hypervisor":null,"tags":["team=a"],
	"metadata":{"lockScene":"TO_PERIOD_LOCK","charging_mode":"1","vpc_id":"vpc-1"},
	"addresses":{"vpc-1":[{"version":"4","addr":"10.0.0.1","OS-EXT-IPS:type":"fixed"},
		{"version":"4","addr":"80.0.0.1","OS-EXT-IPS:type":"floating"},{"version":"6","addr":"::1"}]},
	"network_interfaces":[{"port_id":"b","subnet_id":"other"},{"port_id":"a","primary":true,"subnet_id":"net-1"}],
	"os-extended-volumes:volumes_attached":[{"id":"data","bootIndex":"-1"},{"id":"disk-1","bootIndex":"0"}],
	"os:scheduler_hints":{"group":["g1"],"tenancy":["dedicated"],"dedicated_host_id":["deh-1"]}}`

func TestServers(t *testing.T) {
	client := serve(t, answer(200, `{"count":4,"servers":[`+fullRow+`,
		{"id":"s2","status":"ERROR","OS-EXT-STS:task_state":null,"fault":{"code":500,"message":"x"},"flavor":null},
		{"id":"s3","fault":{"code":404,"message":"gone"},"status":null,"name":null,"metadata":null,"flavor":null},
		{"id":"foreign","status":"ACTIVE"}]}`))
	got, err := client.Servers(t.Context(), []string{"s1", "s2", "s3"})
	require.NoError(t, err)
	assert.Equal(t, map[string]Server{
		"s1": {ID: "s1", Name: "web-1", Status: "SHUTOFF", VMState: "stopped", TaskState: "powering-on",
			FlavorID: "s6.large.2", Image: "img-1", Zone: "az-1", HostID: "h-1", DedicatedHost: "deh-1",
			Groups: []string{"g1"}, Locked: true, LockScene: "TO_PERIOD_LOCK", VCPUs: 2, RAMMiB: 4096, VPC: "vpc-1",
			Subnet: "net-1", NICs: 2, Billing: "1", SystemDisk: "disk-1", Tags: []string{"team=a"}},
		"s2": {ID: "s2", Status: "ERROR"},
	}, got)
}

// Not every region lists interfaces; then the addresses tell what they can.
func TestServersWithoutInterfaces(t *testing.T) {
	client := serve(t, answer(200, `{"servers":[{"id":"s1","status":"ACTIVE","flavor":{"id":"f","vcpus":"many"},
		"addresses":{"vpc-1":[{"version":"4","addr":"10.0.0.1"},{"version":"4","addr":"10.0.0.2"}]}}]}`))
	got, err := client.Servers(t.Context(), []string{"s1"})
	require.NoError(t, err)
	assert.Equal(t, Server{ID: "s1", Status: "ACTIVE", FlavorID: "f", VPC: "vpc-1", NICs: 2}, got["s1"])
}

// asked returns the ids and the limit of a request for servers.
func asked(r *http.Request) (ids []string, limit string) {
	return strings.Split(r.URL.Query().Get("server_id"), ","), r.URL.Query().Get("limit")
}

func row(id string) string { return fmt.Sprintf(`{"id":%q,"status":"ACTIVE"}`, id) }

func TestServersAreReadInChunks(t *testing.T) {
	var sizes []int
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		ids, limit := asked(r)
		assert.Equal(t, fmt.Sprint(len(ids)), limit, "a page has 25 by default")
		sizes = append(sizes, len(ids))
		var rows []string
		for _, id := range ids {
			rows = append(rows, row(id))
		}
		answer(200, `{"servers":[`+strings.Join(rows, ",")+`]}`)(w, r)
	})
	var ids []string
	for i := range 250 {
		ids = append(ids, fmt.Sprintf("s%03d", i))
	}
	got, err := client.Servers(t.Context(), append(slices.Clone(ids), ids[:10]...)) // some twice
	require.NoError(t, err)
	assert.Len(t, got, 250)
	assert.Equal(t, []int{100, 100, 50}, sizes)
}

func TestServersThatFellOffThePageAreAskedForAgain(t *testing.T) {
	var requests [][]string
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		ids, _ := asked(r)
		requests = append(requests, ids)
		ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "missing" })
		var rows []string
		for _, id := range ids[:min(2, len(ids))] { // a page of two, and no rows for missing ones
			rows = append(rows, row(id))
		}
		answer(200, `{"servers":[`+strings.Join(rows, ",")+`]}`)(w, r)
	})
	got, err := client.Servers(t.Context(), []string{"a", "b", "c", "missing"})
	require.NoError(t, err)
	assert.Len(t, got, 3)
	assert.Equal(t, [][]string{{"a", "b", "c", "missing"}, {"c", "missing"}, {"missing"}}, requests)
}

func TestNoServersNeedNoCall(t *testing.T) {
	got, err := dial(t, "http://127.0.0.1:1").Servers(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, got)
}

func TestGroup(t *testing.T) {
	client := serve(t, answer(200, `{"server_group":{"id":"g1","name":"n","members":["s1","s2"],"metadata":{},
		"policies":["anti-affinity"]}}`))
	got, err := client.Group(t.Context(), "g1")
	require.NoError(t, err)
	assert.Equal(t, Group{ID: "g1", Name: "n", Policies: []string{"anti-affinity"}, Members: []string{"s1", "s2"}}, got)
}

func TestGroupsFollowTheMarker(t *testing.T) {
	pages := map[string]string{
		"":   `{"server_groups":[{"id":"g1","members":["s1"]},{"id":"g2"}],"page_info":{"next_marker":"g2"}}`,
		"g2": `{"server_groups":[{"id":"g3"}],"page_info":{"next_marker":"g3"}}`,
		"g3": `{"server_groups":[],"page_info":{"next_marker":"g1"}}`,
	}
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		answer(200, pages[r.URL.Query().Get("marker")])(w, r)
	})
	var got []Group
	require.NoError(t, client.EachGroup(t.Context(), func(g Group) error { got = append(got, g); return nil }))
	assert.Equal(t, []Group{{ID: "g1", Members: []string{"s1"}}, {ID: "g2"}, {ID: "g3"}}, got)
}

func TestGroupsAreReadAsLongAsTheyAreWanted(t *testing.T) {
	enough := errors.New("enough")
	client := serve(t, answer(200, `{"server_groups":[{"id":"g1"},{"id":"g2"}],"page_info":{"next_marker":"g2"}}`))
	n := 0
	require.ErrorIs(t, client.EachGroup(t.Context(), func(Group) error { n++; return enough }), enough)
	assert.Equal(t, 1, n)
}

// Who waits while others read shares the next reading, which began after they asked; who gives up waits no more.
func TestThoseWhoWaitReadTheGroupsTogether(t *testing.T) {
	var readings atomic.Int32
	asked, leave := make(chan struct{}, 10), make(chan struct{})
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		readings.Add(1)
		asked <- struct{}{}
		<-leave
		answer(200, `{"server_groups":[{"id":"g1"},{"id":"g2"}]}`)(w, r)
	})
	enough := errors.New("enough")
	var readers sync.WaitGroup
	read := func(ctx context.Context, want error, most int) {
		n := 0
		err := client.EachGroup(ctx, func(Group) error {
			if n++; n == most {
				return enough
			}
			return nil
		})
		if want == nil {
			assert.NoError(t, err)
			assert.Equal(t, 2, n)
		} else {
			assert.ErrorIs(t, err, want)
		}
	}
	readers.Go(func() { read(t.Context(), nil, 0) })
	<-asked
	for range 20 {
		readers.Go(func() { read(t.Context(), nil, 0) })
	}
	readers.Go(func() { read(t.Context(), enough, 1) })
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() { gone <- client.EachGroup(ctx, func(Group) error { return errors.New("it has gone") }) }()
	assert.Eventually(t, func() bool {
		client.groups.mu.Lock()
		defer client.groups.mu.Unlock()
		return len(client.groups.waiting) == 22
	}, 10*time.Second, time.Millisecond)
	cancel()
	assert.Equal(t, verdict.Transient, verdict.Of(<-gone), "who is cancelled waits no more")
	close(leave)
	readers.Wait()
	assert.Equal(t, int32(2), readings.Load())
}

// Whom a reading fails is told so, and the next one is another.
func TestAReadingOfGroupsThatFailsFailsForAll(t *testing.T) {
	client := serve(t, answer(400, `{"error":{"code":"Ecs.0005","message":"no"}}`))
	for range 2 {
		err := client.EachGroup(t.Context(), func(Group) error { return nil })
		assert.Equal(t, verdict.Rejected, verdict.Of(err))
	}
}

func TestGroupsThatGoRoundInACircle(t *testing.T) {
	client := serve(t, answer(200, `{"server_groups":[{"id":"g1"}],"page_info":{"next_marker":"g1"}}`))
	assert.Equal(t, verdict.Transient, failure(t, client, "ListServerGroups").Verdict)
}

func TestFlavor(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/v2.1/p1/flavors/s6.large.2/os-extra_specs", r.URL.Path)
		answer(200, `{"extra_specs":{"ecs:virtualization_env_types":"CloudCompute"}}`)(w, r)
	})
	got, err := client.Flavor(t.Context(), "s6.large.2")
	require.NoError(t, err)
	assert.Equal(t, Flavor{ID: "s6.large.2",
		ExtraSpecs: map[string]string{"ecs:virtualization_env_types": "CloudCompute"}}, got)
}

func TestLimits(t *testing.T) {
	client := serve(t, answer(200,
		`{"absolute":{"maxServerGroups":10,"maxServerGroupMembers":16,"totalServerGroupsUsed":3}}`))
	got, err := client.Limits(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Limits{MaxServerGroups: 10, MaxServerGroupMembers: 16, ServerGroupsUsed: 3}, got)
}

func TestWritesOnTheWire(t *testing.T) {
	const action, group = "/v1/p1/cloudservers/action", "/v1/p1/cloudservers/os-server-groups/g1/action"
	for _, c := range []struct {
		do         func(*Client) (string, error)
		path, want string
	}{
		{func(c *Client) (string, error) { return c.StopServers(t.Context(), []string{"s1", "s2"}, false) },
			action, `{"os-stop":{"servers":[{"id":"s1"},{"id":"s2"}],"type":"SOFT"}}`},
		{func(c *Client) (string, error) { return c.StopServers(t.Context(), []string{"s1"}, true) },
			action, `{"os-stop":{"servers":[{"id":"s1"}],"type":"HARD"}}`},
		{func(c *Client) (string, error) { return c.StartServers(t.Context(), []string{"s1"}) },
			action, `{"os-start":{"servers":[{"id":"s1"}]}}`},
		{func(c *Client) (string, error) { return "j1", c.AddMember(t.Context(), "g1", "s1") },
			group, `{"add_member":{"instance_uuid":"s1"}}`},
		{func(c *Client) (string, error) { return "j1", c.RemoveMember(t.Context(), "g1", "s1") },
			group, `{"remove_member":{"instance_uuid":"s1"}}`},
	} {
		client := serve(t, func(w http.ResponseWriter, r *http.Request) {
			got, _ := io.ReadAll(r.Body)
			assert.Equal(t, http.MethodPost, r.Method)
			assert.Equal(t, c.path, r.URL.Path)
			assert.JSONEq(t, c.want, string(got))
			answer(200, `{"job_id":"j1"}`)(w, r)
		})
		job, err := c.do(client)
		require.NoError(t, err)
		assert.Equal(t, "j1", job)
	}
}

func TestJob(t *testing.T) {
	const times = `"begin_time":"2016-04-25T20:04:34.604Z","end_time":null`
	for what, c := range map[string]struct {
		body string
		want Job
	}{
		"running, of a status nobody knows": {
			`{"job_id":"j1","job_type":"stopServer","status":"PAUSED","error_code":null,"fail_reason":null,` + times + `}`,
			Job{ID: "j1", Type: "stopServer", Status: "PAUSED"},
		},
		"failed in part": {
			`{"job_id":"j1","status":"FAIL","error_code":"Ecs.0319","fail_reason":"see https://x/?token=1",` + times + `,
			"entities":{"sub_jobs_total":3,"sub_jobs":[
				{"status":"SUCCESS","entities":{"server_id":"s1"}},
				{"status":"FAIL","error_code":"Ecs.0319","fail_reason":"no host","entities":{"server_id":"s2"}},
				{"status":"FAIL","entities":{"server_id":"s3","errorcode_message":"sk=hunter2"}},
				{}]}}`,
			Job{ID: "j1", Status: "FAIL", ErrorCode: "Ecs.0319", FailReason: "see https://x/…", SubJobs: []SubJob{
				{ServerID: "s1", Status: "SUCCESS"},
				{ServerID: "s2", Status: "FAIL", ErrorCode: "Ecs.0319", FailReason: "no host"},
				{ServerID: "s3", Status: "FAIL", FailReason: "sk=…"},
				{},
			}},
		},
		"about one server": {
			`{"job_id":"j1","status":"FAIL","error_code":"Ecs.0100","fail_reason":"r","entities":{"server_id":"s1"}}`,
			Job{ID: "j1", Status: "FAIL", ErrorCode: "Ecs.0100", FailReason: "r", SubJobs: []SubJob{
				{ServerID: "s1", Status: "FAIL", ErrorCode: "Ecs.0100", FailReason: "r"},
			}},
		},
	} {
		t.Run(what, func(t *testing.T) {
			require.True(t, json.Valid([]byte(c.body)))
			got, err := serve(t, answer(200, c.body)).Job(t.Context(), "j1")
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestAJobWhoseQueryFailedInsideA200(t *testing.T) {
	client := serve(t, answer(200, `{"code":"Common.0011","message":"no such job","status":null}`))
	assert.Equal(t, verdict.Rejected, failure(t, client, "ShowJob").Verdict)
	client = serve(t, answer(200, `{"code":"Common.0021","message":"try again"}`))
	assert.Equal(t, verdict.Transient, failure(t, client, "ShowJob").Verdict)
}
