package membership_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func TestQueryMatches(t *testing.T) {
	web := membership.Found{ID: "i-1", Name: "web-1.eu", VPC: "vpc-1", Groups: []string{"g-1", "g-2"},
		Traits: membership.Traits("az1", map[string]string{"team": "web", "spare": ""})}
	for name, c := range map[string]struct {
		query membership.Query
		want  bool
	}{
		"nothing asked":      {membership.Query{}, true},
		"tag":                {membership.Query{Tags: map[string]string{"team": "web"}}, true},
		"tag, any value":     {membership.Query{Tags: map[string]string{"spare": "", "team": ""}}, true},
		"tag, other value":   {membership.Query{Tags: map[string]string{"team": "db"}}, false},
		"tag, not there":     {membership.Query{Tags: map[string]string{"zone": ""}}, false},
		"name":               {membership.Query{Name: "web-1.eu"}, true},
		"name, part of it":   {membership.Query{Name: "web-1"}, false},
		"name, other case":   {membership.Query{Name: "WEB-1.eu"}, false},
		"pattern, end":       {membership.Query{Name: "web-*"}, true},
		"pattern, both ends": {membership.Query{Name: "*b-1*"}, true},
		"pattern, middle":    {membership.Query{Name: "w*1*eu"}, true},
		"pattern, begins":    {membership.Query{Name: "*.eu"}, true},
		"pattern, all":       {membership.Query{Name: "*"}, true},
		"pattern, not":       {membership.Query{Name: "db-*"}, false},
		"pattern, order":     {membership.Query{Name: "*eu*web*"}, false},
		"pattern, overlap":   {membership.Query{Name: "web-1*1.eu"}, false},
		"VPC":                {membership.Query{VPC: "vpc-1"}, true},
		"VPC, other":         {membership.Query{VPC: "vpc-2"}, false},
		"in":                 {membership.Query{In: "g-2"}, true},
		"in, other":          {membership.Query{In: "g-3"}, false},
		"not in":             {membership.Query{NotIn: "g-3"}, true},
		"not in, but is":     {membership.Query{NotIn: "g-1"}, false},
		"all of it":          {membership.Query{Tags: map[string]string{"team": "web"}, Name: "web*", VPC: "vpc-1", In: "g-1", NotIn: "g-9"}, true},
		"all but one":        {membership.Query{Tags: map[string]string{"team": "web"}, Name: "web*", VPC: "vpc-2", In: "g-1"}, false},
	} {
		require.Equal(t, c.want, c.query.Matches(web), name)
	}
}

// What the clouds look for by themselves must not be more than the whole.
func TestNamePart(t *testing.T) {
	for pattern, want := range map[string]string{"": "", "*": "", "web": "web", "web-*": "web-", "*a*bcd*": "bcd", "a*b": "a"} {
		require.Equal(t, want, membership.Query{Name: pattern}.NamePart(), pattern)
	}
}

func TestQueryProblems(t *testing.T) {
	require.Empty(t, membership.Query{Tags: map[string]string{"env": "", "tier": "a b"}, Name: "*", VPC: "v", In: "g", NotIn: "h"}.Problems("cloud"))
	many := make(map[string]string)
	for i := range 21 {
		many[strings.Repeat("k", i+1)] = ""
	}
	for words, q := range map[string]membership.Query{
		"cloud: says too little; want at least one of tags":       {NotIn: "g-1"},
		"cloud.tags: 21 tags: want at most 20":                    {Tags: many},
		`cloud.tags: "=x": want a key`:                            {Tags: map[string]string{"": "x"}},
		`cloud.tags: "a\nb=": want a key`:                         {Tags: map[string]string{"a\nb": ""}},
		`cloud.name: "a\x00": want a name of at most 128 bytes`:   {Name: "a\x00"},
		`cloud.vpc: "../v": want an id`:                           {VPC: "../v"},
		`cloud.in: "a b": want an id`:                             {In: "a b"},
		`cloud.notIn: "-": want an id`:                            {Name: "*", NotIn: "-"},
		`cloud.notIn: "g": is the same as in: nobody is in it`:    {In: "g", NotIn: "g"},
		`cloud.name: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`: {Name: strings.Repeat("a", 129)},
	} {
		ps := q.Problems("cloud")
		require.Len(t, ps, 1, words)
		require.Contains(t, ps[0].String(), words)
	}
	two := membership.Query{Tags: map[string]string{"b\n": "", "a\n": ""}}.Problems("cloud")
	require.Len(t, two, 2)
	require.Less(t, two[0].Value, two[1].Value, "the same words every time")
}

func TestTraits(t *testing.T) {
	require.Equal(t, map[string]string{"zone": "az1", "tag:rack": "7"}, membership.Traits("az1", map[string]string{"rack": "7"}))
	require.Empty(t, membership.Traits("", nil))
	for name, want := range map[string]bool{"zone": true, "tag:rack": true, "tag:": false, "rack": false, "": false} {
		require.Equal(t, want, membership.IsTrait(name), name)
	}
}
