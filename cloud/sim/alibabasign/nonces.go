package alibabasign

import (
	"hash/maphash"
	"sync"
	"time"
)

// nonces remembers the nonces of at least the last two MaxSkews: so long the same request could come again. It keeps
// hashes, since a busy simulator sees millions.
type nonces struct {
	seed maphash.Seed

	mu       sync.Mutex
	recent   map[uint64]struct{}
	previous map[uint64]struct{}
	rotated  time.Time
}

func newNonces() *nonces {
	return &nonces{seed: maphash.MakeSeed(), recent: map[uint64]struct{}{}}
}

// use reports whether the nonce is fresh, and remembers it.
func (n *nonces) use(access, nonce string, now time.Time) bool {
	hash := maphash.String(n.seed, access+"/"+nonce)
	n.mu.Lock()
	defer n.mu.Unlock()
	if now.Sub(n.rotated) > 2*MaxSkew {
		n.previous, n.recent, n.rotated = n.recent, map[uint64]struct{}{}, now
	}
	_, recently := n.recent[hash]
	_, before := n.previous[hash]
	n.recent[hash] = struct{}{}
	return !recently && !before
}
