package fleet

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const (
	// MostCohorts is the most cohorts that a plan may have in flight.
	MostCohorts = 1000
	// MaxProblems is the most problems that are told of a plan, so that they can be read when everything is wrong.
	MaxProblems = 25
	wantWho     = "want members with their group, or groups, or targets"
)

// StepList returns the plan's steps: those listed, or the one whose fields stand beside the plan's.
func (p Plan) StepList() []Step {
	if len(p.Steps) > 0 {
		return p.Steps
	}
	return []Step{p.Step}
}

// Problems returns everything that is wrong with the plan as far as one can tell without a cloud, a kind or a target
// file, 25 problems at most.
func (p Plan) Problems() []membership.Problem {
	r := review{members: make(map[membershipOf]string)}
	r.add(p.rules()...)
	if p.Rollback != "" {
		r.add(p.rollbackProblems()...)
		return Limited(r.problems)
	}
	if p.Steps != nil && len(p.Steps) == 0 {
		r.add(membership.Problem{Field: "steps", Want: "is an empty list; want at least one step"})
		if len(p.Step.given()) == 0 {
			return Limited(r.problems) // nothing else is there to be wrong
		}
	}
	if beside := p.Step.given(); len(p.Steps) > 0 && len(beside) > 0 {
		r.add(membership.Problem{Field: "steps", Value: "beside " + strings.Join(beside, ", "),
			Want: "want either steps or the fields of a single one, not both"})
	}
	for i, s := range p.StepList() {
		r.step(p.At(i), s)
		if total := s.listed(); total > 0 {
			r.add(p.totalProblems(total, p.StepName(i))...)
		}
		if r.full() {
			break
		}
	}
	return Limited(r.problems)
}

// rollbackProblems returns what is wrong with a plan that puts back what a run did.
func (p Plan) rollbackProblems() (ps []membership.Problem) {
	hash, isKey := strings.CutPrefix(p.Rollback, "sha256:")
	if sum, err := hex.DecodeString(hash); !isKey || err != nil || len(sum) != 32 {
		ps = append(ps, membership.Problem{Field: "rollback", Value: membership.Quote(p.Rollback),
			Want: `want the key of a run's archive, "sha256:" and 64 hex digits, as its report tells`})
	}
	beside := p.Step.given()
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"steps", p.Steps != nil},
		{"canary", p.Canary != 0},
		{"waves", p.Waves != nil},
		{"soak", p.Soak != 0},
		{"budget", p.Budget != nil},
	} {
		if f.set {
			beside = append(beside, f.name)
		}
	}
	if len(beside) > 0 {
		ps = append(ps, membership.Problem{Field: "rollback", Value: "beside " + strings.Join(beside, ", "),
			Want: "puts back what another run did, and has none of them; leave them out"})
	}
	return ps
}

// At is what the names of a step's fields begin with: "steps[1].", or "" where they stand beside the plan's own.
func (p Plan) At(step int) string {
	if len(p.Steps) == 0 {
		return ""
	}
	return fmt.Sprintf("steps[%d].", step)
}

// StepName is what problems call a step: "steps[1]", or "the step" where its fields stand beside the plan's own.
func (p Plan) StepName(step int) string {
	return cmp.Or(strings.TrimSuffix(p.At(step), "."), "the step")
}

// Limited cuts problems down to MaxProblems, and says so. Who collects them may stop as soon as there are more.
func Limited(ps []membership.Problem) []membership.Problem {
	if len(ps) <= MaxProblems {
		return ps
	}
	return append(ps[:MaxProblems-1], membership.Problem{Field: "plan", Want: "has more problems; the rest was not looked at"})
}

