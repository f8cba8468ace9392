// Package sim simulates clouds: their wire protocols, signatures and, above all, their state. It is an http.Handler
// and an http.RoundTripper, so that the clouds' own SDKs run against it unchanged.
//
//	w, err := sim.LoadWorld("world.yaml")
//	s, err := sim.New(sim.Options{World: w})
//	client := &http.Client{Transport: s.RoundTripper()}
//
// The world file says what exists and how it behaves, faults say what goes wrong, the journal tells what happened,
// and the clock makes it happen fast, or only on demand.
package sim

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/aliyun"
	"github.com/fleetjoin/fleetjoin/cloud/sim/cce"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/ecs"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// The parts of a simulator, by the names under which its users know them.
type (
	World   = world.World
	Clock   = clock.Clock
	Journal = journal.Journal
	Entry   = journal.Entry
	Filter  = journal.Filter
	Faults  = fault.Faults
	Fault   = fault.Rule
	Match   = fault.Match

	Server = ecs.Server // of Huawei Cloud, as Group and Node
	Group  = ecs.Group
	Node   = cce.Node

	Instance         = aliyun.Instance // of Alibaba Cloud, as the following
	NetworkInterface = aliyun.NetworkInterface
	SecurityGroup    = aliyun.SecurityGroup
	Resource         = aliyun.Resource
	ContainerNode    = aliyun.ContainerNode
	EDASMember       = aliyun.EDASMember
)

// LoadWorld reads a world file. Its errors name the field and the value.
func LoadWorld(path string) (World, error) { return world.Load(path) }

// ParseWorld reads a world from YAML or JSON. Its errors name the field and the value.
func ParseWorld(data []byte) (World, error) { return world.Parse(data) }

// NewManualClock returns a clock that stands at start until it is advanced.
func NewManualClock(start time.Time) *Clock { return clock.NewManual(start) }

// Options configure a simulator.
type Options struct {
	// World is what the simulator starts with. It is not used if StateDir already holds a state.
	World World
	// StateDir is where the state lives; it is made if missing. Empty: in memory only. One simulator at a time.
	StateDir string
	// Clock overrides the clock that the world describes.
	Clock *Clock
}

// Sim is a simulator. It is safe for concurrent use.
type Sim struct {
	clock    *Clock
	journal  *Journal
	faults   *Faults
	store    *store // nil: in memory only
	requests atomic.Int64

	// mu is held for writing while a write takes effect and is journalled, so the order of the journal is the order
	// of the effects; and for reading while a read looks at the state. JSON is encoded, and latency slept, without it.
	mu    sync.RWMutex
	state *state
}

// state is a loaded world. A new world is a new state.
type state struct {
	world  World // completed; servers and the like as they were when it was loaded
	ecs    *ecs.Service
	cce    *cce.Service
	aliyun *aliyun.Service
}

// services are in the order in which they are asked whether a request is theirs: Alibaba's carry marks, Huawei's are
// known by their paths only.
func (s *state) services() []wire.Service { return []wire.Service{s.aliyun, s.ecs, s.cce} }

const defaultJournalLimit = 1_000_000

// New returns a simulator of the world, or, if the state directory holds one, of the state found there.
func New(o Options) (*Sim, error) {
	if err := o.World.Validate(); err != nil {
		return nil, fmt.Errorf("world: %w", err)
	}
	s := &Sim{state: newState(o.World)}
	var saved *saved
	if o.StateDir != "" {
		var err error
		if s.store, saved, err = openStore(o.StateDir); err != nil {
			return nil, fmt.Errorf("state directory: %w", err)
		}
	}
	if saved != nil {
		s.state = newState(saved.World)
	}
	w := s.state.world
	if s.clock = o.Clock; s.clock == nil {
		s.clock = w.Clock.New()
	}
	s.journal = journal.New(orDefault(w.Journal.Limit, defaultJournalLimit))
	s.faults = fault.New(w.Seed, s.saveFaults())
	if saved != nil {
		return s, s.restore(saved)
	}
	if err := s.addFaults(w.Faults); err != nil {
		return nil, err
	}
	return s, s.snapshot()
}

func newState(w World) *state {
	w = w.Complete()
	servers := ecs.New(w, time.Now)
	return &state{world: w, ecs: servers, cce: cce.New(w, servers, time.Now), aliyun: aliyun.New(w, time.Now)}
}

