package main

import (
	"fmt"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// fleet is the work of a variant: servers that run and are to join a group, page by page, in a cloud that takes its time.
type fleet struct {
	pages, size      int         // size is the members of a page, at most membership.MaxMembers
	latency          clock.Range // of every call
	stop, add, start clock.Range
	speed            float64 // simulated seconds per second of ours
	throttle         world.Throttle
}

func (f fleet) members() int { return f.pages * f.size }

// page is one cohort's share of the work.
type page struct {
	Group   string
	Members []string
}

const (
	accountName = "bench"
	projectID   = "bench-project"
	accessKey   = "AKBENCH"
	secretKey   = "SKBENCH"
	region      = "sim-1"
	seed        = 42
)

// world is the same for the same fleet: every variant gets a fresh copy, with the same ids and the same timings.
func (f fleet) world() (world.World, []page) {
	w := world.World{
		Seed:  seed,
		Clock: world.Clock{Speed: &f.speed},
		Accounts: []world.Account{{Name: accountName, AccessKey: accessKey, SecretKey: secretKey, ProjectID: projectID,
			Region: region}},
	}
	w.Huawei.Latency, w.Huawei.Throttle = f.latency, f.throttle
	w.Huawei.Timings = world.Timings{Stop: f.stop, Add: f.add, Start: f.start}
	w.Huawei.Quotas = world.Quotas{ServerGroups: f.pages, ServerGroupMembers: f.size}
	w.Huawei.Flavors = []world.Flavor{{ID: "s6.large.2"}}
	pages := make([]page, f.pages)
	for i := range pages {
		group := fmt.Sprintf("page-%d", i+1)
		w.Huawei.Groups = append(w.Huawei.Groups, world.Group{Name: group})
		pages[i].Group = world.ID(seed, "group", group)
		for n := range f.size {
			server := world.Server{Name: fmt.Sprintf("%s-%03d", group, n+1), Flavor: "s6.large.2"}
			w.Huawei.Servers = append(w.Huawei.Servers, server)
			pages[i].Members = append(pages[i].Members, world.ID(seed, "server", server.Name))
		}
	}
	return w, pages
}

// own returns how long the simulator lets the server's one stop, add and start take. The simulator tells nobody, but its
// draws depend on nothing but the seed, the kind of operation, the server and how many operations it had before.
func (f fleet) own(server string) (stop, add, start time.Duration) {
	draw := func(r clock.Range, kind string, nth int) time.Duration {
		return r.Draw(world.Random(seed, kind, server, nth))
	}
	return draw(f.stop, "stop", 1), draw(f.add, "add", 2), draw(f.start, "start", 3)
}

func between(low, high time.Duration) clock.Range { return clock.Range{Min: low, Max: high} }

// sizes are how much of everything is measured, and how the cloud behaves meanwhile.
type sizes struct {
	baseline, engine []fleet
	prompt, slow     fleet // for the overhead: transitions that take no time, and some
	downtime         fleet
	pace             membership.Pace // of all but downtime
	patient          membership.Pace // of downtime, in our seconds
	rounds           int             // of what is quick enough to repeat
	fleets           []fleet         // for the scale, smallest first
	cohorts          int             // of such a fleet, at once
	throttled        fleet           // in a cloud that takes few calls,
	granted          float64         // so many a second
	paused           fleet           // in full swing; its cohorts at once:
	swing            int
}

// perPage is how many members a page of a large fleet has.
const perPage = 200

func full() sizes {
	const speed = 2 // of the downtime's clock; the default pace is scaled with it
	seconds, tens := between(time.Second, 3*time.Second), between(10*time.Second, time.Minute)
	waits := func(pages, size int) fleet {
		return fleet{pages: pages, size: size, stop: seconds, start: seconds, speed: 1}
	}
	s := sizes{
		baseline: []fleet{waits(1, 100), waits(1, 200)},
		engine:   []fleet{waits(10, 200), waits(50, 200)},
		prompt:   fleet{pages: 10, size: 200, latency: clock.Fixed(20 * time.Millisecond), speed: 1},
		slow:     waits(10, 200),
		downtime: fleet{pages: 5, size: 200, stop: tens, add: tens, start: tens, speed: speed},
		pace:     pace(time.Second, 10*time.Second),
		patient:  pace(2*time.Second/speed, 10*time.Second/speed),
		rounds:   3,
	}
	s.slow.latency = s.prompt.latency
	for _, pages := range []int{50, 100, 500} {
		s.fleets = append(s.fleets, fleet{pages: pages, size: perPage, speed: 1})
	}
	s.cohorts = 20
	s.throttled, s.granted = fleet{pages: 20, size: 150, speed: 1}, 40
	s.paused, s.swing = fleet{pages: 60, size: 50, stop: seconds, add: seconds, start: seconds, speed: 1}, 50
	return s
}

// small is enough to see whether everything works, and too little to judge a claim by.
func small() sizes {
	const faster = 10
	s := full()
	shrink := func(f fleet, pages, size int) fleet {
		f.pages, f.size, f.speed = pages, size, faster*f.speed
		f.latency = clock.Range{Min: faster * f.latency.Min, Max: faster * f.latency.Max}
		return f
	}
	const size = membership.ByName + 10 // a page must be more than a handful
	s.baseline = []fleet{shrink(s.baseline[0], 1, 5)}
	s.engine = []fleet{shrink(s.engine[0], 2, size)}
	s.prompt, s.slow, s.downtime = shrink(s.prompt, 2, size), shrink(s.slow, 2, size), shrink(s.downtime, 2, size)
	s.pace = pace(time.Second/faster, time.Second)
	s.patient, s.rounds = s.pace, 1
	s.throttled, s.granted = shrink(s.throttled, 2, size), 400
	s.paused, s.swing = shrink(s.paused, 4, size), 2
	for i := range s.fleets {
		s.fleets[i] = shrink(s.fleets[i], 2*(i+1), size)
	}
	return s
}

func pace(poll, slice time.Duration) membership.Pace {
	return membership.Pace{Poll: membership.Duration(poll), Slice: membership.Duration(slice), Parallel: 20}
}
