package huaweinodepool

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

var before = map[string]string{membership.FactPower: "on", factImage: "i1", factSystemDisk: "d1"}

func moment(op membership.Operation, stage string, undo bool) membership.Moment {
	stages := Kind{}.Spec().Stages[op]
	at := slices.IndexFunc(stages, func(s membership.Stage) bool { return s.Name == stage })
	return membership.Moment{Member: &membership.Member{ID: "s", Before: before}, Stage: &stages[at], Undo: undo, Job: "j"}
}

func wiped(o *observation)     { change(o, func(s *huawei.Server) { s.Image, s.SystemDisk = "i2", "d2" }) }
func otherDisk(o *observation) { change(o, func(s *huawei.Server) { s.SystemDisk = "d2" }) }
func rebuilds(o *observation) {
	wiped(o)
	change(o, func(s *huawei.Server) { s.Status, s.TaskState = statusRebuild, "rebuilding" })
}
func busy(o *observation) { change(o, func(s *huawei.Server) { s.TaskState = "rebooting" }) }
func off(o *observation)  { change(o, func(s *huawei.Server) { s.Status = "SHUTOFF" }) }
func gone(o *observation) { delete(o.servers, "s") }

func in(phase string) func(*observation) { return func(o *observation) { is(o, phase) } }

func elsewhere(phase string) func(*observation) {
	return func(o *observation) {
		is(o, phase)
		o.nodes["s"] = huawei.Node{ID: "n", ServerID: "s", Pool: "other", Phase: phase}
	}
}

func job(phase string, parts ...huawei.JobPart) func(*observation) {
	return func(o *observation) {
		o.jobs["j"] = huawei.ClusterJob{ID: "j", Phase: phase, Reason: "why", Parts: parts}
	}
}

func all(fs ...func(*observation)) func(*observation) {
	return func(o *observation) {
		for _, f := range fs {
			f(o)
		}
	}
}

