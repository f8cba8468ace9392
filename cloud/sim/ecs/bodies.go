package ecs

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// The JSON bodies of the API. Where the vendor's clients insist on a type, odd as it may be, the field has it:
// numbers in flavors of servers are strings, the RAM of a listed flavor is a number.

type serverReply struct {
	Server serverBody `json:"server"`
}

type serverList struct {
	Count   int   `json:"count"`
	Servers []any `json:"servers"` // serverBody or missingServer
}

type missingServer struct {
	ID     string         `json:"id"`
	Name   *string        `json:"name"`
	Status *string        `json:"status"`
	Flavor *serverFlavor  `json:"flavor"`
	Fault  map[string]any `json:"fault"`
}

type serverBody struct {
	ID             string                     `json:"id"`
	Name           string                     `json:"name"`
	Status         string                     `json:"status"`
	TaskState      *string                    `json:"OS-EXT-STS:task_state"`
	VMState        string                     `json:"OS-EXT-STS:vm_state"`
	PowerState     int                        `json:"OS-EXT-STS:power_state"`
	TenantID       string                     `json:"tenant_id"`
	UserID         string                     `json:"user_id"`
	Created        string                     `json:"created"`
	Updated        string                     `json:"updated"`
	Zone           string                     `json:"OS-EXT-AZ:availability_zone"`
	HostID         string                     `json:"hostId"`
	HostStatus     string                     `json:"host_status"`
	Flavor         serverFlavor               `json:"flavor"`
	Image          idBody                     `json:"image"`
	Metadata       map[string]string          `json:"metadata"`
	Addresses      map[string][]serverAddress `json:"addresses"`
	SecurityGroups []securityGroup            `json:"security_groups"`
	Volumes        []attachedVolume           `json:"os-extended-volumes:volumes_attached"`
	Hints          schedulerHints             `json:"os:scheduler_hints"`
	Locked         bool                       `json:"locked"`
	Hypervisor     *struct{}                  `json:"hypervisor"` // always null, as in the vendor's example
	Project        string                     `json:"enterprise_project_id"`
	Tags           []string                   `json:"tags"`
	Interfaces     []networkInterface         `json:"network_interfaces"`
	SysTags        []struct{}                 `json:"sys_tags"`

	// Of no consequence here, but documented, and read by clients.
	DiskConfig  string         `json:"OS-DCF:diskConfig"`
	KeyName     string         `json:"key_name"`
	AccessIPv4  string         `json:"accessIPv4"`
	AccessIPv6  string         `json:"accessIPv6"`
	ConfigDrive string         `json:"config_drive"`
	Description string         `json:"description"`
	Progress    int            `json:"progress"`
	Launched    string         `json:"OS-SRV-USG:launched_at"`
	Terminated  *string        `json:"OS-SRV-USG:terminated_at"`
	AutoEnd     string         `json:"auto_terminate_time"`
	Host        string         `json:"OS-EXT-SRV-ATTR:host"`
	Hostname    string         `json:"OS-EXT-SRV-ATTR:hostname"`
	Hypervisors string         `json:"OS-EXT-SRV-ATTR:hypervisor_hostname"`
	Instance    string         `json:"OS-EXT-SRV-ATTR:instance_name"`
	LaunchIndex int            `json:"OS-EXT-SRV-ATTR:launch_index"`
	Kernel      string         `json:"OS-EXT-SRV-ATTR:kernel_id"`
	RAMDisk     string         `json:"OS-EXT-SRV-ATTR:ramdisk_id"`
	RootDevice  string         `json:"OS-EXT-SRV-ATTR:root_device_name"`
	Reservation string         `json:"OS-EXT-SRV-ATTR:reservation_id"`
	UserData    string         `json:"OS-EXT-SRV-ATTR:user_data"`
	CPUOptions  map[string]any `json:"cpu_options"`
}

