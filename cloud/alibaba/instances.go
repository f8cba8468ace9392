package alibaba

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

var (
	describeInstances = op{service: ecs, name: "DescribeInstances"}
	startInstances    = op{service: ecs, name: "StartInstances", write: true}
	stopInstances     = op{service: ecs, name: "StopInstances", write: true}
)

// Instance is an ECS instance as the cloud sees it now.
type Instance struct {
	ID                 string
	Name               string
	HostName           string
	Status             string // "Pending", "Running", "Starting", "Stopping" or "Stopped"
	StoppedMode        string // what a stopped one costs: "KeepCharging", "StopCharging", "Not-applicable"
	Region             string
	Zone               string
	Type               string   // such as "ecs.g7.large"
	NetworkType        string   // "vpc" or "classic"
	VPC                string   // "" in the classic network
	VSwitch            string   // "" in the classic network
	SecurityGroups     []string // ids, of the primary interface
	Interfaces         []InterfaceOf
	ResourceGroup      string   // id; "" when the cloud does not say, which may mean the default group
	Locks              []string // reasons, such as "security", "financial"; empty when it is not locked
	OSType             string   // "linux" or "windows"
	Image              string   // id
	ChargeType         string   // "PrePaid" or "PostPaid"
	KeyPair            string   // name; "" when it has none
	DeletionProtection bool
	DeploymentSet      string            // id; "" when it is in none
	DeploymentGroup    int               // its number in a set of the strategy AvailabilityGroup; else 0
	LocalDisks         int               // how many disks it has that are its host's
	Tags               map[string]string // nil when it has none
}

// InterfaceOf is a network interface as its instance knows it.
type InterfaceOf struct {
	ID        string
	Type      string // "Primary" or "Secondary"
	Addresses int    // private ones, see addressRow: 1 or more
}

// instanceRow is an instance in an answer. As everywhere in answers, names match the cloud's whatever their case.
type instanceRow struct {
	InstanceID          string
	InstanceName        string
	HostName            string
	Status              string
	StoppedMode         string
	RegionID            string
	ZoneID              string
	InstanceType        string
	InstanceNetworkType string
	VpcAttributes       struct{ VpcID, VSwitchID string }
	SecurityGroupIDs    list[string]
	NetworkInterfaces   list[struct {
		NetworkInterfaceID, Type string
		addressRow
	}]
	ResourceGroupID      string
	OperationLocks       list[struct{ LockReason string }]
	OSType               string
	ImageID              string
	InstanceChargeType   string
	KeyPairName          string
	DeletionProtection   bool
	DeploymentSetID      string
	DeploymentSetGroupNo int
	LocalStorageAmount   int
	Tags                 list[struct{ TagKey, TagValue string }]
}

var instancesByID = reading{
	op: describeInstances, list: "Instances", chunk: perPage, query: idsAsJSON("InstanceIds"), check: checkIDs,
}

// Instances reads instances by id, in chunks of 100. One that does not exist is absent from the result.
func (c *Client) Instances(ctx context.Context, ids []string) (map[string]Instance, error) {
	return read(ctx, c, instancesByID, ids, func(row *instanceRow) (string, Instance) {
		return row.InstanceID, newInstance(row)
	})
}

func newInstance(row *instanceRow) Instance {
	i := Instance{
		ID:                 row.InstanceID,
		Name:               row.InstanceName,
		HostName:           row.HostName,
		Status:             row.Status,
		StoppedMode:        row.StoppedMode,
		Region:             row.RegionID,
		Zone:               row.ZoneID,
		Type:               row.InstanceType,
		NetworkType:        row.InstanceNetworkType,
		VPC:                row.VpcAttributes.VpcID,
		VSwitch:            row.VpcAttributes.VSwitchID,
		SecurityGroups:     row.SecurityGroupIDs,
		ResourceGroup:      row.ResourceGroupID,
		OSType:             row.OSType,
		Image:              row.ImageID,
		ChargeType:         row.InstanceChargeType,
		KeyPair:            row.KeyPairName,
		DeletionProtection: row.DeletionProtection,
		DeploymentSet:      row.DeploymentSetID,
		DeploymentGroup:    row.DeploymentSetGroupNo,
		LocalDisks:         row.LocalStorageAmount,
	}
	for _, n := range row.NetworkInterfaces {
		i.Interfaces = append(i.Interfaces, InterfaceOf{ID: n.NetworkInterfaceID, Type: n.Type, Addresses: n.addresses()})
	}
	for _, l := range row.OperationLocks {
		i.Locks = append(i.Locks, l.LockReason)
	}
	for _, t := range row.Tags {
		if i.Tags == nil {
			i.Tags = make(map[string]string, len(row.Tags))
		}
		i.Tags[t.TagKey] = t.TagValue
	}
	return i
}

// Power is what the cloud answered for one instance that was to be started or stopped.
type Power struct {
	Before, After string // its status then; After is mostly still on the way, such as "Stopping"
	Err           error  // nil: accepted, so that the status will follow; else a *verdict.Error
}

// StartInstances asks the cloud to start instances, in chunks of 100, each instance on its own. The result has an entry
// for every id.
func (c *Client) StartInstances(ctx context.Context, ids []string) map[string]Power {
	return c.power(ctx, startInstances, ids, nil)
}

// StopInstances asks the cloud to stop instances, in chunks of 100, each instance on its own; force cuts the power. They
// go on being paid for: one that gives its place away may find none when it is to start again. The result has an entry
// for every id.
func (c *Client) StopInstances(ctx context.Context, ids []string, force bool) map[string]Power {
	return c.power(ctx, stopInstances, ids, map[string]string{
		"StoppedMode": "KeepCharging",
		"ForceStop":   strconv.FormatBool(force),
	})
}

type powerAnswer struct {
	RequestID         string
	InstanceResponses list[powerItem]
}

type powerItem struct {
	InstanceID     string
	Code           json.RawMessage // a text, as a rule
	Message        string
	PreviousStatus string
	CurrentStatus  string
}

func (c *Client) power(ctx context.Context, o op, ids []string, params map[string]string) map[string]Power {
	results := make(map[string]Power, len(ids))
	for chunk := range slices.Chunk(unique(ids), perPage) {
		answer, err := c.powerOf(ctx, o, chunk, params)
		if err == nil {
			err = itemError(o, http.StatusOK, "", unmentioned, answer.RequestID)
		}
		for _, id := range chunk {
			results[id] = Power{Err: err}
		}
		for _, item := range answer.InstanceResponses {
			if slices.Contains(chunk, item.InstanceID) {
				results[item.InstanceID] = item.power(o, answer.RequestID)
			}
		}
	}
	return results
}

func (i powerItem) power(o op, requestID string) Power {
	p := Power{Before: i.PreviousStatus, After: i.CurrentStatus}
	if code := text(i.Code); code != "200" {
		p.Err = itemError(o, http.StatusOK, code, i.Message, requestID)
	}
	return p
}

func (c *Client) powerOf(ctx context.Context, o op, ids []string, params map[string]string) (powerAnswer, error) {
	if err := checkIDs(o, ids...); err != nil {
		return powerAnswer{}, err
	}
	// The default, AllTogether, rolls all of them back when one cannot be.
	query := numbered(map[string]string{"BatchOptimization": "SuccessFirst"}, "InstanceId", ids)
	maps.Copy(query, params)
	return call(ctx, c, o, request{query: query}, func(a *powerAnswer) bool { return a.InstanceResponses != nil })
}
