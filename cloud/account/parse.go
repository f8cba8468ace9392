package account

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

var (
	// A name stands in plans, metrics and workflow ids; a region becomes part of a host, a project part of a path.
	accountName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
	regionID    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	projectID   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)
	variable    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// Parse reads the content of an accounts file; name is its path, for messages and for relative paths of secrets.
// The error lists every problem, each with file, field, value and what would work; values of secrets are left out.
func Parse(data []byte, name string) (*Accounts, error) {
	p := &parser{file: name}
	asJSON, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return nil, fmt.Errorf("%s: not readable as YAML: %w", name, err)
	}
	var content any
	if err := json.Unmarshal(asJSON, &content); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	accounts := &Accounts{file: name, byName: map[string]Account{}}
	root := p.object("", content, "accounts")
	listed := p.object("accounts", root["accounts"])
	if listed != nil && len(listed) == 0 {
		p.problem("accounts", listed, "is empty; give at least one account, such as `demo: {provider: huawei, …}`")
	}
	for _, key := range slices.Sorted(maps.Keys(listed)) {
		accounts.byName[key] = p.account(key, listed[key])
	}
	if len(p.problems) > 0 {
		return nil, errors.Join(p.problems...)
	}
	return accounts, nil
}

// parser walks the content and collects problems; a value with a problem comes back as its zero value.
type parser struct {
	file     string
	problems []error
}

func (p *parser) account(name string, content any) Account {
	at := "accounts." + name
	if !accountName.MatchString(name) {
		p.problem(at, name, "is no account name; use lower-case letters, digits, '.', '_' and '-', at most 63")
	}
	fields := p.object(at, content, "provider", "region", "projectId", "endpoints", "credentials", "passwords")
	if fields == nil {
		return Account{}
	}
	a := Account{Name: name}
	a.Provider = p.text(at+".provider", fields["provider"], "huawei or alibaba")
	if a.Provider != "" && services(a.Provider) == nil {
		p.problem(at+".provider", a.Provider, "is unknown; use huawei or alibaba")
		a.Provider = ""
	}
	a.Region = p.matching(at+".region", fields["region"], regionID, "a region id, such as cn-north-4")
	switch project, given := fields["projectId"]; {
	case a.Provider == Huawei:
		a.ProjectID = p.matching(at+".projectId", project, projectID, "the id of the project in that region")
	case given && a.Provider != "":
		p.problem(at+".projectId", project, "is only for provider huawei; remove it")
	}
	if given, ok := fields["endpoints"]; ok {
		a.Endpoints = p.endpoints(at+".endpoints", given, a.Provider)
	}
	a.Credentials = p.sources(at+".credentials", fields["credentials"], a.Provider)
	if given, ok := fields["passwords"]; ok {
		a.Passwords = p.passwords(at+".passwords", given, a.Provider)
	}
	return a
}

func (p *parser) passwords(at string, content any, provider string) string {
	folder, ok := content.(string)
	switch {
	case provider == Huawei:
		p.problem(at, nil, "is only for provider alibaba; remove it")
	case !ok || folder == "":
		// Not shown: whoever takes this field for the place of the passwords themselves has written them here.
		p.problem(at, nil, "must be the path of a folder (not shown here); each password is a file in it")
	default:
		return inFolder(p.file, folder)
	}
	return ""
}

func (p *parser) endpoints(at string, content any, provider string) map[string]string {
	known := slices.Sorted(maps.Keys(services(provider)))
	if provider == "" { // already a problem: which services it has cannot be told
		return nil
	}
	endpoints := map[string]string{}
	fields := p.object(at, content, known...)
	for _, service := range known {
		if given, ok := fields[service]; ok {
			endpoints[service] = p.endpoint(at+"."+service, given)
		}
	}
	return endpoints
}

