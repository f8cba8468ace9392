package alibaba

import (
	"fmt"
	"regexp"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// InstanceID is what the id of an instance looks like.
var InstanceID = regexp.MustCompile(`^i-[A-Za-z0-9-]+$`)

// WantInstance is what to say of one that is none.
const WantInstance = "want the id of an instance, such as i-bp67acfmxazb4p"

var ofHuawei = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// OfHuawei reports whether an id is one of Huawei Cloud: a UUID.
func OfHuawei(id string) bool { return ofHuawei.MatchString(id) }

// CheckIDs returns what is wrong with the ids of a request's group and members, which look as the patterns say; nil takes
// all. One that is missing is for others to tell.
func CheckIDs(r membership.Request, group *regexp.Regexp, wantGroup string,
	member *regexp.Regexp, wantMember string) (problems []membership.Problem) {
	check := func(field, id string, pattern *regexp.Regexp, want string) {
		switch {
		case id == "" || pattern == nil || pattern.MatchString(id):
			return
		case OfHuawei(id) && !group.MatchString(id): // clusters of EDAS have such ids, too
			want = "is an id of Huawei Cloud; " + want
		}
		problems = append(problems, membership.Problem{Field: field, Value: membership.Quote(id), Want: want})
	}
	check("group", r.Group, group, wantGroup)
	for i, id := range r.Members {
		check(fmt.Sprintf("members[%d]", i), id, member, wantMember)
	}
	return problems
}
