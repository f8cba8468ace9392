package alibabaedas

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba/backup"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const clusterID = "b3e3f77b-462e-4f5a-9d0e-bec8727a4dc8"

// Requests by either route.
var (
	installing = membership.Params{}
	importing  = membership.Params{"route": "reimage", "backup": true, "passwordFrom": map[string]any{"env": "FLEETJOIN_PASSWORD_EDAS"}}
)

// healthy is a world in which instance "i-1" can join by import.
func healthy() *observation {
	return &observation{operation: membership.Join, params: params{reimage: true, backup: true},
		cluster:   alibaba.EDASCluster{ID: clusterID, VPC: "vpc-1", Region: "cn-hangzhou", Type: alibaba.EDASOfECS, NetworkMode: alibaba.EDASInVPC},
		members:   map[string]alibaba.EDASMember{},
		instances: map[string]alibaba.Instance{"i-1": {ID: "i-1", Name: "web-1", Status: "Running", Region: "cn-hangzhou", VPC: "vpc-1", OSType: "linux", Image: "m-1", KeyPair: "ops"}},
		offered:   map[string]alibaba.EDASInstance{"i-1": {ID: "i-1", Status: "Running"}},
		disks: &backup.Evidence{
			Attached: map[string][]alibaba.Disk{"i-1": {system(), {ID: "d-2", Instance: "i-1", Type: alibaba.DataDisk, Category: "cloud_ssd", Status: "In_use"}}},
			Disks:    map[string]alibaba.Disk{"d-1": system()},
			Snapshots: map[string]alibaba.Snapshot{
				"d-1": {ID: "s-1", Disk: "d-1", Status: alibaba.SnapshotAccomplished},
				"d-2": {ID: "s-2", Disk: "d-2", Status: alibaba.SnapshotAccomplished}},
		},
	}
}

func system() alibaba.Disk {
	return alibaba.Disk{ID: "d-1", Instance: "i-1", Type: alibaba.SystemDisk, Category: "cloud_essd", Status: "In_use"}
}

// byAgent changes a world into one in which "i-1" can join by installing the agent.
func byAgent(o *observation) { o.params, o.disks = params{}, nil }

func request(params membership.Params) membership.Request {
	return membership.Request{Kind: ID, Account: "demo", Group: clusterID, Members: []string{"i-1"}, Params: params}
}

func codes(m membership.Member) (codes []string) {
	for _, o := range m.Refused {
		codes = append(codes, o.Code)
	}
	return codes
}

// change alters the one instance of a world.
func change(f func(*alibaba.Instance)) func(*observation) {
	return func(o *observation) {
		i := o.instances["i-1"]
		f(&i)
		o.instances["i-1"] = i
	}
}

// is makes "i-1" a member in a status.
func is(status int) func(*observation) {
	return func(o *observation) {
		o.members["i-1"] = alibaba.EDASMember{ID: "u-1", Instance: "i-1", Status: status}
		delete(o.offered, "i-1")
	}
}

func all(fs ...func(*observation)) func(*observation) {
	return func(o *observation) {
		for _, f := range fs {
			f(o)
		}
	}
}

