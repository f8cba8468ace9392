// Package plans are requests to try: one or more for every kind, for the world that fleetjoin dev starts with.
package plans

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Dir is where the files are, from the root of the repository.
const Dir = "deploy/plans"

// Files are all plans, by their names.
//
//go:embed *.yaml *.json
var Files embed.FS

// Plan is a request in a file.
type Plan struct {
	Name    string // such as "join-nodepool.yaml"
	Text    string // with its comments
	Request membership.Request
}

// Of returns the plans of a kind that are requests to join, the plainest first.
func Of(kind string) ([]Plan, error) {
	names, err := fs.Glob(Files, "join-*.yaml")
	if err != nil {
		return nil, err
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	var all []Plan
	for _, name := range names {
		text, err := fs.ReadFile(Files, name)
		if err != nil {
			return nil, err
		}
		data, err := yaml.YAMLToJSONStrict(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		r, err := membership.ParseRequest(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if r.Kind == kind {
			all = append(all, Plan{name, string(text), r})
		}
	}
	return all, nil
}