func decisions(check kindtest.Decided) {
	next, wait := membership.Next(), membership.Wait("")
	act := func(a string) membership.Decision { return membership.Act(a, "") }
	fail := func(c string) membership.Decision { return membership.Fail(c, "") }
	park := func(c string) membership.Decision { return membership.Park(c, "") }
	const join, leave, undo = "join", "leave", "undo"
	nothing := func(*observation) {}
	server := func(f func(*huawei.Server)) func(*observation) { return func(o *observation) { change(o, f) } }
	for name, c := range map[string]struct {
		way, stage string
		in         time.Duration
		spoil      func(*observation)
		want       membership.Decision
	}{
		"still so":                    {join, stageCheck, 0, nothing, next},
		"a node already":              {join, stageCheck, 0, all(in(phaseInstalling), rebuilds), next},
		"a node elsewhere by now":     {join, stageCheck, 0, elsewhere(phaseActive), fail(codeNodeElsewhere)},
		"leaving another pool":        {join, stageCheck, 0, elsewhere(phaseDeleting), wait},
		"leaving another pool, long":  {join, stageCheck, time.Hour, elsewhere(phaseDeleting), park(codeNodeStuck)},
		"gone by now":                 {join, stageCheck, 0, gone, fail(codeServerMissing)},
		"busy now":                    {join, stageCheck, 0, busy, wait},
		"busy for long":               {join, stageCheck, time.Hour, busy, park(codeServerBusy)},
		"wiped, perhaps by us":        {join, stageCheck, 0, rebuilds, wait},
		"wiped by somebody":           {join, stageCheck, time.Hour, wiped, park(codeReinstalled)},
		"off by now":                  {join, stageCheck, 0, off, fail(codeServerStatus)},
		"locked by now":               {join, stageCheck, 0, server(func(s *huawei.Server) { s.Locked = true }), fail(codeServerLocked)},
		"tagged by now":               {join, stageCheck, 0, server(func(s *huawei.Server) { s.Tags = []string{dynamicTag} }), fail(codeDynamicNode)},
		"spot by now":                 {join, stageCheck, 0, server(func(s *huawei.Server) { s.Billing = spotBilling }), fail(codeSpot)},
		"billed otherwise by now":     {join, stageCheck, 0, server(func(s *huawei.Server) { s.Billing = "1" }), fail(codeBilling)},
		"in another VPC by now":       {join, stageCheck, 0, server(func(s *huawei.Server) { s.VPC = "x" }), fail(codeVPC)},
		"in another subnet by now":    {join, stageCheck, 0, server(func(s *huawei.Server) { s.Subnet = "x" }), fail(codeSubnet)},
		"in no subnet by now":         {join, stageCheck, 0, server(func(s *huawei.Server) { s.Subnet = "" }), fail(codeSubnetUnknown)},
		"in another zone by now":      {join, stageCheck, 0, server(func(s *huawei.Server) { s.Zone = "x" }), fail(codeZone)},
		"of another flavor by now":    {join, stageCheck, 0, server(func(s *huawei.Server) { s.FlavorID = "x" }), fail(codeFlavor)},
		"in another group by now":     {join, stageCheck, 0, server(func(s *huawei.Server) { s.Groups = nil }), fail(codeGroup)},
		"smaller by now":              {join, stageCheck, 0, server(func(s *huawei.Server) { s.VCPUs = 1 }), fail(codeTooSmall)},
		"with more interfaces by now": {join, stageCheck, 0, server(func(s *huawei.Server) { s.NICs = 2 }), fail(codeNICs)},
		"Xen by now":                  {join, stageCheck, 0, func(o *observation) { o.xen = map[string]bool{"c7": true} }, fail(codeNotKVM)},
		"no cluster any more":         {join, stageCheck, 0, func(o *observation) { o.clusterMissing = true }, fail(codeClusterMissing)},
		"the cluster sleeps by now":   {join, stageCheck, 0, func(o *observation) { o.cluster.Phase = "Hibernating" }, fail(codeClusterStatus)},
		"no pool any more":            {join, stageCheck, 0, func(o *observation) { o.poolMissing = true }, fail(codePoolMissing)},
		"the pool goes":               {join, stageCheck, 0, func(o *observation) { o.pool.Phase = phaseDeleting }, fail(codePoolStatus)},

		"add":                                {join, stageAdd, 0, nothing, act(actAdd)},
		"add again, nothing has come of it":  {join, stageAdd, time.Hour, job("Success"), act(actAdd)},
		"not while the job runs":             {join, stageAdd, 0, job("Running"), wait},
		"not before the job begins":          {join, stageAdd, 0, job("Initializing"), wait},
		"a job that never ends":              {join, stageAdd, time.Hour, job("Running"), park(codeNodeStuck)},
		"the job runs, the server is wiped":  {join, stageAdd, 20 * time.Minute, all(job("Running"), rebuilds), wait},
		"a job that failed as a whole":       {join, stageAdd, 0, job("Failed"), fail(codeAddFailed)},
		"a job that failed for others":       {join, stageAdd, 0, job("Failed", huawei.JobPart{NodeID: "x"}), act(actAdd)},
		"wiped, and no node yet":             {join, stageAdd, 0, rebuilds, wait},
		"wiped, and no node":                 {join, stageAdd, time.Hour, wiped, park(codeReinstalled)},
		"only the disk is another":           {join, stageAdd, time.Hour, otherDisk, park(codeReinstalled)},
		"being installed":                    {join, stageAdd, 0, all(in(phaseInstalling), rebuilds), wait},
		"being installed for too long":       {join, stageAdd, time.Hour, all(in(phaseInstalling), wiped), park(codeNodeStuck)},
		"in a phase that nobody knows":       {join, stageAdd, 0, in("Melting"), wait},
		"listed, though nothing has changed": {join, stageAdd, 0, in(phaseInstalling), wait},
		"broken":                             {join, stageAdd, 0, all(in(phaseError), wiped, job("Failed", huawei.JobPart{NodeID: "n", Reason: "no disk"})), fail(codeNodeError)},
		"active":                             {join, stageAdd, 0, all(in(phaseActive), wiped), next},
		"not what is elsewhere":              {join, stageAdd, 0, elsewhere(phaseInstalling), fail(codeNodeElsewhere)},
		"not what is off":                    {join, stageAdd, 0, off, fail(codeServerStatus)},

		"proved":                     {join, stageVerify, 0, all(in(phaseActive), wiped), next},
		"proved by its disk":         {join, stageVerify, 0, all(in(phaseActive), otherDisk), next},
		"not proved":                 {join, stageVerify, 0, in(phaseActive), wait},
		"not proved for long":        {join, stageVerify, time.Hour, in(phaseActive), park(codeNotProved)},
		"vanished":                   {join, stageVerify, 0, wiped, wait},
		"vanished for long":          {join, stageVerify, time.Hour, wiped, park(codeNodeMissing)},
		"broken after all":           {join, stageVerify, 0, all(in(phaseError), wiped), fail(codeNodeError)},
		"abnormal":                   {join, stageVerify, 0, all(in(phaseAbnormal), wiped), wait},
		"abnormal for long":          {join, stageVerify, time.Hour, all(in(phaseAbnormal), wiped), park(codeNodeStuck)},
		"active, its server is busy": {join, stageVerify, 0, all(in(phaseActive), rebuilds), wait},
		"active, its server is gone": {join, stageVerify, 0, all(in(phaseActive), gone), fail(codeServerMissing)},

		"undo":                              {undo, stageAdd, 0, all(in(phaseActive), wiped), act(actRemove)},
		"undo what is broken":               {undo, stageAdd, 0, all(in(phaseError), wiped), act(actRemove)},
		"undo what is not done":             {undo, stageAdd, time.Hour, all(in(phaseInstalling), rebuilds), wait},
		"undo what is being undone":         {undo, stageAdd, 0, all(in(phaseDeleting), rebuilds), wait},
		"undo nothing":                      {undo, stageAdd, 0, nothing, next},
		"undone, the system not yet":        {undo, stageAdd, 0, rebuilds, wait},
		"undo what is another pool's":       {undo, stageAdd, 0, elsewhere(phaseActive), next},
		"undo what is gone":                 {undo, stageAdd, 0, gone, next},
		"undo a node without a server":      {undo, stageAdd, 0, all(in(phaseActive), gone), wait},
		"undo a node whose server is off":   {undo, stageAdd, 0, all(in(phaseActive), off), wait},
		"undo a node whose server rebuilds": {undo, stageAdd, 0, all(in(phaseActive), rebuilds), wait},

		"remove":                        {leave, stageRemove, 0, in(phaseActive), act(actRemove)},
		"remove what is broken":         {leave, stageRemove, 0, in(phaseError), act(actRemove)},
		"not what is none":              {leave, stageRemove, 0, nothing, next},
		"not while it is removed":       {leave, stageRemove, 0, all(in(phaseDeleting), rebuilds), wait},
		"a removal that is stuck":       {leave, stageRemove, time.Hour, all(in(phaseDeleting), wiped), park(codeNodeStuck)},
		"not while the removal runs":    {leave, stageRemove, 0, all(in(phaseActive), job("Running")), wait},
		"not what is wiped":             {leave, stageRemove, 0, all(in(phaseActive), wiped), wait},
		"not what is wiped, for long":   {leave, stageRemove, time.Hour, all(in(phaseActive), wiped), park(codeReinstalled)},
		"not while its server is busy":  {leave, stageRemove, 0, all(in(phaseActive), busy), wait},
		"not when its server is off":    {leave, stageRemove, 0, all(in(phaseActive), off), fail(codeServerStatus)},
		"not when its server is gone":   {leave, stageRemove, 0, all(in(phaseActive), gone), fail(codeServerMissing)},
		"has left":                      {leave, stageVerify, 0, wiped, next},
		"still seen":                    {leave, stageVerify, 0, all(in(phaseDeleting), wiped), wait},
		"still seen after long":         {leave, stageVerify, 20 * time.Minute, in(phaseDeleting), park(codeNodeStuck)},
		"has left, and is rebuilt":      {leave, stageVerify, 0, rebuilds, wait},
		"has left, and is off":          {leave, stageVerify, 0, all(wiped, off), fail(codeServerStatus)},
		"has left with its old system":  {leave, stageVerify, time.Hour, nothing, park(codeNotProved)},
		"has left, perhaps not for all": {leave, stageVerify, 0, nothing, wait},
	} {
		o, op := healthy(), membership.Join
		if c.way == leave {
			op = membership.Leave
		}
		o.operation = op
		c.spoil(o)
		m := moment(op, c.stage, c.way == undo)
		m.In = c.in
		check(name, o.Decide(m), c.want)
	}
}

