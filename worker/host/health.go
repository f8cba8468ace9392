package host

import (
	"fmt"
	"net/http"
	"sync/atomic"
)

// health answers /healthz: 503 until the worker polls, and again once it stops.
type health struct{ ready atomic.Bool }

// ServeHTTP implements http.Handler.
func (h *health) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if !h.ready.Load() {
		http.Error(w, "not polling", http.StatusServiceUnavailable)
		return
	}
	_, _ = fmt.Fprintln(w, "ok")
}
