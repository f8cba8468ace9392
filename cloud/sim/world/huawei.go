package world

import (
	"fmt"

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
	ServerGroups       int `json:"serverGroups,omitempty" default:"10"`
	ServerGroupMembers int `json:"serverGroupMembers,omitempty" default:"16"` // per group
	SecurityGroups     int `json:"securityGroups,omitempty" default:"100"`
	SecurityGroupRules int `json:"securityGroupRules,omitempty" default:"5000"`
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
	RetryAfter string          `json:"retryAfter,omitempty" oneOf:"none int float"`
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
	RequireStopped     *bool          `json:"requireStopped,omitempty" default:"true"`           // joining needs SHUTOFF
	RepeatAdd          string         `json:"repeatAdd,omitempty" default:"ok" oneOf:"ok error"` // of a member
	RemoveNotMember    string         `json:"removeNotMember,omitempty" default:"ok" oneOf:"ok error"`
	SecondGroup        string         `json:"secondGroup,omitempty" default:"Ecs.0005"` // error code
	MissingGroup       string         `json:"missingGroup,omitempty" default:"Ecs.0114" oneOf:"Ecs.0114 Ecs.0313 itemNotFound"`
	Busy               string         `json:"busy,omitempty" default:"Ecs.0603" oneOf:"Ecs.0603 Ecs.0100"`
	PowerOnTargetState string         `json:"powerOnTargetState,omitempty" default:"success" oneOf:"success fail"` // its sub-job
	BatchPartial       *bool          `json:"batchPartial,omitempty" default:"true"`                               // see world.md
	NoCapacity         string         `json:"noCapacity,omitempty" default:"Ecs.0319"`                             // code of a failed start
	QingTianType       string         `json:"qingtianType,omitempty" default:"QingTian"`                           // virtualization_env_types
	QingTianJoins      bool           `json:"qingtianJoins,omitempty"`                                             // default false
	JobRetention       clock.Duration `json:"jobRetention,omitempty" default:"24h"`                                // after its end

	// LagHidesNew lets the read lag hide from callers even what they made themselves and read by its id; default false.
	LagHidesNew bool `json:"lagHidesNew,omitempty"`

	// Of security groups.
	RepeatAssociate  string `json:"repeatAssociate,omitempty" default:"ok" oneOf:"ok error"`     // adding a server that is in it
	RemoveNotInGroup string `json:"removeNotInGroup,omitempty" default:"error" oneOf:"error ok"` // removing one that is not
	RemoveLastGroup  string `json:"removeLastGroup,omitempty" default:"error" oneOf:"error ok"`  // removing one from its only group
}

func (w World) validateHuawei(v *validation) {
	h := w.Huawei
	v.fields("huawei", h)
	refs := references{validation: v, flavors: h.validateFlavors(v), groups: h.validateGroups(v),
		security: h.validateSecurityGroups(v)}
	servers := h.validateServers(v, refs)
	for i, g := range h.Groups {
		for j, m := range g.Members {
			if !servers[m] {
				v.bad(fmt.Sprintf("huawei.groups[%d].members[%d]", i, j), m, "is no server of this world")
			}
		}
	}
	h.validateClusters(v, refs, servers)
}
