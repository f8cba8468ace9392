// Package release tells which release of fleetjoin this is.
package release

import "runtime/debug"

// Version is the release that this code is, or becomes. Its replay corpus is workflows/testdata/histories/<Version>, and its
// changes stand in deploy/docs/releases.md under that name.
const Version = "v0.1.0"

// String is the version and, when the build knows it, the revision it was built from, such as "v0.1.0 (4813448, modified)".
func String() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Version
	}
	revision, modified := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(len(s.Value), 7)]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = ", modified"
		}
	}
	if revision == "" {
		return Version
	}
	return Version + " (" + revision + modified + ")"
}
