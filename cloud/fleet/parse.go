package fleet

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// wantPlan is what a whole plan looks like.
const wantPlan = "want an object with kind, account, group and members, or with steps, and, if need be, canary, waves, " +
	"soak, budget, windows, pace, approval, requester, whenHeld and name"

// ParsePlan reads a plan from JSON and wants to know every field of it, and that it makes sense. A membership.Request is a
// plan of one step. Its error is a *membership.BadInput.
func ParsePlan(data []byte) (Plan, error) {
	p, err := DecodePlan(data)
	if err != nil {
		return p, err
	}
	return p, membership.Bad(p.Problems())
}

// DecodePlan reads a plan from JSON and wants to know every field of it. Whether it makes sense, Problems tells.
func DecodePlan(data []byte) (p Plan, err error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		if found := misfits(data); len(found) > 0 {
			return Plan{}, membership.Bad(found)
		}
		return Plan{}, membership.Bad([]membership.Problem{membership.JSONProblem("plan", wantPlan, err)})
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Plan{}, membership.Bad([]membership.Problem{{Field: "plan", Want: "has more than one JSON value; want one object"}})
	}
	return p, nil
}
