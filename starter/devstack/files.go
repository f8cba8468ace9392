package devstack

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

const (
	accountsFile = "accounts.yaml"
	requestFile  = "join.yaml"
	secretsDir   = "secrets"
	// The passwords of systems to install, which requests refer to by the names of files: there is one to try.
	passwordsDir    = "passwords"
	examplePassword = "example"
)

// writeFiles gives the worker an accounts file for the world's accounts, its secrets in files beside it and a password
// that requests may refer to, and the operator a request to try.
func (s *stack) writeFiles() error {
	dir := filepath.Dir(s.where.Accounts)
	for _, folder := range []string{secretsDir, passwordsDir} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, passwordsDir, examplePassword), []byte("Example-Passw0rd\n"), 0o600); err != nil {
		return err
	}
	accounts := map[string]any{}
	for _, a := range s.World.Accounts {
		credentials := map[string]any{}
		for part, secret := range map[string]string{"accessKey": a.AccessKey, "secretKey": a.SecretKey,
			"securityToken": a.SecurityToken} {
			if secret == "" {
				continue
			}
			file := filepath.Join(secretsDir, a.Name+"."+part)
			if err := os.WriteFile(filepath.Join(dir, file), []byte(secret+"\n"), 0o600); err != nil {
				return err
			}
			credentials[part] = map[string]any{"file": file}
		}
		accounts[a.Name] = s.entry(a, credentials)
	}
	if err := writeYAML(s.where.Accounts, map[string]any{"accounts": accounts}); err != nil {
		return err
	}
	request := requestFor(s.World)
	if request == "" {
		return nil
	}
	s.where.Request = filepath.Join(dir, requestFile)
	return os.WriteFile(s.where.Request, []byte(request), 0o600)
}

// entry is one account of the accounts file. An account of a world has a project at Huawei Cloud, or else an account id at
// Alibaba Cloud.
func (s *stack) entry(a world.Account, credentials map[string]any) map[string]any {
	if a.ProjectID == "" {
		return map[string]any{"provider": account.Alibaba, "region": cmp.Or(a.Region, "cn-hangzhou"),
			"endpoints":   map[string]any{"ecs": s.where.Sim, "resourcemanager": s.where.Sim, "edas": s.where.Sim, "cs": s.where.Sim},
			"credentials": credentials, "passwords": passwordsDir}
	}
	return map[string]any{"provider": account.Huawei, "region": cmp.Or(a.Region, "sim-1"), "projectId": a.ProjectID,
		"endpoints": map[string]any{"ecs": s.where.Sim, "cce": s.where.Sim, "vpc": s.where.Sim}, "credentials": credentials}
}

func writeYAML(path string, v any) error {
	data, err := yaml.Marshal(v)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, data, 0o600)
}

// requestFor writes something to try in a world, with names beside the ids: the first group of its first account and
// the servers that are in no group. It is "" when the world has no such group or server.
func requestFor(w world.World) string {
	w = w.Complete()
	var group world.Group
	for _, g := range slices.Backward(w.Huawei.Groups) {
		if g.Project == w.DefaultProject() {
			group = g
		}
	}
	var members strings.Builder
	n := 0
	for _, s := range w.Huawei.Servers {
		if s.Project == w.DefaultProject() && s.Group == "" && n < membership.MaxMembers {
			n++
			fmt.Fprintf(&members, "  - %s # %s\n", s.ID, s.Name)
		}
	}
	if len(w.Accounts) == 0 || group.ID == "" || n == 0 {
		return ""
	}
	return fmt.Sprintf("kind: huawei.servergroup\naccount: %s\ngroup: %s # %s\nmembers:\n%s",
		w.Accounts[0].Name, group.ID, group.Name, members.String())
}
