package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Meaning says what an outcome tells about the cloud, for those that raise the question.
func Meaning(o membership.Outcome) string {
	switch o {
	case membership.Already, membership.Refused, membership.NotStarted:
		return "nothing was done"
	case membership.RolledBack:
		return "it is as it was before its step"
	case membership.RollbackIncomplete:
		return "not everything could be put back: look at it"
	case membership.Unknown:
		return "the evidence does not tell: look at it"
	case membership.Skipped:
		return "left as it is, as a person said"
	}
	return ""
}

// after says in a word or two how a member is now, as far as is known.
func after(op membership.Operation, o membership.Outcome) string {
	in, out := "member", "no member"
	if op == membership.Leave {
		in, out = out, in
	}
	switch o {
	case membership.Joined, membership.Left, membership.Already:
		return in
	case membership.Refused, membership.NotStarted:
		return "untouched"
	case membership.RolledBack:
		return out + ", as before"
	case membership.Skipped:
		return "left as it stands"
	}
	return "not known"
}

// words are those of an outcome or an act for people to read.
func words[T ~string](name T) string { return strings.ReplaceAll(string(name), "-", " ") }

func tally(counts map[membership.Outcome]int) string {
	return membership.Report{Counts: counts}.Tally()
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return thousands(n) + " " + what + "s"
}

// thousands sets commas: 10,000.
func thousands(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func clock(t time.Time) string { return t.UTC().Format(time.TimeOnly) }
func day(t time.Time) string   { return t.UTC().Format(time.DateOnly) }

// span is how long something took, as exactly as one wants to know: "83ms", "12s", "4m 10s", "3h 5m", "2d 4h".
func span(d time.Duration) string {
	const day = 24 * time.Hour
	pair := func(big, small time.Duration, names string) string {
		text := fmt.Sprintf("%d%c", d/big, names[0])
		if rest := d % big / small; rest > 0 {
			text += fmt.Sprintf(" %d%c", rest, names[1])
		}
		return text
	}
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return pair(time.Minute, time.Second, "ms")
	case d < day:
		return pair(time.Hour, time.Minute, "hm")
	}
	return pair(day, time.Hour, "dh")
}

// manner tells how a plan wanted to go about it, such as "a canary of 5, then to 10%, 50%, 100%, 10m between waves".
func manner(p fleet.Plan) string {
	var parts, waves []string
	if p.Canary > 0 {
		parts = append(parts, "a canary of "+thousands(p.Canary))
	}
	for _, w := range p.Waves {
		waves = append(waves, w.String())
	}
	if len(waves) > 0 {
		parts = append(parts, "waves to "+strings.Join(waves, ", "))
	}
	if p.Soak > 0 {
		parts = append(parts, span(p.Soak.Std())+" between waves")
	}
	return strings.Join(parts, "; ")
}

func failures(s fleet.Share) string {
	if s.String() == "1" {
		return "1 failure"
	}
	return s.String() + " failures"
}

func allowance(b *fleet.Budget) string {
	if b == nil {
		return ""
	}
	var parts []string
	if b.Failures != (fleet.Share{}) {
		parts = append(parts, "stops at "+failures(b.Failures))
	}
	if b.PerWave != (fleet.Share{}) {
		parts = append(parts, "stops at "+failures(b.PerWave)+" in a wave")
	}
	if b.Loose() {
		parts = append(parts, "not strictly")
	}
	if b.Then != "" {
		parts = append(parts, "then "+words(b.Then))
	}
	return strings.Join(parts, "; ")
}
