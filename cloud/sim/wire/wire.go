// Package wire is the contract between the simulator's core and the cloud services it simulates.
package wire

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// Call is one request that a service recognised.
type Call struct {
	fault.Call // what rules and the journal know about it

	HTTP      *http.Request // without its body
	Body      []byte
	RequestID string
	Number    int64 // counts the calls of the simulator: what is drawn and made for a call depends on it
	Project   string
	Input     any         // what the service decoded from the request
	Rule      *fault.Rule // a transition fault (job-fail or stuck), or nil
	Now       time.Time   // simulated time, set by the core before Serve
}

// Raw is a body that is sent as it stands.
type Raw struct{ ContentType, Text string }

// Answer is a reply. A nil Body is sent as zero bytes.
type Answer struct {
	Status int
	Code   string // the cloud's error code, for the journal
	Header http.Header
	Body   any    // Raw, or encoded as JSON after all locks are released, so it must not share memory with the state
	Effect string // of a write: one of the journal's effects
	Change any    // what Apply needs to repeat the effect after a restart; nil if nothing changed
}

// Service is one family of API routes with the state behind it.
//
// The core calls Serve of a write, Apply and Dump alone; Serve of reads may run in parallel with each other. All
// other methods must be safe at any time.
type Service interface {
	// Name tells the service's state from other services' in the state directory.
	Name() string
	// Route fills in the rest of a call of which HTTP, Body and RequestID are set. It reports whether the call is the
	// service's: exactly its own, so that the order of services does not matter. It returns an answer if the call can be
	// refused without looking at the state.
	Route(call *Call) (mine bool, refusal *Answer)
	// Admit checks the caller's signature and rate and sets call.Account. It returns a refusal or nil.
	Admit(call *Call, now time.Time) *Answer
	// Latency is how long the call travels before it is served, in simulated time.
	Latency(call *Call) time.Duration
	// Serve applies the call to the state.
	Serve(call *Call) Answer
	// Refuse builds an error answer in the service's own shape, for faults.
	Refuse(call *Call, status int, code, message string) Answer
	// Throttled builds the service's refusal of a caller who calls too often, under the HTTP status if it is not 0.
	Throttled(call *Call, status int, retryAfter string) Answer
	// Describe adds to a world, in which there are accounts, settings and nothing else, what the service has in it at the
	// moment, as a world file would.
	Describe(w *world.World, now time.Time)
	// Dump returns the whole state as one change, without what nobody can see any more.
	Dump(now time.Time) any
	// Apply applies a change that Serve or Dump returned, in its JSON form.
	Apply(change json.RawMessage) error
}
