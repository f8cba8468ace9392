package sim_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
)

func (f *fixture) inject(r sim.Fault) {
	f.Helper()
	_, err := f.Faults().Add(r)
	require.NoError(f, err)
}

// overHTTP puts a real connection between the client and the simulator.
func (f *fixture) overHTTP() {
	server := httptest.NewServer(f.Sim)
	f.Cleanup(server.Close)
	f.client, f.url = server.Client(), server.URL
	f.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
}

func TestFaultsInPlaceOfTheAnswer(t *testing.T) {
	cases := map[string]struct {
		rule   sim.Fault
		status int // 0: the connection is closed
		code   string
		body   string
		header [2]string
	}{
		"drop-before": {rule: sim.Fault{Effect: fault.DropBefore}},
		"drop-after":  {rule: sim.Fault{Effect: fault.DropAfter}},
		"status":      {rule: sim.Fault{Effect: fault.Status, Status: 400, Code: "Ecs.1000"}, status: 400, code: "Ecs.1000"},
		"gateway": {rule: sim.Fault{Effect: fault.Status, Status: 504, Code: "APIGW.0201"}, status: 504, code: "APIGW.0201",
			body: `"error_code":"APIGW.0201"`},
		"own body": {rule: sim.Fault{Effect: fault.Status, Status: 418, Body: "{}", Headers: map[string]string{"X-A": "b"}},
			status: 418, body: "{}", header: [2]string{"X-A", "b"}},
		"throttle": {rule: sim.Fault{Effect: fault.Throttle, RetryAfter: "56.818"}, status: 429, code: "APIGW.0308",
			header: [2]string{"Retry-After", "56.818"}},
		"202": {rule: sim.Fault{Effect: fault.Throttle, Status: 202}, status: 202, code: "Common.0024"},
		"503": {rule: sim.Fault{Effect: fault.Throttle, Status: 503}, status: 503, code: "Common.1503"},
		"html": {rule: sim.Fault{Effect: fault.HTML502}, status: 502, body: "<h1>502 Bad Gateway</h1>",
			header: [2]string{"Content-Type", "text/html"}},
		"garbage":  {rule: sim.Fault{Effect: fault.Garbage200}, status: 200, body: "{"},
		"empty":    {rule: sim.Fault{Effect: fault.Empty200}, status: 200},
		"redirect": {rule: sim.Fault{Effect: fault.Redirect307}, status: 307, header: [2]string{"Location", groupsPath + "/g1/action"}},
	}
	for name, c := range cases {
		for _, after := range []bool{false, true} {
			if after && c.rule.Effect == fault.DropBefore || !after && c.rule.Effect == fault.DropAfter {
				continue
			}
			for _, overHTTP := range []bool{false, true} {
				t.Run(name+" after="+map[bool]string{true: "true", false: "false"}[after], func(t *testing.T) {
					f := start(t)
					if overHTTP {
						f.overHTTP()
					}
					rule := c.rule
					rule.After, rule.Count, rule.Match.Action = after, 1, "Add*"
					f.inject(rule)
					f.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
					out, err := f.try("POST", groupsPath+"/g1/action", `{"add_member":{"instance_uuid":"off"}}`)
					entry := f.last()
					if c.status == 0 {
						require.ErrorIs(t, err, io.EOF)
					} else {
						require.NoError(t, err)
						require.Equal(t, c.status, out.status)
						require.Equal(t, c.code, out.code, out.raw)
						require.Contains(t, out.raw, c.body)
						if c.header[0] != "" {
							require.Equal(t, c.header[1], out.header.Get(c.header[0]))
						}
					}
					server, _ := f.Server("off")
					require.Equal(t, after, server.Group == "g1")
					require.Equal(t, c.rule.Effect, entry.Fault)
					require.Equal(t, after || c.status == 0, entry.Lost)
					if after {
						require.Equal(t, journal.Changed, entry.Effect)
						require.Equal(t, 200, entry.Status)
					} else {
						require.Equal(t, journal.Refused, entry.Effect)
						require.Equal(t, c.status, entry.Status)
					}
					require.Equal(t, 200, f.add("g1", "off").status, "the rule is used up")
				})
			}
		}
	}
}

