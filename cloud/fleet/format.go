package fleet

import (
	"path"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Format is how a target list is written.
type Format string

const (
	CSV  Format = "csv"  // a header names the columns, separated by comma, semicolon or tab; or ids alone
	JSON Format = "json" // one array, or a value a line, of ids or objects; what the clouds' command lines print; a Terraform state
	YAML Format = "yaml" // a list of ids or such objects, or lists by group
)

// FormatOf returns the format that the ending of a file's name stands for. Its error is a *membership.BadInput.
func FormatOf(name string) (Format, error) {
	switch strings.ToLower(path.Ext(name)) {
	case ".csv", ".tsv", ".txt":
		return CSV, nil
	case ".json", ".jsonl", ".ndjson", ".tfstate":
		return JSON, nil
	case ".yaml", ".yml":
		return YAML, nil
	}
	return "", membership.Bad([]membership.Problem{{Field: "targets.file", Value: membership.Quote(name),
		Want: "want a name that ends in .csv, .tsv, .txt, .json, .jsonl, .ndjson, .tfstate, .yaml or .yml"}})
}
