package sim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
)

// store keeps a simulator's state in a directory: a snapshot of everything, replaced atomically, and a log with a
// line for every request, which holds the journal entry and what the request changed, so that neither is ever there
// without the other. A killed process loses nothing that a caller was told; a crash of the machine may.
type store struct {
	dir string

	mu      sync.Mutex
	log     *os.File
	name    string // of the log
	number  int    // of the log: each gets a new name
	size    int64
	failure error // the first error; the state is not safe any more
}

const snapshotFile = "state.json"

// snapshot is the file state.json.
type snapshot struct {
	At     time.Time                  `json:"at"` // simulated
	Seq    int64                      `json:"seq"`
	Calls  int64                      `json:"calls"`  // numbers of calls given so far
	Log    string                     `json:"log"`    // the file name of the log
	Number int                        `json:"number"` // of the log
	Offset int64                      `json:"offset"` // what the log says from here on is not in the snapshot
	World  World                      `json:"world"`  // without servers, groups and other resources
	Faults []fault.State              `json:"faults,omitempty"`
	States map[string]json.RawMessage `json:"states"` // by service
}

// record is one line of the log.
type record struct {
	Entry   *Entry          `json:"entry,omitempty"`
	Service string          `json:"service,omitempty"`
	Change  json.RawMessage `json:"change,omitempty"`
	Faults  *[]fault.State  `json:"faults,omitempty"`
}

// saved is what a state directory holds.
type saved struct {
	snapshot
	records []record // all of the log, for the journal
	news    int      // index of the first record that is not in the snapshot
}

// openStore opens a state directory, making it if missing. The result's saved is nil if there is no state in it.
func openStore(dir string) (*store, *saved, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	st := &store{dir: dir}
	data, err := os.ReadFile(filepath.Join(dir, snapshotFile))
	if errors.Is(err, os.ErrNotExist) {
		return st, nil, st.rotate()
	}
	if err != nil {
		return nil, nil, err
	}
	s := &saved{}
	if err := json.Unmarshal(data, &s.snapshot); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", snapshotFile, err)
	}
	st.name, st.number = s.Log, s.Number
	if st.log, err = os.OpenFile(filepath.Join(dir, s.Log), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, nil, err
	}
	if err := st.read(s); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", s.Log, err), st.log.Close())
	}
	return st, s, nil
}

// read reads the log. A torn last line was never confirmed to a caller: it is cut off.
func (st *store) read(s *saved) error {
	lines := bufio.NewReaderSize(st.log, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break // with a torn line or without
		}
		if err != nil {
			return err
		}
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("at byte %d: %w", st.size, err)
		}
		if st.size < s.Offset {
			s.news++
			r.Change, r.Faults = nil, nil // the snapshot has them; only the entry is of use
		}
		s.records = append(s.records, r)
		st.size += int64(len(line))
	}
	if err := st.log.Truncate(st.size); err != nil {
		return err
	}
	_, err := st.log.Seek(st.size, io.SeekStart)
	return err
}

// append writes a record. Once it failed, it keeps failing: a log with a hole would be worse than none.
func (st *store) append(r record) error {
	if st == nil {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.failure != nil {
		return st.failure
	}
	n, err := st.log.Write(append(line, '\n'))
	st.size += int64(n)
	st.failure = err
	return err
}

// err returns why the store does not work any more, or nil.
func (st *store) err() error {
	if st == nil {
		return nil
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.failure
}

// rotate starts a new, empty log. The old one is the state until the next snapshot.
func (st *store) rotate() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	name := fmt.Sprintf("log-%d.jsonl", st.number+1)
	log, err := os.OpenFile(filepath.Join(st.dir, name), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if st.log != nil {
		err = st.log.Close()
	}
	st.log, st.name, st.number, st.size = log, name, st.number+1, 0
	return err
}

// position returns the log's name, number and size.
func (st *store) position() (string, int, int64) {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.name, st.number, st.size
}

// write replaces the snapshot and removes logs that it does not need.
func (st *store) write(snap snapshot) error {
	data, err := json.Marshal(snap)
	if err != nil {
		return err
	}
	path := filepath.Join(st.dir, snapshotFile)
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	logs, err := filepath.Glob(filepath.Join(st.dir, "log-*.jsonl"))
	for _, log := range logs {
		if filepath.Base(log) != snap.Log {
			err = errors.Join(err, os.Remove(log))
		}
	}
	return err
}

func (st *store) close() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	return errors.Join(st.failure, st.log.Close())
}

// HasState reports whether a simulator left its state in the directory.
func HasState(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, snapshotFile))
	return err == nil
}

// snapshot writes the whole state. The caller holds s.mu, or is the only one who knows s.
func (s *Sim) snapshot() error {
	if s.store == nil {
		return nil
	}
	// The position comes first: what is logged while we look is applied twice, which does no harm, rather than never.
	snap := snapshot{At: s.clock.Now(), Seq: s.journal.Seq(), Calls: s.requests.Load(), World: s.state.world, States: map[string]json.RawMessage{}}
	snap.Log, snap.Number, snap.Offset = s.store.position()
	snap.World.Faults = nil
	snap.Faults = s.faults.List()
	for _, service := range s.state.services() {
		data, err := json.Marshal(service.Dump(snap.At))
		if err != nil {
			return err
		}
		snap.States[service.Name()] = data
	}
	return s.store.write(snap)
}

// restore applies what the state directory holds. Time goes on from where it stood.
func (s *Sim) restore(saved *saved) error {
	s.journal.Continue(saved.Seq)
	rules, at, calls := saved.Faults, saved.At, max(saved.Seq, saved.Calls)
	services := map[string]func(json.RawMessage) error{}
	for _, service := range s.state.services() {
		services[service.Name()] = service.Apply
		state, ok := saved.States[service.Name()]
		if !ok {
			continue // it was saved before there was this service
		}
		if err := service.Apply(state); err != nil {
			return fmt.Errorf("%s: states.%s: %w", snapshotFile, service.Name(), err)
		}
	}
	for i, r := range saved.records {
		if r.Entry != nil {
			s.journal.Restore(*r.Entry)
			calls = max(calls, callOf(r.Entry.RequestID))
			if r.Entry.At.After(at) {
				at = r.Entry.At
			}
		}
		if i < saved.news {
			continue
		}
		if r.Faults != nil {
			rules = *r.Faults
		}
		if r.Change != nil {
			if err := services[r.Service](r.Change); err != nil {
				return fmt.Errorf("%s: record %d: %w", saved.Log, i+1, err)
			}
		}
	}
	s.faults.Restore(rules)
	s.clock.Advance(at.Sub(s.clock.Now()))
	s.requests.Store(calls)
	return s.snapshot()
}

// saveFaults is what the fault rules call with every change of theirs.
func (s *Sim) saveFaults() func([]fault.State) {
	if s.store == nil {
		return nil
	}
	return func(rules []fault.State) {
		// The store remembers a failure to save: see send.
		_ = s.store.append(record{Faults: &rules})
	}
}

// saveEntry returns what the journal calls with an entry: it writes the entry and the change that goes with it.
func (s *Sim) saveEntry(service string, change any) func(journal.Entry) error {
	return func(e journal.Entry) error {
		if s.store == nil {
			return nil
		}
		r := record{Entry: &e}
		if change != nil {
			data, err := json.Marshal(change)
			if err != nil {
				return err
			}
			r.Service, r.Change = service, bytes.TrimSpace(data)
		}
		return s.store.append(r)
	}
}
