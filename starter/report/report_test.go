package report

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/archive"
	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file of testdata, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// formats are the ways to write a fleet.
func formats(f *archive.Run) map[string]func(context.Context, io.Writer) error {
	as := func(write func(context.Context, *archive.Run, io.Writer) error) func(context.Context, io.Writer) error {
		return func(ctx context.Context, to io.Writer) error { return write(ctx, f, to) }
	}
	return map[string]func(context.Context, io.Writer) error{"json": as(WriteJSON), "csv": as(WriteCSV), "html": as(WriteHTML)}
}

func written(t *testing.T, f *archive.Run, format string) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, formats(f)[format](t.Context(), &out))
	return out.String()
}

func TestFormats(t *testing.T) {
	t.Parallel()
	y, key := small(t)
	f := open(t, y, key)
	for format := range formats(f) {
		golden(t, "small."+format, written(t, f, format))
	}
}

func TestTheDocumentHasEveryMember(t *testing.T) {
	t.Parallel()
	y, key := small(t)
	f := open(t, y, key)
	var d document
	require.NoError(t, json.Unmarshal([]byte(written(t, f, "json")), &d))
	require.Equal(t, key, d.Archive)
	require.Equal(t, key, d.Report.Archive)
	require.Len(t, d.Cohorts, len(y.account.Parts))
	var members []archive.Member
	counts := make(map[membership.Outcome]int)
	for m, err := range f.Members(t.Context()) {
		require.NoError(t, err)
		members = append(members, m)
		counts[m.Outcome]++
	}
	require.Equal(t, members, d.Members)
	require.Equal(t, d.Report.Counts, counts)
	rows, err := csv.NewReader(strings.NewReader(written(t, f, "csv"))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+len(members))
}

// What is said later of a member goes before, whatever became of those that were taken on together with it.
func TestTheLastWordCounts(t *testing.T) {
	t.Parallel()
	y, key := small(t)
	told := make(map[string]archive.Member)
	for m, err := range open(t, y, key).Members(t.Context()) {
		require.NoError(t, err)
		told[m.ID] = m
	}
	m := ids(1, 12)
	healed := told[m[2]]
	require.Equal(t, archive.Try{Outcome: membership.Joined, Host: "000000000033", Cohort: "web.4", Act: archive.ActRetry}, healed.Try)
	require.Equal(t, []membership.Outcome{membership.RolledBack, membership.RolledBack},
		[]membership.Outcome{healed.Earlier[0].Outcome, healed.Earlier[1].Outcome}, "in vain, it stays what it was")
	require.Equal(t, "it was not tried again: account prod: no credentials", healed.Earlier[1].Reason)
	skipped := told[m[4]]
	require.Equal(t, archive.Try{Outcome: membership.Skipped, Stage: "add", Code: "no-effect", Reason: "sent 3 times: the server is not in the group",
		Also: []membership.Objection{{Code: membership.CodeSkipped, Reason: "by cid: goes away next week"}}, Act: archive.ActDecision}, skipped.Try)
	require.Equal(t, hostile, skipped.Name, "a decision does not say how it is called; the record before does")
	back := told[m[5]]
	require.Equal(t, archive.Try{Outcome: membership.RolledBack, Cohort: "web.8", Act: archive.ActPutBack}, back.Try)
	require.Equal(t, membership.Joined, back.Earlier[0].Outcome)
	stuck := told[m[7]]
	require.Equal(t, membership.RollbackIncomplete, stuck.Outcome, "refused to be put back: it is a member still")
	require.Equal(t, "held", stuck.Code)
	require.Equal(t, archive.Try{Outcome: membership.NotStarted}, told[m[11]].Try)
}

func TestWavesLeaveOutThePuttingBack(t *testing.T) {
	t.Parallel()
	y, key := small(t)
	waves := open(t, y, key).Waves()
	require.Len(t, waves, 3)
	last := waves[2]
	require.Equal(t, 1, last.Failed)
	require.Equal(t, 2, last.PutBack)
	require.Equal(t, map[membership.Outcome]int{membership.RolledBack: 2, membership.RollbackIncomplete: 2, membership.Refused: 1,
		membership.NotStarted: 2}, last.Counts)
	require.Equal(t, y.account.Parts[len(y.account.Parts)-2].Ended, last.Ended)
}