func TestTimeout(t *testing.T) {
	for _, after := range []bool{false, true} {
		for _, overHTTP := range []bool{false, true} {
			f := start(t)
			if overHTTP {
				f.overHTTP()
			}
			f.inject(sim.Fault{Effect: fault.Timeout, After: after})
			ctx, giveUp := context.WithCancel(t.Context())
			go func() {
				_ = f.Journal().Wait(t.Context(), func(e []sim.Entry) bool { return len(e) == 1 })
				giveUp()
			}()
			r := f.request("DELETE", groupsPath+"/g1", "").WithContext(ctx)
			sign(f, r)
			_, err := f.client.Do(r)
			require.ErrorIs(t, err, context.Canceled)
			_, there := f.Group("g1")
			require.Equal(t, after, !there)
			require.True(t, f.last().Lost)
		}
	}
}

func TestTimeoutEnds(t *testing.T) {
	f := start(t)
	f.inject(sim.Fault{Effect: fault.Timeout, For: clock.Duration(time.Minute)})
	f.Clock().SetSpeed(1e6)
	_, err := f.try("GET", groupsPath, "")
	require.ErrorIs(t, err, io.EOF)
	require.False(t, f.Clock().Now().Before(epoch.Add(time.Minute)))
}

func TestDelayAndLatency(t *testing.T) {
	f := start(t, func(w *sim.World) { w.Huawei.Latency = clock.Range{Min: time.Second, Max: 2 * time.Second} })
	f.inject(sim.Fault{Effect: fault.Delay, For: clock.Duration(time.Minute)})
	f.Clock().SetSpeed(1e6)
	require.Equal(t, 200, f.do("GET", groupsPath, "").status)
	require.False(t, f.last().At.Before(epoch.Add(61*time.Second)))
}

func TestGivingUpDuringLatency(t *testing.T) {
	f := start(t, func(w *sim.World) { w.Huawei.Latency = clock.Fixed(time.Second) })
	f.inject(sim.Fault{Effect: fault.Delay, For: clock.Duration(time.Second)}) // counts the call that is under way
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	r := f.request("DELETE", groupsPath+"/g1", "").WithContext(ctx)
	sign(f, r)
	given := make(chan error, 1)
	go func() {
		_, err := f.client.Do(r)
		given <- err
	}()
	require.Eventually(t, func() bool { return f.Faults().List()[0].Hits == 1 }, 10*time.Second, time.Millisecond)
	giveUp()
	require.ErrorIs(t, <-given, context.Canceled)
	_, there := f.Group("g1")
	require.True(t, there)
	require.Equal(t, journal.Refused, f.last().Effect)
}

func TestTransitionFaults(t *testing.T) {
	f := start(t)
	f.inject(sim.Fault{Effect: fault.JobFail, Code: "Ecs.0226", Message: "sold out", Match: sim.Match{Server: "off"}})
	_, job := f.power("os-start", "", "off", "off2")
	f.Clock().Advance(30 * time.Second)
	body := f.job(job)
	require.Equal(t, "FAIL", body["status"])
	require.Equal(t, "Ecs.0226", body["error_code"])
	require.Equal(t, "SHUTOFF", f.shown("off")[0])
	require.Equal(t, "ACTIVE", f.shown("off2")[0], "the rule is about another server of the batch")
	require.Equal(t, fault.JobFail, f.Journal().Select(sim.Filter{Action: "BatchStartServers"})[0].Fault)

	f.Faults().Clear()
	f.inject(sim.Fault{Effect: fault.Stuck, Match: sim.Match{Action: "BatchStopServers"}, Count: 1})
	_, job = f.power("os-stop", "", "off2")
	f.Clock().Advance(1000 * time.Hour)
	require.Equal(t, "RUNNING", f.job(job)["status"])
	require.Equal(t, "powering-off", f.shown("off2")[2])

	f.inject(sim.Fault{Effect: fault.Stuck, For: clock.Duration(time.Hour), Match: sim.Match{Action: "AddServerGroupMember"}})
	f.add("g1", "off3")
	f.Clock().Advance(time.Hour - time.Second)
	require.Empty(t, f.members("g1"))
	f.Clock().Advance(time.Second)
	require.Equal(t, []any{"off3"}, f.members("g1"))
}

