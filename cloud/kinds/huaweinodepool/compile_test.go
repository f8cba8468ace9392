package huaweinodepool

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const clusterID = "34dac9a0-c4a7-457b-bab2-e2c696e0e401"

// healthy is a world in which server "s" can join pool "p".
func healthy() *observation {
	return &observation{operation: membership.Join, params: params{cluster: clusterID}, poolID: "p",
		cluster: huawei.Cluster{ID: clusterID, Phase: available, Flavor: "cce.s2.small", VPC: "vpc", Subnet: "net"},
		pool:    huawei.NodePool{ID: "p", FlavorID: "c7", Zone: "az1", BillingMode: "0", Group: "g"},
		nodes:   map[string]huawei.Node{}, jobs: map[string]huawei.ClusterJob{},
		servers: map[string]huawei.Server{"s": {ID: "s", Name: "node-1", Status: statusActive, FlavorID: "c7", VCPUs: 2, RAMMiB: 4096,
			Zone: "az1", VPC: "vpc", Subnet: "net", NICs: 1, Billing: "0", Groups: []string{"g"}, Image: "i1", SystemDisk: "d1"}},
	}
}

func request(members ...string) membership.Request {
	return membership.Request{Kind: ID, Account: "demo", Group: "p", Members: members, Params: membership.Params{"cluster": clusterID}}
}

func codes(m membership.Member) (codes []string) {
	for _, o := range m.Refused {
		codes = append(codes, o.Code)
	}
	return codes
}

// change alters the one server of a world.
func change(o *observation, f func(*huawei.Server)) {
	s := o.servers["s"]
	f(&s)
	o.servers["s"] = s
}

// is makes server "s" a node of pool "p" in a phase.
func is(o *observation, phase string) {
	o.nodes["s"] = huawei.Node{ID: "n", ServerID: "s", Pool: "p", Phase: phase}
}