func orDefault(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

func (s *Sim) addFaults(rules []Fault) error {
	for i, r := range rules {
		if _, err := s.faults.Add(r); err != nil {
			return fmt.Errorf("faults[%d]: %w", i, err)
		}
	}
	return nil
}

// Load replaces the world: everything in it, the accounts and the faults. Time and the journal go on.
func (s *Sim) Load(w World) error {
	if err := w.Validate(); err != nil {
		return fmt.Errorf("world: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = newState(w)
	s.faults.Clear()
	if err := s.addFaults(w.Faults); err != nil {
		return err
	}
	if w.Clock.Speed != nil {
		s.clock.SetSpeed(*w.Clock.Speed)
	}
	return s.snapshot()
}

// World describes the world as it is now. What is going on has not happened yet in it.
func (s *Sim) World() World {
	s.mu.RLock()
	defer s.mu.RUnlock()
	w := s.state.world
	now, speed := s.clock.Now(), s.clock.Speed()
	w.Clock = world.Clock{Start: &now, Speed: &speed}
	w.Huawei, w.Alibaba = s.state.ecs.World(now), s.state.aliyun.World(now)
	w.Huawei.CCE, w.Huawei.Clusters = s.state.cce.World(now)
	w.Faults = nil
	for _, f := range s.faults.List() {
		w.Faults = append(w.Faults, f.Rule)
	}
	return w
}

// Clock returns the simulated time.
func (s *Sim) Clock() *Clock { return s.clock }

// Journal returns what was called. To forget it in the state directory too, use ResetJournal.
func (s *Sim) Journal() *Journal { return s.journal }

// ResetJournal forgets all entries, in the state directory too. Their numbering goes on.
func (s *Sim) ResetJournal() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal.Reset()
	if s.store == nil {
		return nil
	}
	if err := s.store.rotate(); err != nil {
		return err
	}
	return s.snapshot()
}

// Faults returns the rules of what goes wrong.
func (s *Sim) Faults() *Faults { return s.faults }

// Servers returns all servers as they truly are now, in the world's order, whatever reads may still show.
func (s *Sim) Servers() []Server {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.ecs.Servers(s.clock.Now())
}

// Server returns the server with this id as it truly is now.
func (s *Sim) Server(id string) (Server, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.ecs.Server(id, s.clock.Now())
}

// Groups returns all groups as they truly are now.
func (s *Sim) Groups() []Group {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.ecs.Groups(s.clock.Now())
}

// Group returns the group with this id as it truly is now.
func (s *Sim) Group(id string) (Group, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.ecs.Group(id, s.clock.Now())
}

// Node returns the node of a cluster that this server truly is now, or is about to be.
func (s *Sim) Node(server string) (Node, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.cce.Node(server, s.clock.Now())
}

// Instances returns all Alibaba instances as they truly are now, in the world's order.
func (s *Sim) Instances() []Instance {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.aliyun.Instances(s.clock.Now())
}

// Instance returns the Alibaba instance with this id as it truly is now.
func (s *Sim) Instance(id string) (Instance, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.aliyun.Instance(id, s.clock.Now())
}

// NetworkInterface returns the network interface with this id as it truly is now.
func (s *Sim) NetworkInterface(id string) (NetworkInterface, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.aliyun.NetworkInterface(id, s.clock.Now())
}

// SecurityGroup returns the security group with this id as it truly is now.
func (s *Sim) SecurityGroup(id string) (SecurityGroup, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.aliyun.SecurityGroup(id, s.clock.Now())
}

// Resource returns the resource of this type, as JoinResourceGroup names it, and id as it truly is now.
func (s *Sim) Resource(resourceType, id string) (Resource, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.aliyun.Resource(resourceType, id, s.clock.Now())
}

// EDASMember returns the member of an EDAS cluster that this Alibaba instance truly is now, or is about to be.
func (s *Sim) EDASMember(instance string) (EDASMember, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.aliyun.EDASMember(instance, s.clock.Now())
}

// ContainerNode returns the node of a container cluster that this Alibaba instance truly is now, or is about to be.
func (s *Sim) ContainerNode(instance string) (ContainerNode, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.state.aliyun.ContainerNode(instance, s.clock.Now())
}

// Close saves the state, if there is a state directory. The simulator must not be used any more.
func (s *Sim) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.store == nil {
		return nil
	}
	return errors.Join(s.snapshot(), s.store.close())
}
