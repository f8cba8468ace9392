package kinds_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Whatever a request says, in whichever place, no kind repeats it in a way that cannot be shown.
func TestWhatKindsSayOfOddRequestsCanBeShown(t *testing.T) {
	said := 0
	for _, k := range kinds.All(kinds.Clouds{}) {
		for _, odd := range []string{"\x1b[31mred\x07\r", "a\x00b", strings.Repeat("x", 3000), "\xb7\xfe\xce\xf1", "a\u202eb", "a\nb"} {
			requests := []membership.Request{
				{Kind: k.Spec().ID, Account: "demo", Group: odd, Members: []string{odd}},
				{Kind: odd, Account: odd, Group: "g", From: odd, Members: []string{"m"}},
				{Kind: k.Spec().ID, Account: "demo", Group: "g", Members: []string{"m"}, Params: membership.Params{odd: odd}},
			}
			for _, p := range k.Spec().Params {
				requests = append(requests, membership.Request{Kind: k.Spec().ID, Account: "demo", Group: "g", Members: []string{"m"},
					Params: membership.Params{p.Name: odd}})
			}
			for _, r := range requests {
				err := membership.Bad(membership.Validate(k, r))
				require.Error(t, err)
				for line := range strings.SplitSeq(err.Error(), "\n") {
					said++
					require.Less(t, len(line), 1500)
					require.True(t, utf8.ValidString(line), "%q", line)
					require.Equal(t, -1, strings.IndexFunc(line, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }),
						"%q", line)
				}
			}
		}
	}
	require.Positive(t, said)
}
