package alibabaedas

import (
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

var before = map[string]string{backup.FactPower: backup.On, backup.FactImage: "m-1", backup.FactSystemDisk: "d-1", backup.FactDataDisks: "d-2"}

func moment(op membership.Operation, stage string, undo bool) membership.Moment {
	stages := Kind{}.Spec().Stages[op]
	at := slices.IndexFunc(stages, func(s membership.Stage) bool { return s.Name == stage })
	return membership.Moment{Member: &membership.Member{ID: "i-1", Before: before}, Stage: &stages[at], Undo: undo}
}

func wiped(o *observation) {
	delete(o.disks.Disks, "d-1")
	change(func(i *alibaba.Instance) { i.Image = "m-edas" })(o)
}

func otherDisk(o *observation) { delete(o.disks.Disks, "d-1") }
func gone(o *observation)      { o.instances = nil }
func noBackup(o *observation)  { o.params.backup = false }
func notOffered(o *observation) {
	delete(o.offered, "i-1")
}

var (
	off        = change(func(i *alibaba.Instance) { i.Status = "Stopped" })
	stopping   = change(func(i *alibaba.Instance) { i.Status = "Stopping" })
	locked     = change(func(i *alibaba.Instance) { i.Locks = []string{"security"} })
	reinstalls = all(wiped, off, change(func(i *alibaba.Instance) { i.Locks = []string{"ReplaceSystemDisk"} }))
)

func decisions(check kindtest.Decided) {
	next, wait := membership.Next(), membership.Wait("")
	act := func(a string) membership.Decision { return membership.Act(a, "") }
	fail := func(c string) membership.Decision { return membership.Fail(c, "") }
	park := func(c string) membership.Decision { return membership.Park(c, "") }
	const join, leave, undo = "join", "leave", "undo"
	const running, converting, failed, offline = alibaba.EDASRunning, alibaba.EDASConverting, alibaba.EDASFailed, alibaba.EDASOffline
	nothing := func(*observation) {}
	cluster := func(f func(*alibaba.EDASCluster)) func(*observation) { return func(o *observation) { f(&o.cluster) } }
	const soon, late, long = time.Duration(0), 20 * time.Minute, time.Hour
	for name, c := range map[string]struct {
		way, stage string
		in         time.Duration
		sends      int
		job        string
		spoil      func(*observation)
		want       membership.Decision
	}{
		"still so":                     {join, stageCheck, soon, 0, "", nothing, next},
		"a member already":             {join, stageCheck, soon, 0, "", all(is(converting), reinstalls), next},
		"gone by now":                  {join, stageCheck, soon, 0, "", gone, fail(codeInstanceMissing)},
		"busy now":                     {join, stageCheck, soon, 0, "", stopping, wait},
		"busy for long":                {join, stageCheck, long, 0, "", stopping, park(codeInstanceBusy)},
		"busy for long, by agent":      {join, stageCheck, long, 0, "", all(stopping, byAgent), fail(codeInstanceBusy)},
		"off, perhaps by an import":    {join, stageCheck, soon, 0, "", off, wait},
		"off by now":                   {join, stageCheck, late, 0, "", off, fail(codeInstanceStatus)},
		"off by now, by agent":         {join, stageCheck, soon, 0, "", all(off, byAgent), fail(codeInstanceStatus)},
		"wiped, perhaps by us":         {join, stageCheck, soon, 0, "", wiped, wait},
		"wiped by somebody":            {join, stageCheck, long, 0, "", wiped, park(codeReinstalled)},
		"locked by now":                {join, stageCheck, soon, 0, "", locked, fail(codeInstanceLocked)},
		"no cluster any more":          {join, stageCheck, soon, 0, "", func(o *observation) { o.clusterMissing = true }, fail(codeClusterMissing)},
		"containers by now":            {join, stageCheck, soon, 0, "", cluster(func(c *alibaba.EDASCluster) { c.Type = 5 }), fail(codeClusterType)},
		"another region by now":        {join, stageCheck, soon, 0, "", cluster(func(c *alibaba.EDASCluster) { c.Region = "x" }), fail(codeClusterRegion)},
		"another VPC by now":           {join, stageCheck, soon, 0, "", cluster(func(c *alibaba.EDASCluster) { c.VPC = "x" }), fail(codeVPC)},
		"classic by now":               {join, stageCheck, soon, 0, "", cluster(func(c *alibaba.EDASCluster) { c.NetworkMode = 1 }), fail(codeNetworkType)},
		"Windows by now":               {join, stageCheck, soon, 0, "", change(func(i *alibaba.Instance) { i.OSType = "windows" }), fail(codeOSType)},
		"expired by now":               {join, stageCheck, soon, 0, "", func(o *observation) { o.offered["i-1"] = alibaba.EDASInstance{Expired: true} }, fail(codeExpired)},
		"no password by now":           {join, stageCheck, soon, 0, "", func(o *observation) { o.password = "gone" }, fail(codePassword)},
		"unseen":                       {join, stageCheck, soon, 0, "", notOffered, act(actSync)},
		"unseen, but off":              {join, stageCheck, late, 0, "", all(notOffered, off), fail(codeInstanceStatus)},
		"unseen, synchronized":         {join, stageCheck, late, 1, "", notOffered, wait},
		"never seen":                   {join, stageCheck, long, 1, "", notOffered, park(codeNotOffered)},
		"unseen, synchronized, agent":  {join, stageCheck, soon, 1, "", all(notOffered, byAgent), wait},
		"never seen, by agent":         {join, stageCheck, late, 1, "", all(notOffered, byAgent), fail(codeNotOffered)},
		"snapshots are there":          {join, backup.StageName, soon, 0, "", nothing, next},
		"snapshots are not there":      {join, backup.StageName, soon, 0, "", func(o *observation) { o.disks.Snapshots = nil }, act(backup.ActSnapshot)},
		"a snapshot has failed":        {join, backup.StageName, soon, 0, "", snapshotIs(alibaba.SnapshotFailed), fail(backup.CodeSnapshotFailed)},
		"no snapshot of a member":      {join, backup.StageName, soon, 0, "", all(is(converting), snapshotIs(alibaba.SnapshotFailed)), next},
		"install":                      {join, stageInstall, soon, 0, "", byAgent, act(actInstall)},
		"install again":                {join, stageInstall, late, 1, "", byAgent, act(actInstall)},
		"install, though not offered":  {join, stageInstall, soon, 0, "", all(byAgent, notOffered), act(actInstall)},
		"install when it runs":         {join, stageInstall, soon, 0, "", all(byAgent, off), fail(codeInstanceStatus)},
		"installing":                   {join, stageInstall, soon, 0, "", all(byAgent, is(converting)), wait},
		"installing for too long":      {join, stageInstall, long, 0, "", all(byAgent, is(converting)), fail(codeMemberStuck)},
		"installed":                    {join, stageInstall, soon, 0, "", all(byAgent, is(running)), next},
		"installed in vain":            {join, stageInstall, soon, 0, "", all(byAgent, is(failed)), fail(codeConversionFailed)},
		"installed, not heard of":      {join, stageInstall, soon, 0, "", all(byAgent, is(offline)), wait},
		"installed, never heard of":    {join, stageInstall, long, 0, "", all(byAgent, is(offline)), fail(codeMemberOffline)},
		"import":                       {join, stageImport, soon, 0, "", nothing, act(actImport)},
		"never what was accepted":      {join, stageImport, late, 1, accepted, nothing, wait},
		"accepted, and lost":           {join, stageImport, long, 1, accepted, nothing, park(codeImportLost)},
		"accepted, wiped, no member":   {join, stageImport, long, 1, accepted, wiped, park(codeImportLost)},
		"not at once what was lost":    {join, stageImport, soon, 1, "", nothing, wait},
		"again what never arrived":     {join, stageImport, late, 1, "", nothing, act(actImport)},
		"not what EDAS keeps back":     {join, stageImport, late, 1, "", notOffered, wait},
		"not offered for long":         {join, stageImport, long, 1, "", notOffered, park(codeNotOffered)},
		"not what is off":              {join, stageImport, soon, 0, "", off, wait},
		"not what stays off":           {join, stageImport, late, 0, "", off, fail(codeInstanceStatus)},
		"not what is busy":             {join, stageImport, late, 0, "", stopping, wait},
		"not what has another disk":    {join, stageImport, late, 1, "", otherDisk, wait},
		"not what is wiped":            {join, stageImport, late, 1, "", all(wiped, notOffered), wait},
		"wiped, and no member":         {join, stageImport, long, 1, "", all(wiped, notOffered), park(codeReinstalled)},
		"not without a password":       {join, stageImport, soon, 0, "", func(o *observation) { o.password = "gone" }, fail(codePassword)},
		"being imported":               {join, stageImport, soon, 1, accepted, all(is(converting), reinstalls), wait},
		"imported for too long":        {join, stageImport, long, 1, accepted, all(is(converting), wiped), park(codeMemberStuck)},
		"in a status nobody knows":     {join, stageImport, soon, 1, accepted, is(7), wait},
		"imported in vain":             {join, stageImport, soon, 1, accepted, all(is(failed), wiped), fail(codeConversionFailed)},
		"imported, not heard of":       {join, stageImport, late, 1, accepted, all(is(offline), wiped), wait},
		"imported, never heard of":     {join, stageImport, long, 1, accepted, all(is(offline), wiped), park(codeMemberOffline)},
		"imported":                     {join, stageImport, soon, 1, accepted, all(is(running), wiped), next},
		"proved":                       {join, stageVerify, soon, 0, "", all(is(running), wiped), next},
		"proved by its disk":           {join, stageVerify, soon, 0, "", all(is(running), otherDisk), next},
		"not proved":                   {join, stageVerify, soon, 0, "", is(running), wait},
		"not proved for long":          {join, stageVerify, late, 0, "", is(running), park(codeNotProved)},
		"nothing to prove":             {join, stageVerify, soon, 0, "", all(is(running), byAgent), next},
		"runs, its instance does not":  {join, stageVerify, soon, 0, "", all(is(running), wiped, off), wait},
		"runs, its instance never":     {join, stageVerify, late, 0, "", all(is(running), wiped, off), park(codeInstanceStatus)},
		"runs, its instance is busy":   {join, stageVerify, late, 0, "", all(is(running), reinstalls), park(codeInstanceBusy)},
		"vanished":                     {join, stageVerify, soon, 0, "", wiped, wait},
		"vanished for long":            {join, stageVerify, late, 0, "", wiped, park(codeMemberMissing)},
		"vanished for long, by agent":  {join, stageVerify, late, 0, "", byAgent, fail(codeMemberMissing)},
		"failed after all":             {join, stageVerify, soon, 0, "", all(is(failed), wiped), fail(codeConversionFailed)},
		"offline after all":            {join, stageVerify, soon, 0, "", all(is(offline), wiped), wait},
		"offline for long":             {join, stageVerify, late, 0, "", all(is(offline), wiped), park(codeMemberOffline)},
		"converting after all":         {join, stageVerify, late, 0, "", all(is(converting), wiped), park(codeMemberStuck)},
		"runs, its instance is gone":   {join, stageVerify, soon, 0, "", all(is(running), gone), fail(codeInstanceMissing)},
		"undo the agent":               {undo, stageInstall, soon, 0, "", all(byAgent, is(running)), act(actRemove)},
		"undo no agent":                {undo, stageInstall, soon, 0, "", all(byAgent, notOffered), next},
		"undo":                         {undo, stageImport, soon, 0, "", all(is(running), wiped), act(actRemove)},
		"undo what failed":             {undo, stageImport, soon, 0, "", all(is(failed), reinstalls), act(actRemove)},
		"undo what is not heard of":    {undo, stageImport, soon, 0, "", all(is(offline), wiped), act(actRemove)},
		"undo what goes on":            {undo, stageImport, long, 0, "", all(is(converting), reinstalls), wait},
		"undo what nobody knows":       {undo, stageImport, long, 0, "", is(7), wait},
		"undo a member without host":   {undo, stageImport, soon, 0, "", all(is(offline), gone), act(actRemove)},
		"undo nothing":                 {undo, stageImport, soon, 0, "", nothing, next},
		"undo what may still begin":    {undo, stageImport, soon, 0, "", notOffered, wait},
		"undo what has never begun":    {undo, stageImport, late, 0, "", notOffered, next},
		"undo what is gone":            {undo, stageImport, soon, 0, "", all(notOffered, gone), next},
		"undone, being installed":      {undo, stageImport, long, 0, "", reinstalls, wait},
		"undone, its system comes":     {undo, stageImport, soon, 0, "", wiped, next},
		"undone, its system comes,off": {undo, stageImport, soon, 0, "", all(wiped, off), next},
		"undone, its system is lost":   {undo, stageImport, soon, 0, "", all(wiped, noBackup), fail(codeSystemLost)},
		"undone, lost, and is off":     {undo, stageImport, soon, 0, "", all(wiped, off, noBackup), act(backup.ActStart)},
		"undone, and is off":           {undo, stageImport, soon, 0, "", off, act(backup.ActStart)},
		"restore nothing":              {undo, backup.StageName, soon, 0, "", nothing, next},
		"restore":                      {undo, backup.StageName, soon, 0, "", wiped, act(backup.ActImage)},
		"restore from nothing":         {undo, backup.StageName, late, 0, "", all(wiped, snapshotIs("")), fail(backup.CodeBackupMissing)},
		"restore, no image": {undo, backup.StageName, soon, 0, "", all(wiped, func(o *observation) {
			o.disks.Images = map[string]alibaba.Image{"d-1": {ID: "m-2", Status: alibaba.ImageFailed}}
		}), fail(backup.CodeImageFailed)},
		"remove":                 {leave, stageRemove, soon, 0, "", is(running), act(actRemove)},
		"remove what failed":     {leave, stageRemove, soon, 0, "", all(is(failed), gone), act(actRemove)},
		"not what is none":       {leave, stageRemove, soon, 0, "", nothing, next},
		"not while it converts":  {leave, stageRemove, soon, 0, "", is(converting), wait},
		"not while, for long":    {leave, stageRemove, long, 0, "", is(converting), fail(codeMemberStuck)},
		"has left":               {leave, stageVerify, soon, 0, "", gone, next},
		"still seen":             {leave, stageVerify, soon, 0, "", is(running), wait},
		"still seen, after long": {leave, stageVerify, late, 0, "", is(running), fail(codeStillMember)},
	} {
		o, op := healthy(), membership.Join
		if c.way == leave {
			op = membership.Leave
			byAgent(o)
		}
		o.operation = op
		c.spoil(o)
		m := moment(op, c.stage, c.way == undo)
		m.In, m.Sends, m.Job = c.in, c.sends, c.job
		check(name, o.Decide(m), c.want)
	}
}

func snapshotIs(status string) func(*observation) {
	return func(o *observation) {
		o.disks.Snapshots = map[string]alibaba.Snapshot{"d-1": {ID: "s-1", Disk: "d-1", Status: status}}
	}
}

// What somebody else began before the run is seen through, and neither begun again nor taken back.
func TestWhatWasUnderWayBefore(t *testing.T) {
	o := healthy()
	is(alibaba.EDASConverting)(o)
	m := moment(membership.Join, stageImport, true)
	m.Member.Before = map[string]string{factMember: "u-1"}
	require.Equal(t, membership.DoNext, o.Decide(m).Verb)
	m.Undo, m.In = false, time.Hour
	require.Equal(t, codeMemberStuck, o.Decide(m).Code)
	delete(o.members, "i-1")
	o.offered["i-1"] = alibaba.EDASInstance{}
	require.Equal(t, codeReinstalled, o.Decide(m).Code, "without a measure nothing is imported")
	undo := moment(membership.Join, backup.StageName, true)
	undo.Member.Before = m.Member.Before
	require.Equal(t, membership.DoNext, o.Decide(undo).Verb)
}

func TestStagesOfOtherVersions(t *testing.T) {
	for _, op := range []membership.Operation{membership.Join, membership.Leave} {
		for _, undo := range []bool{false, true} {
			m := moment(op, stageVerify, undo)
			m.Stage = &membership.Stage{Name: "defragment"}
			o := healthy()
			o.operation = op
			require.Equal(t, membership.CodeEngine, o.Decide(m).Code)
		}
	}
}

// What has been destroyed is not given up by a timer: a person is asked before the engine gives up.
func TestPeopleAreAskedBeforeTheTimeout(t *testing.T) {
	for _, stages := range (Kind{}).Spec().Stages {
		for _, s := range stages {
			longest := patience
			if s.Name != stageVerify {
				longest = stuckAfter
			}
			require.Greater(t, s.Timeout.Std(), longest+s.Settle.Std(), s.Name)
			require.True(t, s.Risk != membership.Destructive || s.MaxSends <= 2, s.Name)
		}
	}
}

// Whatever is observed, nothing is imported, removed or replaced on doubt.
func TestNeverDestroysOnDoubt(t *testing.T) {
	spec := Kind{}.Spec()
	known := make(map[string]bool)
	for _, o := range append(spec.Failures, membership.EngineFailures()...) {
		known[o.Code] = true
	}
	rapid.Check(t, func(t *rapid.T) {
		pick := func(name string, of ...string) string { return rapid.SampledFrom(of).Draw(t, name) }
		yes := func(name string) bool { return rapid.Bool().Draw(t, name) }
		o := healthy()
		o.operation = rapid.SampledFrom([]membership.Operation{membership.Join, membership.Join, membership.Leave}).Draw(t, "operation")
		o.params.reimage, o.params.backup = yes("reimage") && o.operation == membership.Join, yes("backup")
		o.clusterMissing, o.password = yes("no cluster"), pick("password", "", "", "gone")
		change(func(i *alibaba.Instance) {
			i.Status = pick("status", "Running", "Running", "Stopped", "Stopped", "Starting", "Stopping", "Pending", "")
			i.Locks = rapid.SampledFrom([][]string{nil, nil, {"security"}, {"ReplaceSystemDisk"}}).Draw(t, "locks")
			i.Image = pick("image", "m-1", "m-1", "m-edas", "m-9", "")
			i.VPC = pick("vpc", "vpc-1", "vpc-1", "vpc-2", "")
		})(o)
		if yes("gone") {
			gone(o)
		}
		if yes("old disk gone") {
			otherDisk(o)
		}
		status := rapid.IntRange(-3, 3).Draw(t, "member status")
		listed := yes("listed")
		if listed {
			is(status)(o)
		}
		if offered := yes("offered"); !offered {
			notOffered(o)
		}
		snapshot := pick("snapshot", "", alibaba.SnapshotProgressing, alibaba.SnapshotAccomplished, alibaba.SnapshotFailed)
		image := alibaba.Image{ID: pick("backup image", "", "m-9"), Status: pick("backup image status", "Creating", "Available", "CreateFailed")}
		snapshotIs(snapshot)(o)
		o.disks.Images = map[string]alibaba.Image{"d-1": image}
		stage := rapid.SampledFrom(stagesOf(o.operation, o.params)).Draw(t, "stage")
		m := moment(o.operation, stage.Name, stage.Undo != "" && yes("undo"))
		m.Member.Before = maps.Clone(before)
		if yes("no measure") {
			delete(m.Member.Before, backup.FactSystemDisk)
		}
		m.In, m.Sends = time.Duration(rapid.IntRange(0, 120).Draw(t, "in"))*time.Minute, rapid.IntRange(0, 3).Draw(t, "sends")
		m.Job = pick("job", "", "", accepted)
		if !o.params.reimage {
			o.disks = nil
		}
		d := o.Decide(m)
		now, exists := o.instances["i-1"]
		rest := exists && len(now.Locks) == 0
		asBefore := m.Member.Before[backup.FactSystemDisk] != "" && now.Image == "m-1" && (o.disks == nil || o.disks.Disks["d-1"].ID != "")
		_, offered := o.offered["i-1"]
		switch {
		case d.Code != "" && !known[d.Code]:
			t.Fatalf("%q is not a documented code", d.Code)
		case d.Verb != membership.DoAct:
			return
		case spec.Actions[d.Action].Call == "":
			t.Fatalf("%q is not an action", d.Action)
		}
		switch d.Action {
		case actImport:
			if m.Undo || stage.Name != stageImport || !o.params.reimage || listed || !asBefore || !rest || now.Status != "Running" ||
				now.VPC != "vpc-1" || !offered || m.Job != "" || o.password != "" || o.clusterMissing || m.Sends > 0 && m.In < patience {
				t.Fatalf("an import: %+v", o)
			}
		case actInstall:
			if m.Undo || stage.Name != stageInstall || listed || now.Status != "Running" || !rest || o.clusterMissing {
				t.Fatalf("an installation of the agent: %+v", o)
			}
		case actRemove:
			if !listed || !slices.Contains([]int{1, -1, -2}, status) || !m.Undo && o.operation != membership.Leave {
				t.Fatalf("a removal: %+v", o)
			}
		case backup.ActReplace:
			if !m.Undo || asBefore || !rest || now.Status != "Stopped" || snapshot != alibaba.SnapshotAccomplished || image.ID == "" ||
				image.Status != "Available" || now.Image == image.ID || o.disks.Disks["d-1"].ID != "" {
				t.Fatalf("a replacement: %+v", o)
			}
		case backup.ActStop:
			if !m.Undo || asBefore || now.Status != "Running" || image.Status != "Available" {
				t.Fatalf("a stop: %+v", o)
			}
		case backup.ActStart:
			if !m.Undo || now.Status != "Stopped" || busy(now) {
				t.Fatalf("a start: %+v", o)
			}
		case backup.ActSnapshot:
			if m.Undo || !asBefore || listed || !rest {
				t.Fatalf("a snapshot: %+v", o)
			}
		}
	})
}
