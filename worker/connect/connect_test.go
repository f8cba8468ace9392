package connect

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/fleetjoin/fleetjoin/workflows"
)

func TestUnreachableSaysWhatToSet(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err = Dial(ctx, Options{Address: address, Name: "test"})
	var unreachable *UnreachableError
	require.ErrorAs(t, err, &unreachable)
	require.ErrorContains(t, err, address)
	require.ErrorContains(t, err, "TEMPORAL_ADDRESS")
}

func TestConfigurationIsTheEcosystems(t *testing.T) {
	file := filepath.Join(t.TempDir(), "temporal.toml")
	require.NoError(t, os.WriteFile(file, []byte("[profile.away]\naddress = \"127.0.0.1:1\"\nnamespace = \"n\"\n"), 0o600))
	t.Setenv("TEMPORAL_CONFIG_FILE", file)
	_, err := Dial(t.Context(), Options{Profile: "nope"})
	require.ErrorContains(t, err, "--profile")
	require.ErrorContains(t, err, file)
	_, err = Dial(t.Context(), Options{Profile: "away"})
	require.ErrorContains(t, err, "does not answer at 127.0.0.1:1")
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:2")
	_, err = Dial(t.Context(), Options{Profile: "away"})
	require.ErrorContains(t, err, "does not answer at 127.0.0.1:2", "the environment wins over the file")
	t.Setenv("TEMPORAL_NAMESPACE", "\xca\xb5\n")
	_, err = Dial(t.Context(), Options{Profile: "away"})
	require.ErrorContains(t, err, `namespace "ʵ\n" has characters that are not printable ASCII`)
}

func TestMissingSearchAttributesComeWithTheirCommand(t *testing.T) {
	t.Parallel()
	all := map[string]enumspb.IndexedValueType{}
	for _, a := range workflows.SearchAttributes() {
		all[a.Name] = a.Type
	}
	require.NotEmpty(t, all)
	require.NoError(t, missing("h:1", "ns", all))

	delete(all, "FleetjoinPhase")
	err := missing("h:1", "ns", all)
	require.ErrorContains(t, err, "temporal operator search-attribute create --address h:1 --namespace ns")
	require.ErrorContains(t, err, "--name FleetjoinPhase --type Keyword")
	require.NotContains(t, err.Error(), "FleetjoinKind")

	all["FleetjoinPhase"] = enumspb.INDEXED_VALUE_TYPE_INT
	require.ErrorContains(t, missing("h:1", "ns", all), "FleetjoinPhase is a Int and must be a Keyword")
}
