package huaweiservergroup

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func on(s huawei.Server) huawei.Server  { s.Status, s.TaskState = statusActive, ""; return s }
func off(s huawei.Server) huawei.Server { s.Status, s.TaskState = statusShutoff, ""; return s }
func going(s huawei.Server) huawei.Server {
	s.Status, s.TaskState = statusActive, "powering-off"
	return s
}
func coming(s huawei.Server) huawei.Server {
	s.Status, s.TaskState = statusShutoff, "powering-on"
	return s
}

var plain = huawei.Server{ID: "s", FlavorID: "kvm"}

// scene is an observation of one server.
type scene struct {
	server  huawei.Server
	gone    bool
	member  bool // of the group
	noGroup bool
	params  params
	job     string // status of the job of the last write
	leave   bool
	from    string // in, out or missing: the group that a move is from
	near    bool   // another member is on its host
}

func (s scene) observation() *observation {
	o := &observation{operation: membership.Join, params: s.params, groupMissing: s.noGroup,
		group: huawei.Group{ID: "g", Policies: []string{"anti-affinity"}}, servers: map[string]huawei.Server{},
		flavors: map[string]huawei.Flavor{
			"kvm":  {ExtraSpecs: map[string]string{"ecs:virtualization_env_types": "CloudCompute"}},
			"disk": {ExtraSpecs: map[string]string{"ecs:virtualization_env_types": "CloudCompute", "quota:local_disk": "x"}},
			"gpu":  {ExtraSpecs: map[string]string{"ecs:virtualization_env_types": "CloudCompute", "pci_passthrough:alias": "x"}},
			"xen":  {ExtraSpecs: map[string]string{"ecs:virtualization_env_types": "FusionCompute"}},
		},
		jobs: map[string]huawei.Job{}}
	if s.leave {
		o.operation = membership.Leave
	}
	if !s.gone {
		o.servers["s"] = s.server
	}
	if s.member {
		o.group.Members = []string{"s"}
	}
	if s.from != "" {
		o.from, o.fromMissing = huawei.Group{ID: "x"}, s.from == "missing"
	}
	if s.from == "in" {
		o.from.Members = []string{"s"}
	}
	if s.near {
		o.group.Members = append(o.group.Members, "n")
		o.others = map[string]huawei.Server{"n": {ID: "n", Status: statusActive, HostID: "h"}}
	}
	if s.job != "" {
		o.jobs["j"] = huawei.Job{ID: "j", Status: s.job, ErrorCode: "Ecs.0319", FailReason: "no host"}
	}
	return o
}

func moment(op membership.Operation, stage string, undo bool, before string) membership.Moment {
	stages := Kind{}.Spec().Stages[op]
	at := slices.IndexFunc(stages, func(s membership.Stage) bool { return s.Name == stage })
	return membership.Moment{Member: &membership.Member{ID: "s", Before: map[string]string{membership.FactPower: before}},
		Stage: &stages[at], Undo: undo, Job: "j"}
}

