package assume

import (
	_ "embed"
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
	return func() (*Huawei, error) {
		s, a, keys, err := simulate(edit, account.Huawei)
		if err != nil {
			return nil, err
		}
		c, err := Open(a, keys, s.RoundTripper())
		if err != nil {
			return nil, err
		}
		c.Resources, c.Sleep = ofHuawei(), func(d time.Duration) { s.Clock().Advance(d) }
		return c, nil
	}
}

// AlibabaSimulator does the same for the other cloud.
func AlibabaSimulator(edit func(*sim.World)) func() (*Alibaba, error) {
	return func() (*Alibaba, error) {
		s, a, keys, err := simulate(edit, account.Alibaba)
		if err != nil {
			return nil, err
		}
		c, err := OpenAlibaba(a, keys, s.RoundTripper())
		if err != nil {
			return nil, err
		}
		c.Resources, c.Sleep = ofAlibaba(), func(d time.Duration) { s.Clock().Advance(d) }
		return c, nil
	}
}

// simulate makes a simulator and describes the first account of the provider in it.
func simulate(edit func(*sim.World), provider string) (*sim.Sim, account.Account, account.Credentials, error) {
	w, err := sim.ParseWorld(worldFile)
	if err != nil {
		return nil, account.Account{}, account.Credentials{}, err
	}
	if edit != nil {
		edit(&w)
	}
	s, err := sim.New(sim.Options{World: w})
	var chosen world.Account
	for _, a := range w.Accounts {
		if chosen.Name == "" && (provider == account.Huawei) == (a.ProjectID != "") {
			chosen = a
		}
	}
	return s, account.Account{Name: chosen.Name, Provider: provider, Region: chosen.Region, ProjectID: chosen.ProjectID},
		account.Credentials{AccessKey: chosen.AccessKey, SecretKey: chosen.SecretKey}, err
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
	}
}