func (p *parser) endpoint(at string, content any) string {
	text := p.text(at, content, "a URL such as https://host")
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		p.problem(at, "", "is no URL; use one such as https://host") // the value may hold a password
	case u.User != nil:
		p.problem(at, u.Redacted(), "must not carry a user or password; secrets belong under credentials")
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		p.problem(at, text, "needs a scheme; use https://host")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		p.problem(at, text, "must be scheme and host alone; the paths belong to the API")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		p.problem(at, text, "would send signed requests in the clear; use https, http is for 127.0.0.1, ::1 and localhost")
	default:
		return strings.TrimRight(text, "/")
	}
	return ""
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func (p *parser) sources(at string, content any, provider string) Sources {
	known := []string{"accessKey", "secretKey", "securityToken"}
	if provider == Alibaba {
		known = append(known, "chain")
	}
	fields := p.object(at, content, known...)
	if fields == nil {
		return Sources{}
	}
	var s Sources
	if given, ok := fields["chain"]; ok && provider == Alibaba {
		s.Chain = p.chain(at+".chain", given)
		if !s.Chain.signs() {
			p.keyless(at, fields, s.Chain.Type)
			return s
		}
	}
	s.AccessKey = p.source(at+".accessKey", fields["accessKey"])
	s.SecretKey = p.source(at+".secretKey", fields["secretKey"])
	if given, ok := fields["securityToken"]; ok {
		s.SecurityToken = p.source(at+".securityToken", given)
	}
	return s
}

func (p *parser) source(at string, content any) Source {
	const how = "write {env: NAME_OF_VARIABLE} or {file: PATH}"
	if content == nil {
		p.problem(at, nil, "is missing; "+how)
		return Source{}
	}
	if _, ok := content.(map[string]any); !ok {
		p.problem(at, nil, "an inline secret is refused (not shown here): put it into a variable or a file and "+how)
		return Source{}
	}
	fields := p.object(at, content, "env", "file")
	env, byEnv := fields["env"]
	file, byFile := fields["file"]
	switch {
	case byEnv && byFile:
		p.problem(at, nil, "has both env and file; keep one")
	case byEnv:
		name, ok := env.(string)
		if ok && variable.MatchString(name) {
			return Source{Env: name}
		}
		// Not shown: whoever takes this field for the secret's own place has written the secret here.
		p.problem(at+".env", nil, "is no name of an environment variable (not shown here); write {env: NAME_OF_VARIABLE}")
	case byFile:
		if path := p.text(at+".file", file, "the path of a file that holds the secret alone"); path != "" {
			return Source{File: inFolder(p.file, path)}
		}
	case len(fields) == 0:
		p.problem(at, nil, "is empty; "+how)
	}
	return Source{}
}

// object returns content's fields when it is one, and tells of those that are not known; no known ones means any.
// What stands in the wrong place is not shown: it may well be a secret.
func (p *parser) object(at string, content any, known ...string) map[string]any {
	want := "names of your choice"
	if len(known) > 0 {
		want = strings.Join(known, ", ")
	}
	fields, ok := content.(map[string]any)
	switch {
	case content == nil:
		p.problem(at, nil, "is missing; it is an object with "+want)
	case !ok:
		p.problem(at, nil, "is not an object; it needs "+want)
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if len(known) > 0 && !slices.Contains(known, name) {
			p.problem(strings.TrimPrefix(at+"."+name, "."), nil, "is an unknown field; known are "+want)
		}
	}
	return fields
}

func (p *parser) text(at string, content any, want string) string {
	text, ok := content.(string)
	switch {
	case content == nil:
		p.problem(at, nil, "is missing; give "+want)
	case !ok:
		p.problem(at, content, "is no text; give "+want+", in quotes if it looks like a number")
	case text == "":
		p.problem(at, text, "is empty; give "+want)
	}
	return text
}

func (p *parser) matching(at string, content any, pattern *regexp.Regexp, want string) string {
	text := p.text(at, content, want)
	if text != "" && !pattern.MatchString(text) {
		p.problem(at, text, "is not possible here; give "+want)
		return ""
	}
	return text
}

// problem records what is wrong with a field. A nil value is not shown: there is none, or it could be a secret.
func (p *parser) problem(at string, value any, what string) {
	where := p.file
	if at != "" {
		where += ": " + at
	}
	if value == nil {
		p.problems = append(p.problems, fmt.Errorf("%s: %s", where, what))
		return
	}
	shown, err := json.Marshal(value)
	if err != nil {
		shown = []byte(fmt.Sprintf("%q", value))
	}
	p.problems = append(p.problems, fmt.Errorf("%s: %s %s", where, shown, what))
}
