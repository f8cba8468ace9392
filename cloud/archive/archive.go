// Package archive reads what the workers keep of runs that have ended. Every blob of their store is named by the hash of its
// content: from the key of a run's account one comes to everything else, and nothing of it can have been changed since
// without being noticed.
package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/cloud/store"
)

// Get returns the blob with a key, from wherever it is kept. It is called by several goroutines at once. What it returns
// is checked against the key: it need not be trusted. Its errors name the key.
type Get func(ctx context.Context, key string) ([]byte, error)

// Run is a run that has ended. Its members are read anew each time that they are asked for, a few pages at once, so
// that 100,000 of them take no more memory than some hundred.
type Run struct {
	fleet.Archive
	ID  string // its workflow id, when it is known
	Key string // of the archive; "" when the run ended before it had one

	from  Get
	pages []page // in the order of the plan
}

// page is where some members are, and what is known of them.
type page struct {
	step, wave int
	ref        fleet.PageRef
	seen       string       // the key of what people saw of it, "" when nobody had to
	parts      []fleet.Part // in the order in which they ended
}

// Open reads the archive of a run and finds where its members are.
func Open(ctx context.Context, from Get, archive string) (*Run, error) {
	f := &Run{Key: archive, from: from}
	var err error
	if f.Archive, err = get[fleet.Archive](ctx, from, "the archive", archive); err != nil {
		return nil, err
	}
	if f.Report.Outcome == "" || f.Manifest == "" {
		return nil, fmt.Errorf("%s is not the key of a run's archive", archive)
	}
	f.Report.Archive = archive
	manifest, err := get[fleet.Manifest](ctx, from, "the manifest", f.Manifest)
	if err != nil {
		return nil, err
	}
	if err := f.layOut(manifest); err != nil {
		return nil, fmt.Errorf("archive %s: %w", archive, err)
	}
	return f, nil
}

// Of is for a run that ended before its members were found, so that nothing is kept of it but its report.
func Of(r fleet.Report) *Run { return &Run{Archive: fleet.Archive{Report: r}} }

// layOut finds the pages, and what each part tells of them.
func (f *Run) layOut(m fleet.Manifest) error {
	type place struct{ step, wave, page int }
	at := make(map[place]int)
	for s, step := range m.Steps {
		if s >= len(f.Report.Steps) || len(step.Waves) != len(f.Report.Steps[s].Waves) {
			return errors.New("the report has other steps and waves than the manifest")
		}
		nth := 0
		for w, refs := range step.Waves {
			for p, ref := range refs {
				at[place{s, w, p}] = len(f.pages)
				f.pages = append(f.pages, page{step: s, wave: w, ref: ref, seen: f.seen(s, nth)})
				nth++
			}
		}
	}
	for _, part := range f.Parts {
		i, ok := at[place{part.Input.Step, part.Input.Wave, part.Input.Page}]
		if !ok {
			return fmt.Errorf("%s is about a page that the manifest does not have", named(part))
		}
		f.pages[i].parts = append(f.pages[i].parts, part)
	}
	return nil
}

func (f *Run) seen(step, nth int) string {
	if step >= len(f.Seen) || nth >= len(f.Seen[step]) {
		return ""
	}
	return f.Seen[step][nth].Key
}

// get returns the verified content of a blob. what says whose it is.
func get[T any](ctx context.Context, from Get, what, key string) (v T, err error) {
	data, err := from(ctx, key)
	switch {
	case err != nil:
		return v, fmt.Errorf("%s: %w", what, err)
	case string(store.KeyOf(data)) != key:
		return v, fmt.Errorf("%s: blob %s: %w: the %d bytes there are not what the key names", what, key, store.ErrDamaged, len(data))
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return v, fmt.Errorf("%s: blob %s is no %T: %w", what, key, v, err)
	}
	return v, nil
}

// Act says what a cohort was to do with its members.
type Act string

