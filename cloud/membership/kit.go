package membership

import (
	"context"
	"fmt"
)

// Open is what most kinds do to open a session: read the parameters of the target, find the client of its account, and
// make a session of both.
func Open[C, P any](ctx context.Context, t Target, dial func(ctx context.Context, account string) (C, error),
	read func(Target) (P, []Problem), session func(C, Target, P) Session) (Session, error) {
	params, problems := read(t)
	if err := Bad(problems); err != nil {
		return nil, err
	}
	client, err := dial(ctx, t.Account)
	if err != nil {
		return nil, err
	}
	return session(client, t, params), nil
}

// Compile makes the program of a request from what its kind says of each member, in the order of the request.
func Compile(spec Spec, r Request, op Operation, member func(id string) Member) Program {
	p := Program{Kind: spec.ID, Revision: spec.Revision, Operation: op, Account: r.Account, Group: r.Group, From: r.From,
		Params: r.Params, Stages: spec.Stages[op]}
	for _, id := range r.Members {
		p.Members = append(p.Members, member(id))
	}
	return p
}

// Objections collects what speaks against a member. It does not end at the first: an operator wants to mend them all at
// once.
type Objections []Objection

// Add objects.
func (all *Objections) Add(code, reason string, args ...any) {
	*all = append(*all, Objection{Code: code, Reason: fmt.Sprintf(reason, args...)})
}

// When objects if something is so.
func (all *Objections) When(so bool, code, reason string, args ...any) {
	if so {
		all.Add(code, reason, args...)
	}
}

// FactPower is a fact in Member.Before that the engine itself reads, as FactZone is: whether a member ran when the program was made,
// PowerOn or PowerOff. A kind whose members have no power leaves it out. After a wave, the soak looks whether it still is
// what it was.
const (
	FactPower = "power"
	PowerOn   = "on"
	PowerOff  = "off"
)

// FactZone is the zone that a member is in, where a kind notes it: groups may have a limit in each, see Room.
const FactZone = "zone"

// Zone is FactZone of a member, "" when its kind notes none.
func (m *Member) Zone() string { return m.Before[FactZone] }

// Power is FactPower of a member, "" when its kind notes none.
func (m *Member) Power() string { return m.Before[FactPower] }
