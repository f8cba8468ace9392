package kinds

import (
	"embed"
	"strings"
)

// files are what kinds have in their folders beside their code: plan.yaml, a request to try in the world that fleetjoin dev
// starts with; world.yaml and demo.yaml, what the demo does.
//
//go:embed */plan.yaml */world.yaml */demo.yaml
var files embed.FS

// Dir is the folder of a kind, from the root of the repository.
func Dir(id string) string { return "cloud/kinds/" + folder(id) }

// File reads a file in the folder of a kind.
func File(id, name string) ([]byte, error) { return files.ReadFile(folder(id) + "/" + name) }

func folder(id string) string { return strings.ReplaceAll(id, ".", "") }
