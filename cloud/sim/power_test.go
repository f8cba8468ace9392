package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

func TestPowerCycle(t *testing.T) {
	f := start(t)
	require.Equal(t, [4]any{"ACTIVE", "active", nil, ""}, f.shown("on"))
	out, job := f.power("os-stop", "SOFT", "on")
	require.Equal(t, 200, out.status, out.raw)
	require.Equal(t, "INIT", f.job(job)["status"])
	require.Equal(t, [4]any{"ACTIVE", "active", "powering-off", ""}, f.shown("on"))

	f.Clock().Advance(19 * time.Second)
	running := f.job(job)
	require.Equal(t, "RUNNING", running["status"])
	require.Nil(t, running["end_time"])
	require.Equal(t, [4]any{"ACTIVE", "active", "powering-off", ""}, f.shown("on"))

	f.Clock().Advance(time.Second)
	done := f.job(job)
	require.Equal(t, "SUCCESS", done["status"])
	require.Equal(t, "2026-01-02T03:04:25.000Z", done["end_time"])
	require.Nil(t, done["error_code"])
	entities := done["entities"].(map[string]any)
	require.EqualValues(t, 1, entities["sub_jobs_total"])
	sub := entities["sub_jobs"].([]any)[0].(map[string]any)
	require.Equal(t, "SUCCESS", sub["status"])
	require.Equal(t, "on", sub["entities"].(map[string]any)["server_id"])
	require.Equal(t, [4]any{"SHUTOFF", "stopped", nil, ""}, f.shown("on"))

	_, job = f.power("os-start", "", "on")
	require.Equal(t, [4]any{"SHUTOFF", "stopped", "powering-on", ""}, f.shown("on"))
	f.Clock().Advance(30 * time.Second)
	require.Equal(t, "SUCCESS", f.job(job)["status"])
	require.Equal(t, [4]any{"ACTIVE", "active", nil, ""}, f.shown("on"))

	starts := f.Journal().Select(sim.Filter{Action: "BatchStartServers"})
	require.Len(t, starts, 1)
	require.Equal(t, journal.Changed, starts[0].Effect)
	require.Equal(t, []string{"on"}, starts[0].Servers)
	require.Equal(t, "main", starts[0].Account)
	require.Equal(t, epoch.Add(20*time.Second), starts[0].At)
}

func TestPowerRefusals(t *testing.T) {
	partial := false
	whole := knobs(func(k *world.Knobs) { k.BatchPartial = &partial })
	cases := map[string]struct {
		edit    func(*sim.World)
		body    string
		status  int
		code    string
		writing string
	}{
		"missing":      {body: `{"os-stop":{"servers":[{"id":"none"}]}}`, status: 404, code: "Ecs.0114"},
		"foreign":      {body: `{"os-stop":{"servers":[{"id":"foreign"}]}}`, status: 404, code: "Ecs.0114"},
		"locked":       {body: `{"os-start":{"servers":[{"id":"locked"}]}}`, status: 400, code: "Ecs.0605"},
		"broken":       {body: `{"os-start":{"servers":[{"id":"broken"}]}}`, status: 400, code: "Ecs.0100"},
		"empty":        {body: `{"os-start":{"servers":[]}}`, status: 400, code: "Ecs.0005"},
		"type":         {body: `{"os-stop":{"type":"MILD","servers":[{"id":"on"}]}}`, status: 400, code: "Ecs.0005"},
		"no JSON":      {body: `{"os-stop":`, status: 400, code: "Common.0002"},
		"unknown":      {body: `{"os-suspend":{"servers":[{"id":"on"}]}}`, status: 501, code: "SIM.0501", writing: "os-suspend"},
		"one of two":   {edit: whole, body: `{"os-stop":{"servers":[{"id":"on"},{"id":"none"}]}}`, status: 404, code: "Ecs.0114"},
		"all of a two": {body: `{"os-stop":{"servers":[{"id":"broken"},{"id":"none"}]}}`, status: 400, code: "Ecs.0100"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := start(t)
			if c.edit != nil {
				f = start(t, c.edit)
			}
			before := f.Servers()
			out := f.do("POST", "/v1/p1/cloudservers/action", c.body)
			require.Equal(t, c.status, out.status, out.raw)
			require.Equal(t, c.code, out.code, out.raw)
			require.Contains(t, out.raw, c.writing)
			require.Equal(t, journal.Refused, f.last().Effect)
			require.Equal(t, before, f.Servers())
		})
	}
}

