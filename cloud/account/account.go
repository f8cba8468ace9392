// Package account reads the worker's accounts file: which clouds it may talk to, where they answer, and where their
// credentials come from. Runs carry only the name of an account; a secret is read at the moment it is used.
package account

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The providers that an account can belong to.
const (
	Huawei  = "huawei"
	Alibaba = "alibaba"
)

// services maps a provider to its services and their public endpoints; %s stands for the region.
func services(provider string) map[string]string {
	switch provider {
	case Huawei:
		return map[string]string{
			"ecs": "https://ecs.%s.myhuaweicloud.com",
			"cce": "https://cce.%s.myhuaweicloud.com",
			"vpc": "https://vpc.%s.myhuaweicloud.com",
		}
	case Alibaba:
		return map[string]string{
			"ecs":             "https://ecs.%s.aliyuncs.com",
			"edas":            "https://edas.%s.aliyuncs.com",
			"cs":              "https://cs.%s.aliyuncs.com",
			"resourcemanager": "https://resourcemanager.aliyuncs.com",
		}
	}
	return nil
}

// Account is one named way into a cloud. It holds no secret, only where to find it, and may be printed.
type Account struct {
	Name        string
	Provider    string            // Huawei or Alibaba
	Region      string            // the cloud's region id, such as "cn-north-4"
	ProjectID   string            // Huawei's project; "" for other providers
	Endpoints   map[string]string // service to base URL, for those that differ from the public one
	Credentials Sources
	Passwords   string // the folder of the passwords that requests may name; "" when there is none
}

// Sources says where the parts of a credential come from. SecurityToken is the zero Source for permanent keys. With a
// Chain the keys are not used as they are: they sign its first step, or there are none.
type Sources struct {
	AccessKey     Source
	SecretKey     Source
	SecurityToken Source
	Chain         Chain
}

// Source is the place of one secret: an environment variable or a file, one of both.
type Source struct {
	Env  string // the name of the variable
	File string // the path of the file, absolute or relative to the working directory
}

// Endpoint returns the base URL of a service, such as "ecs": the account's own, else the provider's public one for its
// region. It is "" for a service that the provider does not have.
func (a Account) Endpoint(service string) string {
	if url, ok := a.Endpoints[service]; ok {
		return url
	}
	return strings.ReplaceAll(services(a.Provider)[service], "%s", a.Region)
}

// Accounts are the accounts of one file. They do not change after Load and are safe for concurrent use.
type Accounts struct {
	file   string
	byName map[string]Account
}

// Load reads an accounts file. Paths of secrets in it are relative to its folder. The error names all problems at once.
func Load(path string) (*Accounts, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("accounts file: %w", err)
	}
	return Parse(data, path)
}

// Names returns the names of all accounts, sorted.
func (a *Accounts) Names() []string {
	return slices.Sorted(maps.Keys(a.byName))
}

// Get returns an account by name; the error for an unknown one lists those that exist.
func (a *Accounts) Get(name string) (Account, error) {
	account, ok := a.byName[name]
	if !ok {
		return Account{}, fmt.Errorf("%s: no account %q; it has %s", a.file, name, strings.Join(a.Names(), ", "))
	}
	return account, nil
}

// Warnings tells what works but should not stay so: files of secrets that every user of the machine can read. It looks
// at the files as they are now; one that is missing is not its business, since secrets may arrive later.
func (a *Accounts) Warnings() []string {
	var warnings []string
	look := func(name, field, path string) {
		info, err := os.Stat(path)
		at := fmt.Sprintf("%s: accounts.%s.%s: %q", a.file, name, field, path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			warnings = append(warnings, fmt.Sprintf("%s cannot be looked at: %v", at, err))
		case info.Mode().Perm()&0o004 != 0:
			warnings = append(warnings, fmt.Sprintf("%s can be read by every user (mode %04o); chmod 600 it",
				at, info.Mode().Perm()))
		}
	}
	for _, name := range a.Names() {
		account := a.byName[name]
		for _, part := range account.Credentials.parts() {
			if part.File != "" {
				look(name, "credentials."+part.name+".file", part.File)
			}
		}
		for _, path := range account.passwordFiles() {
			look(name, "passwords", path)
		}
	}
	return warnings
}

// inFolder resolves the path of a secret against the folder of the accounts file.
func inFolder(file, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(file), path)
}
