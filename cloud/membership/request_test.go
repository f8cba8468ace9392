package membership_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

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

func (kind) Cost(membership.Target, *membership.Member) membership.Cost {
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
