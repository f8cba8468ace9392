// Package verdict says what an error of a cloud means for the one who called: may it be tried again, has the effect
// happened, is it final. Everything that decides on errors decides on a Verdict, never on a status, a text or a type.
package verdict

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Verdict is what an error means. The strings appear in histories, reports and metrics: they are a contract.
type Verdict string

const (
	// Transient: nothing was done; the same call may be sent again soon.
	Transient Verdict = "transient"
	// Throttled: nothing was done because we ask too much; send again after Error.RetryAfter.
	Throttled Verdict = "throttled"
	// Busy: nothing was done because the resource is occupied; it clears by itself, look again later.
	Busy Verdict = "busy"
	// Done: nothing was done because it already is as the call wanted it; believe it after reading it back.
	Done Verdict = "done"
	// Rejected: nothing was done and nothing will be, however often it is sent.
	Rejected Verdict = "rejected"
	// Unknown: it may or may not have happened. Only a read can tell. Every error that no rule names is Unknown.
	Unknown Verdict = "unknown"
)

// Error is one failed call, classified. It is the only error type that cloud clients return for a call they tried.
type Error struct {
	Verdict    Verdict
	Op         string        // the API action, such as "AddServerGroupMember"
	Status     int           // the HTTP status, 0 when no answer came
	Code       string        // the cloud's code, such as "Ecs.0022"; "" when it gave none
	Message    string        // redacted: free of URLs, keys and signatures
	RequestID  string        // what the cloud's support asks for
	RetryAfter time.Duration // what the cloud asked us to wait, 0 when it did not
}

// Error renders the parts that exist, most telling first.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Op, e.Verdict)
	if e.Code != "" {
		fmt.Fprintf(&b, ": %s", e.Code)
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " [request %s]", e.RequestID)
	}
	return b.String()
}

// As returns the classified error in err's chain, nil for nil. An error that nobody classified comes back as Unknown, a
// cancellation too: only who sent the call knows whether it was a read, and the clients say so themselves.
func As(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &Error{Verdict: Unknown, Op: "call", Message: "cancelled or out of time"}
	}
	return &Error{Verdict: Unknown, Op: "call", Message: Redact(err.Error())}
}

// Of returns the verdict of err: "" for nil, Unknown for what nobody classified.
func Of(err error) Verdict {
	if err == nil {
		return ""
	}
	return As(err).Verdict
}
