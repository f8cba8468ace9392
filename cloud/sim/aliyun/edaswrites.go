package aliyun

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// The codes that a job-fail fault can have to say how the import of an instance goes wrong; any other: it fails.
const (
	importAbsent  = "absent"  // the call is forgotten: there is never a member, and the system stays
	importOffline = "offline" // the member ends offline; with For, only for so long
)

// insertClusterMember imports instances into a cluster, which installs their systems anew. Whoever is a member of the
// cluster already is imported once more (E5). One instance that cannot be imported refuses the whole call.
func (s *Service) insertClusterMember(c *wire.Call, p params) wire.Answer {
	return s.importMembers(c, "instanceIds", "password", p.Get("password"), false)
}

// transformClusterMember does the same with instances that may be members of other clusters, which they leave at once.
func (s *Service) transformClusterMember(c *wire.Call, p params) wire.Answer {
	return s.importMembers(c, "InstanceIds", "Password", p.Get("Password"), true)
}

// importMembers serves both imports, whose parameters have names of their own.
func (s *Service) importMembers(c *wire.Call, list, secret, password string, move bool) wire.Answer {
	k, r := s.findCluster(c)
	switch {
	case r != nil:
	case len(c.Servers) == 0:
		r = missing(list)
	case password == "":
		r = missing(secret)
	case !strong(password):
		r = business(400, "the password must have 8 to 30 characters of three kinds") // E6
	default:
		r = s.importable(c, k, move)
	}
	if r != nil {
		return s.refuse(c, r)
	}
	changes := &change{}
	for i, id := range c.Servers {
		if !slices.Contains(c.Servers[:i], id) {
			s.convert(c, k, s.byKey[key{"instance", id}], changes)
		}
	}
	return edasDone(c, changes, journal.Changed, object{"Data": "Transform submit success!"})
}

// importable returns the first reason why the instances cannot be imported into the cluster, or nil.
func (s *Service) importable(c *wire.Call, k *world.EDASCluster, move bool) *refusal {
	if *k.Type != world.ECSCluster {
		return business(400, "the cluster is not one of ECS instances")
	}
	for _, id := range c.Servers {
		if why := s.unfit(c, k, id, move); why != "" {
			return business(400, "the instance "+id+" cannot be imported: "+why)
		}
	}
	return nil
}

// unfit says why an instance cannot be in the cluster; empty: it can. Only who moves can come from another cluster.
func (s *Service) unfit(c *wire.Call, k *world.EDASCluster, id string, move bool) string {
	r := s.find(c, "instance", id, k.Region)
	if r == nil || r.at(c.Now).UnknownToEDAS {
		return "it does not exist"
	}
	m, status := s.memberOf(id, c.Now), r.at(c.Now).Status
	switch {
	case r.Instance.VPC != k.VPC:
		return "it is not in the VPC of the cluster"
	case expired(r.Instance):
		return "it is expired"
	case r.Instance.OSType != "linux":
		return "its system is not Linux"
	case m != nil && m.Member.Cluster != k.ID && !move:
		return "it is in another cluster"
	case m != nil && m.Member.Cluster != k.ID && s.hasApplications(m.Member):
		return "there are still applications deployed on it"
	case m != nil && m.Member.Cluster != k.ID && m.at(c.Now).Status == memberConverting:
		return "it is being converted"
	case m != nil && m.leaving(c.Now):
		return "it is being removed"
	case slices.Contains(r.Instance.Locks, "security"):
		return "it is locked"
	case status != running && status != stopped:
		return "it is " + status
	}
	return ""
}

// leaving reports whether the member is being removed at t.
func (r *resource) leaving(t time.Time) bool {
	b := r.at(t).Becoming
	return b != nil && b.Gone
}

