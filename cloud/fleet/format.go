package fleet

import (
	"path"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Format is how a target list is written.
type Format string

const (
	CSV  Format = "csv"  // a header names the columns; separated by comma, semicolon or tab
	JSON Format = "json" // one array, or a value a line; ids, or objects with member (or id), group and traits
	YAML Format = "yaml" // a list of ids or such objects, or lists by group
)

// FormatOf returns the format that the ending of a file's name stands for. Its error is a *membership.BadInput.
func FormatOf(name string) (Format, error) {
	switch strings.ToLower(path.Ext(name)) {
	case ".csv", ".tsv":
		return CSV, nil
	case ".json", ".jsonl", ".ndjson":
		return JSON, nil
	case ".yaml", ".yml":
		return YAML, nil
	}
	return "", membership.Bad([]membership.Problem{{Field: "targets.file", Value: membership.Quote(name),
		Want: "want a name that ends in .csv, .tsv, .json, .jsonl, .ndjson, .yaml or .yml"}})
}
