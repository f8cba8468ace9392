package aliyun

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// attach is a call that makes instances nodes.
type attach struct {
	together       bool // all instances or none
	rename         bool
	password       bool   // one is given
	keyPair, image string // "": the pool's
}

// The codes that transition faults can have to say how an attach goes wrong; any other: the node does not run.
const (
	attachAbsent   = "absent"   // of job-fail: there is never a node, and the system stays
	attachNotReady = "NotReady" // the node runs, but is not ready
)

// readAttach fills in what both attaches take. The password goes no further.
func (s *Service) readAttach(c *wire.Call, p params, in attach) (attach, *refusal) {
	if r := s.distinct(c, "instances"); r != nil {
		return in, r
	}
	if _, r := p.flag("format_disk"); r != nil {
		return in, r
	}
	keep, r := p.flag("keep_instance_name")
	if p.Get("keep_instance_name") != "" {
		in.rename = !keep
	}
	password := p.Get("password")
	in.password = password != ""
	switch {
	case r != nil:
	case in.password && in.keyPair != "":
		r = badRequest("InvalidParameter", "The parameters password and key_pair exclude each other.")
	case in.password && !fit(password):
		r = badRequest("InvalidPassword", "The password does not meet the requirements.")
	}
	return in, r
}

// attach makes instances nodes of a pool and installs their systems anew.
func (s *Service) attach(c *wire.Call, p params, in attach) wire.Answer {
	in, r := s.readAttach(c, p, in)
	if r != nil {
		return s.refuse(c, r)
	}
	k, r := s.writable(c, p)
	if r != nil {
		return s.refuse(c, r)
	}
	pool, r := s.poolOf(k, c.Group, c.Now)
	if r == nil && in.keyPair != "" && s.find(c, "keypair", in.keyPair, k.Region) == nil {
		r = notFound("InvalidKeyPair.NotFound", "The specified key pair does not exist.")
	}
	if r != nil {
		return s.refuse(c, r)
	}
	c.Group = pool.ID
	rows, accepted := make([]object, len(c.Servers)), []*resource{}
	for i, id := range c.Servers {
		v, r := s.attachable(c, k, pool, id)
		if r != nil && in.together {
			return s.refuse(c, r)
		}
		rows[i] = attachRow(id, r)
		if r == nil {
			accepted = append(accepted, v)
		}
	}
	if len(accepted) == 0 {
		return answerContainers(&change{}, journal.Refused, object{"list": rows}) // K2
	}
	t, changes := s.newTask(c, k, pool.ID, "attach_instances"), &change{}
	for _, v := range accepted {
		s.attachOne(c, k, pool, v, in, t, changes)
	}
	body := object{"task_id": t.ID, "list": rows}
	if in.together {
		body = object{"task_id": t.ID, "request_id": requestID(c)}
	}
	return s.begun(c, t, changes, body)
}

// attachRow tells of one instance whether it is taken (K2).
func attachRow(id string, r *refusal) object {
	if r == nil {
		return object{"instanceId": id, "code": "200", "message": "successful"}
	}
	return object{"instanceId": id, "code": strconv.Itoa(r.status), "message": r.code + ": " + r.message}
}

// writable finds the cluster and checks whether its nodes can be changed.
func (s *Service) writable(c *wire.Call, p params) (*ackCluster, *refusal) {
	k, r := s.container(c, p)
	if r == nil && k.State != "running" {
		r = badRequest("ErrorClusterState", "The cluster is "+k.State+".")
	}
	return k, r
}

// poolOf finds the pool, the default one for "", and checks whether its nodes can be changed. Whether one change can
// follow another that is under way is the world's choice (K4).
func (s *Service) poolOf(k *ackCluster, id string, now time.Time) (world.ContainerPool, *refusal) {
	pool, ok := k.pool(id)
	if !ok {
		return pool, noPool()
	}
	state := pool.State
	if s.config.Containers.BusyPool != world.OK {
		state = poolState(pool, k.in(pool.ID), now)
	}
	if state != "active" {
		return pool, badRequest("ErrorNodePoolState", "The node pool is "+state+".")
	}
	return pool, nil
}