// refusals are all objections, also many at once.
func refusals(check kindtest.Refused) {
	disk := func(f func(*alibaba.Disk)) func(*observation) {
		return func(o *observation) { f(&o.disks.Attached["i-1"][1]) }
	}
	for name, c := range map[string]struct {
		spoil func(*observation)
		want  []string
	}{
		"nothing":                    {func(*observation) {}, nil},
		"nothing, by agent":          {byAgent, nil},
		"not seen by EDAS yet":       {func(o *observation) { o.offered = nil }, nil},
		"no cluster":                 {func(o *observation) { o.clusterMissing = true }, []string{codeClusterMissing}},
		"a cluster of containers":    {func(o *observation) { o.cluster.Type = 5 }, []string{codeClusterType}},
		"a cluster elsewhere":        {func(o *observation) { o.cluster.Region = "cn-beijing" }, []string{codeClusterRegion}},
		"a namespace of the region":  {func(o *observation) { o.cluster.Region = "cn-hangzhou:test" }, nil},
		"no instance":                {func(o *observation) { o.instances = nil }, []string{codeInstanceMissing}},
		"stopped":                    {change(func(i *alibaba.Instance) { i.Status = "Stopped" }), []string{codeInstanceStatus}},
		"starting":                   {change(func(i *alibaba.Instance) { i.Status = "Starting" }), []string{codeInstanceBusy}},
		"being installed":            {change(func(i *alibaba.Instance) { i.Locks = []string{"ReplaceSystemDisk"} }), []string{codeInstanceBusy}},
		"locked":                     {change(func(i *alibaba.Instance) { i.Locks = []string{"security"} }), []string{codeInstanceLocked}},
		"locked, and busy":           {change(func(i *alibaba.Instance) { i.Locks = []string{"x", "financial"} }), []string{codeInstanceBusy, codeInstanceLocked}},
		"expired":                    {func(o *observation) { o.offered["i-1"] = alibaba.EDASInstance{Expired: true} }, []string{codeExpired}},
		"Windows":                    {change(func(i *alibaba.Instance) { i.OSType = "windows" }), []string{codeOSType}},
		"a system that nobody tells": {change(func(i *alibaba.Instance) { i.OSType = "" }), []string{codeOSType}},
		"in the classic network":     {change(func(i *alibaba.Instance) { i.VPC = "" }), []string{codeNetworkType}},
		"a classic cluster":          {func(o *observation) { o.cluster.NetworkMode = alibaba.EDASClassic }, []string{codeNetworkType}},
		"both classic": {all(func(o *observation) { o.cluster.NetworkMode = alibaba.EDASClassic },
			change(func(i *alibaba.Instance) { i.VPC = "" })), nil},
		"another VPC":               {change(func(i *alibaba.Instance) { i.VPC = "vpc-2" }), []string{codeVPC}},
		"no password":               {func(o *observation) { o.password = "there is none" }, []string{codePassword}},
		"in another cluster":        {func(o *observation) { o.elsewhere = map[string]string{"i-1": "c-2"} }, []string{codeOtherCluster}},
		"failed in this cluster":    {is(alibaba.EDASFailed), []string{codeMemberStatus}},
		"offline in this cluster":   {is(alibaba.EDASOffline), []string{codeMemberStatus}},
		"in a status nobody knows":  {is(7), []string{codeMemberStatus}},
		"coming into this cluster":  {all(is(alibaba.EDASConverting), change(func(i *alibaba.Instance) { i.Locks = []string{"x"} })), nil},
		"no system disk":            {func(o *observation) { o.disks.Attached = nil }, []string{backup.CodeSystemDisk}},
		"a local disk":              {disk(func(d *alibaba.Disk) { d.Category = "local_ssd_pro" }), []string{backup.CodeDiskLocal}},
		"a disk that is on its way": {disk(func(d *alibaba.Disk) { d.Status = "Attaching" }), []string{backup.CodeDiskStatus}},
		"a local disk, but no backup": {all(disk(func(d *alibaba.Disk) { d.Category = "local_ssd_pro" }),
			func(o *observation) { o.params.backup = false }), nil},
		"everything, as far as it goes together": {func(o *observation) {
			o.cluster = alibaba.EDASCluster{Type: 5, Region: "cn-beijing", NetworkMode: alibaba.EDASInVPC, VPC: "vpc-2"}
			o.password, o.elsewhere = "there is none", map[string]string{"i-1": "c-2"}
			o.offered["i-1"] = alibaba.EDASInstance{Expired: true}
			o.disks.Attached["i-1"] = []alibaba.Disk{{ID: "d-1", Type: alibaba.DataDisk, Category: "ephemeral_ssd", Status: "Detaching"}}
			change(func(i *alibaba.Instance) { i.Status, i.OSType, i.Locks = "Stopped", "windows", []string{"security"} })(o)
		}, []string{codeClusterType, codePassword, codeInstanceStatus, codeInstanceLocked, codeExpired, codeOSType, codeOtherCluster,
			codeClusterRegion, codeVPC, backup.CodeDiskLocal, backup.CodeDiskStatus, backup.CodeSystemDisk}},
	} {
		o := healthy()
		c.spoil(o)
		m := o.Compile(request(importing), membership.Join).Members[0]
		check(name, m, c.want)
	}
}