// Who reads that members were taken out must see which.
func TestWhatPeopleSaid(t *testing.T) {
	t.Parallel()
	step := func(waves ...string) (s fleet.StepReport) {
		for _, name := range waves {
			s.Waves = append(s.Waves, fleet.Wave{Name: name})
		}
		return s
	}
	r := fleet.Report{Steps: []fleet.StepReport{step("canary", "wave 1", "wave 2"), step("canary", "wave 1")}}
	c := fleet.Control{Wave: 2}
	require.Equal(t, "wave 1", Detail(r, c), "the canary is the first")
	r.Steps[1] = step("wave 1", "wave 2")
	require.Equal(t, "wave number 2", Detail(r, c), "of which step nobody knows")
	require.Equal(t, "wave number 2", Detail(fleet.Report{}, c))
	c.Members = []string{"web-1", "web-2"}
	require.Equal(t, "wave number 2; 2 members", Detail(r, c))
	require.Equal(t, "3 cohorts at once; stops at 5% failures", Detail(r, fleet.Control{Cohorts: 3,
		Budget: &fleet.Budget{Failures: fleet.Share{Percent: 5}}}))
	require.Empty(t, Detail(r, fleet.Control{Control: membership.Control{By: "ann", Reason: "late"}}))

	y, _ := small(t)
	y.said(membership.ControlSkip, fleet.Control{Control: membership.Control{By: "cid", Reason: "all of it"}, Wave: 3}, "")
	require.Contains(t, written(t, open(t, y, y.put(y.account)), "html"), `<q>all of it</q><span class="faint">wave 2</span>`)
}

func TestNothingThatACloudSaysIsMarkup(t *testing.T) {
	t.Parallel()
	y, _ := small(t)
	y.account.Report.Name, y.account.Report.Why = hostile, hostile
	y.account.Plan.Requester = hostile
	y.account.Report.Steps[0].Kind, y.account.Report.Steps[0].Account = hostile, hostile
	for i := range y.account.Report.Steps[0].Waves {
		y.account.Report.Steps[0].Waves[i].Name = hostile
	}
	for i := range y.account.Parts {
		if y.account.Parts[i].Cohort != "" {
			y.account.Parts[i].Cohort = hostile
		}
	}
	y.account.Report.Controls[0].Control.By, y.account.Report.Controls[0].Control.Reason = hostile, hostile
	y.account.Report.Votes[0].Refused, y.account.Report.Votes[0].Digest = hostile, hostile
	f := open(t, y, y.put(y.account))
	f.ID = hostile

	page := written(t, f, "html")
	require.NotContains(t, page, "<img")
	require.NotContains(t, page, hostile)
	require.Equal(t, 2, strings.Count(page, "<script"))
	require.Equal(t, 2, strings.Count(page, "</script"))
	require.Greater(t, strings.Count(html.UnescapeString(page), "alert(2)"), 8, "it is all there")

	lines := written(t, f, "csv")
	require.NotContains(t, lines, "\x1b")
	rows, err := csv.NewReader(strings.NewReader(lines)).ReadAll()
	require.NoError(t, err)
	for _, row := range rows {
		for _, cell := range row {
			require.False(t, strings.HasPrefix(cell, "="), cell)
		}
	}
}

func TestThePageNeedsNothingElse(t *testing.T) {
	t.Parallel()
	y, key := small(t)
	page := written(t, open(t, y, key), "html")
	markup := regexp.MustCompile(`(?s)<script type="application/json".*?</script>`).ReplaceAllString(page, "")
	require.Less(t, len(markup), len(page))
	require.Empty(t, regexp.MustCompile(`(?i)https?://|\bsrc=|\bhref=|@import|<link|<base`).FindAllString(markup, -1))
	require.Equal(t, []string{"url(#hatch)"}, uniq(regexp.MustCompile(`url\([^)]*\)`).FindAllString(page, -1)))
	script := regexp.MustCompile(`(?s)<script>(.*)</script>`).FindStringSubmatch(page)[1]
	sum := sha256.Sum256([]byte(script))
	require.Contains(t, html.UnescapeString(page), "script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'",
		"browsers run what has this hash, and nothing else")
}

