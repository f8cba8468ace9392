package aliyun

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// change is a set of resources as they are after a write. Applying the changes of all writes in order to the state
// before them gives the state after them.
type change struct {
	Resources []*resource `json:"resources,omitempty"`
}

// Dump returns the whole state as a change.
func (s *Service) Dump(time.Time) any {
	all := &change{}
	for _, resourceType := range slices.Sorted(maps.Keys(s.ordered)) {
		all.Resources = append(all.Resources, s.ordered[resourceType]...)
	}
	return all
}

// Apply puts the resources of a change, in its JSON form, in place.
func (s *Service) Apply(data json.RawMessage) error {
	var c change
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	for _, r := range c.Resources {
		s.put(r)
	}
	return nil
}
