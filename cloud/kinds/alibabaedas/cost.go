package alibabaedas

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba/backup"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// How long an instance takes. Nothing is published. The Terraform provider gives the call that installs the agent, which
// answers when it is done, half a minute, and the removal of a member one; 5 to 20 minutes of an import are a guess.
const (
	installs = 30 * time.Second
	imports  = 10 * time.Minute
	removes  = time.Minute
)

// Cost says what an instance costs. One that is being imported by somebody else is only seen through. That EDAS is made to
// look at instances that it does not know is left out: it is seldom needed.
func (Kind) Cost(t membership.Target, m *membership.Member) membership.Cost {
	p, _ := read(t) // what is wrong with them was said when they were given
	reads := func() []membership.Calls {
		return []membership.Calls{
			alibaba.Reads("DescribeInstances", 100),
			alibaba.Reads("ListCluster", 0),
			alibaba.Reads("ListClusterMembers", 0),
		}
	}
	c := membership.Cost{Plan: reads(), Look: reads()}
	if t.Operation == membership.Leave {
		c.Stages = []membership.StageCost{{Stage: stageRemove, Takes: removes,
			Calls: []membership.Calls{alibaba.Writes("DeleteClusterMember", 1)}}}
		return c
	}
	offered := alibaba.Reads("ListConvertableEcu", 0)
	c.Plan, c.Look = append(c.Plan, offered), append(c.Look, offered)
	isMember := m.Before[factMember] != ""
	join := membership.StageCost{Stage: stageInstall, Takes: installs}
	write := alibaba.Writes("InstallAgent", installAtOnce)
	if p.reimage {
		backup.Cost(&c, m, p.backup && !isMember)
		join = membership.StageCost{Stage: stageImport, Takes: imports, Off: true}
		write = alibaba.Writes("InsertClusterMember", 1)
	}
	if !isMember {
		join.Calls = []membership.Calls{write}
	}
	c.Stages = append(c.Stages, join)
	return c
}