func TestTables(t *testing.T) { kindtest.RunTables(t, Kind{}, refusals, decisions) }

func TestCompileRemembersHowThingsWere(t *testing.T) {
	o := healthy()
	p := o.Compile(request(importing), membership.Join)
	require.Equal(t, membership.Member{ID: "i-1", Name: "web-1", Before: map[string]string{backup.FactPower: backup.On,
		backup.FactImage: "m-1", backup.FactSystemDisk: "d-1", backup.FactDataDisks: "d-2", backup.FactKeyPair: "ops"}}, p.Members[0])
	is(alibaba.EDASConverting)(o)
	require.Equal(t, map[string]string{factMember: "u-1"}, o.Compile(request(importing), membership.Join).Members[0].Before,
		"a system that is being installed is no measure")
	is(alibaba.EDASRunning)(o)
	require.True(t, o.Compile(request(importing), membership.Join).Members[0].Already)
}

// What a program does, and whether people are asked, goes by the route.
func TestRoutes(t *testing.T) {
	for name, c := range map[string]struct {
		params      membership.Params
		destructive bool
		stages      []string
	}{
		"agent":  {installing, false, []string{stageCheck, stageInstall, stageVerify}},
		"import": {membership.Params{"route": "reimage", "passwordFrom": importing["passwordFrom"]}, true, []string{stageCheck, stageImport, stageVerify}},
		"import, backup": {importing, true,
			[]string{stageCheck, backup.StageName, stageImport, stageVerify}},
	} {
		t.Run(name, func(t *testing.T) {
			o := healthy()
			var problems []membership.Problem
			o.params, problems = read(membership.Target{Params: c.params})
			require.Empty(t, problems)
			p := o.Compile(request(c.params), membership.Join)
			require.Equal(t, c.destructive, p.Destructive)
			var stages []string
			for _, s := range p.Stages {
				stages = append(stages, s.Name)
			}
			require.Equal(t, c.stages, stages)
			require.False(t, o.Compile(request(c.params), membership.Leave).Destructive)
		})
	}
	var union []string
	for _, s := range (Kind{}).Spec().Stages[membership.Join] {
		union = append(union, s.Name)
	}
	require.Equal(t, []string{stageCheck, backup.StageName, stageInstall, stageImport, stageVerify}, union)
}

func TestWarnings(t *testing.T) {
	warnings := func(o *observation, op membership.Operation) string {
		return strings.Join(o.Compile(request(nil), op).Warnings, "\n")
	}
	o := healthy()
	require.Contains(t, warnings(o, membership.Join), "installed ANEW")
	require.Contains(t, warnings(o, membership.Join), "cost money")
	require.NotContains(t, warnings(o, membership.Join), "SynchronizeResource")
	o.offered = nil
	require.Contains(t, warnings(o, membership.Join), "does not offer 1 of the instances")
	o.params.backup = false
	require.Contains(t, warnings(o, membership.Join), "there is no backup")
	byAgent(o)
	require.Contains(t, warnings(o, membership.Join), "proposed since it keeps the systems")
	require.Contains(t, warnings(o, membership.Leave), "keep the systems that they have now")
}

func TestCompileToLeave(t *testing.T) {
	for name, c := range map[string]struct {
		spoil   func(*observation)
		already bool
		want    []string
	}{
		"a member":         {is(alibaba.EDASRunning), false, nil},
		"a failed one":     {is(alibaba.EDASFailed), false, nil},
		"an offline one":   {is(alibaba.EDASOffline), false, nil},
		"one without host": {all(is(alibaba.EDASOffline), func(o *observation) { o.instances = nil }), false, nil},
		"one on its way":   {is(alibaba.EDASConverting), false, []string{codeMemberStatus}},
		"none":             {func(*observation) {}, true, nil},
		"no cluster":       {func(o *observation) { o.clusterMissing = true }, false, []string{codeClusterMissing}},
	} {
		t.Run(name, func(t *testing.T) {
			o := healthy()
			c.spoil(o)
			m := o.Compile(request(installing), membership.Leave).Members[0]
			require.Equal(t, c.already, m.Already)
			require.Equal(t, c.want, codes(m))
		})
	}
}