func uniq(all []string) (some []string) {
	for _, s := range all {
		if len(some) == 0 || some[len(some)-1] != s {
			some = append(some, s)
		}
	}
	return some
}

// The script finds what it shows by the place in a row.
func TestTheScriptKnowsTheColumns(t *testing.T) {
	t.Parallel()
	y, key := small(t)
	g, err := gather(t.Context(), open(t, y, key))
	require.NoError(t, err)
	columns := strings.Fields(regexp.MustCompile(`columns = '(.*)'`).FindStringSubmatch(pageJS)[1])
	member := archive.Member{Step: 1, Wave: "w", Group: "g", ID: "i", Name: "n", Before: map[string]string{"k": "v"}, Earlier: []archive.Try{{}},
		Try: archive.Try{Outcome: "o", Stage: "s", Code: "c", Reason: "r", Also: []membership.Objection{{}}, RequestID: "q", Cohort: "h", Act: "a"}}
	row := (&gatherer{gathered: &g, texts: map[string]int{"o": 2, "w": 3, "g": 4, "k=v": 6, "after": 7, "h": 8, "a": 9, "s": 10, "c": 11, "r": 12,
		": ": 14, "": 0}}).row(&member, "after")
	require.Equal(t, []any{"i", "n", 2, 3, 4, 1, 6, 7, 8, 9, 10, 11, 12, "q", []any{14}, []any{[]any{0, 0, 0, 0, 0, 0, ""}}}, row)
	require.Equal(t, strings.Fields("id name *outcome *wave *group step *before *after *cohort *act *stage *code *reason request also earlier"), columns)
	require.Equal(t, 12, len(g.Data.Rows))
	require.Equal(t, 1, g.Healed)
	require.Equal(t, 2, g.Undone)
}

func TestAFleetWithoutMembers(t *testing.T) {
	t.Parallel()
	f := archive.Of(fleet.Report{Name: "none", Outcome: membership.RunCancelled, Counts: map[membership.Outcome]int{}, Why: "aborted by ann: wrong file"})
	var d document
	require.NoError(t, json.Unmarshal([]byte(written(t, f, "json")), &d))
	require.Equal(t, []archive.Member{}, d.Members)
	require.Equal(t, 1, strings.Count(written(t, f, "csv"), "\n"))
	page := written(t, f, "html")
	require.Contains(t, page, "aborted by ann: wrong file")
	require.NotContains(t, page, "<script")
	_, err := f.Verify(t.Context())
	require.ErrorContains(t, err, "nothing is kept")
}

// Two steps may be about the same member, in two kinds: it is told twice.
func TestSteps(t *testing.T) {
	t.Parallel()
	y := newYard(t, fleet.Plan{Name: "two steps"})
	m := ids(0, 2)
	for _, kind := range []string{"huawei.servergroup", "huawei.nodepool"} {
		y.step(membership.Join, kind)
		y.wave("wave 1", fleet.Page{Group: group1, Members: m})
	}
	y.account.Manifest = y.put(y.manifest)
	y.file(fleet.PageInput{Step: 0}, 1e9, well)
	y.file(fleet.PageInput{Step: 1}, 1e9, func(r *membership.MemberReport) { r.Outcome = membership.Unknown })
	f := open(t, y, y.close())
	var got []string
	for m, err := range f.Members(t.Context()) {
		require.NoError(t, err)
		got = append(got, string(m.Outcome))
	}
	require.Equal(t, []string{"joined", "joined", "unknown", "unknown"}, got)
	_, err := f.Verify(t.Context())
	require.NoError(t, err)
	page := written(t, f, "html")
	require.Contains(t, page, "<b>step 2</b>")
	require.Contains(t, page, "2 · wave 1")
}

type full struct{ room int }

func (w *full) Write(p []byte) (int, error) {
	if w.room -= len(p); w.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

var errFull = errors.New("no room is left")

func TestAWriterThatFails(t *testing.T) {
	t.Parallel()
	y, key := small(t)
	f := open(t, y, key)
	for format, write := range formats(f) {
		length := len(written(t, f, format))
		for _, room := range []int{0, length / 2, length - 1} {
			require.ErrorIs(t, write(t.Context(), &full{room}), errFull, format)
		}
	}
}
