package account_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

const withPasswords = `
accounts:
  demo:
    provider: alibaba
    region: r
    credentials: {accessKey: {env: AK}, secretKey: {env: SK}}
    passwords: %s
`

// passwords returns an account with a folder of passwords, and the folder.
func passwords(t *testing.T) (account.Account, string) {
	folder := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(folder, "passwords"), 0o700))
	path := filepath.Join(folder, "accounts.yaml")
	write(t, path, fmt.Sprintf(withPasswords, "passwords"))
	accounts, err := account.Load(path)
	require.NoError(t, err)
	a, err := accounts.Get("demo")
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(folder, "passwords"), a.Passwords)
	return a, a.Passwords
}

func TestPassword(t *testing.T) {
	a, folder := passwords(t)
	for _, want := range []string{"first", "second"} { // they are read anew
		write(t, filepath.Join(folder, "edas.txt"), want+"\r\n")
		t.Setenv("FLEETJOIN_PASSWORD_EDAS", want)
		for _, from := range []account.Source{{File: "edas.txt"}, {Env: "FLEETJOIN_PASSWORD_EDAS"}} {
			got, err := a.Password(from)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		}
	}
}

// Secrets are mounted as links inside their folder.
func TestPasswordBehindALink(t *testing.T) {
	a, folder := passwords(t)
	require.NoError(t, os.Mkdir(filepath.Join(folder, "..data"), 0o700))
	write(t, filepath.Join(folder, "..data", "edas"), "secret")
	require.NoError(t, os.Symlink(filepath.Join("..data", "edas"), filepath.Join(folder, "edas")))
	got, err := a.Password(account.Source{File: "edas"})
	require.NoError(t, err)
	assert.Equal(t, "secret", got)
}

func TestPasswordIsNoOtherSecret(t *testing.T) {
	a, folder := passwords(t)
	write(t, filepath.Join(folder, "..", "hunter2"), "hunter2")
	require.NoError(t, os.Symlink(filepath.Join("..", "hunter2"), filepath.Join(folder, "out")))
	require.NoError(t, os.Symlink(filepath.Join(folder, "..", "hunter2"), filepath.Join(folder, "far")))
	t.Setenv("hunter2", "hunter2")
	t.Setenv("FLEETJOIN_TEST_SK", "hunter2")
	write(t, filepath.Join(folder, "lines"), "hunter2\nhunter2")
	write(t, filepath.Join(folder, "empty"), "\n")
	write(t, filepath.Join(folder, "long"), strings.Repeat("hunter2", 20_000))
	require.NoError(t, os.Mkdir(filepath.Join(folder, "folder"), 0o700))
	const (
		env  = "env (not shown here) must be the name of a variable that begins with FLEETJOIN_PASSWORD_"
		file = "file (not shown here) must be the plain name of a file in the account's folder of passwords"
	)
	for from, want := range map[account.Source]string{
		{}: "no source; give {env: FLEETJOIN_PASSWORD_…} or {file: NAME}",
		{Env: "FLEETJOIN_PASSWORD_A", File: "empty"}: "it is said to be in a variable and in a file; keep one",
		{Env: "hunter2"}:                               env,
		{Env: "FLEETJOIN_TEST_SK"}:                     env,
		{Env: "FLEETJOIN_PASSWORD_"}:                   env,
		{Env: "XFLEETJOIN_PASSWORD_A"}:                 env,
		{Env: "FLEETJOIN_PASSWORD_A=hunter2"}:          env,
		{Env: "FLEETJOIN_PASSWORD_A\n"}:                env,
		{Env: "FLEETJOIN_PASSWORD_UNSET"}:              `environment variable "FLEETJOIN_PASSWORD_UNSET" is not set or empty`,
		{File: "../hunter2"}:                           file,
		{File: ".."}:                                   file,
		{File: "."}:                                    file,
		{File: ".hidden"}:                              file,
		{File: filepath.Join(folder, "..", "hunter2")}: file,
		{File: "folder/hunter2"}:                       file,
		{File: `..\hunter2`}:                           file,
		{File: "edas\x00"}:                             file,
		{File: "hunter2 with spaces"}:                  file,
		{File: "edas\n"}:                               file,
		{File: "out"}:                                  `file "out" cannot be opened (path escapes from parent)`,
		{File: "far"}:                                  `file "far" cannot be opened (path escapes from parent)`,
		{File: "my-password"}:                          `file "my-password" cannot be opened (no such file or directory)`,
		{File: "folder"}:                               "is a directory",
		{File: "empty"}:                                `file "empty" is empty`,
		{File: "lines"}:                                `file "lines" holds spaces or line breaks inside the secret`,
		{File: "long"}:                                 "which is no secret",
		{File: strings.Repeat("x", 129)}:               file,
	} {
		password, err := a.Password(from)
		if assert.Error(t, err, "%q", from) {
			assert.Contains(t, err.Error(), `account "demo": the password cannot be read: `)
			assert.Contains(t, err.Error(), want)
			assert.NotContains(t, err.Error(), "hunter2", "%q", from)
			assert.Contains(t, verdict.Redact(err.Error()), want, "a redaction must leave it readable")
		}
		assert.Empty(t, password)
	}
	_, err := account.Account{Name: "demo"}.Password(account.Source{File: "edas"})
	assert.EqualError(t, err, `account "demo": the password cannot be read: the account has no folder of passwords; `+
		`its field passwords in the accounts file names one`)
}

func TestParseOfTheFolderOfPasswords(t *testing.T) {
	accounts, err := account.Parse([]byte(fmt.Sprintf(withPasswords, "/run/passwords")), "a.yaml")
	require.NoError(t, err)
	a, err := accounts.Get("demo")
	require.NoError(t, err)
	assert.Equal(t, "/run/passwords", a.Passwords)
	for _, value := range []string{`""`, "", "[hunter2]", "{edas: hunter2}", "7"} {
		_, err := account.Parse([]byte(fmt.Sprintf(withPasswords, value)), "a.yaml")
		assert.EqualError(t, err, "a.yaml: accounts.demo.passwords: must be the path of a folder (not shown here); "+
			"each password is a file in it")
	}
	_, err = account.Parse([]byte(demoWith("passwords", "x")), "a.yaml")
	assert.EqualError(t, err, "a.yaml: accounts.demo.passwords: is only for provider alibaba; remove it")
}

func TestWarningsTellOfReadablePasswords(t *testing.T) {
	a, folder := passwords(t)
	accounts, err := account.Load(filepath.Join(folder, "..", "accounts.yaml"))
	require.NoError(t, err)
	assert.Empty(t, accounts.Warnings())

	write(t, filepath.Join(folder, "closed"), "x")
	write(t, filepath.Join(folder, "open"), "x")
	write(t, filepath.Join(folder, ".of no use"), "x")
	require.NoError(t, os.Mkdir(filepath.Join(folder, "folder"), 0o755))
	for _, name := range []string{"open", ".of no use"} {
		require.NoError(t, os.Chmod(filepath.Join(folder, name), 0o644))
	}
	assert.Equal(t, []string{fmt.Sprintf("%s: accounts.demo.passwords: %q can be read by every user (mode 0644); chmod 600 it",
		filepath.Join(folder, "..", "accounts.yaml"), filepath.Join(a.Passwords, "open"))}, accounts.Warnings())

	require.NoError(t, os.RemoveAll(folder))
	assert.Empty(t, accounts.Warnings(), "it may arrive later")
}
