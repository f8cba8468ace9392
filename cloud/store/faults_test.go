package store

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// faulty is the real file system with a fault behind one of its steps, or behind one and all that follow, as when the
// process died there. A write that fails has written half.
type faulty struct {
	osFS
	at    int // the step that fails, from 1; 0: none
	dead  bool
	err   error
	steps []string // what was asked for
}

func (f *faulty) step(what string) error {
	f.steps = append(f.steps, what)
	if n := len(f.steps); n == f.at || f.dead && f.at > 0 && n > f.at {
		return &os.PathError{Op: what, Path: "there", Err: f.err}
	}
	return nil
}

func (f *faulty) Mkdir(dir string, mode os.FileMode) error {
	if err := f.step("mkdir"); err != nil {
		return err
	}
	return f.osFS.Mkdir(dir, mode)
}

func (f *faulty) CreateTemp(dir string) (file, error) {
	if err := f.step("create"); err != nil {
		return nil, err
	}
	made, err := f.osFS.CreateTemp(dir)
	return &faultyFile{made, f}, err
}

func (f *faulty) Rename(from, to string) error {
	if err := f.step("rename"); err != nil {
		return err
	}
	return f.osFS.Rename(from, to)
}

func (f *faulty) Remove(path string) error {
	if err := f.step("remove"); err != nil {
		return err
	}
	return f.osFS.Remove(path)
}

func (f *faulty) SyncDir(dir string) error {
	if err := f.step("sync folder"); err != nil {
		return err
	}
	return f.osFS.SyncDir(dir)
}

type faultyFile struct {
	file
	fs *faulty
}

func (f *faultyFile) Write(data []byte) (int, error) {
	if err := f.fs.step("write"); err != nil {
		n, _ := f.file.Write(data[:len(data)/2])
		return n, err
	}
	return f.file.Write(data)
}

func (f *faultyFile) Sync() error {
	if err := f.fs.step("sync"); err != nil {
		return err
	}
	return f.file.Sync()
}

func (f *faultyFile) Close() error {
	err := f.file.Close() // a dead process has no open files, either
	if fault := f.fs.step("close"); fault != nil {
		return fault
	}
	return err
}

// A rename may reach the disk before the content does, and a name may never reach it, unless each is synced in order.
var steps = []string{"mkdir", "mkdir", "create", "write", "sync", "close", "rename", "sync folder", "sync folder"}

func TestPutSyncsBeforeAndAfterTheRename(t *testing.T) {
	s := open(t, t.TempDir())
	fs := &faulty{}
	s.fs = fs
	_, err := s.Put(t.Context(), []byte("abc"))
	require.NoError(t, err)
	require.Equal(t, steps, fs.steps)
	fs.steps = nil
	_, err = s.Put(t.Context(), []byte("abc"))
	require.NoError(t, err)
	require.Equal(t, []string{"sync folder", "sync folder"}, fs.steps, "another may have renamed it and not synced yet")
}

func TestEveryStepMayFail(t *testing.T) {
	data := bytes.Repeat([]byte("member "), 1000)
	for at := range steps {
		for err, words := range map[error]string{
			syscall.ENOSPC: "the disk is full; make room",
			syscall.EDQUOT: "the quota of the worker's user is spent",
			syscall.EROFS:  "the file system is read-only",
			syscall.EACCES: "give the worker's user the right to read and write",
			syscall.EIO:    "input/output error",
		} {
			t.Run(fmt.Sprintf("%d %s %v", at, steps[at], err), func(t *testing.T) {
				s := open(t, t.TempDir())
				s.fs = &faulty{at: at + 1, err: err}
				_, failed := s.Put(t.Context(), data)
				require.ErrorIs(t, failed, err)
				require.ErrorContains(t, failed, words)
				require.ErrorContains(t, failed, string(KeyOf(data)))
				require.ErrorContains(t, failed, s.path(KeyOf(data)))
				require.Empty(t, temps(t, s), "it clears up")
				wholeOrMissing(t, s, data)
				key, err := s.Put(t.Context(), data)
				require.NoError(t, err, "the fault is over")
				_, err = s.Get(t.Context(), key)
				require.NoError(t, err)
			})
		}
	}
}

func TestEveryStepMayBeTheLast(t *testing.T) {
	data := bytes.Repeat([]byte("member "), 1000)
	left := 0
	for at := range steps {
		t.Run(fmt.Sprintf("%d %s", at, steps[at]), func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			s.fs = &faulty{at: at + 1, dead: true, err: syscall.EIO}
			_, err := s.Put(t.Context(), data)
			require.Error(t, err)

			s = open(t, dir)
			wholeOrMissing(t, s, data)
			key, err := s.Put(t.Context(), data)
			require.NoError(t, err)
			got, err := s.Get(t.Context(), key)
			require.NoError(t, err)
			require.Equal(t, data, got)

			names := temps(t, s)
			left += len(names)
			day := time.Now().Add(-25 * time.Hour)
			for _, name := range names {
				require.NoError(t, os.Chtimes(filepath.Join(dir, tempFolder, name), day, day))
			}
			require.Empty(t, temps(t, open(t, dir)))
		})
	}
	require.Equal(t, 4, left, "who dies at write, sync, close or rename leaves a file behind")
}

func wholeOrMissing(t *testing.T, s *Store, data []byte) {
	t.Helper()
	got, err := s.Get(t.Context(), KeyOf(data))
	if err != nil {
		require.ErrorIs(t, err, ErrMissing)
		return
	}
	require.Equal(t, data, got)
}

func TestSyncOfAFolderThatIsNone(t *testing.T) {
	require.ErrorIs(t, osFS{}.SyncDir(filepath.Join(t.TempDir(), "none")), os.ErrNotExist)
}

func TestExplainKeepsWhatItDoesNotKnow(t *testing.T) {
	err := explain(syscall.EIO)
	require.Equal(t, error(syscall.EIO), err)
}
