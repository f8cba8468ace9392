package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// filesystem is what a store changes files with: tests put faults behind each of its steps.
type filesystem interface {
	Mkdir(dir string, mode os.FileMode) error
	CreateTemp(dir string) (file, error)
	Rename(from, to string) error
	Remove(path string) error
	SyncDir(dir string) error
}

type file interface {
	io.WriteCloser
	Name() string
	Sync() error
}

type osFS struct{}

func (osFS) Mkdir(dir string, mode os.FileMode) error { return os.Mkdir(dir, mode) }
func (osFS) CreateTemp(dir string) (file, error)      { return os.CreateTemp(dir, "blob-") } // with mode 0600
func (osFS) Rename(from, to string) error             { return os.Rename(from, to) }
func (osFS) Remove(path string) error                 { return os.Remove(path) }

func (osFS) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil // some network file systems cannot sync a folder: nothing more can be done there
	}
	return errors.Join(err, d.Close())
}

// explain adds what would work to the errors that an operator can do something about.
func explain(err error) error {
	for _, known := range []struct {
		is   error
		want string
	}{
		{syscall.ENOSPC, "the disk is full; make room there and try again"},
		{syscall.EDQUOT, "the quota of the worker's user is spent; raise it and try again"},
		{syscall.EROFS, "the file system is read-only; mount it writable"},
		{os.ErrPermission, "give the worker's user the right to read and write the store's folder and all in it"},
		{os.ErrNotExist, "the store's folder is missing; make it, or mount the share it is on, for every worker"},
	} {
		if errors.Is(err, known.is) {
			return fmt.Errorf("%w: %s", err, known.want)
		}
	}
	return err
}
