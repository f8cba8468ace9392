package alibabanodepool

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba/backup"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// healthy is a world in which instance "i-1" can join pool "np1" of cluster "c1".
func healthy() *observation {
	system := alibaba.Disk{ID: "d-1", Instance: "i-1", Type: alibaba.SystemDisk, Category: "cloud_essd", Status: "In_use"}
	return &observation{operation: membership.Join, params: params{cluster: "c1", drain: true}, poolID: "np1",
		cluster: alibaba.ContainerCluster{ID: "c1", State: stateRunning, VPC: "vpc-1", Region: "cn-hangzhou"},
		pool:    alibaba.NodePool{ID: "np1", State: stateActive},
		nodes:   map[string]alibaba.Node{}, tasks: map[string]alibaba.Task{},
		instances: map[string]alibaba.Instance{"i-1": {ID: "i-1", Name: "web-1", Status: backup.Running, Region: "cn-hangzhou",
			VPC: "vpc-1", OSType: linux, Image: "m-1", KeyPair: "ops"}},
		disks: &backup.Evidence{
			Attached: map[string][]alibaba.Disk{"i-1": {system, {ID: "d-2", Instance: "i-1", Type: alibaba.DataDisk,
				Category: "cloud_essd", Status: "In_use"}}},
			Disks: map[string]alibaba.Disk{"d-1": system}},
	}
}

func request(members ...string) membership.Request {
	return membership.Request{Kind: ID, Account: "demo", Group: "np1", Members: members, Params: membership.Params{"cluster": "c1"}}
}

func codes(m membership.Member) (codes []string) {
	for _, o := range m.Refused {
		codes = append(codes, o.Code)
	}
	return codes
}

// change alters the one instance of a world.
func change(o *observation, f func(*alibaba.Instance)) {
	i := o.instances["i-1"]
	f(&i)
	o.instances["i-1"] = i
}

// is makes instance "i-1" a node of a pool.
func is(o *observation, pool, state, status string) {
	o.nodes["i-1"] = alibaba.Node{Instance: "i-1", Name: "n", Pool: pool, State: state, Status: status}
}

