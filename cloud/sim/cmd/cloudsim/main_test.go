package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// cloudsim runs the program and returns its address, and a function that stops it and returns its exit code.
func cloudsim(t *testing.T, args ...string) (string, func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan int, 1)
	var stderr bytes.Buffer
	go func() {
		code := run(ctx, args, in, &stderr)
		_ = in.Close()
		done <- code
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "cloudsim listening on ")
	require.True(t, ok, line)
	return address, func() int {
		cancel()
		code := <-done
		require.Empty(t, stderr.String())
		return code
	}
}

func worldFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "world.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestServes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	address, stop := cloudsim(t, "--world", worldFile(t, "seed: 42"), "--listen", "127.0.0.1:0", "--state", dir)
	world := func(address string) string {
		response, err := http.Get(address + "/_sim/world")
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return string(body)
	}
	require.Contains(t, world(address), `"seed":42`)
	require.Zero(t, stop())
	address, stop = cloudsim(t, "--listen", "127.0.0.1:0", "--state", dir)
	require.Contains(t, world(address), `"seed":42`)
	require.Zero(t, stop())
}

func TestTLS(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca.pem")
	address, stop := cloudsim(t, "--world", worldFile(t, "{}"), "--listen", "127.0.0.1:0", "--tls", "--tls-ca", ca)
	require.True(t, strings.HasPrefix(address, "https://127.0.0.1:"), address)
	text, err := os.ReadFile(ca)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(text))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}
	response, err := client.Get(address + "/_sim/health")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Zero(t, stop())
}

func TestRefusals(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	good := worldFile(t, "{}")
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no world":      {nil, 2, "--world FILE is missing"},
		"no such world": {[]string{"--world", "/none"}, 2, "/none"},
		"bad world":     {[]string{"--world", worldFile(t, "huawei: {readLag: soon}")}, 2, `huawei.readLag: "soon"`},
		"bad flag":      {[]string{"--wrold", "x"}, 2, "wrold"},
		"argument":      {[]string{"--world", good, "extra"}, 2, `"extra"`},
		"tls":           {[]string{"--world", good, "--tls"}, 2, "--tls-ca"},
		"port in use":   {[]string{"--world", good, "--listen", taken.Addr().String()}, 1, "in use"},
		"help":          {[]string{"--help"}, 0, "-world"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			require.Equal(t, c.code, run(t.Context(), c.args, &stdout, &stderr))
			require.Contains(t, stderr.String(), c.says)
			require.Empty(t, stdout.String())
		})
	}
}
