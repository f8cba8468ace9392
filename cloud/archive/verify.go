package archive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Checked says what Verify has looked at, and found to be right.
type Checked struct {
	Archive  string `json:"archive"` // its key, which vouches for the rest
	Manifest string `json:"manifest"`
	Pages    int    `json:"pages"`
	Records  int    `json:"records"`
	Sights   int    `json:"sights"` // of what people saw before they decided
	Members  int    `json:"members"`
}

// String tells it in a line.
func (c Checked) String() string {
	blobs := []string{"the archive", "the manifest", membership.Count(c.Pages, "page"), membership.Count(c.Records, "record")}
	if c.Sights > 0 {
		blobs = append(blobs, membership.Count(c.Sights, "preview"))
	}
	last := len(blobs) - 1
	return fmt.Sprintf("%s and %s are what their keys say, and %s add up to the report", strings.Join(blobs[:last], ", "), blobs[last],
		membership.Count(c.Members, "member"))
}

// Verify reads every blob that the archive leads to and checks that each is what its key says, that they are about each
// other, and that what became of the members adds up to the report. The error names the first blob that is not right.
func (f *Run) Verify(ctx context.Context) (Checked, error) {
	c := Checked{Archive: f.Key, Manifest: f.Manifest, Pages: len(f.pages)}
	if f.Key == "" {
		return c, errors.New("nothing is kept of the run: it ended before its members were found")
	}
	total := make(map[membership.Outcome]int)
	steps := make([]map[membership.Outcome]int, len(f.Report.Steps))
	for page, err := range f.read(ctx, true) {
		if err != nil {
			return c, err
		}
		c.Records += page.records
		c.Members += len(page.Members)
		if steps[page.Step] == nil {
			steps[page.Step] = make(map[membership.Outcome]int)
		}
		for _, m := range page.Members {
			total[m.Outcome]++
			steps[page.Step][m.Outcome]++
		}
	}
	for _, p := range f.pages {
		if p.seen != "" {
			c.Sights++
		}
	}
	if !maps.Equal(total, f.Report.Counts) {
		return c, fmt.Errorf("archive %s: it counts %s, and its members are %s", f.Key, tally(f.Report.Counts), tally(total))
	}
	for i, s := range f.Report.Steps {
		if !maps.Equal(steps[i], s.Counts) {
			return c, fmt.Errorf("archive %s: it counts %s in step %d, and its members are %s", f.Key, tally(s.Counts), i+1, tally(steps[i]))
		}
	}
	return c, nil
}

// checkSight reads what people saw of a page and compares it with what they were told.
func (f *Run) checkSight(ctx context.Context, p page) error {
	what := fmt.Sprintf("step %d, %s: a preview", p.step+1, f.waveName(p.step, p.wave))
	s, err := get[fleet.Sight](ctx, f.from, what, p.seen)
	if err == nil && len(s.Members) != p.ref.Count {
		err = fmt.Errorf("%s, %s: it has %d members, and the page %d", what, p.seen, len(s.Members), p.ref.Count)
	}
	return err
}
