package alibabasecuritygroup_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds/alibabasecuritygroup"
	"github.com/fleetjoin/fleetjoin/cloud/kinds/kindtest"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
)

// Somebody puts the member into another group after it was looked at for the join, and again for the undo. Neither write,
// though it replaces the whole set, takes it out of there.
func TestTheGroupsOfOthersStay(t *testing.T) {
	for name, way := range map[string]membershipWay{"instance": ofInstances, "interface": ofInterfaces,
		"swap": swapping, "legacy": legacy} {
		t.Run(name, func(t *testing.T) {
			subject := securityGroup(t, way)
			plain := subject.World
			subject.World = func(n int) sim.World {
				w := plain(n)
				for _, id := range []string{"sg-first", "sg-second"} {
					g := w.Alibaba.SecurityGroups[0]
					g.ID, g.Name = id, id
					w.Alibaba.SecurityGroups = append(w.Alibaba.SecurityGroups, g)
				}
				return w
			}
			kindtest.Bubble(t, subject, 1, func(r *kindtest.Rig) {
				const lag = 10 * time.Second // until reads show what was written
				req := subject.Request(r.Sim)
				other, err := kindtest.Alibaba(r.Sim.RoundTripper())(r.Context(), "demo")
				require.NoError(r, err)
				interfere := func(group string, groups ...string) {
					if way.interfaces {
						err = other.SetInterfaceSecurityGroups(r.Context(), req.Members[0], append(groups, group))
					} else {
						err = other.SetInstanceSecurityGroups(r.Context(), req.Members[0], append(groups, group))
					}
					require.NoError(r, err)
					time.Sleep(lag) // virtual time
				}
				session, err := subject.Kind(r.Sim.RoundTripper()).Open(r.Context(),
					membership.Target{Operation: membership.Join, Account: "demo", Group: req.Group, From: req.From, Params: req.Params})
				require.NoError(r, err)
				seen, err := session.Observe(r.Context(), membership.Look{Members: req.Members, Thorough: true})
				require.NoError(r, err)
				program := seen.Compile(req, membership.Join)
				member := &program.Members[0]
				require.Empty(r, member.Refused)

				do := func(action string) {
					_, err := session.Do(r.Context(), action, []*membership.Member{member})
					require.NoError(r, err)
					time.Sleep(lag) // virtual time
				}
				groups := func() []string {
					groups, _ := groupsOf(r.Sim, member.ID)
					return groups
				}
				interfere("sg-first", groups()...)
				do("join")
				require.Contains(r, groups(), "sg-target")
				require.Contains(r, groups(), "sg-first")
				interfere("sg-second", groups()...)
				do("restore")
				require.ElementsMatch(r, []string{"sg-base", "sg-old", "sg-first", "sg-second"}, groups())
			})
		})
	}
}

func TestAMemberThatStaysBusyIsPutBack(t *testing.T) {
	subject := securityGroup(t, ofInstances)
	kindtest.Bubble(t, subject, 1, func(r *kindtest.Rig) {
		_, err := r.Sim.Faults().Add(sim.Fault{Match: sim.Match{Action: "ModifyInstanceAttribute"}, Effect: fault.Status,
			Status: http.StatusForbidden, Code: "IncorrectInstanceStatus"})
		require.NoError(r, err)
		report, err := r.Run(membership.Join, subject.Request(r.Sim))
		require.NoError(r, err)
		require.Equal(r, membership.RolledBack, report.Members[0].Outcome)
		require.Equal(r, membership.CodeTimeout, report.Members[0].Code)
		require.Contains(r, report.Members[0].Reason, "IncorrectInstanceStatus")
	})
}

const objectionableWorld = `
seed: 1
accounts:
- {name: demo, accessKey: AKDEMO, secretKey: SKDEMO, accountId: "1001", region: cn-hangzhou}
alibaba:
  securityGroups:
  - {id: sg-target}
  - {id: sg-base}
  - {id: sg-vpc2, vpc: vpc-2}
  - {id: sg-classic, networkType: classic}
  - {id: sg-large, type: enterprise}
  - {id: sg-managed, serviceManaged: true}
  - {id: sg-beijing, region: cn-beijing}
  - {id: sg-ruled, rules: 700}
  - {id: sg-strict, rules: 400}
  - {id: sg-narrow, capacity: 3}
  - {id: sg-wide, type: enterprise, capacity: 3}
  instances:
  - {id: i-ruled, securityGroups: [sg-ruled]}
  - {id: i-fine, securityGroups: [sg-base]}
  - {id: i-new, status: Pending, securityGroups: [sg-base]}
  - {id: i-locked, locks: [security], securityGroups: [sg-base]}
  - {id: i-vpc2, vpc: vpc-2, securityGroups: [sg-vpc2]}
  - {id: i-classic, networkType: classic, securityGroups: [sg-classic]}
  - {id: i-large, securityGroups: [sg-large]}
  - {id: i-beijing, region: cn-beijing, securityGroups: [sg-beijing]}
  networkInterfaces:
  - {id: eni-fine, securityGroups: [sg-base]}
  - {id: eni-two, securityGroups: [sg-narrow], addresses: 2}
  - {id: eni-wide, securityGroups: [sg-base], addresses: 2}
  - {id: eni-three, securityGroups: [sg-wide], addresses: 3}
  - {id: eni-four, securityGroups: [sg-large], addresses: 4}
  - {id: eni-first, instance: i-fine, type: Primary}
  - {id: eni-locked, instance: i-locked, securityGroups: [sg-base]}
  - {id: eni-managed, serviceManaged: true, securityGroups: [sg-base]}
  - {id: eni-attaching, status: Attaching, securityGroups: [sg-base]}
`

