package account_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/account"
)

const valid = `
accounts:
  demo:
    provider: huawei
    region: sim-1
    projectId: "0123456789abcdef"
    endpoints: {ecs: http://127.0.0.1:1234/}
    credentials:
      accessKey: {env: DEMO_AK}
      secretKey: {file: secrets/sk}
      securityToken: {file: /run/token}
  prod:
    provider: alibaba
    region: cn-hangzhou
    credentials: {accessKey: {env: AK}, secretKey: {env: SK}}
`

func TestParse(t *testing.T) {
	accounts, err := account.Parse([]byte(valid), "/etc/fleetjoin/accounts.yaml")
	require.NoError(t, err)
	assert.Equal(t, []string{"demo", "prod"}, accounts.Names())

	demo, err := accounts.Get("demo")
	require.NoError(t, err)
	assert.Equal(t, account.Account{
		Name:      "demo",
		Provider:  account.Huawei,
		Region:    "sim-1",
		ProjectID: "0123456789abcdef",
		Endpoints: map[string]string{"ecs": "http://127.0.0.1:1234"},
		Credentials: account.Sources{
			AccessKey:     account.Source{Env: "DEMO_AK"},
			SecretKey:     account.Source{File: "/etc/fleetjoin/secrets/sk"},
			SecurityToken: account.Source{File: "/run/token"},
		},
	}, demo)
}

func TestEndpoint(t *testing.T) {
	accounts, err := account.Parse([]byte(valid), "a.yaml")
	require.NoError(t, err)
	for _, c := range []struct{ account, service, want string }{
		{"demo", "ecs", "http://127.0.0.1:1234"},
		{"demo", "cce", "https://cce.sim-1.myhuaweicloud.com"},
		{"demo", "edas", ""},
		{"prod", "ecs", "https://ecs.cn-hangzhou.aliyuncs.com"},
		{"prod", "resourcemanager", "https://resourcemanager.aliyuncs.com"},
	} {
		a, err := accounts.Get(c.account)
		require.NoError(t, err)
		assert.Equal(t, c.want, a.Endpoint(c.service), "%s %s", c.account, c.service)
	}
	ecs := account.Account{Provider: account.Huawei, Region: "cn-north-4"}.Endpoint("ecs")
	assert.Equal(t, "https://ecs.cn-north-4.myhuaweicloud.com", ecs)
}

func TestGetOfAnUnknownAccountListsTheKnownOnes(t *testing.T) {
	accounts, err := account.Parse([]byte(valid), "a.yaml")
	require.NoError(t, err)
	_, err = accounts.Get("dmeo")
	assert.EqualError(t, err, `a.yaml: no account "dmeo"; it has demo, prod`)
}

// demoWith is a valid account with one field replaced or added.
func demoWith(field, value string) string {
	fields := map[string]string{
		"provider": "huawei", "region": "sim-1", "projectId": "p1",
		"credentials": "{accessKey: {env: AK}, secretKey: {env: SK}}",
	}
	fields[field] = value
	if value == "" {
		delete(fields, field)
	}
	var b strings.Builder
	b.WriteString("accounts:\n  demo:\n")
	for k, v := range fields {
		fmt.Fprintf(&b, "    %s: %s\n", k, v)
	}
	return b.String()
}