// refusals are all objections, also many at once.
func refusals(check kindtest.Refused) {
	server := func(f func(*huawei.Server)) func(*observation) { return func(o *observation) { change(o, f) } }
	for name, c := range map[string]struct {
		spoil func(*observation)
		want  []string
	}{
		"nothing":             {func(*observation) {}, nil},
		"no cluster":          {func(o *observation) { o.clusterMissing, o.poolMissing = true, true }, []string{codeClusterMissing}},
		"a sleeping cluster":  {func(o *observation) { o.cluster.Phase = "Hibernation" }, []string{codeClusterStatus}},
		"no pool":             {func(o *observation) { o.poolMissing = true }, []string{codePoolMissing}},
		"a pool that goes":    {func(o *observation) { o.pool.Phase = "Deleting" }, []string{codePoolStatus}},
		"a pool that is busy": {func(o *observation) { o.pool.Phase = "Synchronizing" }, nil},
		"no server":           {func(o *observation) { delete(o.servers, "s") }, []string{codeServerMissing}},
		"stopped":             {server(func(s *huawei.Server) { s.Status = "SHUTOFF" }), []string{codeServerStatus}},
		"busy":                {server(func(s *huawei.Server) { s.TaskState = "rebooting" }), []string{codeServerBusy}},
		"rebuilding":          {server(func(s *huawei.Server) { s.Status = statusRebuild }), []string{codeServerBusy}},
		"locked":              {server(func(s *huawei.Server) { s.Locked = true }), []string{codeServerLocked}},
		"in another pool":     {func(o *observation) { is(o, phaseActive); o.poolID = "other" }, []string{codeNodeElsewhere}},
		"in another cluster":  {func(o *observation) { o.elsewhere = map[string]string{"s": "c2"} }, []string{codeNodeElsewhere}},
		"broken in this pool": {func(o *observation) { is(o, phaseError) }, []string{codeNodeState}},
		"leaving this pool":   {func(o *observation) { is(o, phaseDeleting) }, []string{codeNodeState}},
		"coming into the pool": {func(o *observation) {
			is(o, phaseInstalling)
			change(o, func(s *huawei.Server) { s.Status = statusRebuild })
		}, nil},
		"made by a cluster": {server(func(s *huawei.Server) { s.Tags = []string{"a=b", dynamicTag + "=x"} }), []string{codeDynamicNode}},
		"made by a cluster, the other spelling": {server(func(s *huawei.Server) { s.Tags = []string{dynamicTag + ".x"} }),
			[]string{codeDynamicNode}},
		"a tag that only begins so":   {server(func(s *huawei.Server) { s.Tags = []string{dynamicTag + "s=x"} }), nil},
		"spot":                        {server(func(s *huawei.Server) { s.Billing = spotBilling }), []string{codeSpot}},
		"paid by the month":           {server(func(s *huawei.Server) { s.Billing = "1" }), []string{codeBilling}},
		"a pool without billing mode": {func(o *observation) { o.pool.BillingMode = "" }, nil},
		"another VPC":                 {server(func(s *huawei.Server) { s.VPC = "x" }), []string{codeVPC}},
		"another subnet":              {server(func(s *huawei.Server) { s.Subnet = "x" }), []string{codeSubnet}},
		"the pool's own subnet":       {func(o *observation) { o.pool.Subnet = "own" }, []string{codeSubnet}},
		"no subnet told":              {server(func(s *huawei.Server) { s.Subnet = "" }), []string{codeSubnetUnknown}},
		"no subnet told, assumed": {func(o *observation) {
			o.params.assumeSubnet = true
			change(o, func(s *huawei.Server) { s.Subnet = "" })
		}, nil},
		"another subnet, whatever is assumed": {func(o *observation) {
			o.params.assumeSubnet = true
			change(o, func(s *huawei.Server) { s.Subnet = "x" })
		}, []string{codeSubnet}},
		"another zone":       {server(func(s *huawei.Server) { s.Zone = "az2" }), []string{codeZone}},
		"any zone":           {func(o *observation) { o.pool.Zone = "random" }, nil},
		"another flavor":     {server(func(s *huawei.Server) { s.FlavorID = "c6" }), []string{codeFlavor}},
		"no group":           {server(func(s *huawei.Server) { s.Groups = nil }), []string{codeGroup}},
		"a pool of no group": {func(o *observation) { o.pool.Group = "" }, []string{codeGroup}},
		"neither has one": {func(o *observation) {
			o.pool.Group = ""
			change(o, func(s *huawei.Server) { s.Groups = nil })
		}, nil},
		"one CPU":        {server(func(s *huawei.Server) { s.VCPUs = 1 }), []string{codeTooSmall}},
		"3 GiB":          {server(func(s *huawei.Server) { s.RAMMiB = 3072 }), []string{codeTooSmall}},
		"two interfaces": {server(func(s *huawei.Server) { s.NICs = 2 }), []string{codeNICs}},
		"Xen":            {func(o *observation) { o.xen = map[string]bool{"c7": true} }, []string{codeNotKVM}},
		"everything, as far as it goes together": {func(o *observation) {
			o.cluster.Phase, o.pool.Phase = "Upgrading", "Deleting"
			is(o, phaseActive)
			o.poolID, o.elsewhere, o.xen = "other", map[string]string{"s": "c2"}, map[string]bool{"x": true}
			o.servers["s"] = huawei.Server{ID: "s", Status: "SHUTOFF", Locked: true, Billing: spotBilling, FlavorID: "x", VPC: "x",
				Subnet: "x", Zone: "x", Tags: []string{dynamicTag}}
		}, []string{codeClusterStatus, codePoolStatus, codeServerStatus, codeServerLocked, codeNodeElsewhere, codeNodeElsewhere,
			codeDynamicNode, codeSpot, codeTooSmall, codeNICs, codeNotKVM, codeVPC, codeSubnet, codeZone, codeFlavor, codeGroup}},
	} {
		o := healthy()
		c.spoil(o)
		p := o.Compile(request("s"), membership.Join)
		check(name, p.Members[0], c.want)
	}
}

func TestTables(t *testing.T) { kindtest.RunTables(t, Kind{}, refusals, decisions) }

func TestWhoIsOnTheWayTakesNoPlace(t *testing.T) {
	o := healthy()
	o.nodes["s"] = huawei.Node{ID: "n", ServerID: "s", Pool: "p", Phase: phaseInstalling}
	m := o.Compile(request("s"), membership.Join).Members[0]
	require.True(t, m.Due() && m.Placed, "%+v", m)
}

func TestCompileRemembersHowThingsWere(t *testing.T) {
	o := healthy()
	p := o.Compile(request("s"), membership.Join)
	require.Equal(t, membership.Member{ID: "s", Name: "node-1", Before: map[string]string{membership.FactPower: "on", factGroup: "g",
		factImage: "i1", factSystemDisk: "d1"}}, p.Members[0])
	require.Equal(t, (Kind{}).Spec().Stages[membership.Join], p.Stages)
	require.True(t, p.Destructive, "so that it has a gate")
	is(o, phaseInstalling)
	require.Equal(t, map[string]string{membership.FactPower: "on", factGroup: "g", factNode: "n"},
		o.Compile(request("s"), membership.Join).Members[0].Before, "a system that is being installed is no measure")
}

