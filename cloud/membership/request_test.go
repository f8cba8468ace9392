package membership_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func TestParseRequestNamesWhatIsWrong(t *testing.T) {
	const good = `{"kind":"toy.group","account":"demo","group":"g-1","members":["i-1","i-2"],"params":{"a":1}}`
	r, err := membership.ParseRequest([]byte(good))
	require.NoError(t, err)
	require.Equal(t, membership.Params{"a": 1.0}, r.Params)
	for input, words := range map[string]string{
		``:                                   "request: cannot be read (EOF)",
		`{`:                                  "request: cannot be read (unexpected EOF)",
		`nonsense`:                           "request: is not JSON",
		good + good:                          "more than one JSON value",
		`{"kind":7}`:                         "kind: a JSON number: want a string",
		`{"members":[1]}`:                    "want a string",
		`{"members":"i-1"}`:                  "members: a JSON string: want a list",
		`{"params":[]}`:                      "params: a JSON array: want an object",
		`{"approval":[]}`:                    "approval: a JSON array: want an object",
		`{"approval":{"quorum":1.5}}`:        "approval.quorum: a JSON number 1.5: want a whole number",
		`{"approval":{"timeout":"an hour"}}`: `approval.timeout: a JSON string "an hour": want a duration such as`,
		`{"approval":{"timeout":60}}`:        "approval.timeout: a JSON number: want a duration such as",
		`{"colour":"red"}`:                   "colour: is not a field of a request",
		`{"kind":"k","account":"a"}`:         "group: is missing",
	} {
		_, err := membership.ParseRequest([]byte(input))
		require.ErrorContains(t, err, words, input)
		var bad *membership.BadInput
		require.ErrorAs(t, err, &bad)
	}
}

func TestProblemsStayReadable(t *testing.T) {
	r := membership.Request{Kind: "k", Account: "a", Group: "g"}
	for range membership.MaxMembers {
		r.Members = append(r.Members, strings.Repeat("/", 1<<16))
	}
	text := membership.Bad(r.Problems()).Error()
	require.Less(t, len(text), 10_000)
	require.Contains(t, text, "and more")
}

// kind is the least that a kind can be.
type kind struct{ limit int }

func (k kind) Spec() membership.Spec {
	return membership.Spec{ID: "toy.group", PageLimit: k.limit, Params: []membership.ParamSpec{{Name: "a"}, {Name: "b"}}}
}

func (kind) Validate(r membership.Request) []membership.Problem {
	return []membership.Problem{{Field: "group", Value: membership.Quote(r.Group), Want: "is not to the kind's taste"}}
}

func (kind) Cost(membership.Operation, membership.Params, *membership.Member) membership.Cost {
	return membership.Cost{}
}

func (kind) Open(context.Context, membership.Target) (membership.Session, error) { return nil, nil }

func TestValidateAsksForAllThatIsWrong(t *testing.T) {
	r := membership.Request{Kind: "toy.group", Account: "a", Group: "g", Params: membership.Params{"z": 1, "c": 2, "a": 3}}
	for i := range 11 {
		r.Members = append(r.Members, fmt.Sprint("i-", i))
	}
	var lines []string
	for _, p := range membership.Validate(kind{limit: 10}, r) {
		lines = append(lines, p.String())
	}
	require.Equal(t, []string{
		"members: 11 ids: want at most 10 in one run of toy.group",
		"params.c: is not a parameter of toy.group; it has a, b",
		"params.z: is not a parameter of toy.group; it has a, b",
		`group: "g": is not to the kind's taste`,
	}, lines)
}

func TestFindNamesTheKindsThereAre(t *testing.T) {
	k, err := membership.Find([]membership.Kind{kind{}}, "toy.group")
	require.NoError(t, err)
	require.NotNil(t, k)
	_, err = membership.Find([]membership.Kind{kind{}}, "toy.goup")
	require.EqualError(t, err, `kind: "toy.goup": is not a kind; the kinds are toy.group`)
}
