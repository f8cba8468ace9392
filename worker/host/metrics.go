package host

import (
	"fmt"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/opentelemetry"

	"github.com/fleetjoin/fleetjoin/cloud/limit"
)

// metrics are what a worker tells Prometheus: its limiters, what the Temporal SDK counts, and the process itself. The
// zero value counts nothing.
type metrics struct {
	temporal client.MetricsHandler // takes what the SDK counts
	handler  http.Handler          // answers scrapes
}

// newMetrics makes the metrics of a worker whose limiters are in limits. All is read at a scrape; nothing runs between.
//
// The SDK's metrics go through OpenTelemetry and not through tally, the other way that the SDK offers: the same module
// has the interceptor that makes traces, so both can have one pipeline.
func newMetrics(limits *limit.Set, log *slog.Logger) (*metrics, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(newLimiterMetrics(limits), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithoutScopeInfo(), exporter.WithoutTargetInfo())
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	provider := metric.NewMeterProvider(metric.WithReader(reader), metric.WithView(inSeconds()))
	return &metrics{handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), temporal: opentelemetry.NewMetricsHandler(opentelemetry.MetricsHandlerOptions{
		Meter:                provider.Meter("temporal-sdk-go"),
		OnError:              func(err error) { log.Warn("a metric is lost", "error", err) },
		UseMonotonicCounters: true,
	})}, nil
}

// inSeconds gives timers buckets from a call's milliseconds to a long slice: the standard ones are made for milliseconds.
func inSeconds() metric.View {
	return metric.NewView(metric.Instrument{Kind: metric.InstrumentKindHistogram, Unit: "s"},
		metric.Stream{Aggregation: metric.AggregationExplicitBucketHistogram{
			Boundaries: []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600}}})
}

// limiterMetrics collects what the limiters do at the moment of a scrape. Their labels are names: of an account in the
// accounts file, of a region, of an API.
type limiterMetrics struct {
	limits *limit.Set

	rate, pause, waiting, throttled *prometheus.Desc
}

func newLimiterMetrics(limits *limit.Set) *limiterMetrics {
	describe := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("fleetjoin_api_"+name, help, []string{"account", "region", "api"}, nil)
	}
	return &limiterMetrics{
		limits:    limits,
		rate:      describe("rate_limit_calls_per_second", "Calls that this worker allows itself in a second."),
		pause:     describe("pause_seconds", "How long this worker still sends nothing because the cloud asked for that."),
		waiting:   describe("waiting_calls", "Calls of this worker that wait for their turn."),
		throttled: describe("throttled_total", "Answers to this worker that said that its calls come too fast."),
	}
}

// Describe implements prometheus.Collector.
func (m *limiterMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.rate, m.pause, m.waiting, m.throttled} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (m *limiterMetrics) Collect(to chan<- prometheus.Metric) {
	for _, s := range m.limits.State() {
		send := func(d *prometheus.Desc, kind prometheus.ValueType, value float64) {
			to <- prometheus.MustNewConstMetric(d, kind, value, s.Key.Account, s.Key.Region, s.Key.API)
		}
		send(m.rate, prometheus.GaugeValue, s.Rate)
		send(m.pause, prometheus.GaugeValue, s.Paused.Seconds())
		send(m.waiting, prometheus.GaugeValue, float64(s.Waiting))
		send(m.throttled, prometheus.CounterValue, float64(s.Throttled))
	}
}
