package main

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// clouds are the names of the providers. The folder of a provider's client is its id.
var clouds = map[string]string{"huawei": "Huawei Cloud", "alibaba": "Alibaba Cloud"}

// providers returns those that kinds belong to, in the order of the kinds.
func providers() (all []string) {
	for _, k := range kinds.All(kinds.Clouds{}) {
		if p := k.Spec().Provider; !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}

func clientOf(root, provider string) string { return filepath.Join(root, "cloud", provider) }

// meaning is what a verdict says, and what the engine does when a read or a write gets it.
type meaning struct {
	verdict            verdict.Verdict
	means, read, write string
}

// verdicts are in the order of package verdict.
var verdicts = []meaning{
	{verdict.Transient, "nothing was done; the same call may be sent again", "observed again, at longer and longer intervals up to 30 s",
		"sent again at the next poll, if a fresh look still asks for it"},
	{verdict.Throttled, "nothing was done, because we ask too much", "the same; the caller's pace is cut, `Retry-After` is obeyed",
		"the same; the caller's pace is cut, `Retry-After` is obeyed"},
	{verdict.Busy, "nothing was done, because the resource is occupied", "as transient", "sent again after two polls or `Retry-After`"},
	{verdict.Done, "nothing was done, because it is so already", "as transient", "believed when the next look shows it"},
	{verdict.Rejected, "nothing was done and never will be",
		"everybody in the slice is parked with `cannot-observe`; while planning, the run fails with `CloudRefused`; that a thing is missing is no error where the kind reckons with it",
		"the member fails with the cloud's code, unless a fresh look shows that the effect is there; an undo goes on trying until its timeout"},
	{verdict.Unknown, "it may or may not have happened", "as transient",
		"never repeated blind: the stage's settling time passes, then a fresh look decides; after the stage's last allowed send the member is parked with `no-effect`; an undo goes on trying until its timeout"},
}

// engine says what to do about the codes of the engine itself.
var engine = map[string]string{
	membership.CodeTimeout:      "Nothing, if the member was rolled back. Look at the reason: it says what the stage still waited for.",
	membership.CodeNoEffect:     "Look at the member in the cloud's console; then `retry`, or `mark-done` if the stage holds, or `abort`.",
	membership.CodeUnobservable: "Mend the account (keys, permissions, balance) or the network, then `retry`.",
	membership.CodeRejected:     "Read the reason; it has the cloud's answer and the request id for its support.",
	membership.CodeNoUndo:       "The member is as the run left it. Put it back by hand, or apply a plan that does, then `skip` or `mark-done`.",
	membership.CodeEngine:       "Read the reason. When the worker is of another version than the run's plan, start the right one, then `retry`.",
}

// people are the codes that a person's decision leaves in a report.
var people = []membership.Objection{
	{Code: membership.CodeNotApproved, Reason: "somebody voted against the run at its gate; nothing was done"},
	{Code: membership.CodeGateTimeout, Reason: "too few approved the run before its gate closed; nothing was done"},
	{Code: "skipped", Reason: "a person let the member be as it was then; the reason says who and why"},
	{Code: "marked-done", Reason: "a person vouched that the stage holds; the reason says who and why"},
}

// render writes the page. root is the root of the repository.
func render(w io.Writer, root string) error {
	p := &printer{w: w}
	p.line("# Error codes")
	p.line("")
	p.line("<!-- Generated from the code by deploy/docs/gen. Do not edit: change the code, then run `make docs`. -->")
	p.line("")
	p.line("Every member in a plan, a status or a report that is not well has a *code* and a *reason*. The code is stable: decide by")
	p.line("it. The reason is for people and may change. What to do is in the [runbook](runbook.md); the errors with which a run as a")
	p.line("whole fails are in the [contract](temporal-contract.md#errors).")
	p.engineCodes()
	p.kindCodes()
	p.verdicts()
	for _, provider := range providers() {
		tables, err := readTables(clientOf(root, provider))
		if err != nil {
			return err
		}
		p.cloud(clouds[provider], tables)
	}
	p.silent()
	return p.err
}

// printer writes lines and keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if _, err := fmt.Fprintf(p.w, format+"\n", args...); p.err == nil {
		p.err = err
	}
}

