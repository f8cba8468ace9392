package cli

import (
	"errors"
	"fmt"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Exit codes. They are contract: scripts decide by them.
const (
	ExitOK             = 0
	ExitCouldNotRun    = 1
	ExitBadInput       = 2
	ExitRefused        = 3
	ExitRolledBack     = 4
	ExitNeedsPerson    = 5
	ExitAwaitsApproval = 8
	ExitInterrupted    = 130
)

const exitHelp = `Exit codes:
  0    all joined, left or already so
  1    could not run
  2    bad input; nothing was touched
  3    some members were refused or not approved: nothing was done to them; or skipped: left as they stand
  4    some failed and were rolled back, or the run was stopped clean: no member is half-way
  5    needs a person: unknown, not completely rolled back, or waiting for an answer
  8    waits for an approval
  130  stopped watching; the run goes on`

// exitOf maps how a run ended to what the shell is told.
func exitOf(o membership.RunOutcome, counts map[membership.Outcome]int) int {
	switch o {
	case membership.RunSucceeded:
		return ExitOK
	case membership.RunPartial:
		if counts[membership.RolledBack] > 0 {
			return ExitRolledBack
		}
		return ExitRefused
	case membership.RunRefused:
		return ExitRefused
	case membership.RunCancelled, membership.RunRolledBack:
		return ExitRolledBack
	default:
		return ExitNeedsPerson
	}
}

// exitError ends the program with a code. An empty text means that everything has been said.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

// exitWith returns an error that only sets the code; nil for ExitOK.
func exitWith(code int) error {
	if code == ExitOK {
		return nil
	}
	return &exitError{code: code}
}

// usageError is a command line that makes no sense.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// failure is what an error looks like with --json.
type failure struct {
	Error    string               `json:"error"`
	Problems []membership.Problem `json:"problems,omitempty"`
	Exit     int                  `json:"exit"`
}

// tell says on stderr, and with --json on stdout, why the program did not do what it should; it returns the exit code.
func tell(f *Factory, err error) int {
	if err == nil {
		return ExitOK
	}
	out := failure{Error: err.Error(), Exit: ExitCouldNotRun}
	var (
		exit  *exitError
		usage *usageError
		bad   *membership.BadInput
	)
	switch {
	case errors.As(err, &exit):
		out.Exit = exit.code
		if exit.text == "" {
			return out.Exit
		}
		f.notef("%s\n", cleanLines(out.Error))
	case errors.As(err, &bad):
		out.Exit, out.Problems = ExitBadInput, bad.Problems
		f.notef("fleetjoin: bad input, nothing was touched:\n")
		for _, p := range bad.Problems {
			f.notef("  %s\n", clean(p.String()))
		}
	case errors.As(err, &usage):
		out.Exit = ExitBadInput
		f.notef("fleetjoin: %s\nfleetjoin --help, and fleetjoin VERB --help, tell how to call it.\n", cleanLines(err.Error()))
	default:
		f.notef("fleetjoin: %s\n", cleanLines(err.Error()))
	}
	if f.JSON {
		if err := f.json(out); err != nil {
			f.notef("fleetjoin: %v\n", fmt.Errorf("write the error: %w", err))
		}
	}
	return out.Exit
}
