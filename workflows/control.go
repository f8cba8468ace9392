package workflows

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// controls are the names of what people can do to a run, in the order of the docs.
var controls = [...]string{membership.ControlPause, membership.ControlResume, membership.ControlAbort,
	membership.ControlRetry, membership.ControlSkip, membership.ControlMarkDone, membership.ControlApprove, membership.ControlReject}

// listen makes the run answer people from its first moment.
func (c *cohort) listen(ctx workflow.Context) error {
	if err := workflow.SetQueryHandlerWithOptions(ctx, membership.QueryStatus, func() (membership.Status, error) {
		return c.status(), nil
	}, workflow.QueryHandlerOptions{Description: "where every member is"}); err != nil {
		return err
	}
	names := controls[:]
	// A fleet's cohorts hear one word at a time.
	if c.fleet == "" && workflow.GetVersion(ctx, changeLastWords, workflow.DefaultVersion, 1) != workflow.DefaultVersion {
		names = lastWords(names)
	}
	steer := steering{names: names, help: controlHelp, do: c.control, refused: c.refuse,
		check: func(name string, raw converter.RawValue) error {
			_, _, err := c.check(name, raw)
			return err
		},
		abort: func(workflow.Context) { c.abort() }}
	return steer.listen(ctx)
}

// changeLastWords marks the runs in which of several signals in one task the one that stops more is the last word.
const changeLastWords = "last-words"

var controlHelp = map[string]string{
	membership.ControlPause:    "start nothing new and stop waiting; what the cloud is doing goes on",
	membership.ControlResume:   "go on after a pause",
	membership.ControlAbort:    "put back what is under way and end; joined members stay joined",
	membership.ControlRetry:    "try the stage of parked members again",
	membership.ControlSkip:     "leave parked members as they are",
	membership.ControlApprove:  "vote for the program with that digest",
	membership.ControlReject:   "vote against the program with that digest; one is enough",
	membership.ControlMarkDone: "vouch that the stage of parked members holds, and go on behind it",
}

// control does what a person asked for, or says why not.
func (c *cohort) control(ctx workflow.Context, name string, raw converter.RawValue) (membership.Controlled, error) {
	in, chosen, err := c.check(name, raw)
	if err != nil {
		return membership.Controlled{}, err
	}
	workflow.GetLogger(ctx).Info("control", "control", name, "by", in.By, "reason", in.Reason, "members", len(chosen))
	switch name {
	case membership.ControlPause:
		c.paused = true
		c.cancelForward()
	case membership.ControlResume:
		c.paused = false
		c.freshForward(ctx)
	case membership.ControlAbort:
		c.abort()
	case membership.ControlApprove, membership.ControlReject:
		v, err := c.ballots.admit(ctx, c.program.Gate, c.vote(ctx, name, in), c.objectionTo)
		if err != nil {
			return membership.Controlled{}, fmt.Errorf("%s: %w", name, err)
		}
		c.votes = append(c.votes, v)
	}
	done := membership.Controlled{Members: []string{}}
	for _, i := range chosen {
		m := &c.members[i]
		at := m.notes[len(m.notes)-1]
		done.Members = append(done.Members, c.program.Members[i].ID)
		switch name {
		case membership.ControlRetry:
			mark := membership.Forward(at.Stage)
			if at.Undo {
				mark = membership.Backward(at.Stage)
			}
			c.move(ctx, m, mark)
		case membership.ControlSkip:
			m.notes = append(m.notes, vouched(at, membership.CodeSkipped, in))
			if at.Undo { // nobody's word makes a rollback complete
				m.finish(membership.RollbackIncomplete)
			} else {
				m.finish(membership.Skipped)
			}
		case membership.ControlMarkDone:
			m.notes = append(m.notes, vouched(at, membership.CodeMarkedDone, in))
			c.pass(ctx, m, at.Stage, at.Undo)
		}
	}
	c.changed, c.trouble = true, ""
	return done, nil
}

// vouched notes what a person decided about a member, and why.
func vouched(at membership.Note, code string, in membership.Control) membership.Note {
	by := in.By
	if by == "" {
		by = "somebody"
	}
	at.Code, at.Reason, at.RequestID = code, fmt.Sprintf("by %s: %s", by, in.Reason), ""
	return at
}