// refusals are all objections, also many at once.
func refusals(check kindtest.Refused) {
	instance := func(f func(*alibaba.Instance)) func(*observation) { return func(o *observation) { change(o, f) } }
	node := func(pool, state string) func(*observation) {
		return func(o *observation) { is(o, pool, state, alibaba.NodeReady) }
	}
	disk := func(f func(*alibaba.Disk)) func(*observation) {
		return func(o *observation) { o.params.backup = true; f(&o.disks.Attached["i-1"][1]) }
	}
	for name, c := range map[string]struct {
		spoil func(*observation)
		want  []string
	}{
		"nothing":              {func(*observation) {}, nil},
		"no cluster":           {func(o *observation) { o.clusterMissing, o.poolMissing = true, true }, []string{codeClusterMissing}},
		"a cluster that grows": {func(o *observation) { o.cluster.State = "scaling" }, nil},
		"a broken cluster":     {func(o *observation) { o.cluster.State = "failed" }, []string{codeClusterState}},
		"no pool":              {func(o *observation) { o.poolMissing = true }, []string{codePoolMissing}},
		"a pool that grows":    {func(o *observation) { o.pool.State = "scaling" }, nil},
		"a pool that goes":     {func(o *observation) { o.pool.State = "deleting" }, []string{codePoolState}},
		"no password":          {func(o *observation) { o.password = errors.New("no such file") }, []string{codePassword}},
		"no instance":          {func(o *observation) { delete(o.instances, "i-1") }, []string{codeInstanceMissing}},
		"stopped":              {instance(func(i *alibaba.Instance) { i.Status = backup.Stopped }), []string{codeInstanceStatus}},
		"starting":             {instance(func(i *alibaba.Instance) { i.Status = "Starting" }), []string{codeInstanceBusy}},
		"being installed":      {instance(func(i *alibaba.Instance) { i.Locks = []string{"ReplaceSystemDisk"} }), []string{codeInstanceBusy}},
		"locked":               {instance(func(i *alibaba.Instance) { i.Locks = []string{"security"} }), []string{codeInstanceLocked}},
		"taken back":           {instance(func(i *alibaba.Instance) { i.Locks = []string{"Recycling"} }), []string{codeInstanceLocked}},
		"in another pool":      {node("np2", alibaba.NodeRunning), []string{codeNodeElsewhere}},
		"leaving another pool": {node("np2", alibaba.NodeRemoving), []string{codeNodeElsewhere}},
		"in no pool":           {node("", alibaba.NodeRunning), []string{codeNodeElsewhere}},
		"in another cluster":   {func(o *observation) { o.elsewhere = map[string]string{"i-1": "c2"} }, []string{codeNodeElsewhere}},
		"broken in this pool":  {node("np1", alibaba.NodeFailed), []string{codeNodeState}},
		"leaving this pool":    {node("np1", alibaba.NodeRemoving), []string{codeNodeState}},
		"coming into the pool": {func(o *observation) {
			is(o, "np1", alibaba.NodeInitial, "")
			change(o, func(i *alibaba.Instance) { i.Status = backup.Stopped; i.Locks = []string{"ReplaceSystemDisk"} })
		}, nil},
		"another region":                    {instance(func(i *alibaba.Instance) { i.Region = "cn-beijing" }), []string{codeRegion}},
		"another VPC":                       {instance(func(i *alibaba.Instance) { i.VPC = "vpc-2" }), []string{codeVPC}},
		"no VPC":                            {instance(func(i *alibaba.Instance) { i.VPC = "" }), []string{codeVPC}},
		"neither tells its VPC":             {func(o *observation) { o.cluster.VPC = ""; change(o, func(i *alibaba.Instance) { i.VPC = "" }) }, []string{codeVPC}},
		"Windows":                           {instance(func(i *alibaba.Instance) { i.OSType = "windows" }), []string{codeNotLinux}},
		"no system disk":                    {func(o *observation) { o.disks.Attached = nil }, []string{backup.CodeSystemDisk}},
		"a disk on the host":                {disk(func(d *alibaba.Disk) { d.Category = "local_ssd_pro" }), []string{backup.CodeDiskLocal}},
		"a disk on its way":                 {disk(func(d *alibaba.Disk) { d.Status = "Attaching" }), []string{backup.CodeDiskStatus}},
		"a disk on the host, and no backup": {func(o *observation) { o.disks.Attached["i-1"][1].Category = "local_ssd_pro" }, nil},
		"everything, as far as it goes together": {func(o *observation) {
			o.cluster.State, o.pool.State, o.password = "failed", "deleting", errors.New("too short")
			is(o, "np2", alibaba.NodeRunning, alibaba.NodeReady)
			o.elsewhere, o.disks.Attached = map[string]string{"i-1": "c2"}, nil
			o.instances["i-1"] = alibaba.Instance{ID: "i-1", Status: backup.Stopped, Locks: []string{"x", "financial"}}
		}, []string{codeClusterState, codePoolState, codePassword, codeInstanceBusy, codeInstanceStatus, codeInstanceLocked,
			codeNodeElsewhere, codeNotLinux, codeRegion, codeVPC, codeNodeElsewhere, backup.CodeSystemDisk}},
	} {
		o := healthy()
		c.spoil(o)
		p := o.Compile(request("i-1"), membership.Join)
		check(name, p.Members[0], c.want)
	}
}

func TestTables(t *testing.T) { kindtest.RunTables(t, Kind{}, refusals, decisions) }

func TestWhoIsANodeAlready(t *testing.T) {
	for _, status := range []string{alibaba.NodeReady, "NotReady", "Unknown"} {
		o := healthy()
		is(o, "np1", alibaba.NodeRunning, status)
		require.True(t, o.Compile(request("i-1"), membership.Join).Members[0].Already, status)
	}
}

func TestCompileRemembersHowThingsWere(t *testing.T) {
	o := healthy()
	p := o.Compile(request("i-1"), membership.Join)
	require.Equal(t, membership.Member{ID: "i-1", Name: "web-1", Before: map[string]string{backup.FactPower: backup.On,
		backup.FactImage: "m-1", backup.FactSystemDisk: "d-1", backup.FactDataDisks: "d-2", backup.FactKeyPair: "ops"}}, p.Members[0])
	require.True(t, p.Destructive, "so that it has a gate")
	is(o, "np1", alibaba.NodeInitial, "")
	before := o.Compile(request("i-1"), membership.Join).Members[0].Before
	require.Equal(t, alibaba.NodeInitial, before[factNode])
	require.NotContains(t, before, backup.FactSystemDisk, "a system that is being installed is no measure")
}

