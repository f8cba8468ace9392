package fleet

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Spread divides the members of a step over groups, as far as these have room: when they have not, the run does not
// begin. A member that is in one of the groups already stays there, as far as the kind can tell, so that a plan may be
// run twice.
type Spread struct {
	Groups []string `json:"groups"` // ids
	// By says how: "fill" (also "") fills one group after the other; "even" makes them grow alike; "zone" and "tag:KEY" do
	// so for the members of each zone, or with each value of the tag, by themselves.
	By string `json:"by,omitempty"`
}

// Values of Spread.By that are no traits.
const (
	SpreadFill = "fill"
	SpreadEven = "even"
)

// Trait is the trait of members that the spread goes by, "" when it goes by none.
func (s Spread) Trait() string {
	if membership.IsTrait(s.By) {
		return s.By
	}
	return ""
}

// Candidate is a member that is to be spread.
type Candidate struct {
	ID    string
	Trait string // the value of the trait that the spread goes by; "" where it has none
	In    string // a group of the spread that it is in, and stays in; "" when it is in none
}

// Assign gives each candidate a group, and none more than it has room for: left is how many have found none. Candidates
// keep their order within a group, groups that of the spread; a group that the room does not name has no limit. The same
// candidates in the same order are assigned alike.
func (s Spread) Assign(candidates []Candidate, room membership.Room) (assigned []Assignment, left int) {
	a := newAssigning(s, candidates, room)
	for i, c := range candidates {
		if g := slices.Index(s.Groups, c.In); g >= 0 { // it takes no room: it has it
			a.put(i, g)
		}
	}
	for _, i := range a.order() {
		g := a.choose(i)
		if a.chosen[i] >= 0 {
			continue
		}
		if g < 0 {
			left++
			continue
		}
		a.room[g]--
		a.all--
		a.put(i, g)
	}
	assigned = make([]Assignment, len(s.Groups))
	for g, id := range s.Groups {
		assigned[g].Group = id
	}
	for i, g := range a.chosen {
		if g >= 0 {
			assigned[g].Members = append(assigned[g].Members, candidates[i].ID)
		}
	}
	return assigned, left
}

// assigning is a spread that is being done. Groups go by their index in the spread, candidates by theirs.
type assigning struct {
	fill       bool
	candidates []Candidate
	chosen     []int            // by candidate, its group; -1 while it has none
	room       []int            // by group
	all        int              // of all groups together
	sizes      []int            // by group: how many of the candidates it has
	alike      map[string][]int // likewise, of those with a value of the trait
	counts     map[string]int   // how many candidates have the value
}

func newAssigning(s Spread, candidates []Candidate, room membership.Room) *assigning {
	a := &assigning{fill: s.By == "" || s.By == SpreadFill, candidates: candidates, chosen: make([]int, len(candidates)),
		room: make([]int, len(s.Groups)), all: room.All, sizes: make([]int, len(s.Groups)),
		alike: make(map[string][]int), counts: make(map[string]int)}
	for g, id := range s.Groups {
		a.room[g] = membership.NoLimit
		if n, limited := room.Each[id]; limited {
			a.room[g] = n
		}
	}
	for i, c := range candidates {
		a.chosen[i] = -1
		a.counts[c.Trait]++
		if a.alike[c.Trait] == nil {
			a.alike[c.Trait] = make([]int, len(s.Groups))
		}
	}
	return a
}

// order is who chooses first: of the value that most have, since it is the hardest to spread over what room there is.
func (a *assigning) order() []int {
	order := make([]int, len(a.candidates))
	for i := range order {
		order[i] = i
	}
	if a.fill {
		return order
	}
	slices.SortStableFunc(order, func(i, j int) int {
		one, other := a.candidates[i].Trait, a.candidates[j].Trait
		return cmp.Or(cmp.Compare(a.counts[other], a.counts[one]), cmp.Compare(one, other))
	})
	return order
}

// choose returns the group for a candidate, -1 when none has room: the first that has or, unless groups are filled, the
// one with the fewest of its like, and of those the smallest.
func (a *assigning) choose(candidate int) int {
	if a.all <= 0 {
		return -1
	}
	best, alike := -1, a.alike[a.candidates[candidate].Trait]
	for g, room := range a.room {
		switch {
		case room <= 0:
		case best < 0:
			best = g
		case !a.fill && cmp.Or(cmp.Compare(alike[g], alike[best]), cmp.Compare(a.sizes[g], a.sizes[best])) < 0:
			best = g
		}
	}
	return best
}

func (a *assigning) put(candidate, group int) {
	a.chosen[candidate] = group
	a.sizes[group]++
	a.alike[a.candidates[candidate].Trait][group]++
}

func (s *Spread) problems(field string) (ps []membership.Problem) {
	if len(s.Groups) == 0 {
		ps = append(ps, membership.Problem{Field: field + ".groups", Want: "is empty; want 1 id or more"})
	}
	first := make(map[string]int, len(s.Groups))
	for i, id := range s.Groups {
		own := fmt.Sprintf("%s.groups[%d]", field, i)
		ps = append(ps, membership.CheckID(own, id)...)
		if at, twice := first[id]; twice && id != "" {
			ps = append(ps, membership.Problem{Field: own, Value: membership.Quote(id),
				Want: fmt.Sprintf("is the same as %s.groups[%d]; name each group once", field, at)})
		} else {
			first[id] = i
		}
	}
	if s.By != "" && s.By != SpreadFill && s.By != SpreadEven && s.Trait() == "" {
		ps = append(ps, membership.Problem{Field: field + ".by", Value: membership.Quote(s.By),
			Want: fmt.Sprintf(`want %q (also ""), %q, %q or "tag:" and a key, such as "tag:rack"`, SpreadFill, SpreadEven,
				membership.TraitZone)})
	}
	return ps
}
