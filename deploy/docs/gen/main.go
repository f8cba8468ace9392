// Command gen writes deploy/docs/error-codes.md and the policies in the folders of the kinds from the code, so that they cannot lag
// behind it. Run it with `make docs`.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fleetjoin/fleetjoin/cloud/kinds"
	"github.com/fleetjoin/fleetjoin/deploy/policies"
)

// page is where the codes go, from the root of the repository.
const page = "deploy/docs/error-codes.md"

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run writes everything below root, the root of the repository.
func run(root string) error {
	files, err := generate(root)
	if err != nil {
		return err
	}
	for path, text := range files {
		if err := os.WriteFile(filepath.Join(root, path), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate makes every file, by its path from the root of the repository.
func generate(root string) (map[string][]byte, error) {
	var b bytes.Buffer
	if err := render(&b, root); err != nil {
		return nil, err
	}
	files := map[string][]byte{page: b.Bytes()}
	for _, k := range kinds.All(kinds.Clouds{}) {
		policy, err := policies.Render(k.Spec())
		if err != nil {
			return nil, err
		}
		files[kinds.Dir(k.Spec().ID)+"/"+policies.File] = policy
	}
	return files, nil
}
