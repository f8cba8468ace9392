package membership

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Gate is a point where people decide: nothing of a wave is done before its gate has opened. A destructive step always has one.
type Gate struct {
	Quorum    int      `json:"quorum"`           // how many must approve; a single rejection closes it for good
	Voters    []string `json:"voters,omitempty"` // who may vote; empty means everybody but the requester
	Requester string   `json:"requester"`        // may not vote
	Timeout   Duration `json:"timeout"`          // after that it is closed as if it had been rejected
	Why       string   `json:"why"`              // what there is to decide, in a line
	Signed    bool     `json:"signed,omitempty"` // only signed votes count; see package ballot
}

// Approval is what a plan can say of its gates. Zero fields get defaults: one approval, within three days.
type Approval struct {
	Quorum  int      `json:"quorum,omitempty"`
	Voters  []string `json:"voters,omitempty"`
	Timeout Duration `json:"timeout,omitempty"`
	Signed  bool     `json:"signed,omitempty"` // only votes count that an allowed signer has signed
}

const (
	defaultGateTimeout  = Duration(72 * time.Hour)
	shortestGateTimeout = Duration(time.Minute)
	longestGateTimeout  = Duration(30 * 24 * time.Hour)
)

// Codes of members that a gate has kept out.
const (
	CodeNotApproved = "not-approved"
	CodeGateTimeout = "not-approved-in-time"
)

// Problems returns what is wrong with an approval for a requester; nil approvals are fine.
func (a *Approval) Problems(requester string) (ps []Problem) {
	if a == nil {
		return nil
	}
	if strings.TrimSpace(requester) == "" {
		ps = append(ps, NeedsRequester())
	}
	if a.Quorum < 0 {
		ps = append(ps, Problem{Field: "approval.quorum", Value: fmt.Sprint(a.Quorum), Want: "want at least 1"})
	}
	if t := a.Timeout; t != 0 && (t < shortestGateTimeout || t > longestGateTimeout) {
		ps = append(ps, Problem{Field: "approval.timeout", Value: t.Std().String(), Want: "want 1m to 720h"})
	}
	able, first := 0, make(map[string]int)
	for i, v := range a.Voters {
		field := fmt.Sprintf("approval.voters[%d]", i)
		before, twice := first[Person(v)]
		switch {
		case strings.TrimSpace(v) == "":
			ps = append(ps, Problem{Field: field, Want: "is empty; want a name"})
			continue
		case twice:
			ps = append(ps, Problem{Field: field, Value: Quote(v),
				Want: fmt.Sprintf("is named twice: approval.voters[%d] is the same person", before)})
			continue
		case Person(v) != Person(requester):
			able++
		}
		first[Person(v)] = i
		ps = append(ps, CheckWords(field, v)...)
	}
	switch {
	case len(a.Voters) > 0 && able == 0:
		ps = append(ps, Problem{Field: "approval.voters", Value: Quote(strings.Join(a.Voters, ", ")),
			Want: "want somebody else than the requester, who may not vote"})
	case len(a.Voters) > 0 && max(a.Quorum, 1) > able:
		ps = append(ps, Problem{Field: "approval.quorum", Value: fmt.Sprint(max(a.Quorum, 1)),
			Want: fmt.Sprintf("want at most %d, the voters without the requester", able)})
	}
	return ps
}

// NeedsRequester is what is wrong with a plan that has a gate and does not say who asks.
func NeedsRequester() Problem {
	return Problem{Field: "requester", Want: "is missing; say who asks, since they may not approve it themselves"}
}

// NewGate makes a gate as the approval asks for it. why is what there is to decide, in a line.
func NewGate(requester string, a Approval, why string, destructive bool) Gate {
	g := Gate{Quorum: max(a.Quorum, 1), Voters: a.Voters, Requester: requester, Timeout: a.Timeout, Why: why,
		Signed: a.Signed}
	if g.Timeout == 0 {
		g.Timeout = defaultGateTimeout
	}
	if destructive {
		g.Why += "; it DESTROYS their data"
	}
	return g
}

// Vote is what somebody said at a gate, counted or not.
type Vote struct {
	By       string    `json:"by"`
	Approves bool      `json:"approves"`
	Digest   string    `json:"digest"`
	Reason   string    `json:"reason,omitempty"`
	At       time.Time `json:"at"`
	Refused  string    `json:"refused,omitempty"` // why it did not count, "" when it did
	// Signature is what made it count at a gate that wants votes signed, for whoever checks it once more.
	Signature string `json:"signature,omitempty"`
}