func TestRuleSelection(t *testing.T) {
	write := true
	codes := func(rule sim.Fault) []int {
		f := start(t)
		rule.Effect, rule.Status = fault.Status, 500
		f.inject(rule)
		return []int{
			f.do("GET", groupsPath, "").status,
			f.do("GET", "/v1/p1/cloudservers/on", "").status,
			f.add("g1", "off").status,
			f.add("g2", "off2").status,
		}
	}
	require.Equal(t, []int{500, 500, 500, 500}, codes(sim.Fault{}))
	require.Equal(t, []int{200, 500, 500, 200}, codes(sim.Fault{Nth: 2, Count: 2}))
	require.Equal(t, []int{200, 200, 500, 500}, codes(sim.Fault{Match: sim.Match{Write: &write}}))
	require.Equal(t, []int{200, 500, 200, 200}, codes(sim.Fault{Match: sim.Match{Server: "on"}}))
	require.Equal(t, []int{200, 200, 200, 500}, codes(sim.Fault{Match: sim.Match{Group: "g2"}}))
	require.Equal(t, []int{500, 200, 200, 200}, codes(sim.Fault{Match: sim.Match{Action: "List*"}}))
	require.Equal(t, []int{200, 200, 200, 200}, codes(sim.Fault{Match: sim.Match{Account: "other"}}))
}

func TestPercentIsSeeded(t *testing.T) {
	run := func(seed int64) []bool {
		faults := fault.New(seed, nil)
		_, err := faults.Add(sim.Fault{Effect: fault.DropBefore, Percent: 30})
		require.NoError(t, err)
		var fired []bool
		for range 2000 {
			fired = append(fired, faults.Pick(fault.Call{Action: "X"}) != nil)
		}
		return fired
	}
	first := run(1)
	require.Equal(t, first, run(1))
	require.NotEqual(t, first, run(2))
	count := 0
	for _, b := range first {
		if b {
			count++
		}
	}
	require.InDelta(t, 600, count, 100)
}

func TestRuleList(t *testing.T) {
	faults := fault.New(0, nil)
	for rule, says := range map[*sim.Fault]string{
		{Effect: "explode"}:                          `effect: "explode" is unknown`,
		{Effect: fault.Status}:                       "status: ",
		{Effect: fault.Status, Status: 99}:           "status: 99",
		{Effect: fault.JobFail}:                      "code: ",
		{Effect: fault.Delay}:                        "for: ",
		{Effect: fault.DropAfter, Percent: 101}:      "percent: 101",
		{Effect: fault.DropAfter, Nth: -1}:           "nth: -1",
		{Effect: fault.DropAfter, Count: -1}:         "count: -1",
		{Effect: fault.DropAfter, Match: badPattern}: `match.action: "["`,
		{Effect: fault.Throttle, RetryAfter: "60s"}:  `retryAfter: "60s" is not a number of seconds`,
	} {
		_, err := faults.Add(*rule)
		require.ErrorContains(t, err, says)
	}
	require.Empty(t, faults.List())
	_, err := faults.Add(sim.Fault{ID: "fault-1", Effect: fault.DropAfter})
	require.NoError(t, err)
	_, err = faults.Add(sim.Fault{ID: "fault-1", Effect: fault.DropAfter})
	require.ErrorContains(t, err, `id: "fault-1" is in use`)
	id, err := faults.Add(sim.Fault{Effect: fault.DropAfter})
	require.NoError(t, err)
	require.Equal(t, "fault-2", id)
	require.True(t, faults.Remove("fault-1"))
	require.False(t, faults.Remove("fault-1"))
	require.Len(t, faults.List(), 1)
}

var badPattern = sim.Match{Action: "["}

func TestRoundTripperHonoursAnEndedContext(t *testing.T) {
	f := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.client.Do(f.request("GET", groupsPath, "").WithContext(ctx))
	require.True(t, errors.Is(err, context.Canceled))
	require.Empty(t, f.Journal().Entries())
}
