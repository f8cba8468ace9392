package world_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

func TestMistakesNameFieldAndValue(t *testing.T) {
	const head = "accounts: [{name: a, accessKey: k, secretKey: s, projectId: p}]\n"
	for text, says := range map[string]string{
		"colour: red":                          `colour: unknown field with value "red"; known are accounts, alibaba, clock, faults`,
		"seed: x":                              `seed: "x" is not a whole number`,
		"seed: 1.5":                            `seed: 1.5 is not a whole number`,
		"[]":                                   `top level: [] is not a mapping`,
		"clock: {speed: -1}":                   `clock.speed: -1 is negative`,
		"clock: {start: monday}":               `clock.start: `,
		"journal: {limit: -1}":                 `journal.limit: -1 is negative`,
		"accounts: {}":                         `accounts: {} is not a list`,
		"accounts: [{name: a}]":                `accounts[0].accessKey: is missing`,
		"accounts: [{nam: a}]":                 `accounts[0].nam: unknown field with value "a"; known are accessKey, accountId, name`,
		head + head[10:]:                       "yaml",
		"huawei: {timings: {stop: 5}}":         `huawei.timings.stop: 5 is not a duration such as "20s" or a range`,
		"huawei: {timings: {stop: 9s-5s}}":     `huawei.timings.stop: "9s-5s" is a range whose end is before its start`,
		"huawei: {readLag: soon}":              `huawei.readLag: "soon" is not a duration`,
		"huawei: {quotas: {serverGroups: -1}}": `huawei.quotas.serverGroups: -1 is less than 0`,
		"huawei: {throttle: {perSecond: -1}}":  `huawei.throttle.perSecond: -1 is negative`,
		"huawei: {throttle: {actions: {X: {perSec: 1}}}}":                       `huawei.throttle.actions.X.perSec: unknown field`,
		"huawei: {throttle: {retryAfter: maybe}}":                               `huawei.throttle.retryAfter: "maybe" is not one of none, int, float`,
		"huawei: {knobs: {repeatAdd: maybe}}":                                   `huawei.knobs.repeatAdd: "maybe" is not one of ok, error`,
		"huawei: {knobs: {requireStopped: perhaps}}":                            `huawei.knobs.requireStopped: "perhaps" is not true or false`,
		"huawei: {knobs: {busy: Ecs.1}}":                                        `huawei.knobs.busy: "Ecs.1" is not one of Ecs.0603, Ecs.0100`,
		"huawei: {flavors: [{id: f}, {id: f}]}":                                 `huawei.flavors[1].id: "f" is taken by huawei.flavors[0].id`,
		"huawei: {flavors: [{id: f, virtualization: lxc}]}":                     `huawei.flavors[0].virtualization: "lxc" is not one of kvm, xen`,
		"huawei: {servers: [{id: s, flavor: f}]}":                               `huawei.servers[0].flavor: "f" is no flavor of this world`,
		"huawei: {servers: [{id: s, group: g}]}":                                `huawei.servers[0].group: "g" is no group of this world`,
		"huawei: {servers: [{status: STOPPED}]}":                                `huawei.servers[0].status: "STOPPED" is not one of ACTIVE`,
		"huawei: {servers: [{id: 12}]}":                                         `huawei.servers[0].id: 12 is not a string (write it in quotes)`,
		"huawei: {servers: [{startFails: often}]}":                              `huawei.servers[0].startFails: "often" is not one of never, after-add, always`,
		"huawei: {groups: [{}]}":                                                `huawei.groups[0].name: is missing`,
		"huawei: {groups: [{id: g, members: [s]}]}":                             `huawei.groups[0].members[0]: "s" is no server of this world`,
		"huawei: {generate: [{name: web, count: 2}]}":                           `huawei.generate[0].name: "web" needs one number`,
		"huawei: {generate: [{name: web-%d}]}":                                  `huawei.generate[0].count: 0 is less than 1`,
		"huawei: {generate: [{name: w%d, count: 2, stoppedPercent: 101}]}":      `huawei.generate[0].stoppedPercent: 101 is not between`,
		"huawei: {servers: [{name: w1}], generate: [{name: w%d, count: 2}]}":    `huawei.generate[0].name: "w1" is taken by huawei.servers[0].name`,
		"accounts: [{name: a, accessKey: k, secretKey: s}]":                     `accounts[0].projectId: is missing`,
		"alibaba: {quotas: {basicMembers: -1}}":                                 `alibaba.quotas.basicMembers: -1 is less than 0`,
		"alibaba: {throttle: {retryAfter: maybe}}":                              `alibaba.throttle.retryAfter: "maybe" is not one of`,
		"alibaba: {knobs: {repeatJoin: maybe}}":                                 `alibaba.knobs.repeatJoin: "maybe" is not one of ok, error`,
		"alibaba: {knobs: {stoppedMode: Stop}}":                                 `alibaba.knobs.stoppedMode: "Stop" is not one of StopCharging, KeepCharging`,
		"alibaba: {timings: {stop: 5}}":                                         `alibaba.timings.stop: 5 is not a duration`,
		"alibaba: {associatedTransfer: {rules: [{from: eni, to: disk}]}}":       `alibaba.associatedTransfer.rules[0]: "eni → disk" is not one of`,
		"alibaba: {instances: [{}]}":                                            `alibaba.instances[0].name: is missing`,
		"alibaba: {instances: [{id: vm}]}":                                      `alibaba.instances[0].id: "vm" does not start with "i-"`,
		"alibaba: {instances: [{id: i-1}, {id: i-1}]}":                          `alibaba.instances[1].id: "i-1" is taken by alibaba.instances[0].id`,
		"alibaba: {instances: [{id: i-1, account: '9'}]}":                       `alibaba.instances[0].account: "9" is the accountId of no account`,
		"alibaba: {instances: [{id: i-1, status: Gone}]}":                       `alibaba.instances[0].status: "Gone" is not one of Running, Stopped, Pending`,
		"alibaba: {instances: [{id: i-1, locks: [iron]}]}":                      `alibaba.instances[0].locks[0]: "iron" is not one of security`,
		"alibaba: {instances: [{id: i-1, securityGroups: [x]}]}":                `alibaba.instances[0].securityGroups[0]: "x" is no security group`,
		"alibaba: {instances: [{id: i-1, resourceGroup: x}]}":                   `alibaba.instances[0].resourceGroup: "x" is no resource group`,
		"alibaba: {securityGroups: [{id: sg-1, type: basic}]}":                  `alibaba.securityGroups[0].type: "basic" is not one of normal, enterprise`,
		"alibaba: {networkInterfaces: [{id: eni-1, instance: x}]}":              `alibaba.networkInterfaces[0].instance: "x" is no instance`,
		"alibaba: {resourceGroups: [{id: rg-1, status: Gone}]}":                 `alibaba.resourceGroups[0].status: "Gone" is not one of`,
		"alibaba: {resources: [{type: instance, id: i-1}]}":                     `alibaba.resources[0].type: "instance" is not one of disk, snapshot`,
		"alibaba: {resources: [{type: snapshot, id: s-1, disk: x}]}":            `alibaba.resources[0].disk: "x" is no disk`,
		"alibaba: {generate: [{name: w, count: 1}]}":                            `alibaba.generate[0].name: "w" needs one number`,
		"alibaba: {generate: [{name: w%d, count: 1, type: vpc}]}":               `alibaba.generate[0].type: "vpc" is not one of instance, eni, disk`,
		"alibaba: {generate: [{name: w%d, count: 1, lockedPercent: 200}]}":      `alibaba.generate[0].lockedPercent: 200 is not between`,
		"alibaba: {instances: [{name: w1}], generate: [{name: w%d, count: 2}]}": `alibaba.generate[0].name: "w1" is taken by alibaba.instances[0].name`,
		"faults: [{effect: boom}]":                                              `faults[0].effect: "boom" is unknown`,
		"faults: [{effect: status, status: abc}]":                               `faults[0].status: "abc" is not a whole number`,
	} {
		_, err := world.Parse([]byte(text))
		require.ErrorContains(t, err, says, text)
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	_, err := world.Parse([]byte("huawei: {flavors: [{}], groups: [{}], quotas: {serverGroups: -1}}"))
	require.Len(t, strings.Split(err.Error(), "\n"), 3)
}

func TestLoad(t *testing.T) {
	_, err := world.Load(t.TempDir() + "/none.yaml")
	require.ErrorContains(t, err, "none.yaml")
}

func TestComplete(t *testing.T) {
	w, err := world.Parse([]byte(`
seed: 3
accounts: [{name: a, accessKey: k, secretKey: s, projectId: p}]
huawei:
  flavors: [{id: f}]
  groups: [{name: g, members: [w-2]}, {id: h}]
  servers: [{name: one, flavor: f, group: g}, {id: two, flavor: f, group: h}]
  generate: [{name: w-%d, count: 1000, flavor: f, stoppedPercent: 20, lockedPercent: 5, startFailsPercent: 10}]
`))
	require.NoError(t, err)
	c := w.Complete()
	require.Equal(t, c, w.Complete(), "the same seed makes the same world")
	require.Len(t, c.Huawei.Servers, 1002)
	one := c.Huawei.Servers[0]
	require.Equal(t, world.ID(3, "server", "one"), one.ID)
	require.Equal(t, world.ID(3, "group", "g"), one.Group)
	require.Equal(t, "p", one.Project)
	require.Equal(t, "h", c.Huawei.Servers[1].Group)
	require.Equal(t, world.ID(3, "group", "g"), c.Huawei.Servers[3].Group)
	var stopped, locked, failing int
	for _, s := range c.Huawei.Servers[2:] {
		if s.Status == "SHUTOFF" {
			stopped++
		}
		if s.Locked {
			locked++
		}
		if s.StartFails == world.AfterAdd {
			failing++
		}
	}
	require.InDelta(t, 200, stopped, 60)
	require.InDelta(t, 50, locked, 30)
	require.InDelta(t, 100, failing, 45)
	require.NoError(t, c.Validate(), "a completed world is a world")
	w.Seed = 4
	require.NotEqual(t, c.Huawei.Servers[5].ID, w.Complete().Huawei.Servers[5].ID)
}

func TestCompleteAlibaba(t *testing.T) {
	w, err := world.Parse([]byte(`
seed: 3
accounts: [{name: h, accessKey: h, secretKey: s, projectId: p}, {name: a, accessKey: k, secretKey: s, accountId: "1", region: cn-x}]
alibaba:
  resourceGroups: [{name: web}]
  securityGroups: [{name: sg}]
  instances: [{name: one, securityGroups: [sg], resourceGroup: web}, {id: i-classic, networkType: classic}]
  networkInterfaces: [{name: first, type: Primary, instance: i-two}, {name: extra, instance: one}]
  resources: [{type: disk, name: data, instance: one}, {type: snapshot, name: snap, disk: data}, {type: keypair, name: key}]
  generate:
  - {name: w-%d, count: 1000, stoppedPercent: 20, lockedPercent: 5, startFailsPercent: 10, interfaces: 1}
  - {name: disk-%d, count: 3, type: disk}
  - {name: eni-%d, count: 2, type: eni, securityGroups: [sg]}
`))
	require.ErrorContains(t, err, `networkInterfaces[0].instance: "i-two"`)
	w.Alibaba.Interfaces[0].Instance = "w-1"
	require.NoError(t, w.Validate())
	c := w.Complete()
	require.Equal(t, c, w.Complete(), "the same seed makes the same world")
	require.Equal(t, c, c.Complete(), "there is nothing left to complete")
	require.NoError(t, c.Validate(), "a completed world is a world")
	a := c.Alibaba
	require.Len(t, a.Instances, 1002)
	require.Len(t, a.ResourceGroups, 2)
	require.True(t, a.ResourceGroups[1].Default)
	one := a.Instances[0]
	require.Equal(t, world.AlibabaID(3, "instance", "one"), one.ID)
	require.Equal(t, []string{"1", "cn-x", "vpc-1"}, []string{one.Account, one.Region, one.VPC})
	require.Equal(t, []string{a.SecurityGroups[0].ID}, one.SecurityGroups)
	require.Equal(t, a.ResourceGroups[0].ID, one.ResourceGroup)
	require.Equal(t, a.ResourceGroups[1].ID, a.Instances[1].ResourceGroup)

	primaries, disks := map[string]int{}, map[string]int{}
	for _, n := range a.Interfaces {
		if n.Type == "Primary" {
			primaries[n.Instance]++
		}
	}
	for _, r := range a.Resources {
		if r.System {
			disks[r.Instance]++
		}
	}
	require.Len(t, primaries, 1001, "all but the one in the classic network")
	require.Len(t, disks, 1002)
	require.Len(t, a.Interfaces, 1001+1+1000+2)
	require.Equal(t, a.Resources[0].ID, a.Resources[1].Disk)
	require.Equal(t, "key", a.Resources[2].ID)
	require.Len(t, a.Resources, 3+3+1002)
	var stopped, locked, failing int
	for _, v := range a.Instances[2:] {
		if v.Status == "Stopped" {
			stopped++
		}
		if len(v.Locks) > 0 {
			locked++
		}
		if v.StartFails == world.Always {
			failing++
		}
	}
	require.InDelta(t, 200, stopped, 60)
	require.InDelta(t, 50, locked, 30)
	require.InDelta(t, 100, failing, 45)
}

func TestTheDocumentedExampleIsAWorld(t *testing.T) {
	text, err := os.ReadFile("../../../deploy/docs/world.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(text), "```yaml\n")
	require.True(t, ok)
	example, _, _ := strings.Cut(rest, "```")
	w, err := world.Parse([]byte(example))
	require.NoError(t, err)
	require.Len(t, w.Complete().Huawei.Servers, 501)
	require.Len(t, w.Complete().Alibaba.Instances, 201)
}
