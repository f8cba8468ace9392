package fleet_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// candidates makes one for each word of "id[/trait][@group]".
func candidates(words ...string) (cs []fleet.Candidate) {
	for _, w := range words {
		who, group, _ := strings.Cut(w, "@")
		id, trait, _ := strings.Cut(who, "/")
		cs = append(cs, fleet.Candidate{ID: id, Trait: trait, In: group})
	}
	return cs
}

// room has as many places as said for g1, g2 and so on; -1 is no limit.
func room(all int, each ...int) membership.Room {
	r := membership.Room{Each: make(map[string]int), All: all}
	for i, n := range each {
		if n >= 0 {
			r.Each[fmt.Sprintf("g%d", i+1)] = n
		}
	}
	return r
}

func TestAssign(t *testing.T) {
	const none = membership.NoLimit
	for name, c := range map[string]struct {
		by   string
		who  []fleet.Candidate
		room membership.Room
		want [][]string
		left int
	}{
		"filled in order":        {"", candidates("a", "b", "c"), room(none, 2, 2, 2), [][]string{{"a", "b"}, {"c"}, nil}, 0},
		"filled without a limit": {"fill", candidates("a", "b", "c"), room(none), [][]string{{"a", "b", "c"}, nil, nil}, 0},
		"full":                   {"fill", candidates("a", "b", "c", "d"), room(none, 1, 0, 1), [][]string{{"a"}, nil, {"b"}}, 2},
		"a limit that is shared": {"fill", candidates("a", "b", "c"), room(2, -1, 9, 9), [][]string{{"a", "b"}, nil, nil}, 1},
		"evenly":                 {"even", candidates("a", "b", "c", "d"), room(none), [][]string{{"a", "d"}, {"b"}, {"c"}}, 0},
		"evenly, as far as there is room": {"even", candidates("a", "b", "c", "d", "e"), room(none, 1, -1, 1),
			[][]string{{"a"}, {"b", "d", "e"}, {"c"}}, 0},
		"who is in stays": {"even", candidates("a@g1", "b@g1", "c", "d@elsewhere", "e"), room(none, 0, -1, -1),
			[][]string{{"a", "b"}, {"c", "e"}, {"d"}}, 0},
		"each zone by itself": {"zone", candidates("a/1", "b/1", "c/2", "d/1", "e/2", "f/2"), room(none),
			[][]string{{"a", "c"}, {"b", "e"}, {"d", "f"}}, 0},
		"what most have goes first": {"zone", candidates("a/1", "b/2", "c/2"), room(none, 1, -1, 0),
			[][]string{{"b"}, {"a", "c"}, nil}, 0},
		"without a zone, likewise": {"zone", candidates("a", "b", "c/1"), room(none), [][]string{{"a"}, {"b"}, {"c"}}, 0},
		"nobody":                   {"even", nil, room(none), [][]string{nil, nil, nil}, 0},
	} {
		s := fleet.Spread{Groups: []string{"g1", "g2", "g3"}, By: c.by}
		assigned, left := s.Assign(c.who, c.room)
		require.Equal(t, []fleet.Assignment{{Group: "g1", Members: c.want[0]}, {Group: "g2", Members: c.want[1]},
			{Group: "g3", Members: c.want[2]}}, assigned, name)
		require.Equal(t, c.left, left, name)
	}
}

// spreading is a spread of any members over any groups, and what came of it.
type spreading struct {
	spread fleet.Spread
	who    []fleet.Candidate
	room   membership.Room

	assigned []fleet.Assignment
	left     int
	group    map[string]int // by member
}

