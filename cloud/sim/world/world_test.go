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
		"colour: red":                          `colour: unknown field with value "red"; known are accounts, clock, faults`,
		"seed: x":                              `seed: "x" is not a whole number`,
		"seed: 1.5":                            `seed: 1.5 is not a whole number`,
		"[]":                                   `top level: [] is not a mapping`,
		"clock: {speed: -1}":                   `clock.speed: -1 is negative`,
		"clock: {start: monday}":               `clock.start: `,
		"journal: {limit: -1}":                 `journal.limit: -1 is negative`,
		"accounts: {}":                         `accounts: {} is not a list`,
		"accounts: [{name: a}]":                `accounts[0].accessKey: is missing`,
		"accounts: [{nam: a}]":                 `accounts[0].nam: unknown field with value "a"; known are accessKey, name`,
		head + head[10:]:                       "yaml",
		"huawei: {timings: {stop: 5}}":         `huawei.timings.stop: 5 is not a duration such as "20s" or a range`,
		"huawei: {timings: {stop: 9s-5s}}":     `huawei.timings.stop: "9s-5s" is a range whose end is before its start`,
		"huawei: {readLag: soon}":              `huawei.readLag: "soon" is not a duration`,
		"huawei: {quotas: {serverGroups: -1}}": `huawei.quotas.serverGroups: -1 is less than 0`,
		"huawei: {throttle: {perSecond: -1}}":  `huawei.throttle.perSecond: -1 is negative`,
		"huawei: {throttle: {actions: {X: {perSec: 1}}}}":                    `huawei.throttle.actions.X.perSec: unknown field`,
		"huawei: {throttle: {retryAfter: maybe}}":                            `huawei.throttle.retryAfter: "maybe" is not one of none, int, float`,
		"huawei: {knobs: {repeatAdd: maybe}}":                                `huawei.knobs.repeatAdd: "maybe" is not one of ok, error`,
		"huawei: {knobs: {requireStopped: perhaps}}":                         `huawei.knobs.requireStopped: "perhaps" is not true or false`,
		"huawei: {knobs: {busy: Ecs.1}}":                                     `huawei.knobs.busy: "Ecs.1" is not one of Ecs.0603, Ecs.0100`,
		"huawei: {flavors: [{id: f}, {id: f}]}":                              `huawei.flavors[1].id: "f" is taken by huawei.flavors[0].id`,
		"huawei: {flavors: [{id: f, virtualization: lxc}]}":                  `huawei.flavors[0].virtualization: "lxc" is not one of kvm, xen`,
		"huawei: {servers: [{id: s, flavor: f}]}":                            `huawei.servers[0].flavor: "f" is no flavor of this world`,
		"huawei: {servers: [{id: s, group: g}]}":                             `huawei.servers[0].group: "g" is no group of this world`,
		"huawei: {servers: [{status: STOPPED}]}":                             `huawei.servers[0].status: "STOPPED" is not one of ACTIVE`,
		"huawei: {servers: [{id: 12}]}":                                      `huawei.servers[0].id: 12 is not a string (write it in quotes)`,
		"huawei: {servers: [{startFails: often}]}":                           `huawei.servers[0].startFails: "often" is not one of never, after-add, always`,
		"huawei: {groups: [{}]}":                                             `huawei.groups[0].name: is missing`,
		"huawei: {groups: [{id: g, members: [s]}]}":                          `huawei.groups[0].members[0]: "s" is no server of this world`,
		"huawei: {generate: [{name: web, count: 2}]}":                        `huawei.generate[0].name: "web" needs one number`,
		"huawei: {generate: [{name: web-%d}]}":                               `huawei.generate[0].count: 0 is less than 1`,
		"huawei: {generate: [{name: w%d, count: 2, stoppedPercent: 101}]}":   `huawei.generate[0].stoppedPercent: 101 is not between`,
		"huawei: {servers: [{name: w1}], generate: [{name: w%d, count: 2}]}": `huawei.generate[0].name: "w1" is taken by huawei.servers[0].name`,
		"faults: [{effect: boom}]":                                           `faults[0].effect: "boom" is unknown`,
		"faults: [{effect: status, status: abc}]":                            `faults[0].status: "abc" is not a whole number`,
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

func TestTheDocumentedExampleIsAWorld(t *testing.T) {
	text, err := os.ReadFile("../../../deploy/docs/world.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(text), "```yaml\n")
	require.True(t, ok)
	example, _, _ := strings.Cut(rest, "```")
	w, err := world.Parse([]byte(example))
	require.NoError(t, err)
	require.Len(t, w.Complete().Huawei.Servers, 501)
}
