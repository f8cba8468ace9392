package assume

import (
	_ "embed"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
)

// worldFile is a world in which all checks find what they need. Its clock stands until a check waits.
//
//go:embed world.yaml
var worldFile []byte

// Simulator opens a fresh simulator for each check, of a world that edit may have changed.
func Simulator(edit func(*sim.World)) func() (*Huawei, error) {
	return func() (*Huawei, error) {
		w, err := sim.ParseWorld(worldFile)
		if err != nil {
			return nil, err
		}
		if edit != nil {
			edit(&w)
		}
		s, err := sim.New(sim.Options{World: w})
		if err != nil {
			return nil, err
		}
		main := w.Accounts[0]
		c, err := Open(account.Account{Name: main.Name, Provider: account.Huawei, Region: main.Region, ProjectID: main.ProjectID},
			account.Credentials{AccessKey: main.AccessKey, SecretKey: main.SecretKey}, s.RoundTripper())
		if err != nil {
			return nil, err
		}
		c.Resources, c.Sleep = resources(), func(d time.Duration) { s.Clock().Advance(d) }
		return c, nil
	}
}

// resources are those of the world, by the parts that they play.
func resources() map[string]string {
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
