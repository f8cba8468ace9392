package assume

import "time"

const deploymentPage = "ECS API, ModifyInstanceDeployment"

// deploy asks for a change of an instance's deployment set.
func (c *Alibaba) deploy(instance, set string, more ...string) (refusal, error) {
	_, seen, err := c.ecs("ModifyInstanceDeployment", append([]string{"InstanceId", instance, "DeploymentSetId", set}, more...)...)
	return seen, err
}

// statusOf is what DescribeInstances says of an instance and its set.
func (c *Alibaba) statusOf(instance string) (status, set any, err error) {
	body, _, err := c.ecs("DescribeInstances", "InstanceIds", `["`+instance+`"]`)
	return body.at("Instances.Instance.0.Status"), body.at("Instances.Instance.0.DeploymentSetId"), err
}

func deploymentSets() []Assumption[*Alibaba] {
	const force, remove = "Force", "RemoveFromDeploymentSet"
	return []Assumption[*Alibaba]{
		{Claim{ID: "D1", Says: "an instance that runs comes into a deployment set only by force (an old page says otherwise)",
			Source: deploymentPage, Writes: true}, with(func(c *Alibaba, ids []string) error {
			seen, err := c.deploy(ids[0], ids[1])
			return first(err, equal("the answer", seen, refusal{403, "IncorrectInstanceStatus"}))
		}, "running", "deployment set")},
		{Claim{ID: "D2", Says: "an instance that is stopped stays so, forced or not; one that runs and is forced runs again in the end",
			Source: deploymentPage + ", Force", Writes: true}, with(func(c *Alibaba, ids []string) error {
			for _, id := range ids[:2] {
				if seen, err := c.deploy(id, ids[2], force, "true"); err != nil || seen.status != 200 {
					return first(err, equal("the answer", seen, refusal{status: 200}))
				}
			}
			c.Sleep(10 * time.Minute)
			off, its, err := c.statusOf(ids[0])
			on, other, failed := c.statusOf(ids[1])
			return first(err, failed, equal("the one that was stopped", off, any("Stopped")), equal("its set", its, any(ids[2])),
				equal("the one that ran", on, any("Running")), equal("its set", other, any(ids[2])))
		}, "stopped", "running", "deployment set")},
		{Claim{ID: "D3", Says: "leaving a deployment set needs no stop; leaving one that the instance is not in",
			Source: guess, Writes: true}, with(func(c *Alibaba, ids []string) error {
			out, err := c.deploy(ids[0], ids[2], remove, "true")
			not, failed := c.deploy(ids[1], ids[2], remove, "true")
			return first(err, failed, equal("the answer to who leaves", out, refusal{status: 200}),
				equal("the answer to who is not in it", not, refusal{400, "DeploymentSet.InvalidId"}))
		}, "in a deployment set", "running", "deployment set")},
		{Claim{ID: "D4", Says: "coming into the set that the instance is in, when its strategy is Availability, changes nothing, and is no error",
			Source: guess, Writes: true}, with(func(c *Alibaba, ids []string) error {
			seen, err := c.deploy(ids[0], ids[1], force, "true")
			status, _, failed := c.statusOf(ids[0])
			return first(err, failed, equal("the answer", seen, refusal{status: 200}), equal("its status", status, any("Running")))
		}, "in a deployment set", "deployment set")},
		{Claim{ID: "D5", Says: "what a host does not allow is refused at once, unless it is forced", Source: deploymentPage + " lists the code",
			Writes: true}, with(func(c *Alibaba, ids []string) error {
			seen, err := c.deploy(ids[0], ids[1])
			forced, failed := c.deploy(ids[0], ids[1], force, "true")
			return first(err, failed, equal("the answer", seen, refusal{403, "DeploymentSet.ModificationFailed"}),
				equal("the answer by force", forced, refusal{status: 200}))
		}, "on a shared host", "deployment set")},
		{Claim{ID: "D6", Says: "who is stopped without charge is refused, forced or not", Source: deploymentPage + ", Force", Writes: true},
			with(func(c *Alibaba, ids []string) error {
				seen, err := c.deploy(ids[0], ids[1], force, "true")
				return first(err, equal("the answer", seen, refusal{403, "IncorrectInstanceStatus"}))
			}, "stopped without charge", "deployment set")},
		{Claim{ID: "D7", Says: "DescribeDeploymentSets tells the capacity of every zone in which the account has instances",
			Source: "ECS API, DescribeDeploymentSets: of zones"}, with(func(c *Alibaba, ids []string) error {
			body, _, err := c.ecs("DescribeDeploymentSets", "DeploymentSetIds", `["`+ids[0]+`"]`)
			_, told := body.at("DeploymentSets.DeploymentSet.0.Capacities.Capacity.0.AvailableAmount").(float64)
			return first(err, equal("that it tells how many are available", told, true))
		}, "deployment set")},
	}
}
