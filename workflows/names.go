// Package workflows holds fleetjoin's durable stories: Join, Leave and Plan. Only deterministic code lives here: a
// small interpreter that walks the members of a cohort through the stages of a program, which is data. What the stages
// mean is known to the activities' side alone.
package workflows

import (
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
)

// TaskQueue is where fleetjoin's workers poll unless they are told otherwise.
const TaskQueue = "fleetjoin"

// Workflow types. They are wire contract: a run is started with them by any Temporal client.
const (
	TypeJoin  = "Join"  // input membership.Request, result membership.Report
	TypeLeave = "Leave" // the same, the other way
	TypePlan  = "Plan"  // input PlanInput, result membership.Program; reads only
)

// Types of the application errors with which runs fail. They are wire contract; all but ErrCloudRefused carry details.
const (
	ErrBadInput           = "BadInput"           // details: []membership.Problem; nothing was touched
	ErrCloudRefused       = "CloudRefused"       // the cloud refused to be read for the plan; nothing was touched
	ErrRolledBack         = "RolledBack"         // details: membership.Report
	ErrRollbackIncomplete = "RollbackIncomplete" // details: membership.Report; a person must look
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
