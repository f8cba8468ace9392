//go:build unix

package devstack

import (
	"os"
	"syscall"
)

// lock takes a file for this process; the system gives it back however the process ends.
func lock(path string) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close() // nothing was written to it
		return nil, err
	}
	return f.Close, nil
}
