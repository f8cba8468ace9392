package membership_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func TestParametersAreReadAsDeclared(t *testing.T) {
	type params struct {
		on     bool
		after  time.Duration
		most   int
		id     string
		secret any
	}
	read := func(given membership.Params) (p params, words []string) {
		p.most = 5
		declared := []membership.Param{
			membership.Flag(&p.on, "on", true, "turns it on"),
			membership.Between(&p.after, "after", "never", 10*time.Second, time.Minute, "then"),
			membership.Whole(&p.most, "most", "5", 9, "so many"),
			membership.Text(&p.id, membership.ParamSpec{Name: "id", Type: "id", Default: "none; needed", Help: "which"}, func(text string) string {
				if text == "" {
					return "want a text"
				}
				return ""
			}).Needed("want the id"),
			membership.Object("secret", "none", "where it is", func(given any) string {
				if _, ok := given.(map[string]any); !ok {
					return "want an object"
				}
				p.secret = given
				return ""
			}).Secret(),
		}
		require.Equal(t, membership.ParamSpec{Name: "on", Type: "boolean", Default: "true", Help: "turns it on"}, membership.Specs(declared)[0])
		for _, problem := range given.Read(declared) {
			words = append(words, problem.String())
		}
		return p, words
	}
	p, problems := read(membership.Params{"id": "a"})
	require.Empty(t, problems)
	require.Equal(t, params{on: true, most: 5, id: "a"}, p)
	p, problems = read(membership.Params{"id": "a", "on": false, "after": "30s", "most": 9.0, "secret": map[string]any{}})
	require.Empty(t, problems)
	require.Equal(t, params{after: 30 * time.Second, most: 9, id: "a", secret: map[string]any{}}, p)
	for _, c := range []struct {
		given membership.Params
		want  string
	}{
		{membership.Params{}, "params.id: is missing; want the id"},
		{membership.Params{"id": 7.0}, `params.id: "7": want a text`},
		{membership.Params{"id": "a", "on": "yes"}, `params.on: "yes": want true or false`},
		{membership.Params{"id": "a", "after": "1s"}, `params.after: "1s": want a duration of 10s to 1m0s, such as 10s`},
		{membership.Params{"id": "a", "after": 3.0}, `params.after: "3": want a duration of 10s to 1m0s, such as 10s`},
		{membership.Params{"id": "a", "most": 1.5}, `params.most: "1.5": want a whole number from 1 to 9`},
		{membership.Params{"id": "a", "most": 10.0}, `params.most: "10": want a whole number from 1 to 9`},
		{membership.Params{"id": "a", "secret": "Horse"}, "params.secret: want an object"},
	} {
		_, problems := read(c.given)
		require.Equal(t, []string{c.want}, problems)
	}
}
