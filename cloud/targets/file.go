package targets

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Open opens the file that a plan names in the worker's folder of target files. No name and no symbolic link
// leads out of the folder, whoever changes it meanwhile: a worker can read more than those who write plans. A name that
// cannot be right is a *membership.BadInput.
func Open(folder, name string) (*os.File, error) {
	switch {
	case folder == "":
		return nil, badFile(name, "the worker has no folder of target files; give it one, or name the members in the plan")
	case !fs.ValidPath(name) || !filepath.IsLocal(name) || name == ".":
		return nil, badFile(name, wantFile)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("folder of target files: %w", err)
	}
	defer func() { _ = root.Close() }() // the file stays open
	// Without O_NONBLOCK, opening a named pipe would wait for a writer.
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, notOpened(folder, name, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = badFile(name, "is no regular file; want a list in CSV, JSON or YAML")
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// ReadFile reads all of an open file as Read does, and takes the SHA-256 of its content, also when the content makes no
// sense. A file that is written meanwhile may be half old and half new: whatever was read is not to be used, and the error
// is one to try again.
func ReadFile(f *os.File, o Options, yield func(Target) error) (Taken, error) {
	before, err := f.Stat()
	if err != nil {
		return Taken{}, err
	}
	hash := sha256.New()
	taken, err := Read(io.TeeReader(f, hash), o, yield)
	if _, rest := io.Copy(hash, f); rest != nil { // what the format does not read belongs to the file, too
		return Taken{}, cmp.Or(err, rest)
	}
	after, statErr := f.Stat()
	switch {
	case statErr != nil:
		return Taken{}, statErr
	case after.Size() != before.Size(), !after.ModTime().Equal(before.ModTime()):
		return Taken{}, fmt.Errorf("target file %s was written while it was read, so that may be half old and half new; "+
			"it is read again until it stays as it is", filepath.Base(f.Name()))
	}
	taken.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return taken, err
}

// Resolve returns the path of the file that Open would open. Who opens the path later goes wherever it
// leads by then.
func Resolve(folder, name string) (string, error) {
	f, err := Open(folder, name)
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, name), f.Close()
}

// notOpened says why a file cannot be opened. What only a person can change is bad input: a run that tries again and
// again tells nobody.
func notOpened(folder, name string, err error) error {
	var system syscall.Errno
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return badFile(name, "is not in the worker's folder of target files, "+folder)
	case errors.Is(err, fs.ErrPermission):
		return badFile(name, "may not be read by the worker; allow it to the user that the worker runs as")
	case errors.Is(err, syscall.ELOOP):
		return badFile(name, "is a symbolic link that leads back to itself; want a file")
	case errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.EINVAL):
		return badFile(name, "is no name that a file can have; "+wantFile)
	case !errors.As(err, &system): // it was os.Root that said no
		return badFile(name, "leads out of the worker's folder of target files; want a file in it")
	}
	return fmt.Errorf("target file: %w", err)
}

const wantFile = `want the name of a file in the worker's folder of target files, such as "web.csv"`

func badFile(name, want string) error {
	return membership.Bad([]membership.Problem{{Field: "targets.file", Value: membership.Quote(name), Want: want}})
}
