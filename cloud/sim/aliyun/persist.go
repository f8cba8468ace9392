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
	Resources  []*resource `json:"resources,omitempty"`
	Containers *ackChange  `json:"containers,omitempty"`
}

func (c *change) empty() bool { return len(c.Resources) == 0 && c.Containers == nil }

// Dump returns the whole state as a change, without what is gone so long that nobody can see it any more, unless a
// call that is sent again must find it.
func (s *Service) Dump(now time.Time) any {
	all := &change{Containers: s.ack.dump(now, time.Duration(s.config.Containers.TaskRetention))}
	for _, resourceType := range slices.Sorted(maps.Keys(s.ordered)) {
		for _, r := range s.ordered[resourceType] {
			if r.Made != nil || !r.at(s.oldest(now)).Gone {
				all.Resources = append(all.Resources, r)
			}
		}
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
	s.ack.apply(c.Containers)
	return nil
}
