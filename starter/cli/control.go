package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// ControlOptions are what the verbs that steer a run take.
type ControlOptions struct {
	*Factory
	Name string // of the control, which is also the verb
	Run  string
	fleet.Control
	Signing           Signing // of a vote
	Failures, PerWave string  // of a changed budget
	Strict            *bool
	BudgetThen        string // likewise
	WaveName          string
}

// controlled is what such a verb prints with --json.
type controlled struct {
	ID      string   `json:"id"`
	Control string   `json:"control"`
	Members []string `json:"members"` // those that it moved
}

// newControls makes the verbs that steer a run: each is an update of that name, so that the run can refuse it with
// words. The plain signals of the same names do the same without an answer.
func newControls(f *Factory, runF func(context.Context, *ControlOptions) error) []*cobra.Command {
	if runF == nil {
		runF = controlRun
	}
	verbs := []struct {
		name, short string
		byMember    bool // acts on the members that wait for a person
		needsReason bool
		votes       bool
	}{
		{membership.ControlPause, "Start nothing new in a run; what the cloud is doing goes on", false, false, false},
		{membership.ControlResume, "Go on with a paused run", false, false, false},
		{membership.ControlAbort, "Put back what is under way and end the run; joined members stay joined", false, false, false},
		{membership.ControlRetry, "Try members again that failed or wait for a person, from where they are", true, false, false},
		{membership.ControlSkip, "Leave members that nobody can tell about as they are", true, true, false},
		{membership.ControlMarkDone, "Vouch that members are as they should be; nothing more is done to them, so start what is off", true, true, false},
		{fleet.ControlChange, "Change how many cohorts of a run are in flight, or its failure budget", false, false, false},
		{membership.ControlApprove, "Vote for a run that waits for approval", false, false, true},
		{membership.ControlReject, "Vote against a run that waits for approval; one such vote ends it", false, true, true},
	}
	var cmds []*cobra.Command
	for _, v := range verbs {
		o := &ControlOptions{Factory: f, Name: v.name}
		cmd := &cobra.Command{
			Use:   v.name + " RUN",
			Short: v.short,
			Args:  oneRun,
			RunE: func(cmd *cobra.Command, args []string) error {
				o.Run = args[0]
				if v.needsReason && o.Reason == "" {
					return badValue("--reason", "", "is missing; say what you saw, it is kept with the run")
				}
				if v.votes && o.Digest == "" {
					return badValue("--digest", "", "is missing; a vote is for the program you have looked at: fleetjoin status "+o.Run+" prints its digest")
				}
				if err := o.changes(); err != nil {
					return err
				}
				return runF(cmd.Context(), o)
			},
		}
		if v.votes {
			cmd.Flags().StringVar(&o.Digest, "digest", "", "of the program that you vote on")
			o.Signing.flags(cmd)
		}
		cmd.Flags().StringVar(&o.By, "by", me(), "who does this; kept with the run")
		cmd.Flags().StringVar(&o.Reason, "reason", "", "why; kept with the run")
		switch v.name {
		case membership.ControlAbort:
			cmd.Flags().StringVar((*string)(&o.Then), "then", "", "what becomes of what is under way: put-back (default), "+
				"finish, roll-back-wave or roll-back")
		case fleet.ControlChange:
			cmd.Flags().IntVar(&o.Cohorts, "cohorts", 0, "cohorts at once")
			cmd.Flags().StringVar(&o.Failures, "failures", "", "failures allowed in the step, such as 12 or 5%")
			cmd.Flags().StringVar(&o.PerWave, "per-wave", "", "failures allowed in each wave")
			cmd.Flags().BoolFunc("strict", "whether the members in flight stay within the budget; with =false speed goes first", func(v string) error {
				strict, err := strconv.ParseBool(v)
				o.Strict = &strict
				return err
			})
			cmd.Flags().StringVar(&o.BudgetThen, "then", "", "what follows when the budget is spent: stop, roll-back-wave or roll-back")
		}
		if v.byMember {
			cmd.Flags().StringArrayVar(&o.Members, "member", nil,
				"id of a member; may be given more than once; none means all that it makes sense for")
			cmd.Flags().StringVar(&o.WaveName, "wave", "", "only members of this wave of the present step, by its name in status, "+
				"such as canary, or 2 for wave 2")
		}
		cmds = append(cmds, cmd)
	}
	return cmds
}

