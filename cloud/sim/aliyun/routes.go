package aliyun

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/sim/alibabasign"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// The versions of the products' APIs, which tell the products apart: no two have the same.
const (
	ecsVersion     = "2014-05-26"
	edasVersion    = "2017-08-01"
	managerVersion = "2020-03-31"
)

// operation names a route.
type operation struct{ version, action string }

// handler serves a recognised call from the state.
type handler func(s *Service, c *wire.Call, p params) wire.Answer

// route is one line of the API reference.
type route struct {
	write     bool
	resources []string // parameters that name resources; see params.ids for their forms
	group     string   // the parameter that names a group
	known     []string // all other parameters
	serve     handler
}

// routes lists what the simulator knows.
func routes() map[operation]route {
	all := map[operation]route{}
	ecs := func(action string, r route) { all[operation{ecsVersion, action}] = r }
	one := func(action string, known ...string) {
		ecs(action, route{true, []string{"InstanceId"}, "", append(known, "DryRun"), (*Service).powerOne})
	}
	many := func(action string, known ...string) {
		ecs(action, route{true, []string{"InstanceId.N"}, "", append(known, "DryRun", "BatchOptimization"),
			(*Service).powerMany})
	}
	one("StartInstance", "InitLocalDisk")
	one("StopInstance", "ForceStop", "ConfirmStop", "StoppedMode")
	many("StartInstances")
	many("StopInstances", "ForceStop", "StoppedMode")
	one("RebootInstance", "ForceStop")
	many("RebootInstances", "ForceReboot")

	either := []string{"InstanceId", "NetworkInterfaceId"}
	ecs("JoinSecurityGroup", route{true, either, "SecurityGroupId", nil, (*Service).joinSecurityGroup})
	ecs("LeaveSecurityGroup", route{true, either, "SecurityGroupId", nil, (*Service).leaveSecurityGroup})
	ecs("ModifyInstanceAttribute",
		route{true, []string{"InstanceId"}, "SecurityGroupIds.N", []string{"InstanceName", "Description"},
			(*Service).modifyInstance})
	ecs("ModifyNetworkInterfaceAttribute",
		route{true, []string{"NetworkInterfaceId"}, "SecurityGroupId.N", nil, (*Service).modifyInterface})
	ecs("JoinResourceGroup",
		route{true, []string{"ResourceId"}, "ResourceGroupId", []string{"ResourceType"}, (*Service).joinResourceGroup})

	ecs("ModifyInstanceDeployment", route{true, []string{"InstanceId"}, "DeploymentSetId",
		[]string{"RemoveFromDeploymentSet", "DeploymentSetGroupNo", "Force"}, (*Service).modifyInstanceDeployment})
	ecs("DescribeDeploymentSets", route{false, nil, "", []string{"DeploymentSetIds", "Strategy", "DeploymentSetName",
		"PageNumber", "PageSize"}, (*Service).describeDeploymentSets})

	tagged := []string{"ClientToken", "Tag.N.Key", "Tag.N.Value"}
	ecs("CreateSnapshot", route{true, []string{"DiskId"}, "", append([]string{"SnapshotName", "Description"}, tagged...),
		(*Service).createSnapshot})
	ecs("CreateImage", route{true, []string{"SnapshotId"}, "", append([]string{"ImageName", "Description"}, tagged...),
		(*Service).createImage})
	ecs("ReplaceSystemDisk", route{true, []string{"InstanceId"}, "", []string{"ImageId", "SystemDisk.Size", "KeyPairName",
		"Password", "PasswordInherit", "SecurityEnhancementStrategy", "ClientToken"}, (*Service).replaceSystemDisk})

	for _, l := range listings() {
		ecs(l.action, route{false, []string{l.ids}, "", l.parameters(), l.serve})
	}
	ecs("DescribeSecurityGroupAttribute", route{false, nil, "SecurityGroupId",
		[]string{"NicType", "Direction", "MaxResults", "NextToken"}, (*Service).securityGroupAttribute})

	ecs("DescribeRegions", route{false, nil, "", []string{"InstanceChargeType", "ResourceType", "AcceptLanguage"},
		(*Service).describeRegions})
	ecs("DescribeZones", route{false, nil, "", []string{"InstanceChargeType", "SpotStrategy", "Verbose", "AcceptLanguage"},
		(*Service).describeZones})
	ecs("DescribeInstanceAttribute", route{false, []string{"InstanceId"}, "", nil, (*Service).describeInstanceAttribute})

	manager := func(action string, r route) { all[operation{managerVersion, action}] = r }
	manager("GetResourceGroup", route{false, nil, "ResourceGroupId", []string{"IncludeTags"}, (*Service).getResourceGroup})
	manager("ListResourceGroups", route{false, nil, "ResourceGroupId", []string{"Status", "Name", "DisplayName",
		"ResourceGroupIds.N", "IncludeTags", "Tag.N.Key", "Tag.N.Value", "PageNumber", "PageSize"}, (*Service).listResourceGroups})
	manager("ListResources", route{false, []string{"ResourceId"}, "ResourceGroupId", []string{"Service", "Region",
		"ResourceType", "ResourceIds", "ResourceTypes.N.Service", "ResourceTypes.N.ResourceType", "PageNumber", "PageSize"},
		(*Service).listResources})
	manager("ListAssociatedTransferSetting", route{serve: (*Service).transferSetting})
	manager("MoveResources", route{true, nil, "ResourceGroupId", []string{"Resources.N.ResourceId",
		"Resources.N.ResourceType", "Resources.N.RegionId", "Resources.N.Service"}, (*Service).moveResources})
	for _, r := range pathRoutes() {
		all[r.operation] = r.route
	}
	return all
}