func TestBatchPowerIsPartial(t *testing.T) {
	f := start(t)
	out, job := f.power("os-stop", "", "on", "off", "none", "on")
	require.Equal(t, 200, out.status, out.raw)
	require.Equal(t, journal.Changed, f.last().Effect)
	f.Clock().Advance(time.Minute)
	body := f.job(job)
	require.Equal(t, "FAIL", body["status"])
	var got [][2]any
	for _, sub := range body["entities"].(map[string]any)["sub_jobs"].([]any) {
		sub := sub.(map[string]any)
		got = append(got, [2]any{sub["status"], sub["error_code"]})
	}
	require.Equal(t, [][2]any{{"SUCCESS", nil}, {"SUCCESS", nil}, {"FAIL", "Ecs.0114"}, {"FAIL", "Ecs.0603"}}, got)
}

func TestPowerOnTargetState(t *testing.T) {
	f := start(t)
	_, job := f.power("os-stop", "", "off")
	require.Equal(t, journal.None, f.last().Effect)
	require.Equal(t, "SUCCESS", f.job(job)["status"])

	f = start(t, knobs(func(k *world.Knobs) { k.PowerOnTargetState = world.Fail }))
	_, job = f.power("os-stop", "", "off")
	require.Equal(t, journal.None, f.last().Effect)
	require.Equal(t, "FAIL", f.job(job)["status"])
	require.Equal(t, "Ecs.0100", f.job(job)["error_code"])
}

func TestSoftStopHangs(t *testing.T) {
	f := start(t)
	_, soft := f.power("os-stop", "SOFT", "deaf")
	f.Clock().Advance(20 * time.Second)
	require.Equal(t, "FAIL", f.job(soft)["status"])
	require.Equal(t, [4]any{"ACTIVE", "active", nil, ""}, f.shown("deaf"))
	_, hard := f.power("os-stop", "HARD", "deaf")
	f.Clock().Advance(20 * time.Second)
	require.Equal(t, "SUCCESS", f.job(hard)["status"])
	require.Equal(t, "SHUTOFF", f.shown("deaf")[0])
}

func TestStartFails(t *testing.T) {
	f := start(t)
	try := func(id string) any {
		_, job := f.power("os-start", "", id)
		f.Clock().Advance(30 * time.Second)
		return f.job(job)["error_code"]
	}
	require.Equal(t, "Ecs.0319", try("dead"))
	require.Equal(t, 200, f.add("g1", "nohost").status)
	require.Equal(t, "Ecs.0319", try("nohost"))
	require.Equal(t, "SHUTOFF", f.shown("nohost")[0])
	require.Equal(t, 200, f.remove("g1", "nohost").status)
	require.Nil(t, try("nohost"), "the documented remedy is to leave the group")
	require.Equal(t, "ACTIVE", f.shown("nohost")[0])
}

func TestJobsOfOthersAndForgottenJobs(t *testing.T) {
	f := start(t)
	_, job := f.power("os-stop", "", "on")
	require.Equal(t, "Common.0011", f.do("GET", "/v1/p1/jobs/none", "").code)
	f.key.Access, f.key.Secret = "AK2", "SK2"
	require.Equal(t, "Common.0011", f.do("GET", "/v1/p2/jobs/"+job, "").code)
	f.key.Access, f.key.Secret = "AK", "SK"
	f.Clock().Advance(24 * time.Hour)
	require.Equal(t, "SUCCESS", f.job(job)["status"])
	f.Clock().Advance(21 * time.Second)
	require.Equal(t, "Common.0011", f.do("GET", "/v1/p1/jobs/"+job, "").code)
}

func TestOneOperationAtATime(t *testing.T) {
	for _, code := range []string{"Ecs.0603", "Ecs.0100"} {
		t.Run(code, func(t *testing.T) {
			f := start(t, knobs(func(k *world.Knobs) { k.Busy = code }), func(w *sim.World) {
				w.Huawei.Timings.Add.Min, w.Huawei.Timings.Add.Max = 5*time.Second, 5*time.Second
				w.Huawei.Timings.Remove = w.Huawei.Timings.Add
			})
			status := map[string]int{"Ecs.0603": 501, "Ecs.0100": 400}[code]
			busy := func(out reply) {
				t.Helper()
				require.Equal(t, status, out.status, out.raw)
				require.Equal(t, code, out.code)
			}
			f.power("os-stop", "", "on")
			out, _ := f.power("os-start", "", "on")
			busy(out)
			busy(f.add("g1", "on"))
			f.Clock().Advance(20 * time.Second)

			require.Equal(t, 200, f.add("g1", "on").status)
			require.Empty(t, f.members("g1"), "the membership appears when the operation ends")
			busy(f.add("g1", "on"))
			out, _ = f.power("os-start", "", "on")
			busy(out)
			f.Clock().Advance(5 * time.Second)
			require.Equal(t, []any{"on"}, f.members("g1"))

			require.Equal(t, 200, f.remove("g1", "on").status)
			require.Equal(t, []any{"on"}, f.members("g1"))
			busy(f.remove("g1", "on"))
			f.Clock().Advance(5 * time.Second)
			require.Empty(t, f.members("g1"))
		})
	}
}
