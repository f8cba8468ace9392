package assume

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	cce "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cce/v3"
	ecs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"
	vpc2 "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/vpc/v2"
	vpc3 "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/vpc/v3"

	"github.com/fleetjoin/fleetjoin/cloud/account"
)

// Huawei is an account of Huawei Cloud as checks see it: the vendor's own clients, and what the checks may play with.
type Huawei struct {
	ECS   *ecs.EcsClient
	CCE   *cce.CceClient
	Ports *vpc2.VpcClient
	VPC   *vpc3.VpcClient
	// Resources are ids by the part that they play in a check, such as "stopped". Checks that only read find theirs.
	Resources map[string]string
	Sleep     func(time.Duration)
}

// Open returns the clients of an account with these keys. The transport is nil for the SDK's own.
func Open(a account.Account, keys account.Credentials, transport http.RoundTripper) (*Huawei, error) {
	credentials, err := basic.NewCredentialsBuilder().WithAk(keys.AccessKey).WithSk(keys.SecretKey).
		WithSecurityToken(keys.SecurityToken).WithProjectId(a.ProjectID).SafeBuild()
	if err != nil {
		return nil, err
	}
	c := &Huawei{Sleep: time.Sleep}
	client := func(b *core.HcHttpClientBuilder, service string) *core.HcHttpClient {
		settings := config.DefaultHttpConfig().WithUserAgent("fleetjoin-assume")
		if transport != nil {
			settings = settings.WithHttpRoundTripper(transport)
		}
		built, e := b.WithEndpoint(a.Endpoint(service)).WithCredential(credentials).WithHttpConfig(settings).SafeBuild()
		err = errors.Join(err, e)
		return built
	}
	c.ECS = ecs.NewEcsClient(client(ecs.EcsClientBuilder(), "ecs"))
	c.CCE = cce.NewCceClient(client(cce.CceClientBuilder(), "cce"))
	c.Ports = vpc2.NewVpcClient(client(vpc2.VpcClientBuilder(), "vpc"))
	c.VPC = vpc3.NewVpcClient(client(vpc3.VpcClientBuilder(), "vpc"))
	return c, err
}

// need returns the ids of resources by their parts.
func (c *Huawei) need(parts ...string) ([]string, error) { return needed(c.Resources, parts) }

func needed(resources map[string]string, parts []string) ([]string, error) {
	var ids []string
	for _, part := range parts {
		id := resources[part]
		if id == "" {
			return nil, &missing{`resource "` + part + `"`}
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// nobody is an id that nothing has.
const nobody = "00000000-0000-4000-8000-00000000dead"

// refusal is how a cloud refused a call.
type refusal struct {
	status int
	code   string
}

// refused reads a refusal out of an SDK's error. Nova's errors have their code for a name, which the SDK does not know.
func refused(err error) (refusal, error) {
	if err == nil {
		return refusal{status: 200}, nil
	}
	var e *sdkerr.ServiceResponseError
	if !errors.As(err, &e) {
		return refusal{}, err
	}
	if e.ErrorCode != "" {
		return refusal{e.StatusCode, e.ErrorCode}, nil
	}
	var named map[string]json.RawMessage
	if json.Unmarshal([]byte(e.ErrorMessage), &named) == nil {
		for name := range named {
			return refusal{e.StatusCode, name}, nil
		}
	}
	return refusal{status: e.StatusCode}, nil
}

// answers compares how a call ended with what is assumed; code "" is success.
func answers(what string, err error, status int, code string) error {
	seen, err := refused(err)
	if err != nil {
		return err
	}
	return equal("the answer to "+what, seen, refusal{status, code})
}

func ptr[T any](v T) *T { return &v }

// servers reads up to a hundred servers.
func (c *Huawei) servers() ([]model.ServerDetail, error) {
	answer, err := c.ECS.ListServersDetails(&model.ListServersDetailsRequest{Limit: ptr(int32(100))})
	if err != nil {
		return nil, err
	}
	if answer.Servers == nil || len(*answer.Servers) == 0 {
		return nil, &missing{"server"}
	}
	return *answer.Servers, nil
}

func (c *Huawei) server(id string) (model.ServerDetail, error) {
	answer, err := c.ECS.ShowServer(&model.ShowServerRequest{ServerId: id})
	if err != nil {
		return model.ServerDetail{}, err
	}
	return *answer.Server, nil
}

func (c *Huawei) add(group, server string) error {
	_, err := c.ECS.AddServerGroupMember(&model.AddServerGroupMemberRequest{ServerGroupId: group,
		Body: &model.AddServerGroupMemberRequestBody{AddMember: &model.ServerGroupMember{InstanceUuid: server}}})
	return err
}

func (c *Huawei) remove(group, server string) error {
	_, err := c.ECS.DeleteServerGroupMember(&model.DeleteServerGroupMemberRequest{ServerGroupId: group,
		Body: &model.DeleteServerGroupMemberRequestBody{RemoveMember: &model.ServerGroupMember{InstanceUuid: server}}})
	return err
}

func (c *Huawei) members(group string) ([]string, error) {
	answer, err := c.ECS.ShowServerGroup(&model.ShowServerGroupRequest{ServerGroupId: group})
	if err != nil {
		return nil, err
	}
	return answer.ServerGroup.Members, nil
}

func (c *Huawei) stop(servers ...string) (string, error) {
	kind := model.GetBatchStopServersOptionTypeEnum().SOFT
	answer, err := c.ECS.BatchStopServers(&model.BatchStopServersRequest{Body: &model.BatchStopServersRequestBody{
		OsStop: &model.BatchStopServersOption{Type: &kind, Servers: list(servers)}}})
	if err != nil {
		return "", err
	}
	return *answer.JobId, nil
}

func (c *Huawei) start(servers ...string) (string, error) {
	answer, err := c.ECS.BatchStartServers(&model.BatchStartServersRequest{Body: &model.BatchStartServersRequestBody{
		OsStart: &model.BatchStartServersOption{Servers: list(servers)}}})
	if err != nil {
		return "", err
	}
	return *answer.JobId, nil
}

func list(ids []string) []model.ServerId {
	var servers []model.ServerId
	for _, id := range ids {
		servers = append(servers, model.ServerId{Id: id})
	}
	return servers
}

const poll, patience = 5 * time.Second, 100

// finished waits for a job of ECS and returns it.
func (c *Huawei) finished(job string, err error) (*model.ShowJobResponse, error) {
	if err != nil {
		return nil, err
	}
	for range patience {
		answer, err := c.ECS.ShowJob(&model.ShowJobRequest{JobId: job})
		if err != nil {
			return nil, err
		}
		if s := answer.Status.Value(); s == "SUCCESS" || s == "FAIL" {
			return answer, nil
		}
		c.Sleep(poll)
	}
	return nil, errors.New("the job " + job + " does not end")
}
