package fleet

import (
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Said is what somebody told a run to do.
type Said struct {
	At      time.Time `json:"at"`
	What    string    `json:"what"`
	Control Control   `json:"control"`
	Refused string    `json:"refused,omitempty"` // why it was not done
}

// Control is the payload of every control of a fleet: what it says to cohorts, and more.
type Control struct {
	membership.Control
	// Then says what becomes of what an abort finds: "finish": cohorts in flight end as they would; "put-back" (also ""):
	// members that are half-way are put back; or a Then: those that joined are, too.
	Then Then `json:"then,omitempty"`
	// Wave is the number, from 1, of a wave of the present step: of its failed members retry, skip and mark-done take those
	// named, or all. 0: of all waves.
	Wave int `json:"wave,omitempty"`
	// Cohorts and Budget change the pace and the failure budget.
	Cohorts int     `json:"cohorts,omitempty"`
	Budget  *Budget `json:"budget,omitempty"`
}

// ControlChange is the control that changes a run's pace and budget. The others are those of package membership.
const ControlChange = "change"

// More values of Then, for an abort.
const (
	ThenFinish  Then = "finish"
	ThenPutBack Then = "put-back"
)
