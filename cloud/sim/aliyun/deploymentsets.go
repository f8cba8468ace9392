package aliyun

import (
	"maps"
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// mostSets is how many deployment sets a page has.
const mostSets = 50

// placed is the deployment set of an instance, and its group there.
type placed struct {
	Set   string `json:"set,omitempty"`
	Group int    `json:"group,omitempty"`
}

// placing is a change of the deployment set, or one whose end nobody has looked at yet.
type placing struct {
	Until time.Time `json:"until,omitzero"` // zero: it never ends
	To    placed    `json:"to,omitzero"`
}

// place ends a change of the deployment set that is over.
func (v *version) place(t time.Time) {
	if p := v.Placing; p != nil && !p.Until.IsZero() && !t.Before(p.Until) {
		v.Placed, v.Placing = p.To, nil
	}
}

// deploymentSets are the sets in which an instance is, or will be.
func (v version) deploymentSets() (ids []string) {
	if v.Placed.Set != "" {
		ids = append(ids, v.Placed.Set)
	}
	if v.Placing != nil && v.Placing.To.Set != "" {
		ids = append(ids, v.Placing.To.Set)
	}
	return ids
}

// deploymentSet finds a set of the caller's; nil when there is none.
func (s *Service) deploymentSet(c *wire.Call, id, region string) *world.DeploymentSet {
	for i := range s.config.DeploymentSets {
		if d := &s.config.DeploymentSets[i]; d.ID == id && d.Account == s.account(c) && d.Region == region {
			return d
		}
	}
	return nil
}

// inSet returns who is in a set at t, sorted by id; coming: also who is on the way into it.
func (s *Service) inSet(id string, t time.Time, coming bool) (there []*resource) {
	for _, name := range slices.Sorted(maps.Keys(s.members[id])) {
		r := s.members[id][name]
		v := r.at(t)
		if r.there(t) && (v.Placed.Set == id || coming && slices.Contains(v.deploymentSets(), id)) {
			there = append(there, r)
		}
	}
	return there
}

// roomOf is how many instances a set takes in a zone.
func (s *Service) roomOf(d *world.DeploymentSet) int {
	if d.Strategy == world.AvailabilityGroup {
		return d.PerZone * s.config.Deployment.Groups
	}
	return d.PerZone
}

// modifyInstanceDeployment puts an instance into a deployment set, which takes it out of the one that it is in, or takes it
// out. The deployment on dedicated hosts, which is the same action, is not simulated: its parameters are not known.
func (s *Service) modifyInstanceDeployment(c *wire.Call, p params) wire.Answer {
	r, to, forced, refused := s.readPlacing(c, p)
	if refused != nil {
		return s.refuse(c, refused)
	}
	state := r.at(c.Now)
	if to == state.Placed {
		return done(c, &change{}, journal.None, nil) // D4
	}
	changes := &change{}
	end := s.begin(r, c, r.Instance.ID, s.config.Deployment.Change, transition{Status: "moved"}, transition{Status: "failed"})
	if state.Placing = (&placing{Until: end.Until, To: to}); end.Status == "failed" {
		state.Placing.To = state.Placed
	}
	if forced && to.Set != "" && state.Status == running {
		stop := s.begin(r, c, r.Instance.ID, s.config.Timings.Stop, transition{}, transition{})
		start := s.begin(r, c, r.Instance.ID, s.config.Timings.Start, transition{}, transition{})
		if stop.Until.Before(end.Until) {
			stop.Until = end.Until
		}
		start.Until = stop.Until.Add(start.Until.Sub(c.Now))
		state.Status = stopping
		state.Becoming = &transition{Until: stop.Until, Status: starting, Then: &transition{Until: start.Until, Status: running}}
	}
	s.index(r, state.deploymentSets())
	s.change(r, state, c.Now, changes)
	return done(c, changes, journal.Changed, nil)
}

// readPlacing reads what is to become of which instance.
func (s *Service) readPlacing(c *wire.Call, p params) (r *resource, to placed, forced bool, refused *refusal) {
	id, region := p.Get("InstanceId"), p.Get("RegionId")
	remove, bad := p.flag("RemoveFromDeploymentSet")
	forced, worse := p.flag("Force")
	group, worst := p.whole("DeploymentSetGroupNo", 0, 1, s.config.Deployment.Groups)
	for _, problem := range []*refusal{bad, worse, worst} {
		if problem != nil {
			return nil, to, false, problem
		}
	}
	switch {
	case region == "":
		return nil, to, false, missing("RegionId")
	case id == "":
		return nil, to, false, missing("InstanceId")
	case c.Group == "":
		return nil, to, false, missing("DeploymentSetId")
	}
	if r = s.find(c, "instance", id, region); r == nil {
		return nil, to, false, noInstance()
	}
	set := s.deploymentSet(c, c.Group, region)
	if set == nil {
		return nil, to, false, badRequest("DeploymentSet.InvalidId", "The specified Deployment Set id doesn't exist.")
	}
	if refused = s.checkPlacing(c, r, forced || remove); refused != nil {
		return nil, to, false, refused
	}
	if remove {
		if r.at(c.Now).Placed.Set != set.ID { // D3
			return nil, to, false, badRequest(s.config.Deployment.NotInSet, "The instance is not in the specified Deployment Set.")
		}
		return r, placed{}, forced, nil
	}
	to, refused = s.placeIn(c, r, set, group, forced)
	return r, to, forced, refused
}

// checkPlacing returns why an instance cannot change its set now, or nil. One that keeps its host must be stopped to come
// into a set (D1). What is stopped without charge has no host (D6).
func (s *Service) checkPlacing(c *wire.Call, r *resource, whileRunning bool) *refusal {
	state := r.at(c.Now)
	switch {
	case slices.Contains(r.Instance.Locks, "security"):
		return locked()
	case r.Instance.NetworkType != "vpc":
		return notFound("InvalidInstanceNetworkType.NotSupport", "The specified Instance network type not support.")
	case state.Becoming != nil, state.Status != running && state.Status != stopped,
		state.Status == stopped && state.StoppedMode == world.StopCharging,
		state.Status == running && !whileRunning && s.config.Deployment.Running != world.OK:
		return wrongStatus()
	case state.Placing != nil:
		return &refusal{409, "InvalidOperation.Conflict",
			"Request was denied due to conflict with a previous request, please try again later."}
	}
	return nil
}

// placeIn finds a place in a set, or says why there is none.
func (s *Service) placeIn(c *wire.Call, r *resource, set *world.DeploymentSet, group int, forced bool) (placed, *refusal) {
	if set.Strategy != world.AvailabilityGroup && group != 0 {
		return placed{}, invalid("DeploymentSetGroupNo")
	}
	now := r.at(c.Now).Placed
	to := placed{set.ID, group}
	if now.Set == set.ID && (group == 0 || group == now.Group) {
		return now, nil
	}
	taken, all := map[int]int{}, 0
	for _, other := range s.inSet(set.ID, c.Now, true) {
		if other == r || other.Instance.Zone != r.Instance.Zone {
			continue
		}
		v := other.at(c.Now)
		if v.Placing != nil && v.Placing.To.Set == set.ID {
			v.Placed = v.Placing.To
		}
		all++
		taken[v.Placed.Group]++
	}
	if set.Strategy == world.AvailabilityGroup && group == 0 {
		to.Group = 1
		for n := 2; n <= s.config.Deployment.Groups; n++ {
			if taken[n] < taken[to.Group] {
				to.Group = n
			}
		}
	}
	switch {
	case all >= s.roomOf(set), to.Group != 0 && taken[to.Group] >= set.PerZone:
		return placed{}, forbidden("DeploymentSet.InstanceLimitExceeded",
			"The number of instances on the specified Deployment Set has reached the limit.")
	case r.Instance.SharesHost && !forced:
		return placed{}, forbidden(s.config.Deployment.Shared, "The modification of deployment set is currently impossible.")
	}
	return to, nil
}

// describeDeploymentSets lists sets with who is in them, and how much room there is in every zone of the region.
func (s *Service) describeDeploymentSets(c *wire.Call, p params) wire.Answer {
	g, r := p.paging(mostSets, false)
	ids, malformed := p.ids("DeploymentSetIds[]")
	region := p.Get("RegionId")
	switch {
	case r != nil:
	case malformed != nil:
		r = malformed
	case region == "":
		r = missing("RegionId")
	case len(ids) > 100:
		r = invalid("DeploymentSetIds")
	}
	if r != nil {
		return s.refuse(c, r)
	}
	zones := map[string]bool{}
	for _, v := range s.ordered["instance"] {
		if v.Instance.Region == region && v.Instance.Account == s.account(c) {
			zones[v.Instance.Zone] = true
		}
	}
	var matching []world.DeploymentSet
	for _, d := range s.config.DeploymentSets {
		if d.Account != s.account(c) || d.Region != region || ids != nil && !slices.Contains(ids, d.ID) ||
			p.Get("Strategy") != "" && p.Get("Strategy") != d.Strategy ||
			p.Get("DeploymentSetName") != "" && p.Get("DeploymentSetName") != d.Name {
			continue
		}
		matching = append(matching, d)
	}
	page, body := cut(matching, g)
	rows := make([]object, len(page))
	for i := range page {
		rows[i] = s.deploymentSetBody(&page[i], slices.Sorted(maps.Keys(zones)), s.lagged(c.Now))
	}
	body["RegionId"] = region
	body["DeploymentSets"] = object{"DeploymentSet": rows}
	return found(c, body)
}

func (s *Service) deploymentSetBody(d *world.DeploymentSet, zones []string, t time.Time) object {
	members := []string{}
	used := map[string]int{}
	for _, r := range s.inSet(d.ID, t, false) {
		members = append(members, r.Instance.ID)
		used[r.Instance.Zone]++
	}
	capacities := []object{}
	for _, zone := range zones {
		capacities = append(capacities, object{"ZoneId": zone, "UsedAmount": used[zone],
			"AvailableAmount": max(s.roomOf(d)-used[zone], 0)})
	}
	body := object{"DeploymentSetId": d.ID, "DeploymentSetName": d.Name, "DeploymentSetDescription": "", "CreationTime": created,
		"Strategy": d.Strategy, "DeploymentStrategy": d.Strategy, "Domain": "Default", "Granularity": "Host",
		"InstanceAmount": len(members), "InstanceIds": object{"InstanceId": members},
		"Capacities": object{"Capacity": capacities}}
	if d.Strategy == world.AvailabilityGroup {
		body["GroupCount"] = s.config.Deployment.Groups
	}
	return body
}

// deploymentFields adds what an instance tells about its deployment set and its host.
func (v view) deploymentFields(body object) {
	body["DeploymentSetId"] = v.state.Placed.Set
	if v.state.Placed.Group > 0 {
		body["DeploymentSetGroupNo"] = v.state.Placed.Group
	}
	if n := v.Instance.LocalDisks; n > 0 {
		body["LocalStorageAmount"], body["LocalStorageCapacity"] = n, n*1788
	}
}
