package membership_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// in makes members in zones, one for each letter.
func in(zones string) (members []membership.Member) {
	for _, z := range zones {
		members = append(members, membership.Member{ID: string(z), Before: map[string]string{membership.FactZone: string(z)}})
	}
	return members
}

// fits tells of each member whether it found a place.
func fits(members []membership.Member) string {
	text := ""
	for i := range members {
		text += map[bool]string{true: "+", false: "-"}[members[i].Due()]
	}
	return text
}

func TestSomeTakeSeveralPlaces(t *testing.T) {
	members := in("aaaa")
	members[1].Places, members[2].Places = 3, 2
	room := membership.Room{Each: map[string]int{"g": 4}, All: membership.NoLimit}
	room.Fit("g", members)
	require.Equal(t, "++--", fits(members), "who comes later has no place, be it smaller")
	require.Equal(t, "group g takes 4 more, of which the members before it in the plan leave 0, and it takes 2", members[2].Refused[0].Reason)
	require.Equal(t, 0, room.Of("g"))
}

func TestRoomIsGivenInOrder(t *testing.T) {
	each := func(n int) membership.Room {
		return membership.Room{Each: map[string]int{"g": n}, All: membership.NoLimit}
	}
	zones := each(3)
	zones.Zones = map[string]map[string]int{"g": {"a": 1, "b": 5}}
	for name, c := range map[string]struct {
		room membership.Room
		want string
	}{
		"no limit":              {membership.Room{All: membership.NoLimit}, "+++++"},
		"no limit that is told": {each(membership.NoLimit), "+++++"},
		"a limit of the group":  {each(2), "++---"},
		"of another group":      {membership.Room{Each: map[string]int{"h": 0}, All: membership.NoLimit}, "+++++"},
		"a shared one":          {membership.Room{All: 4}, "++++-"},
		"the smaller counts":    {membership.Room{Each: map[string]int{"g": 5}, All: 1}, "+----"},
		"one of a zone":         {zones, "+-++-"}, // a, a, b, c, b
		"full":                  {each(-1), "-----"},
	} {
		members := in("aabcb")
		room := c.room.Clone()
		room.Fit("g", members)
		require.Equal(t, c.want, fits(members), name)
		fresh := c.room.Clone()
		fresh.Fit("g", members)
		require.Equal(t, c.want, fits(members), "%s, looked at anew", name)
	}
	members := in("aa")
	zones.Fit("g", members)
	require.Equal(t, []membership.Objection{{Code: membership.CodeNoRoom,
		Reason: "group g in zone a takes 1 more, and the members before it in the plan take them"}}, members[1].Refused)
}

func TestWhoNeedsNoPlaceTakesNone(t *testing.T) {
	refused := []membership.Objection{{Code: "locked"}}
	members := []membership.Member{{Already: true}, {Placed: true}, {Refused: refused}, {}, {}}
	room := membership.Room{Each: map[string]int{"g": 1}, All: membership.NoLimit}
	room.Fit("g", members)
	require.Equal(t, "-+-+-", fits(members))
	require.Equal(t, refused, members[2].Refused, "what else speaks against it stays")
}

func TestLimitsThatAreSharedComeAndGoTogether(t *testing.T) {
	pools := membership.Room{All: 2}
	one, other := in("aa"), in("aa")
	pools.Fit("one", one)
	pools.Fit("other", other)
	require.Equal(t, "++", fits(one))
	require.Equal(t, "--", fits(other))
	pools.Add("one", "", 1)
	require.Equal(t, 1, pools.Of("other"), "who leaves the one makes room in the other")
	require.Equal(t, 0, membership.Room{Each: map[string]int{"g": 3}, All: 9, Zones: map[string]map[string]int{"g": {"a": 0, "b": 3}}}.Least("g"))
}