type serverFlavor struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Disk         string     `json:"disk"`
	VCPUs        string     `json:"vcpus"`
	RAM          string     `json:"ram"`
	GPUs         []struct{} `json:"gpus"`
	Accelerators []struct{} `json:"asic_accelerators"`
}

type idBody struct {
	ID string `json:"id"`
}

type serverAddress struct {
	Version string `json:"version"`
	Addr    string `json:"addr"`
	Type    string `json:"OS-EXT-IPS:type"`
	MAC     string `json:"OS-EXT-IPS-MAC:mac_addr"`
	Port    string `json:"OS-EXT-IPS:port_id"`
}

type securityGroup struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type attachedVolume struct {
	ID                  string `json:"id"`
	DeleteOnTermination string `json:"delete_on_termination"`
	Device              string `json:"device"`
	BootIndex           string `json:"bootIndex"`
}

type schedulerHints struct {
	Group         []string `json:"group"`
	Tenancy       []string `json:"tenancy"`
	DedicatedHost []string `json:"dedicated_host_id"`
}

func (s *Service) newServerBody(v *server, t time.Time) serverBody {
	state := v.at(t)
	f := s.flavors[v.Flavor]
	body := serverBody{
		ID: v.ID, Name: v.Name, Status: state.Status, VMState: vmState(state.Status), PowerState: powerState(state.Status),
		TenantID: v.Project, UserID: world.ID(s.seed, "user", v.Project),
		Created: "2024-01-01T00:00:00Z", Updated: "2024-01-01T00:00:00Z", Zone: v.Zone,
		HostID: hostID(v, state), HostStatus: "UP",
		Flavor: serverFlavor{ID: f.ID, Name: f.ID, Disk: "0", VCPUs: strconv.Itoa(f.VCPUs), RAM: strconv.Itoa(f.RAMMiB),
			GPUs: []struct{}{}, Accelerators: []struct{}{}},
		Image:          idBody{state.Image},
		Metadata:       map[string]string{"charging_mode": "0", "os_type": "Linux", "vpc_id": v.VPC},
		Addresses:      map[string][]serverAddress{v.VPC: s.addresses(v)},
		Interfaces:     s.interfaces(v),
		Tags:           append([]string{}, state.Tags...),
		SecurityGroups: []securityGroup{},
		// A system installed anew has another system disk.
		Volumes: []attachedVolume{{ID: world.ID(s.seed, "volume", fmt.Sprint(v.ID, state.OSGeneration)),
			DeleteOnTermination: "true", Device: "/dev/vda", BootIndex: "0"}},
		Hints:   schedulerHints{[]string{}, []string{}, []string{}},
		Locked:  v.Locked,
		Project: v.EnterpriseProject,

		DiskConfig: "MANUAL", KeyName: "KeyPair", RootDevice: "/dev/vda", Instance: "instance-" + v.ID, Hostname: v.Name,
		Launched: "2024-01-01T00:00:00.000000", Reservation: "r-" + hashHex(v.ID)[:8], CPUOptions: map[string]any{},
		SysTags: []struct{}{},
	}
	for _, g := range s.network.GroupsOf(v.ID, t) {
		body.SecurityGroups = append(body.SecurityGroups, securityGroup{g.ID, g.Name})
	}
	maps.Copy(body.Metadata, v.Metadata)
	if v.Locked {
		body.Metadata["lockScene"] = "TO_PERIOD_LOCK"
	}
	if state.Group != "" {
		body.Hints.Group = []string{state.Group}
	}
	if task := state.taskState(); task != "" {
		body.TaskState = &task
	}
	if n := len(v.Versions); n > 0 && !v.Versions[n-1].Since.IsZero() {
		body.Updated = v.Versions[n-1].Since.UTC().Format(time.RFC3339)
	}
	return body
}

