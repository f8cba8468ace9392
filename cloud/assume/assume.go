// Package assume makes the simulator's numbered assumptions executable: each is a sentence of deploy/docs/world.md with a
// check that asks a cloud through its vendor's SDK. Against the simulator all must hold. Against a real account those that
// only read can be run too; what does not hold there is a fault of the simulator, or a knob that is to be set otherwise.
package assume

import (
	"context"
	"errors"
	"fmt"
)

// Claim is something that the vendor's documents leave open, and what the simulator takes for true.
type Claim struct {
	ID     string // as in world.md, such as "H1"
	Says   string // the sentence there
	Source string // where it is from: a page of the vendor's, another's observation, or nothing but a guess
	Writes bool   // the check changes something
	Long   bool   // the check waits for hours
}

// Assumption is a claim with its check, which asks a cloud of type C.
type Assumption[C any] struct {
	Claim
	Check func(ctx context.Context, c C) error
}

// Claims returns what assumptions claim.
func Claims[C any](all []Assumption[C]) []Claim {
	claims := make([]Claim, len(all))
	for i, a := range all {
		claims[i] = a.Claim
	}
	return claims
}

// The ways in which a check can end.
const (
	Holds   = "holds"
	Broken  = "does not hold"
	Failed  = "could not be checked"
	Skipped = "not checked"
)

// Result is how the check of an assumption ended.
type Result struct {
	Claim
	Outcome string
	Why     string // of all but Holds
}

// Options say what may be checked.
type Options struct {
	ReadOnly bool                 // skip what writes
	Quick    bool                 // skip what waits for hours
	Only     func(id string) bool // nil: all
}

// Run checks the assumptions, each against the cloud that open returns for it.
func Run[C any](ctx context.Context, all []Assumption[C], o Options, open func() (C, error)) []Result {
	var results []Result
	for _, a := range all {
		if o.Only != nil && !o.Only(a.ID) {
			continue
		}
		r := Result{Claim: a.Claim}
		switch {
		case a.Writes && o.ReadOnly:
			r.Outcome, r.Why = Skipped, "it writes"
		case a.Long && o.Quick:
			r.Outcome, r.Why = Skipped, "it takes hours"
		default:
			r.Outcome, r.Why = check(ctx, a, open)
		}
		results = append(results, r)
	}
	return results
}

func check[C any](ctx context.Context, a Assumption[C], open func() (C, error)) (outcome, why string) {
	c, err := open()
	if err != nil {
		return Failed, err.Error()
	}
	err = a.Check(ctx, c)
	var seen *otherwise
	var lacks *missing
	switch {
	case err == nil:
		return Holds, ""
	case errors.As(err, &seen):
		return Broken, seen.Error()
	case errors.As(err, &lacks):
		return Skipped, lacks.Error()
	}
	return Failed, err.Error()
}

// otherwise is what was seen where an assumption does not hold.
type otherwise struct{ text string }

func (o *otherwise) Error() string { return o.text }

// saw says what is not as assumed.
func saw(format string, args ...any) error { return &otherwise{fmt.Sprintf(format, args...)} }

// equal compares what was seen with what is assumed.
func equal[T comparable](what string, seen, assumed T) error {
	if seen == assumed {
		return nil
	}
	return saw("%s is %v, not %v", what, seen, assumed)
}

// missing is what an account lacks for a check.
type missing struct{ what string }

func (m *missing) Error() string { return "there is no " + m.what }

// first returns the first error, so that a check reads as a list.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
