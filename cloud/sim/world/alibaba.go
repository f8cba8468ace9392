package world

import "github.com/fleetjoin/fleetjoin/cloud/sim/clock"

// Alibaba is the Alibaba Cloud half of a world.
type Alibaba struct {
	Latency  clock.Range    `json:"latency,omitzero"` // simulated time before a call is served
	ReadLag  clock.Duration `json:"readLag,omitempty"`
	ListLag  clock.Duration `json:"listLag,omitempty"` // of ListResources; default: the read lag
	Timings  AlibabaTimings `json:"timings,omitzero"`
	Quotas   AlibabaQuotas  `json:"quotas,omitzero"`
	Throttle Throttle       `json:"throttle,omitzero"`
	Knobs    AlibabaKnobs   `json:"knobs,omitzero"`
	Transfer Transfer       `json:"associatedTransfer,omitzero"`
	// RegionsWithoutGroups are those whose resources cannot be moved between resource groups.
	RegionsWithoutGroups []string            `json:"regionsWithoutResourceGroups,omitempty"`
	ResourceGroups       []ResourceGroup     `json:"resourceGroups,omitempty"`
	SecurityGroups       []SecurityGroup     `json:"securityGroups,omitempty"`
	Instances            []Instance          `json:"instances,omitempty"`
	Interfaces           []NetworkInterface  `json:"networkInterfaces,omitempty"`
	Resources            []Resource          `json:"resources,omitempty"`
	Generate             []GenerateResources `json:"generate,omitempty"`
	EDAS                 EDAS                `json:"edas,omitzero"`
	EDASClusters         []EDASCluster       `json:"edasClusters,omitempty"`
	Deployment           Deployment          `json:"deployment,omitzero"`
	DeploymentSets       []DeploymentSet     `json:"deploymentSets,omitempty"`
	Containers           Containers          `json:"containers,omitzero"`
	Clusters             []ContainerCluster  `json:"clusters,omitempty"`
}

// AlibabaTimings says how long transitions take, in simulated time. Ranges are drawn per resource and operation.
type AlibabaTimings struct {
	Stop           clock.Range `json:"stop,omitzero"`
	Start          clock.Range `json:"start,omitzero"`
	Reboot         clock.Range `json:"reboot,omitzero"`
	SecurityGroups clock.Range `json:"securityGroups,omitzero"` // until joining or leaving a security group takes effect
	Transfer       clock.Range `json:"transfer,omitzero"`       // until associated resources followed into a resource group
	Snapshot       clock.Range `json:"snapshot,omitzero"`       // until a snapshot is accomplished
	Image          clock.Range `json:"image,omitzero"`          // until an image is available
	ReplaceDisk    clock.Range `json:"replaceDisk,omitzero"`    // so long an instance is locked while its system disk is replaced
}

// AlibabaQuotas are limits of an account.
type AlibabaQuotas struct {
	GroupsPerInterface int `json:"groupsPerInterface,omitempty"` // security groups; default 5
	BasicMembers       int `json:"basicMembers,omitempty"`       // of a basic security group; default 6000
	EnterpriseMembers  int `json:"enterpriseMembers,omitempty"`  // default 65536
	RulesPerInterface  int `json:"rulesPerInterface,omitempty"`  // over all its security groups; default 1000
}

// The answers to open questions that need names of their own.
const (
	KeepCharging = "KeepCharging"
	StopCharging = "StopCharging"
	Shown        = "shown"
	Empty        = "empty"
)

// AlibabaKnobs choose between behaviours that the documents contradict each other on, or are silent about.
type AlibabaKnobs struct {
	RegionRequired   *bool  `json:"regionRequired,omitempty"`     // in Join- and LeaveSecurityGroup; default true
	RepeatJoin       string `json:"repeatJoin,omitempty"`         // of a member: error (default) or ok
	LeaveNotMember   string `json:"leaveNotMember,omitempty"`     // its error code (see world.md), or ok
	PrimaryInterface string `json:"primaryInterface,omitempty"`   // changed by its own id: error (default) or ok
	RepeatMove       string `json:"repeatMove,omitempty"`         // into the same resource group: error (default) or ok
	DefaultGroup     string `json:"defaultGroup,omitempty"`       // in Describe answers: empty (default) or shown
	StoppedMode      string `json:"stoppedMode,omitempty"`        // of a stop that names none; default StopCharging
	PowerOnTarget    string `json:"powerOnTargetState,omitempty"` // error (default) or ok
	NoStock          string `json:"noStock,omitempty"`            // code of a start that finds no host; default OperationDenied.NoStock
	WrappedLists     bool   `json:"wrappedLists,omitempty"`       // see world.md
	LagHidesNew      bool   `json:"lagHidesNew,omitempty"`        // from who asks for it by its id, too; default false
}

