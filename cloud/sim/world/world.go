// Package world is the format of world files: what the simulated clouds contain and how they behave.
package world

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/strict"
)

// World is a whole world file. deploy/docs/world.md describes every field.
type World struct {
	Seed     int64        `json:"seed,omitempty"` // of all generated ids and all random choices
	Clock    Clock        `json:"clock,omitempty"`
	Journal  Journal      `json:"journal,omitempty"`
	Accounts []Account    `json:"accounts,omitempty"`
	Huawei   Huawei       `json:"huawei,omitempty"`
	Alibaba  Alibaba      `json:"alibaba,omitempty"`
	Faults   []fault.Rule `json:"faults,omitempty"`
}

// Clock says how simulated time runs.
type Clock struct {
	Speed *float64   `json:"speed,omitempty"` // simulated seconds per wall second; default 1, 0 is a manual clock
	Start *time.Time `json:"start,omitempty"` // default: the wall time
}

// New returns the clock that c describes.
func (c Clock) New() *clock.Clock {
	var start time.Time
	if c.Start != nil {
		start = *c.Start
	}
	return clock.New(start, or(c.Speed, 1))
}

// Journal says how much the journal keeps in memory.
type Journal struct {
	Limit int `json:"limit,omitempty"` // entries; default 1,000,000
}

// Account is a set of keys that may call the clouds.
type Account struct {
	Name          string `json:"name"`
	AccessKey     string `json:"accessKey"`
	SecretKey     string `json:"secretKey"`
	SecurityToken string `json:"securityToken,omitempty"` // for temporary keys: calls must carry and sign it
	ProjectID     string `json:"projectId,omitempty"`     // with Huawei Cloud
	AccountID     string `json:"accountId,omitempty"`     // with Alibaba Cloud; several keys may share one
	Region        string `json:"region,omitempty"`
}

// Load reads a world file.
func Load(path string) (World, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return World{}, err
	}
	w, err := Parse(data)
	if err != nil {
		return World{}, fmt.Errorf("world %s: %w", path, err)
	}
	return w, nil
}

// Parse reads a world from YAML or JSON. It returns all mistakes at once, each with the field and the value.
func Parse(data []byte) (World, error) {
	var w World
	if err := strict.Decode(data, &w); err != nil {
		return World{}, err
	}
	return w, w.Validate()
}

// Validate returns all mistakes in w, each with the field and the value.
func (w World) Validate() error {
	v := &validation{}
	if w.Clock.Speed != nil && *w.Clock.Speed < 0 {
		v.bad("clock.speed", *w.Clock.Speed, "is negative")
	}
	if w.Journal.Limit < 0 {
		v.bad("journal.limit", w.Journal.Limit, "is negative")
	}
	w.validateAccounts(v)
	w.validateHuawei(v)
	w.validateAlibaba(v)
	for i, r := range w.Faults {
		if err := r.Validate(); err != nil {
			v.errs = append(v.errs, fmt.Errorf("faults[%d].%w", i, err))
		}
	}
	return errors.Join(v.errs...)
}

func (w World) validateAccounts(v *validation) {
	names, keys := v.unique(), v.unique()
	for i, a := range w.Accounts {
		at := fmt.Sprintf("accounts[%d]", i)
		v.required(at+".name", a.Name)
		v.required(at+".accessKey", a.AccessKey)
		v.required(at+".secretKey", a.SecretKey)
		if a.AccountID == "" {
			v.required(at+".projectId", a.ProjectID) // one of them is needed
		}
		names(at+".name", a.Name)
		keys(at+".accessKey", a.AccessKey)
	}
}

// DefaultProject is the project of servers and groups that name none: the first account's that has one.
func (w World) DefaultProject() string {
	for _, a := range w.Accounts {
		if a.ProjectID != "" {
			return a.ProjectID
		}
	}
	return ""
}

// DefaultAccount is the account id of Alibaba resources that name none: the first account's that has one.
func (w World) DefaultAccount() string {
	for _, a := range w.Accounts {
		if a.AccountID != "" {
			return a.AccountID
		}
	}
	return ""
}

// ID returns the UUID that a world with this seed gives to the thing of this kind ("server", "group") and name.
func ID(seed int64, kind, name string) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%d/%s/%s", seed, kind, name))
	h[6], h[8] = h[6]&0x0f|0x40, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// Complete returns w with all defaults filled in, generated servers made, and group references turned into ids.
// The result has no Generate rules and no group Members: each server names its group; and every Alibaba instance has
// its network interface and its system disk. w must be valid.
func (w World) Complete() World {
	h := &w.Huawei
	h.Flavors = slices.Clone(h.Flavors)
	groupID := w.completeServers()
	w.completeSecurityGroups()
	w.completeClusters(groupID)
	fill(h)
	w.completeAlibaba()
	return w
}

// Random returns a source of randomness that depends only on the seed and on what it is for.
func Random(seed int64, purpose ...any) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprint(h, purpose...)
	return rand.New(rand.NewPCG(uint64(seed), h.Sum64()))
}
