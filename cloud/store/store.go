// Package store keeps blobs in a folder under the hash of their content: what is too big for a run's history lies here,
// and history holds the key. A blob never changes, so any number of processes, on any number of machines that share the
// folder, read and write it without talking to each other.
//
// The layout is <folder>/<first two hex digits>/<all 64 hex digits>, and <folder>/tmp for what is being written.
package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// MaxSize is the most bytes that a blob has, uncompressed.
const MaxSize = 64 << 20

var (
	// ErrMissing says that there is no blob with the key. A network file system may show a new blob some seconds late.
	ErrMissing = errors.New("missing")
	// ErrDamaged says that the content does not match its key. Putting the content again mends it.
	ErrDamaged = errors.New("damaged")
	// ErrTooLarge says that the content has more than MaxSize bytes.
	ErrTooLarge = errors.New("too large")
)

// Key names a blob by its content: "sha256:" and 64 lower-case hex digits.
type Key string

const scheme = "sha256:"

// KeyOf returns the key of the content.
func KeyOf(data []byte) Key {
	sum := sha256.Sum256(data)
	return Key(scheme + hex.EncodeToString(sum[:]))
}

// digits returns the key's hex digits; nothing else may become part of a path.
func (k Key) digits() (string, bool) {
	digits, ok := strings.CutPrefix(string(k), scheme)
	return digits, ok && len(digits) == 2*sha256.Size && strings.Trim(digits, "0123456789abcdef") == ""
}

// Blobs is what those who keep blobs need, whatever keeps them. Both methods may be called by many at once and may be
// repeated.
type Blobs interface {
	// Put keeps the content, at most MaxSize bytes, and returns its key once it is safe.
	Put(ctx context.Context, data []byte) (Key, error)
	// Get returns exactly what was put under the key, or an error that may be ErrMissing or ErrDamaged.
	Get(ctx context.Context, key Key) ([]byte, error)
}

// Store is Blobs in a folder.
type Store struct {
	dir string
	fs  filesystem
}

var _ Blobs = (*Store)(nil)

const (
	tempFolder = "tmp"
	tempLife   = 24 * time.Hour // a writer takes seconds; what is older was left by one that died
)

// Open returns the store in the folder, which must exist: were it made here, a share that is not mounted would go
// unnoticed and the blobs would stay on one machine. It sweeps what dead writers left there more than a day ago.
func Open(dir string) (*Store, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("store folder %q: %w", dir, explain(err))
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("store folder %q: is a file; want a folder that all workers share", dir)
	}
	s := &Store{dir: dir, fs: osFS{}}
	s.sweep(time.Now().Add(-tempLife))
	return s, nil
}

// sweep removes temporary files that were written before the time. It has no error: who may only read opens a store,
// too, others sweep at the same time, and what stays only costs space.
func (s *Store) sweep(before time.Time) {
	entries, _ := os.ReadDir(filepath.Join(s.dir, tempFolder))
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && info.ModTime().Before(before) {
			_ = os.Remove(filepath.Join(s.dir, tempFolder, e.Name()))
		}
	}
}

// Put keeps the content and returns its key when it is on the disk. A good blob that is there already stays; a damaged
// one is replaced.
func (s *Store) Put(ctx context.Context, data []byte) (Key, error) {
	key := KeyOf(data)
	if len(data) > MaxSize {
		return "", fmt.Errorf("blob %s: %w: %d bytes; want at most %d", key, ErrTooLarge, len(data), MaxSize)
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	path := s.path(key)
	_, err := s.read(key)
	switch {
	case err == nil:
		err = s.settle(path) // another process may have put it a moment ago, and be about to lose power
	case errors.Is(err, ErrMissing), errors.Is(err, ErrDamaged):
		err = s.write(path, pack(data))
	}
	if err != nil {
		return "", fmt.Errorf("putting blob %s at %s: %w", key, path, explain(err))
	}
	return key, nil
}

// Get returns the content of the blob, verified against the key.
func (s *Store) Get(ctx context.Context, key Key) ([]byte, error) {
	if _, ok := key.digits(); !ok {
		return nil, fmt.Errorf("blob %q: %w: that is no key; want %q and 64 lower-case hex digits", key, ErrMissing, scheme)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	data, err := s.read(key)
	if err != nil {
		return nil, fmt.Errorf("getting blob %s at %s: %w", key, s.path(key), explain(err))
	}
	return data, nil
}

func (s *Store) path(key Key) string {
	digits, _ := key.digits()
	return filepath.Join(s.dir, digits[:2], digits)
}

// read returns the verified content of a blob.
func (s *Store) read(key Key) ([]byte, error) {
	f, err := os.Open(s.path(key))
	if errors.Is(err, os.ErrNotExist) {
		if _, gone := os.Stat(s.dir); gone != nil {
			return nil, gone
		}
		return nil, fmt.Errorf("%w: no such file; do all workers share the folder?", ErrMissing)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	raw, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, err
	}
	if KeyOf(raw) == key {
		return raw, nil
	}
	if data, err := unpack(raw); err == nil && KeyOf(data) == key {
		return data, nil
	}
	return nil, fmt.Errorf("%w: the %d bytes there are not what the key names", ErrDamaged, len(raw))
}

// write makes the file appear with all of its content or not at all.
func (s *Store) write(path string, raw []byte) error {
	for _, dir := range []string{filepath.Join(s.dir, tempFolder), filepath.Dir(path)} {
		if err := s.fs.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	f, err := s.fs.CreateTemp(filepath.Join(s.dir, tempFolder))
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed // a network file system may find only now that its disk is full
	}
	if err == nil {
		err = s.fs.Rename(f.Name(), path)
	}
	if err != nil {
		_ = s.fs.Remove(f.Name()) // what stays is swept one day
		return err
	}
	return s.settle(path)
}

// settle makes the names on the way to the file survive a loss of power, whoever made them.
func (s *Store) settle(path string) error {
	if err := s.fs.SyncDir(filepath.Dir(path)); err != nil {
		return err
	}
	return s.fs.SyncDir(s.dir)
}

// pack returns what is written for the content: gzip where that is smaller. Nothing on disk says which it is, for only
// one of the two readings matches the key.
func pack(data []byte) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(data)
	if err = errors.Join(err, w.Close()); err != nil || packed.Len() >= len(data) {
		return data
	}
	return packed.Bytes()
}

func unpack(raw []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, MaxSize+1))
}

// PutJSON keeps the value as JSON. Equal values have equal keys as far as their JSON is equal.
func PutJSON[T any](ctx context.Context, b Blobs, v T) (Key, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("blob of %T: %w", v, err)
	}
	return b.Put(ctx, data)
}

// GetJSON returns the value that PutJSON kept.
func GetJSON[T any](ctx context.Context, b Blobs, key Key) (T, error) {
	var v T
	data, err := b.Get(ctx, key)
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(data, &v); err != nil {
		var none T
		return none, fmt.Errorf("blob %s is no %T: %w", key, none, err)
	}
	return v, nil
}
