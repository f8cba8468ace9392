package host

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEndpointsAreOnLoopbackUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"": "", ":9090": "127.0.0.1:9090", "0.0.0.0:9090": "0.0.0.0:9090", "[::1]:1": "[::1]:1",
	} {
		got, err := listenAddress("--health", given)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestHealthTellsReadiness(t *testing.T) {
	t.Parallel()
	h := &health{}
	get := func() int {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/healthz", nil))
		return w.Code
	}
	require.Equal(t, http.StatusServiceUnavailable, get())
	h.ready.Store(true)
	require.Equal(t, http.StatusOK, get())
}

// serving serves endpoints until the test ends, and returns their URLs.
func serving(t *testing.T, wanted ...endpoint) (urls []string) {
	t.Helper()
	var out syncBuffer
	log, err := NewLogger(&out, "json", "info")
	require.NoError(t, err)
	served, err := serve(log, wanted...)
	require.NoError(t, err)
	t.Cleanup(served.close)
	for _, found := range regexp.MustCompile(`"url":"([^"]+)"`).FindAllStringSubmatch(out.String(), -1) {
		urls = append(urls, found[1])
	}
	return urls
}

func fetch(t *testing.T, url string) (status int, body string) {
	t.Helper()
	answer, err := http.Get(url)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(data)
}

func says(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
}

func TestEndpointsOfOneAddressShareIt(t *testing.T) {
	t.Parallel()
	host := func(url string) string {
		at, _, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
		return at
	}
	urls := serving(t, endpoint{"--one", "127.0.0.1:0", "/one", says("1")}, endpoint{"--two", ":0", "/two", says("2")},
		endpoint{"--none", "", "/none", nil}, endpoint{"--three", "localhost:0", "/three", says("3")})
	require.Len(t, urls, 3)
	require.Equal(t, host(urls[0]), host(urls[1]))
	require.NotEqual(t, host(urls[0]), host(urls[2]))
	for i, want := range []string{"1", "2", "3"} {
		_, got := fetch(t, urls[i])
		require.Equal(t, want, got)
	}
	status, _ := fetch(t, "http://"+host(urls[0])+"/three")
	require.Equal(t, http.StatusNotFound, status)

	log, err := NewLogger(io.Discard, "json", "info")
	require.NoError(t, err)
	_, err = serve(log, endpoint{"--free", "127.0.0.1:0", "/", says("")}, endpoint{"--taken", host(urls[0]), "/", says("")})
	require.ErrorContains(t, err, "--taken: ")
	require.ErrorContains(t, err, "choose another address")
}
