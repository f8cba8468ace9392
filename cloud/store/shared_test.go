package store

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

const (
	writerEnv  = "STORE_TEST_WRITER" // the folder: the test binary is one of many writers then
	writerDone = "all is put"
	blobs      = 40
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerEnv); dir != "" {
		if err := writer(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// writer puts all blobs and says so, and goes on doing it over damaged ones until its input ends.
func writer(dir string) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = bufio.NewReader(os.Stdin).ReadByte()
	}()
	for round := 0; ; round++ {
		for i := range blobs {
			if _, err := s.Put(context.Background(), content(i)); err != nil {
				return err
			}
		}
		if round == 0 {
			fmt.Println(writerDone)
		}
		select {
		case <-ended:
			return nil
		default:
		}
		victim := s.path(KeyOf(content(round % blobs)))
		if err := os.Remove(victim); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
}

func content(i int) []byte {
	if i%2 == 0 {
		return noise(uint64(i), 20_000)
	}
	return bytes.Repeat(fmt.Appendf(nil, "member %d ", i), 2000)
}

func TestProcessesShareAFolderAndDie(t *testing.T) {
	dir := t.TempDir()
	binary, err := os.Executable()
	require.NoError(t, err)
	var kills, ends []func()
	for range 4 {
		cmd := exec.CommandContext(t.Context(), binary)
		cmd.Env = append(os.Environ(), writerEnv+"="+dir)
		cmd.Stderr = os.Stderr
		stdin, err := cmd.StdinPipe()
		require.NoError(t, err)
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		line, err := bufio.NewReader(stdout).ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, writerDone+"\n", line)
		kills = append(kills, func() {
			require.NoError(t, cmd.Process.Kill()) // somewhere in its second round or later
			require.Error(t, cmd.Wait())
		})
		ends = append(ends, func() {
			require.NoError(t, stdin.Close())
			require.NoError(t, cmd.Wait(), "a writer is not disturbed by the others")
		})
	}
	kills[0]()
	kills[1]()
	ends[2]()
	ends[3]()

	s := open(t, dir)
	found, err := filepath.Glob(filepath.Join(dir, "??", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, found)
	for _, path := range found {
		_, err := s.Get(t.Context(), Key(scheme+filepath.Base(path)))
		require.NoError(t, err, "every file that has a blob's name is a whole blob")
	}
	require.LessOrEqual(t, len(temps(t, s)), 2, "one for each that was killed")
	for i := range blobs {
		_, err := s.Put(t.Context(), content(i))
		require.NoError(t, err)
	}
}

func TestManyPutAndGetTheSameBlobs(t *testing.T) {
	dir := t.TempDir()
	var group errgroup.Group
	for worker := range 8 {
		s := open(t, dir)
		group.Go(func() error {
			for i := range blobs {
				data := content((i + worker*5) % blobs)
				key, err := s.Put(t.Context(), data)
				if err != nil {
					return err
				}
				if i%7 == worker%7 { // a disk goes bad under all of them
					if err := os.WriteFile(filepath.Join(dir, "tmp", fmt.Sprint("bad-", worker)), data[:100], 0o600); err != nil {
						return err
					}
					if err := os.Rename(filepath.Join(dir, "tmp", fmt.Sprint("bad-", worker)), s.path(key)); err != nil {
						return err
					}
				}
				got, err := s.Get(t.Context(), key)
				if err != nil && !errors.Is(err, ErrDamaged) || err == nil && !bytes.Equal(data, got) {
					return fmt.Errorf("neither whole nor known to be damaged: %w", err)
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	s := open(t, dir)
	for i := range blobs {
		key, err := s.Put(t.Context(), content(i))
		require.NoError(t, err)
		_, err = s.Get(t.Context(), key)
		require.NoError(t, err)
	}
	require.Empty(t, temps(t, s))
}
