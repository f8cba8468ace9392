package alibabanodepool

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba/backup"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func moment(op membership.Operation, stage string, undo bool) membership.Moment {
	stages := Kind{}.Spec().Stages[op]
	at := slices.IndexFunc(stages, func(s membership.Stage) bool { return s.Name == stage })
	return membership.Moment{Stage: &stages[at], Undo: undo, Job: "T-1", Member: &membership.Member{ID: "i-1",
		Before: map[string]string{backup.FactPower: backup.On, backup.FactImage: "m-1", backup.FactSystemDisk: "d-1"}}}
}

func wiped(o *observation) {
	delete(o.disks.Disks, "d-1")
	change(o, func(i *alibaba.Instance) { i.Image = "m-2" })
}
func otherDisk(o *observation) { delete(o.disks.Disks, "d-1") }
func rebuilds(o *observation) {
	wiped(o)
	change(o, func(i *alibaba.Instance) { i.Status, i.Locks = backup.Stopped, []string{"ReplaceSystemDisk"} })
}
func busy(o *observation) { change(o, func(i *alibaba.Instance) { i.Status = "Starting" }) }
func off(o *observation)  { change(o, func(i *alibaba.Instance) { i.Status = backup.Stopped }) }
func gone(o *observation) { delete(o.instances, "i-1") }

func in(state, status string) func(*observation) {
	return func(o *observation) { is(o, "np1", state, status) }
}

func elsewhere(state string) func(*observation) {
	return func(o *observation) { is(o, "np2", state, alibaba.NodeReady) }
}

func task(state, result string) func(*observation) {
	return func(o *observation) {
		o.tasks["T-1"] = alibaba.Task{ID: "T-1", State: state, Error: "why", Results: map[string]string{"i-1": result}}
	}
}

func wholeTask(state string) func(*observation) {
	return func(o *observation) { o.tasks["T-1"] = alibaba.Task{ID: "T-1", State: state, Error: "why"} }
}

func snapshot(status string) func(*observation) {
	return func(o *observation) {
		o.disks.Snapshots = map[string]alibaba.Snapshot{"d-1": {ID: "s-1", Disk: "d-1", Status: status}}
	}
}

