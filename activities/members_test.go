package activities

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/store"
)

// town is a kind whose groups and members are listed here. Groups begin with "g".
type town struct {
	membership.Kind
	people []membership.Found
	room   membership.Room
	looks  []membership.Query // what it was asked
	unfit  []string           // ids of those who are refused
	places int                // that each takes, for who looks as watched does
}

func (t *town) Spec() membership.Spec { return membership.Spec{ID: "toy.town", PageLimit: 3} }

func (t *town) Validate(r membership.Request) []membership.Problem {
	if r.Group != "" && !strings.HasPrefix(r.Group, "g") {
		return []membership.Problem{{Field: "group", Value: membership.Quote(r.Group), Want: "want a g"}}
	}
	return nil
}

func (t *town) Cost(membership.Target, *membership.Member) membership.Cost {
	return membership.Cost{}
}

func (t *town) Open(context.Context, membership.Target) (membership.Session, error) {
	return &hall{town: t}, nil
}

type hall struct {
	membership.Session
	*town
}

func (h *hall) Observe(context.Context, membership.Look) (membership.Observation, error) {
	return census{unfit: h.unfit}, nil
}

type census struct {
	membership.Observation
	unfit []string
}

func (c census) Compile(r membership.Request, op membership.Operation) membership.Program {
	return membership.Compile(membership.Spec{ID: r.Kind}, r, op, func(id string) membership.Member {
		m := membership.Member{ID: id}
		if slices.Contains(c.unfit, id) {
			m.Refused = []membership.Objection{{Code: "unfit", Reason: "it is"}}
		}
		return m
	})
}

func (h *hall) Find(_ context.Context, q membership.Query, yield func(membership.Found) error) error {
	h.looks = append(h.looks, q)
	for _, g := range q.Groups() {
		if _, ok := h.town.room.Each[g]; !ok {
			return membership.NoGroup(g, "in town")
		}
	}
	for _, f := range h.people {
		if !q.Matches(f) || q.IDs != nil && !slices.Contains(q.IDs, f.ID) {
			continue
		}
		if err := yield(f); err != nil {
			return err
		}
	}
	return nil
}

func (h *hall) Room(_ context.Context, groups []string) (membership.Room, error) {
	for _, g := range groups {
		if _, ok := h.town.room.Each[g]; !ok {
			return membership.Room{}, membership.NoGroup(g, "in town")
		}
	}
	return h.town.room, nil
}

// populated is a town of 8 in 2 zones, of whom m1 is in g1.
func populated() *town {
	t := &town{room: membership.Room{Each: map[string]int{"g1": 9, "g2": 9, "gfull": 0}, All: membership.NoLimit}}
	for _, i := range []int{8, 3, 5, 1, 2, 7, 4, 6} { // as the cloud has it: in no order
		f := membership.Found{ID: fmt.Sprintf("m%d", i), Name: fmt.Sprintf("web-%d", i),
			Traits: membership.Traits(fmt.Sprintf("az%d", i%2+1), map[string]string{"env": "prod"})}
		if i == 1 {
			f.Groups = []string{"g0", "g1"}
		}
		t.people = append(t.people, f)
	}
	return t
}

func quiet() *testsuite.TestActivityEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	return suite.NewTestActivityEnvironment()
}

// survey finds out who a plan of one step is about: "group: members" of each page, in order.
func survey(t *testing.T, kind membership.Kind, folder string, step fleet.Step) (pages []string, err error) {
	t.Helper()
	blobs, err := store.Open(t.TempDir())
	require.NoError(t, err)
	a := New(Options{Kinds: []membership.Kind{kind}, Store: blobs, Targets: folder})
	env := quiet()
	env.RegisterActivity(a.Survey)
	step.Kind, step.Account = "toy.town", "demo"
	value, err := env.ExecuteActivity(a.Survey, fleet.Plan{Step: step})
	if err != nil {
		return nil, err
	}
	var s fleet.Survey
	require.NoError(t, value.Get(&s))
	m, err := store.GetJSON[fleet.Manifest](t.Context(), blobs, store.Key(s.Manifest))
	require.NoError(t, err)
	for _, paged := range m.Steps {
		require.Nil(t, paged.Members)
		for w, wave := range paged.Waves {
			for p, ref := range wave {
				page, err := store.GetJSON[fleet.Page](t.Context(), blobs, store.Key(ref.Key))
				require.NoError(t, err)
				require.Equal(t, len(page.Members), s.Steps[0].Waves[w].Pages[p])
				pages = append(pages, page.Group+": "+strings.Join(page.Members, " "))
			}
		}
	}
	return pages, nil
}

func cloudTargets(q membership.Query) *fleet.Targets { return &fleet.Targets{Cloud: &q} }