func TestWhatWasANodeBeforeStaysOne(t *testing.T) {
	o := healthy()
	is(o, phaseActive)
	m := moment(membership.Join, stageAdd, true)
	m.Member.Before = map[string]string{factNode: "n"}
	require.Equal(t, membership.DoNext, o.Decide(m).Verb)
	delete(o.nodes, "s")
	m.Undo, m.In = false, time.Hour
	require.Equal(t, codeReinstalled, o.Decide(m).Code, "without a measure nothing is wiped")
}

func TestTheCauseIsTold(t *testing.T) {
	o := healthy()
	is(o, phaseError)
	job("Failed", huawei.JobPart{NodeID: "n", Reason: "no disk"})(o)
	require.Contains(t, o.Decide(moment(membership.Join, stageAdd, false)).Reason, "no disk")
}

func TestStagesOfOtherVersions(t *testing.T) {
	for _, undo := range []bool{false, true} {
		m := moment(membership.Join, stageCheck, undo)
		m.Stage = &membership.Stage{Name: "defragment"}
		require.Equal(t, membership.CodeEngine, healthy().Decide(m).Code)
	}
}

// What has been wiped is not given up by a timer: a person is asked before the engine gives up.
func TestPeopleAreAskedBeforeTheTimeout(t *testing.T) {
	for _, stages := range (Kind{}).Spec().Stages {
		for _, s := range stages {
			longest := patience
			if s.Name != stageVerify {
				longest = stuckAfter
			}
			require.LessOrEqual(t, s.MaxSends, 2)
			require.Greater(t, s.Timeout.Std(), longest+s.Settle.Std(), s.Name)
		}
	}
}