func decisions(check kindtest.Decided) {
	stopping := params{stop: true}
	patient := params{stop: true, hardStopAfter: time.Minute}
	next, wait := membership.Next(), membership.Wait("")
	act := func(a string) membership.Decision { return membership.Act(a, "") }
	fail := func(c string) membership.Decision { return membership.Fail(c, "") }
	for name, c := range map[string]struct {
		stage  string
		undo   bool
		before string
		in     time.Duration
		sends  int
		scene  scene
		want   membership.Decision
	}{
		"stop what runs":                        {stageStop, false, membership.PowerOn, 0, 0, scene{server: on(plain), params: stopping}, act(actStop)},
		"not what is in the group":              {stageStop, false, membership.PowerOn, 0, 0, scene{server: on(plain), params: stopping, member: true}, next},
		"not what is off":                       {stageStop, false, membership.PowerOff, 0, 0, scene{server: off(plain), params: stopping}, next},
		"wait while it stops":                   {stageStop, false, membership.PowerOn, 0, 1, scene{server: going(plain), params: stopping}, wait},
		"by force when it takes too long":       {stageStop, false, membership.PowerOn, time.Hour, 1, scene{server: going(plain), params: patient}, act(actStopHard)},
		"by force once only":                    {stageStop, false, membership.PowerOn, time.Hour, 2, scene{server: going(plain), params: patient}, wait},
		"a stop that failed, by force later":    {stageStop, false, membership.PowerOn, time.Second, 1, scene{server: on(plain), params: patient, job: "FAIL"}, wait},
		"a stop that failed, by force now":      {stageStop, false, membership.PowerOn, time.Hour, 1, scene{server: on(plain), params: patient, job: "FAIL"}, act(actStopHard)},
		"a stop that failed":                    {stageStop, false, membership.PowerOn, time.Second, 1, scene{server: on(plain), params: stopping, job: "FAIL"}, fail(codeStopFailed)},
		"a stop under way that does not show":   {stageStop, false, membership.PowerOn, time.Second, 1, scene{server: on(plain), params: stopping, job: "RUNNING"}, wait},
		"somebody started it":                   {stageStop, false, membership.PowerOff, 0, 0, scene{server: on(plain), params: stopping}, fail(codePowerChanged)},
		"not to be stopped":                     {stageStop, false, membership.PowerOn, 0, 0, scene{server: on(plain)}, next},
		"broken":                                {stageStop, false, membership.PowerOn, 0, 0, scene{server: huawei.Server{ID: "s", Status: "ERROR"}, params: stopping}, fail(codeServerStatus)},
		"rebooting":                             {stageStop, false, membership.PowerOn, 0, 0, scene{server: huawei.Server{ID: "s", Status: "REBOOT"}, params: stopping}, wait},
		"gone":                                  {stageStop, false, membership.PowerOn, 0, 0, scene{gone: true, params: stopping}, fail(codeServerMissing)},
		"KVM":                                   {stageVerifyKVM, false, membership.PowerOn, 0, 0, scene{server: off(plain), params: stopping}, next},
		"Xen by now":                            {stageVerifyKVM, false, membership.PowerOn, 0, 0, scene{server: off(huawei.Server{ID: "s", FlavorID: "xen"}), params: stopping}, fail(codeNotKVM)},
		"unknown by now":                        {stageVerifyKVM, false, membership.PowerOn, 0, 0, scene{server: off(huawei.Server{ID: "s", FlavorID: "?"}), params: stopping}, fail(codeKVMUnknown)},
		"local disks by now":                    {stageVerifyKVM, false, membership.PowerOn, 0, 0, scene{server: off(huawei.Server{ID: "s", FlavorID: "disk"}), params: stopping}, fail(codeLocalDisk)},
		"a card by now":                         {stageVerifyKVM, false, membership.PowerOn, 0, 0, scene{server: off(huawei.Server{ID: "s", FlavorID: "gpu"}), params: stopping}, fail(codePassThrough)},
		"KVM but running again":                 {stageVerifyKVM, false, membership.PowerOn, 0, 0, scene{server: on(plain), params: stopping}, fail(codePowerChanged)},
		"add what is stopped":                   {stageAdd, false, membership.PowerOn, 0, 0, scene{server: off(plain), params: stopping}, act(actAdd)},
		"not what is in":                        {stageAdd, false, membership.PowerOn, 0, 0, scene{server: coming(plain), params: stopping, member: true}, next},
		"not what runs":                         {stageAdd, false, membership.PowerOn, 0, 0, scene{server: on(plain), params: stopping}, fail(codePowerChanged)},
		"what runs, if it may":                  {stageAdd, false, membership.PowerOn, 0, 0, scene{server: on(plain)}, act(actAdd)},
		"not while it is busy":                  {stageAdd, false, membership.PowerOn, 0, 0, scene{server: coming(plain), params: stopping}, wait},
		"not without a group":                   {stageAdd, false, membership.PowerOn, 0, 0, scene{server: off(plain), params: stopping, noGroup: true}, fail(codeGroupMissing)},
		"not from another group":                {stageAdd, false, membership.PowerOn, 0, 0, scene{server: off(huawei.Server{ID: "s", Groups: []string{"x"}}), params: stopping}, fail(codeOtherGroup)},
		"start what ran":                        {stageStart, false, membership.PowerOn, 0, 0, scene{server: off(plain), member: true}, act(actStart)},
		"not what did not":                      {stageStart, false, membership.PowerOff, 0, 0, scene{server: off(plain), member: true}, next},
		"not what runs already":                 {stageStart, false, membership.PowerOn, 0, 0, scene{server: on(plain), member: true}, next},
		"wait while it starts":                  {stageStart, false, membership.PowerOn, 0, 1, scene{server: coming(plain), member: true}, wait},
		"a start under way that does not show":  {stageStart, false, membership.PowerOn, 0, 1, scene{server: off(plain), member: true, job: "INIT"}, wait},
		"a start that failed":                   {stageStart, false, membership.PowerOn, 0, 1, scene{server: off(plain), member: true, job: "FAIL"}, fail(codeStartFailed)},
		"verified on":                           {stageVerify, false, membership.PowerOn, 0, 0, scene{server: on(plain), member: true}, next},
		"verified off":                          {stageVerify, false, membership.PowerOff, 0, 0, scene{server: off(plain), member: true}, next},
		"not seen in the group yet":             {stageVerify, false, membership.PowerOn, 0, 0, scene{server: on(plain)}, wait},
		"somebody stopped it":                   {stageVerify, false, membership.PowerOn, 0, 0, scene{server: off(plain), member: true}, fail(codePowerChanged)},
		"undo the add":                          {stageAdd, true, membership.PowerOn, 0, 0, scene{server: off(plain), member: true}, act(actRemove)},
		"undo no add":                           {stageAdd, true, membership.PowerOn, 0, 0, scene{server: off(plain)}, next},
		"undo the add of what is busy":          {stageAdd, true, membership.PowerOn, 0, 0, scene{server: coming(plain), member: true}, wait},
		"undo the add of what is gone":          {stageAdd, true, membership.PowerOn, 0, 0, scene{gone: true, member: true}, next},
		"undo the stop":                         {stageStop, true, membership.PowerOn, 0, 0, scene{server: off(plain)}, act(actStart)},
		"undo the stop again, though it failed": {stageStop, true, membership.PowerOn, 0, 1, scene{server: off(plain), job: "FAIL"}, act(actStart)},
		"undo no stop":                          {stageStop, true, membership.PowerOff, 0, 0, scene{server: off(plain)}, next},
		"undo a stop under way":                 {stageStop, true, membership.PowerOn, 0, 0, scene{server: going(plain)}, wait},
		"undone":                                {stageStop, true, membership.PowerOn, 0, 1, scene{server: on(plain)}, next},
		"undo the stop of what is gone":         {stageStop, true, membership.PowerOn, 0, 0, scene{gone: true}, fail(codeServerMissing)},
		"moved out of the other":                {stageRemove, false, membership.PowerOn, 0, 0, scene{server: off(plain), params: stopping, from: "in"}, act(actPullOut)},
		"moved out while it runs":               {stageRemove, false, membership.PowerOn, 0, 0, scene{server: on(plain), params: stopping, from: "in"}, fail(codePowerChanged)},
		"moved out as it runs, if it may":       {stageRemove, false, membership.PowerOn, 0, 0, scene{server: on(plain), from: "in"}, act(actPullOut)},
		"out of the other":                      {stageRemove, false, membership.PowerOn, 0, 0, scene{server: off(plain), params: stopping, from: "out"}, next},
		"moved already":                         {stageRemove, false, membership.PowerOn, 0, 0, scene{server: off(plain), params: stopping, from: "out", member: true}, next},
		"still said to be in the other":         {stageAdd, false, membership.PowerOn, 0, 0, scene{server: off(huawei.Server{ID: "s", Groups: []string{"x"}}), params: stopping, from: "out"}, wait},
		"undo a move":                           {stageRemove, true, membership.PowerOn, 0, 0, scene{server: off(plain), params: stopping, from: "out"}, act(actPutBack)},
		"undo a move of what runs":              {stageRemove, true, membership.PowerOn, 0, 0, scene{server: on(plain), params: stopping, from: "out"}, act(actStop)},
		"undo a move that never was":            {stageRemove, true, membership.PowerOn, 0, 0, scene{server: on(plain), params: stopping, from: "in"}, next},
		"undo a move from what is gone":         {stageRemove, true, membership.PowerOn, 0, 0, scene{server: off(plain), params: stopping, from: "missing"}, fail(codeGroupMissing)},
		"undo a move of what is gone":           {stageRemove, true, membership.PowerOn, 0, 0, scene{gone: true, params: stopping, from: "out"}, next},
		"undo a leave: stop it":                 {stageRemove, true, membership.PowerOn, 0, 0, scene{server: on(plain), params: stopping, leave: true}, act(actStop)},
		"undo a leave: by force":                {stageRemove, true, membership.PowerOn, time.Hour, 1, scene{server: on(plain), params: patient, leave: true}, act(actStopHard)},
		"undo a leave: it is being stopped":     {stageRemove, true, membership.PowerOn, 0, 1, scene{server: on(plain), params: stopping, leave: true, job: "RUNNING"}, wait},
		"undo a leave: stopping":                {stageRemove, true, membership.PowerOn, 0, 1, scene{server: going(plain), params: stopping, leave: true}, wait},
		"undo a leave: add it":                  {stageRemove, true, membership.PowerOn, 0, 1, scene{server: off(plain), params: stopping, leave: true}, act(actAdd)},
		"undo a leave: start it":                {stageRemove, true, membership.PowerOn, 0, 2, scene{server: off(plain), params: stopping, leave: true, member: true}, act(actStart)},
		"undo a leave: it starts":               {stageRemove, true, membership.PowerOn, 0, 3, scene{server: coming(plain), params: stopping, leave: true, member: true}, wait},
		"undo a leave: back":                    {stageRemove, true, membership.PowerOn, 0, 3, scene{server: on(plain), params: stopping, leave: true, member: true}, next},
		"undo a leave of what was off":          {stageRemove, true, membership.PowerOff, 0, 1, scene{server: off(plain), params: stopping, leave: true, member: true}, next},
		"undo a leave without a group":          {stageRemove, true, membership.PowerOn, 0, 0, scene{server: on(plain), params: stopping, leave: true, noGroup: true}, fail(codeGroupMissing)},
		"undo a leave of what is gone":          {stageRemove, true, membership.PowerOn, 0, 0, scene{gone: true, params: stopping, leave: true}, fail(codeServerMissing)},
		"on the host of another":                {stageVerify, false, membership.PowerOn, 0, 0, scene{server: on(huawei.Server{ID: "s", HostID: "h"}), member: true, near: true}, fail(codeNotApart)},
		"on another host":                       {stageVerify, false, membership.PowerOn, 0, 0, scene{server: on(huawei.Server{ID: "s", HostID: "i"}), member: true, near: true}, next},
		"on a host that is not told":            {stageVerify, false, membership.PowerOn, 0, 0, scene{server: on(plain), member: true, near: true}, next},
		"remove a member":                       {stageRemove, false, membership.PowerOn, 0, 0, scene{server: on(plain), member: true, leave: true}, act(actRemove)},
		"not one that is busy":                  {stageRemove, false, membership.PowerOn, 0, 0, scene{server: going(plain), member: true, leave: true}, wait},
		"not what is none":                      {stageRemove, false, membership.PowerOn, 0, 0, scene{server: on(plain), leave: true}, next},
		"has left":                              {stageVerify, false, membership.PowerOn, 0, 0, scene{server: on(plain), leave: true}, next},
		"still seen in the group":               {stageVerify, false, membership.PowerOn, 0, 0, scene{server: on(plain), member: true, leave: true}, wait},
	} {
		op := membership.Join
		if c.scene.leave {
			op = membership.Leave
		}
		m := moment(op, c.stage, c.undo, c.before)
		m.In, m.Sends = c.in, c.sends
		check(name, c.scene.observation().Decide(m), c.want)
	}
}

