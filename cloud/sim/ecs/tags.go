package ecs

import (
	"net/http"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// tag is one tag of a server, which the server has as "key=value".
type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func tagOf(text string) tag {
	key, value, _ := strings.Cut(text, "=")
	return tag{key, value}
}

func (s *Service) showTags(c *wire.Call, v vars) wire.Answer {
	server := s.servers[v["server"]]
	if server == nil || server.Project != c.Project {
		return s.Refusal(c, s.noServer(v["server"]))
	}
	tags := []tag{}
	for _, text := range server.at(s.lagged(c.Now)).Tags {
		tags = append(tags, tagOf(text))
	}
	return found(map[string]any{"tags": tags})
}

// listTags tells all values that a key has in the project.
func (s *Service) listTags(c *wire.Call, _ vars) wire.Answer {
	type keyValues struct {
		Key    string   `json:"key"`
		Values []string `json:"values"`
	}
	tags := []*keyValues{}
	byKey := map[string]*keyValues{}
	for _, server := range s.inProject(c.Project).servers {
		for _, text := range server.at(s.lagged(c.Now)).Tags {
			t := tagOf(text)
			all := byKey[t.Key]
			if all == nil {
				all = &keyValues{Key: t.Key}
				byKey[t.Key], tags = all, append(tags, all)
			}
			if !slices.Contains(all.Values, t.Value) {
				all.Values = append(all.Values, t.Value)
			}
		}
	}
	return found(map[string]any{"tags": tags})
}

// bindTags serves the batch calls that add tags to a server, or change their values, and take them away.
func bindTags(c *wire.Call, v vars) (handler, *refusal) {
	var in struct {
		Action string `json:"action"`
		Tags   []tag  `json:"tags"`
	}
	if r := decode(c, &in); r != nil {
		return nil, r
	}
	switch in.Action {
	case "create":
		c.Action = "BatchCreateServerTags"
	case "delete":
		c.Action = "BatchDeleteServerTags"
	default:
		return nil, badRequest("The action " + in.Action + " is neither create nor delete.")
	}
	if len(in.Tags) == 0 || slices.ContainsFunc(in.Tags, func(t tag) bool { return t.Key == "" }) {
		return nil, badRequest("tags is empty, or a key is missing.")
	}
	return func(s *Service, c *wire.Call) wire.Answer {
		server := s.servers[v["server"]]
		if server == nil || server.Project != c.Project {
			return s.Refusal(c, s.noServer(v["server"]))
		}
		state := server.at(c.Now)
		before := state.Tags
		state.Tags = slices.Clone(before)
		for _, t := range in.Tags {
			i := slices.IndexFunc(state.Tags, func(text string) bool { return tagOf(text).Key == t.Key })
			switch {
			case in.Action == "delete" && i >= 0:
				state.Tags = slices.Delete(state.Tags, i, i+1)
			case in.Action == "create" && i >= 0:
				state.Tags[i] = t.Key + "=" + t.Value
			case in.Action == "create":
				state.Tags = append(state.Tags, t.Key+"="+t.Value)
			}
		}
		changes, effect := &change{}, journal.None
		if !slices.Equal(before, state.Tags) {
			effect = journal.Changed
			server.set(state, c.Now, s.lagged(c.Now))
			changes.Servers = append(changes.Servers, server)
		}
		a := s.done(changes, effect, nil)
		a.Status = http.StatusNoContent
		return a
	}, nil
}
