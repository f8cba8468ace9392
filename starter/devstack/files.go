package devstack

import (
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

const (
	accountsFile = "accounts.yaml"
	requestFile  = "join.yaml"
	secretsDir   = "secrets"
)

// writeFiles gives the worker an accounts file for the world's accounts, its secrets in files beside it, and the
// operator a request to try.
func (s *stack) writeFiles() error {
	dir := filepath.Dir(s.where.Accounts)
	if err := os.MkdirAll(filepath.Join(dir, secretsDir), 0o700); err != nil {
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
		region := a.Region
		if region == "" {
			region = "sim-1"
		}
		accounts[a.Name] = map[string]any{"provider": "huawei", "region": region, "projectId": a.ProjectID,
			"endpoints": map[string]any{"ecs": s.where.Sim}, "credentials": credentials}
	}
	if err := writeYAML(s.where.Accounts, map[string]any{"accounts": accounts}); err != nil {
		return err
	}
	request, ok := requestFor(s.World)
	if !ok {
		return nil
	}
	s.where.Request = filepath.Join(dir, requestFile)
	return writeYAML(s.where.Request, request)
}

func writeYAML(path string, v any) error {
	data, err := yaml.Marshal(v)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, data, 0o600)
}

// requestFor finds something to try in a world: the first group of its first account and the servers in no group.
func requestFor(w world.World) (membership.Request, bool) {
	if len(w.Accounts) == 0 {
		return membership.Request{}, false
	}
	w = w.Complete()
	r := membership.Request{Kind: "huawei.servergroup", Account: w.Accounts[0].Name}
	for _, g := range w.Huawei.Groups {
		if g.Project == w.DefaultProject() {
			r.Group = g.ID
			break
		}
	}
	for _, s := range w.Huawei.Servers {
		if s.Project == w.DefaultProject() && s.Group == "" && len(r.Members) < membership.MaxMembers {
			r.Members = append(r.Members, s.ID)
		}
	}
	return r, r.Group != "" && len(r.Members) > 0
}
