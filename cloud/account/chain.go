package account

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// The types of a Chain.
const (
	AssumeRole   = "ram_role_arn" // the account's own keys are exchanged for those of a role
	OIDC         = "oidc"         // a token of an identity provider is exchanged for the keys of a role
	MetadataRole = "ecs_ram_role" // the keys of the role that the machine itself has
	DefaultChain = "default"      // whatever the vendor's tools would find on this machine
)

// Chain says how short-lived keys are got. Only accounts of Alibaba have one; the zero Chain is none. It holds no secret.
type Chain struct {
	Type            string
	RoleARN         string // AssumeRole, OIDC
	SessionName     string // AssumeRole, OIDC: what the cloud's audit shows; "" leaves it to the client
	ExternalID      string // AssumeRole: what the role's owner may ask for
	OIDCProviderARN string // OIDC
	OIDCTokenFile   string // OIDC: read at every exchange, since whoever writes it renews it
	STSEndpoint     string // AssumeRole, OIDC: base URL; "" for the public one
}

// IDToken reads the token that OIDC exchanges for keys.
func (c Chain) IDToken() (string, error) {
	return Source{File: c.OIDCTokenFile}.read()
}

// signs tells whether the account's own keys are used at all.
func (c Chain) signs() bool { return c.Type == "" || c.Type == AssumeRole }

var (
	roleARN     = regexp.MustCompile(`^acs:ram::[0-9]{1,32}:role/[A-Za-z0-9._/-]{1,128}$`)
	providerARN = regexp.MustCompile(`^acs:ram::[0-9]{1,32}:oidc-provider/[A-Za-z0-9._-]{1,128}$`)
	sessionName = regexp.MustCompile(`^[A-Za-z0-9._@-]{2,64}$`)
	externalID  = regexp.MustCompile(`^[A-Za-z0-9=,.@:/_-]{2,}$`)
)

// chainField is one field of a chain: who needs it, who may have it, and what it must look like.
type chainField struct {
	required, optional []string // types of chains
	read               func(p *parser, at string, content any) string
	into               func(*Chain) *string
}

func matching(pattern *regexp.Regexp, want string) func(*parser, string, any) string {
	return func(p *parser, at string, content any) string { return p.matching(at, content, pattern, want) }
}

func chainFields() map[string]chainField {
	roles := []string{AssumeRole, OIDC}
	return map[string]chainField{
		"roleArn": {required: roles, into: func(c *Chain) *string { return &c.RoleARN },
			read: matching(roleARN, "the ARN of a role, such as acs:ram::1234567890123456:role/fleetjoin")},
		"sessionName": {optional: roles, into: func(c *Chain) *string { return &c.SessionName },
			read: matching(sessionName, "2 to 64 letters, digits, '.', '@', '-' and '_'")},
		"externalId": {optional: []string{AssumeRole}, into: func(c *Chain) *string { return &c.ExternalID },
			read: matching(externalID, "2 or more letters, digits and any of = , . @ : / _ -")},
		"oidcProviderArn": {required: []string{OIDC}, into: func(c *Chain) *string { return &c.OIDCProviderARN },
			read: matching(providerARN, "the ARN of an identity provider, such as acs:ram::1234567890123456:oidc-provider/k8s")},
		"oidcTokenFile": {required: []string{OIDC}, into: func(c *Chain) *string { return &c.OIDCTokenFile },
			read: func(p *parser, at string, content any) string {
				path := p.text(at, content, "the path of a file that holds the token alone")
				if path == "" {
					return ""
				}
				return inFolder(p.file, path)
			}},
		"stsEndpoint": {optional: roles, into: func(c *Chain) *string { return &c.STSEndpoint },
			read: (*parser).endpoint},
	}
}

func (p *parser) chain(at string, content any) Chain {
	fields := chainFields()
	names := slices.Sorted(maps.Keys(fields))
	given := p.object(at, content, append([]string{"type"}, names...)...)
	if given == nil {
		return Chain{}
	}
	types := []string{AssumeRole, OIDC, MetadataRole, DefaultChain}
	c := Chain{Type: p.text(at+".type", given["type"], strings.Join(types, ", "))}
	if !slices.Contains(types, c.Type) {
		if c.Type != "" {
			p.problem(at+".type", c.Type, "is unknown; use "+strings.Join(types, ", "))
		}
		return Chain{}
	}
	for _, name := range names {
		f, value := fields[name], given[name]
		_, has := given[name]
		switch {
		case slices.Contains(f.required, c.Type), has && slices.Contains(f.optional, c.Type):
			*f.into(&c) = f.read(p, at+"."+name, value)
		case has:
			p.problem(at+"."+name, value, fmt.Sprintf("is not for chains of type %s; remove it", c.Type))
		}
	}
	return c
}

// keyless refuses keys beside a chain that does not use them: whoever wrote them believes that they matter.
func (p *parser) keyless(at string, fields map[string]any, chain string) {
	for _, name := range []string{"accessKey", "secretKey", "securityToken"} {
		if _, ok := fields[name]; ok {
			p.problem(at+"."+name, nil, fmt.Sprintf("is not used by a chain of type %s; remove it", chain))
		}
	}
}
