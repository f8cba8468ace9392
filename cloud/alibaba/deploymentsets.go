package alibaba

import (
	"context"
	"strconv"
)

var (
	describeDeploymentSets   = op{service: ecs, name: "DescribeDeploymentSets"}
	modifyInstanceDeployment = op{service: ecs, name: "ModifyInstanceDeployment", write: true}
)

// perSetPage is the most that DescribeDeploymentSets gives in a page.
const perSetPage = 50

// DeploymentSet is a deployment set, which spreads its instances over hosts.
type DeploymentSet struct {
	ID       string
	Name     string
	Strategy string         // "Availability", "AvailabilityGroup" (in groups, which are spread), or "LowLatency", which keeps together
	Members  []string       // ids of instances
	Room     map[string]int // by zone, how many more it takes there; a zone is missing where the cloud does not say
}

type deploymentSetRow struct {
	DeploymentSetID   string
	DeploymentSetName string
	Strategy          string
	InstanceIDs       list[string]
	Capacities        list[struct {
		ZoneID          string
		AvailableAmount *int
	}]
}

var deploymentSetsByID = reading{op: describeDeploymentSets, list: "DeploymentSets", chunk: perSetPage, check: checkIDs,
	query: func(ids []string) map[string]string {
		return pageSize(perSetPage, map[string]string{"DeploymentSetIds": asJSON(ids)})
	}}

// DeploymentSets reads deployment sets by id, in chunks of 50. One that does not exist is absent from the result.
func (c *Client) DeploymentSets(ctx context.Context, ids []string) (map[string]DeploymentSet, error) {
	return read(ctx, c, deploymentSetsByID, ids, func(row *deploymentSetRow) (string, DeploymentSet) {
		d := DeploymentSet{ID: row.DeploymentSetID, Name: row.DeploymentSetName, Strategy: row.Strategy,
			Members: row.InstanceIDs, Room: make(map[string]int, len(row.Capacities))}
		for _, zone := range row.Capacities {
			if zone.AvailableAmount != nil {
				d.Room[zone.ZoneID] = *zone.AvailableAmount
			}
		}
		return d.ID, d
	})
}

// PlaceInstance puts an instance into a deployment set, which takes it out of the one that it is in; group is its number
// in a set of the strategy AvailabilityGroup, 0 for one of the cloud's choice. With force the cloud may move it to another
// host, and restarts it for that if it runs; what is on disks of the host is lost then. The instance's reads tell when it
// is there.
func (c *Client) PlaceInstance(ctx context.Context, instance, set string, group int, force bool) error {
	query := map[string]string{"Force": strconv.FormatBool(force)}
	if group > 0 {
		query["DeploymentSetGroupNo"] = strconv.Itoa(group)
	}
	return c.deploy(ctx, instance, set, query)
}

// DisplaceInstance takes an instance out of the deployment set that it is in.
func (c *Client) DisplaceInstance(ctx context.Context, instance, set string) error {
	return c.deploy(ctx, instance, set, map[string]string{"RemoveFromDeploymentSet": "true"})
}

func (c *Client) deploy(ctx context.Context, instance, set string, query map[string]string) error {
	if err := checkIDs(modifyInstanceDeployment, instance, set); err != nil {
		return err
	}
	query["InstanceId"], query["DeploymentSetId"] = instance, set
	return c.tell(ctx, modifyInstanceDeployment, query)
}
