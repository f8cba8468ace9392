package sim_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/huaweisign"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// BenchmarkSignedRequests measures ShowServer over real HTTP in a world of 100,000 servers, client included.
func BenchmarkSignedRequests(b *testing.B) {
	w, err := sim.ParseWorld([]byte(base))
	require.NoError(b, err)
	w.Huawei.Generate = []world.Generate{{Name: "web-%06d", Count: 100_000, Flavor: "s6.large.2"}}
	s, err := sim.New(sim.Options{World: w})
	require.NoError(b, err)
	server := httptest.NewServer(s)
	defer server.Close()
	server.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = 64
	url := server.URL + "/v1/p1/cloudservers/" + world.ID(w.Seed, "server", "web-050000")
	began := time.Now()
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
			if err != nil {
				b.Error(err)
				return
			}
			huaweisign.Sign(r, nil, huaweisign.Key{Access: "AK", Secret: "SK"}, time.Now())
			response, err := server.Client().Do(r)
			if err != nil || response.StatusCode != http.StatusOK {
				b.Errorf("%v %v", response, err)
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "req/s")
}
