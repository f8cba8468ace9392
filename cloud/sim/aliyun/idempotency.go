package aliyun

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// token is a ClientToken in its scope.
type token struct {
	Account string `json:"account"`
	Action  string `json:"action"`
	Text    string `json:"token"`
}

// making is the call that made a resource. The same call makes no second one, for ever (A18).
type making struct {
	token
	Params string `json:"params"` // digest of the call's parameters
}

// maker reads the call's token. The result is nil if it has none. If a call with the token has made a resource already,
// that is returned; if its parameters were others, a refusal.
func (s *Service) maker(c *wire.Call, p params) (*making, *resource, *refusal) {
	text := p.Get("ClientToken")
	switch {
	case text == "":
		return nil, nil, nil
	case len(text) > 64 || slices.ContainsFunc([]byte(text), func(b byte) bool { return b > 127 }):
		return nil, nil, invalid("ClientToken")
	}
	m := &making{token{s.account(c), c.Action, text}, p.digest()}
	r := s.made[m.token]
	if r != nil && r.Made.Params != m.Params {
		return m, r, badRequest("IdempotentParameterMismatch",
			"The request uses the same client token as a previous, but non-identical request.")
	}
	return m, r, nil
}

// digest tells calls with other parameters apart; those that differ in every call do not count.
func (p params) digest() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(p.Values)) {
		if name == "RegionId" || !slices.Contains(always, name) {
			fmt.Fprintf(h, "%q=%q\n", name, p.Get(name))
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:16])
}

// newID makes the id of a resource that the call makes.
func (s *Service) newID(c *wire.Call, resourceType string) string {
	return world.AlibabaID(s.seed, resourceType, fmt.Sprint("made/", c.Number))
}

// add puts what a call made into the inventory.
func (s *Service) add(r *resource, changes *change) {
	r.Born = r.Versions[0].Since
	s.put(r)
	changes.Resources = append(changes.Resources, r)
}

// madeBefore answers a call that is sent again, with what it made the first time.
func madeBefore(c *wire.Call, idField string, r *resource) wire.Answer {
	return done(c, &change{}, journal.None, object{idField: r.identity().id})
}

// tags reads Tag.1.Key, Tag.1.Value and so on.
func (p params) tags() map[string]string {
	values := p.field("Tag", "Value")
	var tags map[string]string
	for i, name := range p.field("Tag", "Key") {
		if tags == nil {
			tags = map[string]string{}
		}
		tags[name] = values[i]
	}
	return tags
}
