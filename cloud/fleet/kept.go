package fleet

import "github.com/fleetjoin/fleetjoin/cloud/membership"

// What the store keeps, each under the hash of its JSON.

// Manifest is everybody that a plan is about, in the order in which they are started: by step, wave and page. It is kept
// in the store of the workers and never changes; runs carry its key.
type Manifest struct {
	// Plan is what people wrote, but for the steps: what holds for all of them, such as the budget.
	Plan  Plan        `json:"plan"`
	Steps []PagedStep `json:"steps"`
}

// PagedStep is a step without its members, and where they are.
type PagedStep struct {
	Step
	Waves [][]PageRef `json:"waves"`
}

// PageRef is where a page is.
type PageRef struct {
	Key   string `json:"key"` // of a Page
	Group string `json:"group"`
	Count int    `json:"count"`
}

// Page is some members for one group: as many as one cohort takes, or fewer.
type Page struct {
	Group   string   `json:"group"`
	Members []string `json:"members"`
}

// Sight is what a preview saw of a page: what people decide on.
type Sight struct {
	Destructive bool                `json:"destructive,omitempty"`
	Warnings    []string            `json:"warnings,omitempty"`
	Members     []membership.Member `json:"members"`
	Stages      []membership.Stage  `json:"stages,omitempty"` // that those to be moved go through
}

// Record is what is kept of a cohort when it has ended: the truth about it, and what is needed to undo it.
type Record struct {
	Input   PageInput          `json:"input"`
	Report  membership.Report  `json:"report"`
	Program membership.Program `json:"program"`
}

// Archive is all that is known of a fleet that has ended, by keys: it outlives Temporal's retention, and since every
// key is a hash of what it leads to, the key of an Archive vouches for the whole.
type Archive struct {
	Plan     Plan     `json:"plan"`
	Manifest string   `json:"manifest"`
	Report   Report   `json:"report"`
	Seen     [][]Seen `json:"seen,omitempty"` // by step
	Parts    []Part   `json:"parts"`          // in the order in which they ended
	Release  string   `json:"release"`        // of the worker that kept it
}
