// Package huaweiapi is what the simulated services of Huawei Cloud have in common: each knows its calls by method and
// path, and the same gateway stands in front of all of them. A new service is a package of its own: a table of
// operations, an error shape, and state.
package huaweiapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// Handler serves a recognised call from the state of a service.
type Handler[S any] func(s S, c *wire.Call) wire.Answer

// Vars are the variables of a path.
type Vars map[string]string

// Operation is one line of a service's API reference.
type Operation[S any] struct {
	Action string // its name in the reference
	Method string
	Path   string // {name} stands for one segment; {project}, {group} and {server} are what rules and journal know of
	Query  string // the parameters that it takes, separated by blanks; any other is refused as not implemented
	// Bind looks at variables and body, fills in what else the call is about, and chooses the handler.
	Bind func(c *wire.Call, v Vars) (Handler[S], *Refusal)
}

// Plain binds an operation that needs nothing but its path and query.
func Plain[S any](h func(s S, c *wire.Call, v Vars) wire.Answer) func(*wire.Call, Vars) (Handler[S], *Refusal) {
	return func(_ *wire.Call, v Vars) (Handler[S], *Refusal) {
		return func(s S, c *wire.Call) wire.Answer { return h(s, c, v) }, nil
	}
}

// Refusal is why a call, or one server's part of it, is not done. Its HTTP status follows from the code.
type Refusal struct{ Code, Message string }

// Unimplemented refuses what the cloud may know and the simulator does not.
func Unimplemented(what string) *Refusal {
	return &Refusal{notImplemented, "The simulator does not implement " + what + "."}
}

const notImplemented = "SIM.0501"

// Decode reads a JSON body. A field that the simulator does not know is refused, rather than ignored; a body that is not
// the expected JSON is refused with the service's code for that.
func Decode(c *wire.Call, into any, malformed string) *Refusal {
	decoder := json.NewDecoder(strings.NewReader(string(c.Body)))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		return nil
	}
	if field, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return Unimplemented("the field " + field + " of " + c.Action)
	}
	return &Refusal{malformed, "The request body is not the JSON that is expected: " + err.Error()}
}

// known is an operation with its path and query taken apart.
type known[S any] struct {
	Operation[S]
	segments []string
	query    []string
}

func newKnown[S any](o Operation[S]) known[S] {
	return known[S]{o, strings.Split(o.Path, "/"), strings.Fields(o.Query)}
}

// match compares a path with the operation's and returns the variables.
func (k known[S]) match(method string, path []string) (Vars, bool) {
	if k.Method != method || len(k.segments) != len(path) {
		return nil, false
	}
	v := Vars{}
	for i, want := range k.segments {
		if name, isVar := strings.CutPrefix(want, "{"); isVar {
			v[strings.TrimSuffix(name, "}")] = path[i]
		} else if want != path[i] {
			return nil, false
		}
	}
	return v, true
}

// bind fills in the call. A parameter that is given but not known is refused.
func (k known[S]) bind(c *wire.Call, v Vars) (Handler[S], *Refusal) {
	c.Action, c.Write, c.Project, c.Group = k.Action, k.Method != http.MethodGet, v["project"], v["group"]
	if id := v["server"]; id != "" {
		c.Servers = []string{id}
	}
	h, r := k.Bind(c, v)
	for name := range c.HTTP.URL.Query() {
		if !slices.Contains(k.query, name) {
			return nil, Unimplemented("the parameter " + name + " of " + c.Action)
		}
	}
	return h, r
}