// Ballot is a vote whose signature is to be checked. Its JSON is a vote's, and Requester may be missing there.
type Ballot struct {
	Vote
	Requester string `json:"requester,omitempty"` // of the gate; "": not told
}

// Barred says why somebody may not vote, "" when they may. cast are the votes before.
func (g *Gate) Barred(by string, cast []Vote) string {
	who := Person(by)
	same := func(c Vote) bool { return Person(c.By) == who && c.Refused == "" }
	may := func(voter string) bool { return Person(voter) == who }
	by = Short(by)
	switch {
	case strings.TrimSpace(by) == "":
		return "by is missing; say who votes"
	case who == Person(g.Requester):
		return fmt.Sprintf("%s has asked for this run and may not vote on it", by)
	case len(g.Voters) > 0 && !slices.ContainsFunc(g.Voters, may):
		return fmt.Sprintf("%s is none of the voters, who are %s", by, strings.Join(g.Voters, ", "))
	case slices.ContainsFunc(cast, same):
		return by + " has voted already"
	}
	return ""
}

// Objection says why a vote does not count, "" when it does as far as the gate can tell: a worker knows whose signature
// holds. digest is the program's, cast are the votes before.
func (g *Gate) Objection(v Vote, digest string, cast []Vote) string {
	barred := g.Barred(v.By, cast)
	switch {
	case barred != "":
		return barred
	case v.Digest == "":
		return "digest is missing; name the program that you have looked at, which is " + digest + " now"
	case v.Digest != digest:
		return fmt.Sprintf("it is for the program %s, and the program is %s", Quote(v.Digest), digest)
	case !v.Approves && strings.TrimSpace(v.Reason) == "":
		return "reason is missing; say what speaks against it"
	case g.Signed && strings.TrimSpace(v.Signature) == "":
		return "it is not signed, and this gate counts signed votes only; sign it with --key PATH"
	case !g.Signed && v.Signature != "":
		// A signature that nobody checks must not stand in the record as if somebody had.
		return "it is signed, and nobody checks signatures at this gate; vote without one, or ask for it in the plan: approval: {signed: true}"
	}
	if key := KeyOf(v.Signature); key != "" {
		for _, c := range cast {
			if c.Refused == "" && KeyOf(c.Signature) == key {
				return fmt.Sprintf("the key %s has voted already, as %s; one key is one voter, whatever names it has", key, Short(c.By))
			}
		}
	}
	return ""
}

// KeyOf is the fingerprint of the key that has made an armored signature of OpenSSH, "" where there is none. It says nothing
// of whether the signature holds.
func KeyOf(armored string) string {
	const begin, end, magic = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----", "SSHSIG"
	_, body, _ := strings.Cut(armored, begin)
	body, _, _ = strings.Cut(body, end)
	blob, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(body), ""))
	key, ok := strings.CutPrefix(string(blob), magic)
	const before = 4 + 4 // the version, and how long the key is
	if err != nil || !ok || len(key) < before {
		return ""
	}
	length := uint64(binary.BigEndian.Uint32([]byte(key[4:before])))
	if key = key[before:]; length > uint64(len(key)) {
		return ""
	}
	sum := sha256.Sum256([]byte(key[:length]))
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// Rejection returns the vote that has closed the gate; a zero one when none has.
func (g *Gate) Rejection(cast []Vote) Vote {
	for _, v := range cast {
		if v.Refused == "" && !v.Approves {
			return v
		}
	}
	return Vote{}
}

// Count returns whether the gate is decided by the votes, and how.
func (g *Gate) Count(cast []Vote) (decided, open bool) {
	yes := 0
	for _, v := range cast {
		switch {
		case v.Refused != "":
		case !v.Approves:
			return true, false
		default:
			yes++
		}
	}
	return yes >= g.Quorum, yes >= g.Quorum
}

// Needs is what opens the gate, such as "2 signed approvals from bob, cid".
func (g Gate) Needs() string {
	what := "approval"
	if g.Signed {
		what = "signed approval"
	}
	needs := Count(g.Quorum, what)
	if len(g.Voters) > 0 {
		needs += " from " + strings.Join(Few(g.Voters), ", ")
	}
	return needs
}