// What the plan refuses, from what the cloud itself tells; and then it writes nothing.
func TestObjectionsToSecurityGroups(t *testing.T) {
	subject := securityGroup(t, ofInstances)
	subject.World = func(int) sim.World {
		w, err := sim.ParseWorld([]byte(objectionableWorld))
		require.NoError(t, err)
		return w
	}
	for _, c := range []struct {
		group, member string
		params        membership.Params
		code          string // "" for none
		from          string
	}{
		{"sg-target", "i-fine", nil, "", ""},
		{"sg-target", "eni-fine", nil, "", ""},
		{"sg-target", "i-none", nil, "member-missing", ""},
		{"sg-target", "i-beijing", nil, "member-missing", ""},
		{"sg-target", "i-new", nil, "member-status", ""},
		{"sg-target", "i-locked", nil, "member-locked", ""},
		{"sg-target", "i-vpc2", nil, "vpc-mismatch", ""},
		{"sg-target", "i-large", nil, "group-type-mix", ""},
		{"sg-target", "i-classic", membership.Params{"legacy": true}, "network-type", ""},
		{"sg-target", "i-fine", membership.Params{"maxGroups": 1.0}, "too-many-groups", ""},
		{"sg-base", "i-vpc2", membership.Params{"capacity": 1.0}, "vpc-mismatch", "sg-vpc2"},
		{"sg-base", "i-large", membership.Params{"capacity": 1.0}, "no-room", "sg-large"},
		{"sg-target", "i-fine", nil, "not-in-from", "sg-large"},
		{"sg-strict", "i-ruled", nil, "too-many-rules", ""},
		{"sg-strict", "i-ruled", membership.Params{"maxRules": 1100.0}, "AclLimitExceed", ""},
		{"sg-strict", "i-ruled", nil, "", "sg-ruled"},
		{"sg-narrow", "eni-fine", membership.Params{"capacity": 3.0}, "", ""},
		{"sg-narrow", "eni-wide", membership.Params{"capacity": 3.0}, "no-room", ""},
		{"sg-narrow", "eni-wide", nil, "SecurityGroupInstanceLimitExceeded", ""},
		{"sg-wide", "eni-four", membership.Params{"capacity": 3.0}, "", ""},
		{"sg-wide", "eni-four", membership.Params{"capacity": 1.0}, "no-room", ""},
		{"sg-managed", "i-fine", nil, "group-managed", ""},
		{"sg-beijing", "i-fine", nil, "group-missing", ""},
		{"sg-target", "eni-first", nil, "interface-type", ""},
		{"sg-target", "eni-locked", nil, "member-locked", ""},
		{"sg-target", "eni-managed", nil, "member-managed", ""},
		{"sg-target", "eni-attaching", nil, "member-status", ""},
		{"sg-target", "eni-none", nil, "member-missing", ""},
	} {
		t.Run(c.group+" "+c.member+" "+c.code, func(t *testing.T) {
			kindtest.Bubble(t, subject, 0, func(r *kindtest.Rig) {
				report, err := r.Run(membership.Join, membership.Request{Kind: alibabasecuritygroup.ID, Account: "demo",
					Group: c.group, From: c.from, Members: []string{c.member}, Params: c.params})
				require.NoError(r, err)
				require.Equal(r, c.code, report.Members[0].Code, report.Members[0].Reason)
				switch {
				case c.code == "":
					require.Equal(r, membership.Joined, report.Members[0].Outcome)
				case strings.ToLower(c.code) != c.code: // the cloud's own: the plan was told that there is more than there is
					require.Equal(r, membership.RolledBack, report.Members[0].Outcome)
				default:
					require.Equal(r, membership.Refused, report.Members[0].Outcome)
					require.Empty(r, r.Writes())
				}
			})
		})
	}
}
