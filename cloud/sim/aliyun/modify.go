package aliyun

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// modifyInstance changes what an instance is called, and the whole set of its security groups. All of it is done, or
// nothing. A name needs no state, unlike groups.
func (s *Service) modifyInstance(c *wire.Call, p params) wire.Answer {
	set, named, described := p.list("SecurityGroupIds"), p.Has("InstanceName"), p.Has("Description")
	var r *refusal
	switch {
	case p.Get("InstanceId") == "":
		r = missing("InstanceId")
	case named && !fitName(p.Get("InstanceName")):
		r = badRequest("InvalidInstanceName.Malformed", "The specified parameter \"InstanceName\" is not valid.")
	case described && !fitDescription(p.Get("Description")):
		r = badRequest("InvalidDescription.Malformed", "The specified parameter \"Description\" is not valid.")
	}
	if r != nil {
		return s.refuse(c, r)
	}
	m := &member{}
	if set == nil && (named || described) {
		m.resource = s.find(c, "instance", p.Get("InstanceId"), p.Get("RegionId"))
		switch {
		case m.resource == nil:
			r = noInstance()
		case slices.Contains(m.Instance.Locks, "security"):
			r = locked()
		default:
			m.holder, m.state = m.resource, m.at(c.Now)
		}
	} else if m, r = s.findMember(c, p.Get("InstanceId"), "", p.Get("RegionId")); r == nil && m.network != "vpc" {
		r = badRequest("InvalidInstanceId.Mismatch", "The instance is not in a VPC.") // A9
	}
	if r != nil {
		return s.refuse(c, r)
	}
	if name := p.Get("InstanceName"); named && name != m.nameAt(c.Now) {
		m.state.Name, m.renamed = name, true
	}
	if text := p.Get("Description"); described && text != m.state.Description {
		m.state.Description, m.renamed = text, true
	}
	if set == nil && (named || described) {
		return s.rename(c, m)
	}
	return s.modify(c, m, "SecurityGroupIds", set)
}

// rename makes the member's name and description what they are in its state, if they are others.
func (s *Service) rename(c *wire.Call, m *member) wire.Answer {
	if !m.renamed {
		return done(c, &change{}, journal.None, nil)
	}
	changes := &change{}
	s.change(m.holder, m.state, c.Now, changes)
	return done(c, changes, journal.Changed, nil)
}

// fitName reports whether an instance can be called so: 2 to 128 characters, of which the first is a letter.
func fitName(name string) bool {
	first, _ := utf8.DecodeRuneInString(name)
	n := utf8.RuneCountInString(name)
	return n >= 2 && n <= 128 && unicode.IsLetter(first) && !isAddress(name) &&
		!strings.ContainsFunc(name, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.:,[] ", r)
		})
}

// fitDescription reports whether something can be described so: with 2 to 256 characters, or none.
func fitDescription(text string) bool {
	n := utf8.RuneCountInString(text)
	return n == 0 || n >= 2 && n <= 256 && !isAddress(text)
}

// isAddress reports whether a text begins as an address of the web does, as names must not.
func isAddress(text string) bool {
	return strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://")
}
