package cli

import (
	"fmt"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// askForVotes ends a verb at a gate: it says who can open it, and how.
func askForVotes(id string, g *membership.Gate, digest string) error {
	vote := fmt.Sprintf("%s --digest %s", id, digest)
	if g.Signed {
		vote += " --key KEY"
	}
	return &exitError{ExitAwaitsApproval, fmt.Sprintf("run %s waits for %s: %s\nlook at it:  fleetjoin status %s\n"+
		"somebody else than %s approves or rejects it:\n  fleetjoin approve %s\n  fleetjoin reject %s --reason WHY\n"+
		"then follow it: fleetjoin watch %s", id, g.Needs(), clean(g.Why), id, clean(g.Requester), vote, vote, id)}
}
