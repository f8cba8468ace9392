package assume

import (
	"context"
	"fmt"
	"time"
)

const edasPages = "EDAS API"

// password is one that every system takes.
const password = "Passw0rd-1"

// edas calls an action of EDAS, and returns the number in the body too, by which EDAS itself refuses.
func (c *Alibaba) edas(action, methodAndPath string, nameValues ...string) (body object, number int, http refusal, err error) {
	body, http, err = c.roa("edas", action, methodAndPath+"", nil, append([]string{"RegionId", c.region}, nameValues...)...)
	n, _ := body["Code"].(float64)
	return body, int(n), http, err
}

func (c *Alibaba) importInto(cluster, instances, secret string) (int, error) {
	_, number, _, err := c.edas("InsertClusterMember", "POST /pop/v5/resource/cluster_member", "clusterId", cluster,
		"instanceIds", instances, "password", secret)
	return number, err
}

// member returns what EDAS lists of an instance in a cluster, nil if it lists nothing.
func (c *Alibaba) member(cluster, instance string) (object, error) {
	body, _, _, err := c.edas("ListClusterMembers", "GET /pop/v5/resource/cluster_member_list", "ClusterId", cluster)
	rows, _ := body.at("ClusterMemberPage.ClusterMemberList.ClusterMember").([]any)
	for _, row := range rows {
		if m, _ := row.(map[string]any); m["EcsId"] == instance {
			return m, err
		}
	}
	return nil, err
}

// systemDisk is another one after a system was installed anew.
func (c *Alibaba) systemDisk(instance string) (string, error) {
	body, _, err := c.ecs("DescribeDisks", "InstanceId", instance, "DiskType", "system")
	id, _ := body.at("Disks.Disk.0.DiskId").(string)
	if id == "" && err == nil {
		err = &missing{"system disk of " + instance}
	}
	return id, err
}

// wiped reports whether do gives an instance another system disk at once.
func (c *Alibaba) wiped(instance string, do func() error) (bool, error) {
	before, err := c.systemDisk(instance)
	if err != nil {
		return false, err
	}
	if err := do(); err != nil {
		return false, err
	}
	after, err := c.systemDisk(instance)
	return after != before, err
}

func edas() []Assumption[*Alibaba] {
	return []Assumption[*Alibaba]{
		{Claim{ID: "E1", Says: "EDAS itself refuses with 200 and a `Code` of 404 for what does not exist, otherwise 400; what the gateway sees, such as missing parameters, is an ordinary 400",
			Source: edasPages + ", Error Codes"}, func(_ context.Context, c *Alibaba) error {
			_, number, http, err := c.edas("GetCluster", "GET /pop/v5/resource/cluster", "ClusterId", nobody)
			if err := first(err, equal("the status for no cluster", http.status, 200), equal("the number for no cluster", number, 404)); err != nil {
				return err
			}
			_, _, http, err = c.edas("GetCluster", "GET /pop/v5/resource/cluster")
			return first(err, equal("the status for a missing parameter", http.status, 400))
		}},
		{Claim{ID: "E2", Says: "an instance with the lock `financial` is expired", Source: guess, Writes: true}, with(func(c *Alibaba, ids []string) error {
			number, err := c.importInto(ids[0], ids[1], password)
			return first(err, equal("the number for an import of an instance that is not paid", number, 400))
		}, "shop", "unpaid")},
		{Claim{ID: "E3", Says: "`EcsList` of ListClusterMembers has no effect; `TotalSize` counts pages; without `PageSize` there is one",
			Source: edasPages + ", ListClusterMembers"}, with(func(c *Alibaba, ids []string) error {
			const path = "GET /pop/v5/resource/cluster_member_list"
			all, _, _, err := c.edas("ListClusterMembers", path, "ClusterId", ids[0])
			if err != nil {
				return err
			}
			one, _, _, err := c.edas("ListClusterMembers", path, "ClusterId", ids[0], "EcsList", "i-none")
			return first(err, equal("the pages", fmt.Sprint(all.at("ClusterMemberPage.TotalSize")), "1"),
				equal("the members in spite of EcsList", fmt.Sprint(one.at("ClusterMemberPage.ClusterMemberList")),
					fmt.Sprint(all.at("ClusterMemberPage.ClusterMemberList"))))
		}, "shop")},
		{Claim{ID: "E4", Says: "a member whose instance does not run, or whose system was installed anew by others, is offline (-2)",
			Source: guess, Writes: true}, with(func(c *Alibaba, ids []string) error {
			if err := c.ends(200, "", "StopInstance", "InstanceId", ids[1]); err != nil {
				return err
			}
			c.Sleep(time.Minute)
			m, err := c.member(ids[0], ids[1])
			return first(err, equal("the status of a member that does not run", fmt.Sprint(m["Status"]), "-2"))
		}, "shop", "member")},
		{Claim{ID: "E5", Says: "importing a member of the same cluster once more is accepted and installs its system anew, also while it is being imported; a member of another cluster is refused, and so is the whole call",
			Source: guess, Writes: true}, with(func(c *Alibaba, ids []string) error {
			again, err := c.wiped(ids[1], func() error {
				number, err := c.importInto(ids[0], ids[1], password)
				return first(err, equal("the number for importing a member again", number, 200))
			})
			if err != nil {
				return err
			}
			number, err := c.importInto(ids[0], ids[2]+","+ids[3], password)
			m, other := c.member(ids[0], ids[3])
			return first(err, other, equal("that the system was installed anew", again, true),
				equal("the number with another cluster's member", number, 400), equal("that the rest was imported", m != nil, false))
		}, "shop", "member", "another's member", "running")},
		{Claim{ID: "E6", Says: "passwords follow the rule of ECS", Source: "ECS API, RunInstances: Password", Writes: true}, with(func(c *Alibaba, ids []string) error {
			number, err := c.importInto(ids[0], ids[1], "password1")
			return first(err, equal("the number for a weak password", number, 400))
		}, "shop", "running")},
		{Claim{ID: "E7", Says: "the system is installed from the call on, whenever the member shows; then the instance runs, whatever it did before; it has no key pair any more",
			Source: guess, Writes: true}, with(func(c *Alibaba, ids []string) error {
			wiped, err := c.wiped(ids[1], func() error {
				_, err := c.importInto(ids[0], ids[1], password)
				return err
			})
			if err != nil {
				return err
			}
			shown, err := c.member(ids[0], ids[1])
			if err != nil {
				return err
			}
			c.Sleep(10 * time.Minute)
			v, err := c.instance(ids[1])
			return first(err, equal("that the system is installed before the member shows", wiped && shown == nil, true),
				equal("the status", fmt.Sprint(v["Status"]), "Running"), equal("the key pair", fmt.Sprint(v["KeyPairName"]), ""))
		}, "shop", "with a key")},
		{Claim{ID: "E8", Says: "whether a member can be removed while it is imported", Source: guess, Writes: true}, with(func(c *Alibaba, ids []string) error {
			if _, err := c.importInto(ids[0], ids[1], password); err != nil {
				return err
			}
			c.Sleep(time.Minute)
			m, err := c.member(ids[0], ids[1])
			if err != nil || m == nil {
				return first(err, &missing{"member that is imported"})
			}
			_, number, _, err := c.edas("DeleteClusterMember", "DELETE /pop/v5/resource/cluster_member", "ClusterId", ids[0],
				"ClusterMemberId", fmt.Sprint(m["ClusterMemberId"]))
			return first(err, equal("the number for removing it", number, 400))
		}, "shop", "running")},
	}
}
