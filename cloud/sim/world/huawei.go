package world

import (
	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
)

// Huawei is the Huawei Cloud half of a world.
type Huawei struct {
	Latency  clock.Range    `json:"latency,omitzero"` // simulated time before a call is served
	ReadLag  clock.Duration `json:"readLag,omitempty"`
	Timings  Timings        `json:"timings,omitzero"`
	Quotas   Quotas         `json:"quotas,omitzero"`
	Throttle Throttle       `json:"throttle,omitzero"`
	Knobs    Knobs          `json:"knobs,omitzero"`
	Flavors  []Flavor       `json:"flavors,omitempty"`
	Groups   []Group        `json:"groups,omitempty"`
	Servers  []Server       `json:"servers,omitempty"`
	CCE      CCE            `json:"cce,omitzero"`
	Clusters []Cluster      `json:"clusters,omitempty"`
	Generate []Generate     `json:"generate,omitempty"`

	SecurityGroups []VPCSecurityGroup `json:"securityGroups,omitempty"`
}

// Timings says how long transitions take, in simulated time. Ranges are drawn per server and operation.
type Timings struct {
	Stop   clock.Range `json:"stop,omitzero"`
	Start  clock.Range `json:"start,omitzero"`
	Reboot clock.Range `json:"reboot,omitzero"`
	Add    clock.Range `json:"add,omitzero"`    // joining a group: the server is busy and not a member yet
	Remove clock.Range `json:"remove,omitzero"` // leaving it: the server is busy and still a member
	// SecurityGroups is until a change of a server's security groups takes effect. The server is not busy.
	SecurityGroups clock.Range `json:"securityGroups,omitzero"`
}

// Quotas of a project.
type Quotas struct {
	ServerGroups       int `json:"serverGroups,omitempty"`       // default 10
	ServerGroupMembers int `json:"serverGroupMembers,omitempty"` // per group; default 16
	SecurityGroups     int `json:"securityGroups,omitempty"`     // default 100
	SecurityGroupRules int `json:"securityGroupRules,omitempty"` // default 5000
	// GroupsPerServer is how many security groups a server takes; 0, the default: any number (V4).
	GroupsPerServer int `json:"groupsPerServer,omitempty"`
}

// Rate is a token bucket in simulated time.
type Rate struct {
	PerSecond float64 `json:"perSecond,omitempty"` // 0 means unlimited
	Burst     int     `json:"burst,omitempty"`     // default 1
}

// Throttle limits the calls of each account: all of them together, and each named action by itself.
type Throttle struct {
	Rate       `json:",inline"`
	RetryAfter string          `json:"retryAfter,omitempty"` // none (default), int or float
	Actions    map[string]Rate `json:"actions,omitempty"`
}

// The answers to questions that the vendor's documents leave open. Each zero value is a default.
const (
	OK      = "ok"
	Error   = "error"
	Success = "success"
	Fail    = "fail"
)

// Knobs choose between behaviours that the documents contradict each other on, or are silent about.
type Knobs struct {
	RequireStopped     *bool          `json:"requireStopped,omitempty"`     // joining needs SHUTOFF; default true
	RepeatAdd          string         `json:"repeatAdd,omitempty"`          // of a member: ok (default) or error
	RemoveNotMember    string         `json:"removeNotMember,omitempty"`    // ok (default) or error
	SecondGroup        string         `json:"secondGroup,omitempty"`        // error code; default Ecs.0005
	MissingGroup       string         `json:"missingGroup,omitempty"`       // Ecs.0114 (default), Ecs.0313, itemNotFound
	Busy               string         `json:"busy,omitempty"`               // Ecs.0603 (default) or Ecs.0100
	PowerOnTargetState string         `json:"powerOnTargetState,omitempty"` // its sub-job: success (default) or fail
	BatchPartial       *bool          `json:"batchPartial,omitempty"`       // default true: see world.md
	NoCapacity         string         `json:"noCapacity,omitempty"`         // code of a failed start; default Ecs.0319
	QingTianType       string         `json:"qingtianType,omitempty"`       // virtualization_env_types; default QingTian
	QingTianJoins      bool           `json:"qingtianJoins,omitempty"`      // default false
	JobRetention       clock.Duration `json:"jobRetention,omitempty"`       // after its end; default 24h

	// LagHidesNew lets the read lag hide from callers even what they made themselves and read by its id; default false.
	LagHidesNew bool `json:"lagHidesNew,omitempty"`

	// Of security groups, all ok or error.
	RepeatAssociate  string `json:"repeatAssociate,omitempty"`  // adding a server that is in it; default ok
	RemoveNotInGroup string `json:"removeNotInGroup,omitempty"` // removing one that is not; default error
	RemoveLastGroup  string `json:"removeLastGroup,omitempty"`  // removing one from its only group; default error
}

