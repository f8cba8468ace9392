package report

import (
	"github.com/fleetjoin/fleetjoin/cloud/archive"

	"context"
	"encoding/csv"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// WriteCSV writes a line for every member, below one with the names of the columns; new columns come last. What was before
// is k=v;k=v in one cell.
func WriteCSV(ctx context.Context, f *archive.Run, to io.Writer) error {
	w := csv.NewWriter(to)
	err := w.Write([]string{"step", "wave", "group", "member", "name", "outcome", "stage", "code", "reason", "request", "before", "cohort", "host"})
	for m, failed := range f.Members(ctx) {
		if err = failed; err != nil {
			break
		}
		line := []string{strconv.Itoa(m.Step), m.Wave, m.Group, m.ID, m.Name, string(m.Outcome), m.Stage, m.Code, m.Reason, m.RequestID,
			facts(m.Before, ";"), m.Cohort, m.Host}
		for i := range line {
			line[i] = literal(line[i])
		}
		if err = w.Write(line); err != nil {
			break
		}
	}
	w.Flush()
	if err == nil {
		err = w.Error()
	}
	return err
}

// literal keeps what somebody calls a server from being taken for a formula by a spreadsheet, or for orders by a terminal.
func literal(cell string) string {
	cell = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return unicode.ReplacementChar
		}
		return r
	}, cell)
	if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// facts renders facts in the order of their names.
func facts(before map[string]string, separator string) string {
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(before)) {
		pairs = append(pairs, k+"="+before[k])
	}
	return strings.Join(pairs, separator)
}