func TestMembersFromTheCloud(t *testing.T) {
	everybody := membership.Query{Tags: map[string]string{"env": "prod"}}
	others := everybody
	others.NotIn = "g1"
	for name, c := range map[string]struct {
		step fleet.Step
		want []string
	}{
		"in an order of their own": {fleet.Step{Group: "g1", Targets: cloudTargets(everybody)}, []string{"g1: m1 m2 m3", "g1: m4 m5 m6", "g1: m7 m8"}},
		"not in the group yet":     {fleet.Step{Group: "g1", Targets: cloudTargets(others)}, []string{"g1: m2 m3 m4", "g1: m5 m6 m7", "g1: m8"}},
		"who leaves": {fleet.Step{Operation: membership.Leave, Group: "g1", Targets: cloudTargets(membership.Query{In: "g1"})},
			[]string{"g1: m1"}},
		"spread evenly": {fleet.Step{Targets: cloudTargets(everybody), Spread: &fleet.Spread{Groups: []string{"g1", "g2"}, By: "even"}},
			[]string{"g1: m1 m3 m5", "g1: m7", "g2: m2 m4 m6", "g2: m8"}},
		"spread by zone": {fleet.Step{Targets: cloudTargets(everybody), Spread: &fleet.Spread{Groups: []string{"g2", "g1"}, By: "zone"}},
			[]string{"g2: m2 m3 m5", "g2: m6", "g1: m1 m4 m7", "g1: m8"}},
	} {
		pages, err := survey(t, populated(), "", c.step)
		require.NoError(t, err, name)
		require.Equal(t, c.want, pages, name)
	}
}

// Of a cloud that changes between two pages some are on both.
func TestWhoTheCloudTellsOfTwiceIsThereOnce(t *testing.T) {
	kind := populated()
	kind.people = append(kind.people, slices.Clone(kind.people[:3])...)
	pages, err := survey(t, kind, "", fleet.Step{Group: "g1", Targets: cloudTargets(membership.Query{Name: "*"})})
	require.NoError(t, err)
	require.Equal(t, []string{"g1: m1 m2 m3", "g1: m4 m5 m6", "g1: m7 m8"}, pages)
}

func TestListedMembersAreSpread(t *testing.T) {
	by := func(by string) *fleet.Spread { return &fleet.Spread{Groups: []string{"g1", "g2"}, By: by} }
	folder := t.TempDir()
	for name, text := range map[string]string{
		"plain.csv":  "member\nm2\nm4\nm1\nm6\n",
		"racks.csv":  "member,tag:rack\nm2,r1\nm4,r1\nm5,r2\nm7,r2\n",
		"groups.csv": "member,group\nm2,\nm4,g2\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	for name, c := range map[string]struct {
		step fleet.Step
		want []string
	}{
		"who is in a group stays":             {fleet.Step{Members: []string{"m2", "m1", "m3"}, Spread: by("even")}, []string{"g1: m1 m3", "g2: m2"}},
		"members, by zone":                    {fleet.Step{Members: []string{"m2", "m4", "m3", "m5"}, Spread: by("zone")}, []string{"g1: m2 m3", "g2: m4 m5"}},
		"a file":                              {fleet.Step{Targets: &fleet.Targets{File: "plain.csv"}, Spread: by("")}, []string{"g1: m2 m4 m1", "g1: m6"}},
		"a file's own column":                 {fleet.Step{Targets: &fleet.Targets{File: "racks.csv"}, Spread: by("tag:rack")}, []string{"g1: m2 m5", "g2: m4 m7"}},
		"who does not exist is refused later": {fleet.Step{Members: []string{"m2", "m99"}, Spread: by("zone")}, []string{"g1: m99", "g2: m2"}},
	} {
		kind := populated()
		pages, err := survey(t, kind, folder, c.step)
		require.NoError(t, err, name)
		require.Equal(t, c.want, pages, name)
		require.Len(t, kind.looks, 1, "all of them at once")
	}
	empty := populated()
	empty.people = nil
	pages, err := survey(t, empty, folder, fleet.Step{Targets: &fleet.Targets{File: "racks.csv"}, Spread: by("tag:rack")})
	require.NoError(t, err, "the list tells what the cloud does not")
	require.Equal(t, []string{"g1: m2 m5", "g2: m4 m7"}, pages)
	_, err = survey(t, empty, folder, fleet.Step{Members: []string{"m1"}, Spread: by("zone")})
	require.ErrorContains(t, err, `spread.by: "zone": no member is known to have it`)
	_, err = survey(t, populated(), folder, fleet.Step{Targets: &fleet.Targets{File: "groups.csv"}, Spread: by("")})
	require.ErrorContains(t, err, `groups.csv line 3: "m4": has a group of its own, and the step spreads its members`)
}