// Whatever is observed, nothing is wiped on doubt.
func TestNeverWipesOnDoubt(t *testing.T) {
	spec := Kind{}.Spec()
	known := make(map[string]bool)
	for _, o := range append(spec.Failures, membership.EngineFailures()...) {
		known[o.Code] = true
	}
	rapid.Check(t, func(t *rapid.T) {
		pick := func(name string, of ...string) string { return rapid.SampledFrom(of).Draw(t, name) }
		yes := func(name string) bool { return rapid.Bool().Draw(t, name) }
		o := healthy()
		o.operation = rapid.SampledFrom([]membership.Operation{membership.Join, membership.Leave}).Draw(t, "operation")
		o.clusterMissing, o.poolMissing = yes("no cluster"), yes("no pool")
		change(o, func(s *huawei.Server) {
			s.Status = pick("status", statusActive, statusActive, "SHUTOFF", statusRebuild, "ERROR", "DELETED", "")
			s.TaskState = pick("task", "", "", "rebuilding", "powering-off")
			s.Image, s.SystemDisk = pick("image", "i1", "i1", "i2", ""), pick("disk", "d1", "d1", "d2", "")
			s.Groups = rapid.SampledFrom([][]string{{"g"}, {"g"}, nil, {"x"}}).Draw(t, "groups")
		})
		if yes("gone") {
			gone(o)
		}
		listed := yes("listed")
		phase := pick("phase", phaseBuild, phaseInstalling, phaseActive, phaseAbnormal, phaseDeleting, phaseError, "Upgrading", "")
		pool := pick("pool", "p", "p", "other")
		if listed {
			o.nodes["s"] = huawei.Node{ID: "n", ServerID: "s", Pool: pool, Phase: phase}
		}
		jobPhase := pick("job", "", "Initializing", "Running", "Success", "Failed", "New")
		o.jobs["j"] = huawei.ClusterJob{ID: "j", Phase: jobPhase}
		stage := rapid.SampledFrom(spec.Stages[o.operation]).Draw(t, "stage")
		m := moment(o.operation, stage.Name, stage.Undo != "" && yes("undo"))
		m.Member.Before = map[string]string{membership.FactPower: "on", factImage: pick("image before", "i1", ""), factSystemDisk: pick("disk before", "d1", "")}
		m.In, m.Sends = time.Duration(rapid.IntRange(0, 120).Draw(t, "in"))*time.Minute, rapid.IntRange(0, 3).Draw(t, "sends")
		d := o.Decide(m)
		s, exists := o.servers["s"]
		switch {
		case d.Code != "" && !known[d.Code]:
			t.Fatalf("%q is not a documented code", d.Code)
		case d.Verb != membership.DoAct:
		case spec.Actions[d.Action].Call == "":
			t.Fatalf("%q is not an action", d.Action)
		case !exists, s.Status != statusActive, s.TaskState != "":
			t.Fatalf("%s of a server that is not there or not at rest: %+v", d.Action, s)
		case d.Action == actAdd:
			was := m.Member.Before
			switch {
			case m.Undo || o.operation != membership.Join || stage.Name != stageAdd:
				t.Fatalf("an add at %s", stage.Name)
			case listed:
				t.Fatalf("an add of a server that is node %+v", o.nodes["s"])
			case was[factImage] == "" && was[factSystemDisk] == "":
				t.Fatal("an add without a measure")
			case was[factImage] != "" && was[factImage] != s.Image, was[factSystemDisk] != "" && was[factSystemDisk] != s.SystemDisk:
				t.Fatalf("an add of a server whose system is another: %+v", s)
			case jobPhase == "Initializing" || jobPhase == "Running":
				t.Fatal("an add while another is under way")
			case o.clusterMissing || o.poolMissing || !slices.Equal(s.Groups, []string{"g"}):
				t.Fatalf("an add against the preconditions: %+v", o)
			}
		case !listed || pool != "p" || !slices.Contains([]string{phaseActive, phaseAbnormal, phaseError}, phase):
			t.Fatalf("a removal of %+v", o.nodes["s"])
		case !m.Undo && (o.operation != membership.Leave || stage.Name != stageRemove):
			t.Fatalf("a removal at %s", stage.Name)
		}
	})
}
