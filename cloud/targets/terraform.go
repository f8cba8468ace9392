package targets

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// maxTerraform is the most bytes of a state, which cannot be read as a stream.
const maxTerraform = 64 << 20

// instanceTypes are the resources that are taken when nobody says which, by cloud.
var instanceTypes = map[string]string{"alibaba": "alicloud_instance", "huawei": "huaweicloud_compute_instance"}

// resource is an instance of a resource of Terraform.
type resource struct {
	Address string          `json:"address"`
	Mode    string          `json:"mode"`
	Type    string          `json:"type"`
	Values  json.RawMessage `json:"values"`
}

// stateResource is a resource as a state file of version 4 has it.
type stateResource struct {
	Module    string `json:"module"`
	Mode      string `json:"mode"`
	Type      string `json:"type"`
	Name      string `json:"name"`
	Instances []struct {
		IndexKey   json.RawMessage `json:"index_key"`
		Deposed    string          `json:"deposed"`
		Attributes json.RawMessage `json:"attributes"`
	} `json:"instances"`
}

// module is one of what terraform show -json prints.
type module struct {
	Resources    []resource `json:"resources"`
	ChildModules []module   `json:"child_modules"`
}

// state reads the value of a field of an object if that makes it a state of Terraform. Of the values in it only ids, zones
// and tags are looked at: the others hold secrets.
func (j *jsonList) state(d draft, field string) (is bool, err error) {
	var all []resource
	switch field {
	case "planned_values", "prior_state", "resource_changes":
		return true, j.fatal(place{line: j.at.line}, field, "is of a plan of Terraform; want a state: terraform show -json without a file")
	case "values":
		j.text.left = maxTerraform
		var values struct {
			Root module `json:"root_module"`
		}
		if err := j.dec.Decode(&values); err != nil {
			return true, j.notJSON(err)
		}
		all = values.Root.all()
		j.taken.Shape = "a state as terraform show -json prints it"
	case "resources":
		if version := d.Traits["version"]; version != "" && version != "4" {
			return true, j.fatal(place{line: j.at.line}, "version "+membership.Quote(version), "is of a state of Terraform that is too old or "+
				"too new; want 4, or what terraform show -json prints")
		}
		j.text.left = maxTerraform
		var resources []stateResource
		if err := j.dec.Decode(&resources); err != nil {
			return true, j.notJSON(err)
		}
		for _, r := range resources {
			all = append(all, r.all()...)
		}
		j.taken.Shape = "a state of Terraform"
	default:
		return false, nil
	}
	j.terraform = true
	return true, j.resources(all)
}

func (m module) all() []resource {
	all := m.Resources
	for _, child := range m.ChildModules {
		all = append(all, child.all()...)
	}
	return all
}

// all returns the instances of a resource, without those that wait to be destroyed.
func (r stateResource) all() (all []resource) {
	base := r.Type + "." + r.Name
	if r.Module != "" {
		base = r.Module + "." + base
	}
	for _, i := range r.Instances {
		if i.Deposed != "" {
			continue
		}
		address := base
		if key := string(i.IndexKey); key != "" && key != "null" {
			address += "[" + key + "]"
		}
		all = append(all, resource{Address: address, Mode: r.Mode, Type: r.Type, Values: i.Attributes})
	}
	return all
}

// resources takes the members among resources.
func (j *jsonList) resources(all []resource) error {
	chosen := chooser(j.options)
	var others []string
	for _, r := range all {
		if r.Mode != "managed" {
			continue
		}
		if !chosen(r) {
			others = append(others, r.Address)
			continue
		}
		d := draft{at: j.at}
		j.at.item++
		var values map[string]any
		if err := json.Unmarshal(r.Values, &values); err != nil {
			if err := j.problem(d.at, r.Address, "", "has no values; want a state that terraform has applied"); err != nil {
				return err
			}
			continue
		}
		id, _ := values["id"].(string)
		if id == "" {
			if err := j.problem(d.at, r.Address, "", "has no id; want a resource that exists"); err != nil {
				return err
			}
			continue
		}
		if err := j.give(&d, j.at.line, r.Address, id, meaning{role: isMember}); err != nil {
			return err
		}
		d.member.bare = true // each has an address of its own
		if zone, _ := values["availability_zone"].(string); zone != "" {
			d.zone = claim{field: "availability_zone", value: zone, at: d.at}
		}
		d.Traits = tags(nil, values["tags"])
		if err := j.add(d); err != nil {
			return err
		}
	}
	if j.count == 0 && len(j.problems) == 0 {
		return j.nothingChosen(others)
	}
	return nil
}

// chooser says which resources are members. An address chooses all that it names, and whatever is in a module that it
// names; * stands for anything. Unless it names a type, those are instances.
func chooser(o Options) func(resource) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(o.Address), `\*`, `.*`)
	named := regexp.MustCompile("^(" + pattern + `)($|[.\[])`)
	cloud, _, _ := strings.Cut(o.Kind, ".")
	return func(r resource) bool {
		switch {
		case o.Address != "" && !named.MatchString(r.Address):
			return false
		case o.Address != "" && strings.Contains(o.Address, r.Type):
			return true
		case instanceTypes[cloud] != "":
			return r.Type == instanceTypes[cloud]
		}
		return r.Type == instanceTypes["alibaba"] || r.Type == instanceTypes["huawei"]
	}
}

// nothingChosen says what could have been.
func (j *jsonList) nothingChosen(others []string) error {
	there := "it has no resource at all"
	if len(others) > 0 {
		slices.Sort(others)
		there = "it has " + strings.Join(membership.Few(others), ", ")
	}
	p := membership.Problem{Field: "targets", Want: "the state has no instance of the step's cloud, and no address says what else to take; " + there}
	if j.options.Address != "" {
		p = membership.Problem{Field: "targets.address", Value: membership.Quote(j.options.Address),
			Want: fmt.Sprintf("names no instance of the step's cloud, and no resource by its type; %s; * stands for anything", there)}
	}
	_ = j.take(p)
	return errStop
}
