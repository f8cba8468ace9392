package assume

import (
	"context"
	"errors"
	"strings"
	"time"

	cce "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cce/v3/model"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"
)

const managePage = "CCE API, Accepting Nodes into a Custom Node Pool"

// manage makes servers nodes of the pool that the checks may play with.
func (c *Huawei) manage(servers ...string) (job string, err error) {
	ids, err := c.need("cluster", "pool")
	if err != nil {
		return "", err
	}
	var nodes []cce.AddNodesToNodePool
	for _, id := range servers {
		nodes = append(nodes, cce.AddNodesToNodePool{ServerID: id})
	}
	answer, err := c.CCE.AddNodesToNodePool(&cce.AddNodesToNodePoolRequest{ClusterId: ids[0], NodepoolId: ids[1],
		Body: &cce.AddNodesToNodePoolList{ApiVersion: "v3", Kind: "List", NodeList: nodes}})
	if err != nil {
		return "", err
	}
	return value(answer.Jobid), nil
}

func (c *Huawei) unmanage(node string) (job string, err error) {
	ids, err := c.need("cluster")
	if err != nil {
		return "", err
	}
	answer, err := c.CCE.RemoveNode(&cce.RemoveNodeRequest{ClusterId: ids[0], Body: &cce.RemoveNodesTask{
		Spec: &cce.RemoveNodesSpec{Nodes: []cce.NodeItem{{Uid: node}}}}})
	if err != nil {
		return "", err
	}
	return value(answer.Status.JobID), nil
}

// node returns the id of the node that a server is.
func (c *Huawei) node(server string) (string, error) {
	ids, err := c.need("cluster")
	if err != nil {
		return "", err
	}
	answer, err := c.CCE.ListNodes(&cce.ListNodesRequest{ClusterId: ids[0], ErrorStatus: ptr("Error")})
	if err != nil {
		return "", err
	}
	for _, n := range value(answer.Items) {
		if value(n.Status.ServerId) == server {
			return value(n.Metadata.Uid), nil
		}
	}
	return "", nil
}

// ended waits for a job of CCE and returns it.
func (c *Huawei) ended(job string, err error) (*cce.ShowJobResponse, error) {
	if err != nil {
		return nil, err
	}
	for range patience {
		answer, err := c.CCE.ShowJob(&cce.ShowJobRequest{JobId: job})
		if err != nil {
			return nil, err
		}
		if phase := value(answer.Status.Phase); phase == "Success" || phase == "Failed" {
			return answer, nil
		}
		c.Sleep(poll)
	}
	return nil, errors.New("the job " + job + " does not end")
}

// systemDisk is another one after a system was installed anew.
func (c *Huawei) systemDisk(server string) (string, error) {
	s, err := c.server(server)
	if err != nil {
		return "", err
	}
	for _, v := range s.OsExtendedVolumesvolumesAttached {
		if value(v.BootIndex) == "0" {
			return v.Id, nil
		}
	}
	return "", &missing{"system disk"}
}

// clusters are the assumptions about clusters and their nodes.
func clusters() []Assumption[*Huawei] {
	return []Assumption[*Huawei]{
		{Claim{ID: "C1", Says: "one server that cannot be managed refuses the whole call, with CCE.01400001 and a message", Source: guess,
			Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("running", "stopped")
			if err != nil {
				return err
			}
			_, err = c.manage(ids[0], ids[1])
			node, other := c.node(ids[0])
			return first(answers("managing a server that can be and one that cannot", err, 400, "CCE.01400001"), other,
				equal("the node that the first became", node, ""))
		}},
		{Claim{ID: "C2", Says: "what becomes of a server that is a node already", Source: guess, Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("node")
			if err != nil {
				return err
			}
			_, err = c.manage(ids[0])
			return answers("managing a node", err, 400, "CCE.01400001")
		}},
		{Claim{ID: "C3", Says: "job types are `AddNodesToNodePool` and `RemoveNodes`; in them a `CreateNode` for each node, and in that an `InstallNode` that names it",
			Source: "clients that walk such jobs", Writes: true}, nodeJobs},
		{Claim{ID: "C4", Says: "removing a node that is being removed is CCE.01400001; one that is gone, CCE.01404001", Source: guess, Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("node")
			if err != nil {
				return err
			}
			node, err := c.node(ids[0])
			if err != nil {
				return err
			}
			job, err := c.unmanage(node)
			_, again := c.unmanage(node)
			if _, err := c.ended(job, err); err != nil {
				return err
			}
			_, gone := c.unmanage(node)
			return first(answers("removing a node that is being removed", again, 400, "CCE.01400001"),
				answers("removing a node that is gone", gone, 404, "CCE.01404001"))
		}},
		{Claim{ID: "C5", Says: "the system is installed from the call on, whenever the node shows", Source: managePage + " names no moment",
			Writes: true}, func(_ context.Context, c *Huawei) error {
			ids, err := c.need("running")
			if err != nil {
				return err
			}
			before, err := c.systemDisk(ids[0])
			if err != nil {
				return err
			}
			if _, err := c.manage(ids[0]); err != nil {
				return err
			}
			c.Sleep(time.Second)
			after, err := c.systemDisk(ids[0])
			if err != nil {
				return err
			}
			s, err := c.ECS.ShowServer(&model.ShowServerRequest{ServerId: ids[0]})
			return first(err, equal("that the disk is another right after the call", after != before, true),
				equal("the server's status", s.Server.Status, "REBUILD"))
		}},
	}
}

// nodeJobs makes a server a node and takes it out again, and looks at how the jobs tell that.
func nodeJobs(_ context.Context, c *Huawei) error {
	ids, err := c.need("running")
	if err != nil {
		return err
	}
	job, err := c.ended(c.manage(ids[0]))
	if err != nil {
		return err
	}
	node, err := c.node(ids[0])
	if err != nil {
		return err
	}
	if err := equal("a job that manages", describe(job), "AddNodesToNodePool/CreateNode/InstallNode "+node); err != nil {
		return err
	}
	job, err = c.ended(c.unmanage(node))
	if err != nil {
		return err
	}
	return equal("the type of a job that removes", value(job.Spec.Type), "RemoveNodes")
}

// describe follows the first part of each part of a job.
func describe(job *cce.ShowJobResponse) string {
	types, spec := []string{value(job.Spec.Type)}, job.Spec
	for len(value(spec.SubJobs)) > 0 {
		spec = value(spec.SubJobs)[0].Spec
		types = append(types, value(spec.Type))
	}
	return strings.Join(types, "/") + " " + value(spec.ResourceID)
}

// OfHuawei returns all assumptions about Huawei Cloud.
func OfHuawei() []Assumption[*Huawei] {
	return append(append(serverGroups(), securityGroups()...), clusters()...)
}