// The kinds of virtualization.
const (
	KVM      = "kvm"
	Xen      = "xen"
	QingTian = "qingtian"
	Unknown  = "unknown" // KVM underneath, but the API does not say so
)

// Flavor is a machine type.
type Flavor struct {
	ID             string `json:"id"`
	VCPUs          int    `json:"vcpus,omitempty"`          // default 2
	RAMMiB         int    `json:"ramMiB,omitempty"`         // default 4096
	Virtualization string `json:"virtualization,omitempty"` // kvm (default), xen, qingtian, unknown
	LocalDisk      bool   `json:"localDisk,omitempty"`
	NVMe           bool   `json:"nvme,omitempty"`
	GPU            bool   `json:"gpu,omitempty"`
	FPGA           bool   `json:"fpga,omitempty"`
	Abandoned      bool   `json:"abandoned,omitempty"` // retired: missing from flavor lists
	// Zones are where it is sold; default: wherever the world has something.
	Zones []string `json:"zones,omitempty"`
}

// When a server's start fails for lack of a host.
const (
	Never    = "never"
	AfterAdd = "after-add" // while it is in a group that it was added to: the add chose another host for it
	Always   = "always"
)

// Server is a machine. An empty ID is made from seed and name, an empty Name from the ID.
type Server struct {
	ID            string            `json:"id,omitempty"`
	Name          string            `json:"name,omitempty"`
	Project       string            `json:"project,omitempty"` // default: the first account's
	Flavor        string            `json:"flavor"`
	Status        string            `json:"status,omitempty"` // ACTIVE (default), SHUTOFF, ERROR, …
	Locked        bool              `json:"locked,omitempty"`
	Group         string            `json:"group,omitempty"` // id or name
	Zone          string            `json:"zone,omitempty"`
	StartFails    string            `json:"startFails,omitempty"` // never (default), after-add, always
	SoftStopHangs bool              `json:"softStopHangs,omitempty"`
	OSGeneration  int               `json:"osGeneration,omitempty"` // counts installations of the system; default 1
	Placed        bool              `json:"placed,omitempty"`       // it came into its group by an add
	Metadata      map[string]string `json:"metadata,omitempty"`
	// EnterpriseProject is an id; default "0".
	EnterpriseProject string `json:"enterpriseProject,omitempty"`
	// SecurityGroups are ids or names; default: the project's own.
	SecurityGroups []string `json:"securityGroups,omitempty"`
	Machine        `json:",inline"`
}

// Group is a server group. Members and the servers' own Group add up.
type Group struct {
	ID       string   `json:"id,omitempty"`
	Name     string   `json:"name,omitempty"`
	Project  string   `json:"project,omitempty"`
	Policies []string `json:"policies,omitempty"` // default [anti-affinity]
	Members  []string `json:"members,omitempty"`  // ids or names of servers
}

// Generate makes Count servers, numbered from 1. Percentages are decided per server from the seed.
type Generate struct {
	Name       string `json:"name"` // with one %d, for example "web-%05d"
	Count      int    `json:"count"`
	Project    string `json:"project,omitempty"`
	Flavor     string `json:"flavor"`
	Status     string `json:"status,omitempty"`
	Group      string `json:"group,omitempty"` // id or name
	Zone       string `json:"zone,omitempty"`
	StartFails string `json:"startFails,omitempty"` // of all, or of startFailsPercent (then default after-add)

	SecurityGroups       []string `json:"securityGroups,omitempty"` // ids or names
	StoppedPercent       float64  `json:"stoppedPercent,omitempty"`
	LockedPercent        float64  `json:"lockedPercent,omitempty"`
	StartFailsPercent    float64  `json:"startFailsPercent,omitempty"`
	SoftStopHangsPercent float64  `json:"softStopHangsPercent,omitempty"`
}
