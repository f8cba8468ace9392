package huawei

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	ecs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"
)

const (
	idsPerRead = 100 // the API's advice: more would make the URL too long
	groupPage  = 50
)

var elastic = &service[*ecs.EcsClient]{name: "ecs", builder: ecs.EcsClientBuilder, client: ecs.NewEcsClient, rules: rules}

var (
	listServersDetails       = elastic.read("ListServersDetails")
	showServerGroup          = elastic.read("ShowServerGroup")
	listServerGroups         = elastic.read("ListServerGroups")
	novaShowFlavorExtraSpecs = elastic.read("NovaShowFlavorExtraSpecs")
	showServerLimits         = elastic.read("ShowServerLimits")
	showJob                  = elastic.read("ShowJob")
	batchStopServers         = elastic.write("BatchStopServers")
	batchStartServers        = elastic.write("BatchStartServers")
	addServerGroupMember     = elastic.write("AddServerGroupMember", http.StatusOK, http.StatusNoContent)
	deleteServerGroupMember  = elastic.write("DeleteServerGroupMember", http.StatusOK, http.StatusNoContent)
)

// Server is an elastic cloud server as the cloud sees it now.
type Server struct {
	ID            string
	Name          string
	Status        string // such as "ACTIVE", "SHUTOFF", "ERROR"; it does not tell that something is under way
	VMState       string // such as "active", "stopped"
	TaskState     string // what is under way, such as "powering-off"; "" when nothing is
	FlavorID      string
	Image         string   // image id
	Zone          string   // availability zone
	HostID        string   // the physical host, hashed per project; "" when it has none
	DedicatedHost string   // id of the dedicated host it is bound to; "" when none
	Groups        []string // ids of its server groups, by its scheduler hints
	Locked        bool
	LockScene     string // why it is locked, such as "TO_PERIOD_LOCK"; "" when the cloud does not say
	VCPUs         int    // 0 when the cloud does not say, as RAMMiB
	RAMMiB        int
	VPC           string
	Subnet        string   // of its first network interface; "" when the cloud does not say
	NICs          int      // network interfaces with a fixed address
	Billing       string   // "0" by use, "1" by month or year, "2" spot; "" when the cloud does not say
	SystemDisk    string   // id; another one after the system was installed anew
	Tags          []string // "key=value", in some regions "key.value"

	SecurityGroups []string // ids of those of all its network interfaces
}

// Group is a server group.
type Group struct {
	ID       string
	Name     string
	Policies []string // such as "anti-affinity"
	Members  []string // server ids
}

// Flavor is what a flavor promises beyond its size.
type Flavor struct {
	ID         string
	ExtraSpecs map[string]string // such as "ecs:virtualization_env_types"
}

// Limits are the quotas of the project that matter for groups.
type Limits struct {
	MaxServerGroups       int
	MaxServerGroupMembers int // per group
	ServerGroupsUsed      int
}

