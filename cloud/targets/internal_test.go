package targets

import (
	"io/fs"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestATargetTooMany(t *testing.T) {
	yielded := 0
	l := &targetList{count: Most - 1, seen: make(map[memberHash]place)}
	l.yield = func(Target) error { yielded++; return nil }
	require.NoError(t, l.add(draft{member: claim{field: "id", value: "i-1"}, at: place{line: 7}}))
	require.ErrorIs(t, l.add(draft{member: claim{field: "id", value: "i-2"}, at: place{line: 8}}), errStop)
	require.Equal(t, 1, yielded)
	require.Len(t, l.problems, 1)
	const want = "line 8: has a target too many; want at most 2000000 in a list: split it over several plans"
	require.Equal(t, want, l.problems[0].String())
}

// Tests may run as root, whom no file keeps out.
func TestAFileThatTheWorkerMayNotRead(t *testing.T) {
	for err, words := range map[syscall.Errno]string{
		syscall.EACCES: `targets.file: "web.csv": may not be read by the worker; allow it to the user that the worker runs as`,
		syscall.EPERM:  `targets.file: "web.csv": may not be read by the worker; allow it to the user that the worker runs as`,
		syscall.EIO:    "target file: openat web.csv: input/output error", // which may pass: it is tried again
	} {
		require.EqualError(t, notOpened("/targets", "web.csv", &fs.PathError{Op: "openat", Path: "web.csv", Err: err}), words)
	}
}
