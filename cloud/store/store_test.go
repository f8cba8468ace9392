package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	require.NoError(t, err)
	return s
}

// noise is content that gzip cannot make smaller.
func noise(seed uint64, size int) []byte {
	data := make([]byte, size)
	random := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = random.Read(data)
	return data
}

func TestWhatIsPutCanBeGot(t *testing.T) {
	s := open(t, t.TempDir())
	zipped := pack(bytes.Repeat([]byte("member"), 1000))
	for name, data := range map[string][]byte{
		"empty": {}, "small": []byte("{}"), "text": bytes.Repeat([]byte(`"i-0001",`), 5000), "noise": noise(1, 9000),
		"gzip itself": zipped, "gzip of gzip": pack(zipped),
	} {
		key, err := s.Put(t.Context(), data)
		require.NoError(t, err, name)
		require.Equal(t, KeyOf(data), key, name)
		got, err := s.Get(t.Context(), key)
		require.NoError(t, err, name)
		require.True(t, bytes.Equal(data, got), name)
	}
	text := bytes.Repeat([]byte(`"i-0001",`), 5000)
	info, err := os.Stat(s.path(KeyOf(text)))
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(len(text)/10), "text is compressed")
	info, err = os.Stat(s.path(KeyOf(noise(1, 9000))))
	require.NoError(t, err)
	require.EqualValues(t, 9000, info.Size(), "noise is kept as it is")
}

func TestKeyAndLayout(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	key, err := s.Put(t.Context(), []byte("abc"))
	require.NoError(t, err)
	require.Equal(t, Key("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), key)
	blob := filepath.Join(dir, "ba", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
	for path, mode := range map[string]os.FileMode{
		blob: 0o600, filepath.Dir(blob): os.ModeDir | 0o700, filepath.Join(dir, "tmp"): os.ModeDir | 0o700,
	} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode(), path)
	}
	require.Empty(t, temps(t, s))
}

func TestPutKeepsAGoodBlobAndReplacesADamagedOne(t *testing.T) {
	s := open(t, t.TempDir())
	data := bytes.Repeat([]byte("member "), 1000)
	key, err := s.Put(t.Context(), data)
	require.NoError(t, err)
	before, err := os.Stat(s.path(key))
	require.NoError(t, err)
	_, err = s.Put(t.Context(), data)
	require.NoError(t, err)
	after, err := os.Stat(s.path(key))
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after), "a good blob is not written again")

	raw, err := os.ReadFile(s.path(key))
	require.NoError(t, err)
	flipped := bytes.Clone(raw)
	flipped[len(flipped)/2] ^= 1
	for name, damage := range map[string][]byte{
		"nothing": {}, "half": raw[:len(raw)/2], "zeros": make([]byte, len(raw)), "a flipped bit": flipped,
		"another blob": pack(append(data, 'x')), "a bomb": bytes.Repeat(pack(make([]byte, 1<<20)), MaxSize>>20+1),
	} {
		require.NoError(t, os.WriteFile(s.path(key), damage, 0o600))
		_, err = s.Get(t.Context(), key)
		require.ErrorIs(t, err, ErrDamaged, name)
		require.ErrorContains(t, err, string(key), name)
		require.ErrorContains(t, err, s.path(key), name)
		_, err = s.Put(t.Context(), data)
		require.NoError(t, err, name)
		got, err := s.Get(t.Context(), key)
		require.NoError(t, err, name)
		require.Equal(t, data, got, name)
	}
}

func TestGetSaysWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	key := KeyOf([]byte("never put"))
	_, err := s.Get(t.Context(), key)
	require.ErrorIs(t, err, ErrMissing)
	require.ErrorContains(t, err, string(key))
	require.ErrorContains(t, err, s.path(key))

	for _, bad := range []Key{"", "sha256:", "sha256:abcd", "md5:" + key[7:], Key(strings.ToUpper(string(key))),
		"sha256:" + Key(strings.Repeat("../", 21)) + "a", key + "0"} {
		_, err := s.Get(t.Context(), bad)
		require.ErrorIs(t, err, ErrMissing)
		require.ErrorContains(t, err, "want \"sha256:\" and 64 lower-case hex digits", bad)
	}

	require.NoError(t, os.RemoveAll(dir))
	_, err = s.Get(t.Context(), key)
	require.NotErrorIs(t, err, ErrMissing, "when the folder is gone, nobody can say what was in it")
	require.ErrorContains(t, err, "the store's folder is missing; make it, or mount the share")
	_, err = s.Put(t.Context(), nil)
	require.ErrorContains(t, err, "the store's folder is missing")
}

func TestOpenWantsAFolder(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(name, nil, 0o600))
	for path, words := range map[string]string{
		"":                         "the store's folder is missing",
		filepath.Join(dir, "none"): "make it, or mount the share it is on",
		name:                       "is a file; want a folder",
	} {
		_, err := Open(path)
		require.ErrorContains(t, err, words)
		require.ErrorContains(t, err, fmt.Sprintf("%q", path))
	}
}

func TestPutLimitsTheSize(t *testing.T) {
	s := open(t, t.TempDir())
	most := make([]byte, MaxSize, MaxSize+1)
	key, err := s.Put(t.Context(), most)
	require.NoError(t, err)
	got, err := s.Get(t.Context(), key)
	require.NoError(t, err)
	require.True(t, bytes.Equal(most, got))
	_, err = s.Put(t.Context(), most[:MaxSize+1])
	require.ErrorIs(t, err, ErrTooLarge)
	require.ErrorContains(t, err, "67108865 bytes; want at most 67108864")
}

func TestContextEnds(t *testing.T) {
	s := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Put(ctx, []byte("a"))
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Get(ctx, KeyOf([]byte("a")))
	require.ErrorIs(t, err, context.Canceled)
}

func TestOpenSweepsWhatDeadWritersLeft(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	key, err := s.Put(t.Context(), []byte("stays"))
	require.NoError(t, err)
	day := time.Now().Add(-25 * time.Hour)
	for name, at := range map[string]time.Time{"blob-old": day, "blob-fresh": time.Now().Add(-time.Hour)} {
		path := filepath.Join(dir, "tmp", name)
		require.NoError(t, os.WriteFile(path, []byte("half"), 0o600))
		require.NoError(t, os.Chtimes(path, at, at))
	}
	require.NoError(t, os.Chtimes(s.path(key), day, day))
	s = open(t, dir)
	require.Equal(t, []string{"blob-fresh"}, temps(t, s), "it may have a writer still")
	_, err = s.Get(t.Context(), key)
	require.NoError(t, err, "blobs do not age")
}

// temps are the names of the temporary files.
func temps(t *testing.T, s *Store) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.dir, tempFolder))
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestJSON(t *testing.T) {
	type page struct {
		Group   string            `json:"group"`
		Members []string          `json:"members"`
		Traits  map[string]string `json:"traits"`
	}
	s := open(t, t.TempDir())
	want := page{"g-1", []string{"i-1", "i-2"}, map[string]string{"zone": "a", "rack": "7"}}
	key, err := PutJSON(t.Context(), s, want)
	require.NoError(t, err)
	got, err := GetJSON[page](t.Context(), s, key)
	require.NoError(t, err)
	require.Equal(t, want, got)
	again, err := PutJSON(t.Context(), s, got)
	require.NoError(t, err)
	require.Equal(t, key, again)

	_, err = GetJSON[page](t.Context(), s, KeyOf(nil))
	require.ErrorIs(t, err, ErrMissing)
	_, err = GetJSON[[]page](t.Context(), s, key)
	require.ErrorContains(t, err, string(key)+" is no []store.page")
	var typed *json.UnmarshalTypeError
	require.ErrorAs(t, err, &typed)
	_, err = PutJSON(t.Context(), s, func() {})
	require.ErrorContains(t, err, "blob of func()")
}
