package membership

import (
	"fmt"
	"slices"
	"strings"
)

// Validate returns everything that is wrong with a request for this kind: what is wrong for any kind, what the kind's
// description rules out, and what the kind itself objects to.
func Validate(k Kind, r Request) []Problem {
	ps := r.Problems()
	spec := k.Spec()
	if n := len(r.Members); spec.PageLimit < n && n <= MaxMembers {
		ps = append(ps, Problem{Field: "members", Value: fmt.Sprint(n) + " ids",
			Want: fmt.Sprintf("want at most %d in one run of %s", spec.PageLimit, spec.ID)})
	}
	if r.From != "" && spec.Moves == "" {
		ps = append(ps, Problem{Field: "from", Value: Quote(r.From), Want: "is not for " + spec.ID +
			", whose members cannot be moved in one step; plan one in which they leave and one in which they join"})
	}
	known := make([]string, len(spec.Params))
	for i, p := range spec.Params {
		known[i] = p.Name
	}
	given := make([]string, 0, len(r.Params))
	for name := range r.Params {
		given = append(given, name)
	}
	slices.Sort(given)
	for _, name := range given {
		if !slices.Contains(known, name) {
			ps = append(ps, Problem{Field: "params." + name, Want: "is not a parameter of " + spec.ID + "; it has " + list(known)})
		}
	}
	return append(ps, k.Validate(r)...)
}

// Find returns the kind with the id; the error names those there are.
func Find(kinds []Kind, id string) (Kind, error) {
	ids := make([]string, len(kinds))
	for i, k := range kinds {
		if ids[i] = k.Spec().ID; ids[i] == id {
			return k, nil
		}
	}
	return nil, Bad([]Problem{{Field: "kind", Value: Quote(id), Want: "is not a kind; the kinds are " + list(ids)}})
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
