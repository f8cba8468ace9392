package fleet_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// parsed is what is said about a plan in YAML, problem by problem.
func parsed(t *testing.T, text string) (words []string) {
	t.Helper()
	data, err := yaml.YAMLToJSONStrict([]byte(text))
	require.NoError(t, err)
	_, err = fleet.ParsePlan(data)
	var bad *membership.BadInput
	require.True(t, err == nil || errors.As(err, &bad), "%v", err)
	if err == nil {
		return nil
	}
	for _, p := range bad.Problems {
		words = append(words, p.String())
	}
	return words
}

// Whatever is mistyped is told at once, each where it stands, with what could stand there.
func TestEveryMistypedFieldIsNamedWhereItStands(t *testing.T) {
	const (
		whole  = "it has name, requester, whenHeld, operation, kind, account, params, group, members, groups, targets, spread, from, steps, rollback, canary, waves, soak, budget, windows, pace and approval"
		step   = "operation, kind, account, params, group, members, groups, targets, spread and from"
		quotes = "want a string; put it in quotes"
		share  = `want a count of at least 1, such as 12, or a percentage above 0 with at most 3 decimals, such as "5%"`
	)
	require.Equal(t, []string{
		"approval.qourum: is not a field of a plan; approval has quorum, voters, timeout, signed and eachWave",
		`approval.quorum: a JSON string "two": want a whole number`,
		`approval.voters: a JSON string "bob": want a list`,
		"budget.failure: is not a field of a plan; budget has failures, perWave, then and strict",
		`canary: a JSON string "5%": want a whole number`,
		"nmae: is not a field of a plan; " + whole,
		"pace.members: a JSON value true: want a whole number",
		"requester: a JSON number 7: " + quotes,
		`soak: a JSON number 600: want a duration such as "90s" or "10m"`,
		"steps[0].acount: is not a field of a plan; steps[0] has " + step,
		"steps[0].members[1]: a JSON number 12: " + quotes,
		"steps[0].members[2]: a JSON object: want a string",
		`steps[1].targets: a JSON string "web.csv": want an object with file, sha256, address and cloud`,
		"steps[2].groups[0].member: is not a field of a plan; steps[2].groups[0] has group and members",
		"steps[2].targets.cloud.tag: is not a field of a plan; steps[2].targets.cloud has tags, name, vpc, in and notIn",
		`waves[0]: a JSON string "half": ` + share,
		"waves[2]: a JSON number 0.5: " + share,
		"windows[1].form: is not a field of a plan; windows[1] has days, from, to and zone",
	}, parsed(t, `
nmae: web
requester: 7
approval: {qourum: 2, quorum: two, voters: bob}
budget: {failure: 1}
canary: 5%
pace: {members: true}
soak: 600
steps:
  - {kind: k, acount: a, group: g, members: [i-1, 12, {id: i-2}]}
  - {kind: k, account: a, group: g, targets: web.csv}
  - {kind: k, account: a, groups: [{group: g, member: [i-1]}], targets: {cloud: {tag: {a: b}}}}
waves: [half, 5%, 0.5]
windows:
  - {from: "22:00", to: "04:00", zone: UTC}
  - {form: "22:00", to: "04:00", zone: UTC}
`))
}

func TestABudgetIsAnObject(t *testing.T) {
	for given, words := range map[string]string{
		"5":    "a JSON number 5",
		"'0'":  `a JSON string "0"`,
		"[5%]": "a JSON array",
	} {
		got := parsed(t, "{kind: k, account: a, group: g, members: [i], budget: "+given+"}")
		require.Equal(t, []string{"budget: " + words + ": want an object with failures, perWave, then and strict"}, got)
	}
}

func TestThousandsOfMistypedFieldsStayReadable(t *testing.T) {
	got := parsed(t, "{kind: k, account: a, group: g, members: ["+strings.Repeat("7, ", 5000)+"]}")
	require.Len(t, got, fleet.MaxProblems)
	require.Equal(t, "members[23]: a JSON number 7: want a string; put it in quotes", got[23])
	require.Equal(t, "plan: has more problems; the rest was not looked at", got[24])
	got = parsed(t, "{kind: k, \"a\\e[2J\": 1, "+strings.Repeat("x", 1000)+": 1}")
	require.Contains(t, got[0], `"a\x1b[2J": is not a field of a plan`, "it cannot clear the screen")
	require.Contains(t, got[1], `"… (1000 bytes): is not a field of a plan`)
}