// changes reads a changed budget.
func (o *ControlOptions) changes() error {
	for _, c := range []struct {
		flag, value string
		into        func(*fleet.Budget) *fleet.Share
	}{
		{"--failures", o.Failures, func(b *fleet.Budget) *fleet.Share { return &b.Failures }},
		{"--per-wave", o.PerWave, func(b *fleet.Budget) *fleet.Share { return &b.PerWave }},
	} {
		if c.value == "" {
			continue
		}
		if o.Budget == nil {
			o.Budget = &fleet.Budget{}
		}
		if err := c.into(o.Budget).UnmarshalJSON([]byte(strconv.Quote(c.value))); err != nil {
			return badValue(c.flag, c.value, "want a number of members, such as 12, or a percentage, such as 5%")
		}
	}
	if o.BudgetThen != "" || o.Strict != nil {
		if o.Budget == nil {
			o.Budget = &fleet.Budget{}
		}
		o.Budget.Then, o.Budget.Strict = fleet.Then(o.BudgetThen), o.Strict
	}
	return nil
}

// waveNumber finds the wave of the present step that has a name.
func waveNumber(waves []fleet.WaveStatus, name string) (int, error) {
	var names []string
	for i, w := range waves {
		if w.Name == name || w.Name == "wave "+name {
			return i + 1, nil
		}
		names = append(names, w.Name)
	}
	return 0, badValue("--wave", name, "is no wave of the present step; want "+cmp.Or(strings.Join(names, ", "), "to wait until everybody is found"))
}

func controlRun(ctx context.Context, o *ControlOptions) (err error) {
	if o.Signature, err = sign(ctx, o.Factory, o.Signing, membership.Vote{By: o.By, Approves: o.Name == membership.ControlApprove,
		Digest: o.Digest, Reason: o.Reason}); err != nil {
		return err
	}
	conn, err := o.Connect(ctx, o.Profile)
	if err != nil {
		return err
	}
	defer conn.Close()
	found, err := describe(ctx, conn, o.Run, "")
	if err != nil {
		return err
	}
	if found.cohort {
		return &exitError{ExitBadInput, "refused: " + o.Run + " is a cohort, which does what its run says; steer the run"}
	}
	if o.WaveName != "" {
		status, err := query(ctx, conn, o.Run, found.id)
		if err != nil {
			return unanswered(ctx, conn, "run "+o.Run+" does not answer", err)
		}
		if o.Wave, err = waveNumber(status.Waves, o.WaveName); err != nil {
			return err
		}
	}
	asking, cancel := context.WithTimeout(ctx, 2*queryTimeout)
	defer cancel()
	update, err := conn.UpdateWorkflow(asking, client.UpdateWorkflowOptions{
		WorkflowID: o.Run, UpdateName: o.Name, Args: []any{o.Control},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	var done membership.Controlled
	if err == nil {
		err = update.Get(asking, &done)
	}
	var refused *temporal.ApplicationError
	var gone *serviceerror.NotFound
	switch {
	case errors.As(err, &refused):
		return &exitError{ExitBadInput, "refused: " + clean(refused.Message())}
	case errors.As(err, &gone):
		return &exitError{ExitBadInput, fmt.Sprintf("refused: run %s has ended; see: fleetjoin report %s", o.Run, o.Run)}
	case err != nil:
		err = unanswered(ctx, conn, "run "+o.Run+" does not answer", err)
		same, _ := json.Marshal(o.Control) // of plain data
		return fmt.Errorf("%w\nto leave it for the next worker: temporal workflow signal --workflow-id %s --name %s --input '%s'",
			err, o.Run, o.Name, strings.ReplaceAll(string(same), "'", `'\''`))
	}
	if o.JSON {
		return o.json(controlled{ID: o.Run, Control: o.Name, Members: done.Members})
	}
	o.printf("%s: accepted by run %s\n", o.Name, o.Run)
	for _, m := range done.Members {
		o.printf("  %s\n", clean(m))
	}
	return nil
}

// me names the operator for the run's records. It is a courtesy, not a proof.
func me() string {
	name := os.Getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if name == "" {
		return "unknown"
	}
	host, err := os.Hostname()
	if err != nil {
		return name
	}
	return name + "@" + host
}
