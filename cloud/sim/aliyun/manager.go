package aliyun

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// object is a JSON object.
type object = map[string]any

func (s *Service) getResourceGroup(c *wire.Call, p params) wire.Answer {
	g, ok := s.groups[c.Group]
	switch {
	case c.Group == "":
		return s.refuse(c, missing("ResourceGroupId"))
	case !ok || g.Account != s.account(c):
		return s.refuse(c, noResourceGroup())
	}
	var statuses []object
	for _, region := range slices.Sorted(maps.Keys(s.regions)) {
		statuses = append(statuses, object{"RegionId": region, "Status": statusIn(g, region)})
	}
	body := resourceGroupBody(g, p)
	body["RegionStatuses"] = object{"RegionStatus": list(statuses)}
	return found(c, object{"ResourceGroup": body})
}

func resourceGroupBody(g world.ResourceGroup, p params) object {
	body := object{"Id": g.ID, "Name": g.Name, "DisplayName": g.Name, "AccountId": g.Account, "Status": g.Status,
		"CreateDate": created}
	if asked, _ := p.flag("IncludeTags"); asked {
		body["Tags"] = tagList(g.Tags)
	}
	return body
}

func (s *Service) listResourceGroups(c *wire.Call, p params) wire.Answer {
	g, r := p.paging(100, false)
	if r != nil {
		return s.refuse(c, r)
	}
	wanted := p.list("ResourceGroupIds")
	is := func(parameter, value string) bool { return p.Get(parameter) == "" || p.Get(parameter) == value }
	var matching []object
	for _, group := range s.config.ResourceGroups {
		if group.Account == s.account(c) && is("ResourceGroupId", group.ID) && is("Status", group.Status) &&
			is("Name", group.Name) && is("DisplayName", group.Name) &&
			(wanted == nil || slices.Contains(wanted, group.ID)) && p.tagged(group.Tags) {
			matching = append(matching, resourceGroupBody(group, p))
		}
	}
	page, body := cut(matching, g)
	body["ResourceGroups"] = object{"ResourceGroup": list(page)}
	return found(c, body)
}

func (s *Service) listResources(c *wire.Call, p params) wire.Answer {
	g, r := p.paging(100, false)
	if r != nil {
		return s.refuse(c, r)
	}
	ids, types := idsOf(p.Get("ResourceIds")), listedTypes(p)
	t := s.listed(c.Now)
	is := func(parameter, value string) bool { return p.Get(parameter) == "" || p.Get(parameter) == value }
	var matching []object
	for _, resourceType := range world.ResourceTypes() {
		if !is("Service", "ecs") || !is("ResourceType", resourceType) || types != nil && !types[resourceType] {
			continue
		}
		for _, r := range s.candidates(resourceType, ids, "") {
			it := r.identity()
			if it.account != s.account(c) || !r.there(t) || !is("Region", it.region) || !is("ResourceId", it.id) {
				continue
			}
			if group := r.at(t).ResourceGroup; is("ResourceGroupId", group) {
				matching = append(matching, object{"Service": "ecs", "ResourceType": resourceType, "ResourceId": it.id,
					"ResourceGroupId": group, "RegionId": it.region, "CreateDate": created})
			}
		}
	}
	page, body := cut(matching, g)
	body["Resources"] = object{"Resource": list(page)}
	return found(c, body)
}

// idsOf reads ids from a JSON array or joined by commas: the documents show both (A14).
func idsOf(text string) []string {
	if text == "" {
		return nil
	}
	var ids []string
	if json.Unmarshal([]byte(text), &ids) == nil {
		return ids
	}
	return strings.Split(text, ",")
}

// listedTypes reads the pairs of service and type that ListResources takes; nil if there are none.
func listedTypes(p params) map[string]bool {
	var types map[string]bool
	for name := range p.Values {
		if !strings.HasPrefix(generic(name), "ResourceTypes.N.") {
			continue
		}
		if types == nil {
			types = map[string]bool{}
		}
		pair := name[:strings.LastIndex(name, ".")]
		service, of := p.Get(pair+".Service"), p.Get(pair+".ResourceType")
		if service != "" && service != "ecs" {
			continue
		}
		for _, known := range world.ResourceTypes() {
			types[known] = types[known] || of == "" || of == known
		}
	}
	return types
}

func (s *Service) transferSetting(c *wire.Call, p params) wire.Answer {
	status := "Disable"
	if s.config.Transfer.Enabled {
		status = "Enable"
	}
	var rules []object
	for _, r := range s.config.Transfer.Rules {
		rules = append(rules, object{"MasterService": "ecs", "MasterResourceType": r.From, "AssociatedService": "ecs",
			"AssociatedResourceType": r.To, "Status": status})
	}
	return found(c, object{"AssociatedTransferSetting": object{"AccountId": s.account(c), "Status": status,
		"EnableExistingResourcesTransfer": "Disable", "RuleSettings": list(rules)}})
}