// rules returns what is wrong with what holds for all steps.
func (p Plan) rules() (ps []membership.Problem) {
	ps = append(ps, membership.CheckWords("name", p.Name)...)
	ps = append(ps, membership.CheckWords("requester", p.Requester)...)
	if p.Approval != nil {
		ps = append(ps, p.Approval.Approval.Problems(p.Requester)...)
	}
	if w := p.WhenHeld; w != "" && w != WhenHeldRefuse && w != WhenHeldWait {
		ps = append(ps, membership.Problem{Field: "whenHeld", Value: membership.Quote(w),
			Want: fmt.Sprintf("want %q or %q", WhenHeldRefuse, WhenHeldWait)})
	}
	ps = append(ps, p.waveProblems()...)
	if p.Soak < 0 {
		ps = append(ps, membership.Problem{Field: "soak", Value: p.Soak.Std().String(), Want: "want 0s or more"})
	}
	ps = append(ps, p.Budget.Problems("budget")...)
	ps = append(ps, Windows(p.Windows).Problems("windows")...)
	if n := p.Pace.Cohorts; n < 0 || n > MostCohorts {
		ps = append(ps, membership.Problem{Field: "pace.cohorts", Value: fmt.Sprint(n),
			Want: fmt.Sprintf("want 1 to %d; it is %d when left out", MostCohorts, DefaultCohorts)})
	}
	if n := p.Pace.Members; n < 0 || n > membership.MaxMembers {
		ps = append(ps, membership.Problem{Field: "pace.members", Value: fmt.Sprint(n),
			Want: fmt.Sprintf("want 1 to %d; it is as many as the kind takes when left out", membership.MaxMembers)})
	}
	return ps
}

// given names the fields of the step that are set.
func (s Step) given() (names []string) {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"operation", s.Operation != ""},
		{"kind", s.Kind != ""},
		{"account", s.Account != ""},
		{"params", len(s.Params) > 0},
		{"group", s.Group != ""},
		{"members", len(s.Members) > 0},
		{"groups", len(s.Groups) > 0},
		{"targets", s.Targets != nil},
		{"spread", s.Spread != nil},
		{"from", s.From != ""},
	} {
		if f.set {
			names = append(names, f.name)
		}
	}
	return names
}

// listed is how many members the step names itself.
func (s Step) listed() int {
	n := len(s.Members)
	for _, a := range s.Groups {
		n += len(a.Members)
	}
	return n
}

// review collects what is wrong with the steps of a plan, until it is enough.
type review struct {
	problems []membership.Problem
	members  map[membershipOf]string // the field that names the member first
}

// membershipOf is what nobody is to have twice. Leaving and joining are two: a plan may move members.
type membershipOf struct {
	operation             membership.Operation
	kind, account, member string
}

func (r *review) add(ps ...membership.Problem) { r.problems = append(r.problems, ps...) }

func (r *review) full() bool { return len(r.problems) > MaxProblems }

// step reviews a step whose fields are called at and their name.
func (r *review) step(at string, s Step) {
	add := func(field, value, want string) {
		r.add(membership.Problem{Field: at + field, Value: value, Want: want})
	}
	key := membershipOf{operation: s.Operation, kind: s.Kind, account: s.Account}
	switch s.Operation {
	case "":
		key.operation = membership.Join
	case membership.Join, membership.Leave:
	default:
		add("operation", membership.Quote(string(s.Operation)),
			fmt.Sprintf("want %q (also \"\") or %q", membership.Join, membership.Leave))
	}
	r.add(membership.CheckName(at+"kind", s.Kind)...)
	r.add(membership.CheckName(at+"account", s.Account)...)
	switch members, groups, targets := len(s.Members) > 0, len(s.Groups) > 0, s.Targets != nil; {
	case members && groups, members && targets:
		add("members", "", "stands beside other targets; "+wantWho)
	case groups && targets:
		add("groups", "", "stands beside targets; "+wantWho)
	case members:
		if s.Spread == nil {
			r.add(membership.CheckID(at+"group", s.Group)...)
		}
		r.list(at+"members", s.Members, key)
	case groups:
		if s.Group != "" {
			add("group", membership.Quote(s.Group), "stands beside groups, each of which has its own; leave it out")
		}
		r.groups(at+"groups", s.Groups, key)
	case targets:
		if s.Group != "" || s.Targets.Cloud != nil && s.Spread == nil {
			r.add(membership.CheckID(at+"group", s.Group)...)
		}
		r.add(s.Targets.problems(at + "targets")...)
	default:
		add("members", "", "is empty; "+wantWho)
	}
	if s.Spread != nil {
		r.spread(at, s, key.operation)
	}
	if s.From != "" && key.operation == membership.Leave {
		add("from", membership.Quote(s.From), "is for members that join; to move some, let them join the group that they are to be in")
		return
	}
	for _, group := range s.intoGroups() {
		if ps := membership.CheckFrom(at+"from", s.From, group); len(ps) > 0 {
			r.add(ps...)
			return
		}
	}
}

