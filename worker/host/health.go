package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// health answers /healthz: 503 until the worker polls, and again once it stops.
type health struct {
	ready  atomic.Bool
	server *http.Server
}

// serveHealth listens at addr; "" serves nothing.
func serveHealth(addr string, log *slog.Logger) (*health, error) {
	h := &health{}
	at, err := healthAddress(addr)
	if at == "" || err != nil {
		return h, err
	}
	l, err := net.Listen("tcp", at)
	if err != nil {
		return nil, fmt.Errorf("--health: %w; choose another address", err)
	}
	h.server = &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := h.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("health endpoint stopped", "error", err)
		}
	}()
	log.Info("health endpoint", "url", "http://"+l.Addr().String()+"/healthz")
	return h, nil
}

// ServeHTTP implements http.Handler.
func (h *health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != "/healthz":
		http.NotFound(w, r)
	case !h.ready.Load():
		http.Error(w, "not polling", http.StatusServiceUnavailable)
	default:
		_, _ = fmt.Fprintln(w, "ok")
	}
}

func (h *health) close() {
	if h.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = h.server.Shutdown(ctx) // nobody depends on the last answer
}
