package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// endpoint is something that a worker serves over HTTP.
type endpoint struct {
	flag    string // that says where, such as "--health"
	addr    string // what the flag says; "" serves nothing
	path    string
	handler http.Handler
}

// endpoints are those that are being served.
type endpoints struct{ servers []*http.Server }

// serve listens where the endpoints want to be. Those that name one address share it.
func serve(log *slog.Logger, wanted ...endpoint) (*endpoints, error) {
	type place struct {
		listener net.Listener
		mux      *http.ServeMux
	}
	served := &endpoints{}
	places := make(map[string]place)
	for _, e := range wanted {
		at, err := listenAddress(e.flag, e.addr)
		if err != nil {
			served.close()
			return nil, err
		}
		if at == "" {
			continue
		}
		p, shared := places[at]
		if !shared {
			p.listener, err = net.Listen("tcp", at)
			if err != nil {
				served.close()
				return nil, fmt.Errorf("%s: %w; choose another address", e.flag, err)
			}
			p.mux = http.NewServeMux()
			places[at] = p
			served.start(p.listener, p.mux, log)
		}
		p.mux.Handle(e.path, e.handler)
		log.Info("serving", "url", "http://"+p.listener.Addr().String()+e.path)
	}
	return served, nil
}

func (e *endpoints) start(l net.Listener, h http.Handler, log *slog.Logger) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	e.servers = append(e.servers, server)
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("endpoint stopped", "address", l.Addr().String(), "error", err)
		}
	}()
}

func (e *endpoints) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, server := range e.servers {
		_ = server.Shutdown(ctx) // nobody depends on the last answer
	}
}

// listenAddress puts an address without a host on loopback: who wants it elsewhere says so.
func listenAddress(flag, addr string) (string, error) {
	if addr == "" {
		return "", nil
	}
	h, port, err := net.SplitHostPort(addr)
	if err != nil || port == "" {
		return "", fmt.Errorf("%s: %q: want host:port, such as 127.0.0.1:9090", flag, addr)
	}
	if h == "" {
		h = "127.0.0.1"
	}
	return net.JoinHostPort(h, port), nil
}