// A run takes the stages that its parameters ask for; the description has all there are.
func TestStages(t *testing.T) {
	names := func(stages []membership.Stage) (names []string) {
		for _, s := range stages {
			names = append(names, s.Name)
		}
		return names
	}
	o := healthy()
	require.Equal(t, []string{stageCheck, stageAttach, stageVerify}, names(o.Compile(request("i-1"), membership.Join).Stages))
	o.params.backup = true
	require.Equal(t, []string{stageCheck, stageSnapshot, stageAttach, stageVerify},
		names(o.Compile(request("i-1"), membership.Join).Stages))
	require.Equal(t, []string{stageRemove, stageVerify}, names(o.Compile(request("i-1"), membership.Leave).Stages))
	require.Equal(t, o.Compile(request("i-1"), membership.Join).Stages, (Kind{}).Spec().Stages[membership.Join])
}

func TestWarnings(t *testing.T) {
	o := healthy()
	warnings := func(op membership.Operation) string {
		return strings.Join(o.Compile(request("i-1"), op).Warnings, "\n")
	}
	require.Contains(t, warnings(membership.Join), "data disks stay as they are")
	require.Contains(t, warnings(membership.Join), "as the pool says")
	require.Contains(t, warnings(membership.Join), "there is no backup")
	require.NotContains(t, warnings(membership.Join), "scales by itself")
	size := 3
	o.pool.Autoscaling, o.pool.Desired, o.params.formatDisk, o.params.backup = true, &size, true, true
	for _, word := range []string{"last data disk", "RELEASE", "at a size, which is 3", "cost money"} {
		require.Contains(t, warnings(membership.Join), word)
	}
	require.Contains(t, warnings(membership.Leave), "the instances stay")
	require.NotContains(t, warnings(membership.Leave), "drain")
	o.params.drain = false
	require.Contains(t, warnings(membership.Leave), "drain is false")
}

func TestCompileToLeave(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*observation)
		want  []string
	}{
		"a node":            {func(*observation) {}, nil},
		"a broken one":      {func(o *observation) { is(o, "np1", alibaba.NodeFailed, "") }, nil},
		"one on its way":    {func(o *observation) { is(o, "np1", alibaba.NodeRemoving, "") }, nil},
		"one half-way":      {func(o *observation) { is(o, "np1", alibaba.NodeInitial, "") }, []string{codeNodeState}},
		"no cluster":        {func(o *observation) { o.clusterMissing, o.poolMissing = true, true }, []string{codeClusterMissing}},
		"no pool":           {func(o *observation) { o.poolMissing = true }, []string{codePoolMissing}},
		"a stopped cluster": {func(o *observation) { o.cluster.State = "stopped" }, []string{codeClusterState}},
		"a pool that goes":  {func(o *observation) { o.pool.State = "deleting" }, []string{codePoolState}},
		"a pool that grows": {func(o *observation) { o.pool.State = "scaling" }, nil},
		"no instance":       {func(o *observation) { delete(o.instances, "i-1") }, []string{codeInstanceMissing}},
		"stopped":           {func(o *observation) { change(o, func(i *alibaba.Instance) { i.Status = backup.Stopped }) }, nil},
		"locked": {func(o *observation) { change(o, func(i *alibaba.Instance) { i.Locks = []string{"security"} }) },
			[]string{codeInstanceLocked}},
	} {
		t.Run(name, func(t *testing.T) {
			o := healthy()
			o.operation = membership.Leave
			is(o, "np1", alibaba.NodeRunning, alibaba.NodeReady)
			c.spoil(o)
			p := o.Compile(request("i-1"), membership.Leave)
			require.False(t, p.Members[0].Already)
			require.Equal(t, c.want, codes(p.Members[0]))
			require.True(t, p.Destructive)
		})
	}
	o := healthy()
	require.True(t, o.Compile(request("i-1"), membership.Leave).Members[0].Already)
	is(o, "np2", alibaba.NodeRunning, alibaba.NodeReady)
	require.True(t, o.Compile(request("i-1"), membership.Leave).Members[0].Already, "another pool's node is not ours to remove")
}

