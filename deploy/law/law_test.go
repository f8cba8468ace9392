// Package law keeps the house in order: who may import whom, what may stand at the top, and how large a file may grow.
package law

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/fleetjoin/fleetjoin/"

// deps returns the packages of this module, and the modules of the cloud SDKs, that a package reaches.
func deps(t *testing.T, pkg string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", module+pkg).Output()
	require.NoError(t, err, "go list -deps %s", pkg)
	all := strings.Fields(string(out))
	require.Contains(t, all, strings.TrimSuffix(module+pkg, "/..."), "the law must look at something")
	return all
}

func reaches(all []string, what string) (found []string) {
	for _, p := range all {
		if strings.HasPrefix(p, what) {
			found = append(found, p)
		}
	}
	return found
}

// forbidden says what a package may not reach, and why.
var forbidden = []struct{ pkg, what, why string }{
	{"workflows", module + "cloud/kinds", "programs are data: a kind's code never runs in a workflow"},
	{"workflows", module + "cloud/huawei", "workflows do no I/O"},
	{"workflows", module + "cloud/alibaba", "workflows do no I/O"},
	{"workflows", module + "cloud/account", "runs carry names, never credentials"},
	{"workflows", module + "cloud/sim", "the simulator is for tests and the dev stack"},
	{"workflows", module + "activities", "the interpreter knows activities by name only"},
	{"workflows", "github.com/huaweicloud", "workflows know no SDK"},
	{"activities", module + "cloud/kinds", "kinds are handed in"},
	{"activities", module + "cloud/huawei", "activities know kinds only as an interface"},
	{"activities", module + "cloud/alibaba", "activities know kinds only as an interface"},
	{"activities", module + "cloud/sim", "the simulator is for tests and the dev stack"},
	{"cloud/membership", "go.temporal.io", "the domain knows no Temporal"},
	{"cloud/membership", "github.com/huaweicloud", "the domain knows no SDK"},
	{"cloud/verdict", module + "cloud/membership", "verdicts stand on their own"},
	{"cloud/wire", "github.com/huaweicloud", "it serves the client of either cloud"},
	{"cloud/wire", "github.com/alibabacloud-go", "it serves the client of either cloud"},
	{"cloud/sim", module + "cloud/kinds", "the simulator judges the kinds and so must not know them"},
	{"cloud/sim", module + "cloud/huawei", "the simulator must not share the client's mistakes"},
	{"cloud/sim", module + "cloud/alibaba", "the simulator must not share the client's mistakes"},
	{"cloud/sim", "github.com/aliyun", "the simulator knows no SDK"},
	{"cloud/sim", "github.com/alibabacloud-go", "the simulator knows no SDK"},
	{"cloud/sim", module + "cloud/membership", "the simulator is a cloud, not a part of fleetjoin"},
	{"cloud/sim", "github.com/huaweicloud", "the simulator knows no SDK"},
	{"cloud/sim", "go.temporal.io", "the simulator knows no Temporal"},
	{"worker", module + "cloud/sim", "a production worker carries no simulator"},
	{"starter", module + "deploy", "the CLI rests on nothing of what is around it"},
}

func TestImportLaw(t *testing.T) {
	known := make(map[string][]string)
	for _, f := range forbidden {
		if known[f.pkg] == nil {
			known[f.pkg] = deps(t, f.pkg)
		}
		require.Empty(t, reaches(known[f.pkg], f.what), "%s reaches %s: %s", f.pkg, f.what, f.why)
	}
}

// The law must be able to find what it forbids.
func TestImportLawBites(t *testing.T) {
	require.NotEmpty(t, reaches(deps(t, "worker"), module+"cloud/kinds"))
	require.NotEmpty(t, reaches(deps(t, "cloud/huawei"), "github.com/huaweicloud"))
}

func TestKindsDoNotKnowEachOther(t *testing.T) {
	dirs, err := filepath.Glob("../../cloud/kinds/*/kind.go")
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	for _, d := range dirs {
		self := "cloud/kinds/" + filepath.Base(filepath.Dir(d))
		for _, p := range reaches(deps(t, self), module+"cloud/kinds") {
			require.Equal(t, module+self, p, "%s reaches another kind", self)
		}
	}
}

func TestTheDomainIsStandardLibraryOnly(t *testing.T) {
	for _, pkg := range []string{"cloud/membership", "cloud/verdict"} {
		for _, p := range deps(t, pkg) {
			// One name in Unicode's several spellings is one person: x/text has the tables, and touches nothing.
			if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") && !strings.HasPrefix(p, "golang.org/x/text/") {
				require.True(t, strings.HasPrefix(p, module+"cloud/"), "%s reaches %s", pkg, p)
			}
		}
	}
}

func TestTopLevel(t *testing.T) {
	allowed := map[string]bool{"workflows": true, "activities": true, "worker": true, "starter": true, "cloud": true,
		"deploy": true, "go.mod": true, "go.sum": true, "Makefile": true, "README.md": true, "LICENSE": true}
	for _, file := range tracked(t) {
		top, _, _ := strings.Cut(file, "/")
		require.True(t, allowed[top] || strings.HasPrefix(top, "."), "%s stands at the top level", top)
	}
}

// mostLines is how long a Go file may be: longer ones are more than one thing.
const mostLines = 450

func TestFilesStaySmall(t *testing.T) {
	looked := 0
	for _, file := range tracked(t) {
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			continue
		}
		data, err := os.ReadFile("../../" + file)
		if os.IsNotExist(err) { // removed, not committed yet
			continue
		}
		require.NoError(t, err)
		looked++
		require.LessOrEqual(t, bytes.Count(data, []byte("\n")), mostLines, file)
	}
	require.Greater(t, looked, 50)
}

func tracked(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("git", "-C", "../..", "ls-files").Output()
	require.NoError(t, err)
	files := strings.Fields(string(out))
	require.NotEmpty(t, files)
	return files
}