// Transfer says which resources follow another into its resource group.
type Transfer struct {
	Enabled bool           `json:"enabled,omitempty"`
	Rules   []TransferRule `json:"rules,omitempty"` // default: instance → disk, instance → eni
}

// TransferRule makes resources of type To follow a resource of type From that they belong to.
type TransferRule struct {
	From string `json:"from"` // instance or disk
	To   string `json:"to"`   // of an instance: disk, eni; of a disk: snapshot
}

// ResourceGroup is a resource group. Each account has a default one; if none is marked, it is made.
type ResourceGroup struct {
	ID      string            `json:"id,omitempty"`
	Name    string            `json:"name,omitempty"`
	Account string            `json:"account,omitempty"`
	Default bool              `json:"default,omitempty"`
	Status  string            `json:"status,omitempty"`  // OK (default), Creating, PendingDelete
	Regions map[string]string `json:"regions,omitempty"` // status by region, where it is not the group's own
	Tags    map[string]string `json:"tags,omitempty"`
}

// The types of security groups.
const (
	Basic      = "normal"
	Enterprise = "enterprise"
)

// SecurityGroup is a security group.
type SecurityGroup struct {
	ID             string            `json:"id,omitempty"`
	Name           string            `json:"name,omitempty"`
	Account        string            `json:"account,omitempty"`
	Region         string            `json:"region,omitempty"`
	VPC            string            `json:"vpc,omitempty"`
	NetworkType    string            `json:"networkType,omitempty"`    // vpc (default) or classic
	Type           string            `json:"type,omitempty"`           // normal (default) or enterprise
	Rules          int               `json:"rules,omitempty"`          // how many it has
	ServiceManaged bool              `json:"serviceManaged,omitempty"` // belongs to a cloud product
	ResourceGroup  string            `json:"resourceGroup,omitempty"`  // id or name
	Capacity       int               `json:"capacity,omitempty"`       // what it takes; default: the quota of its type
	Tags           map[string]string `json:"tags,omitempty"`
}

// AfterStopCharging makes starts fail while the instance is stopped without charge: its resources were given away.
const AfterStopCharging = "after-stop-charging"

// Instance is an ECS instance.
type Instance struct {
	ID                 string            `json:"id,omitempty"`
	Name               string            `json:"name,omitempty"`
	Description        string            `json:"description,omitempty"`
	Account            string            `json:"account,omitempty"`
	Region             string            `json:"region,omitempty"`
	Zone               string            `json:"zone,omitempty"`
	VPC                string            `json:"vpc,omitempty"`
	VSwitch            string            `json:"vswitch,omitempty"`
	NetworkType        string            `json:"networkType,omitempty"`  // vpc (default) or classic
	InstanceType       string            `json:"instanceType,omitempty"` // default ecs.g7.large
	OSType             string            `json:"osType,omitempty"`       // linux (default) or windows
	Image              string            `json:"image,omitempty"`
	KeyPair            string            `json:"keyPair,omitempty"`
	Status             string            `json:"status,omitempty"`         // Running (default), Stopped, Pending
	StoppedMode        string            `json:"stoppedMode,omitempty"`    // if Stopped: KeepCharging (default) or StopCharging
	SecurityGroups     []string          `json:"securityGroups,omitempty"` // ids or names
	ResourceGroup      string            `json:"resourceGroup,omitempty"`  // id or name
	Locks              []string          `json:"locks,omitempty"`          // security, financial, …
	NoEnterpriseGroups bool              `json:"noEnterpriseGroups,omitempty"`
	DeploymentSet      string            `json:"deploymentSet,omitempty"`   // id or name
	DeploymentGroup    int               `json:"deploymentGroup,omitempty"` // its number in a set of the strategy AvailabilityGroup
	SharesHost         bool              `json:"sharesHost,omitempty"`      // with others of every set: it can only join one on another host
	LocalDisks         int               `json:"localDisks,omitempty"`      // how many disks of its host it has
	StartFails         string            `json:"startFails,omitempty"`      // never (default), after-stop-charging, in-deployment-set, always
	OSGeneration       int               `json:"osGeneration,omitempty"`    // counts installations of the system; default 1
	AgentOffline       bool              `json:"agentOffline,omitempty"`    // its Cloud Assistant, until its system is installed anew
	UnknownToEDAS      bool              `json:"unknownToEDAS,omitempty"`   // until EDAS is told to look at it
	Tags               map[string]string `json:"tags,omitempty"`
}