func TestWarnings(t *testing.T) {
	o := healthy()
	o.pool.Autoscaling = true
	warnings := strings.Join(o.Compile(request("s"), membership.Join).Warnings, "\n")
	require.Contains(t, warnings, "are wiped")
	require.Contains(t, warnings, "DELETES their servers")
	require.Contains(t, strings.Join(o.Compile(request("s"), membership.Leave).Warnings, "\n"), "wiped once more")
}

func TestCompileToLeave(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*observation)
		want  []string
	}{
		"a node":       {func(*observation) {}, nil},
		"a broken one": {func(o *observation) { is(o, phaseError) }, nil},
		"one on its way": {func(o *observation) {
			is(o, phaseDeleting)
			change(o, func(s *huawei.Server) { s.Status = statusRebuild })
		}, nil},
		"one half-way":      {func(o *observation) { is(o, phaseInstalling) }, []string{codeNodeState}},
		"no cluster":        {func(o *observation) { o.clusterMissing = true }, []string{codeClusterMissing}},
		"no pool":           {func(o *observation) { o.poolMissing = true }, []string{codePoolMissing}},
		"cluster is away":   {func(o *observation) { o.cluster.Phase = unavailable }, nil},
		"cluster is asleep": {func(o *observation) { o.cluster.Phase = "Hibernation" }, []string{codeClusterStatus}},
		"no server":         {func(o *observation) { delete(o.servers, "s") }, []string{codeServerMissing}},
		"stopped":           {func(o *observation) { change(o, func(s *huawei.Server) { s.Status = "SHUTOFF" }) }, []string{codeServerStatus}},
		"busy and locked": {func(o *observation) {
			change(o, func(s *huawei.Server) { s.TaskState, s.Locked = "rebooting", true })
		}, []string{codeServerBusy, codeServerLocked}},
	} {
		t.Run(name, func(t *testing.T) {
			o := healthy()
			o.operation = membership.Leave
			is(o, phaseActive)
			c.spoil(o)
			m := o.Compile(request("s"), membership.Leave).Members[0]
			require.False(t, m.Already)
			require.Equal(t, c.want, codes(m))
		})
	}
	o := healthy()
	o.operation = membership.Leave
	require.True(t, o.Compile(request("s"), membership.Leave).Members[0].Already)
	is(o, phaseActive)
	require.Equal(t, "d1", o.Compile(request("s"), membership.Leave).Members[0].Before[factSystemDisk])
}

func TestValidate(t *testing.T) {
	r := membership.Request{Kind: ID, Account: "demo", Group: clusterID, Members: []string{clusterID},
		Params: membership.Params{"cluster": clusterID}}
	require.Empty(t, membership.Validate(Kind{}, r))
	for name, c := range map[string]struct {
		change func(*membership.Request)
		want   string
	}{
		"an id of the other cloud": {func(r *membership.Request) { r.Members = []string{"i-2ze7s2v0b789k60p"} }, `members[0]: "i-2ze7s2v0b789k60p": want a UUID`},
		"a pool that is none":      {func(r *membership.Request) { r.Group = "workers" }, `group: "workers": want a UUID`},
		"no cluster":               {func(r *membership.Request) { r.Params = nil }, "params.cluster: is missing"},
		"a cluster's name":         {func(r *membership.Request) { r.Params = membership.Params{"cluster": "prod"} }, `params.cluster: "prod": want a UUID`},
		"a number":                 {func(r *membership.Request) { r.Params = membership.Params{"cluster": 12.0} }, `params.cluster: "12": want a UUID`},
		"no boolean": {func(r *membership.Request) {
			r.Params = membership.Params{"cluster": clusterID, "assumeSubnet": "yes"}
		}, `params.assumeSubnet: "yes": want true or false`},
		"an unknown parameter": {func(r *membership.Request) {
			r.Params = membership.Params{"cluster": clusterID, "force": true}
		}, "params.force: is not a parameter"},
		"too many": {func(r *membership.Request) { r.Members = make([]string, 201) }, "201 ids"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := r
			c.change(&bad)
			require.ErrorContains(t, membership.Bad(membership.Validate(Kind{}, bad)), c.want)
		})
	}
	_, err := Kind{}.Open(t.Context(), membership.Target{})
	require.ErrorContains(t, err, "params.cluster")
}
