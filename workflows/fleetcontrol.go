package workflows

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/rollout"
)

// listen makes the run answer people from its first moment: by the status query; by controls, each an update, which is
// refused with words when it makes no sense now, and a plain signal; and by cancelling the run, which is an abort. What they
// ask for is done whether or not the run is cancelled.
func (f *fleetRun) listen(ctx workflow.Context) error {
	if err := workflow.SetQueryHandlerWithOptions(ctx, membership.QueryStatus, func() (fleet.Status, error) {
		return f.Status(), nil
	}, workflow.QueryHandlerOptions{Description: "how far it is"}); err != nil {
		return err
	}
	free, _ := workflow.NewDisconnectedContext(ctx)
	for _, spec := range stoppingLast(rollout.Controls()) {
		if err := workflow.SetUpdateHandlerWithOptions(ctx, spec.Name,
			func(ctx workflow.Context, raw converter.RawValue) (membership.Controlled, error) {
				return f.control(ctx, spec.Name, raw)
			},
			workflow.UpdateHandlerOptions{
				Validator: func(raw converter.RawValue) error {
					in, err := readControl(spec.Name, raw)
					if err != nil {
						return err
					}
					return f.Check(spec.Name, in)
				},
				Description: spec.Help,
			}); err != nil {
			return err
		}
		signals := workflow.GetSignalChannelWithOptions(ctx, spec.Name, workflow.SignalChannelOptions{Description: spec.Help})
		workflow.Go(free, func(ctx workflow.Context) {
			for {
				var raw converter.RawValue
				signals.Receive(ctx, &raw)
				f.hearing++
				if _, err := f.control(ctx, spec.Name, raw); err != nil {
					workflow.GetLogger(ctx).Warn("a signal was refused", "signal", spec.Name, "error", err)
					var in fleet.Control
					_ = json.Unmarshal(payload(raw), &in) // as much of it as can be read
					f.Refused(workflow.Now(ctx), spec.Name, in, err)
				}
				f.hearing--
			}
		})
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		ctx.Done().Receive(ctx, nil)
		f.Cancelled(workflow.Now(ctx))
		f.changed = true
	})
	return nil
}

// stoppingLast orders controls so that of those that come as signals with one task the one that stops more is the last word.
// In what order they were sent, the SDK does not tell: it hands over one name after the other, as they were listened for.
func stoppingLast(controls []rollout.ControlSpec) []rollout.ControlSpec {
	weight := map[string]int{membership.ControlPause: 1, membership.ControlAbort: 2}
	slices.SortStableFunc(controls, func(a, b rollout.ControlSpec) int { return weight[a.Name] - weight[b.Name] })
	return controls
}

func readControl(name string, raw converter.RawValue) (in fleet.Control, err error) {
	if data := payload(raw); len(data) > 0 {
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&in); err != nil {
			return in, fmt.Errorf("%s: the payload cannot be read (%v); want {\"by\": …, \"reason\": …}", name, err)
		}
	}
	return in, nil
}

// control does what a person asks for, or says why not. At a gate that wants votes signed, a worker looks at the signature
// first: that takes a moment, in which others vote or the gate closes.
func (f *fleetRun) control(ctx workflow.Context, name string, raw converter.RawValue) (membership.Controlled, error) {
	in, err := readControl(name, raw)
	if err == nil {
		err = f.Check(name, in)
	}
	if err != nil {
		return membership.Controlled{Members: []string{}}, err
	}
	isVote := name == membership.ControlApprove || name == membership.ControlReject
	if g, _ := f.Gate(); isVote && g.Signed {
		why := f.votes.check(ctx, membership.Ballot{Vote: f.VoteOf(name, in), Requester: g.Requester})
		if err = f.Check(name, in); err == nil && why != "" {
			err = errors.New(name + ": " + why)
		}
		if err != nil {
			return membership.Controlled{Members: []string{}}, err
		}
	}
	done, err := f.Control(workflow.Now(ctx), name, in)
	f.changed = true
	return done, err
}

// ballots are the votes whose signatures are being checked while a gate is open. It is a worker that does so: those who may
// sign are in a file of its own, which may change at any time.
type ballots struct {
	ctx    workflow.Context // of the checks; nil when there are none
	cancel workflow.CancelFunc
	open   int
}

// check has the signature of a vote checked, and returns why it does not count, "" when it does.
func (b *ballots) check(ctx workflow.Context, v membership.Ballot) (why string) {
	if b.ctx == nil {
		free, _ := workflow.NewDisconnectedContext(ctx)
		b.ctx, b.cancel = workflow.WithCancel(free)
	}
	b.open++
	defer func() { b.open-- }()
	checking := persist(b.ctx, time.Minute, "the signature of "+membership.Short(v.By))
	if err := workflow.ExecuteActivity(checking, CheckVoteActivity, v).Get(ctx, &why); err != nil {
		return "its signature could not be checked: " + err.Error()
	}
	return why
}

// stop ends the checks under way, since their gate has closed: the vote comes too late.
func (b *ballots) stop(ctx workflow.Context) {
	if b.ctx == nil {
		return
	}
	b.cancel()
	b.ctx = nil
	if err := workflow.Await(ctx, func() bool { return b.open == 0 }); err != nil {
		workflow.GetLogger(ctx).Error("votes that come too late are not told so", "error", err)
	}
}
