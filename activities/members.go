package activities

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/targets"
)

// roster is a step whose members are being found.
type roster struct {
	kind   membership.Kind
	step   fleet.Step
	before []planned // the steps before, in order
	list   []listed
	open   membership.Session
	read   string        // what the step's list was taken for
	found  *atomic.Int64 // of the whole plan, for those who wait; nil: nobody does
}

// add takes down somebody whom the step is about.
func (r *roster) add(m listed) {
	r.list = append(r.list, m)
	if r.found != nil {
		r.found.Add(1)
	}
}

// listed is somebody whom a step is about.
type listed struct {
	fleet.Candidate
	group string // "": the step's, or the spread's to say
	line  int    // where the step's file names it; 0: it was in none
}

// members returns who is to be in which group, groups in the order in which they are first named.
func (a *Activities) members(ctx context.Context, r *roster) ([]fleet.Assignment, error) {
	if err := r.checkGroups(); err != nil {
		return nil, err
	}
	groups, err := r.step.Groups, error(nil)
	switch {
	case r.step.Targets != nil && r.step.Targets.Cloud != nil:
		err = r.find(ctx)
	case r.step.Targets != nil:
		err = a.readTargets(r)
	default:
		for _, id := range r.step.Members {
			r.list = append(r.list, listed{Candidate: fleet.Candidate{ID: id}})
		}
	}
	switch {
	case err != nil:
		return nil, err
	case r.step.Spread != nil:
		groups, err = r.spread(ctx)
	case len(groups) == 0:
		groups = r.byGroup()
	}
	groups = slices.DeleteFunc(slices.Clone(groups), func(g fleet.Assignment) bool { return len(g.Members) == 0 })
	if err == nil && len(groups) == 0 && (r.step.Targets == nil || r.step.Targets.Cloud == nil) {
		err = bad("members", "", "are none; want at least one")
	}
	return groups, err
}

func bad(field, value, want string) error {
	return membership.Bad([]membership.Problem{{Field: field, Value: value, Want: want}})
}

// checkGroups lets the kind look at the groups that the cloud is asked about.
func (r *roster) checkGroups() error {
	var problems []membership.Problem
	for _, id := range r.asked() {
		request := membership.Request{Kind: r.step.Kind, Account: r.step.Account, Group: id, Params: r.step.Params}
		for _, p := range r.kind.Validate(request) {
			if p.Field == "group" {
				p.Field = r.fieldOfGroup(id)
				problems = addNew(problems, p)
			}
		}
	}
	return membership.Bad(problems)
}

func (r *roster) byGroup() (groups []fleet.Assignment) {
	at := make(map[string]int)
	for _, m := range r.list {
		group := cmp.Or(m.group, r.step.Group)
		i, ok := at[group]
		if !ok {
			i = len(groups)
			at[group] = i
			groups = append(groups, fleet.Assignment{Group: group})
		}
		groups[i].Members = append(groups[i].Members, m.ID)
	}
	return groups
}

