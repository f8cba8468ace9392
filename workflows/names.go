// Package workflows holds fleetjoin's durable stories: Fleet, which takes the members of a plan through its waves (Join and
// Leave are plans of one step), Cohort, which walks some of them through a program, Preview, which tells what a plan would
// do, and Leases, which keeps two runs from acting on one member. Only deterministic code lives here. What the stages of a
// program mean is known to the activities' side alone.
package workflows

import (
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Every name below is wire contract: runs are started, steered and read with them by any Temporal client, and histories
// have them for years. Controls and the status query are in package membership, which gives them their meaning.

// TaskQueue is where fleetjoin's workers poll unless they are told otherwise.
const TaskQueue = "fleetjoin"

// Workflow types.
const (
	TypeFleet   = "Fleet"   // input fleet.Plan, result fleet.Report
	TypeJoin    = "Join"    // the same, for a plan of one step whose members join
	TypeLeave   = "Leave"   // the same, for members that leave
	TypePreview = "Preview" // input fleet.Plan, result fleet.Preview; changes nothing
	TypeRead    = "Read"    // input a key of the store, result what it leads to; changes nothing
	TypeCohort  = "Cohort"  // input CohortInput, result fleet.Part; only fleets start it
	TypeLeases  = "Leases"  // input LeaseBook; workers start it
)

// Activity types. Those that walk a lane of a kind's program are named by membership.LaneActivity.
const (
	SurveyActivity    = "fleetjoin.survey"      // fleet.Plan in, fleet.Survey out: finds all members and keeps the manifest
	PreviewActivity   = "fleetjoin.preview"     // fleet.PageInput in, fleet.Seen out: looks at a page for those who decide
	ReserveActivity   = "fleetjoin.reserve"     // ReserveInput in, []fleet.Seen out: who finds a place in the groups of a step
	SumUpActivity     = "fleetjoin.sum-up"      // SumUpInput in, fleet.Preview out
	PlanActivity      = membership.PlanActivity // PlanInput in, membership.Program out: the program of a cohort
	FileActivity      = "fleetjoin.file"        // FileInput in, fleet.Part out: keeps a cohort's record, releases its members
	CheckActivity     = "fleetjoin.check"       // fleet.Part in, []string out: which of those that joined are members no more
	CloseActivity     = "fleetjoin.close"       // fleet.Archive in, CloseResult out: keeps the archive of a run
	ReadActivity      = "fleetjoin.read"        // a key in, what the store has under it out
	CheckVoteActivity = "fleetjoin.check-vote"  // membership.Ballot in, why it does not count out, "" when it does
	EndedActivity     = "fleetjoin.ended"       // []LeaseRun in, map[LeaseRun]time.Time out, without those that still run
)

// SignalControl is what a fleet tells its cohorts: pause, resume or abort. It is one signal, so that they hear its words in
// the order in which they were said.
const SignalControl = "control" // the name of the control

// QueryProgress is the query of Preview that tells how far it is, with a PreviewProgress.
const QueryProgress = "progress"

// What Leases understands.
const (
	UpdateAcquire = "acquire" // LeaseRequest, answered with a LeaseAnswer
	SignalRelease = "release" // a LeaseRun: it is done with all that it holds
	QueryLeases   = "leases"  // answered with a LeaseBook
	QueryHolders  = "holders" // []string of keys, answered with a LeaseAnswer
)

// Types of the application errors with which runs fail. All but ErrCloudRefused carry details.
const (
	ErrBadInput           = "BadInput"           // details: []membership.Problem; nothing was touched
	ErrCloudRefused       = "CloudRefused"       // the cloud refused to be read for the plan; nothing was touched
	ErrRolledBack         = "RolledBack"         // details: fleet.Report
	ErrRollbackIncomplete = "RollbackIncomplete" // details: fleet.Report; a person must look
	errNotFiled           = "NotFiled"           // of a cohort; details: membership.Report
)

// SearchAttribute is one that runs set about themselves.
type SearchAttribute struct {
	Name string
	Type enumspb.IndexedValueType
}

var (
	attrKind    = temporal.NewSearchAttributeKeyKeyword("FleetjoinKind")
	attrAccount = temporal.NewSearchAttributeKeyKeyword("FleetjoinAccount")
	attrGroup   = temporal.NewSearchAttributeKeyKeyword("FleetjoinGroup")
	attrPhase   = temporal.NewSearchAttributeKeyKeyword("FleetjoinPhase")
	attrOutcome = temporal.NewSearchAttributeKeyKeyword("FleetjoinOutcome")
	attrWave    = temporal.NewSearchAttributeKeyKeyword("FleetjoinWave")  // of a fleet: where it is
	attrFleet   = temporal.NewSearchAttributeKeyKeyword("FleetjoinFleet") // of a cohort: its fleet's workflow id
)

// SearchAttributes returns what a namespace must know before a worker may serve it.
func SearchAttributes() []SearchAttribute {
	keys := []temporal.SearchAttributeKeyKeyword{attrKind, attrAccount, attrGroup, attrPhase, attrOutcome, attrWave, attrFleet}
	all := make([]SearchAttribute, len(keys))
	for i, k := range keys {
		all[i] = SearchAttribute{Name: k.GetName(), Type: k.GetValueType()}
	}
	return all
}

// Register makes every workflow type known to a worker.
func Register(r worker.WorkflowRegistry) {
	for name, f := range map[string]any{TypeFleet: Fleet, TypeJoin: Join, TypeLeave: Leave, TypePreview: Preview,
		TypeRead: Read, TypeCohort: Cohort, TypeLeases: Leases} {
		r.RegisterWorkflowWithOptions(f, workflow.RegisterOptions{Name: name})
	}
}