func draw(t *rapid.T, limited, stays bool) *spreading {
	s := &spreading{room: membership.Room{All: membership.NoLimit}, group: make(map[string]int)}
	s.spread.By = rapid.SampledFrom([]string{"", fleet.SpreadFill, fleet.SpreadEven, "zone", "tag:rack"}).Draw(t, "by")
	for g := range rapid.IntRange(1, 6).Draw(t, "groups") {
		s.spread.Groups = append(s.spread.Groups, fmt.Sprintf("g%d", g))
	}
	if limited {
		s.room.Each = make(map[string]int)
		for _, g := range s.spread.Groups {
			if rapid.Bool().Draw(t, "limit of "+g) {
				s.room.Each[g] = rapid.IntRange(0, 10).Draw(t, "room of "+g)
			}
		}
		if rapid.Bool().Draw(t, "limit of all") {
			s.room.All = rapid.IntRange(0, 40).Draw(t, "room of all")
		}
	}
	for i := range rapid.IntRange(0, 60).Draw(t, "members") {
		c := fleet.Candidate{ID: fmt.Sprintf("m%d", i)}
		if s.spread.Trait() != "" { // a spread by nothing has members without
			c.Trait = rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "trait")
		}
		if stays {
			c.In = rapid.SampledFrom(append([]string{"", "elsewhere"}, s.spread.Groups...)).Draw(t, "in")
		}
		s.who = append(s.who, c)
	}
	s.assigned, s.left = s.spread.Assign(s.who, s.room)
	for g, a := range s.assigned {
		for _, id := range a.Members {
			if _, twice := s.group[id]; twice {
				t.Fatalf("%s has two groups", id)
			}
			s.group[id] = g
		}
	}
	return s
}

// came returns how many have come into each group, without those who are in it anyway.
func (s *spreading) came() (came []int, all int) {
	came = make([]int, len(s.spread.Groups))
	for _, c := range s.who {
		if g, ok := s.group[c.ID]; ok && s.spread.Groups[g] != c.In {
			came[g]++
			all++
		}
	}
	return came, all
}

// free is what room is left in a group.
func (s *spreading) free(group, came int) int {
	if n, limited := s.room.Each[s.spread.Groups[group]]; limited {
		return n - came
	}
	return membership.NoLimit
}

func TestAssignKeepsToTheRoom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t, true, true)
		require.Len(t, s.assigned, len(s.spread.Groups))
		require.Equal(t, len(s.who), len(s.group)+s.left, "everybody has a group, or is counted as left over")
		came, all := s.came()
		require.LessOrEqual(t, all, s.room.All)
		for g := range came {
			free := s.free(g, came[g])
			require.GreaterOrEqual(t, free, 0, "more than group %d has room for", g)
			require.False(t, s.left > 0 && free > 0 && all < s.room.All, "left over although there is room in group %d", g)
		}
		for _, c := range s.who {
			if at := slices.Index(s.spread.Groups, c.In); at >= 0 {
				require.Equal(t, at, s.group[c.ID], "%s has been moved", c.ID)
			}
		}
		again, left := s.spread.Assign(s.who, s.room)
		require.Equal(t, s.assigned, again)
		require.Equal(t, s.left, left)
		for _, a := range s.assigned {
			require.True(t, slices.IsSortedFunc(a.Members, func(a, b string) int { return index(s.who, a) - index(s.who, b) }))
		}
	})
}

func index(who []fleet.Candidate, id string) int {
	return slices.IndexFunc(who, func(c fleet.Candidate) bool { return c.ID == id })
}

func TestAssignFillsOrLevels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t, true, false)
		came, all := s.came()
		if all == s.room.All {
			return
		}
		for g := range came {
			for h := range came {
				switch s.spread.By {
				case "", fleet.SpreadFill:
					require.False(t, g < h && came[h] > 0 && s.free(g, came[g]) > 0, "group %d is begun before %d is full", h, g)
				case fleet.SpreadEven:
					require.False(t, came[g]+1 < came[h] && s.free(g, came[g]) > 0, "group %d has room, and group %d has 2 more", g, h)
				}
			}
		}
	})
}

func TestAssignLevelsEachTrait(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t, false, false)
		if s.spread.Trait() == "" {
			return
		}
		sizes := make([]int, len(s.spread.Groups))
		alike := make(map[string][]int)
		for _, c := range s.who {
			if alike[c.Trait] == nil {
				alike[c.Trait] = make([]int, len(sizes))
			}
			sizes[s.group[c.ID]]++
			alike[c.Trait][s.group[c.ID]]++
		}
		for trait, counts := range alike {
			require.LessOrEqual(t, slices.Max(counts)-slices.Min(counts), 1, "of %q", trait)
		}
		require.LessOrEqual(t, slices.Max(sizes)-slices.Min(sizes), 1)
	})
}
