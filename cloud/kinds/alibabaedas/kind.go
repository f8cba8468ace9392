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
	return membership.Open(ctx, t, k.dial, read, newSession)
}

// params are the request's parameters, read.
type params struct {
	reimage  bool           // the route: import, instead of installing the agent
	password account.Source // of the system that an import installs
	backup   bool
}

func (p *params) declared() []membership.Param {
	return []membership.Param{
		membership.Text(new(string), membership.ParamSpec{Name: "route", Type: "text", Default: routeInstall, Help: routeInstall + ": installs the agent of EDAS on the system that runs, and " +
			"destroys nothing, as the vendor recommends; " + routeReimage + ": imports the instance, which installs its system ANEW"},
			func(text string) string {
				if p.reimage = text == routeReimage; !p.reimage && text != routeInstall {
					return fmt.Sprintf("want %s or %s", routeInstall, routeReimage)
				}
				return ""
			}),
		account.PasswordParam(func(from account.Source) { p.password = from }, "none; needed with route "+routeReimage, "the logon of the system that is installed"),
		backup.Param(&p.backup, "with route "+routeReimage+": "),
	}
}

func read(t membership.Target) (p params, problems []membership.Problem) {
	problems = t.Params.Read(p.declared())
	bad := func(name, want string) {
		problems = append(problems, membership.Problem{Field: "params." + name, Want: want}) // without what may be a password
	}
	if p.backup && !p.reimage {
		bad("backup", "is only for route "+routeReimage+": the other destroys nothing")
	}
	if t.Params.Has("password") {
		bad("password", "an inline password is refused (not shown here), since requests are kept in histories; "+account.WantPassword)
	}
	switch given := t.Params.Has("passwordFrom"); {
	case p.reimage && !given:
		bad("passwordFrom", "is missing; "+account.WantPassword)
	case given && !p.reimage:
		bad("passwordFrom", "is only for route "+routeReimage+": the other leaves logons as they are")
	}
	return p, problems
}

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// Validate checks what is particular to the kind: ids of a cluster and of instances, and the parameters.
func (Kind) Validate(r membership.Request) []membership.Problem {
	problems := alibaba.CheckIDs(r, uuid, "want the id of a cluster of EDAS, a UUID such as b3e3f77b-462e-4f5a-9d0e-bec8727a4dc8",
		alibaba.InstanceID, alibaba.WantInstance)
	_, more := read(membership.Target{Params: r.Params})
	return append(problems, more...)
}
