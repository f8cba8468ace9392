package huawei

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

func TestCheckIDs(t *testing.T) {
	const good = "34dac9a0-c4a7-457b-bab2-e2c696e0e401"
	assert.Empty(t, CheckIDs(membership.Request{Group: good, Members: []string{good, strings.ToUpper(good)}}))
	assert.Empty(t, CheckIDs(membership.Request{Members: []string{""}}), "what is missing others tell")
	assert.Equal(t, []membership.Problem{
		{Field: "group", Value: `"g"`, Want: WantUUID},
		{Field: "members[1]", Value: `"` + good + `0"`, Want: WantUUID},
	}, CheckIDs(membership.Request{Group: "g", Members: []string{good, good + "0"}}))
	for _, bad := range []string{"", "i-1", "{" + good + "}", good + "\n", strings.ReplaceAll(good, "-", "")} {
		assert.False(t, IsUUID(bad), "%q", bad)
	}
}