func TestParseNamesFieldValueAndRemedy(t *testing.T) {
	_, err := account.Parse([]byte(demoWith("region", "sim-1")), "a.yaml")
	require.NoError(t, err, "the base of this test must be valid")
	const (
		how   = "write {env: NAME_OF_VARIABLE} or {file: PATH}"
		plain = "would send signed requests in the clear; use https, http is for 127.0.0.1, ::1 and localhost"
	)
	for _, c := range []struct{ field, value, want string }{
		{"provider", "", `provider: is missing; give huawei or alibaba`},
		{"provider", "aws", `provider: "aws" is unknown; use huawei or alibaba`},
		{"region", "../x", `region: "../x" is not possible here; give a region id, such as cn-north-4`},
		{"region", "7",
			`region: 7 is no text; give a region id, such as cn-north-4, in quotes if it looks like a number`},
		{"projectId", "", `projectId: is missing; give the id of the project in that region`},
		{"projectId", "a/b", `projectId: "a/b" is not possible here; give the id of the project in that region`},
		{"projectId", `""`, `projectId: "" is empty; give the id of the project in that region`},
		{"regoin", "x", `regoin: is an unknown field; known are provider, region, projectId, endpoints, credentials`},
		{"endpoints", "{edas: https://x}", `endpoints.edas: is an unknown field; known are cce, ecs, vpc`},
		{"endpoints", "{ecs: 'ecs.example.com'}",
			`endpoints.ecs: "ecs.example.com" needs a scheme; use https://host`},
		{"endpoints", "{ecs: 'ftp://h'}", `endpoints.ecs: "ftp://h" needs a scheme; use https://host`},
		{"endpoints", "{ecs: 'http://10.0.0.1'}", `endpoints.ecs: "http://10.0.0.1" ` + plain},
		{"endpoints", "{ecs: 'http://localhost.evil.com'}", `endpoints.ecs: "http://localhost.evil.com" ` + plain},
		{"endpoints", "{ecs: 'https://h/v1'}",
			`endpoints.ecs: "https://h/v1" must be scheme and host alone; the paths belong to the API`},
		{"endpoints", "{ecs: 'https://u:hunter2@h'}",
			`endpoints.ecs: "https://u:xxxxx@h" must not carry a user or password; secrets belong under credentials`},
		{"credentials", "", `credentials: is missing; it is an object with accessKey, secretKey, securityToken`},
		{"credentials", "hunter2", `credentials: is not an object; it needs accessKey, secretKey, securityToken`},
		{"credentials", "{secretKey: {env: SK}}", `credentials.accessKey: is missing; ` + how},
		{"credentials", "{accessKey: {env: AK}, secretKey: hunter2}",
			`credentials.secretKey: an inline secret is refused (not shown here): put it into a variable or a file ` +
				`and ` + how},
		{"credentials", "{accessKey: {env: AK}, secretKey: {env: hunter2+/=}}",
			`credentials.secretKey.env: is no name of an environment variable (not shown here); write {env: ` +
				`NAME_OF_VARIABLE}`},
		{"credentials", "{accessKey: {env: AK}, secretKey: {value: hunter2}}",
			`credentials.secretKey.value: is an unknown field; known are env, file`},
		{"credentials", "{accessKey: {env: AK}, secretKey: {}}", `credentials.secretKey: is empty; ` + how},
		{"credentials", "{accessKey: {env: AK, file: x}, secretKey: {env: SK}}",
			`credentials.accessKey: has both env and file; keep one`},
		{"credentials", "{accessKey: {file: ''}, secretKey: {env: SK}}",
			`credentials.accessKey.file: "" is empty; give the path of a file that holds the secret alone`},
		{"secretKey", "hunter2", `secretKey: is an unknown field`},
	} {
		t.Run(c.field+" "+c.value, func(t *testing.T) {
			_, err := account.Parse([]byte(demoWith(c.field, c.value)), "a.yaml")
			require.Error(t, err)
			assert.Contains(t, err.Error(), "a.yaml: accounts.demo."+c.want)
			assert.NotContains(t, err.Error(), "\n", "one problem, one line")
			assert.NotContains(t, err.Error(), "hunter2", "a secret in the message")
		})
	}
}

func TestParseTakesLoopbackOverHTTP(t *testing.T) {
	for _, host := range []string{"127.0.0.1:1", "127.8.8.8", "[::1]:80", "localhost:8080", "LOCALHOST"} {
		_, err := account.Parse([]byte(demoWith("endpoints", "{ecs: 'http://"+host+"'}")), "a.yaml")
		assert.NoError(t, err, host)
	}
}

func TestParseReportsAllProblemsAtOnce(t *testing.T) {
	_, err := account.Parse([]byte(`
accounts:
  Bad Name:
    provider: aws
  one:
    provider: alibaba
    projectId: p
    region: 5
    credentials: {accessKey: inline, secretKey: {env: SK}}
version: 1
`), "a.yaml")
	require.Error(t, err)
	assert.Equal(t, []string{
		`a.yaml: version: is an unknown field; known are accounts`,
		`a.yaml: accounts.Bad Name: "Bad Name" is no account name; ` +
			`use lower-case letters, digits, '.', '_' and '-', at most 63`,
		`a.yaml: accounts.Bad Name.provider: "aws" is unknown; use huawei or alibaba`,
		`a.yaml: accounts.Bad Name.region: is missing; give a region id, such as cn-north-4`,
		`a.yaml: accounts.Bad Name.credentials: is missing; it is an object with accessKey, secretKey, securityToken`,
		`a.yaml: accounts.one.region: 5 is no text; give a region id, such as cn-north-4, in quotes if it looks like a number`,
		`a.yaml: accounts.one.projectId: "p" is only for provider huawei; remove it`,
		`a.yaml: accounts.one.credentials.accessKey: an inline secret is refused (not shown here): ` +
			`put it into a variable or a file and write {env: NAME_OF_VARIABLE} or {file: PATH}`,
	}, strings.Split(err.Error(), "\n"))
}

func TestParseRefusesFilesThatAreNone(t *testing.T) {
	for name, text := range map[string]string{
		"empty":          "",
		"no accounts":    "accounts: {}",
		"a list":         "- accounts",
		"broken":         "accounts: {",
		"the same twice": "accounts: {a: {}, a: {}}",
		"not an object":  "accounts: 5",
		"empty account":  "accounts: {a: }",
	} {
		_, err := account.Parse([]byte(text), "a.yaml")
		if assert.Error(t, err, name) {
			assert.Contains(t, err.Error(), "a.yaml: ", name)
		}
	}
}

