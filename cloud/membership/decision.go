package membership

// Verb is what a Decision asks of the engine.
type Verb int

const (
	DoWait Verb = iota // not yet; look again later
	DoNext             // the stage is so; the member goes on
	DoAct              // send the action
	DoFail             // it will not come true; undo
	DoPark             // the evidence does not tell; a person must
)

// Decision is what one member needs at one stage. Make it with Next, Wait, Act, Fail or Park.
type Decision struct {
	Verb   Verb
	Action string // with DoAct: a key of Spec.Actions
	Code   string // with DoFail and DoPark: one of Spec.Failures
	Reason string // for people: what was seen
	Host   string // with DoNext: the host on which the member is, as the cloud tells hosts apart; "" when it does not
}

// Next says that the stage holds for the member.
func Next() Decision { return Decision{Verb: DoNext} }

// On tells on which host a member is with which nothing is left to do. The report counts the hosts of each group.
func (d Decision) On(host string) Decision {
	d.Host = host
	return d
}

// Wait says that the cloud is under way.
func Wait(reason string) Decision { return Decision{Verb: DoWait, Reason: reason} }

// Act asks for a write. The engine may hold it back, for instance while an earlier one may still come to show.
func Act(action, reason string) Decision {
	return Decision{Verb: DoAct, Action: action, Reason: reason}
}

// Fail says that the stage cannot come true for this member.
func Fail(code, reason string) Decision { return Decision{Verb: DoFail, Code: code, Reason: reason} }

// Park hands the member to a person, with the evidence.
func Park(code, reason string) Decision { return Decision{Verb: DoPark, Code: code, Reason: reason} }

// UnknownStage is the decision about a stage that a kind does not know.
func UnknownStage(kind string, m Moment) Decision {
	return Park(CodeEngine, "this worker's "+kind+" knows no stage "+Quote(m.Stage.Name)+
		"; a worker of the version that planned the run does")
}

// Codes with which the engine itself fails or parks members of any kind.
const (
	CodeTimeout      = "stage-timeout"  // the stage took longer than Stage.Timeout
	CodeNoEffect     = "no-effect"      // sent Stage.MaxSends times and the effect never showed
	CodeUnobservable = "cannot-observe" // the cloud refuses to be read, so nothing can be decided
	CodeRejected     = "write-rejected" // the cloud refused the write without a code of its own
	CodeNoUndo       = "no-undo"        // it was to be put back, and nothing of what was done can be undone
	CodeEngine       = "engine-error"   // the activity failed for good, or the worker does not know the stage
)

// Codes with which the engine refuses members of any kind.
const (
	CodeHeld    = "held-by-another-run" // another run acts on it
	CodeDrifted = "drifted"             // it is not what it was when people said yes
	CodeNoRoom  = "no-room"             // the group takes no more, see Session.Room
)

// CodeNotInFrom is the code with which kinds that move refuse a member that is not in the group that it is to leave. One whose
// story broke off in the middle may be out of it already: when it is tried again, that is no objection.
const CodeNotInFrom = "not-in-from"

// Codes with which reports tell what a person decided about a member.
const (
	CodeSkipped    = "skipped"
	CodeMarkedDone = "marked-done"
)

// EngineObjections documents the codes with which the engine refuses members of any kind.
func EngineObjections() []Objection {
	return []Objection{
		{Code: CodeHeld, Reason: "another run acts on the member; see whenHeld of the request"},
		{Code: CodeDrifted, Reason: "the member is not what it was when people said yes"},
		{Code: CodeNoRoom, Reason: "the group, or what it shares with others, takes no more members: those before it in the plan take what is left"},
	}
}

// EngineFailures documents the engine's own codes.
func EngineFailures() []Objection {
	return []Objection{
		{Code: CodeTimeout, Reason: "the stage, or its undo, took longer than its timeout"},
		{Code: CodeNoEffect, Reason: "the write was sent as often as allowed and its effect never showed"},
		{Code: CodeUnobservable, Reason: "the cloud refuses to be read, so nothing can be decided"},
		{Code: CodeRejected, Reason: "the cloud refused the write without naming a code"},
		{Code: CodeNoUndo, Reason: "the member was to be put back, and nothing of what was done to it can be undone; it is as the run left it"},
		{Code: CodeEngine, Reason: "the activity failed for good, or the worker is of another version than the one that planned; the reason says how"},
	}
}