// convert begins an import: the system is installed at once (E7), and the member appears, converts, and runs.
func (s *Service) convert(c *wire.Call, k *world.EDASCluster, v *resource, changes *change) {
	id := v.Instance.ID
	if c.Rule.Hits(id) && c.Rule.Effect == fault.JobFail && c.Rule.Code == importAbsent {
		return
	}
	if m := s.memberOf(id, c.Now); m != nil && m.Member.Cluster != k.ID {
		state := m.at(c.Now)
		state.Gone, state.Becoming = true, nil
		s.change(m, state, c.Now, changes)
	}
	takes := s.config.EDAS.Import.Draw(world.Random(s.seed, c.Action, id, c.Number))
	s.reinstall(c, v, installation{image: s.config.EDAS.Image, status: running, until: c.Now.Add(takes)}, changes)
	s.join(c, k, v, takes, changes)
}

// join makes the instance a member of the cluster, or one once more, that runs after a while.
func (s *Service) join(c *wire.Call, k *world.EDASCluster, v *resource, takes time.Duration, changes *change) {
	id := v.Instance.ID
	state := version{Since: c.Now, Status: memberConverting, OSGeneration: v.at(c.Now).OSGeneration}
	m := s.memberOf(id, c.Now)
	if m != nil && m.at(c.Now).Status != "" {
		state.Becoming = course(c, id, c.Now.Add(takes))
		s.change(m, state, c.Now, changes)
		return
	}
	appears := c.Now.Add(s.config.EDAS.Appear.Draw(world.Random(s.seed, "appear", id, c.Number)))
	state.Status = ""
	state.Becoming = &transition{Until: appears, Status: memberConverting, Then: course(c, id, appears.Add(takes))}
	if m != nil {
		s.change(m, state, c.Now, changes)
		return
	}
	s.add(&resource{Type: "edasmember", Member: s.newMember(k, id, fmt.Sprint(c.Number)), Versions: []version{state}}, changes)
}

// course is how a conversion ends at a moment: in a running member, or as a fault about the instance makes it.
func course(c *wire.Call, instance string, until time.Time) *transition {
	end := &transition{Until: until, Status: memberRunning}
	switch hit := c.Rule.Hits(instance); {
	case !hit:
	case c.Rule.Effect == fault.JobFail && c.Rule.Code != importOffline:
		end.Status = memberFailed
	case c.Rule.Effect == fault.JobFail:
		end.Status = memberOffline
		if c.Rule.For > 0 {
			end.Then = &transition{Until: until.Add(time.Duration(c.Rule.For)), Status: memberRunning}
		}
	case c.Rule.For > 0:
		end.Until = until.Add(time.Duration(c.Rule.For))
	default:
		end.Until = time.Time{}
	}
	return end
}

// strong reports whether ECS would take the password (E6).
func strong(password string) bool {
	kinds := map[int]bool{}
	for _, r := range password {
		switch {
		case r > unicode.MaxASCII || r <= ' ':
			return false
		case unicode.IsUpper(r):
			kinds[0] = true
		case unicode.IsLower(r):
			kinds[1] = true
		case unicode.IsDigit(r):
			kinds[2] = true
		default:
			kinds[3] = true
		}
	}
	return len(password) >= 8 && len(password) <= 30 && len(kinds) >= 3
}

// installAgent makes instances members without touching their systems, and answers for each of them.
func (s *Service) installAgent(c *wire.Call, _ params) wire.Answer {
	k, r := s.findCluster(c)
	switch {
	case r != nil:
	case len(c.Servers) == 0:
		r = missing("InstanceIds")
	case *k.Type != world.ECSCluster:
		r = business(400, "the cluster is not one of ECS instances")
	}
	if r != nil {
		return s.refuse(c, r)
	}
	changes, count, rows := &change{}, map[string]int{}, []object{}
	for _, id := range c.Servers {
		row := object{"InstanceId": id, "Success": true, "Status": "OK", "InvokeRecordStatus": "Finished",
			"FinishedTime": c.Now.Format("2006-01-02T15:04:05Z")}
		effect, why := s.installOne(c, k, id, changes)
		if why != "" {
			row["Success"], row["Status"], row["InvokeRecordStatus"] = false, why, "Failed"
		}
		count[effect]++
		rows = append(rows, row)
	}
	return edasDone(c, changes, effectOf(count), object{"ExecutionResultList": object{"ExecutionResult": rows}})
}

