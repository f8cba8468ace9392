package huaweinodepool

import (
	"fmt"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Decide says what a server needs at a stage. Whether it is a node decides first, then whether its system is still the
// one that it had: it is wiped only while both say that nobody has begun. Where they contradict each other for long, a
// person is asked, since neither waiting nor undoing brings a disk back.
func (o *observation) Decide(m membership.Moment) membership.Decision {
	if m.Undo {
		return o.decideUndo(m)
	}
	if _, exists := o.servers[m.Member.ID]; !exists {
		return membership.Fail(codeServerMissing, "there is no such server any more")
	}
	join := o.operation == membership.Join
	switch {
	case join && m.Stage.Name == stageCheck:
		return o.decideCheck(m)
	case join && m.Stage.Name == stageAdd:
		return o.decideAdd(m)
	case join && m.Stage.Name == stageVerify:
		return o.decideVerify(m)
	case !join && m.Stage.Name == stageRemove:
		return o.decideRemove(m)
	case !join && m.Stage.Name == stageVerify:
		return o.decideGone(m)
	default:
		return membership.UnknownStage(ID, m)
	}
}

func (o *observation) decideCheck(m membership.Moment) membership.Decision {
	if _, in := o.inPool(m.Member.ID); in { // an add whose answer was lost, or one before this run
		return membership.Next()
	}
	return o.whenUntouched(m, membership.Next())
}

func (o *observation) decideAdd(m membership.Moment) membership.Decision {
	node, in := o.inPool(m.Member.ID)
	if !in {
		return o.whenUntouched(m, membership.Act(actAdd, "the server is no node"))
	}
	switch {
	case node.Phase == phaseActive:
		return membership.Next()
	case node.Phase == phaseError:
		return membership.Fail(codeNodeError, "node "+node.ID+" could not be installed"+o.partOf(m, node))
	default:
		return o.onItsWay(m, node)
	}
}

// whenUntouched returns then for a server that is no node of the pool, has the system that it had when the run was
// planned, and may become one.
func (o *observation) whenUntouched(m membership.Moment, then membership.Decision) membership.Decision {
	server, node := o.servers[m.Member.ID], o.nodes[m.Member.ID]
	switch {
	case node.ID != "" && node.Phase != phaseDeleting:
		return membership.Fail(codeNodeElsewhere, fmt.Sprintf("the server is node %s of the cluster's pool %s", node.ID, node.Pool))
	case node.ID != "":
		return o.stuck(m, codeNodeStuck, fmt.Sprintf("node %s of pool %s is being removed", node.ID, node.Pool))
	case o.jobRuns(m):
		return o.stuck(m, codeNodeStuck, "the job runs and the server is no node yet")
	case o.system(m, server) != asBefore:
		return o.stuck(m, codeReinstalled, "the server is no node, but "+systemNow(m, server))
	case !idle(server):
		return o.stuck(m, codeServerBusy, doing(server))
	}
	if job := o.jobs[m.Job]; job.Phase == "Failed" && len(job.Parts) == 0 { // as a whole, so for every server in it
		return membership.Fail(codeAddFailed, fmt.Sprintf("job %s has failed: %s", m.Job, job.Reason))
	}
	if objections := o.objections(m.Member.ID); len(objections) > 0 {
		reasons := make([]string, len(objections))
		for i, obj := range objections {
			reasons[i] = obj.Reason
		}
		return membership.Fail(objections[0].Code, strings.Join(reasons, "; "))
	}
	return then
}

func (o *observation) decideVerify(m membership.Moment) membership.Decision {
	server := o.servers[m.Member.ID]
	node, in := o.inPool(m.Member.ID)
	switch {
	case !in:
		return o.patient(m, codeNodeMissing, "the server is not seen in the pool any more")
	case node.Phase == phaseError:
		return membership.Fail(codeNodeError, "node "+node.ID+" is broken"+o.partOf(m, node))
	case node.Phase != phaseActive:
		return o.patient(m, codeNodeStuck, "node "+node.ID+" is "+node.Phase)
	case !idle(server):
		return o.patient(m, codeServerBusy, doing(server))
	case o.system(m, server) == asBefore:
		return o.patient(m, codeNotProved, "node "+node.ID+" is Active, but "+systemNow(m, server))
	default:
		return membership.Next()
	}
}

func (o *observation) decideRemove(m membership.Moment) membership.Decision {
	server := o.servers[m.Member.ID]
	node, in := o.inPool(m.Member.ID)
	switch {
	case !in:
		return membership.Next()
	case !removable(node):
		return o.onItsWay(m, node)
	case o.jobRuns(m):
		return o.stuck(m, codeNodeStuck, "the job runs and node "+node.ID+" is still "+node.Phase)
	case o.system(m, server) == changed:
		return o.stuck(m, codeReinstalled, "node "+node.ID+" is still "+node.Phase+", but "+systemNow(m, server))
	case !idle(server):
		return o.patient(m, codeServerBusy, doing(server))
	case server.Status != statusActive:
		return membership.Fail(codeServerStatus, "the server is "+server.Status+"; it must run to be removed")
	default:
		return membership.Act(actRemove, "the server is node "+node.ID)
	}
}

func (o *observation) decideGone(m membership.Moment) membership.Decision {
	server := o.servers[m.Member.ID]
	node, in := o.inPool(m.Member.ID)
	switch {
	case in:
		return o.patient(m, codeNodeStuck, "node "+node.ID+" is "+node.Phase)
	case !idle(server):
		return o.patient(m, codeServerBusy, doing(server))
	case server.Status != statusActive:
		return membership.Fail(codeServerStatus, "the node is removed, and the server is "+server.Status)
	case o.system(m, server) == asBefore:
		return o.patient(m, codeNotProved, "the node is removed, but "+systemNow(m, server))
	default:
		return membership.Next()
	}
}

func (o *observation) decideUndo(m membership.Moment) membership.Decision {
	if m.Stage.Name != stageAdd {
		return membership.UnknownStage(ID, m)
	}
	server, exists := o.servers[m.Member.ID]
	node, in := o.inPool(m.Member.ID)
	switch {
	case in && node.ID == m.Member.Before[factNode]: // it was one before this run
		return membership.Next()
	case !in && exists && !idle(server):
		return membership.Wait(doing(server))
	case !in:
		return membership.Next()
	case !removable(node):
		return membership.Wait("node " + node.ID + " is " + node.Phase + ", in which it cannot be removed")
	case !exists, server.Status != statusActive, !idle(server):
		return membership.Wait("node " + node.ID + " cannot be removed while its server does not run")
	default:
		return membership.Act(actRemove, "the server is node "+node.ID)
	}
}

// jobRuns reports whether the job of the last write says that it is under way. That can only make one wait.
func (o *observation) jobRuns(m membership.Moment) bool {
	phase := o.jobs[m.Job].Phase
	return phase == "Initializing" || phase == "Running"
}

// onItsWay waits for a node to come to its phase.
func (o *observation) onItsWay(m membership.Moment, n huawei.Node) membership.Decision {
	return o.stuck(m, codeNodeStuck, "node "+n.ID+" is "+n.Phase+o.partOf(m, n))
}

// stuck waits as long as a node may take. A write may have been sent late in the stage, by a worker that did not live to
// tell, so what contradicts itself before a node is there is given that time too.
func (o *observation) stuck(m membership.Moment, code, what string) membership.Decision {
	if m.In < stuckAfter {
		return membership.Wait(what)
	}
	return membership.Park(code, what)
}

// patient waits for what should pass soon.
func (o *observation) patient(m membership.Moment, code, what string) membership.Decision {
	if m.In < patience {
		return membership.Wait(what)
	}
	return membership.Park(code, what)
}

// partOf renders what the last job says about a node, for people.
func (o *observation) partOf(m membership.Moment, n huawei.Node) string {
	for _, p := range o.jobs[m.Job].Parts {
		if p.NodeID == n.ID && p.Reason != "" {
			return "; its job: " + p.Reason
		}
	}
	return ""
}

// What image and system disk tell about a server's system.
type system int

const (
	asBefore system = iota
	changed
	noMeasure // the program does not say how it was
)

func (o *observation) system(m membership.Moment, s huawei.Server) system {
	image, disk := m.Member.Before[factImage], m.Member.Before[factSystemDisk]
	switch {
	case image == "" && disk == "":
		return noMeasure
	case image != "" && image != s.Image, disk != "" && disk != s.SystemDisk:
		return changed
	default:
		return asBefore
	}
}

// systemNow renders a server's system beside the one that it had.
func systemNow(m membership.Moment, s huawei.Server) string {
	before := func(fact string) string {
		if v := m.Member.Before[fact]; v != "" {
			return v
		}
		return "unknown"
	}
	return fmt.Sprintf("its image is %s and its system disk %s (before: %s and %s)", s.Image, s.SystemDisk,
		before(factImage), before(factSystemDisk))
}
