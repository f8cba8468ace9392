// Package fault decides which calls to the simulator go wrong, and how: an ordered list of rules with counters.
package fault

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
)

// The effects a rule can have.
const (
	DropBefore  = "drop-before" // the connection is closed, nothing was done
	DropAfter   = "drop-after"  // the call took effect, then the connection is closed
	Timeout     = "timeout"     // no answer until the caller gives up, or For has passed and the connection is closed
	Status      = "status"      // an error answer: Status, Code, Message, or Body as it stands, and Headers
	Throttle    = "throttle"    // 429 with RetryAfter, or the 202 that means "flow limit", as Status says
	HTML502     = "html502"     // a proxy's 502 page
	Garbage200  = "garbage200"  // 200 with a body that is not JSON
	Empty200    = "empty200"    // 200 without a body
	Redirect307 = "redirect307" // 307 to the address in Headers["Location"], or to the call's own
	JobFail     = "job-fail"    // the call is accepted; the transition it starts fails with Code
	Stuck       = "stuck"       // the call is accepted; the transition it starts never ends, or For late
	Delay       = "delay"       // the call is served For late
)

var effects = []string{DropBefore, DropAfter, Timeout, Status, Throttle, HTML502, Garbage200, Empty200, Redirect307,
	JobFail, Stuck, Delay}

// Match says which calls a rule is about. An empty field matches every call.
type Match struct {
	Action  string `json:"action,omitempty"` // the call's name; * stands for any characters
	Server  string `json:"server,omitempty"` // calls that name this server or other resource
	Group   string `json:"group,omitempty"`  // calls that name this group
	Account string `json:"account,omitempty"`
	Write   *bool  `json:"write,omitempty"`
}

// Call is what a rule can look at.
type Call struct {
	Action, Account string
	Group           string   // the group that the call names; where it may name several, they are joined by commas
	Servers         []string // the servers, or other resources, that the call names
	Write           bool
}

// Rule is one fault. The first rule in the list that fires decides about a call.
type Rule struct {
	ID      string  `json:"id,omitempty"` // given by Add if empty
	Match   Match   `json:"match,omitempty"`
	Nth     int     `json:"nth,omitempty"`     // fire from the Nth matching call on; 0 means from the first
	Count   int     `json:"count,omitempty"`   // fire at most so often; 0 means always
	Percent float64 `json:"percent,omitempty"` // fire on this share of the matching calls; 0 means all

	Effect string `json:"effect"`
	// After makes timeout, status, throttle, html502, garbage200, empty200 and redirect307 come after the call
	// took effect; otherwise nothing is done.
	After      bool              `json:"after,omitempty"`
	Status     int               `json:"status,omitempty"`
	Code       string            `json:"code,omitempty"`
	Message    string            `json:"message,omitempty"`
	Body       string            `json:"body,omitempty"`
	Headers    map[string]string `json:"headers,omitempty"`
	RetryAfter string            `json:"retryAfter,omitempty"` // of throttle: seconds, "60" or "56.818"; empty: no header
	For        clock.Duration    `json:"for,omitempty"`        // simulated time: of delay, timeout and stuck
}

// Validate returns an error that names the field if the rule makes no sense.
func (r Rule) Validate() error {
	switch {
	case !slices.Contains(effects, r.Effect):
		return fmt.Errorf("effect: %q is unknown; known are %s", r.Effect, strings.Join(effects, ", "))
	case r.Percent < 0 || r.Percent > 100:
		return fmt.Errorf("percent: %v is not between 0 and 100", r.Percent)
	case r.Nth < 0:
		return fmt.Errorf("nth: %d is negative", r.Nth)
	case r.Count < 0:
		return fmt.Errorf("count: %d is negative", r.Count)
	case r.Effect == Status && r.Status == 0:
		return fmt.Errorf("status: the effect %q needs one", r.Effect)
	case r.Status != 0 && (r.Status < 200 || r.Status > 599):
		return fmt.Errorf("status: %d is not between 200 and 599", r.Status)
	case r.Effect == JobFail && r.Code == "":
		return fmt.Errorf("code: the effect %q needs one", r.Effect)
	case r.Effect == Delay && r.For == 0:
		return fmt.Errorf("for: the effect %q needs one", r.Effect)
	}
	if r.RetryAfter != "" {
		if wait, err := strconv.ParseFloat(r.RetryAfter, 64); err != nil || wait < 0 {
			return fmt.Errorf(`retryAfter: %q is not a number of seconds, such as "60" or "56.818"`, r.RetryAfter)
		}
	}
	if _, err := path.Match(r.Match.Action, ""); err != nil {
		return fmt.Errorf("match.action: %q is not a pattern", r.Match.Action)
	}
	return nil
}

// Transition reports whether the rule changes how a started transition ends, rather than the call's answer.
func (r Rule) Transition() bool { return r.Effect == JobFail || r.Effect == Stuck }

// Hits reports whether a transition rule is about this server, in a call that may name many.
func (r *Rule) Hits(server string) bool {
	return r != nil && (r.Match.Server == "" || r.Match.Server == server)
}

func (r Rule) matches(c Call) bool {
	if r.Transition() && !c.Write {
		return false
	}
	action, _ := path.Match(r.Match.Action, c.Action) // Validate has seen to the pattern
	return (r.Match.Action == "" || action) &&
		(r.Match.Server == "" || slices.Contains(c.Servers, r.Match.Server)) &&
		(r.Match.Group == "" || slices.Contains(strings.Split(c.Group, ","), r.Match.Group)) &&
		(r.Match.Account == "" || r.Match.Account == c.Account) &&
		(r.Match.Write == nil || *r.Match.Write == c.Write)
}
