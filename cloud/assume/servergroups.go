package assume

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"
)

const (
	groupPage  = "ECS API, Adding an ECS to an ECS Group"
	errorCodes = "ECS API, Error Codes"
	guess      = "no source"
)

// serverGroups are the assumptions about servers, their power and their groups.
func serverGroups() []Assumption[*Huawei] {
	return []Assumption[*Huawei]{
		{Claim{ID: "H1", Says: "only a stopped server can be added to a group", Source: groupPage + " (OTC 2026; the Chinese page dropped it in 2024)",
			Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("group", "running", "stopped")
			if err != nil {
				return err
			}
			return first(answers("adding a server that runs", c.add(ids[0], ids[1]), 400, "Ecs.0100"),
				answers("adding one that is stopped", c.add(ids[0], ids[2]), 200, ""))
		}},
		{Claim{ID: "H2", Says: "the code for a server that executes another command", Source: errorCodes, Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("group", "running")
			if err != nil {
				return err
			}
			if _, err := c.stop(ids[1]); err != nil {
				return err
			}
			return answers("adding a server that is being stopped", c.add(ids[0], ids[1]), 501, "Ecs.0603")
		}},
		{Claim{ID: "H3", Says: "joining and leaving a group show no `task_state`", Source: guess, Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("group", "stopped")
			if err != nil {
				return err
			}
			if err := c.add(ids[0], ids[1]); err != nil {
				return err
			}
			server, err := c.server(ids[1])
			if err != nil {
				return err
			}
			c.Sleep(time.Minute)
			members, err := c.members(ids[0])
			if err != nil {
				return err
			}
			return first(equal("the task state of a server that is joining", server.OSEXTSTStaskState, ""),
				equal("that it has joined", slices.Contains(members, ids[1]), true))
		}},
		{Claim{ID: "H4", Says: "the code for a missing group", Source: errorCodes}, func(_ context.Context, c *Huawei) error {
			_, err := c.members(nobody)
			return answers("showing a group that does not exist", err, 404, "Ecs.0114")
		}},
		{Claim{ID: "H5", Says: "the sub-job of a server already in the target power state", Source: guess, Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("running")
			if err != nil {
				return err
			}
			job, err := c.finished(c.start(ids[0]))
			if err != nil {
				return err
			}
			return equal("the job that starts a server that runs", job.Status.Value(), "SUCCESS")
		}},
		{Claim{ID: "H6", Says: "a power batch does what it can, and fails the other sub-jobs; it is refused only if no server can. With false it is refused if one cannot",
			Source: guess, Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("running", "locked")
			if err != nil {
				return err
			}
			job, err := c.finished(c.stop(ids[0], ids[1]))
			if err != nil {
				return err
			}
			_, err = c.stop(ids[1])
			return first(equal("the job", job.Status.Value(), "FAIL"), equal("what became of it", outcomes(job), "SUCCESS FAIL"),
				answers("a batch in which no server can", err, 400, "Ecs.0605"))
		}},
		{Claim{ID: "H7", Says: "a SOFT stop that the system ignores fails with Ecs.0000", Source: guess, Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("deaf")
			if err != nil {
				return err
			}
			job, err := c.finished(c.stop(ids[0]))
			if err != nil {
				return err
			}
			return first(equal("the job", job.Status.Value(), "FAIL"), equal("its code", value(job.ErrorCode), "Ecs.0000"))
		}},
		{Claim{ID: "H8", Says: "batch add and remove do what they can and answer 200, with `success` or `fail` per server",
			Source: "the vendor's SDK has the calls; no page describes them", Writes: true}, batchMembers},
		{Claim{ID: "H9", Says: "`power_state` has Nova's numbers: 1 running, 4 shut down", Source: "the vendor's examples; its text has others"}, func(_ context.Context, c *Huawei) error {
			servers, err := c.servers()
			if err != nil {
				return err
			}
			for _, s := range servers {
				if number, ok := map[string]int32{"ACTIVE": 1, "SHUTOFF": 4}[s.Status]; ok && s.OSEXTSTStaskState == "" {
					if err := equal("the power_state of a server in "+s.Status, s.OSEXTSTSpowerState, number); err != nil {
						return err
					}
				}
			}
			return nil
		}},
		{Claim{ID: "H10", Says: "what QingTian flavors say in `ecs:virtualization_env_types`, and whether they join", Source: guess, Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("group", "qingtian")
			if err != nil {
				return err
			}
			server, err := c.server(ids[1])
			if err != nil {
				return err
			}
			specs, err := c.ECS.NovaShowFlavorExtraSpecs(&model.NovaShowFlavorExtraSpecsRequest{FlavorId: server.Flavor.Id})
			if err != nil {
				return err
			}
			return first(equal("the virtualization of a QingTian flavor", specs.ExtraSpecs["ecs:virtualization_env_types"], "QingTian"),
				answers("adding such a server", c.add(ids[0], ids[1]), 400, "Ecs.0005"))
		}},
		{Claim{ID: "H11", Says: "job types are `batchStopServer`, `batchStartServer`, `stopServer`, `startServer`", Source: guess, Writes: true}, jobTypes},
		{Claim{ID: "H12", Says: "adding a member again", Source: guess, Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("other group", "grouped")
			if err != nil {
				return err
			}
			return answers("adding a member again", c.add(ids[0], ids[1]), 200, "")
		}},
		{Claim{ID: "H13", Says: "removing a server that is no member", Source: guess, Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("group", "stopped")
			if err != nil {
				return err
			}
			return answers("removing a server that is no member", c.remove(ids[0], ids[1]), 200, "")
		}},
		{Claim{ID: "H14", Says: "the code for adding a member of another group", Source: guess, Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("group", "grouped")
			if err != nil {
				return err
			}
			return answers("adding a member of another group", c.add(ids[0], ids[1]), 400, "Ecs.0005")
		}},
		{Claim{ID: "H15", Says: "the code of a start that finds no host", Source: errorCodes, Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("group", "without a host")
			if err != nil {
				return err
			}
			if err := c.add(ids[0], ids[1]); err != nil {
				return err
			}
			c.Sleep(time.Minute)
			job, err := c.finished(c.start(ids[1]))
			if err != nil {
				return err
			}
			return equal("the code of the start", value(job.ErrorCode), "Ecs.0319")
		}},
		{Claim{ID: "H16", Says: "how long a finished job can be queried", Source: guess, Writes: true, Long: true}, jobRetention},
		{Claim{ID: "H17", Says: "`name`, `ip` and `tags` of ListServersDetails find the servers whose name, address, or one of whose tags, has the text in it",
			Source: "ECS API, Querying Details About ECSs: fuzzy match"}, filters},
		{Claim{ID: "H18", Says: "what a call made can be read by its id at once, whatever the read lag; lists lag", Source: guess, Writes: true}, func(_ context.Context, c *Huawei) error {
			made, err := c.ECS.CreateServerGroup(&model.CreateServerGroupRequest{Body: &model.CreateServerGroupRequestBody{
				ServerGroup: &model.CreateServerGroupOption{Name: "assumed", Policies: []model.CreateServerGroupOptionPolicies{
					model.GetCreateServerGroupOptionPoliciesEnum().ANTI_AFFINITY}}}})
			if err != nil {
				return err
			}
			_, shown := c.members(made.ServerGroup.Id)
			_, err = c.ECS.DeleteServerGroup(&model.DeleteServerGroupRequest{ServerGroupId: made.ServerGroup.Id})
			return first(answers("showing a group that was just made", shown, 200, ""), err)
		}},
		{Claim{ID: "H19", Says: "an add moves the server to a host where no other of the group is, at once, though it is stopped; `hostId` tells",
			Source: "ECS user guide, Managing ECS Groups", Writes: true}, moves},
	}
}

