package store

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// asNobody calls f with no more rights to files than anybody has, for root may do everything. The rights are those of
// the thread, which ends with the goroutine that it is locked to.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if os.Geteuid() == 0 {
			if err := syscall.Setfsuid(65534); err != nil {
				done <- err
				return
			}
		}
		f()
		done <- nil
	}()
	require.NoError(t, <-done)
}

func TestPermissions(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	s := open(t, dir)
	readable, err := s.Put(t.Context(), []byte("readable"))
	require.NoError(t, err)
	secret, err := s.Put(t.Context(), []byte("secret"))
	require.NoError(t, err)
	modes := []struct {
		path string
		mode os.FileMode
	}{
		{s.path(readable), 0o444}, {s.path(secret), 0}, {filepath.Dir(s.path(readable)), 0o555},
		{filepath.Dir(s.path(secret)), 0o555}, {filepath.Join(dir, tempFolder), 0o555}, {dir, 0o555},
	}
	for _, m := range modes {
		require.NoError(t, os.Chmod(m.path, m.mode))
	}
	t.Cleanup(func() { // so that the folder can be removed
		for _, m := range modes[2:] {
			_ = os.Chmod(m.path, 0o755)
		}
	})

	var opened, get, getSecret, put, putSecret, putAgain error
	asNobody(t, func() {
		_, opened = Open(dir)
		_, get = s.Get(t.Context(), readable)
		_, getSecret = s.Get(t.Context(), secret)
		_, put = s.Put(t.Context(), []byte("new"))
		_, putSecret = s.Put(t.Context(), []byte("secret"))
		_, putAgain = s.Put(t.Context(), []byte("readable"))
	})
	require.NoError(t, opened)
	require.NoError(t, get)
	require.NoError(t, putAgain, "it is there already")
	for what, err := range map[string]error{"get secret": getSecret, "put": put, "put secret": putSecret} {
		require.ErrorIs(t, err, os.ErrPermission, what)
		require.ErrorContains(t, err, "give the worker's user the right", what)
	}
	require.ErrorContains(t, getSecret, string(secret))
	require.ErrorContains(t, put, s.path(KeyOf([]byte("new"))))
}
