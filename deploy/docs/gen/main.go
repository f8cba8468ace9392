// Command gen writes deploy/docs/error-codes.md from the code, so that it cannot lag behind it. Run it with `make docs`.
package main

import (
	"bytes"
	"fmt"
	"os"
)

// page is where the result goes, from the root of the repository.
const page = "deploy/docs/error-codes.md"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run() error {
	var b bytes.Buffer
	if err := render(&b, "."); err != nil {
		return err
	}
	return os.WriteFile(page, b.Bytes(), 0o644)
}