// hostID tells hosts apart, within a project. An add chooses another one for the server, where no other is (H19).
func hostID(v *server, state version) string {
	if state.Placed && !v.AddKeepsHost {
		return hashHex(v.Project, v.ID, state.Group)
	}
	return hashHex(v.Project, cmp.Or(v.Host, v.ID))
}

func vmState(status string) string {
	switch status {
	case "SHUTOFF":
		return "stopped"
	case "REBOOT", "HARD_REBOOT":
		return "active"
	}
	return strings.ToLower(status)
}

// powerState has Nova's numbers; the vendor's text has others (H9).
func powerState(status string) int {
	switch status {
	case "ACTIVE":
		return 1
	case "SHUTOFF":
		return 4
	}
	return 0
}

func hashHex(parts ...any) string {
	h := fnv.New128a()
	fmt.Fprint(h, parts...)
	return fmt.Sprintf("%x", h.Sum(nil))
}

type groupReply struct {
	Group groupBody `json:"server_group"`
}

type groupList struct {
	Groups []groupBody `json:"server_groups"`
	Page   pageInfo    `json:"page_info"`
}

type pageInfo struct {
	NextMarker string `json:"next_marker,omitempty"`
}

type groupBody struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Members  []string          `json:"members"`
	Metadata map[string]string `json:"metadata"`
	Policies []string          `json:"policies"`
}

func newGroupBody(g *group, members []string) groupBody {
	if members == nil {
		members = []string{}
	}
	return groupBody{g.ID, g.Name, members, map[string]string{}, g.Policies}
}

type batchBody struct {
	Status  string     `json:"status"`
	Servers []batchRow `json:"servers"`
}

type batchRow struct {
	Status string `json:"status"`
	Server string `json:"server_id"`
	Reason string `json:"fail_reason,omitempty"`
}

type serverLimits struct {
	MaxGroups     int `json:"maxServerGroups"`
	MaxMembers    int `json:"maxServerGroupMembers"`
	GroupsUsed    int `json:"totalServerGroupsUsed"`
	MaxInstances  int `json:"maxTotalInstances"`
	InstancesUsed int `json:"totalInstancesUsed"`
	MaxCores      int `json:"maxTotalCores"`
	CoresUsed     int `json:"totalCoresUsed"`
	MaxRAM        int `json:"maxTotalRAMSize"`
	RAMUsed       int `json:"totalRAMUsed"`

	MaxImageMeta          int        `json:"maxImageMeta"`
	MaxServerMeta         int        `json:"maxServerMeta"`
	MaxPersonality        int        `json:"maxPersonality"`
	MaxPersonalitySize    int        `json:"maxPersonalitySize"`
	MaxKeypairs           int        `json:"maxTotalKeypairs"`
	MaxFloatingIPs        int        `json:"maxTotalFloatingIps"`
	FloatingIPsUsed       int        `json:"totalFloatingIpsUsed"`
	MaxSecurityGroups     int        `json:"maxSecurityGroups"`
	MaxSecurityGroupRules int        `json:"maxSecurityGroupRules"`
	SecurityGroupsUsed    int        `json:"totalSecurityGroupsUsed"`
	ByFlavor              []struct{} `json:"limit_by_flavor"`
}

type flavorList struct {
	Flavors []flavorBody `json:"flavors"`
}

type flavorBody struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	VCPUs      string            `json:"vcpus"`
	RAM        int               `json:"ram"`
	Disk       string            `json:"disk"`
	Swap       string            `json:"swap"`
	IsPublic   bool              `json:"os-flavor-access:is_public"`
	Links      []struct{}        `json:"links"`
	ExtraSpecs map[string]string `json:"os_extra_specs"`

	Ephemeral int     `json:"OS-FLV-EXT-DATA:ephemeral"`
	Disabled  bool    `json:"OS-FLV-DISABLED:disabled"`
	Factor    float64 `json:"rxtx_factor"`
}