// NetworkInterface is an elastic network interface. The primary one of each instance in a VPC need not be written; its
// security groups are the instance's.
type NetworkInterface struct {
	ID             string            `json:"id,omitempty"`
	Name           string            `json:"name,omitempty"`
	Account        string            `json:"account,omitempty"`
	Region         string            `json:"region,omitempty"`
	Zone           string            `json:"zone,omitempty"`
	VPC            string            `json:"vpc,omitempty"`
	VSwitch        string            `json:"vswitch,omitempty"`
	Type           string            `json:"type,omitempty"`     // Secondary (default), Primary, Trunk, Member
	Instance       string            `json:"instance,omitempty"` // id or name; empty: not attached
	Status         string            `json:"status,omitempty"`   // InUse or Available by default; Creating, Attaching, Detaching, …
	SecurityGroups []string          `json:"securityGroups,omitempty"`
	ResourceGroup  string            `json:"resourceGroup,omitempty"`
	Addresses      int               `json:"addresses,omitempty"` // private ones; default 1
	ServiceManaged bool              `json:"serviceManaged,omitempty"`
	Tags           map[string]string `json:"tags,omitempty"`
}

// Resource is something else that can be in a resource group.
type Resource struct {
	Type          string            `json:"type"` // disk, snapshot, image, ddh, …
	ID            string            `json:"id,omitempty"`
	Name          string            `json:"name,omitempty"`
	Description   string            `json:"description,omitempty"`
	Account       string            `json:"account,omitempty"`
	Region        string            `json:"region,omitempty"`
	Zone          string            `json:"zone,omitempty"`
	Status        string            `json:"status,omitempty"`   // default: the one in which it can be used
	Instance      string            `json:"instance,omitempty"` // of a disk: id or name
	Disk          string            `json:"disk,omitempty"`     // of a snapshot
	Snapshot      string            `json:"snapshot,omitempty"` // of an image: id or name; empty: it is made from none
	System        bool              `json:"system,omitempty"`   // of a disk: it is the instance's system disk; of a snapshot: it is of one
	Image         string            `json:"image,omitempty"`    // of a system disk; default: the instance's
	Category      string            `json:"category,omitempty"` // of a disk; default cloud_essd
	Size          int               `json:"size,omitempty"`     // of a disk, snapshot or image, in GiB; default 40, or what it is made from
	ResourceGroup string            `json:"resourceGroup,omitempty"`
	Tags          map[string]string `json:"tags,omitempty"`
}

// GenerateResources makes Count instances, or other resources, numbered from 1. Percentages are decided per instance
// from the seed.
type GenerateResources struct {
	Name              string            `json:"name"` // with one %d, for example "web-%05d"
	Count             int               `json:"count"`
	Type              string            `json:"type,omitempty"` // a resource type; default instance
	Account           string            `json:"account,omitempty"`
	Region            string            `json:"region,omitempty"`
	Zone              string            `json:"zone,omitempty"`
	VPC               string            `json:"vpc,omitempty"`
	Status            string            `json:"status,omitempty"`
	SecurityGroups    []string          `json:"securityGroups,omitempty"`
	ResourceGroup     string            `json:"resourceGroup,omitempty"`
	DeploymentSet     string            `json:"deploymentSet,omitempty"`
	StartFails        string            `json:"startFails,omitempty"` // of all, or of startFailsPercent (then default always)
	Tags              map[string]string `json:"tags,omitempty"`
	StoppedPercent    float64           `json:"stoppedPercent,omitempty"`
	LockedPercent     float64           `json:"lockedPercent,omitempty"` // locked for security
	StartFailsPercent float64           `json:"startFailsPercent,omitempty"`
	Interfaces        int               `json:"interfaces,omitempty"` // secondary network interfaces of each instance
}

// ResourceTypes are the types of resources that can be in a resource group, as JoinResourceGroup names them.
func ResourceTypes() []string {
	return append([]string{"instance", "eni", "securitygroup"}, otherTypes()...)
}

// otherTypes are those that a world lists as resources.
func otherTypes() []string {
	return []string{"disk", "snapshot", "image", "ddh", "ddhcluster", "keypair", "launchtemplate", "command",
		"activation", "managedinstance"}
}
