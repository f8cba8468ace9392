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
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/aliyun"
	"github.com/fleetjoin/fleetjoin/cloud/sim/cce"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/ecs"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/vpc"
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
	start    uint64 // begins the ids of requests, which differ between starts
	requests atomic.Int64

	// mu is held for writing while a write takes effect and is journalled, so the order of the journal is the order
	// of the effects; and for reading while a read looks at the state. JSON is encoded, and latency slept, without it.
	mu    sync.RWMutex
	state *state
}

// state is a loaded world. A new world is a new state.
type state struct {
	world World // completed, without the resources, which the services have
	State
}

// State is what the services know of a world at a moment, as it truly is, whatever reads may still show.
type State struct {
	Now     time.Time
	ECS     *ecs.Service // of Huawei Cloud, as CCE and VPC
	CCE     *cce.Service
	VPC     *vpc.Service
	Alibaba *aliyun.Service
}

// services are asked in turn whether a request is theirs; each knows its own.
func (s State) services() []wire.Service { return []wire.Service{s.Alibaba, s.ECS, s.CCE, s.VPC} }

const defaultJournalLimit = 1_000_000

// New returns a simulator of the world, or, if the state directory holds one, of the state found there.
func New(o Options) (*Sim, error) {
	if err := o.World.Validate(); err != nil {
		return nil, fmt.Errorf("world: %w", err)
	}
	s := &Sim{start: rand.Uint64(), state: newState(o.World)}
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
	network := vpc.New(w, time.Now)
	servers := ecs.New(w, network, time.Now)
	s := &state{State: State{ECS: servers, CCE: cce.New(w, servers, time.Now), VPC: network, Alibaba: aliyun.New(w, time.Now)}}
	w.Huawei.Servers, w.Huawei.Groups = nil, nil
	a := &w.Alibaba // a copy
	a.SecurityGroups, a.Instances, a.Interfaces, a.Resources, a.EDASClusters = nil, nil, nil, nil, nil
	s.world = w
	return s
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
	for _, service := range s.state.services() {
		service.Describe(&w, now)
	}
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

// Close saves the state, if there is a state directory. The simulator must not be used any more.
func (s *Sim) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.store == nil {
		return nil
	}
	return errors.Join(s.snapshot(), s.store.close())
}