func TestLoad(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "accounts.yaml")
	_, err := account.Load(path)
	assert.ErrorIs(t, err, os.ErrNotExist)

	write(t, path, valid)
	accounts, err := account.Load(path)
	require.NoError(t, err)
	demo, err := accounts.Get("demo")
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(folder, "secrets/sk"), demo.Credentials.SecretKey.File)
}

func TestSecretsAreReadAtEveryCall(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sk")
	a := account.Account{Name: "demo", Credentials: account.Sources{
		AccessKey: account.Source{Env: "FLEETJOIN_TEST_AK"},
		SecretKey: account.Source{File: file},
	}}
	for _, n := range []string{"1", "2"} {
		t.Setenv("FLEETJOIN_TEST_AK", "ak"+n)
		write(t, file, "sk"+n+"\r\n\n")
		got, err := a.Secrets(t.Context())
		require.NoError(t, err)
		assert.True(t, got == account.Credentials{AccessKey: "ak" + n, SecretKey: "sk" + n})
	}
}

func TestSecretsTellEveryPartThatCannotBeRead(t *testing.T) {
	folder := t.TempDir()
	missing, empty := filepath.Join(folder, "missing"), filepath.Join(folder, "empty")
	write(t, empty, "\n")
	_, err := account.Account{Name: "demo", Credentials: account.Sources{
		AccessKey:     account.Source{Env: "FLEETJOIN_TEST_UNSET"},
		SecretKey:     account.Source{File: missing},
		SecurityToken: account.Source{File: empty},
	}}.Secrets(t.Context())
	require.Error(t, err)
	assert.ErrorIs(t, err, os.ErrNotExist)
	for _, want := range []string{
		`account "demo": the accessKey cannot be read: environment variable "FLEETJOIN_TEST_UNSET" is not set or empty`,
		`account "demo": the secretKey cannot be read: open ` + missing,
		`account "demo": the securityToken cannot be read: file "` + empty + `" is empty`,
	} {
		assert.Contains(t, err.Error(), want)
	}

	_, err = account.Account{Name: "demo"}.Secrets(t.Context())
	assert.ErrorContains(t, err, "the accessKey cannot be read: no source")
}

func TestSecretsRefusesWhatWouldBreakAHeader(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sk")
	for name, content := range map[string]string{
		"two lines": "hunter2\nhunter2", "a space": "hunter2 ", "a tab": "\thunter2", "a NUL": "hunter2\x00",
		"a disk image": strings.Repeat("hunter2", 20_000),
	} {
		write(t, file, content)
		_, err := account.Account{Credentials: account.Sources{
			AccessKey: account.Source{File: file}, SecretKey: account.Source{File: file},
		}}.Secrets(t.Context())
		if assert.Error(t, err, name) {
			assert.NotContains(t, err.Error(), "hunter2", name)
		}
	}
}

func TestCredentialsNeverShow(t *testing.T) {
	c := account.Credentials{AccessKey: "hunter2", SecretKey: "hunter2", SecurityToken: "hunter2"}
	type holder struct {
		Name  string
		Keys  account.Credentials
		Point *account.Credentials
	}
	h := holder{Name: "demo", Keys: c, Point: &c}
	var shown strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
		fmt.Fprintf(&shown, verb+verb+verb+verb, c, &c, h, []any{c, &c})
	}
	fmt.Fprint(&shown, c.String(), c.GoString())
	for _, v := range []any{c, &c, h, map[string]any{"keys": c}} {
		data, err := json.Marshal(v)
		require.NoError(t, err)
		shown.Write(data)
	}
	slog.New(slog.NewTextHandler(&shown, nil)).Info("keys", "c", c, "p", &c, "h", h)
	slog.New(slog.NewJSONHandler(&shown, nil)).Info("keys", "c", c, "p", &c, "h", h)
	assert.Contains(t, shown.String(), "account.Credentials{…}")
	assert.NotContains(t, shown.String(), "hunter2")
	assert.NotContains(t, shown.String(), fmt.Sprintf("%x", "hunter2"))
}

func TestCredentialsHide(t *testing.T) {
	c := account.Credentials{AccessKey: "AKIA", SecretKey: "shh"}
	assert.Equal(t, "key … with … is not known", c.Hide("key AKIA with shh is not known"))
}

func TestWarningsTellOfReadableSecrets(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "accounts.yaml")
	write(t, path, `
accounts:
  demo:
    provider: alibaba
    region: r
    credentials: {accessKey: {file: open}, secretKey: {file: closed}, securityToken: {file: missing}}
`)
	write(t, filepath.Join(folder, "closed"), "x")
	write(t, filepath.Join(folder, "open"), "x")
	require.NoError(t, os.Chmod(filepath.Join(folder, "open"), 0o644))
	accounts, err := account.Load(path)
	require.NoError(t, err)
	assert.Equal(t, []string{fmt.Sprintf(
		"%s: accounts.demo.credentials.accessKey.file: %q can be read by every user (mode 0644); chmod 600 it",
		path, filepath.Join(folder, "open"))}, accounts.Warnings())
}

func write(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
}