// Who will not join makes no group look full, and takes nobody's place.
func TestASpreadIsOfThoseWhoWillJoin(t *testing.T) {
	kind := populated()
	kind.room.Each = map[string]int{"g1": 2, "g2": 2}
	kind.unfit = []string{"m2", "m3", "m4"}
	for by, want := range map[string][]string{
		"even": {"g1: m5 m7 m2", "g1: m4", "g2: m6 m8 m3"},
		"fill": {"g1: m5 m6 m2", "g1: m3 m4", "g2: m7 m8"},
	} {
		pages, err := survey(t, kind, "", fleet.Step{Members: []string{"m2", "m3", "m4", "m5", "m6", "m7", "m8"},
			Spread: &fleet.Spread{Groups: []string{"g1", "g2"}, By: by}})
		require.NoError(t, err)
		require.Equal(t, want, pages, by)
	}
}

func TestWhatCannotBeSpreadIsNotBegun(t *testing.T) {
	all := cloudTargets(membership.Query{Name: "*"})
	tight := func(all int, each map[string]int) *town {
		kind := populated()
		kind.room = membership.Room{Each: each, All: all}
		return kind
	}
	over := func(groups ...string) fleet.Step {
		return fleet.Step{Targets: all, Spread: &fleet.Spread{Groups: groups}}
	}
	for words, c := range map[string]struct {
		kind *town
		step fleet.Step
	}{
		"spread.groups: 2 of 8 members are left over: g1 takes 5 more, gfull is full; name more groups, or fewer members": {
			tight(membership.NoLimit, map[string]int{"g1": 5, "gfull": 0}), over("g1", "gfull")},
		"spread.groups: 4 of 8 members are left over: g1 takes 9 more, g2 takes 9 more, together they take 3 more": {
			tight(3, map[string]int{"g1": 9, "g2": 9}), over("g1", "g2")},
		`spread.groups[1]: "g9": does not exist in town`:               {populated(), over("g1", "g9")},
		`spread.groups[1]: "h": want a g`:                              {populated(), over("g1", "h")},
		`targets.cloud.notIn: "h": want a g`:                           {populated(), fleet.Step{Group: "g1", Targets: cloudTargets(membership.Query{Name: "*", NotIn: "h"})}},
		`targets.cloud.in: "g9": does not exist in town; want a group`: {populated(), fleet.Step{Group: "g1", Targets: cloudTargets(membership.Query{In: "g9"})}},
		`targets.cloud: {"name":"db-*"}: finds nobody`:                 {populated(), fleet.Step{Group: "g1", Targets: cloudTargets(membership.Query{Name: "db-*"})}},
		`spread.by: "tag:rack": no member is known to have it`:         {populated(), fleet.Step{Targets: all, Spread: &fleet.Spread{Groups: []string{"g1"}, By: "tag:rack"}}},
	} {
		_, err := survey(t, c.kind, "", c.step)
		require.ErrorContains(t, err, words)
	}
}

func TestGroupsThatAreTooManyToName(t *testing.T) {
	var groups []string
	room := membership.Room{Each: make(map[string]int), All: membership.NoLimit}
	for i := range 12 {
		groups = append(groups, fmt.Sprintf("g%d", i))
		room.Each[groups[i]] = 0
	}
	require.True(t, strings.HasSuffix(tooFull(groups, room), "g9 is full, and 2 groups more"), tooFull(groups, room))
}

func TestAPlanMayMoveMembers(t *testing.T) {
	blobs, err := store.Open(t.TempDir())
	require.NoError(t, err)
	a := New(Options{Kinds: []membership.Kind{populated()}, Store: blobs})
	env := quiet()
	env.RegisterActivity(a.Survey)
	move := func(second membership.Operation) fleet.Plan {
		step := fleet.Step{Operation: membership.Leave, Kind: "toy.town", Account: "demo", Group: "g1", Members: []string{"m1"}}
		again := step
		again.Operation, again.Group = second, "g2"
		return fleet.Plan{Steps: []fleet.Step{step, again}}
	}
	_, err = env.ExecuteActivity(a.Survey, move(membership.Join))
	require.NoError(t, err)
	refill := move(membership.Join)
	refill.Steps[1].Group, refill.Steps[1].Members, refill.Steps[1].Spread = "", []string{"m2"}, &fleet.Spread{Groups: []string{"gfull"}}
	refill.Steps[0].Group = "gfull"
	_, err = env.ExecuteActivity(a.Survey, refill)
	require.ErrorContains(t, err, "gfull is full when the steps before are done", "m1 was not in it")
	_, err = env.ExecuteActivity(a.Survey, move(membership.Leave))
	require.ErrorContains(t, err, `steps[1].members[0]: "m1": is named for group g1 in steps[0] already; name each member once`)
}

// A plan may be applied again: then the query finds nobody who is not where they are to be.
func TestAQueryThatLeavesNobodyIsNoMistake(t *testing.T) {
	pages, err := survey(t, populated(), "", fleet.Step{Group: "g1", Targets: cloudTargets(membership.Query{Name: "db-*", NotIn: "g1"})})
	require.NoError(t, err)
	require.Empty(t, pages)
}