// Servers reads servers by id, in chunks of 100. A server that does not exist is absent from the result.
func (c *Client) Servers(ctx context.Context, ids []string) (map[string]Server, error) {
	if err := listServersDetails.check(ids...); err != nil {
		return nil, err
	}
	found := make(map[string]Server, len(ids))
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	for chunk := range slices.Chunk(ids, idsPerRead) {
		if err := c.servers(ctx, chunk, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// servers adds to found those of ids that exist. The cloud gives a row for every id, also for one that does not exist;
// ids without a row fell off the page, so they are asked for again until an answer has nothing new.
func (c *Client) servers(ctx context.Context, ids []string, found map[string]Server) error {
	for len(ids) > 0 {
		list, limit := strings.Join(ids, ","), int32(len(ids)) // a page has 25 by default
		rows, err := c.listServers(ctx, &model.ListServersDetailsRequest{ServerId: &list, Limit: &limit})
		if err != nil {
			return err
		}
		told := make(map[string]bool, len(rows))
		for i := range rows {
			row := &rows[i]
			if !slices.Contains(ids, row.Id) {
				continue
			}
			told[row.Id] = true
			if exists(row) {
				found[row.Id] = newServer(row)
			}
		}
		if len(told) == 0 {
			return nil
		}
		ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return told[id] })
	}
	return nil
}

// exists tells a server from the row that stands for a missing one, which has an id and a fault and nothing else. A
// server in trouble has a fault too.
func exists(row *model.ServerDetail) bool {
	return row.Status != "" || row.OSEXTSTSvmState != "" || row.Name != "" || row.TenantId != ""
}

func newServer(row *model.ServerDetail) Server {
	s := Server{
		ID:        row.Id,
		Name:      row.Name,
		Status:    row.Status,
		VMState:   row.OSEXTSTSvmState,
		TaskState: row.OSEXTSTStaskState,
		Zone:      row.OSEXTAZavailabilityZone,
		HostID:    row.HostId,
		Locked:    row.Locked,
		LockScene: row.Metadata["lockScene"],
	}
	if row.Flavor != nil {
		s.FlavorID = row.Flavor.Id
		s.VCPUs, s.RAMMiB = number(row.Flavor.Vcpus), number(row.Flavor.Ram)
	}
	if row.Image != nil {
		s.Image = row.Image.Id
	}
	if hints := row.OsschedulerHints; hints != nil {
		s.Groups = value(hints.Group)
		if hosts := value(hints.DedicatedHostId); len(hosts) > 0 {
			s.DedicatedHost = hosts[0]
		}
	}
	for _, g := range row.SecurityGroups {
		s.SecurityGroups = append(s.SecurityGroups, g.Id)
	}
	s.Billing, s.Tags = row.Metadata["charging_mode"], value(row.Tags)
	for _, v := range row.OsExtendedVolumesvolumesAttached {
		if value(v.BootIndex) == "0" {
			s.SystemDisk = v.Id
		}
	}
	s.readNetwork(row)
	return s
}

// readNetwork reads where the server is on the network. The list of its interfaces is not everywhere: where it is
// missing, the VPC and the number of interfaces follow from its addresses.
func (s *Server) readNetwork(row *model.ServerDetail) {
	s.VPC = row.Metadata["vpc_id"]
	for vpc, addresses := range row.Addresses {
		s.VPC = cmp.Or(s.VPC, vpc)
		for _, a := range addresses {
			if a.Version == "4" && (a.OSEXTIPStype == nil || a.OSEXTIPStype.Value() == "fixed") {
				s.NICs++
			}
		}
	}
	if interfaces := value(row.NetworkInterfaces); len(interfaces) > 0 {
		s.NICs, s.Subnet = len(interfaces), value(interfaces[0].SubnetId)
		for _, i := range interfaces {
			if value(i.Primary) {
				s.Subnet = value(i.SubnetId)
			}
		}
	}
}

// number reads a number that the API writes as text, 0 when it is none.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

// Group reads a server group.
func (c *Client) Group(ctx context.Context, id string) (Group, error) {
	if err := showServerGroup.check(id); err != nil {
		return Group{}, err
	}
	request := &model.ShowServerGroupRequest{ServerGroupId: id}
	return call(ctx, c, showServerGroup, func(sdk *ecs.EcsClient) (Group, bool, error) {
		answer, err := sdk.ShowServerGroup(request)
		if err != nil || answer.ServerGroup == nil || answer.ServerGroup.Id == "" {
			return Group{}, false, err
		}
		g := answer.ServerGroup
		return Group{ID: g.Id, Name: g.Name, Policies: g.Policies, Members: g.Members}, true, nil
	})
}

// Flavor reads what a flavor promises; it answers for flavors that are no longer sold too.
func (c *Client) Flavor(ctx context.Context, id string) (Flavor, error) {
	if err := novaShowFlavorExtraSpecs.check(id); err != nil {
		return Flavor{}, err
	}
	request := &model.NovaShowFlavorExtraSpecsRequest{FlavorId: id}
	return call(ctx, c, novaShowFlavorExtraSpecs, func(sdk *ecs.EcsClient) (Flavor, bool, error) {
		answer, err := sdk.NovaShowFlavorExtraSpecs(request)
		if err != nil || answer.ExtraSpecs == nil {
			return Flavor{}, false, err
		}
		return Flavor{ID: id, ExtraSpecs: answer.ExtraSpecs}, true, nil
	})
}

// Limits reads the project's quotas.
func (c *Client) Limits(ctx context.Context) (Limits, error) {
	return call(ctx, c, showServerLimits, func(sdk *ecs.EcsClient) (Limits, bool, error) {
		answer, err := sdk.ShowServerLimits(&model.ShowServerLimitsRequest{})
		if err != nil || answer.Absolute == nil {
			return Limits{}, false, err
		}
		return Limits{
			MaxServerGroups:       int(answer.Absolute.MaxServerGroups),
			MaxServerGroupMembers: int(answer.Absolute.MaxServerGroupMembers),
			ServerGroupsUsed:      int(answer.Absolute.TotalServerGroupsUsed),
		}, true, nil
	})
}

// StopServers asks the cloud to stop up to 1000 servers, by force when hard, and returns the id of its job. A soft stop
// needs the guest's help and may never end.
func (c *Client) StopServers(ctx context.Context, ids []string, hard bool) (jobID string, err error) {
	servers, err := serverIDs(batchStopServers, ids)
	if err != nil {
		return "", err
	}
	kind := model.GetBatchStopServersOptionTypeEnum().SOFT
	if hard {
		kind = model.GetBatchStopServersOptionTypeEnum().HARD
	}
	request := &model.BatchStopServersRequest{Body: &model.BatchStopServersRequestBody{
		OsStop: &model.BatchStopServersOption{Servers: servers, Type: &kind},
	}}
	return call(ctx, c, batchStopServers, func(sdk *ecs.EcsClient) (string, bool, error) {
		answer, err := sdk.BatchStopServers(request)
		if err != nil {
			return "", false, err
		}
		return accepted(answer.JobId)
	})
}

// StartServers asks the cloud to start up to 1000 servers and returns the id of its job.
func (c *Client) StartServers(ctx context.Context, ids []string) (jobID string, err error) {
	servers, err := serverIDs(batchStartServers, ids)
	if err != nil {
		return "", err
	}
	request := &model.BatchStartServersRequest{Body: &model.BatchStartServersRequestBody{
		OsStart: &model.BatchStartServersOption{Servers: servers},
	}}
	return call(ctx, c, batchStartServers, func(sdk *ecs.EcsClient) (string, bool, error) {
		answer, err := sdk.BatchStartServers(request)
		if err != nil {
			return "", false, err
		}
		return accepted(answer.JobId)
	})
}

func serverIDs(o op[*ecs.EcsClient], ids []string) ([]model.ServerId, error) {
	if len(ids) == 0 {
		return nil, o.notSent("no server ids")
	}
	if err := o.check(ids...); err != nil {
		return nil, err
	}
	servers := make([]model.ServerId, len(ids))
	for i, id := range ids {
		servers[i].Id = id
	}
	return servers, nil
}

// accepted takes a job id that can be asked for. Without one the cloud has not promised anything, whatever its status.
func accepted(id *string) (string, bool, error) {
	return value(id), safeID.MatchString(value(id)), nil
}

// AddMember puts a server into a group. It has no job: done is what Group says.
func (c *Client) AddMember(ctx context.Context, group, server string) error {
	if err := addServerGroupMember.check(group, server); err != nil {
		return err
	}
	request := &model.AddServerGroupMemberRequest{ServerGroupId: group, Body: &model.AddServerGroupMemberRequestBody{
		AddMember: &model.ServerGroupMember{InstanceUuid: server},
	}}
	_, err := call(ctx, c, addServerGroupMember, func(sdk *ecs.EcsClient) (struct{}, bool, error) {
		_, err := sdk.AddServerGroupMember(request)
		return struct{}{}, true, err
	})
	return err
}

// RemoveMember takes a server out of a group. It has no job: done is what Group says.
func (c *Client) RemoveMember(ctx context.Context, group, server string) error {
	if err := deleteServerGroupMember.check(group, server); err != nil {
		return err
	}
	request := &model.DeleteServerGroupMemberRequest{ServerGroupId: group, Body: &model.DeleteServerGroupMemberRequestBody{
		RemoveMember: &model.ServerGroupMember{InstanceUuid: server},
	}}
	_, err := call(ctx, c, deleteServerGroupMember, func(sdk *ecs.EcsClient) (struct{}, bool, error) {
		_, err := sdk.DeleteServerGroupMember(request)
		return struct{}{}, true, err
	})
	return err
}

// value is what an optional field of the SDK points to, else the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