func (s *Service) newFlavorBody(f world.Flavor) flavorBody {
	return flavorBody{ID: f.ID, Name: f.ID, VCPUs: strconv.Itoa(f.VCPUs), RAM: f.RAMMiB, Disk: "0", IsPublic: true, Factor: 1,
		Links: []struct{}{}, ExtraSpecs: s.extraSpecs(f)}
}

// soldIn returns the zones in which a flavor can be had.
func (s *Service) soldIn(f world.Flavor) []string {
	if f.Zones != nil {
		return f.Zones
	}
	return s.zones
}

func (s *Service) extraSpecs(f world.Flavor) map[string]string {
	generation, _, _ := strings.Cut(f.ID, ".")
	specs := map[string]string{"ecs:performancetype": "normal", "ecs:generation": generation,
		"cond:operation:status": "normal"}
	set := func(yes bool, key, value string) {
		if yes {
			specs[key] = value
		}
	}
	const virtualization = "ecs:virtualization_env_types"
	set(f.Virtualization == world.KVM, virtualization, "CloudCompute")
	set(f.Virtualization == world.Xen, virtualization, "FusionCompute")
	set(f.Virtualization == world.QingTian, virtualization, s.config.Knobs.QingTianType) // H10
	set(f.LocalDisk, "quota:local_disk", "hdd:3:1675:0")
	set(f.NVMe, "quota:nvme_ssd", "1600:large:1600:0")
	set(f.GPU, "pci_passthrough:enable_gpu", "true")
	set(f.GPU, "pci_passthrough:alias", "nvidia-t4:1")
	set(f.FPGA, "pci_passthrough:alias", "vu9p-fpga:1")
	set(f.Abandoned, "cond:operation:status", "abandon")
	var zones []string
	for _, zone := range s.soldIn(f) {
		zones = append(zones, zone+"(normal)")
	}
	set(!f.Abandoned && zones != nil, "cond:operation:az", strings.Join(zones, ","))
	return specs
}

type jobBody struct {
	ID       string      `json:"job_id"`
	Type     string      `json:"job_type"`
	Status   string      `json:"status"`
	Begin    string      `json:"begin_time"`
	End      *string     `json:"end_time"`
	Code     *string     `json:"error_code"`
	Reason   *string     `json:"fail_reason"`
	Entities jobEntities `json:"entities"`
}

type jobEntities struct {
	Server  string    `json:"server_id,omitempty"`
	Message string    `json:"errorcode_message,omitempty"`
	Total   int       `json:"sub_jobs_total,omitempty"`
	Subs    []jobBody `json:"sub_jobs,omitempty"`
}

// newJobBody tells the job at t. The names of the types are our own (H11).
func newJobBody(j *job, t time.Time) jobBody {
	kind := map[string]string{opStop: "StopServer", opStart: "StartServer", opReboot: "RebootServer"}[j.Kind]
	body := newJobRow(j.ID, "batch"+kind, j.statusAt(t), j.Begin, j.end())
	body.Entities.Total = len(j.Subs)
	for _, sub := range j.Subs {
		status := sub.statusAt(j.Begin, t)
		row := newJobRow(sub.ID, strings.ToLower(kind[:1])+kind[1:], status, j.Begin, sub.End)
		row.Entities.Server = sub.Server
		if status == jobFail {
			row.Code, row.Reason, row.Entities.Message = &sub.Code, &sub.Reason, sub.Reason
			if body.Status == jobFail && body.Code == nil {
				body.Code, body.Reason = row.Code, row.Reason
			}
		}
		body.Entities.Subs = append(body.Entities.Subs, row)
	}
	return body
}

func newJobRow(id, kind, status string, begin, end time.Time) jobBody {
	const format = "2006-01-02T15:04:05.000Z"
	body := jobBody{ID: id, Type: kind, Status: status, Begin: begin.UTC().Format(format)}
	if status == jobSuccess || status == jobFail {
		text := end.UTC().Format(format)
		body.End = &text
	}
	return body
}
