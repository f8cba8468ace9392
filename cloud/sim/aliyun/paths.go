package aliyun

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/sim/alibabasign"
	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// pathRoute is a line of the API reference of a product that is called by method and path (ROA style), as in
// "GET /clusters/{ClusterId}/nodes". What stands for {ClusterId} becomes the parameter of this name, and so do the fields
// of a body.
type pathRoute struct {
	operation
	path string
	route
}

// pathRoutes are those of all such products.
func pathRoutes() []pathRoute { return append(edasRoutes(), csRoutes()...) }

// fits compares a path with the route's, and returns its variables as names and values in turn.
func (r pathRoute) fits(path string) (variables []string, ok bool) {
	_, pattern, _ := strings.Cut(r.path, " ")
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	for i := range want {
		if name, isVariable := strings.CutPrefix(want[i], "{"); isVariable && got[i] != "" {
			variables = append(variables, strings.TrimSuffix(name, "}"), got[i])
		} else if want[i] != got[i] {
			return nil, false
		}
	}
	return variables, true
}

// byPath finds the operation of a request by method and path, as the gateway does. The version and the name of the
// action, which only newer clients send, must agree with it. A path that is another method's is known, too.
func (s *Service) byPath(r *http.Request, p params) (op operation, known bool, refused *refusal) {
	wanted := operation{r.Header.Get("x-acs-version"), r.Header.Get("x-acs-action")}
	refused = noAPI()
	for _, route := range s.paths {
		variables, fits := route.fits(r.URL.Path)
		known = known || fits
		if method, _, _ := strings.Cut(route.path, " "); !fits || method != r.Method {
			continue
		}
		op, refused = route.operation, p.readVariables(variables)
		break
	}
	switch {
	case wanted.action != "" && !s.knows(wanted):
		refused = unimplemented(wanted.action + " of version " + wanted.version)
	case op.action == "":
	case wanted.version != "" && wanted.version != op.version:
		refused = badRequest("InvalidVersion", "Specified parameter Version is not valid.")
	case wanted.action != "" && wanted.action != op.action:
		refused = noAPI()
	}
	if refused != nil && wanted.action != "" {
		op = wanted // the journal tells it so
	}
	return op, known, refused
}

// knows reports whether an operation is known, in any version if the request names none.
func (s *Service) knows(op operation) bool {
	for known := range s.routes {
		if known.action == op.action && (op.version == "" || known.version == op.version) {
			return true
		}
	}
	return false
}

// byAction finds the operation of a request that names it: in a header in the newer styles of signing, in a parameter in
// the oldest.
func (s *Service) byAction(r *http.Request, p params) (operation, *refusal) {
	op := operation{p.Get("Version"), p.Get("Action")}
	if op.action == "" || alibabasign.StyleOf(r) != alibabasign.RPC && r.Header.Get("x-acs-action") != "" {
		// What is signed decides: ACS3 and ROA sign headers, RPC parameters.
		op = operation{r.Header.Get("x-acs-version"), r.Header.Get("x-acs-action")}
	}
	if _, ok := s.routes[op]; !ok {
		named := op.action
		if named == "" {
			named = r.Method + " " + r.URL.Path
		}
		return op, unimplemented(named + " of version " + op.version)
	}
	for _, route := range s.paths {
		if route.operation == op {
			return op, noAPI()
		}
	}
	return op, nil
}

func noAPI() *refusal {
	return notFound("InvalidApi.NotFound", "Specified api is not found, please check your url and method.")
}

// readVariables adds to p what the path says.
func (p params) readVariables(namesAndValues []string) *refusal {
	for i := 0; i < len(namesAndValues); i += 2 {
		name := namesAndValues[i]
		if p.Has(name) {
			return unimplemented("the parameter " + name + " beside a path that has it")
		}
		p.Set(name, namesAndValues[i+1])
	}
	return nil
}

// readBody adds the fields of a JSON body to p: a text as it is, anything else as JSON. Products that are called by path
// take no other bodies but forms, which have been read.
func (p params) readBody(c *wire.Call, byPath bool) *refusal {
	kind := c.HTTP.Header.Get("Content-Type")
	isForm := strings.HasPrefix(kind, "application/x-www-form-urlencoded")
	if len(c.Body) == 0 || isForm || !byPath && !strings.HasPrefix(kind, "application/json") {
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
