package rollout

import "github.com/fleetjoin/fleetjoin/cloud/fleet"

// Command is something that a run wants done. What becomes of it comes back as an event.
type Command any

// Commands, and the events that answer them.
type (
	// Survey finds the members: Surveyed.
	Survey struct{ Plan fleet.Plan }
	// PreviewPage looks at a page for those who decide: Previewed.
	PreviewPage struct {
		I, Of int
		Page  fleet.PageInput
	}
	// Reserve gives places in the groups of a step to the members that were seen: Reserved.
	Reserve struct {
		Manifest string
		Step     int
		Seen     []fleet.Seen
	}
	// CheckPart looks whether the members of a part are as they were left: Checked.
	CheckPart struct {
		I, Of int
		Part  fleet.Part
	}
	// StopLooking ends the looks under way as soon as may be. Each is answered all the same.
	StopLooking struct{}
	// AskWindows asks whether members may be started now: WindowsAre, at once.
	AskWindows struct{ Windows fleet.Windows }
	// StartCohort starts a cohort: CohortRuns, when it runs, and CohortEnded.
	StartCohort struct {
		Number   int
		Step     fleet.SurveyedStep
		Input    fleet.PageInput
		Approved bool // people decided on it, or would have had to
	}
	// TellCohort passes a control on to a cohort, as soon as it runs. It is not answered.
	TellCohort struct {
		Number  int
		Control string
	}
	// CloseGate ends the checks of votes under way; those who wait for one are told.
	CloseGate struct{}
	// Close keeps the archive: Archived.
	Close struct{ Archive fleet.Archive }
)