// refuse records a vote that came as a signal and did not count: nobody was told, so the report tells.
func (c *cohort) refuse(ctx workflow.Context, name string, raw converter.RawValue, why error) {
	if name != membership.ControlApprove && name != membership.ControlReject {
		return
	}
	if len(c.votes) >= mostVotes {
		return
	}
	var in membership.Control
	_ = json.Unmarshal(payload(raw), &in) // what cannot be read is recorded as nobody's
	v := c.vote(ctx, name, in)
	v.By, v.Digest, v.Reason, v.Signature = membership.Short(v.By), membership.Short(v.Digest), membership.Short(v.Reason), ""
	v.Refused = strings.TrimPrefix(why.Error(), name+": ")
	c.votes = append(c.votes, v)
}

// mostVotes bounds what strangers can make a run remember.
const mostVotes = 100

// abort turns the run back. It may be asked for more than once.
func (c *cohort) abort() {
	c.aborting, c.changed = true, true
	c.cancelForward()
	c.cancelPlan()
}

// check decides whether a control makes sense now, and for whom.
func (c *cohort) check(name string, raw converter.RawValue) (in membership.Control, chosen []int, err error) {
	if data := payload(raw); len(data) > 0 {
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&in); err != nil {
			return in, nil, fmt.Errorf("%s: the payload cannot be read (%v); want {\"by\": …, \"reason\": …, \"members\": […]}", name, err)
		}
	}
	switch {
	case c.phase == membership.Ended:
		return in, nil, fmt.Errorf("%s: the run has ended", name)
	case c.phase == membership.Planning && (name == membership.ControlRetry || name == membership.ControlSkip || name == membership.ControlMarkDone):
		return in, nil, fmt.Errorf("%s: the run is being planned; no member waits for a person", name)
	case name == membership.ControlPause && c.aborting:
		return in, nil, errors.New("pause: the run is being aborted; putting back is never paused")
	case name == membership.ControlPause && c.paused:
		return in, nil, errors.New("pause: the run is paused already")
	case name == membership.ControlResume && !c.paused:
		return in, nil, errors.New("resume: the run is not paused")
	case name == membership.ControlAbort && c.aborting:
		return in, nil, errors.New("abort: the run is being aborted already")
	case name == membership.ControlPause, name == membership.ControlResume, name == membership.ControlAbort:
		if len(in.Members) > 0 {
			return in, nil, fmt.Errorf("%s: holds for the whole run; leave members out", name)
		}
		return in, nil, nil
	case name == membership.ControlApprove, name == membership.ControlReject:
		v := membership.Vote{By: in.By, Approves: name == membership.ControlApprove, Digest: in.Digest, Reason: in.Reason,
			Signature: in.Signature}
		if why := c.objectionTo(v); why != "" {
			return in, nil, fmt.Errorf("%s: %s", name, why)
		}
		return in, nil, nil
	case name != membership.ControlRetry && strings.TrimSpace(in.Reason) == "":
		return in, nil, fmt.Errorf("%s: reason is missing; say what you saw", name)
	}
	chosen, err = c.parked(in.Members)
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return in, chosen, err
}

// parked returns the members with the ids, or all, that wait for a person.
func (c *cohort) parked(ids []string) (chosen []int, err error) {
	var not []string
	for i := range c.members {
		id := c.program.Members[i].ID
		waits := c.members[i].outcome == "" && c.members[i].mark == membership.MarkParked
		switch named := slices.Contains(ids, id); {
		case waits && (named || len(ids) == 0):
			chosen = append(chosen, i)
		case named:
			not = append(not, fmt.Sprintf("%s does not wait for a person, it is at %q", id, c.at(i)))
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(c.program.Members, func(m membership.Member) bool { return m.ID == id }) {
			not = append(not, id+" is not a member of this run")
		}
	}
	switch {
	case len(not) > 0:
		return nil, errors.New(strings.Join(not, "; "))
	case len(chosen) == 0:
		return nil, errors.New("no member waits for a person")
	}
	return chosen, nil
}
