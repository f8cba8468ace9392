// Package policies writes what a worker must be allowed to do in a cloud, kind by kind, as policies of the clouds' access
// managements. They come from the permissions in the kinds' specs, so that they ask for neither more nor less.
package policies

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// File is the name of a kind's policy in the kind's folder.
const File = "policy.json"

// Permission is one line of a spec's permissions, and one statement of a policy.
type Permission struct {
	Actions   []string // such as "ecs:DescribeInstances"
	Resources []string // such as "acs:ecs:{region}:{account}:instance/*"; "*" stands for all
	Only      string   // the requests that need it, such as "backup: true"; "" for all
}

var (
	line     = regexp.MustCompile(`^(.+) on ([^()]+?)(?: \(only with ([a-zA-Z]+: [^()]+)\))?$`)
	action   = regexp.MustCompile(`^[a-z]+(:[a-zA-Z][a-zA-Z0-9]*){1,2}$`)
	resource = regexp.MustCompile(`^(\*|acs:[a-z]+(:[^:, ]+){3}|ECS(:[^:, ]+){4})$`)
)

// Parse reads "ACTION[, ACTION…] on RESOURCE[, RESOURCE…]", with "(only with PARAM: VALUE)" at its end where only some
// requests need it.
func Parse(text string) (Permission, error) {
	found := line.FindStringSubmatch(text)
	if found == nil {
		return Permission{}, fmt.Errorf("%q is not ACTION[, ACTION…] on RESOURCE[, RESOURCE…] [(only with PARAM: VALUE)]", text)
	}
	p := Permission{Actions: strings.Split(found[1], ", "), Resources: strings.Split(found[2], ", "), Only: found[3]}
	for _, a := range p.Actions {
		if !action.MatchString(a) {
			return Permission{}, fmt.Errorf("%q in %q is not an action", a, text)
		}
	}
	for _, r := range p.Resources {
		if !resource.MatchString(r) || r == "*" && len(p.Resources) > 1 {
			return Permission{}, fmt.Errorf("%q in %q is not a resource", r, text)
		}
	}
	return p, nil
}

// Of returns the permissions of a kind.
func Of(s membership.Spec) ([]Permission, error) {
	all := make([]Permission, len(s.Permissions))
	for i, text := range s.Permissions {
		p, err := Parse(text)
		if err != nil {
			return nil, fmt.Errorf("permissions of %s: %w", s.ID, err)
		}
		all[i] = p
	}
	return all, nil
}

// versions are those of the languages in which the providers' policies are written.
var versions = map[string]string{"alibaba": "1", "huawei": "1.1"}

// document is a policy; the languages of both clouds name its parts alike.
type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect   string
	Action   []string
	Resource []string `json:",omitempty"`
}

// Render writes a kind's policy: custom policies of Huawei Cloud's IAM, or of Alibaba Cloud's RAM. Names in braces stand
// for what only the account knows.
func Render(s membership.Spec) ([]byte, error) {
	permissions, err := Of(s)
	if err != nil {
		return nil, err
	}
	d := document{Version: versions[s.Provider]}
	if d.Version == "" {
		return nil, fmt.Errorf("policies of %s are not understood; teach them to deploy/policies", s.Provider)
	}
	for _, p := range permissions {
		st := statement{Effect: "Allow", Action: p.Actions, Resource: p.Resources}
		if s.Provider == "huawei" && p.Resources[0] == "*" {
			st.Resource = nil // there, a statement about everything names no resource
		}
		d.Statement = append(d.Statement, st)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err = e.Encode(d)
	return b.Bytes(), err
}
