package sim

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/clock"
	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/strict"
)

const controlPrefix = "/_sim/"

// maxWorld limits the world that may be put through the control plane.
const maxWorld = 256 << 20

// serveControl lets this machine look at the simulator and change it.
func (s *Sim) serveControl(w http.ResponseWriter, r *http.Request) {
	if err := checkLocal(r); err != nil {
		http.Error(w, "the control plane is for this machine only: "+err.Error(), http.StatusForbidden)
		return
	}
	mux := http.NewServeMux()
	for pattern, serve := range map[string]func(*http.Request) (any, error){
		"GET /_sim/health":         s.getHealth,
		"GET /_sim/world":          func(*http.Request) (any, error) { return s.World(), nil },
		"PUT /_sim/world":          s.putWorld,
		"GET /_sim/journal":        s.getJournal,
		"DELETE /_sim/journal":     func(*http.Request) (any, error) { return nil, s.ResetJournal() },
		"GET /_sim/faults":         func(*http.Request) (any, error) { return s.faults.List(), nil },
		"POST /_sim/faults":        s.postFault,
		"DELETE /_sim/faults":      func(*http.Request) (any, error) { s.faults.Clear(); return nil, nil },
		"DELETE /_sim/faults/{id}": s.deleteFault,
		"GET /_sim/clock":          s.getClock,
		"PUT /_sim/clock":          s.putClock,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			body, err := serve(r)
			switch {
			case err != nil:
				http.Error(w, err.Error(), http.StatusBadRequest)
			case body == nil:
				w.WriteHeader(http.StatusNoContent)
			default:
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write(append(encode(body), '\n'))
			}
		})
	}
	mux.ServeHTTP(w, r)
}

// checkLocal refuses requests from elsewhere, and those that a web page made a local browser send: a page can send
// to this address under its own origin, or, by pointing its own name here, under its own host.
func checkLocal(r *http.Request) error {
	if r.Context().Value(inProcess{}) != nil {
		return nil
	}
	if !isLoopback(r.RemoteAddr) {
		return fmt.Errorf("it was called from %s", r.RemoteAddr)
	}
	if !isLoopback(r.Host) {
		return fmt.Errorf("it was called by the name %s", r.Host)
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		if u, err := url.Parse(origin); err != nil || u.Host != r.Host {
			return fmt.Errorf("it was called by a page of %s", origin)
		}
	}
	if site := r.Header.Get("Sec-Fetch-Site"); !slices.Contains([]string{"", "none", "same-origin"}, site) {
		return fmt.Errorf("it was called by a page of another site")
	}
	return nil
}

// isLoopback looks at an address with or without a port.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func readStrict(r *http.Request, into any) error {
	data, err := io.ReadAll(io.LimitReader(r.Body, maxWorld))
	if err != nil {
		return err
	}
	return strict.Decode(data, into)
}

func (s *Sim) getHealth(*http.Request) (any, error) {
	return map[string]any{"status": "ok", "now": s.clock.Now(), "seq": s.journal.Seq()}, s.store.err()
}

func (s *Sim) putWorld(r *http.Request) (any, error) {
	var w World
	if err := readStrict(r, &w); err != nil {
		return nil, err
	}
	return nil, s.Load(w)
}

func (s *Sim) getJournal(r *http.Request) (any, error) {
	var f journal.Filter
	var errs []error
	limit := 0
	for key, values := range r.URL.Query() {
		var err error
		switch value := values[0]; key {
		case "since":
			f.Since, err = strconv.ParseInt(value, 10, 64)
		case "limit":
			limit, err = strconv.Atoi(value)
		case "writes":
			f.Writes, err = strconv.ParseBool(value)
		case "account":
			f.Account = value
		case "action":
			f.Action = value
		case "server":
			f.Server = value
		case "group":
			f.Group = value
		case "effect":
			f.Effect = value
		case "fault":
			f.Fault = value
		default:
			err = errors.New("unknown; known are since, limit, writes, account, action, server, group, effect, fault")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	entries := s.journal.Select(f)
	if limit > 0 && len(entries) > limit {
		entries = entries[:limit]
	}
	if entries == nil {
		entries = []Entry{}
	}
	return map[string]any{"entries": entries, "seq": s.journal.Seq()}, errors.Join(errs...)
}

func (s *Sim) postFault(r *http.Request) (any, error) {
	var rule Fault
	if err := readStrict(r, &rule); err != nil {
		return nil, err
	}
	id, err := s.faults.Add(rule)
	return map[string]string{"id": id}, err
}

func (s *Sim) deleteFault(r *http.Request) (any, error) {
	if id := r.PathValue("id"); !s.faults.Remove(id) {
		return nil, fmt.Errorf("id: %q is no fault rule", id)
	}
	return nil, nil
}

func (s *Sim) getClock(*http.Request) (any, error) {
	return map[string]any{"now": s.clock.Now(), "speed": s.clock.Speed()}, nil
}

func (s *Sim) putClock(r *http.Request) (any, error) {
	var in struct {
		Speed   *float64       `json:"speed"`
		Advance clock.Duration `json:"advance"`
	}
	if err := readStrict(r, &in); err != nil {
		return nil, err
	}
	if in.Speed != nil {
		if *in.Speed < 0 {
			return nil, fmt.Errorf("speed: %v is negative", *in.Speed)
		}
		s.clock.SetSpeed(*in.Speed)
	}
	s.clock.Advance(time.Duration(in.Advance))
	return s.getClock(r)
}
