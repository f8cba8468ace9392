package sim

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// A simulator that cannot save must not answer as if it could.
func TestSaveFailureStopsTheSimulator(t *testing.T) {
	s, err := New(Options{StateDir: t.TempDir()})
	require.NoError(t, err)
	require.NoError(t, s.store.log.Close())
	get := func(path string) int {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.RemoteAddr, r.Host = "127.0.0.1:1", "localhost"
		s.ServeHTTP(w, r)
		return w.Code
	}
	require.Equal(t, http.StatusOK, get("/_sim/health"))
	require.Equal(t, http.StatusInternalServerError, get("/nothing"), "the call whose entry was not saved")
	require.Equal(t, http.StatusInternalServerError, get("/nothing"))
	require.Equal(t, http.StatusBadRequest, get("/_sim/health"))
	require.ErrorIs(t, s.Close(), os.ErrClosed)
}