// readTargets reads a step's list. What is pinned and has changed is not what somebody looked at.
func (a *Activities) readTargets(r *roster) error {
	name := r.step.Targets.File
	if a.targets == "" {
		return bad("targets.file", membership.Quote(name),
			"cannot be read: the worker has no folder of target files; start it with --targets FOLDER")
	}
	format, err := fleet.FormatOf(name)
	if err != nil {
		return err
	}
	file, err := targets.Open(a.targets, name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	var problems []membership.Problem
	options := targets.Options{Format: format, Kind: r.step.Kind, Groups: r.step.Group == "" && r.step.Spread == nil,
		Address: r.step.Targets.Address}
	taken, err := targets.ReadFile(file, options, func(t targets.Target) error {
		want := ""
		switch spread := r.step.Spread; {
		case t.Group == "" && r.step.Group == "" && spread == nil:
			want = "has no group; give the line one, or the step"
		case t.Group != "" && spread != nil:
			want = "has a group of its own, and the step spreads its members; leave one of them out"
		case spread != nil:
			r.add(listed{Candidate: fleet.Candidate{ID: t.Member, Trait: t.Traits[spread.Trait()]}, line: t.Line})
		default:
			r.add(listed{Candidate: fleet.Candidate{ID: t.Member}, group: t.Group, line: t.Line})
		}
		if want != "" {
			problems = addNew(problems, membership.Problem{Field: r.line(t.Line), Value: membership.Quote(t.Member), Want: want})
		}
		return nil
	})
	r.read = name + ": " + taken.String()
	sum := taken.SHA256
	if want := r.step.Targets.SHA256; want != "" && sum != "" && sum != want { // whatever else is wrong with it by now
		return bad("targets.sha256", want,
			fmt.Sprintf("is not the file's: %s has changed, it is %s now; look at it again and pin it anew", name, sum))
	}
	if err != nil {
		return r.inFile(err)
	}
	return membership.Bad(problems)
}

// session opens the I/O of the step's kind, once. group is one of those that the members go to.
func (r *roster) session(ctx context.Context, group string) (membership.Session, error) {
	if r.open != nil {
		return r.open, nil
	}
	var err error
	r.open, err = r.kind.Open(ctx, membership.Target{Operation: operation(r.step), Account: r.step.Account, Group: group,
		From: r.step.From, Params: r.step.Params})
	return r.open, err
}

// find finds the members in the cloud. They are put in an order of their own, since the cloud has none: looking twice
// makes the same waves.
func (r *roster) find(ctx context.Context) error {
	group := r.step.Group
	if r.step.Spread != nil {
		group = r.step.Spread.Groups[0]
	}
	session, err := r.session(ctx, group)
	if err != nil {
		return err
	}
	err = session.Find(ctx, *r.step.Targets.Cloud, func(f membership.Found) error {
		m := listed{Candidate: fleet.Candidate{ID: f.ID}}
		r.learn(&m, f)
		r.add(m)
		return nil
	})
	if err != nil {
		return r.located(err)
	}
	if q := *r.step.Targets.Cloud; len(r.list) == 0 && q.In == "" && q.NotIn == "" { // else nobody is left to be moved
		said, _ := json.Marshal(q)
		return bad("targets.cloud", membership.Short(string(said)), "finds nobody; want a query that matches at least one member")
	}
	slices.SortStableFunc(r.list, func(a, b listed) int { return strings.Compare(a.ID, b.ID) })
	// A cloud that changes while its pages are read tells of some twice.
	r.list = slices.CompactFunc(r.list, func(a, b listed) bool { return a.ID == b.ID })
	return nil
}

// learn takes from what was found of a member what its spread goes by. What a list says of a trait goes before.
func (r *roster) learn(m *listed, f membership.Found) {
	if r.step.Spread == nil {
		return
	}
	m.Trait = cmp.Or(m.Trait, f.Traits[r.step.Spread.Trait()])
	for _, group := range f.Groups {
		if slices.Contains(r.step.Spread.Groups, group) {
			m.In = group
		}
	}
}

// spread divides the members over the groups of the step's spread, none of which gets more than it takes.
func (r *roster) spread(ctx context.Context) ([]fleet.Assignment, error) {
	session, err := r.session(ctx, r.step.Spread.Groups[0])
	if err != nil {
		return nil, err
	}
	if r.step.Targets == nil || r.step.Targets.Cloud == nil {
		if err := r.look(ctx, session); err != nil {
			return nil, err
		}
	}
	spread := r.step.Spread
	if trait := spread.Trait(); trait != "" && !slices.ContainsFunc(r.list, func(m listed) bool { return m.Trait != "" }) {
		return nil, bad("spread.by", membership.Quote(trait),
			"no member is known to have it; want what some have, in the cloud or in a column of the list")
	}
	room, err := session.Room(ctx, spread.Groups)
	if err != nil {
		return nil, r.located(err)
	}
	room = room.Clone()
	changed, err := r.ahead(ctx, session, &room)
	if err != nil {
		return nil, err
	}
	when := ""
	if changed {
		when = " when the steps before are done"
	}
	refused, err := r.refused(ctx)
	if err != nil {
		return nil, err
	}
	var candidates, others []fleet.Candidate
	for _, m := range r.list {
		if refused[m.ID] && m.In == "" {
			others = append(others, m.Candidate)
		} else {
			candidates = append(candidates, m.Candidate)
		}
	}
	groups, left := spread.Assign(candidates, room)
	// Who is refused takes no room, and must not make a group look fuller than it will be. Each is named in one all the same:
	// what speaks against it may be gone when its cohort begins.
	more, _ := spread.Assign(others, membership.Room{All: membership.NoLimit})
	for i := range groups {
		groups[i].Members = append(groups[i].Members, more[i].Members...)
	}
	if left > 0 {
		return nil, bad("spread.groups", fmt.Sprintf("%d of %d members are left over", left, len(r.list)),
			tooFull(spread.Groups, room)+when+"; name more groups, or fewer members")
	}
	return groups, nil
}

// refused are the members of a spread that would be refused now, whatever else there is room for.
func (r *roster) refused(ctx context.Context) (map[string]bool, error) {
	refused := make(map[string]bool)
	group, spec := r.step.Spread.Groups[0], r.kind.Spec()
	session, err := r.session(ctx, group)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(r.list))
	for i, m := range r.list {
		ids[i] = m.ID
	}
	for page := range slices.Chunk(ids, min(spec.PageLimit, membership.MaxMembers)) {
		request := request(r.step, fleet.Page{Group: group, Members: page})
		if len(membership.Validate(r.kind, request)) > 0 {
			continue // which is told, page by page, with the field
		}
		seen, err := session.Observe(ctx, membership.Look{Members: page, Thorough: true})
		if err != nil {
			return nil, err
		}
		for _, m := range seen.Compile(request, membership.Join).Members {
			refused[m.ID] = len(m.Refused) > 0
		}
	}
	return refused, nil
}

// look asks the cloud about members that were listed: where they are, and what they are spread by.
func (r *roster) look(ctx context.Context, session membership.Session) error {
	ids, at := make([]string, len(r.list)), make(map[string]int, len(r.list))
	for i, m := range r.list {
		ids[i], at[m.ID] = m.ID, i
	}
	err := session.Find(ctx, membership.Query{IDs: ids}, func(f membership.Found) error {
		if i, ok := at[f.ID]; ok {
			r.learn(&r.list[i], f)
		}
		return nil
	})
	return r.located(err)
}

// tooFull says how many more members groups take.
func tooFull(groups []string, room membership.Room) string {
	const most = 10
	var words []string
	for _, id := range groups[:min(len(groups), most)] {
		switch n, limited := room.Each[id]; {
		case !limited || n == membership.NoLimit:
		case n <= 0:
			words = append(words, id+" is full")
		default:
			words = append(words, fmt.Sprintf("%s takes %d more", id, n))
		}
	}
	if len(groups) > most {
		words = append(words, fmt.Sprintf("and %d groups more", len(groups)-most))
	}
	if room.All != membership.NoLimit {
		words = append(words, fmt.Sprintf("together they take %d more", max(room.All, 0)))
	}
	return strings.Join(words, ", ")
}