// Whatever is observed, Decide does nothing that could hurt.
func TestDecideNeverHurts(t *testing.T) {
	spec := Kind{}.Spec()
	codes := make(map[string]bool)
	for _, o := range append(spec.Failures, membership.EngineFailures()...) {
		codes[o.Code] = true
	}
	rapid.Check(t, func(t *rapid.T) {
		op := rapid.SampledFrom([]membership.Operation{membership.Join, membership.Leave}).Draw(t, "operation")
		stage := rapid.SampledFrom(spec.Stages[op]).Draw(t, "stage")
		s := scene{
			server: huawei.Server{ID: "s",
				Status:    rapid.SampledFrom([]string{"ACTIVE", "SHUTOFF", "ERROR", "REBOOT", "DELETED", "MIGRATING", ""}).Draw(t, "status"),
				TaskState: rapid.SampledFrom([]string{"", "powering-off", "powering-on", "deleting"}).Draw(t, "task"),
				FlavorID:  rapid.SampledFrom([]string{"kvm", "xen", "disk", "gpu", "?"}).Draw(t, "flavor"),
			},
			gone: rapid.Bool().Draw(t, "gone"), member: rapid.Bool().Draw(t, "member"), noGroup: rapid.Bool().Draw(t, "noGroup"),
			params: params{stop: rapid.Bool().Draw(t, "stop"), hardStopAfter: time.Minute},
			job:    rapid.SampledFrom([]string{"", "INIT", "RUNNING", "SUCCESS", "FAIL", "NEW"}).Draw(t, "job"),
			leave:  op == membership.Leave,
			from:   rapid.SampledFrom([]string{"", "in", "out", "missing"}).Draw(t, "from"),
			near:   rapid.Bool().Draw(t, "near"),
		}
		if s.leave {
			s.from = ""
		}
		before := rapid.SampledFrom([]string{membership.PowerOn, membership.PowerOff}).Draw(t, "before")
		m := moment(op, stage.Name, stage.Undo != "" && rapid.Bool().Draw(t, "undo"), before)
		m.In = time.Duration(rapid.IntRange(0, 600).Draw(t, "in")) * time.Second
		m.Sends = rapid.IntRange(0, 3).Draw(t, "sends")
		d := s.observation().Decide(m)
		switch d.Verb {
		case membership.DoFail, membership.DoPark:
			if !codes[d.Code] {
				t.Fatalf("%q is not a documented code", d.Code)
			}
		case membership.DoAct:
			if _, ok := spec.Actions[d.Action]; !ok {
				t.Fatalf("%q is not an action", d.Action)
			}
			switch {
			case s.gone:
				t.Fatalf("%s on a server that is not there", d.Action)
			case d.Action == actAdd && (s.member || s.noGroup || s.server.TaskState != ""):
				t.Fatalf("an add of %+v", s)
			case d.Action == actAdd && s.params.stop && s.server.Status != statusShutoff:
				t.Fatalf("an add of a server that runs: %+v", s)
			case d.Action == actRemove && (!s.member || !m.Undo && op != membership.Leave):
				t.Fatalf("a removal of %+v", s)
			case d.Action == actStart && (before != membership.PowerOn || s.server.Status != statusShutoff || s.server.TaskState != ""):
				t.Fatalf("a start of %+v", s)
			case d.Action == actPullOut && (s.from != "in" || s.member || s.server.TaskState != "" || s.params.stop && s.server.Status != statusShutoff):
				t.Fatalf("a removal from the other group of %+v", s)
			case d.Action == actPutBack && (s.from != "out" || s.server.TaskState != "" || s.params.stop && s.server.Status != statusShutoff):
				t.Fatalf("an add to the other group of %+v", s)
			case m.Undo && (d.Action == actStop || d.Action == actStopHard) && stage.Name == stageRemove && s.params.stop &&
				s.server.Status == statusActive && s.server.TaskState == "": // it cannot be put back while it runs
			case (d.Action == actStop || d.Action == actStopHard) && (s.member || m.Undo || before != membership.PowerOn && s.server.TaskState == "" || s.server.Status != statusActive):
				t.Fatalf("a stop of %+v", s)
			}
		}
	})
}
