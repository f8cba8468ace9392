package kindtest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// Main runs the tests of a kind with the secrets of all test accounts set, once: tests run side by side.
func Main(m *testing.M) {
	for name, secret := range map[string]string{"FLEETJOIN_TEST_AK": "AKDEMO", "FLEETJOIN_TEST_SK": "SKDEMO",
		"FLEETJOIN_PASSWORD_EDAS": "Secret-of-edas-12", "FLEETJOIN_PASSWORD_NODES": "Secret-of-nodes-12"} {
		if err := os.Setenv(name, secret); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

var secrets = account.Sources{
	AccessKey: account.Source{Env: "FLEETJOIN_TEST_AK"},
	SecretKey: account.Source{Env: "FLEETJOIN_TEST_SK"},
}

// nowhere answers to nothing: all calls go over the transport.
const nowhere = "http://127.0.0.1:1"

// unpaced is a pace that holds nothing up.
var unpaced = limit.Seed{Start: 1e6, Min: 1e6, Max: 1e6, Burst: 1e6}

// Huawei connects to the simulator's only account of Huawei Cloud, without a pace.
func Huawei(transport http.RoundTripper) func(context.Context, string) (*huawei.Client, error) {
	return func(ctx context.Context, name string) (*huawei.Client, error) {
		return huawei.Dial(ctx, huawei.Config{
			Account: account.Account{Name: name, Provider: account.Huawei, Region: "sim-1",
				ProjectID:   "0123456789abcdef0123456789abcdef",
				Endpoints:   map[string]string{"ecs": nowhere, "cce": nowhere, "vpc": nowhere},
				Credentials: secrets},
			Transport: transport,
			Pace:      unpaced,
		})
	}
}

// Alibaba connects to the simulator's only account of Alibaba Cloud, without a pace.
func Alibaba(transport http.RoundTripper) func(context.Context, string) (*alibaba.Client, error) {
	return AlibabaAt(transport, unpaced)
}

// AlibabaAt does so at a pace; the zero one is the client's own.
func AlibabaAt(transport http.RoundTripper, pace limit.Seed) func(context.Context, string) (*alibaba.Client, error) {
	return func(ctx context.Context, name string) (*alibaba.Client, error) {
		return alibaba.Dial(ctx, alibaba.Config{
			Account: account.Account{Name: name, Provider: account.Alibaba, Region: "cn-hangzhou",
				Endpoints:   map[string]string{"ecs": nowhere, "resourcemanager": nowhere},
				Credentials: secrets},
			Transport: transport,
			Pace:      pace,
		})
	}
}

// World is a Subject.World of a world file in which %d stands for the number of members, and %% for %.
func World(text string) func(n int) sim.World {
	return func(n int) sim.World {
		w, err := sim.ParseWorld(fmt.Appendf(nil, text, n))
		if err != nil {
			panic(err)
		}
		return w
	}
}

// InAlibaba changes the world of a subject.
func InAlibaba(s Subject, change func(*world.Alibaba)) Subject {
	calm := s.World
	s.World = func(n int) sim.World {
		w := calm(max(n, 1)) // some worlds have only what change puts there
		change(&w.Alibaba)
		return w
	}
	return s
}

// Trouble adds a fault of calls that are about an instance, or any when that is "".
func (r *Rig) Trouble(action, instance string, f sim.Fault) {
	r.Helper()
	f.Match = sim.Match{Action: action, Server: instance}
	_, err := r.Sim.Faults().Add(f)
	require.NoError(r, err)
}

// Says puts words into the cloud's mouth, for so many calls; 0 for all.
func (r *Rig) Says(action string, status int, body string, count int) {
	r.Helper()
	_, err := r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: action}, Effect: fault.Status, Status: status, Body: body, Count: count})
	require.NoError(r, err)
}

// Looks counts the reads of an action.
func (r *Rig) Looks(action string) (n int) {
	for _, e := range r.Sim.Journal().Entries() {
		if e.Action == action {
			n++
		}
	}
	return n
}

// WriteCalls returns the actions of all writes, in order.
func (r *Rig) WriteCalls() (calls []string) {
	for _, e := range r.Sim.Journal().Entries() {
		if e.Write {
			calls = append(calls, e.Action)
		}
	}
	return calls
}

// HasItsSystem reports whether an instance has the system that it had in the beginning, be it that one or one that was made
// from a snapshot of its disk.
func HasItsSystem(s *sim.Sim, i sim.Instance) bool {
	first := world.SystemDiskID(s.World().Seed, i.ID, 1)
	if i.SystemDisk == first {
		return true
	}
	made := s.World().Alibaba.Resources
	image := slices.IndexFunc(made, func(r world.Resource) bool { return r.Type == "image" && r.ID == i.Image })
	return image >= 0 && slices.ContainsFunc(made, func(r world.Resource) bool {
		return r.Type == "snapshot" && r.ID == made[image].Snapshot && r.Disk == first
	})
}

// FirstCode is the code that began a member's trouble: what a person has said since comes on top of it.
func FirstCode(m membership.MemberReport) string {
	for _, o := range m.Also {
		if o.Code == membership.CodeNoEffect {
			return o.Code
		}
	}
	return m.Code
}

// Outcomes are those of the members of a report.
func Outcomes(report membership.Report) (all []membership.Outcome) {
	for _, m := range report.Members {
		all = append(all, m.Outcome)
	}
	return all
}
