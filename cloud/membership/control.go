package membership

// Control names: each is a signal and an update of a run, with a Control as its payload. They are wire contract.
const (
	ControlPause    = "pause"     // start nothing new and stop waiting; what is under way at the cloud stays so
	ControlResume   = "resume"    // go on after a pause
	ControlAbort    = "abort"     // put back what is under way and end; joined members stay joined
	ControlRetry    = "retry"     // try failed members again
	ControlSkip     = "skip"      // leave failed members as they are
	ControlMarkDone = "mark-done" // a person vouches that failed members are as they should be
	ControlApprove  = "approve"   // a vote for what has that digest
	ControlReject   = "reject"    // a vote against it: one is enough
)

// QueryStatus is the query that Status answers.
const QueryStatus = "status"

// Control is the payload of every control.
type Control struct {
	By      string   `json:"by,omitempty"`
	Reason  string   `json:"reason,omitempty"`  // required by skip and mark-done
	Members []string `json:"members,omitempty"` // for retry, skip and mark-done; empty means all that have failed
	Digest  string   `json:"digest,omitempty"`  // for approve and reject: what is voted on
	// Signature is that of the vote, armored, where the gate wants one; see package ballot.
	Signature string `json:"signature,omitempty"`
}

// Controlled answers a control that was an update: the members that it moved.
type Controlled struct {
	Members []string `json:"members"`
}
