package membership

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Query says which members to find: those for which all of it holds. It is a documented JSON contract.
type Query struct {
	// Tags that a member has, by key. The value "" is any.
	Tags map[string]string `json:"tags,omitempty"`
	// Name as the cloud has it, in its case; * stands for any number of characters.
	Name  string `json:"name,omitempty"`
	VPC   string `json:"vpc,omitempty"`   // id of the VPC that a member is in
	In    string `json:"in,omitempty"`    // id of a group that a member is in now
	NotIn string `json:"notIn,omitempty"` // id of a group that a member is not in now
	// IDs narrows it to these members; nil: whoever it is. Plans have a list of members for that.
	IDs []string `json:"-"`
}

// Found is a member that was found.
type Found struct {
	ID     string
	Name   string
	VPC    string            // "" when it has none, or the cloud does not say
	Groups []string          // the groups of the kind that it is in
	Traits map[string]string // TraitZone, and TraitTag of each of its tags; what the cloud does not say is not there
}

// TraitZone is the trait that has the availability zone of a member.
const TraitZone = "zone"

const tagTrait = "tag:"

// TraitTag is the name of the trait that has the value of a tag.
func TraitTag(key string) string { return tagTrait + key }

// Traits are those of a member in a zone, with tags; an empty zone is one that the cloud does not say.
func Traits(zone string, tags map[string]string) map[string]string {
	traits := make(map[string]string, len(tags)+1)
	if zone != "" {
		traits[TraitZone] = zone
	}
	for key, value := range tags {
		traits[TraitTag(key)] = value
	}
	return traits
}

// IsTrait reports whether a Found may have a trait of that name.
func IsTrait(name string) bool {
	key, isTag := strings.CutPrefix(name, tagTrait)
	return name == TraitZone || isTag && key != ""
}

// Matches reports whether all of the query but IDs holds for a member. What a cloud filters by itself only saves reading:
// this is what counts.
func (q Query) Matches(f Found) bool {
	for key, want := range q.Tags {
		if value, has := f.Traits[TraitTag(key)]; !has || want != "" && value != want {
			return false
		}
	}
	return (q.Name == "" || matchesPattern(q.Name, f.Name)) &&
		(q.VPC == "" || f.VPC == q.VPC) &&
		(q.In == "" || slices.Contains(f.Groups, q.In)) &&
		(q.NotIn == "" || !slices.Contains(f.Groups, q.NotIn))
}

// NamePart is the longest text that every name has in it that the query matches; "" when there is none.
func (q Query) NamePart() (longest string) {
	for part := range strings.SplitSeq(q.Name, "*") {
		if len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}

// Groups are those that the query names.
func (q Query) Groups() (groups []string) {
	for _, g := range []string{q.In, q.NotIn} {
		if g != "" {
			groups = append(groups, g)
		}
	}
	return groups
}

// matchesPattern compares a name with a pattern in which * stands for any number of characters.
func matchesPattern(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return name == pattern
	}
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, rest, found := strings.Cut(name, part)
		if !found {
			return false
		}
		name = rest
	}
	return true
}

const (
	mostTags     = 20 // as many as either cloud lets a resource have
	longestText  = 128
	wantNarrowed = `want at least one of tags, name, vpc and in; everybody is "name": "*"`
)

// Problems returns what is wrong with a query that people gave; field names it.
func (q Query) Problems(field string) (ps []Problem) {
	bad := func(name, value, want string) {
		ps = append(ps, Problem{Field: field + name, Value: value, Want: want})
	}
	if len(q.Tags) == 0 && q.Name == "" && q.VPC == "" && q.In == "" {
		bad("", "", "says too little; "+wantNarrowed)
	}
	if len(q.Tags) > mostTags {
		bad(".tags", fmt.Sprintf("%d tags", len(q.Tags)), fmt.Sprintf("want at most %d", mostTags))
	}
	keys := slices.Sorted(maps.Keys(q.Tags)) //workflowcheck:ignore: they are sorted
	for _, key := range keys {
		value := q.Tags[key]
		if key == "" || !readable(key) || !readable(value) {
			bad(".tags", Quote(key+"="+value),
				fmt.Sprintf("want a key of 1 to %d bytes that can be printed, and such a value", longestText))
		}
	}
	if !readable(q.Name) {
		bad(".name", Quote(q.Name),
			fmt.Sprintf("want a name of at most %d bytes that can be printed, such as \"web-*\"", longestText))
	}
	for _, id := range []struct{ name, id string }{{".vpc", q.VPC}, {".in", q.In}, {".notIn", q.NotIn}} {
		if id.id != "" {
			ps = append(ps, CheckID(field+id.name, id.id)...)
		}
	}
	if q.In != "" && q.In == q.NotIn {
		bad(".notIn", Quote(q.NotIn), "is the same as in: nobody is in it and not")
	}
	return ps
}

func readable(text string) bool {
	return len(text) <= longestText && utf8.ValidString(text) &&
		!strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}