func TestValidate(t *testing.T) {
	for _, params := range []membership.Params{nil, installing, importing, {"route": "install-agent", "backup": false},
		{"route": "reimage", "passwordFrom": map[string]any{"file": "edas.txt"}}} {
		require.Empty(t, membership.Validate(Kind{}, request(params)))
	}
	const secret = "Correct-Horse-7"
	reimage := func(from any) membership.Params {
		return membership.Params{"route": "reimage", "passwordFrom": from}
	}
	for name, c := range map[string]struct {
		change func(*membership.Request)
		want   string
	}{
		"an id of the other cloud": {func(r *membership.Request) { r.Members = []string{clusterID} }, `members[0]: "` + clusterID + `": want the id of an instance`},
		"a cluster's name":         {func(r *membership.Request) { r.Group = "shop" }, `group: "shop": want the id of a cluster of EDAS`},
		"a route that is none":     {func(r *membership.Request) { r.Params = membership.Params{"route": "magic"} }, `params.route: "magic": want install-agent or reimage`},
		"a backup of nothing":      {func(r *membership.Request) { r.Params = membership.Params{"backup": true} }, "params.backup: is only for route reimage"},
		"no boolean":               {func(r *membership.Request) { r.Params = membership.Params{"backup": "yes"} }, `params.backup: "yes": want true or false`},
		"no password":              {func(r *membership.Request) { r.Params = membership.Params{"route": "reimage"} }, "params.passwordFrom: is missing"},
		"a password for nothing":   {func(r *membership.Request) { r.Params = membership.Params{"passwordFrom": importing["passwordFrom"]} }, "params.passwordFrom: is only for route reimage"},
		"an inline password":       {func(r *membership.Request) { r.Params = membership.Params{"password": secret} }, "params.password: an inline password is refused"},
		"a password as its source": {func(r *membership.Request) { r.Params = reimage(secret) }, "params.passwordFrom: names no password"},
		"a password as a variable": {func(r *membership.Request) { r.Params = reimage(map[string]any{"env": secret}) }, "params.passwordFrom: names no password"},
		"another of our secrets":   {func(r *membership.Request) { r.Params = reimage(map[string]any{"env": "ALIBABA_SECRET_KEY"}) }, "params.passwordFrom: names no password"},
		"a file somewhere":         {func(r *membership.Request) { r.Params = reimage(map[string]any{"file": "../" + secret}) }, "params.passwordFrom: names no password"},
		"two sources": {func(r *membership.Request) {
			r.Params = reimage(map[string]any{"env": "FLEETJOIN_PASSWORD_A", "file": "a"})
		}, "params.passwordFrom: names no password"},
		"a source with a password":  {func(r *membership.Request) { r.Params = reimage(map[string]any{"password": secret}) }, "params.passwordFrom: names no password"},
		"a variable that is number": {func(r *membership.Request) { r.Params = reimage(map[string]any{"env": 7.0}) }, "params.passwordFrom: names no password"},
		"an unknown parameter":      {func(r *membership.Request) { r.Params = membership.Params{"force": true} }, "params.force: is not a parameter"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := request(nil)
			c.change(&bad)
			err := membership.Bad(membership.Validate(Kind{}, bad))
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), secret)
		})
	}
	_, err := Kind{}.Open(t.Context(), membership.Target{Params: membership.Params{"route": "reimage"}})
	require.ErrorContains(t, err, "params.passwordFrom")
}

func TestParameters(t *testing.T) {
	p, problems := read(membership.Target{Params: importing})
	require.Empty(t, problems)
	require.Equal(t, params{reimage: true, backup: true, password: account.Source{Env: "FLEETJOIN_PASSWORD_EDAS"}}, p)
	p, problems = read(membership.Target{Params: membership.Params{"route": "reimage", "passwordFrom": map[string]any{"file": "edas.txt"}}})
	require.Empty(t, problems)
	require.Equal(t, account.Source{File: "edas.txt"}, p.password)
}

func TestAnActionThatIsNone(t *testing.T) {
	_, err := (&session{}).Do(t.Context(), "defragment", []*membership.Member{{ID: "i-1"}})
	require.ErrorContains(t, err, "rejected: alibaba.edas has no such action")
}
