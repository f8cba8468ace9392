package huawei

import (
	"fmt"
	"regexp"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// WantUUID says to people what an id looks like.
const WantUUID = "want a UUID such as 34dac9a0-c4a7-457b-bab2-e2c696e0e401"

// IsUUID reports whether text is a UUID, as the ids of servers, server groups, clusters and node pools are.
func IsUUID(text string) bool { return uuid.MatchString(text) }

// CheckIDs returns what is wrong with the ids of a request's group and members, all of which are UUIDs. One that is missing
// is for others to tell.
func CheckIDs(r membership.Request) (problems []membership.Problem) {
	check := func(field, id string) {
		if id != "" && !IsUUID(id) {
			problems = append(problems, membership.Problem{Field: field, Value: membership.Quote(id), Want: WantUUID})
		}
	}
	check("group", r.Group)
	for i, id := range r.Members {
		check(fmt.Sprintf("members[%d]", i), id)
	}
	return problems
}