func image(status string) func(*observation) {
	return func(o *observation) {
		o.disks.Images = map[string]alibaba.Image{"d-1": {ID: "m-3", Status: status}}
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
	const running, initial, removing, failed = alibaba.NodeRunning, alibaba.NodeInitial, alibaba.NodeRemoving, alibaba.NodeFailed
	const isReady = alibaba.NodeReady
	nothing := func(*observation) {}
	instance := func(f func(*alibaba.Instance)) func(*observation) { return func(o *observation) { change(o, f) } }
	cluster := func(state string) func(*observation) { return func(o *observation) { o.cluster.State = state } }
	pool := func(state string) func(*observation) { return func(o *observation) { o.pool.State = state } }
	trouble := func(o *observation) {
		is(o, "np1", running, isReady)
		n := o.nodes["i-1"]
		n.Error = "disk pressure"
		o.nodes["i-1"] = n
	}
	for name, c := range map[string]struct {
		way, stage string
		in         time.Duration
		spoil      func(*observation)
		want       membership.Decision
	}{
		"still so":                     {join, stageCheck, 0, nothing, next},
		"a node already":               {join, stageCheck, 0, all(in(initial, ""), rebuilds), next},
		"a node elsewhere by now":      {join, stageCheck, 0, elsewhere(running), fail(codeNodeElsewhere)},
		"leaving another pool":         {join, stageCheck, 0, elsewhere(removing), wait},
		"leaving another pool, long":   {join, stageCheck, time.Hour, elsewhere(removing), park(codeNodeStuck)},
		"gone by now":                  {join, stageCheck, 0, gone, fail(codeInstanceMissing)},
		"busy now":                     {join, stageCheck, 0, busy, wait},
		"busy for long":                {join, stageCheck, time.Hour, busy, wait},
		"the instance is busy":         {join, stageVerify, time.Hour, all(in(running, isReady), wiped, busy), park(codeInstanceBusy)},
		"wiped, perhaps by us":         {join, stageCheck, 0, rebuilds, wait},
		"wiped by somebody":            {join, stageCheck, time.Hour, wiped, park(codeReinstalled)},
		"off by now":                   {join, stageCheck, 0, off, fail(codeInstanceStatus)},
		"locked by now":                {join, stageCheck, 0, instance(func(i *alibaba.Instance) { i.Locks = []string{"security"} }), fail(codeInstanceLocked)},
		"in another VPC by now":        {join, stageCheck, 0, instance(func(i *alibaba.Instance) { i.VPC = "x" }), fail(codeVPC)},
		"in another region by now":     {join, stageCheck, 0, func(o *observation) { o.cluster.Region = "x" }, fail(codeRegion)},
		"another system by now":        {join, stageCheck, 0, instance(func(i *alibaba.Instance) { i.OSType = "windows" }), fail(codeNotLinux)},
		"no password any more":         {join, stageCheck, 0, func(o *observation) { o.password = errors.New("no file") }, fail(codePassword)},
		"no cluster any more":          {join, stageCheck, 0, func(o *observation) { o.clusterMissing, o.poolMissing = true, true }, fail(codeClusterMissing)},
		"the cluster is updated":       {join, stageCheck, 0, cluster("updating"), wait},
		"the cluster is updated, long": {join, stageCheck, time.Hour, cluster("updating"), next},
		"the cluster is broken by now": {join, stageCheck, 0, cluster("failed"), fail(codeClusterState)},
		"no pool any more":             {join, stageCheck, 0, func(o *observation) { o.poolMissing = true }, fail(codePoolMissing)},
		"the pool takes others":        {join, stageCheck, 0, pool("scaling"), wait},
		"the pool takes others, long":  {join, stageCheck, time.Hour, pool("scaling"), next},
		"the pool goes":                {join, stageCheck, 0, pool("deleting"), fail(codePoolState)},

		"make a snapshot":                 {join, stageSnapshot, 0, nothing, act(backup.ActSnapshot)},
		"while it is made":                {join, stageSnapshot, 0, snapshot(alibaba.SnapshotProgressing), wait},
		"a snapshot that failed":          {join, stageSnapshot, 0, snapshot(alibaba.SnapshotFailed), fail(backup.CodeSnapshotFailed)},
		"a snapshot is there":             {join, stageSnapshot, 0, snapshot(alibaba.SnapshotAccomplished), next},
		"no snapshot of what is a node":   {join, stageSnapshot, 0, all(in(running, isReady), wiped), next},
		"no snapshot of what is gone":     {join, stageSnapshot, 0, gone, fail(codeInstanceMissing)},
		"a pool that grows while copying": {join, stageSnapshot, time.Hour, all(pool("scaling"), snapshot(alibaba.SnapshotProgressing)), wait},

		"attach":                                {join, stageAttach, 0, nothing, act(actAttach)},
		"attach again, the task is forgotten":   {join, stageAttach, time.Hour, nothing, act(actAttach)},
		"attach again, the task never came":     {join, stageAttach, 0, task(alibaba.TaskFailed, "initial"), act(actAttach)},
		"not while the task runs":               {join, stageAttach, 0, task(alibaba.TaskRunning, "initial"), wait},
		"not while the task says nothing":       {join, stageAttach, 0, wholeTask(alibaba.TaskRunning), wait},
		"not when the task says that it is":     {join, stageAttach, 0, task(alibaba.TaskSuccess, alibaba.TaskSuccess), wait},
		"not when it failed for others":         {join, stageAttach, 0, task(alibaba.TaskFailed, alibaba.TaskSuccess), wait},
		"a task in a state that nobody knows":   {join, stageAttach, 0, wholeTask("pondering"), wait},
		"a task that never ends":                {join, stageAttach, time.Hour, task(alibaba.TaskRunning, "initial"), park(codeNodeStuck)},
		"the task runs, the system is replaced": {join, stageAttach, 20 * time.Minute, all(task(alibaba.TaskRunning, "initial"), rebuilds), wait},
		"a task that failed":                    {join, stageAttach, 0, wholeTask(alibaba.TaskFailed), fail(codeAttachFailed)},
		"a task that failed for this one":       {join, stageAttach, 0, task(alibaba.TaskRunning, alibaba.TaskFailed), fail(codeAttachFailed)},
		"a task that failed after the wipe":     {join, stageAttach, 0, all(task(alibaba.TaskFailed, alibaba.TaskFailed), wiped), fail(codeAttachFailed)},
		"wiped, and no node yet":                {join, stageAttach, 0, rebuilds, wait},
		"wiped, and no node":                    {join, stageAttach, time.Hour, wiped, park(codeReinstalled)},
		"only the disk is another":              {join, stageAttach, time.Hour, otherDisk, park(codeReinstalled)},
		"the pool takes others first":           {join, stageAttach, 0, pool("scaling"), wait},
		"the pool takes ever more":              {join, stageAttach, 20 * time.Minute, pool("scaling"), act(actAttach)},
		"being made":                            {join, stageAttach, 0, all(in(initial, ""), rebuilds), wait},
		"being made for too long":               {join, stageAttach, time.Hour, all(in(initial, ""), wiped), park(codeNodeStuck)},
		"not ready yet":                         {join, stageAttach, 0, all(in(running, "NotReady"), wiped), wait},
		"never ready":                           {join, stageAttach, time.Hour, all(in(running, "NotReady"), wiped), park(codeNodeStuck)},
		"taken out again":                       {join, stageAttach, 0, all(in(removing, ""), wiped), wait},
		"in a state that nobody knows":          {join, stageAttach, 0, in("melting", ""), wait},
		"listed, though nothing has changed":    {join, stageAttach, 0, in(initial, ""), wait},
		"ready, with an error":                  {join, stageAttach, 0, all(trouble, wiped), wait},
		"broken":                                {join, stageAttach, 0, all(in(failed, ""), wiped), fail(codeNodeFailed)},
		"ready":                                 {join, stageAttach, 0, all(in(running, isReady), wiped), next},
		"not what is elsewhere":                 {join, stageAttach, 0, elsewhere(initial), fail(codeNodeElsewhere)},
		"not what is off":                       {join, stageAttach, 0, off, fail(codeInstanceStatus)},
		"not without a password":                {join, stageAttach, 0, func(o *observation) { o.password = errors.New("no file") }, fail(codePassword)},

		"proved":                      {join, stageVerify, 0, all(in(running, isReady), wiped), next},
		"proved by its disk":          {join, stageVerify, 0, all(in(running, isReady), otherDisk), next},
		"not proved":                  {join, stageVerify, 0, in(running, isReady), wait},
		"not proved for long":         {join, stageVerify, time.Hour, in(running, isReady), park(codeNotProved)},
		"vanished":                    {join, stageVerify, 0, wiped, wait},
		"vanished for long":           {join, stageVerify, time.Hour, wiped, park(codeNodeMissing)},
		"broken after all":            {join, stageVerify, 0, all(in(failed, ""), wiped), fail(codeNodeFailed)},
		"with an error":               {join, stageVerify, 0, all(trouble, wiped), wait},
		"with an error for long":      {join, stageVerify, time.Hour, all(trouble, wiped), park(codeNodeStuck)},
		"ready, its instance is busy": {join, stageVerify, 0, all(in(running, isReady), rebuilds), wait},
		"ready, its instance is off":  {join, stageVerify, 0, all(in(running, isReady), wiped, off), wait},
		"ready, off for long":         {join, stageVerify, time.Hour, all(in(running, isReady), wiped, off), park(codeInstanceStatus)},
		"ready, its instance is gone": {join, stageVerify, 0, all(in(running, isReady), gone), fail(codeInstanceMissing)},

		"undo":                            {undo, stageAttach, 0, all(in(running, isReady), wiped), act(actRemove)},
		"undo what is broken":             {undo, stageAttach, 0, all(in(failed, ""), wiped), act(actRemove)},
		"undo what is not ready":          {undo, stageAttach, 0, all(in(running, "NotReady"), wiped), act(actRemove)},
		"undo what is not done":           {undo, stageAttach, 0, all(in(initial, ""), rebuilds), wait},
		"undo what never will be":         {undo, stageAttach, time.Hour, all(in(initial, ""), rebuilds), act(actRemove)},
		"undo what is being undone":       {undo, stageAttach, time.Hour, all(in(removing, ""), wiped), wait},
		"undo nothing":                    {undo, stageAttach, 0, nothing, next},
		"undo what may yet be a node":     {undo, stageAttach, 0, wiped, wait},
		"undo what did not become a node": {undo, stageAttach, time.Hour, wiped, next},
		"undone, the system not yet":      {undo, stageAttach, time.Hour, rebuilds, wait},
		"undone, and left off":            {undo, stageAttach, 0, off, act(backup.ActStart)},
		"undo what is another pool's":     {undo, stageAttach, 0, elsewhere(running), next},
		"undo what is gone":               {undo, stageAttach, 0, gone, next},
		"undo a node without an instance": {undo, stageAttach, 0, all(in(running, "Unknown"), gone), act(actRemove)},

		"restore nothing":              {undo, stageSnapshot, 0, all(nothing, snapshot(alibaba.SnapshotAccomplished)), next},
		"restore: an image first":      {undo, stageSnapshot, 0, all(wiped, snapshot(alibaba.SnapshotAccomplished)), act(backup.ActImage)},
		"restore: no snapshot":         {undo, stageSnapshot, time.Hour, wiped, fail(backup.CodeBackupMissing)},
		"restore: no image":            {undo, stageSnapshot, 0, all(wiped, snapshot(alibaba.SnapshotAccomplished), image(alibaba.ImageFailed)), fail(backup.CodeImageFailed)},
		"restore: off for it":          {undo, stageSnapshot, 0, all(wiped, snapshot(alibaba.SnapshotAccomplished), image(alibaba.ImageAvailable)), act(backup.ActStop)},
		"restore: the system":          {undo, stageSnapshot, 0, all(wiped, off, snapshot(alibaba.SnapshotAccomplished), image(alibaba.ImageAvailable)), act(backup.ActReplace)},
		"restore nothing of what left": {undo, stageSnapshot, 0, gone, next},

		"remove":                        {leave, stageRemove, 0, in(running, isReady), act(actRemove)},
		"remove what is broken":         {leave, stageRemove, 0, in(failed, ""), act(actRemove)},
		"remove again":                  {leave, stageRemove, 0, all(in(running, isReady), task(alibaba.TaskFailed, "initial")), act(actRemove)},
		"not what is none":              {leave, stageRemove, 0, nothing, next},
		"not while it is removed":       {leave, stageRemove, 0, in(removing, ""), wait},
		"a removal that is stuck":       {leave, stageRemove, time.Hour, in(removing, ""), park(codeNodeStuck)},
		"not while the removal runs":    {leave, stageRemove, 0, all(in(running, isReady), wholeTask(alibaba.TaskRunning)), wait},
		"a removal that failed":         {leave, stageRemove, 0, all(in(running, isReady), wholeTask(alibaba.TaskFailed)), fail(codeRemoveFailed)},
		"not when its instance is gone": {leave, stageRemove, 0, all(in(running, isReady), gone), fail(codeInstanceMissing)},
		"has left":                      {leave, stageVerify, 0, nothing, next},
		"still seen":                    {leave, stageVerify, 0, in(removing, ""), wait},
		"still seen after long":         {leave, stageVerify, 20 * time.Minute, in(removing, ""), park(codeNodeStuck)},
		"has left, and is busy":         {leave, stageVerify, 0, busy, wait},
		"has left, and is off":          {leave, stageVerify, 0, off, fail(codeInstanceStatus)},
		"has left, and is released":     {leave, stageVerify, 0, gone, fail(codeInstanceMissing)},
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

// Once a removal has been sent, a member that is no node any more has left: there is nothing to wait for.
func TestUndoneByARemoval(t *testing.T) {
	o := healthy()
	wiped(o)
	m := moment(membership.Join, stageAttach, true)
	m.Sends = 1
	require.Equal(t, membership.DoNext, o.Decide(m).Verb)
}

func TestWhatWasANodeBeforeStaysOne(t *testing.T) {
	o := healthy()
	is(o, "np1", alibaba.NodeFailed, "")
	m := moment(membership.Join, stageAttach, true)
	m.Member.Before = map[string]string{factNode: alibaba.NodeInitial}
	require.Equal(t, membership.DoNext, o.Decide(m).Verb)
	delete(o.nodes, "i-1")
	m.Undo, m.In = false, time.Hour
	require.Equal(t, codeReinstalled, o.Decide(m).Code, "without a measure nothing is wiped")
	m.Member.Before[backup.FactPower] = backup.Off
	require.Equal(t, membership.DoNext, func() membership.Verb {
		o.operation = membership.Leave
		off(o)
		leaving := moment(membership.Leave, stageVerify, false)
		leaving.Member = m.Member
		return o.Decide(leaving).Verb
	}(), "what was off may stay so")
}

func TestTheCauseIsTold(t *testing.T) {
	o := healthy()
	o.nodes["i-1"] = alibaba.Node{Instance: "i-1", Pool: "np1", State: alibaba.NodeFailed, Error: "no route to the API server"}
	wholeTask(alibaba.TaskFailed)(o)
	reason := o.Decide(moment(membership.Join, stageAttach, false)).Reason
	require.Contains(t, reason, "no route to the API server")
	require.Contains(t, reason, "task T-1: why")
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
			longest := stuckAfter
			if s.Name == stageVerify || s.Name == stageSnapshot {
				longest = patience
			}
			require.Greater(t, s.Timeout.Std(), longest+s.Settle.Std(), s.Name)
			if s.Name == stageAttach {
				require.LessOrEqual(t, s.MaxSends, 2)
				require.Greater(t, s.UndoTimeout.Std(), stuckAfter+s.Settle.Std())
			}
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
		o.cluster.State, o.pool.State = pick("cluster", "running", "running", "scaling", "failed"), pick("pool", "active", "active", "scaling", "deleting")
		change(o, func(i *alibaba.Instance) {
			i.Status = pick("status", backup.Running, backup.Running, backup.Stopped, "Starting", "Stopping", "Pending", "")
			i.Locks = rapid.SampledFrom([][]string{nil, nil, {"security"}, {"ReplaceSystemDisk"}}).Draw(t, "locks")
			i.Image, i.VPC = pick("image", "m-1", "m-1", "m-2", "m-3", ""), pick("vpc", "vpc-1", "vpc-1", "vpc-2")
		})
		o.disks.Disks["d-1"] = alibaba.Disk{ID: "d-1", Instance: pick("disk of", "i-1", "i-1", "i-2", "")}
		if yes("no disk") {
			otherDisk(o)
		}
		snapshot(pick("snapshot", "", alibaba.SnapshotProgressing, alibaba.SnapshotAccomplished, alibaba.SnapshotFailed))(o)
		if yes("an image") {
			image(pick("state of the image", alibaba.ImageCreating, alibaba.ImageAvailable, alibaba.ImageFailed, "Waiting"))(o)
		}
		if yes("gone") {
			gone(o)
		}
		listed := yes("listed")
		node := alibaba.Node{Instance: "i-1", Pool: pick("node's pool", "np1", "np1", "np2", ""),
			State:  pick("node", alibaba.NodeRunning, alibaba.NodeInitial, alibaba.NodeRemoving, alibaba.NodeFailed, "new", ""),
			Status: pick("node's status", alibaba.NodeReady, "NotReady", "Unknown", "")}
		if listed {
			o.nodes["i-1"] = node
		}
		task(pick("task", "", alibaba.TaskRunning, alibaba.TaskSuccess, alibaba.TaskFailed, "new"),
			pick("result", "", "initial", alibaba.TaskSuccess, alibaba.TaskFailed))(o)
		stage := rapid.SampledFrom(spec.Stages[o.operation]).Draw(t, "stage")
		m := moment(o.operation, stage.Name, stage.Undo != "" && yes("undo"))
		if yes("a node before") {
			m.Member.Before[factNode] = alibaba.NodeInitial
			delete(m.Member.Before, backup.FactSystemDisk)
		}
		m.In, m.Sends = time.Duration(rapid.IntRange(0, 120).Draw(t, "in"))*time.Minute, rapid.IntRange(0, 3).Draw(t, "sends")
		before := maps.Clone(m.Member.Before)
		d := o.Decide(m)
		i, exists := o.instances["i-1"]
		untouched := o.disks.Disks["d-1"].Instance == "i-1" && i.Image == "m-1" && before[backup.FactSystemDisk] != ""
		switch {
		case d.Code != "" && !known[d.Code]:
			t.Fatalf("%q is not a documented code", d.Code)
		case d.Verb != membership.DoAct:
		case spec.Actions[d.Action].Call == "":
			t.Fatalf("%q is not an action", d.Action)
		case d.Action == actAttach:
			task := o.tasks["T-1"]
			switch {
			case m.Undo || o.operation != membership.Join || stage.Name != stageAttach:
				t.Fatalf("an attach at %s", stage.Name)
			case !exists || i.Status != backup.Running || len(i.Locks) > 0:
				t.Fatalf("an attach of an instance that is not there or not at rest: %+v", i)
			case listed:
				t.Fatalf("an attach of an instance that is a node: %+v", node)
			case !untouched:
				t.Fatalf("an attach without proof that the system is the one that was: %+v, disk %+v", i, o.disks.Disks)
			case task.State == alibaba.TaskRunning || task.State == alibaba.TaskSuccess || task.State == "new":
				t.Fatal("an attach while another is under way")
			case o.clusterMissing || o.poolMissing || o.cluster.State == "failed" || o.pool.State == "deleting" || i.VPC != "vpc-1":
				t.Fatalf("an attach against the preconditions: %+v", o)
			}
		case d.Action == actRemove:
			switch {
			case !listed || node.Pool != "np1" || node.State == alibaba.NodeRemoving:
				t.Fatalf("a removal of %+v", node)
			case m.Undo && (stage.Name != stageAttach || before[factNode] != ""):
				t.Fatalf("an undo of what the run did not do, at %s", stage.Name)
			case !m.Undo && (o.operation != membership.Leave || stage.Name != stageRemove):
				t.Fatalf("a removal at %s", stage.Name)
			}
		case d.Action == backup.ActSnapshot:
			if m.Undo || listed && node.Pool == "np1" {
				t.Fatalf("a snapshot of what is a node: %+v", node)
			}
		case !m.Undo:
			t.Fatalf("%s, and it is no undo", d.Action)
		case d.Action == backup.ActReplace && (untouched || i.Status != backup.Stopped || before[backup.FactSystemDisk] == ""):
			t.Fatalf("a restore over what was not wiped: %+v", i)
		}
	})
}
