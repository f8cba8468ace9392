package report

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"

	"github.com/fleetjoin/fleetjoin/cloud/archive"
	"github.com/fleetjoin/fleetjoin/cloud/fleet"
)

// document is the JSON of a fleet. Its shape is contract.
type document struct {
	Run       string           `json:"run,omitempty"`
	Archive   string           `json:"archive,omitempty"`
	Manifest  string           `json:"manifest,omitempty"`
	Requester string           `json:"requester,omitempty"`
	Report    fleet.Report     `json:"report"`
	Waves     []archive.Wave   `json:"waves"`
	Cohorts   []archive.Cohort `json:"cohorts"` // in the order in which they ended
	Members   []archive.Member `json:"members"` // in the order of the plan, one on a line
}

// WriteJSON writes the fleet as one document: its report, its waves and cohorts, and every member on a line of its own.
func WriteJSON(ctx context.Context, f *archive.Run, to io.Writer) error {
	head, err := json.MarshalIndent(document{Run: f.ID, Archive: f.Key, Manifest: f.Manifest, Requester: f.Plan.Requester,
		Report: f.Report, Waves: f.Waves(), Cohorts: f.Cohorts(), Members: []archive.Member{}}, "", "  ")
	if err != nil {
		return err
	}
	// The members come last, so they can be written as they are read. A writer that fails once fails at the end, too.
	w := bufio.NewWriter(to)
	_, _ = w.Write(bytes.TrimSuffix(head, []byte("]\n}")))
	separator := "\n    "
	for m, err := range f.Members(ctx) {
		if err != nil {
			return err
		}
		line, err := json.Marshal(m)
		if err != nil {
			return err
		}
		_, _ = w.WriteString(separator)
		_, _ = w.Write(line)
		separator = ",\n    "
	}
	_, _ = w.WriteString("\n  ]\n}\n")
	return w.Flush()
}
