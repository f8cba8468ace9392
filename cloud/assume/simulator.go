package assume

import (
	_ "embed"
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// worldFile is a world in which all checks find what they need. Its clock stands until a check waits.
//
//go:embed world.yaml
var worldFile []byte

// Simulator opens a fresh simulator for each check, of a world that edit may have changed.
func Simulator(edit func(*sim.World)) func() (*Huawei, error) {
	return simulated(edit, account.Huawei, func(s *sim.Sim, a account.Account, keys account.Credentials) (*Huawei, error) {
		c, err := Open(a, keys, s.RoundTripper())
		if err == nil {
			c.Resources, c.Sleep = ofHuawei(), func(d time.Duration) { s.Clock().Advance(d) }
		}
		return c, err
	})
}

// AlibabaSimulator does the same for the other cloud.
func AlibabaSimulator(edit func(*sim.World)) func() (*Alibaba, error) {
	return simulated(edit, account.Alibaba, func(s *sim.Sim, a account.Account, keys account.Credentials) (*Alibaba, error) {
		c, err := OpenAlibaba(a, keys, s.RoundTripper())
		if err == nil {
			c.Resources, c.Sleep = ofAlibaba(), func(d time.Duration) { s.Clock().Advance(d) }
		}
		return c, err
	})
}

// simulated returns a way to make simulators of the provider's half of the world, each connected as its first account.
func simulated[C any](edit func(*sim.World), provider string,
	connect func(*sim.Sim, account.Account, account.Credentials) (C, error)) func() (C, error) {
	w, wrong := sim.ParseWorld(worldFile)
	isHuawei := provider == account.Huawei
	w.Accounts = slices.DeleteFunc(w.Accounts, func(a world.Account) bool { return isHuawei != (a.ProjectID != "") })
	if isHuawei {
		w.Alibaba = world.Alibaba{}
	} else {
		w.Huawei = world.Huawei{}
	}
	if edit != nil {
		edit(&w)
	}
	return func() (none C, err error) {
		if wrong != nil {
			return none, wrong
		}
		s, err := sim.New(sim.Options{World: w})
		if err != nil {
			return none, err
		}
		main := w.Accounts[0]
		return connect(s, account.Account{Name: main.Name, Provider: provider, Region: main.Region, ProjectID: main.ProjectID},
			account.Credentials{AccessKey: main.AccessKey, SecretKey: main.SecretKey})
	}
}

// The resources of the world, by the parts that they play.

func ofHuawei() map[string]string {
	return map[string]string{
		"group": "group", "other group": "other-group",
		"running": "running", "stopped": "stopped", "grouped": "grouped", "locked": "locked", "deaf": "deaf",
		"qingtian": "qingtian", "without a host": "no-host", "in trouble": "in-trouble", "with two interfaces": "two-interfaces",
		"security group": "security-group", "its security group": "its-security-group", "name of two": "twin",
		"second": "second", "third": "third", "fourth": "fourth", "fifth": "fifth",
		"another's security group": "foreign-security-group",
		"cluster":                  "cluster", "pool": "pool", "node": "node",
	}
}

func ofAlibaba() map[string]string {
	return map[string]string{
		"running": "i-running", "stopped": "i-stopped", "classic": "i-classic", "without a host": "i-no-host",
		"full instance": "i-full", "interface": "eni-one", "full interface": "eni-full",
		"its group": "sg-its", "group": "sg-group", "group elsewhere": "sg-elsewhere",
		"another's instance": "i-foreign", "another's interface": "eni-foreign", "another's group": "sg-foreign",
		"disk": "d-data", "image": "m-image", "new image": "m-new",
		"resource group": "rg-one", "second resource group": "rg-two", "lone disk": "d-alone",
		"tag of more than a thousand": "many",
		"deployment set":              "ds-one", "in a deployment set": "i-spread", "on a shared host": "i-shares",
		"stopped without charge": "i-cheap",

		"shop": "shop", "member": "i-member", "another's member": "i-taken", "unpaid": "i-unpaid", "with a key": "i-with-key",
		"cluster": "c-one", "pool": "np-one", "second pool": "np-two", "node": "i-node", "second node": "i-node-2",
		"node elsewhere": "i-other-node",
	}
}
