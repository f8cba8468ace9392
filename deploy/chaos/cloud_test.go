package chaos

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim/control"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

const (
	worldFile    = "world.yaml"
	accountsFile = "accounts.yaml"

	groups       = 30 // one for each run, and some for those that are tried again
	mostUnlucky  = 10
	luckyName    = "lucky-%02d-%%03d"
	unluckyName  = "unlucky-%02d-%%03d"
	worldAndKeys = `
seed: %d
accounts: [{name: chaos, accessKey: AKCHAOS, secretKey: SKCHAOS, projectId: chaosproject, region: sim-1}]
huawei:
  latency: 5ms-20ms
  readLag: 500ms
  timings: {stop: 500ms-2s, start: 500ms-2s, add: 100ms-300ms, remove: 100ms-300ms}
  quotas: {serverGroups: 100, serverGroupMembers: 500}
  flavors: [{id: s6.large.2}]
`
	accounts = `
accounts:
  chaos:
    provider: huawei
    region: sim-1
    projectId: chaosproject
    endpoints: {ecs: "http://%s"}
    credentials: {accessKey: {file: ak}, secretKey: {file: sk}}
`
)

// writeWorld writes a world with a group and its servers for each run, and an accounts file for it.
func (s *stack) writeWorld(t *testing.T) {
	t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, worldAndKeys, s.seed)
	text.WriteString("  groups:\n")
	for g := range groups {
		fmt.Fprintf(&text, "  - {name: group-%02d}\n", g)
	}
	text.WriteString("  generate:\n")
	for g := range groups {
		fmt.Fprintf(&text, "  - {name: %q, count: %d, flavor: s6.large.2, stoppedPercent: 20}\n",
			fmt.Sprintf(luckyName, g), page)
		fmt.Fprintf(&text, "  - {name: %q, count: %d, flavor: s6.large.2, startFails: after-add}\n",
			fmt.Sprintf(unluckyName, g), mostUnlucky)
	}
	for name, content := range map[string]string{worldFile: text.String(), "ak": "AKCHAOS", "sk": "SKCHAOS",
		accountsFile: fmt.Sprintf(accounts, s.cloud.address)} {
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600))
	}
}

// cohort is a group and who is to join it.
type cohort struct {
	group   string
	members []string
	unlucky []string // those whose start fails once they are in the group
}

// cohort gives out servers that no other run touches: the unlucky ones first, then the lucky ones, of which a fifth is
// off from the beginning.
func (s *stack) cohort(t *testing.T, size, unlucky int) cohort {
	t.Helper()
	g := int(s.cohorts.Add(1)) - 1
	require.Less(t, g, groups, "the world has no more groups")
	c := cohort{group: world.ID(s.seed, "group", fmt.Sprintf("group-%02d", g))}
	for i := range size {
		name, n := fmt.Sprintf(luckyName, g), i-unlucky+1
		if i < unlucky {
			name, n = fmt.Sprintf(unluckyName, g), i+1
		}
		c.members = append(c.members, world.ID(s.seed, "server", fmt.Sprintf(name, n)))
	}
	c.unlucky = c.members[:unlucky]
	return c
}

// cloud is the simulator's control plane.
type cloud struct{ address string }

func (c cloud) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return control.Plane("http://"+c.address).Do(ctx, method, path, in, out)
}

// seq is the number of the journal's newest entry.
func (c cloud) seq(ctx context.Context) (int64, error) {
	var health struct {
		Seq int64 `json:"seq"`
	}
	err := c.call(ctx, http.MethodGet, "health", nil, &health)
	return health.Seq, err
}

// journal returns the calls after since, or the writes among them.
func (c cloud) journal(ctx context.Context, since int64, writes bool) ([]journal.Entry, error) {
	var page struct {
		Entries []journal.Entry `json:"entries"`
	}
	err := c.call(ctx, http.MethodGet, fmt.Sprintf("journal?since=%d&writes=%t", since, writes), nil, &page)
	return page.Entries, err
}

// servers returns all servers as they truly are, by id.
func (c cloud) servers(t *testing.T) map[string]world.Server {
	t.Helper()
	var w world.World
	require.NoError(t, c.call(t.Context(), http.MethodGet, "world", nil, &w))
	byID := make(map[string]world.Server, len(w.Huawei.Servers))
	for _, s := range w.Huawei.Servers {
		byID[s.ID] = s
	}
	return byID
}

// fault makes something go wrong until it is mended.
func (c cloud) fault(t *testing.T, rule fault.Rule) (mend func()) {
	t.Helper()
	var made struct {
		ID string `json:"id"`
	}
	require.NoError(t, c.call(t.Context(), http.MethodPost, "faults", rule, &made))
	return func() {
		require.NoError(t, c.call(t.Context(), http.MethodDelete, "faults/"+made.ID, nil, nil))
	}
}
