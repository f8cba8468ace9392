package targets

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// A listing is what the clouds' command lines print: an object with a list in it, several such objects when it was read
// page by page.
type listing struct {
	path string // of the list
	id   string // of the member, in one of its objects; "": the list has ids alone
	what string // which prints it
}

// listings are those that fleetjoin's kinds have members in.
var listings = []listing{
	{"Instances.Instance", "InstanceId", "what aliyun ecs DescribeInstances prints"},
	{"NetworkInterfaceSets.NetworkInterfaceSet", "NetworkInterfaceId", "what aliyun ecs DescribeNetworkInterfaces prints"},
	{"Disks.Disk", "DiskId", "what aliyun ecs DescribeDisks prints"},
	{"ClusterMemberPage.ClusterMemberList.ClusterMember", "EcsId", "what aliyun edas ListClusterMembers prints"},
	{"Resources.Resource", "ResourceId", "what aliyun resourcemanager ListResources prints"},
	{"nodes", "instance_id", "what aliyun cs DescribeClusterNodes prints"},
	{"servers", "id", "what hcloud ECS ListServersDetails prints"},
	{"server_group.members", "", "what hcloud ECS ShowServerGroup prints"},
	{"items", "status.serverId", "what hcloud CCE ListNodes prints"},
}

// The paths of what else is of use in an object of a listing.
var (
	zonePaths = []string{"ZoneId", "OS-EXT-AZ:availability_zone", "spec.az", "availability_zone"}
	tagPaths  = []string{"Tags.Tag", "tags"}
)

// totals are the fields in which a listing says how many there are, of which it may be the first page.
var totals = []string{"TotalCount", "count"}

// listing reads what begins with the token and stands at a path, if that leads to a list of members. found is false where
// it does not, and all of it has been read in any case.
func (j *jsonList) listing(path []string, token json.Token) (found bool, err error) {
	at := strings.Join(path, ".")
	i := slices.IndexFunc(listings, func(l listing) bool { return l.path == at })
	if token == json.Delim('[') && i >= 0 {
		j.taken.Shape = listings[i].what
		return true, j.listed(listings[i])
	}
	leads := slices.ContainsFunc(listings, func(l listing) bool { return strings.HasPrefix(l.path, at+".") })
	if token != json.Delim('{') || !leads {
		return false, j.skip()
	}
	for {
		name, err := j.next()
		field, isName := name.(string)
		if err != nil || !isName {
			return found, err
		}
		token, err := j.next()
		if err != nil {
			return found, err
		}
		if _, nested := token.(json.Delim); nested {
			here, err := j.listing(append(path, field), token)
			if found = found || here; err != nil {
				return found, err
			}
		}
	}
}

// listed reads the rest of a list of members.
func (j *jsonList) listed(of listing) error {
	for {
		token, err := j.next()
		if err != nil || token == json.Delim(']') {
			return err
		}
		j.text.next()
		d := draft{at: j.at}
		j.at.item++
		switch {
		case token == json.Delim('{'):
			err = j.member(d, of)
		case of.id == "":
			err = j.value(&d, string(isMember), token)
			if err == nil {
				err = j.add(d)
			}
		default:
			if _, nested := token.(json.Delim); nested {
				err = j.skip()
			}
			if err == nil {
				err = j.problem(d.at, "", jsonKind(token), "want an object with "+of.id)
			}
		}
		if err != nil {
			return err
		}
	}
}

// member reads the rest of an object of a listing.
func (j *jsonList) member(d draft, of listing) error {
	object := make(map[string]any)
	for {
		name, err := j.next()
		field, isName := name.(string)
		switch {
		case err != nil:
			return err
		case !isName:
			return j.learned(d, of, object)
		}
		var value any
		if err := j.dec.Decode(&value); err != nil {
			return j.notJSON(err)
		}
		object[field] = value
	}
}

// learned takes from an object what is of use.
func (j *jsonList) learned(d draft, of listing, object map[string]any) error {
	id, ok := find(object, of.id).(string)
	if !ok || id == "" {
		return j.problem(d.at, of.id, "", "is missing; want the member's id there")
	}
	if err := j.give(&d, d.at.line, of.id, id, meaning{role: isMember}); err != nil {
		return err
	}
	for _, path := range zonePaths {
		if zone, _ := find(object, path).(string); zone != "" && d.zone.field == "" {
			d.zone = claim{field: path, value: zone, at: d.at}
		}
	}
	for _, path := range tagPaths {
		d.Traits = tags(d.Traits, find(object, path))
	}
	return j.add(d)
}

// find returns what stands at a path of an object, nil when there is nothing.
func find(object map[string]any, path string) any {
	if value, ok := object[path]; ok {
		return value
	}
	name, rest, ok := strings.Cut(path, ".")
	inner, isObject := object[name].(map[string]any)
	if !ok || !isObject {
		return nil
	}
	return find(inner, rest)
}

// tags adds the traits of tags, in any of the ways in which clouds and Terraform write them.
func tags(traits map[string]string, value any) map[string]string {
	set := func(key, value any) {
		if k, ok := key.(string); ok && k != "" {
			if traits == nil {
				traits = make(map[string]string)
			}
			v, _ := value.(string)
			traits[membership.TraitTag(k)] = v
		}
	}
	switch all := value.(type) {
	case map[string]any:
		for key, v := range all {
			set(key, v)
		}
	case []any:
		for _, one := range all {
			switch tag := one.(type) {
			case string:
				key, v, _ := strings.Cut(tag, "=")
				set(key, v)
			case map[string]any:
				for _, names := range [][2]string{{"TagKey", "TagValue"}, {"Key", "Value"}, {"key", "value"}} {
					set(tag[names[0]], tag[names[1]])
				}
			}
		}
	}
	return traits
}
