package account_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/account"
)

// chained is an account of Alibaba with these credentials.
func chained(credentials string) []byte {
	return []byte("accounts: {a: {provider: alibaba, region: cn-hangzhou, credentials: " + credentials + "}}")
}

const (
	ownKeys = "accessKey: {env: AK}, secretKey: {env: SK}"
	arn     = "acs:ram::1234567890123456:role/fleetjoin"
	idp     = "acs:ram::1234567890123456:oidc-provider/k8s"
)

func TestParseChains(t *testing.T) {
	keys := account.Sources{AccessKey: account.Source{Env: "AK"}, SecretKey: account.Source{Env: "SK"}}
	assumed, plain := keys, keys
	assumed.Chain = account.Chain{Type: account.AssumeRole, RoleARN: arn, SessionName: "night-shift",
		ExternalID: "x:1", STSEndpoint: "http://127.0.0.1:1234"}
	plain.Chain = account.Chain{Type: account.AssumeRole, RoleARN: arn}
	for credentials, want := range map[string]account.Sources{
		"{" + ownKeys + "}": keys,
		"{" + ownKeys + ", chain: {type: ram_role_arn, roleArn: '" + arn + "'}}": plain,
		"{" + ownKeys + ", chain: {type: ram_role_arn, roleArn: '" + arn + "', sessionName: night-shift, " +
			"externalId: 'x:1', stsEndpoint: 'http://127.0.0.1:1234/'}}": assumed,
		"{chain: {type: oidc, roleArn: '" + arn + "', oidcProviderArn: '" + idp + "', oidcTokenFile: t/id}}": {
			Chain: account.Chain{Type: account.OIDC, RoleARN: arn, OIDCProviderARN: idp, OIDCTokenFile: "/etc/f/t/id"}},
		"{chain: {type: ecs_ram_role}}": {Chain: account.Chain{Type: account.MetadataRole}},
		"{chain: {type: default}}":      {Chain: account.Chain{Type: account.DefaultChain}},
	} {
		accounts, err := account.Parse(chained(credentials), "/etc/f/accounts.yaml")
		if !assert.NoError(t, err, credentials) {
			continue
		}
		got, err := accounts.Get("a")
		require.NoError(t, err)
		assert.Equal(t, want, got.Credentials, credentials)
	}
}

func TestParseChainsNamesFieldAndValue(t *testing.T) {
	const role = "{" + ownKeys + ", chain: {type: ram_role_arn, roleArn: '" + arn + "', "
	for credentials, want := range map[string][]string{
		"{" + ownKeys + ", chain: x}": {`chain: is not an object; it needs type, externalId, oidcProviderArn, ` +
			`oidcTokenFile, roleArn, sessionName, stsEndpoint`},
		"{" + ownKeys + ", chain: {}}": {`chain.type: is missing; give ram_role_arn, oidc, ecs_ram_role, default`},
		"{" + ownKeys + ", chain: {type: sts}}": {
			`chain.type: "sts" is unknown; use ram_role_arn, oidc, ecs_ram_role, default`},
		"{chain: {type: ram_role_arn}}": {
			`chain.roleArn: is missing; give the ARN of a role, such as acs:ram::1234567890123456:role/fleetjoin`,
			`accessKey: is missing; write {env: NAME_OF_VARIABLE} or {file: PATH}`,
			`secretKey: is missing; write {env: NAME_OF_VARIABLE} or {file: PATH}`},
		"{chain: {type: oidc, roleArn: admin, sessionName: a b, externalId: xx, roleArm: x}}": {
			`chain.roleArm: is an unknown field; known are type, externalId, oidcProviderArn, oidcTokenFile, roleArn, ` +
				`sessionName, stsEndpoint`,
			`chain.externalId: "xx" is not for chains of type oidc; remove it`,
			`chain.oidcProviderArn: is missing; give the ARN of an identity provider, such as ` +
				`acs:ram::1234567890123456:oidc-provider/k8s`,
			`chain.oidcTokenFile: is missing; give the path of a file that holds the token alone`,
			`chain.roleArn: "admin" is not possible here; give the ARN of a role, such as ` +
				`acs:ram::1234567890123456:role/fleetjoin`,
			`chain.sessionName: "a b" is not possible here; give 2 to 64 letters, digits, '.', '@', '-' and '_'`},
		"{" + ownKeys + ", securityToken: {env: T}, chain: {type: ecs_ram_role, roleArn: '" + arn + "'}}": {
			`chain.roleArn: "` + arn + `" is not for chains of type ecs_ram_role; remove it`,
			`accessKey: is not used by a chain of type ecs_ram_role; remove it`,
			`secretKey: is not used by a chain of type ecs_ram_role; remove it`,
			`securityToken: is not used by a chain of type ecs_ram_role; remove it`},
		role + "stsEndpoint: 'http://sts.example.com'}}": {`chain.stsEndpoint: "http://sts.example.com" would send ` +
			`signed requests in the clear; use https, http is for 127.0.0.1, ::1 and localhost`},
		role + "externalId: 'x y'}}": {`chain.externalId: "x y" is not possible here; give 2 or more letters, digits ` +
			`and any of = , . @ : / _ -`},
	} {
		_, err := account.Parse(chained(credentials), "a.yaml")
		if !assert.Error(t, err, credentials) {
			continue
		}
		for i := range want {
			want[i] = "a.yaml: accounts.a.credentials." + want[i]
		}
		assert.Equal(t, want, strings.Split(err.Error(), "\n"), credentials)
	}
}

func TestChainsAreForAlibabaAlone(t *testing.T) {
	_, err := account.Parse([]byte(demoWith("credentials", "{"+ownKeys+", chain: {type: default}}")), "a.yaml")
	assert.EqualError(t, err, "a.yaml: accounts.demo.credentials.chain: is an unknown field; "+
		"known are accessKey, secretKey, securityToken")
}

func TestIDToken(t *testing.T) {
	chain := account.Chain{OIDCTokenFile: filepath.Join(t.TempDir(), "token")}
	_, err := chain.IDToken()
	assert.ErrorIs(t, err, os.ErrNotExist)
	write(t, chain.OIDCTokenFile, "ey.first\n")
	token, err := chain.IDToken()
	require.NoError(t, err)
	assert.Equal(t, "ey.first", token)
}