func TestValidate(t *testing.T) {
	r := membership.Request{Kind: ID, Account: "demo", Group: "np1", Members: []string{"i-1"},
		Params: membership.Params{"cluster": "c1", "formatDisk": true, "drain": false, "backup": true,
			"passwordFrom": map[string]any{"env": "FLEETJOIN_PASSWORD_NODES"}}}
	require.Empty(t, membership.Validate(Kind{}, r))
	with := func(name string, value any) func(*membership.Request) {
		return func(r *membership.Request) { r.Params = membership.Params{"cluster": "c1", name: value} }
	}
	const huawei = "c2c9d0a0-c4a7-457b-bab2-e2c696e0e401"
	for name, c := range map[string]struct {
		change func(*membership.Request)
		want   string
	}{
		"an id of the other cloud":     {func(r *membership.Request) { r.Members = []string{huawei} }, "members[0]: \"" + huawei + "\": is an id of Huawei Cloud"},
		"no instance":                  {func(r *membership.Request) { r.Members = []string{"eni-1"} }, `members[0]: "eni-1": want the id of an instance`},
		"a pool that is none":          {func(r *membership.Request) { r.Group = "workers" }, `group: "workers": want the id of a node pool`},
		"no cluster":                   {func(r *membership.Request) { r.Params = nil }, "params.cluster: is missing"},
		"a cluster's name":             {with("cluster", "prod"), `params.cluster: "prod": want the id of the cluster`},
		"another cloud's cluster":      {with("cluster", huawei), "params.cluster: \"" + huawei + "\""},
		"a number":                     {with("cluster", 12.0), `params.cluster: "12"`},
		"no boolean":                   {with("backup", "yes"), `params.backup: "yes": want true or false`},
		"no boolean either":            {with("drain", 1.0), `params.drain: "1": want true or false`},
		"nor this":                     {with("formatDisk", nil), `params.formatDisk: "<nil>": want true or false`},
		"a password":                   {with("password", "Secret-12"), "params.password: is not a parameter"},
		"a password for a reference":   {with("passwordFrom", "Secret-12"), "params.passwordFrom: names no password"},
		"a password for a name":        {with("passwordFrom", map[string]any{"env": "Secret-12"}), "params.passwordFrom: names no password"},
		"another secret of the worker": {with("passwordFrom", map[string]any{"env": "AWS_Secret-12"}), "params.passwordFrom: names no password"},
		"a file somewhere":             {with("passwordFrom", map[string]any{"file": "../Secret-12"}), "params.passwordFrom: names no password"},
		"both":                         {with("passwordFrom", map[string]any{"file": "a", "env": "FLEETJOIN_PASSWORD_A"}), "params.passwordFrom: names no password"},
		"neither":                      {with("passwordFrom", map[string]any{}), "params.passwordFrom: names no password"},
		"a name that is none":          {with("passwordFrom", map[string]any{"env": 12.0}), "params.passwordFrom: names no password"},
		"an unknown parameter":         {with("force", true), "params.force: is not a parameter"},
		"too many":                     {func(r *membership.Request) { r.Members = make([]string, 201) }, "201 ids"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := r
			c.change(&bad)
			problems := membership.Validate(Kind{}, bad)
			require.ErrorContains(t, membership.Bad(problems), c.want)
			require.False(t, slices.ContainsFunc(problems, func(p membership.Problem) bool {
				return strings.Contains(p.String(), "Secret-12")
			}), "a password is repeated: %v", problems)
		})
	}
	_, err := Kind{}.Open(t.Context(), membership.Target{})
	require.ErrorContains(t, err, "params.cluster")
}

func TestParams(t *testing.T) {
	p, problems := read(membership.Target{Params: membership.Params{"cluster": "c1", "passwordFrom": map[string]any{"file": "nodes"}}})
	require.Empty(t, problems)
	require.True(t, p.drain, "unless somebody says otherwise")
	require.Equal(t, "nodes", p.password.File)
}
