package targets

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// role is what a field is to a target.
type role string

const (
	isTrait  role = ""
	isMember role = "member"
	isGroup  role = "group"
	isZone   role = membership.TraitZone
)

// meaning is the role of a field. Names that clouds and people use are weak: they count where no field has a name that
// says it plainly, and are traits otherwise.
type meaning struct {
	role role
	weak bool
}

// The names of fields, in lower case and without spaces, underscores and hyphens.
var (
	plainNames = map[string]role{
		"member": isMember, "id": isMember,
		"group": isGroup, "groupid": isGroup, "targetgroup": isGroup, "targetgroupid": isGroup,
		"组": isGroup, "组id": isGroup, "分组": isGroup, "分组id": isGroup, "目标组": isGroup, "目标组id": isGroup,
		"zone": isZone,
	}
	weakNames = map[string]role{
		"memberid": isMember, "instanceid": isMember, "ecsid": isMember, "ecsinstanceid": isMember, "serverid": isMember,
		"ecsserverid": isMember, "cloudserverid": isMember, "vmid": isMember, "resourceid": isMember,
		"networkinterfaceid": isMember, "eniid": isMember, "diskid": isMember,
		"成员": isMember, "成员id": isMember, "实例id": isMember, "ecs实例id": isMember, "服务器id": isMember, "云服务器id": isMember,
		"弹性云服务器id": isMember, "主机id": isMember, "云主机id": isMember, "资源id": isMember, "弹性网卡id": isMember, "网卡id": isMember,
		"云盘id": isMember, "磁盘id": isMember,
		"zoneid": isZone, "az": isZone, "availabilityzone": isZone, "可用区": isZone, "可用区id": isZone,
	}
	// groupNames are what groups of a kind are called in exports. There they are the groups that members are in now, so they
	// count only where nothing else says where members go.
	groupNames = map[string][]string{
		"servergroup":   {"servergroup", "云服务器组", "服务器组"},
		"securitygroup": {"securitygroup", "安全组"},
		"resourcegroup": {"resourcegroup", "资源组"},
		"nodepool":      {"nodepool", "节点池"},
		"edas":          {"cluster", "集群"},
	}
)

// plain makes one name of the ways to write it.
func plain(field string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '_' || r == '-' {
			return -1
		}
		return r
	}, cases.Fold().String(norm.NFKC.String(field)))
}

// meaning returns what a field is to a target.
func (l *targetList) meaning(field string) meaning {
	if m, known := l.meanings[field]; known {
		return m
	}
	name := plain(field)
	m := meaning{role: plainNames[name]}
	if m.role == isTrait {
		m = meaning{role: weakNames[name], weak: true}
	}
	_, kind, _ := strings.Cut(l.options.Kind, ".")
	if m.role == isTrait && l.options.Groups && slices.Contains(groupNames[kind], strings.TrimSuffix(name, "id")) {
		m.role = isGroup
	}
	const most = 1000 // names; a list that has more has no two alike
	if len(l.meanings) < most {
		l.meanings[field] = m
	}
	return m
}
