package membership

import "time"

// Cost is what one member costs.
type Cost struct {
	Plan   []Calls     // the reads by which it is planned
	Look   []Calls     // the reads of each look at it, while it is under way
	Stages []StageCost // those that cost something, in their order
}

// StageCost is what a stage costs for one member.
type StageCost struct {
	Stage string
	Calls []Calls // those that are sent once: the writes, and the reads right before them
	// Takes is how long it mostly takes from the member's coming to the stage until a read shows that it holds.
	Takes time.Duration
	Off   bool // meanwhile the member does none of its work: it is off, or its system is installed anew
}

// Calls are calls of one API. Members of a cohort that need the same calls share them.
type Calls struct {
	API   string // the action's name, as in the API's reference
	Write bool
	Batch int // most members that share a call; 0: any number
	Times int // how often they are sent for a member, or for all that share them; 0 is once
	Limit Limit
}

// Limit is how fast calls are sent: the seed of the limiter that paces them. All calls whose limit has the same name
// share it, per account and region. Rates are in calls per second.
type Limit struct {
	Name  string
	Start float64 // the rate to begin with
	Most  float64 // the highest rate
	Burst int     // calls that need not wait
}
