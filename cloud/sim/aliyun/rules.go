package aliyun

import (
	"fmt"
	"strconv"

	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// securityGroupAttribute serves the details of one group: its rules. They have neither its type nor its resource
// group.
func (s *Service) securityGroupAttribute(c *wire.Call, p params) wire.Answer {
	switch {
	case p.Get("RegionId") == "":
		return s.refuse(c, missing("RegionId"))
	case c.Group == "":
		return s.refuse(c, missing("SecurityGroupId"))
	}
	r := s.find(c, "securitygroup", c.Group, p.Get("RegionId"))
	if r == nil {
		return s.refuse(c, notFound("InvalidSecurityGroupId.NotFound", "The specified SecurityGroupId does not exist."))
	}
	part, refused := p.tokenPaging(mostRules, mostRules/2)
	if refused != nil {
		return s.refuse(c, refused)
	}
	g := r.Firewall
	rules := []object{}
	if direction, nic := p.Get("Direction"), p.Get("NicType"); direction != "egress" && nic != "internet" {
		for i := range g.Rules {
			rules = append(rules, rule(g.ID, i))
		}
	}
	page, body := cut(rules, part)
	return found(c, merge(body, object{"RegionId": g.Region, "SecurityGroupId": g.ID, "SecurityGroupName": g.Name,
		"VpcId": g.VPC, "Description": "", "InnerAccessPolicy": "Accept", "Permissions": object{"Permission": page},
		"ReferencedInfo": object{"ReferencedPrefixListInfos": object{"ReferencedPrefixListInfo": []object{}}}}))
}

// mostRules is how many rules one answer has.
const mostRules = 1000

// rule makes up the rules of a group: they let in.
func rule(group string, i int) object {
	port := strconv.Itoa(1000 + i)
	body := object{"SecurityGroupRuleId": fmt.Sprintf("sgr-%s-%d", group, i+1), "Direction": "ingress",
		"Policy": "Accept", "IpProtocol": "TCP", "PortRange": port + "/" + port, "SourceCidrIp": "10.0.0.0/8",
		"Priority": "1", "NicType": "intranet", "CreateTime": created}
	for _, name := range []string{"Description", "DestCidrIp", "Ipv6DestCidrIp", "Ipv6SourceCidrIp", "SourcePortRange",
		"SourceGroupId", "SourceGroupName", "SourceGroupOwnerAccount", "SourcePrefixListId", "SourcePrefixListName",
		"DestGroupId", "DestGroupName", "DestGroupOwnerAccount", "DestPrefixListId", "DestPrefixListName"} {
		body[name] = ""
	}
	return body
}