// moves sees whether an add changes the host that is shown of a server.
func moves(_ context.Context, c *Huawei) error {
	ids, err := c.need("group", "stopped")
	if err != nil {
		return err
	}
	before, err := c.server(ids[1])
	if err != nil {
		return err
	}
	if err := c.add(ids[0], ids[1]); err != nil {
		return err
	}
	c.Sleep(time.Minute)
	after, err := c.server(ids[1])
	return first(err, equal("that the host is another after an add", before.HostId != after.HostId, true))
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// outcomes are the states of a job's parts.
func outcomes(job *model.ShowJobResponse) string {
	var all []string
	for _, sub := range value(job.Entities.SubJobs) {
		all = append(all, sub.Status.Value())
	}
	return strings.Join(all, " ")
}

func batchMembers(_ context.Context, c *Huawei) error {
	ids, err := c.need("group", "stopped", "running")
	if err != nil {
		return err
	}
	answer, err := c.ECS.BatchAddServerGroupMember(&model.BatchAddServerGroupMemberRequest{ServerGroupId: ids[0],
		Body: &model.BatchAddServerGroupMemberReq{ServerIds: ptr(ids[1:])}})
	if err != nil {
		return err
	}
	states := map[string]string{}
	for _, s := range value(answer.Servers) {
		states[value(s.ServerId)] = value(s.Status)
	}
	return first(equal("the status of one that can", states[ids[1]], "success"),
		equal("the status of one that cannot", states[ids[2]], "fail"))
}

func jobTypes(_ context.Context, c *Huawei) error {
	ids, err := c.need("running")
	if err != nil {
		return err
	}
	for _, step := range []struct {
		send         func(...string) (string, error)
		whole, parts string
	}{{c.stop, "batchStopServer", "stopServer"}, {c.start, "batchStartServer", "startServer"}} {
		job, err := c.finished(step.send(ids[0]))
		if err != nil {
			return err
		}
		err = first(equal("the type of a job", value(job.JobType), step.whole),
			equal("the type of its part", value(value(job.Entities.SubJobs)[0].JobType), step.parts))
		if err != nil {
			return err
		}
	}
	return nil
}

func jobRetention(_ context.Context, c *Huawei) error {
	ids, err := c.need("running")
	if err != nil {
		return err
	}
	id, err := c.stop(ids[0])
	if err != nil {
		return err
	}
	if _, err := c.finished(id, nil); err != nil {
		return err
	}
	show := func() error {
		_, err := c.ECS.ShowJob(&model.ShowJobRequest{JobId: id})
		return err
	}
	c.Sleep(23 * time.Hour)
	within := show()
	c.Sleep(2 * time.Hour)
	return first(answers("asking for a job within a day", within, 200, ""),
		answers("asking for a job after a day", show(), 400, "Common.0011"))
}

// filters looks for the first server by a part of its name, of its address and of a tag of its.
func filters(_ context.Context, c *Huawei) error {
	servers, err := c.servers()
	if err != nil {
		return err
	}
	s := servers[0]
	if len(s.Name) < 3 {
		return &missing{"first server with a name of three letters"}
	}
	asks := map[string]*model.ListServersDetailsRequest{"a part of its name": {Name: ptr(s.Name[1 : len(s.Name)-1])}}
	for _, addresses := range s.Addresses {
		if len(addresses) > 0 {
			asks["a part of its address"] = &model.ListServersDetailsRequest{Ip: ptr(addresses[0].Addr[:len(addresses[0].Addr)-1])}
		}
	}
	if tags := value(s.Tags); len(tags) > 0 {
		asks["a part of its tag"] = &model.ListServersDetailsRequest{Tags: ptr(tags[0][:len(tags[0])-1])}
	}
	for what, request := range asks {
		request.Limit = ptr(int32(1000))
		answer, err := c.ECS.ListServersDetails(request)
		if err != nil {
			return err
		}
		found := slices.ContainsFunc(value(answer.Servers), func(row model.ServerDetail) bool { return row.Id == s.Id })
		if err := equal("that a server is found by "+what, found, true); err != nil {
			return err
		}
	}
	return nil
}
