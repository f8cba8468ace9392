package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// worlds has one for each demo, under its kind.
//
//go:embed worlds/*.yaml
var worlds embed.FS

// demo is a world, and what is done in it.
type demo struct {
	kind   string
	moves  []move
	inside func(w world.World, group string) []string // who is in a group, by the simulator
}

// move is one run.
type move struct {
	name    string // of the run and its file
	say     string // what it shows, in a line
	group   string // id
	members string // what the names of its members begin with
	params  membership.Params
	wipes   bool // it destroys data, so that somebody must approve it
	exit    int  // how fleetjoin must end
}

var demos = []demo{
	{kind: "huawei.servergroup", inside: inServerGroup, moves: []move{
		{name: "web", group: "71e947d0-91d2-4b20-a1f3-34eee6346bca", members: "web-", exit: 4,
			say: "200 servers into a group with room: running, stopped, Xen, locked, members already, and one that will not start"},
		{name: "db", group: "0c8d28c5-2a5a-4b0e-9a2f-5d0e3a6a7d42", members: "db-", exit: 3,
			say: "100 servers into a group that has room for ten"},
	}},
	{kind: "huawei.nodepool", inside: inNodePool, moves: []move{
		{name: "nodes", group: "5f1d8a1e-3c0b-4a55-9d0e-6a1c3f0b7e11", members: "node-", wipes: true, exit: 4,
			params: membership.Params{"cluster": "5f1d8a1e-3c0b-4a55-9d0e-6a1c3f0b7e10"},
			say:    "120 servers become nodes of a pool, which wipes them: some do not fit, some are nodes already, one is not installed"},
	}},
	{kind: "alibaba.securitygroup", inside: inSecurityGroup, moves: []move{
		{name: "harden", group: "sg-hardened", members: "web-", exit: 4, params: membership.Params{"swap": map[string]any{"from": "sg-web"}},
			say: "150 instances leave a security group for another in one write each; the other fills up on the way"},
	}},
	{kind: "alibaba.resourcegroup", inside: inResourceGroup, moves: []move{
		{name: "disks", group: "rg-shop", members: "data-", exit: 0, params: membership.Params{"type": "disk"},
			say: "150 disks into a resource group, while the cloud is busy with others that follow"},
		{name: "machines", group: "rg-shop", members: "web-", exit: 0, params: membership.Params{"type": "instance"},
			say: "50 instances, running and stopped; their disks follow them"},
	}},
	{kind: "alibaba.edas", inside: inEDASCluster, moves: []move{
		{name: "agents", group: "b3e3f77b-462e-4f5a-9d0e-bec8727a4dc8", members: "app-", exit: 3,
			say: "110 instances get the agent of EDAS and keep their systems: some are off, some elsewhere, some unheard of"},
		{name: "imports", group: "b3e3f77b-462e-4f5a-9d0e-bec8727a4dc8", members: "old-", wipes: true, exit: 4, params: reimage,
			say: "50 instances are imported, which installs their systems anew: one fails, and gets its system back from its backup, which takes minutes"},
	}},
	{kind: "alibaba.nodepool", inside: inContainerPool, moves: []move{
		{name: "workers", group: "np737c3ac1ac684703b9e10673aa2c2ec1", members: "node-", wipes: true, exit: 4, params: toPool,
			say: "120 instances become nodes of a pool, which replaces their system disks: some do not fit, one is not installed"},
	}},
}

// The password is in the folder that fleetjoin dev gives its worker.
var (
	reimage = membership.Params{"route": "reimage", "passwordFrom": map[string]any{"file": "example"}, "backup": true}
	toPool  = membership.Params{"cluster": "c82e6987e2961451182edacd74faf7c6", "passwordFrom": map[string]any{"file": "example"}}
)

func inServerGroup(w world.World, group string) (ids []string) {
	for _, s := range w.Huawei.Servers {
		if s.Group == group {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

func inNodePool(w world.World, group string) []string {
	for _, c := range w.Huawei.Clusters {
		for _, p := range c.NodePools {
			if p.ID == group {
				return p.Members
			}
		}
	}
	return nil
}

func inSecurityGroup(w world.World, group string) (ids []string) {
	for _, i := range w.Alibaba.Instances {
		for _, g := range i.SecurityGroups {
			if g == group {
				ids = append(ids, i.ID)
			}
		}
	}
	return ids
}

func inResourceGroup(w world.World, group string) (ids []string) {
	for _, i := range w.Alibaba.Instances {
		if i.ResourceGroup == group {
			ids = append(ids, i.ID)
		}
	}
	for _, r := range w.Alibaba.Resources {
		if r.ResourceGroup == group {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

func inEDASCluster(w world.World, group string) []string {
	for _, c := range w.Alibaba.EDASClusters {
		if c.ID == group {
			return c.Members
		}
	}
	return nil
}

func inContainerPool(w world.World, group string) []string {
	for _, c := range w.Alibaba.Clusters {
		for _, p := range c.NodePools {
			if p.ID == group {
				return p.Members
			}
		}
	}
	return nil
}

// find returns the demo of a kind.
func find(kind string) (demo, error) {
	var known []string
	for _, d := range demos {
		if d.kind == kind {
			return d, nil
		}
		known = append(known, d.kind)
	}
	return demo{}, fmt.Errorf("there is no demo of %q; there is one of each of %s", kind, strings.Join(known, ", "))
}

func (d demo) worldYAML() []byte {
	text, err := worlds.ReadFile("worlds/" + d.kind + ".yaml")
	if err != nil {
		panic(err) // a test opens every one
	}
	return text
}

func (d demo) spec() membership.Spec {
	k, err := membership.Find(kinds.All(kinds.Clouds{}), d.kind)
	if err != nil {
		panic(err) // a test looks for every one
	}
	return k.Spec()
}

// account is the name of the world's account at the kind's provider.
func (d demo) account(w world.World) string {
	for _, a := range w.Accounts {
		if (a.ProjectID != "") == (d.spec().Provider == "huawei") {
			return a.Name
		}
	}
	return ""
}

// request writes the request of a move, for all things in a completed world whose names begin as it says.
func (d demo) request(w world.World, m move) (text []byte, members []string) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "kind: %s\naccount: %s\nrequester: ann\ngroup: %s\n", d.kind, d.account(w), m.group)
	if m.params != nil {
		params, _ := json.Marshal(m.params) // JSON is YAML, too
		fmt.Fprintf(&b, "params: %s\n", params)
	}
	fmt.Fprintln(&b, "members:")
	for _, t := range things(w) {
		if strings.HasPrefix(t.name, m.members) {
			members = append(members, t.id)
			fmt.Fprintf(&b, "- %s # %s\n", t.id, t.name)
		}
	}
	return b.Bytes(), members
}