const (
	ActFirst    Act = ""         // take them through their program
	ActRetry    Act = "retry"    // the same, once more
	ActPutBack  Act = "put-back" // take those back who had joined
	ActDecision Act = "decision" // nothing: a person vouched for them or took them out
)

func actOf(p fleet.Part) Act {
	switch again := p.Input.Again; {
	case again == nil:
		return ActFirst
	case again.Undo:
		return ActPutBack
	case p.Cohort == "":
		return ActDecision
	}
	return ActRetry
}

// Cohort is what became of some members together.
type Cohort struct {
	ID      string                     `json:"cohort,omitempty"` // its workflow id; "" for a decision
	Act     Act                        `json:"act,omitempty"`
	Step    int                        `json:"step"` // from 1
	Wave    string                     `json:"wave"`
	Members int                        `json:"members"`
	Counts  map[membership.Outcome]int `json:"counts"`
	Started time.Time                  `json:"started,omitzero"`
	Ended   time.Time                  `json:"ended,omitzero"`
	Record  string                     `json:"record,omitempty"` // the key of its record
	Error   string                     `json:"error,omitempty"`  // why it ended without one

	Number int `json:"-"` // of the wave in its step, from 0
}

// Cohorts returns the cohorts of the run in the order in which they ended.
func (f *Run) Cohorts() []Cohort {
	all := make([]Cohort, len(f.Parts))
	for i, p := range f.Parts {
		all[i] = Cohort{ID: p.Cohort, Act: actOf(p), Step: p.Input.Step + 1, Wave: f.waveName(p.Input.Step, p.Input.Wave),
			Members: p.Members(), Counts: p.Counts, Started: p.Started, Ended: p.Ended, Record: p.Record, Error: p.Error,
			Number: p.Input.Wave}
	}
	return all
}

// Wave is how one wave went.
type Wave struct {
	Step    int                        `json:"step"` // from 1
	Name    string                     `json:"name"`
	Members int                        `json:"members"`
	Counts  map[membership.Outcome]int `json:"counts"`
	Failed  int                        `json:"failed"`  // in the end, as the budget counts
	PutBack int                        `json:"putBack"` // after they had joined; in Counts, they are rolled back, too
	// Started and Ended are when the first cohort began and the last ended, but for those that put members back; zero
	// when there was none.
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`

	Number int `json:"-"` // of the wave in its step, from 0
}

// Waves returns the waves of all steps in the order of the plan.
func (f *Run) Waves() []Wave {
	all := []Wave{}
	for s, step := range f.Report.Steps {
		for w, surveyed := range step.Waves {
			wave := Wave{Step: s + 1, Name: surveyed.Name, Members: surveyed.Members, Number: w}
			var forward, back []fleet.Part
			for _, p := range f.Parts {
				switch {
				case p.Input.Step != s || p.Input.Wave != w:
				case actOf(p) == ActPutBack:
					back = append(back, p)
					wave.PutBack += p.Counts[membership.RolledBack]
				default:
					forward = append(forward, p)
					wave.extend(p)
				}
			}
			wave.Counts = fleet.Tally(slices.Concat(forward, back))
			wave.Failed = fleet.Part{Counts: fleet.Tally(forward)}.Failed()
			if left := wave.Members - (fleet.Part{Counts: wave.Counts}).Members(); left > 0 {
				wave.Counts[membership.NotStarted] += left
			}
			all = append(all, wave)
		}
	}
	return all
}

func (w *Wave) extend(p fleet.Part) {
	if p.Started.IsZero() {
		return
	}
	if w.Started.IsZero() || p.Started.Before(w.Started) {
		w.Started = p.Started
	}
	if p.Ended.After(w.Ended) {
		w.Ended = p.Ended
	}
}

func (f *Run) waveName(step, wave int) string {
	if step >= len(f.Report.Steps) || wave >= len(f.Report.Steps[step].Waves) {
		return ""
	}
	return f.Report.Steps[step].Waves[wave].Name
}

func named(p fleet.Part) string {
	if p.Cohort == "" {
		return "a person's decision"
	}
	return "cohort " + p.Cohort
}
