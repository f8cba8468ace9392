package account

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

var (
	passwordVariable = regexp.MustCompile(`^FLEETJOIN_PASSWORD_[A-Za-z0-9_]+$`)
	passwordFile     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
)

// Password reads a password that a request names: an environment variable whose name begins with FLEETJOIN_PASSWORD_, or
// a file by its plain name, in the account's folder of passwords. Whoever makes requests chooses that name, and must not
// be able to have the worker send its other secrets somewhere. It is read anew at every call. The error never has the
// password, nor a name that could be one.
func (a Account) Password(from Source) (string, error) {
	password, err := a.password(from)
	if err != nil {
		return "", fmt.Errorf("account %q: the password cannot be read: %w", a.Name, err)
	}
	return password, nil
}

func (a Account) password(from Source) (string, error) {
	switch {
	case from.Env != "" && from.File != "":
		return "", errors.New("it is said to be in a variable and in a file; keep one")
	case from.Env == "" && from.File == "":
		return "", errors.New("no source; give {env: FLEETJOIN_PASSWORD_…} or {file: NAME}")
	case from.Env != "" && !passwordVariable.MatchString(from.Env):
		return "", errors.New("env (not shown here) must be the name of a variable that begins with FLEETJOIN_PASSWORD_")
	case from.File != "" && !passwordFile.MatchString(from.File):
		return "", errors.New("file (not shown here) must be the plain name of a file in the account's folder of passwords: " +
			"letters, digits, '.', '_' and '-'")
	case from.File != "" && a.Passwords == "":
		return "", errors.New("the account has no folder of passwords; its field passwords in the accounts file names one")
	}
	return from.readIn(a.openPassword)
}

// openPassword opens a file in the folder of passwords. A link that leads out of the folder is not followed.
func (a Account) openPassword(name string) (*os.File, error) {
	f, err := os.OpenInRoot(a.Passwords, name)
	var failed *fs.PathError
	if errors.As(err, &failed) { // its own text has the name before a colon, which a redaction takes for a password
		err = fmt.Errorf("file %q cannot be opened (%w)", name, failed.Err)
	}
	return f, err
}

// passwordFiles returns the paths of the files that a request can name, none when the folder cannot be read.
func (a Account) passwordFiles() []string {
	if a.Passwords == "" {
		return nil
	}
	entries, err := os.ReadDir(a.Passwords)
	if err != nil {
		return nil
	}
	var paths []string
	for _, e := range entries {
		if !e.IsDir() && passwordFile.MatchString(e.Name()) {
			paths = append(paths, filepath.Join(a.Passwords, e.Name()))
		}
	}
	return paths
}