// intoGroups are the groups that the step names for its members, "" when it names none.
func (s Step) intoGroups() (groups []string) {
	for _, a := range s.Groups {
		groups = append(groups, a.Group)
	}
	if s.Spread != nil {
		groups = append(groups, s.Spread.Groups...)
	}
	return append(groups, s.Group)
}

// spread reviews how a step's members are divided over groups.
func (r *review) spread(at string, s Step, op membership.Operation) {
	r.add(s.Spread.problems(at + "spread")...)
	beside := func(field, value, want string) {
		r.add(membership.Problem{Field: at + field, Value: value, Want: want})
	}
	if op == membership.Leave {
		beside("spread", "", "is for members that join; who leaves, leaves the one group that the step names")
	}
	if s.Group != "" {
		beside("group", membership.Quote(s.Group), "stands beside spread, which has groups; leave one of them out")
	}
	if len(s.Groups) > 0 {
		beside("groups", "", "have members of their own beside spread, which divides members; leave one of them out")
	}
}

func (r *review) groups(field string, groups []Assignment, key membershipOf) {
	first := make(map[string]int, len(groups))
	for i, a := range groups {
		own := fmt.Sprintf("%s[%d]", field, i)
		r.add(membership.CheckID(own+".group", a.Group)...)
		if at, twice := first[a.Group]; twice && a.Group != "" {
			r.add(membership.Problem{Field: own + ".group", Value: membership.Quote(a.Group),
				Want: fmt.Sprintf("is the same as %s[%d].group; name each group once", field, at)})
		} else {
			first[a.Group] = i
		}
		if len(a.Members) == 0 {
			r.add(membership.Problem{Field: own + ".members", Want: "is empty; want 1 id or more"})
		}
		if r.list(own+".members", a.Members, key); r.full() {
			return
		}
	}
}

func (r *review) list(field string, ids []string, key membershipOf) {
	for i, id := range ids {
		own := fmt.Sprintf("%s[%d]", field, i)
		r.add(membership.CheckID(own, id)...)
		key.member = id
		if before, twice := r.members[key]; twice && id != "" {
			r.add(membership.Problem{Field: own, Value: membership.Quote(id),
				Want: "is the same as " + before + "; name each member once"})
		} else {
			r.members[key] = own
		}
		if r.full() {
			return
		}
	}
}

func (t *Targets) problems(field string) (ps []membership.Problem) {
	const wantFile = "want the name of a file in the worker's folder of target files, such as \"web.csv\""
	switch {
	case t.Cloud != nil && (t.File != "" || t.SHA256 != "" || t.Address != ""):
		return []membership.Problem{{Field: field + ".cloud", Want: "stands beside a file; want one of them"}}
	case t.Cloud != nil:
		return t.Cloud.Problems(field + ".cloud")
	case t.File == "":
		ps = append(ps, membership.Problem{Field: field + ".file", Want: "is missing; " + wantFile + ", or cloud"})
	case !fs.ValidPath(t.File) || t.File == ".":
		ps = append(ps, membership.Problem{Field: field + ".file", Value: membership.Quote(t.File), Want: wantFile})
	default:
		var bad *membership.BadInput
		if _, err := FormatOf(t.File); errors.As(err, &bad) {
			for _, p := range bad.Problems {
				p.Field = field + ".file"
				ps = append(ps, p)
			}
		}
	}
	if format, err := FormatOf(t.File); t.Address != "" && err == nil && format != JSON {
		ps = append(ps, membership.Problem{Field: field + ".address", Value: membership.Quote(t.Address),
			Want: "is for a state of Terraform, a .tfstate or .json; leave it out"})
	}
	sum, err := hex.DecodeString(t.SHA256)
	if t.SHA256 != "" && (err != nil || len(sum) != 32 || strings.ToLower(t.SHA256) != t.SHA256) {
		ps = append(ps, membership.Problem{Field: field + ".sha256", Value: membership.Quote(t.SHA256),
			Want: "want the SHA-256 of the file as 64 hex digits in lower case"})
	}
	return ps
}
