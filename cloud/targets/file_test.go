package targets_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/targets"
)

func TestFormatOf(t *testing.T) {
	for name, want := range map[string]fleet.Format{
		"a.csv": fleet.CSV, "a/b.TSV": fleet.CSV, "a.json": fleet.JSON, "a.jsonl": fleet.JSON, "a.ndjson": fleet.JSON,
		"a.b.yaml": fleet.YAML, "a.yml": fleet.YAML, "a.txt": fleet.CSV, "terraform.tfstate": fleet.JSON,
	} {
		got, err := fleet.FormatOf(name)
		require.NoError(t, err)
		require.Equal(t, want, got, name)
	}
	for _, name := range []string{"", "csv", "a.xlsx", "a.csv.gz"} {
		_, err := fleet.FormatOf(name)
		require.ErrorContains(t, err, "want a name that ends in .csv, .tsv, .txt, .json")
	}
}

// targetFolder is a worker's folder with what may lie there, beside a file that is none of a plan's business.
func targetFolder(t testing.TB) string {
	t.Helper()
	outside := t.TempDir()
	secret := filepath.Join(outside, "accounts.yaml")
	require.NoError(t, os.WriteFile(secret, []byte("secret"), 0o600))
	folder := filepath.Join(outside, "targets")
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "sub", "..data"), 0o700))
	for _, name := range []string{"web.csv", "sub/db.csv", "sub/..data/cfg.csv", "with space.csv", "..odd.csv"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(name), 0o600))
	}
	require.NoError(t, syscall.Mkfifo(filepath.Join(folder, "pipe.csv"), 0o600))
	for name, to := range map[string]string{
		"out.csv": secret, "up.csv": "../accounts.yaml", "parent": "..", "loop.csv": "loop.csv", "dangling.csv": "none.csv",
		"here.csv": "sub/db.csv", "sub/cfg.csv": "..data/cfg.csv", // as Kubernetes mounts them
	} {
		require.NoError(t, os.Symlink(to, filepath.Join(folder, name)))
	}
	return folder
}

func TestResolveTargets(t *testing.T) {
	folder := targetFolder(t)
	for name, content := range map[string]string{
		"web.csv": "web.csv", "sub/db.csv": "sub/db.csv", "with space.csv": "with space.csv", "..odd.csv": "..odd.csv",
		"here.csv": "sub/db.csv", "sub/cfg.csv": "sub/..data/cfg.csv",
	} {
		path, err := targets.Resolve(folder, name)
		require.NoError(t, err)
		require.Equal(t, filepath.Join(folder, name), path)
		f, err := targets.Open(folder, name)
		require.NoError(t, err)
		data, err := io.ReadAll(f)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		require.Equal(t, content, string(data))
	}
	for name, words := range map[string]string{
		"":                             "want the name of a file in the worker's folder",
		".":                            "want the name of a file",
		"..":                           "want the name of a file",
		"../accounts.yaml":             "want the name of a file",
		"sub/../web.csv":               "want the name of a file",
		"./web.csv":                    "want the name of a file",
		"sub//db.csv":                  "want the name of a file",
		"/etc/passwd":                  "want the name of a file",
		filepath.Join(folder, "a.csv"): "want the name of a file",
		"web.csv\x00":                  `is no name that a file can have; want the name of a file`,
		strings.Repeat("x", 300):       "is no name that a file can have",
		"loop.csv":                     "is a symbolic link that leads back to itself; want a file",
		"out.csv":                      "leads out of the worker's folder of target files; want a file in it",
		"up.csv":                       "leads out of",
		"parent/accounts.yaml":         "leads out of",
		"none.csv":                     "is not in the worker's folder of target files, " + folder,
		"dangling.csv":                 "is not in the worker's folder",
		"web.csv/a":                    "is not in the worker's folder",
		"sub":                          "is no regular file; want a list",
		"pipe.csv":                     "is no regular file",
	} {
		_, err := targets.Resolve(folder, name)
		var bad *membership.BadInput
		require.ErrorAs(t, err, &bad, name)
		require.Equal(t, "targets.file", bad.Problems[0].Field)
		require.Equal(t, membership.Quote(name), bad.Problems[0].Value)
		require.Contains(t, bad.Problems[0].Want, words, name)
	}
}

func TestResolveTargetsWithoutAFolder(t *testing.T) {
	_, err := targets.Resolve("", "web.csv")
	require.ErrorContains(t, err, `targets.file: "web.csv": the worker has no folder of target files; give it one`)
	_, err = targets.Resolve(filepath.Join(t.TempDir(), "none"), "web.csv")
	require.ErrorIs(t, err, os.ErrNotExist)
	var bad *membership.BadInput
	require.NotErrorAs(t, err, &bad, "the plan is not to blame")
}

// An editor that saves in place empties the file and writes it anew. Half of each is no list that anybody has made, and
// what is wrong with it is not bad input, which would end the run.
func TestReadFileNoticesThatItIsWritten(t *testing.T) {
	const old = "member\nm1\nm2\n"
	for name, c := range map[string]struct {
		start, now string
		words      string
	}{
		"it stays as it is":             {old, "", ""},
		"longer":                        {old, old + "m3\n", "target file web.csv was written while it was read"},
		"of the same length":            {old, "member\nm7\nm8\n", "web.csv was written while it was read"},
		"what was read is wrong":        {old + "m 3\n", old, "web.csv was written while it was read"},
		"it is wrong, and nobody wrote": {old + "m 3\n", "", `"m 3": want an id`},
	} {
		folder := t.TempDir()
		path := filepath.Join(folder, "web.csv")
		require.NoError(t, os.WriteFile(path, []byte(c.start), 0o600))
		require.NoError(t, os.Chtimes(path, time.Time{}, time.Unix(1_700_000_000, 0))) // not as young as what is written next
		f, err := targets.Open(folder, "web.csv")
		require.NoError(t, err)
		taken, err := targets.ReadFile(f, targets.Options{Format: fleet.CSV}, func(one targets.Target) error {
			if one.Member == "m2" && c.now != "" {
				return os.WriteFile(path, []byte(c.now), 0o600)
			}
			return nil
		})
		require.NoError(t, f.Close())
		var bad *membership.BadInput
		switch c.words {
		case "":
			require.NoError(t, err, name)
			require.Equal(t, fmt.Sprintf("%x", sha256.Sum256([]byte(old))), taken.SHA256, name)
		default:
			require.ErrorContains(t, err, c.words, name)
			require.Equal(t, c.now == "", errors.As(err, &bad), name)
		}
	}
}

func FuzzResolveTargets(f *testing.F) {
	for _, name := range []string{"web.csv", "../accounts.yaml", "parent/accounts.yaml", "sub/../../accounts.yaml", "/", "a\x00b", "sub/cfg.csv"} {
		f.Add(name)
	}
	folder := targetFolder(f)
	f.Fuzz(func(t *testing.T, name string) {
		file, err := targets.Open(folder, name)
		if err != nil {
			return
		}
		data, err := io.ReadAll(file)
		require.NoError(t, err)
		require.NoError(t, file.Close())
		require.NotContains(t, string(data), "secret")
		require.False(t, strings.HasPrefix(name, "/") || strings.Contains("/"+name+"/", "/../"))
	})
}