// row writes a row of a table. A bar inside a cell would end it.
func (p *printer) row(cells ...string) {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	p.line("| %s |", strings.Join(cells, " | "))
}

func (p *printer) head(names ...string) {
	p.line("")
	p.row(names...)
	p.line("|%s", strings.Repeat("---|", len(names)))
}

func (p *printer) engineCodes() {
	p.line("\n## Codes of the engine")
	p.line("\nThey can come with any kind: a member fails with them, and is rolled back, or waits for a person with them.")
	p.head("code", "means", "what to do")
	for _, o := range membership.EngineFailures() {
		p.row(code(o.Code), o.Reason, engine[o.Code])
	}
	p.line("\nA member is refused with these. Nothing was done to it.")
	p.head("code", "means")
	for _, o := range membership.EngineObjections() {
		p.row(code(o.Code), o.Reason)
	}
	p.line("\n## Codes that people leave")
	p.head("code", "means")
	for _, o := range people {
		p.row(code(o.Code), o.Reason)
	}
}

func (p *printer) kindCodes() {
	for _, k := range kinds.All(kinds.Clouds{}) {
		s := k.Spec()
		p.line("\n## Codes of `%s`", s.ID)
		p.line("\nIts activity types are `%s`.", strings.Join(membership.LaneActivities(s), "`, `"))
		p.line("\nA member is *refused* with these, all that hold at once, while the run is planned. Nothing was done to it.")
		p.head("code", "means")
		for _, o := range s.Objections {
			p.row(code(o.Code), o.Reason)
		}
		p.line("\nA member *fails* with these on the way, or waits for a person.")
		p.head("code", "means")
		for _, o := range s.Failures {
			p.row(code(o.Code), o.Reason)
		}
	}
}

func (p *printer) verdicts() {
	p.line("\n## What an answer of a cloud means")
	p.line("\nEvery failed call gets one of six verdicts, and everything that decides on errors decides on the verdict. A call that")
	p.line("changes something (a write) and one that does not (a read) can get different ones for the same answer: a read that")
	p.line("failed may simply be repeated.")
	p.head("verdict", "means", "when a read gets it", "when a write gets it")
	for _, v := range verdicts {
		p.row("`"+string(v.verdict)+"`", v.means, v.read, v.write)
	}
}

func (p *printer) cloud(title string, tables []table) {
	p.line("\n### %s", title)
	p.line("\nThe first row that matches decides. Codes are compared whole. A member that fails because the cloud refused a write has")
	p.line("the cloud's code as its own.")
	for _, t := range tables {
		p.line("\n#### Answers of %s", t.of)
		for _, g := range t.groups {
			p.group(g)
		}
	}
}

func (p *printer) group(g group) {
	if g.about != "" {
		p.line("\n%s", g.about)
	}
	p.head("code", "action", "HTTP", "read", "write", "because")
	for _, r := range g.rules {
		status := "any"
		if r.Status != 0 {
			status = fmt.Sprint(r.Status)
		}
		p.row(code(r.Code), cmp.Or(r.Op, "any"), status, cmp.Or(string(r.Read), "-"), cmp.Or(string(r.Write), "-"), r.Why)
	}
}

// silent shows what holds where no table has a row.
func (p *printer) silent() {
	p.line("\n### What no table names")
	p.line("\nThen the HTTP status alone decides. No answer at all is `transient` for a read; for a write it is `unknown`, or")
	p.line("`transient` when no connection was made. A certificate that cannot be verified is `rejected`.")
	p.head("HTTP", "read", "write")
	for _, s := range []int{200, 202, 307, 400, 401, 403, 404, 409, 429, 500, 501, 502, 503, 504} {
		p.row(fmt.Sprintf("%d %s", s, http.StatusText(s)), string(verdict.Classify("", false, s, "")),
			string(verdict.Classify("", true, s, "")))
	}
}

func code(c string) string {
	if c == "" {
		return "(none)"
	}
	return "`" + c + "`"
}
