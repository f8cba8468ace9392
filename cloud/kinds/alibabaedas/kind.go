// Package alibabaedas is the kind alibaba.edas: ECS instances become members of an ECS cluster of EDAS, the service that
// deploys applications. There are two routes. One installs the agent of EDAS on the system that runs, the other imports
// the instance, which installs its system anew and destroys what was there.
package alibabaedas

import (
	"context"
	"fmt"
	"regexp"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba"
	"github.com/fleetjoin/fleetjoin/cloud/alibaba/backup"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// ID names the kind in requests.
const ID = "alibaba.edas"

// Routes into a cluster.
const (
	routeInstall = "install-agent"
	routeReimage = "reimage"
)

// Stages, beside that of package backup.
const (
	stageCheck   = "check"
	stageInstall = "install"
	stageImport  = "import"
	stageVerify  = "verify"
	stageRemove  = "remove"
)

// Actions, beside those of package backup.
const (
	actSync    = "synchronize"
	actInstall = "install"
	actImport  = "import"
	actRemove  = "remove"
)

// Kind implements membership.Kind.
type Kind struct {
	dial func(ctx context.Context, account string) (*alibaba.Client, error)
}

// New makes the kind; dial finds the client of an account.
func New(dial func(ctx context.Context, account string) (*alibaba.Client, error)) Kind {
	return Kind{dial: dial}
}

// Open prepares the I/O for a target.
func (k Kind) Open(ctx context.Context, t membership.Target) (membership.Session, error) {
	p, problems := parseParams(t.Params)
	if err := membership.Bad(problems); err != nil {
		return nil, err
	}
	client, err := k.dial(ctx, t.Account)
	if err != nil {
		return nil, err
	}
	s := &session{client: client, target: t, params: p}
	if p.reimage && t.Operation == membership.Join {
		s.disks = backup.Open(client, t.Program, p.backup)
	}
	return s, nil
}

// params are the request's parameters, read.
type params struct {
	reimage  bool           // the route: import, instead of installing the agent
	password account.Source // of the system that an import installs
	backup   bool
}

func parseParams(given membership.Params) (p params, problems []membership.Problem) {
	// Values are shown only where nobody could have taken the field for a password's own place.
	bad := func(name, value, want string) {
		problems = append(problems, membership.Problem{Field: "params." + name, Value: value, Want: want})
	}
	switch route := given["route"]; route {
	case nil, routeInstall:
	case routeReimage:
		p.reimage = true
	default:
		bad("route", membership.Quote(fmt.Sprint(route)), fmt.Sprintf("want %s or %s", routeInstall, routeReimage))
	}
	if v, ok := given["backup"]; ok {
		if p.backup, ok = v.(bool); !ok {
			bad("backup", membership.Quote(fmt.Sprint(v)), "want true or false")
		} else if p.backup && !p.reimage {
			bad("backup", "", "is only for route "+routeReimage+": the other destroys nothing")
		}
	}
	if _, ok := given["password"]; ok {
		bad("password", "", "an inline password is refused (not shown here), since requests are kept in histories; "+wantPassword)
	}
	v, ok := given["passwordFrom"]
	switch {
	case p.reimage && !ok:
		bad("passwordFrom", "", "is missing; "+wantPassword)
	case p.reimage:
		if p.password, ok = parseSource(v); !ok {
			bad("passwordFrom", "", "names no password (not shown here); "+wantPassword)
		}
	case ok:
		bad("passwordFrom", "", "is only for route "+routeReimage+": the other leaves logons as they are")
	}
	return p, problems
}

const wantPassword = "write {env: FLEETJOIN_PASSWORD_…} for a variable of the worker, " +
	"or {file: NAME} for a file in its account's folder of passwords"

// parseSource reads where a password is. Which variables and files the worker gives out is for the account to say; a name
// that is none is refused here, since it may well be the password.
func parseSource(given any) (account.Source, bool) {
	fields, _ := given.(map[string]any)
	env, byEnv := fields["env"].(string)
	file, byFile := fields["file"].(string)
	switch {
	case len(fields) != 1:
		return account.Source{}, false
	case byEnv && variable.MatchString(env):
		return account.Source{Env: env}, true
	case byFile && fileName.MatchString(file):
		return account.Source{File: file}, true
	default:
		return account.Source{}, false
	}
}

var (
	variable   = regexp.MustCompile(`^FLEETJOIN_PASSWORD_[A-Za-z0-9_]+$`)
	fileName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	uuid       = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	instanceID = regexp.MustCompile(`^i-[A-Za-z0-9-]+$`)
)

// Validate checks what is particular to the kind: ids of a cluster and of instances, and the parameters.
func (Kind) Validate(r membership.Request) []membership.Problem {
	var problems []membership.Problem
	check := func(field, id, want string, pattern *regexp.Regexp) {
		if id != "" && !pattern.MatchString(id) {
			problems = append(problems, membership.Problem{Field: field, Value: membership.Quote(id), Want: want})
		}
	}
	check("group", r.Group, "want the id of a cluster of EDAS, a UUID such as b3e3f77b-462e-4f5a-9d0e-bec8727a4dc8", uuid)
	for i, id := range r.Members {
		check(fmt.Sprintf("members[%d]", i), id, "want the id of an instance, such as i-2ze7s2v0b789k60p", instanceID)
	}
	_, more := parseParams(r.Params)
	return append(problems, more...)
}
