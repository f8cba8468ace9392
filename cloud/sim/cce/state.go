package cce

import (
	"encoding/json"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// node is a server's time in a cluster. What it looks like at a moment is computed from the moments kept here.
type node struct {
	ID      string    `json:"id"`
	Cluster string    `json:"cluster"`
	Pool    string    `json:"pool"`
	Server  string    `json:"server"`
	Job     string    `json:"job,omitempty"`   // the one that made it
	Since   time.Time `json:"since,omitzero"`  // when it begins to be listed; zero: it was always there
	Ready   time.Time `json:"ready,omitzero"`  // when it ends to be installed
	Stuck   bool      `json:"stuck,omitempty"` // it never ends to be installed
	Code    string    `json:"code,omitempty"`  // how it fails when it is ready; empty: it does not
	Left    time.Time `json:"left,omitzero"`   // when its removal began; zero: it has not
	Gone    time.Time `json:"gone,omitzero"`   // when it ends; zero although it has begun: never
}

// The phases of a node.
const (
	phaseInstalling = "Installing"
	phaseActive     = "Active"
	phaseDeleting   = "Deleting"
	phaseError      = "Error"
)

// phase returns the node's phase at t, "" if it is not there.
func (n *node) phase(t time.Time) string {
	switch {
	case t.Before(n.Since), !n.Gone.IsZero() && !t.Before(n.Gone):
		return ""
	case !n.Left.IsZero() && !t.Before(n.Left):
		return phaseDeleting
	case n.Stuck || t.Before(n.Ready):
		return phaseInstalling
	case n.Code != "":
		return phaseError
	}
	return phaseActive
}

// coming reports whether the node was accepted and is not gone at t, listed or not.
func (n *node) coming(t time.Time) bool { return n.Gone.IsZero() || t.Before(n.Gone) }

// nodeOf returns the node that a server is, or is about to be, in any cluster; nil if there is none.
func (s *Service) nodeOf(server string, t time.Time) *node {
	for _, c := range s.clusters {
		for _, n := range c.nodes {
			if n.Server == server && n.coming(t) {
				return n
			}
		}
	}
	return nil
}

// job is a task as ShowJob tells it.
type job struct {
	ID      string    `json:"id"`
	Project string    `json:"project"`
	Cluster string    `json:"cluster"`
	Type    string    `json:"type"` // of the whole; the parts have others (C3)
	Begin   time.Time `json:"begin"`
	Parts   []part    `json:"parts"`
}

// part is the part of a job that is about one node.
type part struct {
	ID     string    `json:"id"`
	Node   string    `json:"node"`
	Begin  time.Time `json:"begin"`
	End    time.Time `json:"end,omitzero"` // zero: never
	Code   string    `json:"code,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

const (
	jobInitializing = "Initializing"
	jobRunning      = "Running"
	jobSuccess      = "Success"
	jobFailed       = "Failed"
)

func (p part) phase(t time.Time) string {
	switch ended := !p.End.IsZero() && !t.Before(p.End); {
	case t.Before(p.Begin):
		return jobInitializing
	case !ended:
		return jobRunning
	case p.Code != "":
		return jobFailed
	}
	return jobSuccess
}

// phase is that of the whole: it ends when all parts have, and fails if one of them did.
func (j *job) phase(t time.Time) string {
	count := map[string]int{}
	for _, p := range j.Parts {
		count[p.phase(t)]++
	}
	switch {
	case count[jobInitializing] == len(j.Parts):
		return jobInitializing
	case count[jobInitializing]+count[jobRunning] > 0:
		return jobRunning
	case count[jobFailed] > 0:
		return jobFailed
	}
	return jobSuccess
}

// forgotten reports whether the cloud no longer knows the job.
func (j *job) forgotten(now time.Time, retention time.Duration) bool {
	for _, p := range j.Parts {
		if p.End.IsZero() || now.Sub(p.End) <= retention {
			return false
		}
	}
	return true
}

// change is a set of objects as they are after a write, with what the write changed in the servers.
type change struct {
	Next    int64   `json:"next"`
	Nodes   []*node `json:"nodes,omitempty"`
	Jobs    []*job  `json:"jobs,omitempty"`
	Servers []any   `json:"servers,omitempty"` // changes of the ECS half
}

// Dump returns the whole state as a change, without the jobs that nobody can see any more. Nodes that are gone stay:
// the world may have had them from the start.
func (s *Service) Dump(now time.Time) any {
	all := &change{Next: s.next}
	for _, c := range s.clusters {
		all.Nodes = append(all.Nodes, c.nodes...)
	}
	for _, j := range s.jobs {
		if !j.forgotten(now, time.Duration(s.config.JobRetention)) {
			all.Jobs = append(all.Jobs, j)
		}
	}
	return all
}

// Apply puts the objects of a change, in its JSON form, in place.
func (s *Service) Apply(data json.RawMessage) error {
	var c struct {
		change
		Servers []json.RawMessage `json:"servers"` // hides the change's own
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	s.next = c.Next
	for _, n := range c.Nodes {
		s.putNode(n)
	}
	for _, j := range c.Jobs {
		s.putJob(j)
	}
	for _, servers := range c.Servers {
		if err := s.servers.Apply(servers); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) putNode(n *node) {
	if old := s.nodes[n.ID]; old != nil {
		*old = *n // the cluster points to it
		return
	}
	for _, c := range s.clusters {
		if c.ID == n.Cluster {
			c.nodes = append(c.nodes, n)
			s.nodes[n.ID] = n
		}
	}
}

func (s *Service) putJob(j *job) {
	s.jobs[j.ID] = j
	for i, p := range j.Parts {
		s.subs[p.ID] = subRef{j, i}
	}
}

// Describe tells the clusters of a world as they are at t. What is going on has not happened yet in it.
func (s *Service) Describe(w *world.World, t time.Time) {
	w.Huawei.Clusters = nil
	for _, c := range s.clusters {
		now := c.Cluster
		now.NodePools = append([]world.NodePool{}, c.NodePools...)
		for i := range now.NodePools {
			p := &now.NodePools[i]
			p.Members = nil
			for _, n := range c.nodes {
				if n.Pool == p.ID && n.phase(t) == phaseActive {
					p.Members = append(p.Members, n.Server)
				}
			}
		}
		w.Huawei.Clusters = append(w.Huawei.Clusters, now)
	}
}

// Node is what a node truly is at a moment, whatever reads of the API may still show.
type Node struct {
	ID, Cluster, Pool, Server string
	Phase                     string // Installing, Active, Deleting or Error
}

// Node returns the node that a server is at t, or is about to be.
func (s *Service) Node(server string, t time.Time) (Node, bool) {
	n := s.nodeOf(server, t)
	if n == nil {
		return Node{}, false
	}
	phase := n.phase(t)
	if phase == "" {
		phase = phaseInstalling
	}
	return Node{ID: n.ID, Cluster: n.Cluster, Pool: n.Pool, Server: n.Server, Phase: phase}, true
}
