package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"text/tabwriter"
)

// Report is everything that one call of the bench measured.
type Report struct {
	Machine Machine `json:"machine"`
	Tables  []Table `json:"tables"`
}

// Machine is what the absolute numbers depend on.
type Machine struct {
	Cores    int    `json:"cores"`
	Platform string `json:"platform"`
	Go       string `json:"go"`
	Temporal string `json:"temporal"`
	Load     string `json:"load,omitempty"` // of the last 1, 5 and 15 minutes before the bench, where the system tells
}

// Table answers one section's question.
type Table struct {
	Section string   `json:"section"`
	Setup   []string `json:"setup"` // what was done, so that the numbers can be judged
	Against string   `json:"against,omitempty"`
	Rows    []Row    `json:"rows"`
	Claims  []Claim  `json:"claims,omitempty"`
}

// Row is one variant. Numbers per member are means over all members.
type Row struct {
	Variant   string    `json:"variant"`
	Members   int       `json:"members"`
	Seconds   float64   `json:"seconds"` // the median of the rounds, where there are several
	Slowest   float64   `json:"slowestSeconds"`
	PerSecond float64   `json:"membersPerSecond"`
	Events    float64   `json:"eventsPerMember"`
	Calls     float64   `json:"callsPerMember"`
	InVain    float64   `json:"writesInVainPerMember"` // refused, or found done already
	Ratio     float64   `json:"ratio,omitempty"`       // to the variant that Table.Against names
	Downtime  *Downtime `json:"downtime,omitempty"`
	// Of fleets: the most memory of the worker's process, and the longest of all histories.
	Peak          float64 `json:"peakMB,omitempty"`
	LongestEvents int64   `json:"longestHistoryEvents,omitempty"`
	LongestMB     float64 `json:"longestHistoryMB,omitempty"`
}

// Claim is what the project says about itself, and whether this run bears it out.
type Claim struct {
	What    string  `json:"what"`
	Value   float64 `json:"value"`
	Limit   float64 `json:"limit"`
	AtLeast bool    `json:"atLeast"` // the value must not be below the limit; otherwise it must not be above
	Holds   bool    `json:"holds"`
}

func atLeast(what string, value, limit float64) Claim {
	return Claim{What: what, Value: value, Limit: limit, AtLeast: true, Holds: value >= limit}
}

func atMost(what string, value, limit float64) Claim {
	return Claim{What: what, Value: value, Limit: limit, Holds: value <= limit}
}

func (c Claim) String() string {
	sign, verdict := "≤", "holds"
	if c.AtLeast {
		sign = "≥"
	}
	if !c.Holds {
		verdict = "DOES NOT HOLD"
	}
	return fmt.Sprintf("%s: %.3g, claimed %s %g: %s", c.What, c.Value, sign, c.Limit, verdict)
}

// withoutClaims leaves out what sizes that are too small say nothing about.
func (r Report) withoutClaims() {
	for i := range r.Tables {
		r.Tables[i].Claims = nil
	}
}

func (r Report) json(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(r)
}

func (r Report) text(w io.Writer) error {
	m := r.Machine
	fmt.Fprintf(w, "%d cores, %s, %s, %s; load before: %s\n", m.Cores, m.Platform, m.Go, m.Temporal, m.Load)
	for _, t := range r.Tables {
		if err := t.text(w); err != nil {
			return err
		}
	}
	return nil
}

func (t Table) text(w io.Writer) error {
	fmt.Fprintf(w, "\n%s\n", strings.ToUpper(t.Section))
	for _, line := range t.Setup {
		fmt.Fprintf(w, "  %s\n", line)
	}
	fmt.Fprintln(w)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	head := []string{"variant", "members", "wall s", "slowest", "members/s", "events/m", "calls/m", "in vain/m"}
	if t.Against != "" {
		head = append(head, t.Against)
	}
	timed := t.Rows[0].Downtime != nil
	if timed {
		head = append(head, "off s p50", "p95", "own s p50", "off/own p50", "p95", "max")
	}
	scaled := t.Rows[0].Peak > 0
	if scaled {
		head = append(head, "peak MB", "longest history", "MB")
	}
	fmt.Fprintln(tw, strings.Join(head, "\t")+"\t")
	for _, r := range t.Rows {
		fmt.Fprintf(tw, "%s\t%d\t%.1f\t%.1f\t%.1f\t%.2f\t%.1f\t%.2f\t", r.Variant, r.Members, r.Seconds, r.Slowest, r.PerSecond,
			r.Events, r.Calls, r.InVain)
		if t.Against != "" {
			fmt.Fprintf(tw, "%.2f\t", r.Ratio)
		}
		if d := r.Downtime; d != nil {
			fmt.Fprintf(tw, "%.0f\t%.0f\t%.0f\t%.3f\t%.3f\t%.3f\t", d.Off.P50, d.Off.P95, d.Own.P50,
				d.Ratio.P50, d.Ratio.P95, d.Ratio.Max)
		}
		if scaled {
			fmt.Fprintf(tw, "%.0f\t%d\t%.1f\t", r.Peak, r.LongestEvents, r.LongestMB)
		}
		fmt.Fprintln(tw)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if len(t.Claims) > 0 {
		fmt.Fprintln(w)
	}
	for _, c := range t.Claims {
		if _, err := fmt.Fprintf(w, "  %s\n", c); err != nil {
			return err
		}
	}
	return nil
}

func machine(ctx context.Context, temporal string) Machine {
	m := Machine{Cores: runtime.NumCPU(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Load: "unknown"}
	if out, err := exec.CommandContext(ctx, temporal, "--version").Output(); err == nil {
		m.Temporal = strings.TrimSpace(string(out))
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load = strings.Join(strings.Fields(string(load))[:3], " ")
	}
	return m
}