// installOne installs one agent, and returns the effect and why it cannot be.
func (s *Service) installOne(c *wire.Call, k *world.EDASCluster, id string, changes *change) (effect, why string) {
	if why := s.unfit(c, k, id, false); why != "" {
		return journal.Refused, why
	}
	v := s.byKey[key{"instance", id}]
	switch state := v.at(c.Now); {
	case state.Status != running:
		return journal.Refused, "InstanceNotRunning"
	case state.AgentOffline:
		return journal.Refused, "ClientNotRunning"
	case c.Rule.Hits(id) && c.Rule.Effect == fault.JobFail:
		return journal.Refused, cmp.Or(c.Rule.Message, c.Rule.Code)
	}
	if m := s.memberOf(id, c.Now); m != nil {
		switch s.memberStatus(m, c.Now) {
		case memberRunning, memberConverting, "":
			return journal.None, ""
		}
	}
	s.join(c, k, v, s.config.EDAS.Install.Draw(world.Random(s.seed, c.Action, id, c.Number)), changes)
	return journal.Changed, ""
}

// deleteClusterMember takes a member out of its cluster. Its system stays as it is.
func (s *Service) deleteClusterMember(c *wire.Call, _ params) wire.Answer {
	k, r := s.findCluster(c)
	if r != nil {
		return s.refuse(c, r)
	}
	if len(c.Servers) == 0 {
		return s.refuse(c, missing("ClusterMemberId"))
	}
	id := c.Servers[0]
	m := s.find(c, "edasmember", id, "")
	if m == nil || m.Member.Cluster != k.ID || m.at(c.Now).Status == "" {
		return s.refuse(c, business(404, "the cluster member does not exist: "+id))
	}
	instance := m.Member.Instance
	c.Servers = append(c.Servers, instance)
	state := m.at(c.Now)
	switch {
	case s.hasApplications(m.Member):
		return s.refuse(c, business(400, "there are still applications deployed in this cluster"))
	case m.leaving(c.Now):
		return edasDone(c, &change{}, journal.None, object{"Data": true})
	case state.Status == memberConverting && s.config.EDAS.RemoveConverting == world.Error: // E8
		return s.refuse(c, business(400, "the cluster member is being converted"))
	}
	changes := &change{}
	state.Becoming = s.begin(m, c, id, s.config.EDAS.Remove, transition{Gone: true}, transition{Status: state.Status})
	s.change(m, state, c.Now, changes)
	return edasDone(c, changes, journal.Changed, object{"Data": true})
}

// hasApplications reports whether there are applications on a member, with which it cannot leave its cluster.
func (s *Service) hasApplications(m *edasMember) bool {
	return slices.Contains(s.byKey[key{"edascluster", m.Cluster}].EDAS.Applications, m.Instance)
}

// maxSynchronized is how many instances one SynchronizeResource names.
const maxSynchronized = 50

// synchronizeResource lets EDAS look at instances that it does not know: those that are named, or all.
func (s *Service) synchronizeResource(c *wire.Call, p params) wire.Answer {
	kind := strings.ToLower(p.Get("Type"))
	switch {
	case kind == "":
		return s.refuse(c, missing("Type"))
	case !slices.Contains([]string{"ecs", "slb", "vpc", "all"}, kind):
		return s.refuse(c, business(400, "unknown type: "+kind))
	case len(c.Servers) > maxSynchronized:
		return s.refuse(c, business(400, "more than "+strconv.Itoa(maxSynchronized)+" resources"))
	}
	changes, effect := &change{}, journal.None
	for _, r := range s.ordered["instance"] {
		state, id := r.at(c.Now), r.Instance.ID
		if !state.UnknownToEDAS || s.find(c, "instance", id, edasRegion(c)) == nil || kind == "slb" || kind == "vpc" ||
			c.Servers != nil && !slices.Contains(c.Servers, id) {
			continue
		}
		state.UnknownToEDAS = false
		s.change(r, state, c.Now, changes)
		effect = journal.Changed
	}
	return edasDone(c, changes, effect, object{"Data": "success", "Success": true})
}
