package targets

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Taken says what a list was taken for, so that people see whether it is what they meant.
type Taken struct {
	Members  int
	Encoding string   // "": all of it is ASCII
	Shape    string   // what it is, such as "columns separated by semicolons"
	IDs      []string // the fields that name members; none: ids alone
	Groups   []string // that name their groups
	Zones    []string
	Total    int    // how many there are where the list comes from, as it says; 0: it does not
	SHA256   string // of the file, in hex; also when it makes no sense
}

// String is one line for people.
func (t Taken) String() string {
	parts := []string{cmp.Or(t.Encoding, "ASCII")}
	if t.Shape != "" {
		parts = append(parts, t.Shape)
	}
	words := membership.Count(t.Members, "member") + ", " + strings.Join(parts, ", ")
	var fields []string
	for _, f := range []struct {
		what  string
		names []string
	}{{"ids", t.IDs}, {"groups", t.Groups}, {"zones", t.Zones}} {
		if len(f.names) > 0 {
			fields = append(fields, f.what+" from "+strings.Join(f.names, " or "))
		}
	}
	if len(fields) > 0 {
		words += "; " + strings.Join(fields, ", ")
	}
	if t.Total > t.Members {
		words += fmt.Sprintf("; ONLY A PART: where it comes from there are %d", t.Total)
	}
	return words
}

// note takes down the field that a role was read from.
func (t *Taken) note(r role, field string) {
	var names *[]string
	switch r {
	case isMember:
		names = &t.IDs
	case isGroup:
		names = &t.Groups
	case isZone:
		names = &t.Zones
	default:
		return
	}
	const most = 3
	if field = readable(field); len(*names) < most && !slices.Contains(*names, field) {
		*names = append(*names, field)
	}
}