// Route recognises a request by its action, or by method and path where the product is called by these, whatever its
// host. Every other request with a mark of this cloud is its, too, if only to be refused.
func (s *Service) Route(c *wire.Call) (mine bool, refused *wire.Answer) {
	query := c.HTTP.URL.Query()
	header := c.HTTP.Header
	style := alibabasign.StyleOf(c.HTTP)
	marked := style != alibabasign.None || query.Has("Action") || header.Get("x-acs-action") != ""
	in := &bound{params: params{alibabasign.Params(c.HTTP, c.Body)}}
	byPath := style != alibabasign.RPC && strings.Trim(c.HTTP.URL.Path, "/") != "" && !query.Has("Action")
	var r *refusal
	if byPath {
		var known bool
		if in.operation, known, r = s.byPath(c.HTTP, in.params); !known && !marked {
			return false, nil
		}
	} else if !marked {
		return false, nil
	} else {
		in.operation, r = s.byAction(c.HTTP, in.params)
	}
	c.Input = in
	route, known := s.routes[in.operation]
	in.route = route
	c.Call = fault.Call{Action: in.action, Write: route.write || !known && c.HTTP.Method != http.MethodGet}
	if c.Action == "" {
		c.Action = c.HTTP.Method + " " + c.HTTP.URL.Path
	}
	if r != nil { // nobody but the gateway sees such a call
		answer := gatewayError(c, r.status, r.code, r.message)
		return true, &answer
	}
	if r = in.readBody(c, byPath); r == nil {
		r = s.bind(c, in.params, in.route)
	}
	if r != nil {
		answer := s.refuse(c, r)
		return true, &answer
	}
	return true, nil
}

// bound is a call with what it was recognised as.
type bound struct {
	operation
	route
	params
}

// bind fills in what the call is about.
func (s *Service) bind(c *wire.Call, p params, route route) *refusal {
	for _, name := range append(route.parameters(), "Format") {
		if r := p.wellFormed(c.Action, name); r != nil {
			return r
		}
	}
	for _, form := range route.resources {
		ids, r := p.ids(form)
		if r != nil {
			return r
		}
		c.Servers = append(c.Servers, ids...)
	}
	for i := 1; p.Has(movedID(i)); i++ {
		c.Servers = append(c.Servers, p.Get(movedID(i)))
	}
	groups, r := p.ids(route.group)
	if r != nil {
		return r
	}
	c.Group = strings.Join(groups, ",")
	if name := p.unknown(route.parameters()); name != "" {
		return unimplemented("the parameter " + name + " of " + c.Action)
	}
	return nil
}

// Serve runs the handler that Route chose.
func (s *Service) Serve(c *wire.Call) wire.Answer {
	in := c.Input.(*bound)
	return in.serve(s, c, in.params)
}

// found answers a read: body plus the request's id.
func found(c *wire.Call, body map[string]any) wire.Answer {
	body["RequestId"] = requestID(c)
	return wire.Answer{Status: http.StatusOK, Body: body}
}

// done answers a write, with body if it is not nil.
func done(c *wire.Call, changes *change, effect string, body map[string]any) wire.Answer {
	if body == nil {
		body = map[string]any{}
	}
	a := found(c, body)
	a.Effect = effect
	if !changes.empty() {
		a.Change = changes
	}
	return a
}

// requestID writes the request's id the way this cloud does.
func requestID(c *wire.Call) string {
	id := strings.ToUpper(c.RequestID)
	if len(id) < 32 {
		return id
	}
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}

// find returns the caller's resource of this type and id. The region may be empty: the id tells it.
func (s *Service) find(c *wire.Call, resourceType, id, region string) *resource {
	r := s.byKey[key{resourceType, id}]
	if r == nil || !r.there(c.Now) {
		return nil
	}
	if it := r.identity(); it.account != s.account(c) || region != "" && it.region != region {
		return nil
	}
	return r
}

// Operation is a line of the API reference, for who walks them all.
type Operation struct {
	Version, Action string
	Method, Path    string // of products that are called by these
	Write           bool
	Parameters      []string // with N for any number; without those of every call
}

// Operations returns what the service knows.
func (s *Service) Operations() []Operation {
	var all []Operation
	paths := map[operation]string{}
	for _, r := range s.paths {
		paths[r.operation] = r.path
	}
	for op, r := range s.routes {
		o := Operation{Version: op.version, Action: op.action, Write: r.write, Parameters: r.parameters()}
		o.Method, o.Path, _ = strings.Cut(paths[op], " ")
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b Operation) int {
		return cmp.Or(cmp.Compare(a.Version, b.Version), cmp.Compare(a.Action, b.Action))
	})
	return all
}

// parameters names all that a call can carry, beside those of every call.
func (r route) parameters() []string {
	var names []string
	for _, name := range append(append([]string{r.group}, r.resources...), r.known...) {
		if name = parameter(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}
