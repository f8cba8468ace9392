package host

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/account"
	"github.com/fleetjoin/fleetjoin/cloud/limit"
	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// scrape gets /metrics as Prometheus would, and returns its values by name and labels, and the labels of all.
func scrape(t *testing.T, url string) (values map[string]float64, labels map[string]bool) {
	t.Helper()
	_, text := fetch(t, url)
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	require.NoError(t, err)
	values, labels = make(map[string]float64), make(map[string]bool)
	for name, family := range families {
		for _, m := range family.GetMetric() {
			id := name
			for _, l := range m.GetLabel() {
				id += fmt.Sprintf(" %s=%s", l.GetName(), l.GetValue())
				labels[l.GetName()] = true
			}
			switch family.GetType() {
			case dto.MetricType_COUNTER:
				values[id] = m.GetCounter().GetValue()
			case dto.MetricType_GAUGE:
				values[id] = m.GetGauge().GetValue()
			case dto.MetricType_HISTOGRAM:
				values[id] = m.GetHistogram().GetSampleSum()
			}
		}
	}
	return values, labels
}

const throttlingWorld = `
accounts: [{name: demo, accessKey: KEY-of-demo, secretKey: SECRET-of-demo, projectId: p1, region: sim-1}]
faults: [{match: {action: ShowServerLimits}, count: 1, effect: throttle, retryAfter: "60"}]
`

func TestAThrottlingCloudIsSeenInTheMetrics(t *testing.T) {
	t.Setenv("AK", "KEY-of-demo")
	t.Setenv("SK", "SECRET-of-demo")
	w, err := world.Parse([]byte(throttlingWorld))
	require.NoError(t, err)
	clouds, err := sim.New(sim.Options{World: w})
	require.NoError(t, err)
	server := httptest.NewServer(clouds)
	t.Cleanup(server.Close)
	accounts, err := account.Parse([]byte(strings.ReplaceAll(demoAccounts, "http://127.0.0.1:1", server.URL)), "accounts.yaml")
	require.NoError(t, err)

	var limits limit.Set
	told, err := newMetrics(&limits, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	url := serving(t, endpoint{"--metrics", "127.0.0.1:0", "/metrics", told.handler})[0]
	client, err := connectTo(accounts, &limits).Huawei(t.Context(), "demo")
	require.NoError(t, err)
	const labels = " account=demo api=ShowServerLimits region=sim-1"
	values, _ := scrape(t, url)
	require.NotContains(t, values, "fleetjoin_api_throttled_total"+labels)

	_, err = client.Limits(t.Context())
	require.Equal(t, verdict.Throttled, verdict.Of(err))
	values, names := scrape(t, url)
	require.Equal(t, 1.0, values["fleetjoin_api_throttled_total"+labels])
	require.Equal(t, 0.0, values["fleetjoin_api_waiting_calls"+labels])
	require.Equal(t, limits.State()[0].Rate, values["fleetjoin_api_rate_limit_calls_per_second"+labels])
	require.Less(t, limits.State()[0].Rate, limits.State()[0].Start)
	require.InDelta(t, 60, values["fleetjoin_api_pause_seconds"+labels], 59)

	_, text := fetch(t, url)
	require.NotContains(t, text, "-of-demo", "no keys")
	for _, label := range slices.Sorted(maps.Keys(names)) {
		require.Contains(t, []string{"account", "api", "region", "quantile", "version"}, label)
	}
}

func TestTheTemporalSDKIsCounted(t *testing.T) {
	t.Parallel()
	told, err := newMetrics(&limit.Set{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	url := serving(t, endpoint{"--metrics", "127.0.0.1:0", "/metrics", told.handler})[0]
	sdk := told.temporal.WithTags(map[string]string{"operation": "PollActivityTaskQueue"})
	sdk.Counter("temporal_request").Inc(3)
	sdk.Gauge("temporal_num_pollers").Update(5)
	sdk.Timer("temporal_request_latency").Record(70 * time.Second)

	values, _ := scrape(t, url)
	require.Equal(t, 3.0, values["temporal_request_total operation=PollActivityTaskQueue"])
	require.Equal(t, 5.0, values["temporal_num_pollers operation=PollActivityTaskQueue"])
	require.Equal(t, 70.0, values["temporal_request_latency_seconds operation=PollActivityTaskQueue"])
	require.Contains(t, values, "go_goroutines")
	_, text := fetch(t, url)
	require.Contains(t, text, `temporal_request_latency_seconds_bucket{operation="PollActivityTaskQueue",le="300"} 1`)
	require.Contains(t, text, `temporal_request_latency_seconds_bucket{operation="PollActivityTaskQueue",le="60"} 0`)
}

func TestTheLimitersMetricsAreNamedAsPrometheusWants(t *testing.T) {
	t.Parallel()
	var limits limit.Set
	limits.For(limit.Key{Account: "a", Region: "r", API: "Add"}, limit.Seed{})
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(newLimiterMetrics(&limits))
	families, err := registry.Gather()
	require.NoError(t, err)
	require.Len(t, families, 4)
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
}
