package aliyun

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// paths are the methods and paths of the actions that have their own, as "GET /clusters/{ClusterId}/nodes". What stands
// for {ClusterId} becomes the parameter of this name.
func paths() map[operation]string {
	all := map[operation]string{}
	edasPaths(all)
	for _, r := range csRoutes() {
		all[operation{csVersion, r.action}] = r.path
	}
	return all
}

// readPath checks that a call came by the path of its action, and adds to p what the path says.
func (p params) readPath(pattern string, r *http.Request) *refusal {
	method, path, _ := strings.Cut(pattern, " ")
	want, got := strings.Split(path, "/"), strings.Split(r.URL.Path, "/")
	fits := method == r.Method && len(want) == len(got)
	for i := 0; fits && i < len(want); i++ {
		if name, isVariable := strings.CutPrefix(want[i], "{"); isVariable {
			p.Set(strings.TrimSuffix(name, "}"), got[i])
		} else {
			fits = want[i] == got[i]
		}
	}
	if !fits {
		return notFound("InvalidApi.NotFound", "Specified api is not found, please check your url and method.")
	}
	return nil
}

// readBody adds the fields of a JSON body to p: a text as it is, anything else as JSON.
func (p params) readBody(c *wire.Call) *refusal {
	if len(c.Body) == 0 || !strings.HasPrefix(c.HTTP.Header.Get("Content-Type"), "application/json") {
		return nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(c.Body, &fields) != nil {
		return badRequest("InvalidParameter", "The request body is not a JSON object.")
	}
	for name, value := range fields {
		text := ""
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		p.Set(name, text)
	}
	return nil
}