// attachable finds the instance and returns why it cannot be a node of the pool, or nil.
func (s *Service) attachable(c *wire.Call, k *ackCluster, pool world.ContainerPool, id string) (*resource, *refusal) {
	v := s.find(c, "instance", id, k.Region)
	if v == nil {
		return nil, notFound("ErrorInstanceNotFound", "The instance does not exist.")
	}
	state := v.at(c.Now)
	n := s.ack.nodeOf(id, c.Now)
	again := n != nil && n.Cluster == k.ID && n.Pool == pool.ID && s.config.Containers.RepeatAttach == world.OK // K1
	switch {
	case n != nil && !again:
		return nil, &refusal{http.StatusConflict, "ErrorInstanceAttached", "The instance is a node already."}
	case len(v.Instance.Locks) > 0:
		return nil, badRequest("ErrorInstanceLocked", "The instance is locked.")
	case again: // whatever it is doing
	case state.Status != running || state.busy():
		return nil, badRequest("ErrorInstanceState", "The instance is "+state.Status+", or another operation is going on.")
	case v.Instance.VPC != k.VPC:
		return nil, badRequest("ErrorInstanceVpc", "The instance and the cluster are not in the same VPC.")
	}
	return v, nil
}

// attachOne makes an instance a node. Its system is installed at once: it can be done with before anybody sees a node
// (K5).
func (s *Service) attachOne(c *wire.Call, k *ackCluster, pool world.ContainerPool, v *resource, in attach, t *task,
	changes *change) {
	id := v.identity().id
	random := world.Random(s.seed, "attach", t.ID, id)
	appear, takes := s.config.Containers.Appear.Draw(random), s.config.Containers.Attach.Draw(random)
	n := &node{Number: s.ack.number(), Cluster: k.ID, Pool: pool.ID, Instance: id, Name: nodeName(k.Region, id),
		Called: c.Now, Since: c.Now.Add(appear), Grows: pool.Desired != nil}
	n.Runs = n.Since.Add(takes)
	n.Ready = n.Runs
	t.Parts = append(t.Parts, disturb(n, c.Rule, part{Instance: id, End: n.Runs}))
	if c.Rule.Hits(id) && c.Rule.Effect == fault.JobFail && c.Rule.Code == attachAbsent {
		return
	}
	if old := s.ack.nodeOf(id, c.Now); old != nil {
		old.Left, old.Gone, old.Back, old.Shrinks = c.Now, c.Now, time.Time{}, pool.Desired != nil
		changes.node(old)
	}
	if in.rename {
		state := v.at(c.Now)
		state.Name = nodeInstanceName(k)
		s.change(v, state, c.Now, changes)
	}
	keyPair := cmp.Or(in.keyPair, pool.KeyPair)
	if in.password {
		keyPair = ""
	}
	s.reinstall(c, v, installation{image: cmp.Or(in.image, pool.Image), keyPair: keyPair, status: running,
		until: c.Now.Add(takes)}, changes)
	s.ack.putNode(n)
	changes.node(n)
}

// disturb makes a new node, and its part of the task, end as a transition fault about it says.
func disturb(n *node, rule *fault.Rule, p part) part {
	if !rule.Hits(n.Instance) {
		return p
	}
	runs := rule.Code == attachNotReady
	switch {
	case rule.Effect == fault.JobFail:
		p.Code, p.Message = rule.Code, rule.Message
		n.Error = cmp.Or(rule.Message, rule.Code)
		n.Failed, n.Ready = !runs, time.Time{}
	case rule.For > 0:
		p.End = p.End.Add(time.Duration(rule.For))
		n.Ready = p.End
		if !runs {
			n.Runs = p.End
		}
	default:
		p.End, n.Ready = time.Time{}, time.Time{}
		if !runs {
			n.Runs = time.Time{}
		}
	}
	return p
}

// nodeInstanceName is what an instance is called that its cluster renames or makes.
func nodeInstanceName(k *ackCluster) string { return "worker-k8s-for-cs-" + k.ID }

func (s *Service) newTask(c *wire.Call, k *ackCluster, pool, kind string) *task {
	return &task{ID: "T-" + world.AlibabaID(s.seed, "task", fmt.Sprint(s.ack.number())), Account: s.account(c),
		Cluster: k.ID, Pool: pool, Type: kind, Begin: c.Now}
}

// begun answers a write that a task goes on with.
func (s *Service) begun(c *wire.Call, t *task, changes *change, body object) wire.Answer {
	s.ack.tasks[t.ID] = t
	changes.containers().Tasks = []*task{t}
	changes.containers().Last = s.ack.last
	return answerContainers(changes, journal.Changed, body)
}

func answerContainers(changes *change, effect string, body object) wire.Answer {
	a := wire.Answer{Status: http.StatusAccepted, Body: body, Effect: effect}
	if !changes.empty() {
		a.Change = changes
	}
	return a
}

// node notes that a write changed n.
func (c *change) node(n *node) {
	c.containers().Nodes = append(c.containers().Nodes, n)
}

// containers is where a write notes what it changed in the Container Service.
func (c *change) containers() *ackChange {
	if c.Containers == nil {
		c.Containers = &ackChange{}
	}
	return c.Containers
}
