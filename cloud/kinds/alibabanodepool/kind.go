// Package alibabanodepool is the kind alibaba.nodepool: ECS instances that run become nodes of a node pool of a container
// cluster (ACK). The cluster replaces their system disks; when they leave, they keep the system that they had as nodes,
// unless a backup gives the former one back.
package alibabanodepool

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
const ID = "alibaba.nodepool"

// Stages.
const (
	stageCheck    = "check"
	stageSnapshot = backup.StageName // only with backup: true
	stageAttach   = "attach"
	stageVerify   = "verify"
	stageRemove   = "remove"
)

// Actions.
const (
	actAttach = "attach"
	actRemove = "remove"
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
	return &session{client: client, target: t, params: p, disks: backup.Open(client, t.Program, p.backup),
		tasks: make(map[string]alibaba.Task)}, nil
}

// params are the request's parameters, read.
type params struct {
	cluster    string          // id of the cluster that the pool is in
	password   *account.Source // of the new system; nil leaves the logon to the pool
	formatDisk bool
	drain      bool
	backup     bool
}

func parseParams(given membership.Params) (params, []membership.Problem) {
	p := params{drain: true}
	var problems []membership.Problem
	// A value is only repeated where no password can stand.
	bad := func(name, value, want string) {
		problems = append(problems, membership.Problem{Field: "params." + name, Value: value, Want: want})
	}
	switch v, isText := given["cluster"].(string); {
	case given["cluster"] == nil:
		bad("cluster", "", "is missing; "+wantCluster)
	case !isText || !clusterID.MatchString(v) || otherCloud.MatchString(v):
		bad("cluster", membership.Quote(fmt.Sprint(given["cluster"])), wantCluster)
	default:
		p.cluster = v
	}
	yesOrNo := func(name string, into *bool) {
		if v, ok := given[name]; ok {
			if *into, ok = v.(bool); !ok {
				bad(name, membership.Quote(fmt.Sprint(v)), "want true or false")
			}
		}
	}
	yesOrNo("formatDisk", &p.formatDisk)
	yesOrNo("drain", &p.drain)
	yesOrNo("backup", &p.backup)
	if v, ok := given["passwordFrom"]; ok {
		from, ok := passwordSource(v)
		if p.password = &from; !ok {
			bad("passwordFrom", "", wantPassword)
		}
	}
	return p, problems
}

// passwordSource reads where a password is: {env: NAME} or {file: NAME}, where the worker lends no other secret.
func passwordSource(given any) (account.Source, bool) {
	fields, _ := given.(map[string]any)
	env, isEnv := fields["env"].(string)
	file, isFile := fields["file"].(string)
	ok := len(fields) == 1 && (isEnv && passwordEnv.MatchString(env) || isFile && passwordFile.MatchString(file))
	return account.Source{Env: env, File: file}, ok
}

var (
	clusterID    = regexp.MustCompile(`^c[A-Za-z0-9-]{0,63}$`)
	poolID       = regexp.MustCompile(`^np[A-Za-z0-9-]{0,63}$`)
	instanceID   = regexp.MustCompile(`^i-[A-Za-z0-9-]+$`)
	otherCloud   = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	passwordEnv  = regexp.MustCompile(`^FLEETJOIN_PASSWORD_[A-Za-z0-9_]+$`)
	passwordFile = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
)

const (
	wantCluster  = "want the id of the cluster that the pool is in, such as c82e6987e2961451182edacd74faf7c6"
	wantPool     = "want the id of a node pool, such as np737c3ac1ac684703b9e10673aa2c2ec1"
	wantInstance = "want the id of an instance, such as i-bp67acfmxazb4p"
	wantPassword = "want {env: NAME}, with a NAME that begins with FLEETJOIN_PASSWORD_, or {file: NAME}, " +
		"a file in the account's folder of passwords; never the password itself"
)

// Validate checks what is particular to the kind: ids, and the parameters.
func (Kind) Validate(r membership.Request) []membership.Problem {
	var problems []membership.Problem
	check := func(field, id, want string, pattern *regexp.Regexp) {
		switch {
		case id == "" || pattern.MatchString(id):
			return
		case otherCloud.MatchString(id):
			want = "is an id of Huawei Cloud; " + want
		}
		problems = append(problems, membership.Problem{Field: field, Value: membership.Quote(id), Want: want})
	}
	check("group", r.Group, wantPool, poolID)
	for i, id := range r.Members {
		check(fmt.Sprintf("members[%d]", i), id, wantInstance, instanceID)
	}
	_, more := parseParams(r.Params)
	return append(problems, more...)
}
